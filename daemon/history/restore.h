/* Brings back what the store lost, from the history: customers and their places
 * in the index, their notes, merges and suggestions, work items that have not
 * ended, their conversations. What was
 * at rest stays in the history until it is needed. What is in the store stays
 * as it is, so it may run again. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct parts;
struct restore;
struct workspace;

struct restore_state {
	/* "customers", "notes", "suggestions", "merges", "work items", "conversations", "files",
	 * "done", "failed" */
	const char *doing;
	const char *problem; /* ""; */
	/* Brought back; of notes and suggestions, whose they are is counted. */
	int64_t customers, notes, suggestions, merges, work_items, conversations, messages;
};

/* What no history has, as words for people; NULL at the end. */
extern const char *const restore_not_kept[];

struct restore *restore_new(struct parts *parts, struct workspace *workspace);
void restore_free(struct restore **restore);
struct restore_state restore_state(const struct restore *restore);
