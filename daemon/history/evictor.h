/* Hands conversations and work items at rest to the history and lets them leave
 * the store; takes down receipts for what has left. Runs with the steward. One
 * batch at a time:
 *
 *   rest_read -> evict_read -> the history writes all of it -> evict
 *
 * evict checks that nothing changed since evict_read, so a death at any step
 * leaves what is in the store where it is, or finds it in the history. */
#pragma once

#include <stdint.h>

struct evictor;
struct parts;
struct workspace;

/* Kept by the workspace, over the stewardships of this instance. */
struct evict_counts {
	int64_t conversations; /* left the store */
	int64_t work_items;
	int64_t receipts; /* for messages that had left, taken down */
	int64_t refused;  /* the history did not take it: stays in the store */
	int64_t at_rest;  /* in the store, as of the newest look */
};

struct evictor *evictor_new(struct parts *parts, struct workspace *workspace, const char *fence,
			    struct evict_counts *counts);
void evictor_free(struct evictor **evictor);
