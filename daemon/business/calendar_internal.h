/* What a calendar is made of (shared by calendar*.c only). */
#pragma once

#include <stddef.h>

#include "business/calendar.h"
#include "business/zone.h"

enum { CALENDAR_SLOTS_MAX = 24, CALENDAR_DAY_MINUTES = 24 * 60 };

struct calendar_slot {
	int from_min, to_min; /* of the wall clock; to is not in it */
};

struct calendar_hours {
	struct calendar_slot slots[CALENDAR_SLOTS_MAX]; /* in order, apart from each other */
	size_t count;
};

/* What a day is instead of its weekday. Higher ranks win. */
enum calendar_rank { CALENDAR_FEED_HOLIDAY, CALENDAR_FEED_WORKDAY, CALENDAR_OWN };

struct calendar_day {
	int64_t day;
	enum calendar_rank rank;
	struct calendar_hours hours;
};

struct calendar_span {
	int64_t from_ms, to_ms;
};

struct calendar {
	struct zone *zone;
	struct calendar_hours week[7];
	struct calendar_day *days; /* in order, one each */
	size_t days_count;
	struct calendar_span *closed; /* in order, apart from each other */
	size_t closed_count;
};

/* calendar_feed.c: adds what an iCalendar feed says to unsorted days and spans. */
int calendar_feed(struct calendar *calendar, const char *text, struct error *err);
void calendar_add_day(struct calendar *calendar, const struct calendar_day *day);
