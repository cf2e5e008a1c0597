/* One thin log entry to the public events it stands for. Pure. */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "store/log.h"

enum { EXPANDED_MAX = 16, EVENT_ID_BYTES = 96 };

struct public_event {
	char id[EVENT_ID_BYTES];
	const char *type;  /* static */
	const char *queue; /* of the entry; NULL */
	struct buf data;   /* the event's JSON */
};

/* The types there are, NULL-terminated; "typing" and "viewing" are never in the log. */
extern const char *const event_types[];

/* Fills up to EXPANDED_MAX; returns how many. The caller clears each data. */
size_t event_expand(const struct log_entry *entry, struct public_event events[EXPANDED_MAX]);
