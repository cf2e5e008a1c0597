/* Shared by evict*.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/id.h"
#include "history/evictor.h"
#include "history/harvest.h"

struct store_reply;

enum {
	EVICT_BATCH = 32,
	EVICT_MESSAGES = 2000, /* of a batch that is more than one conversation */
	EVICT_HOLDERS = 50,    /* what may keep one conversation; more do */
	EVICT_DIGEST_BYTES = 48,
};

/* What stands for a message in {ws}:r:. */
struct evict_reference {
	unsigned bucket;
	unsigned char field[16];
};

/* One conversation or work item of a batch. */
struct evict_one {
	struct evictor *evictor;
	char id[ID_BYTES];
	bool is_item;
	bool is_written; /* handed to the history; else evict only says what becomes of it */
	char digest[EVICT_DIGEST_BYTES];
	int64_t read_ms;
	int64_t messages;
	struct evict_reference *references; /* room for two a message */
	size_t reference_count;
	const char *media[EVICT_HOLDERS]; /* members of {ws}:md */
	size_t media_count;
	const char *dead[EVICT_HOLDERS]; /* messages */
	size_t dead_count;
	bool has_too_many;
};

struct evictor {
	struct parts *parts;
	struct workspace *workspace;
	struct evict_counts *counts;
	char *fence;
	struct loop_timer *timer;
	struct arena *arena; /* of the round */
	struct harvest *harvest;
	struct buf rows;
	struct evict_one ones[EVICT_BATCH];
	size_t count;
	size_t batch_max;
	char **late; /* receipts of the round */
	size_t late_count;
	size_t left; /* answers of the step under way */
	size_t moved;
	char *cursor; /* of the sweep; NULL: not asked, or done */
	bool is_swept;
	bool has_looked; /* whether the store lost everything */
	bool is_full;    /* the round took all it may */
	bool has_failed;
	int refs;
	bool is_dead;
};

/* An answer came: false where nobody wants it any more. */
bool evict_answered(struct evictor *evictor);
void evict_round_end(struct evictor *evictor, int64_t next_ms);
const char *evict_workspace(const struct evictor *evictor);

/* evict_rows.c: finds in the rows of the harvest what refers to the messages and what may hold
 * them; adds the rows of the references. */
void evict_rows_read(struct evictor *evictor, struct buf *rows);

/* evict_late.c: the receipts; then done(evictor). */
void evict_late_start(struct evictor *evictor, void (*done)(struct evictor *evictor));

/* evict_sweep.c: a store from before `rest` was kept; then done(evictor). */
void evict_sweep_start(struct evictor *evictor, void (*done)(struct evictor *evictor));
