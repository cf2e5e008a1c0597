#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/memory.h"
#include "base/text.h"
#include "business/ical_internal.h"

enum { NUMBER_MAX = 10000 };

static bool digits(const char *text, size_t count, int64_t max, int64_t *ret_number)
{
	uint64_t number = 0;

	for (size_t i = 0; i < count; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		number = number * 10 + (uint64_t)(text[i] - '0');
	}
	*ret_number = (int64_t)number;
	return (int64_t)number <= max;
}

size_t ical_time_parse(const char *text, struct ical_time *ret_time)
{
	struct ical_time time = { .given = true, .whole_day = true };
	int64_t hours, minutes, seconds;

	if (!date_parse(text, true, &time.wall))
		return 0;
	if (text[8] != 'T') {
		*ret_time = time;
		return 8;
	}
	if (strlen(text) < 15 || !digits(text + 9, 2, 23, &hours) ||
	    !digits(text + 11, 2, 59, &minutes) || !digits(text + 13, 2, 60, &seconds))
		return 0;
	time.whole_day = false;
	time.wall = time.wall * ICAL_DAY_S + hours * 3600 + minutes * 60 +
		    (seconds == 60 ? 59 : seconds);
	time.utc = text[15] == 'Z';
	*ret_time = time;
	return time.utc ? 16 : 15;
}

/* A number with a sign, of at most max either way and not 0; *at moves on. */
static bool number_read(const char **at, int64_t max, int64_t *ret_number)
{
	bool minus = **at == '-';
	const char *start;
	int64_t number = 0;

	if (**at == '-' || **at == '+')
		(*at)++;
	for (start = *at; **at >= '0' && **at <= '9' && number <= NUMBER_MAX; (*at)++)
		number = number * 10 + (**at - '0');
	*ret_number = minus ? -number : number;
	return *at > start && number >= 1 && number <= max;
}

static int64_t weekday_read(const char *text)
{
	static const char *const names[] = { "MO", "TU", "WE", "TH", "FR", "SA", "SU" };

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (strncmp(text, names[i], 2) == 0)
			return (int64_t)i;
	}
	return -1;
}

static bool more(const char **at)
{
	if (**at != ',')
		return false;
	(*at)++;
	return true;
}

static bool days_read(const char *at, struct ical_rule *rule)
{
	do {
		int64_t nth = 0, weekday;
		bool has_nth = *at == '+' || *at == '-' || (*at >= '0' && *at <= '9');

		if (rule->days_count == COUNT_OF(rule->days) ||
		    (has_nth && !number_read(&at, 53, &nth)))
			return false;
		weekday = weekday_read(at);
		if (weekday < 0)
			return false;
		at += 2;
		rule->days[rule->days_count].weekday = weekday;
		rule->days[rule->days_count++].nth = nth;
	} while (more(&at));
	return *at == '\0';
}

static bool month_days_read(const char *at, struct ical_rule *rule)
{
	do {
		int64_t day;

		if (rule->month_days_count == COUNT_OF(rule->month_days) ||
		    !number_read(&at, 31, &day))
			return false;
		rule->month_days[rule->month_days_count++] = day;
	} while (more(&at));
	return *at == '\0';
}

static bool months_read(const char *at, struct ical_rule *rule)
{
	do {
		int64_t month;

		if (!number_read(&at, 12, &month) || month < 0)
			return false;
		rule->months |= 1u << month;
	} while (more(&at));
	return *at == '\0';
}

static bool every_read(const char *text, struct ical_rule *rule)
{
	static const char *const names[] = { "DAILY", "WEEKLY", "MONTHLY", "YEARLY" };

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (strcmp(text, names[i]) == 0)
			rule->every = ICAL_DAILY + (unsigned)i;
	}
	return rule->every != ICAL_ONCE;
}

static bool interval_read(const char *at, struct ical_rule *rule)
{
	return number_read(&at, NUMBER_MAX, &rule->interval) && rule->interval > 0 && *at == '\0';
}

static bool count_read(const char *at, struct ical_rule *rule)
{
	return number_read(&at, NUMBER_MAX, &rule->count) && rule->count > 0 && *at == '\0';
}

static bool until_read(const char *text, struct ical_rule *rule)
{
	size_t used = ical_time_parse(text, &rule->until);

	return used > 0 && text[used] == '\0';
}

static bool week_start_read(const char *text, struct ical_rule *rule)
{
	rule->week_start = weekday_read(text);
	return rule->week_start >= 0 && text[2] == '\0';
}

