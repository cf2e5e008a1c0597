/* The POSIX TZ string at the end of a TZif file: what holds after its last transition. For zone.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zone_change {
	enum { ZONE_MONTH_WEEK_DAY, ZONE_JULIAN, ZONE_DAY_OF_YEAR } form;
	int64_t month, week, day; /* day: of the week (0 is Sunday) or of the year */
	int64_t time_s;           /* after midnight, local time, may be negative */
};

struct zone_rule {
	bool has_summer;
	int64_t offset_s, summer_offset_s; /* east of UTC */
	struct zone_change to_summer, to_standard;
};

/* Strict: the whole of the text. */
bool zone_rule_parse(const char *text, size_t len, struct zone_rule *ret_rule);
/* When a change happens in a year, as the wall clock reads that is about to change. */
int64_t zone_change_wall(const struct zone_change *change, int64_t year);
