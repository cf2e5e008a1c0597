/* The newest end of one workspace's log, read once for all its live readers. */
#pragma once

#include <stdbool.h>
#include <sys/queue.h>

#include "store/log_entry.h"

struct bell_ear;
struct loop_timer;
struct log_hub;

enum reader_state { READER_STARTING, READER_ASKING, READER_CATCHING_UP, READER_LIVE };

LIST_HEAD(reader_list, log_reader);

struct log_tail {
	LIST_ENTRY(log_tail) link;
	struct log_hub *hub;
	struct loop *loop;
	struct store *store;
	char *workspace;
	int refs; /* readers, and calls under way */
	struct reader_list readers;
	struct bell_ear *ear;
	/* One thing at a time: a call is under way (it ends in any case), or the timer runs. */
	struct loop_timer *timer;
	bool is_busy;
	bool is_asleep; /* until the bell rings or the timer */
	bool is_known;  /* generation and cursor are */
	bool bell_is_up;
	bool has_rung; /* since the last read was sent */
	bool is_closed;
	int polls; /* in a row without an entry */
	int64_t generation;
	struct log_id cursor;
	uint64_t witness; /* digest of the entry at the cursor; 0: not known */
	/* Where the log was found to go on: connections since then may lead to a poorer store. */
	int connection;
	int promotions;
};

struct log_reader {
	LIST_ENTRY(log_reader) link;
	struct log_tail *tail;
	log_entry_fn *on_entry;
	log_reset_fn *on_reset;
	log_batch_fn *on_batch;
	void *context;
	size_t batch;
	int refs; /* its owner, calls under way, callbacks running */
	bool is_closed;
	enum reader_state state;
	struct loop_timer *again; /* what was refused is asked once more */
	int turn;                 /* counts resets: an answer from before one says nothing */
	char after[LOG_POSITION_BYTES];
	struct log_id cursor;
	char position[LOG_POSITION_BYTES];
};

/* The tail of a workspace, with one more reference. */
struct log_tail *tail_ref(struct loop *loop, struct store *store, const char *workspace);
void tail_unref(struct log_tail *tail);
/* No reader is left: nothing is read any more. */
void tail_close(struct log_tail *tail);

/* The readers' side (log.c), called by the tail. */
void reader_start(struct log_reader *reader); /* the tail knows where it stands */
void reader_reset(struct log_reader *reader);
void reader_take(struct log_reader *reader, const struct log_batch *batch);
void reader_unref(struct log_reader *reader);

/* All readers with a reference each, ended by NULL: callbacks may free any. free() it. */
struct log_reader **tail_readers(struct log_tail *tail);
