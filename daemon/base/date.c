#include "base/date.h"

#include <stdio.h>

enum { DAYS_PER_ERA = 146097, YEAR_MIN = 1900, YEAR_MAX = 2199, DAYS_PER_WEEK = 7 };

int64_t date_floor(int64_t number, int64_t by)
{
	int64_t result = number / by;

	return number % by < 0 ? result - 1 : result;
}

/* Both conversions count years from March, so that the leap day ends a year,
 * and in eras of 400 years, after which the Gregorian calendar repeats. 719468
 * days lie between 0000-03-01 and 1970-01-01. */
int64_t date_day(struct date date)
{
	int64_t year = date.month <= 2 ? date.year - 1 : date.year;
	int64_t era = date_floor(year, 400);
	int64_t year_of_era = year - era * 400;
	int64_t day_of_year = (153 * ((date.month + 9) % 12) + 2) / 5 + date.day - 1;

	return era * DAYS_PER_ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - 719468;
}

struct date date_of_day(int64_t day)
{
	int64_t era = date_floor(day + 719468, DAYS_PER_ERA);
	int64_t day_of_era = day + 719468 - era * DAYS_PER_ERA;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month = (5 * day_of_year + 2) / 153;
	struct date date = {
		.year = year_of_era + era * 400 + (month >= 10 ? 1 : 0),
		.month = month < 10 ? month + 3 : month - 9,
		.day = day_of_year - (153 * month + 2) / 5 + 1,
	};

	return date;
}

int64_t date_weekday(int64_t day)
{
	int64_t shifted = day + 3; /* 1970-01-01 was a Thursday */

	return shifted - date_floor(shifted, DAYS_PER_WEEK) * DAYS_PER_WEEK;
}

int64_t date_month_days(int64_t year, int64_t month)
{
	struct date first = { year, month, 1 };
	struct date next = { month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1 };

	return date_day(next) - date_day(first);
}

bool date_is_day(struct date date)
{
	return date.month >= 1 && date.month <= 12 && date.day >= 1 &&
	       date.day <= date_month_days(date.year, date.month);
}

static bool digits(const char **at, int count, int64_t *ret_number)
{
	int64_t number = 0;

	for (; count > 0; count--, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		number = number * 10 + (**at - '0');
	}
	*ret_number = number;
	return true;
}

static bool sign(const char **at, bool compact)
{
	if (compact)
		return true;
	return *(*at)++ == '-';
}

bool date_parse(const char *text, bool compact, int64_t *ret_day)
{
	struct date date = { 0 };

	if (!digits(&text, 4, &date.year) || !sign(&text, compact) ||
	    !digits(&text, 2, &date.month) || !sign(&text, compact) || !digits(&text, 2, &date.day))
		return false;
	if (date.year < YEAR_MIN || date.year > YEAR_MAX || !date_is_day(date))
		return false;
	*ret_day = date_day(date);
	return true;
}

void date_format(int64_t day, char out[16])
{
	struct date date = date_of_day(day);

	snprintf(out, 16, "%04d-%02d-%02d", (int)(date.year % 10000), (int)date.month,
		 (int)date.day);
}
