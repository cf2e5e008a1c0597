/* The history: what was said and done, in SQL, in a worker process. This is the
 * client; what writes into it is writer.h. Jobs and answers are JSON objects;
 * the operations are the table in workers/history.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

struct history;
struct json_object;
struct loop;

struct history_options {
	const char *url;      /* sqlite:/path, postgresql://...; NULL: history.db in state_dir */
	const char *password; /* NULL: in the URL, or none */
	const char *state_dir;
	const char *executable; /* as in services/worker.h */
};

enum { HISTORY_ID_BYTES = 40 };

/* Answers; borrowed, valid inside the call. answer is NULL with err: TEMPORARY
 * where the database is not there, PERMANENT where its set-up is wrong. */
typedef void history_done_fn(struct json_object *answer, const struct error *err, void *context);

/* Starts no process before the first job. With the url "none" nothing is kept, and every job ends
 * with an error. */
struct history *history_new(struct loop *loop, const struct history_options *options);
void history_free(struct history **history); /* what waits ends with an error first */

bool history_is_kept(const struct history *history); /* false: "none" */
/* The database's own id; NULL until it was reached once. */
const char *history_id(const struct history *history);
/* For struct store_identity: NULL until the id is known; accept_other: also in place of another
 * one. Points into room. */
const char *history_identity(const struct history *history, bool accept_other,
			     char room[HISTORY_ID_BYTES + 1]);
/* How to name it to people: without user and password. */
const char *history_place(const struct history *history);

/* Reads: several run at once. fields are those of the job's object after op and workspace, as
 * written by jw_* inside an object: NULL, or text that begins with a comma. */
void history_ask(struct history *history, const char *op, const char *workspace,
		 const struct buf *fields, history_done_fn *done, void *context);
/* Changes: one at a time, in order. */
void history_tell(struct history *history, const char *op, const char *workspace,
		  const struct buf *fields, history_done_fn *done, void *context);

struct history_stats {
	int64_t done, failed;
	bool is_up; /* the newest answer was one of a database */
	char problem[200];
};
struct history_stats history_stats(const struct history *history);
