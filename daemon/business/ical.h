/* iCalendar (RFC 5545) read for one purpose: which days and times its events
 * take. Strict: what cannot be followed exactly is refused with its line.
 * Recurrence (FREQ DAILY, WEEKLY, MONTHLY, YEARLY; INTERVAL, COUNT, UNTIL,
 * BYDAY, BYMONTH, BYMONTHDAY, WKST) without an end is followed to 2059. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "business/zone.h"

struct ical_event {
	const char *summary; /* "" without */
	bool whole_days;
	int64_t from, to; /* days since 1970, or unix seconds; to is not in it */
};

struct ical {
	struct ical_event *events; /* one for each time that an event happens, cancelled ones not */
	size_t count;
};

/* Times without a zone are of the one given. Everything returned lives in the arena. */
int ical_read(const char *text, const struct zone *zone, struct arena *arena, struct ical *ret_ical,
	      struct error *err);
