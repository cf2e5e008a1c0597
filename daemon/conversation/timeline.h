/* What happened with a customer over all channels, newest first: messages, notes about them,
 * business events, and when work items were opened and came into the state they are in. Out of the
 * store, and out of the history what has left it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct parts;

enum timeline_kind { TIMELINE_MESSAGE, TIMELINE_NOTE, TIMELINE_WORK_ITEM, TIMELINE_EVENT };

struct timeline_entry {
	enum timeline_kind kind;
	const char *key; /* its place: 15 digits of ms, a space, and what it is */
	int64_t at_ms;
	const char *json;         /* a message as stored, a note, an event */
	const char *conversation; /* of a note, an event: NULL */
	/* of a message */
	const char *channel;
	const char *mark, *provider_id, *files; /* as struct message_known has them */
	/* of a work item */
	const char *id, *state, *queue, *agent;
	int64_t number;
};

struct timeline_page {
	const char *customer; /* who that is now; NULL: there is no such customer */
	const struct timeline_entry *entries;
	size_t count;
	bool has_more;
};

enum { TIMELINE_MAX = 100, TIMELINE_TIME_DIGITS = 15 };
struct timeline_query {
	const char *workspace;
	const char *customer; /* an id, an old one too */
	const char *after;    /* the key of the last one before; NULL: from the newest on */
	size_t limit;         /* TIMELINE_MAX at most */
	bool has_notes; /* false: neither notes (of the customer, in conversations) nor events */
	bool only_events;
};

/* page is NULL with err. Where the history does not answer, what the store has is given, and
 * has_more says that it is not all; where that is nothing, err. */
typedef void timeline_fn(const struct timeline_page *page, const struct error *err, void *context);
void timeline_read(const struct parts *parts, const struct timeline_query *query, timeline_fn *done,
		   void *context);
