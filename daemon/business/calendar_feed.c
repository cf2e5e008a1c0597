/* What an iCalendar feed means for a calendar. An event is time off. China's
 * published calendars mark each day off 休 or 假 and each adjusted workday 班;
 * in a feed with such marks, events without one (solar terms ...) mean nothing. */
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/memory.h"
#include "business/calendar_internal.h"
#include "business/ical.h"

enum { DAYS_MAX = 40000, DAY_S = 86400 };

enum mark { MARK_NONE, MARK_OFF, MARK_WORK };

static enum mark mark_of(const struct ical_event *event)
{
	if (strstr(event->summary, "班") != NULL)
		return MARK_WORK;
	return strstr(event->summary, "休") != NULL || strstr(event->summary, "假") != NULL
		       ? MARK_OFF
		       : MARK_NONE;
}

static bool has_marks(const struct ical *ical)
{
	for (size_t i = 0; i < ical->count; i++) {
		if (mark_of(&ical->events[i]) != MARK_NONE)
			return true;
	}
	return false;
}

/* An adjusted workday is like a Monday, or where that is closed like the next day that is not. */
static const struct calendar_hours *usual_hours(const struct calendar *calendar)
{
	for (size_t i = 0; i < 7; i++) {
		if (calendar->week[i].count > 0)
			return &calendar->week[i];
	}
	return &calendar->week[0];
}

static int add_days(struct calendar *calendar, int64_t from, int64_t to, enum mark mark,
		    struct error *err)
{
	struct calendar_day day = { .rank = CALENDAR_FEED_HOLIDAY };

	if (mark == MARK_WORK) {
		day.rank = CALENDAR_FEED_WORKDAY;
		day.hours = *usual_hours(calendar);
	}
	if (to - from > DAYS_MAX || calendar->days_count + (size_t)(to - from) > DAYS_MAX)
		return error_set(err, ERROR_MISUSE, "its events take more than %d days", DAYS_MAX);
	for (day.day = from; day.day < to; day.day++)
		calendar_add_day(calendar, &day);
	return 0;
}

static int64_t day_at(const struct calendar *calendar, int64_t unix_s)
{
	return date_floor(unix_s + zone_at(calendar->zone, unix_s).offset_s, DAY_S);
}

static void add_span(struct calendar *calendar, const struct ical_event *event)
{
	size_t count = calendar->closed_count;

	if ((count & (count - 1)) == 0)
		calendar->closed = memory_grow(calendar->closed, count == 0 ? 1 : 2 * count,
					       sizeof(*calendar->closed));
	calendar->closed[calendar->closed_count++] =
		(struct calendar_span){ event->from * 1000, event->to * 1000 };
}

static int add_event(struct calendar *calendar, const struct ical_event *event, enum mark mark,
		     struct error *err)
{
	if (event->whole_days)
		return add_days(calendar, event->from, event->to, mark, err);
	if (mark == MARK_WORK)
		return add_days(calendar, day_at(calendar, event->from),
				day_at(calendar, event->to - 1) + 1, mark, err);
	add_span(calendar, event);
	return 0;
}

int calendar_feed(struct calendar *calendar, const char *text, struct error *err)
{
	struct arena *arena = arena_new(0);
	struct ical ical = { 0 };
	int status = ical_read(text, calendar->zone, arena, &ical, err);
	bool marked = status == 0 && has_marks(&ical);

	for (size_t i = 0; status == 0 && i < ical.count; i++) {
		enum mark mark = mark_of(&ical.events[i]);

		if (!marked || mark != MARK_NONE)
			status = add_event(calendar, &ical.events[i], mark, err);
	}
	arena_free(&arena);
	return status;
}
