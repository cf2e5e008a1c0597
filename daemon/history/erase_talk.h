/* One conversation's share of an erasure: its messages page by page, then itself. */
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "history/erase.h"
#include "identity/identity.h"

struct loop_timer;
struct retain_counts;
struct retaining;
struct talk;

/* What the files of an erasure share. */
struct erase {
	struct parts *parts;
	struct workspace *workspace;
	char *fence;
	struct loop_timer *tick;
	struct arena *arena; /* of the job under way; NULL: none */
	char *job;
	const char *customers; /* space-separated */
	const char *keys;      /* hashes, space-separated */
	const char *cases;
	const char *at;    /* next customer, case or key to look at */
	char *cursor;      /* of the scan */
	char **talks;      /* conversations of the scan's page */
	size_t talk_count; /* ... how many */
	size_t next_talk;
	struct talk *talk;           /* the conversation in hand */
	struct retaining *retaining; /* a job of retention; NULL */
	struct retain_counts *counts;
	int64_t after;     /* number of the history's message looked at last */
	bool is_last_pass; /* over the history */
	int refs;
	bool is_dead;
};

typedef void erase_next_fn(struct erase *erase);

/* The step under way failed: the job begins again in a moment. err may be NULL (refused). */
void erase_retry(struct erase *erase, const char *step, const struct error *err);
/* False where nobody wants an answer any more. */
bool erase_is_wanted(struct erase *erase);

/* What is destroyed in the store and the history is in no file any more; then the job is done. */
void erase_finish(struct erase *erase);
/* The job is done. */
void erase_done(struct erase *erase);

/* Releases the blobs that a stored message names, then next. files: as of {ws}:y, or NULL. */
void erase_blobs(struct erase *erase, const char *message, const char *files, erase_next_fn *next);

/* erases the conversation, then next. */
void erase_talk(struct erase *erase, const char *conversation, erase_next_fn *next);
