/* Days of the Gregorian calendar, counted from 1970-01-01. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DATE_MONDAY, DATE_SATURDAY = 5, DATE_SUNDAY };

struct date {
	int64_t year;
	int64_t month; /* 1-12 */
	int64_t day;   /* 1-31 */
};

bool date_is_day(struct date date); /* the calendar has it */
int64_t date_day(struct date date);
struct date date_of_day(int64_t day);
int64_t date_weekday(int64_t day); /* 0 is Monday, 6 is Sunday */
int64_t date_month_days(int64_t year, int64_t month);
/* "2026-10-01" or, where compact, "20261001", at the start of text; false where there is no such
 * day between 1900 and 2199. */
bool date_parse(const char *text, bool compact, int64_t *ret_day);
void date_format(int64_t day, char out[16]);
/* Rounds towards minus infinity. */
int64_t date_floor(int64_t number, int64_t by);
