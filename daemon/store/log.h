/* Readers of the workspace's log ({ws}:log, one thin stream). Each reader has
 * its own cursor; a doorbell wakes it, and a lost bell costs a second. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct loop;
struct store;
struct log_reader;

/* One entry. Texts are borrowed and valid inside the call; absent ones are NULL. */
struct log_entry {
	const char *position; /* "<generation>-<ms>-<seq>" */
	int64_t time_ms;
	const char *type; /* see scripts/README.md */
	const char *work_item;
	const char *conversation;
	const char *customer;
	const char *message;
	int64_t message_index; /* in the conversation's list; -1: none */
	const char *agent;
	const char *queue;
	const char *channel;
	const char *from;   /* state before */
	const char *to;     /* state after */
	const char *object; /* offer, transfer, sla instance ... */
	int64_t version;    /* of the work item, after; 0 where none */
	const char *extra;  /* small JSON of numbers and ids, or NULL */
};

struct log_reader_options {
	const char *workspace;
	const char *after; /* a position; NULL: from now on; "0": from the oldest kept */
	size_t batch;      /* entries a read; default 500 */
};

typedef void log_entry_fn(const struct log_entry *entry, void *context);
/* The position asked for is gone, or a new generation began: re-sync from state. */
typedef void log_reset_fn(const char *position, void *context);
/* Once a reader "from now on" knows where that is (what was read from state before may be older
 * than that), and after each batch, with the position up to which entries were handed out. */
typedef void log_batch_fn(const char *position, void *context);

/* Readers of one workspace share one tail of the store where their cursors meet
 * (the usual case), so a thousand SSE clients cost one read. */
struct log_reader *log_reader_new(struct loop *loop, struct store *store,
				  const struct log_reader_options *options, log_entry_fn *on_entry,
				  log_reset_fn *on_reset, log_batch_fn *on_batch, void *context);
void log_reader_free(struct log_reader **pointer);
const char *log_reader_position(const struct log_reader *reader);
