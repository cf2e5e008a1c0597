/* What has left the store, asked of the history with a deadline; shared by the
 * readers of this folder, which join it with what the store has, so that their
 * callers do not notice. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

struct json_object;
struct parts;

/* Positions: where a message stands in its conversation for good. What came into the store at one
 * time (ct) counts from here; so whoever has an index there needs no question to know it. */
int64_t past_position(int64_t created_ms, int64_t index);

/* False: nothing ever leaves the store. */
bool past_is_kept(const struct parts *parts);

struct past_question {
	const char *op; /* workers/history_past.c */
	const char *workspace;
	const struct buf *fields; /* as history_ask() takes them */
};
/* answer is NULL with err, which is TEMPORARY where there was none in time. Once, never before the
 * return. */
typedef void past_fn(struct json_object *answer, const struct error *err, void *context);
void past_ask(const struct parts *parts, const struct past_question *question, past_fn *done,
	      void *context);

/* What the history has of a conversation from before it came into the store. */
struct past_extent {
	const char *workspace;
	const char *conversation;
	int64_t created_ms; /* when it came into the store */
	int64_t messages;
	int64_t began_ms;
};
/* Kept in the store, so that it is asked once. */
void past_note(const struct parts *parts, const struct past_extent *extent);
