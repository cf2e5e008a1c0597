/* A calendar from its JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/json.h"
#include "base/memory.h"
#include "business/calendar_internal.h"

enum { LISTS_MAX = 2000, HOLIDAY_DAYS_MAX = 400, WEEK_DAYS = 7 };

static const char *const day_names[WEEK_DAYS] = {
	"mon", "tue", "wed", "thu", "fri", "sat", "sun",
};

static int weekday_of(const char *name, size_t len)
{
	for (int i = 0; i < WEEK_DAYS; i++) {
		if (len == 3 && memcmp(name, day_names[i], 3) == 0)
			return i;
	}
	return -1;
}

/* "mon" or "mon-fri" (also "sat-mon"); adds to a mask. */
static int days_read(const char *text, unsigned *mask, struct error *err)
{
	const char *dash = strchr(text, '-');
	int from = weekday_of(text, dash == NULL ? strlen(text) : (size_t)(dash - text));
	int to = dash == NULL ? from : weekday_of(dash + 1, strlen(dash + 1));

	if (from < 0 || to < 0)
		return error_set(err, ERROR_MISUSE,
				 "\"%.20s\" is no day of the week (mon, tue, wed, thu, fri, sat, "
				 "sun, or a range such as mon-fri)",
				 text);
	for (int day = from;; day = (day + 1) % WEEK_DAYS) {
		*mask |= 1u << day;
		if (day == to)
			return 0;
	}
}

static int minutes_read(const char *text, int *ret_min)
{
	int hours, minutes;

	if (text == NULL || strlen(text) != 5 || text[2] != ':' ||
	    strspn(text, "0123456789:") != 5 || strchr(text, ':') != strrchr(text, ':'))
		return -1;
	hours = (text[0] - '0') * 10 + text[1] - '0';
	minutes = (text[3] - '0') * 10 + text[4] - '0';
	if (minutes > 59 || hours * 60 + minutes > CALENDAR_DAY_MINUTES)
		return -1;
	*ret_min = hours * 60 + minutes;
	return 0;
}

static int slot_read(struct json_object *object, struct calendar_slot *slot, struct error *err)
{
	const char *from = json_text(object, "from"), *to = json_text(object, "to");

	if (minutes_read(from, &slot->from_min) != 0 || minutes_read(to, &slot->to_min) != 0)
		return error_set(err, ERROR_MISUSE,
				 "\"from\" and \"to\" must be times of the day such as \"09:00\", "
				 "at most \"24:00\"");
	if (slot->from_min >= slot->to_min)
		return error_set(err, ERROR_MISUSE,
				 "\"to\" must come after \"from\" (past midnight takes two slots: "
				 "until \"24:00\", and from \"00:00\" on the next day)");
	return 0;
}

static int slot_add(struct calendar_hours *hours, const struct calendar_slot *slot,
		    struct error *err)
{
	size_t place = hours->count;

	if (hours->count == CALENDAR_SLOTS_MAX)
		return error_set(err, ERROR_MISUSE, "a day has more than %d slots",
				 CALENDAR_SLOTS_MAX);
	while (place > 0 && hours->slots[place - 1].from_min > slot->from_min)
		place--;
	if ((place > 0 && hours->slots[place - 1].to_min > slot->from_min) ||
	    (place < hours->count && hours->slots[place].from_min < slot->to_min))
		return error_set(err, ERROR_MISUSE, "two slots of one day overlap");
	memmove(&hours->slots[place + 1], &hours->slots[place],
		(hours->count - place) * sizeof(*slot));
	hours->slots[place] = *slot;
	hours->count++;
	return 0;
}

static int week_item(struct calendar *calendar, struct json_object *item, struct error *err)
{
	struct json_object *days = json_at(item, "days");
	struct calendar_slot slot;
	unsigned mask = days == NULL ? (1u << WEEK_DAYS) - 1 : 0;

	if (slot_read(item, &slot, err) != 0)
		return -1;
	for (size_t i = 0; i < json_count(days); i++) {
		const char *text = json_string(json_item(days, i));

		if (days_read(text == NULL ? "" : text, &mask, err) != 0)
			return -1;
	}
	for (int i = 0; i < WEEK_DAYS; i++) {
		if ((mask & (1u << i)) != 0 && slot_add(&calendar->week[i], &slot, err) != 0)
			return -1;
	}
	return 0;
}

static int week_read(struct calendar *calendar, struct json_object *object, struct error *err)
{
	static const struct calendar_hours all_day = { .slots = { { 0, CALENDAR_DAY_MINUTES } },
						       .count = 1 };
	struct json_object *list = json_at(object, "hours");

	if (json_kind(list) == JSON_NULL) {
		for (int i = 0; i < WEEK_DAYS; i++)
			calendar->week[i] = all_day;
		return 0;
	}
	if (json_count(list) == 0)
		return error_set(err, ERROR_MISUSE,
				 "\"hours\" has no slot (leave it out for all day, every day)");
	for (size_t i = 0; i < json_count(list) && i < LISTS_MAX; i++) {
		if (week_item(calendar, json_item(list, i), err) != 0)
			return error_wrap(err, "slot %zu of \"hours\"", i + 1);
	}
	return 0;
}

/* Room doubles at each power of two. */
void calendar_add_day(struct calendar *calendar, const struct calendar_day *day)
{
	size_t count = calendar->days_count;

	if ((count & (count - 1)) == 0)
		calendar->days = memory_grow(calendar->days, count == 0 ? 1 : count * 2,
					     sizeof(*calendar->days));
	calendar->days[calendar->days_count++] = *day;
}

static int date_read(struct json_object *item, const char *name, int64_t *ret_day,
		     struct error *err)
{
	const char *text = json_text(item, name);