static int part_read(char *part, struct ical_rule *rule, struct error *err)
{
	static const struct {
		const char *name;
		bool (*read)(const char *, struct ical_rule *);
	} parts[] = {
		{ "FREQ", every_read },      { "INTERVAL", interval_read },
		{ "COUNT", count_read },     { "UNTIL", until_read },
		{ "BYDAY", days_read },      { "BYMONTH", months_read },
		{ "WKST", week_start_read }, { "BYMONTHDAY", month_days_read },
	};
	char *value = strchr(part, '=');

	if (value == NULL)
		return error_set(err, ERROR_MISUSE, "\"%.40s\" of RRULE has no value", part);
	*value++ = '\0';
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		if (strcmp(part, parts[i].name) != 0)
			continue;
		if (parts[i].read(value, rule))
			return 0;
		return error_set(err, ERROR_MISUSE, "RRULE's %s cannot be \"%.40s\"", part, value);
	}
	return error_set(err, ERROR_MISUSE, "RRULE's %.40s cannot be followed", part);
}

static int rule_check(const struct ical_rule *rule, struct error *err)
{
	if (rule->every == ICAL_ONCE)
		return error_set(err, ERROR_MISUSE, "RRULE has no FREQ");
	if (rule->count > 0 && rule->until.given)
		return error_set(err, ERROR_MISUSE, "RRULE has both COUNT and UNTIL");
	if (rule->every == ICAL_WEEKLY && rule->month_days_count > 0)
		return error_set(err, ERROR_MISUSE, "RRULE has BYMONTHDAY with FREQ=WEEKLY");
	for (size_t i = 0; i < rule->days_count; i++) {
		if (rule->days[i].nth != 0 && rule->every < ICAL_MONTHLY)
			return error_set(err, ERROR_MISUSE,
					 "RRULE counts weekdays (BYDAY) without a month or year");
	}
	return 0;
}

int ical_rule_parse(const char *text, struct ical_rule *rule, struct error *err)
{
	char *copy = memory_text(text), *part, *rest = copy;
	int status = 0;

	*rule = (struct ical_rule){ .interval = 1 };
	while (status == 0 && (part = strsep(&rest, ";")) != NULL)
		status = part_read(part, rule, err);
	free(copy);
	return status != 0 ? -1 : rule_check(rule, err);
}

/* Whether it is the nth of its weekday from the start or, negative, the end of a stretch. */
static bool is_nth(int64_t nth, int64_t first, int64_t last, int64_t day)
{
	if (nth > 0)
		return (day - first) / 7 + 1 == nth;
	return (last - day) / 7 + 1 == -nth;
}

static bool has_day(const struct ical_rule *rule, int64_t day, struct date date)
{
	bool in_year = rule->every == ICAL_YEARLY && rule->months == 0;
	int64_t first = date_day((struct date){ date.year, in_year ? 1 : date.month, 1 });
	int64_t last = in_year ? date_day((struct date){ date.year, 12, 31 })
			       : first + date_month_days(date.year, date.month) - 1;

	for (size_t i = 0; i < rule->days_count; i++) {
		if (rule->days[i].weekday == date_weekday(day) &&
		    (rule->days[i].nth == 0 || is_nth(rule->days[i].nth, first, last, day)))
			return true;
	}
	return false;
}

static bool has_month_day(const struct ical_rule *rule, struct date date)
{
	for (size_t i = 0; i < rule->month_days_count; i++) {
		int64_t day = rule->month_days[i];

		if (day < 0)
			day += date_month_days(date.year, date.month) + 1;
		if (day == date.day)
			return true;
	}
	return false;
}

static bool in_step(const struct ical_rule *rule, int64_t start_day, int64_t day)
{
	struct date start = date_of_day(start_day), date = date_of_day(day);
	int64_t steps = 0;

	if (rule->every == ICAL_DAILY)
		steps = day - start_day;
	else if (rule->every == ICAL_WEEKLY)
		steps = date_floor(day + 3 - rule->week_start, 7) -
			date_floor(start_day + 3 - rule->week_start, 7);
	else if (rule->every == ICAL_MONTHLY)
		steps = (date.year - start.year) * 12 + date.month - start.month;
	else
		steps = date.year - start.year;
	return steps % rule->interval == 0;
}

/* What the start gives where the rule leaves it open. */
static bool fits_start(const struct ical_rule *rule, int64_t start_day, int64_t day)
{
	struct date start = date_of_day(start_day), date = date_of_day(day);

	if (rule->days_count > 0 || rule->month_days_count > 0 || rule->every == ICAL_DAILY)
		return true;
	if (rule->every == ICAL_WEEKLY)
		return date_weekday(day) == date_weekday(start_day);
	if (rule->every == ICAL_YEARLY && rule->months == 0 && date.month != start.month)
		return false;
	return date.day == start.day;
}

bool ical_rule_has(const struct ical_rule *rule, int64_t start_day, int64_t day)
{
	struct date date = date_of_day(day);

	if (day < start_day || rule->every == ICAL_ONCE)
		return day == start_day;
	if (rule->months != 0 && (rule->months & (1u << date.month)) == 0)
		return false;
	return in_step(rule, start_day, day) && fits_start(rule, start_day, day) &&
	       (rule->days_count == 0 || has_day(rule, day, date)) &&
	       (rule->month_days_count == 0 || has_month_day(rule, date));
}
