/* Brings back what the store lost, from the history: customers and their places
 * in the index, work items that have not ended, their conversations. What was
 * at rest stays in the history until it is needed. What is in the store stays
 * as it is, so it may run again. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct parts;
struct restore;
struct workspace;

struct restore_state {
	const char
		*doing; /* "customers", "work items", "conversations", "files", "done", "failed" */
	const char *problem;                                    /* ""; */
	int64_t customers, work_items, conversations, messages; /* brought back */
};

struct restore *restore_new(struct parts *parts, struct workspace *workspace);
void restore_free(struct restore **restore);
struct restore_state restore_state(const struct restore *restore);