	if (text != NULL && strlen(text) == 10 && date_parse(text, false, ret_day))
		return 0;
	return error_set(err, ERROR_MISUSE, "\"%s\" must be a day such as 2026-10-01", name);
}

static int holiday_read(struct calendar *calendar, struct json_object *item, struct error *err)
{
	struct calendar_day day = { .rank = CALENDAR_OWN };
	int64_t last;

	if (date_read(item, "date", &day.day, err) != 0)
		return -1;
	last = day.day;
	if (json_has(item, "to") && date_read(item, "to", &last, err) != 0)
		return -1;
	if (last < day.day || last - day.day >= HOLIDAY_DAYS_MAX)
		return error_set(err, ERROR_MISUSE,
				 "\"to\" must be the last day, at most %d days on",
				 HOLIDAY_DAYS_MAX);
	for (; day.day <= last; day.day++)
		calendar_add_day(calendar, &day);
	return 0;
}

static int workday_read(struct calendar *calendar, struct json_object *item, struct error *err)
{
	struct calendar_day day = { .rank = CALENDAR_OWN };
	struct json_object *list = json_at(item, "hours");
	const char *like = json_text(item, "like");
	int weekday = like == NULL ? DATE_MONDAY : weekday_of(like, strlen(like));

	if (date_read(item, "date", &day.day, err) != 0)
		return -1;
	if (weekday < 0)
		return error_set(err, ERROR_MISUSE, "\"like\" must be a day such as mon");
	if (json_kind(list) == JSON_NULL)
		day.hours = calendar->week[weekday];
	for (size_t i = 0; i < json_count(list); i++) {
		struct calendar_slot slot;

		if (slot_read(json_item(list, i), &slot, err) != 0 ||
		    slot_add(&day.hours, &slot, err) != 0)
			return error_wrap(err, "slot %zu of its \"hours\"", i + 1);
	}
	if (day.hours.count == 0)
		return error_set(err, ERROR_MISUSE,
				 "it has no hours (give \"hours\", or \"like\" a day that has)");
	calendar_add_day(calendar, &day);
	return 0;
}

static int list_read(struct calendar *calendar, struct json_object *object, const char *name,
		     int (*read)(struct calendar *, struct json_object *, struct error *),
		     struct error *err)
{
	struct json_object *list = json_at(object, name);

	for (size_t i = 0; i < json_count(list) && i < LISTS_MAX; i++) {
		if (read(calendar, json_item(list, i), err) != 0)
			return error_wrap(err, "item %zu of \"%s\"", i + 1, name);
	}
	return 0;
}

static int day_order(const void *a, const void *b)
{
	const struct calendar_day *left = a, *right = b;

	if (left->day != right->day)
		return left->day < right->day ? -1 : 1;
	return (int)right->rank - (int)left->rank;
}

/* In order, and of each day the highest rank alone. */
static int days_sort(struct calendar *calendar, struct error *err)
{
	size_t kept = 0;

	if (calendar->days_count > 0)
		qsort(calendar->days, calendar->days_count, sizeof(*calendar->days), day_order);
	for (size_t i = 0; i < calendar->days_count; i++) {
		const struct calendar_day *day = &calendar->days[i];

		if (kept == 0 || calendar->days[kept - 1].day != day->day) {
			calendar->days[kept++] = *day;
		} else if (day->rank == CALENDAR_OWN) {
			char text[16];

			date_format(day->day, text);
			return error_set(err, ERROR_MISUSE,
					 "%s is given twice in \"holidays\" and \"workdays\"",
					 text);
		}
	}
	calendar->days_count = kept;
	return 0;
}

static int span_order(const void *a, const void *b)
{
	const struct calendar_span *left = a, *right = b;

	return left->from_ms < right->from_ms ? -1 : left->from_ms > right->from_ms;
}

static void spans_sort(struct calendar *calendar)
{
	size_t kept = 0;

	if (calendar->closed_count > 0)
		qsort(calendar->closed, calendar->closed_count, sizeof(*calendar->closed),
		      span_order);
	for (size_t i = 0; i < calendar->closed_count; i++) {
		const struct calendar_span *span = &calendar->closed[i];
		struct calendar_span *last = kept == 0 ? NULL : &calendar->closed[kept - 1];

		if (last == NULL || last->to_ms < span->from_ms)
			calendar->closed[kept++] = *span;
		else if (last->to_ms < span->to_ms)
			last->to_ms = span->to_ms;
	}
	calendar->closed_count = kept;
}

static int calendar_read(struct calendar *calendar, struct json_object *object, struct error *err)
{
	const char *zone = json_text(object, "time_zone"), *feed = json_text(object, "ical");

	calendar->zone = zone_new(zone == NULL ? "UTC" : zone, err);
	if (calendar->zone == NULL)
		return error_wrap(err, "\"time_zone\"");
	if (week_read(calendar, object, err) != 0 ||
	    list_read(calendar, object, "holidays", holiday_read, err) != 0 ||
	    list_read(calendar, object, "workdays", workday_read, err) != 0)
		return -1;
	if (feed != NULL && feed[0] != '\0' && calendar_feed(calendar, feed, err) != 0)
		return error_wrap(err, "\"ical\"");
	spans_sort(calendar);
	return days_sort(calendar, err);
}

struct calendar *calendar_new(struct json_object *object, struct error *err)
{
	struct calendar *calendar = memory_new(sizeof(*calendar));

	if (calendar_read(calendar, object, err) != 0)
		calendar_free(&calendar);
	return calendar;
}

void calendar_free(struct calendar **calendar)
{
	if (*calendar == NULL)
		return;
	zone_free(&(*calendar)->zone);
	free((*calendar)->days);
	free((*calendar)->closed);
	free(*calendar);
	*calendar = NULL;
}
