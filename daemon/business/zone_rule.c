#include "business/zone_rule.h"

#include "base/date.h"

enum { HOUR_S = 3600, MINUTE_S = 60, DAY_S = 86400, CHANGE_DEFAULT_S = 2 * HOUR_S };

struct reading {
	const char *at, *end;
};

static bool take(struct reading *reading, char wanted)
{
	if (reading->at == reading->end || *reading->at != wanted)
		return false;
	reading->at++;
	return true;
}

static bool number(struct reading *reading, int64_t max, int64_t *ret_number)
{
	const char *start = reading->at;
	int64_t value = 0;

	for (; reading->at < reading->end && *reading->at >= '0' && *reading->at <= '9';
	     reading->at++) {
		value = value * 10 + (*reading->at - '0');
		if (value > max)
			return false;
	}
	*ret_number = value;
	return reading->at > start;
}

/* [+-]hh[:mm[:ss]] */
static bool clock_time(struct reading *reading, int64_t hours_max, int64_t *ret_s)
{
	bool minus = take(reading, '-');
	int64_t hours, minutes = 0, seconds = 0;

	if (!minus)
		take(reading, '+');
	if (!number(reading, hours_max, &hours))
		return false;
	if (take(reading, ':') && (!number(reading, 59, &minutes) ||
				   (take(reading, ':') && !number(reading, 59, &seconds))))
		return false;
	*ret_s = (hours * HOUR_S + minutes * MINUTE_S + seconds) * (minus ? -1 : 1);
	return true;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_quoted_letter(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-';
}

/* "CST" or "<+08>". */
static bool skip_name(struct reading *reading)
{
	bool quoted = take(reading, '<');
	const char *start = reading->at;

	while (reading->at < reading->end &&
	       (quoted ? is_quoted_letter(*reading->at) : is_letter(*reading->at)))
		reading->at++;
	return reading->at - start >= 3 && (!quoted || take(reading, '>'));
}

static bool month_week_day(struct reading *reading, struct zone_change *change)
{
	change->form = ZONE_MONTH_WEEK_DAY;
	return number(reading, 12, &change->month) && change->month >= 1 && take(reading, '.') &&
	       number(reading, 5, &change->week) && change->week >= 1 && take(reading, '.') &&
	       number(reading, 6, &change->day);
}

static bool change_parse(struct reading *reading, struct zone_change *change)
{
	bool good;

	change->time_s = CHANGE_DEFAULT_S;
	if (!take(reading, ','))
		return false;
	if (take(reading, 'M')) {
		good = month_week_day(reading, change);
	} else if (take(reading, 'J')) {
		change->form = ZONE_JULIAN;
		good = number(reading, 365, &change->day) && change->day >= 1;
	} else {
		change->form = ZONE_DAY_OF_YEAR;
		good = number(reading, 365, &change->day);
	}
	return good && (!take(reading, '/') || clock_time(reading, 167, &change->time_s));
}

bool zone_rule_parse(const char *text, size_t len, struct zone_rule *ret_rule)
{
	struct reading reading = { text, text + len };
	struct zone_rule rule = { 0 };
	int64_t west_s;

	if (!skip_name(&reading) || !clock_time(&reading, 24, &west_s))
		return false;
	rule.offset_s = -west_s;
	rule.summer_offset_s = rule.offset_s + HOUR_S;
	if (reading.at < reading.end) {
		rule.has_summer = true;
		if (!skip_name(&reading))
			return false;
		if (reading.at < reading.end && *reading.at != ',') {
			if (!clock_time(&reading, 24, &west_s))
				return false;
			rule.summer_offset_s = -west_s;
		}
		if (!change_parse(&reading, &rule.to_summer) ||
		    !change_parse(&reading, &rule.to_standard))
			return false;
	}
	if (reading.at < reading.end)
		return false;
	*ret_rule = rule;
	return true;
}

static int64_t week_day(const struct zone_change *change, int64_t year)
{
	int64_t first = date_day((struct date){ year, change->month, 1 });
	int64_t wanted = (change->day + 6) % 7; /* Monday is 0 */
	int64_t day = first + (wanted - date_weekday(first) + 7) % 7 + (change->week - 1) * 7;

	return day >= first + date_month_days(year, change->month) ? day - 7 : day;
}

int64_t zone_change_wall(const struct zone_change *change, int64_t year)
{
	int64_t first = date_day((struct date){ year, 1, 1 });
	int64_t day;

	if (change->form == ZONE_MONTH_WEEK_DAY)
		day = week_day(change, year);
	else if (change->form == ZONE_DAY_OF_YEAR)
		day = first + change->day;
	else /* February 29 is never counted */
		day = first + change->day - 1 +
		      (change->day >= 60 && date_month_days(year, 2) == 29 ? 1 : 0);
	return day * DAY_S + change->time_s;
}
