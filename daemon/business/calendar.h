/* Business hours: when work counts. Slots of a week in a time zone, holidays,
 * adjusted workdays (调休) and an iCalendar feed. Pure: all instants are unix
 * milliseconds, no clock is read.
 *
 * A slot is open while the wall clock reads within it, so a slot in the hour
 * that a clock skips does not happen and one in the hour that it repeats
 * happens twice. Everywhere a NULL calendar is one that is always open. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct calendar;
struct json_object;

/* From an object of the kind "calendars" (see business_calendar.c for its fields; without "hours"
 * every day is open all day). NULL with what is wrong in err. */
struct calendar *calendar_new(struct json_object *object, struct error *err);
void calendar_free(struct calendar **calendar);

bool calendar_is_open(const struct calendar *calendar, int64_t unix_ms);
/* When it next opens or closes after an instant; INT64_MAX where it does not within 10 years. */
int64_t calendar_next_change(const struct calendar *calendar, int64_t unix_ms);
/* The first instant at or after from_ms with business_ms (0 or more) open milliseconds between:
 * the end of a slot rather than the start of the next. INT64_MAX where it lies over 40 years off.
 */
int64_t calendar_add(const struct calendar *calendar, int64_t from_ms, int64_t business_ms);
/* The open milliseconds from a to b; negative where b comes before a. */
int64_t calendar_between(const struct calendar *calendar, int64_t a_ms, int64_t b_ms);
