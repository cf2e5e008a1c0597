/* Shared by ical*.c only. */
#pragma once

#include "business/ical.h"

enum { ICAL_DAY_S = 86400, ICAL_LAST_YEAR = 2059 };

/* A day, or a time by some wall clock. */
struct ical_time {
	bool given, whole_day, utc;
	int64_t wall; /* days, or seconds as if UTC */
};

struct ical_rule {
	enum { ICAL_ONCE, ICAL_DAILY, ICAL_WEEKLY, ICAL_MONTHLY, ICAL_YEARLY } every;
	int64_t interval, count; /* count 0: no limit */
	struct ical_time until;
	int64_t week_start; /* 0 is Monday */
	unsigned months;    /* bit 1-12; 0: any */
	struct {
		int64_t weekday, nth; /* nth 0: every */
	} days[64];
	size_t days_count;
	int64_t month_days[62];
	size_t month_days_count;
};

/* ical_rule.c: an RRULE's value. */
int ical_rule_parse(const char *text, struct ical_rule *rule, struct error *err);
/* Whether a day can be of a series that starts at another (count and until aside). */
bool ical_rule_has(const struct ical_rule *rule, int64_t start_day, int64_t day);
/* "20261001", "20261001T090000" or with Z: the bytes used, 0 where it is none. */
size_t ical_time_parse(const char *text, struct ical_time *ret_time);
