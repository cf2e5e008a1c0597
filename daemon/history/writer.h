/* What brings the log into the history: a reader of the log whose cursor is in
 * the database, in the same transaction as the rows it stands for. It runs with
 * the steward. While the database is away it waits, and the log is kept
 * ({ws}:cur:history holds it back). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct parts;
struct workspace;
struct writer;

/* Kept by the workspace, over the stewardships of this instance. */
struct writer_counts {
	int64_t entries; /* written */
	int64_t skipped; /* rows and entries that could not be written, and were logged */
	int64_t errors;  /* attempts that failed */
	int64_t rereads; /* times everything that is hot was read anew */
};

struct writer *writer_new(struct parts *parts, struct workspace *workspace,
			  struct writer_counts *counts);
void writer_free(struct writer **writer);

/* Reads everything that is hot anew, as soon as it can. */
void writer_reread(struct writer *writer);

struct writer_state {
	const char *doing;    /* "starting", "reading anew", "following", "waiting" */
	const char *position; /* up to here it is in the database; "" unknown */
	const char *problem;  /* why it waits; "" */
	int64_t held;         /* entries read and not written yet */
	int64_t lag_ms;       /* age of the oldest of them; 0: none */
	int64_t reread_keys;  /* looked at in the newest reading anew */
};
struct writer_state writer_state(const struct writer *writer);
