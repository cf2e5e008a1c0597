#include <string.h>

#include "base/date.h"
#include "base/text.h"

enum { MS_PER_SECOND = 1000, SECONDS_PER_DAY = 86400 };

struct reader {
	const char *at;
	bool failed;
};

static int64_t read_digits(struct reader *reader, int count)
{
	int64_t number = 0;

	for (int i = 0; i < count && !reader->failed; i++) {
		if (*reader->at < '0' || *reader->at > '9')
			reader->failed = true;
		else
			number = number * 10 + (*reader->at++ - '0');
	}
	return number;
}

static void read_one_of(struct reader *reader, const char *allowed)
{
	if (reader->failed || *reader->at == '\0' || strchr(allowed, *reader->at) == NULL)
		reader->failed = true;
	else
		reader->at++;
}

static int64_t read_fraction_ms(struct reader *reader)
{
	int64_t ms = 0;
	int digits = 0;

	if (reader->failed || *reader->at != '.')
		return 0;
	for (reader->at++; *reader->at >= '0' && *reader->at <= '9'; reader->at++, digits++) {
		if (digits < 3)
			ms = ms * 10 + (*reader->at - '0');
	}
	if (digits == 0)
		reader->failed = true;
	for (; digits < 3; digits++)
		ms *= 10;
	return ms;
}

static int64_t read_offset_seconds(struct reader *reader)
{
	int64_t hours;
	int64_t minutes;
	int64_t sign = *reader->at == '-' ? -1 : 1;

	if (reader->failed)
		return 0;
	if (*reader->at == 'Z' || *reader->at == 'z') {
		reader->at++;
		return 0;
	}
	read_one_of(reader, "+-");
	hours = read_digits(reader, 2);
	read_one_of(reader, ":");
	minutes = read_digits(reader, 2);
	if (hours > 23 || minutes > 59)
		reader->failed = true;
	return sign * (hours * 3600 + minutes * 60);
}

static struct date read_date(struct reader *reader)
{
	struct date date;

	date.year = read_digits(reader, 4);
	read_one_of(reader, "-");
	date.month = read_digits(reader, 2);
	read_one_of(reader, "-");
	date.day = read_digits(reader, 2);
	if (!date_is_day(date))
		reader->failed = true;
	return date;
}

static int64_t read_clock_seconds(struct reader *reader)
{
	int64_t hour = read_digits(reader, 2);
	int64_t minute;
	int64_t second;

	read_one_of(reader, ":");
	minute = read_digits(reader, 2);
	read_one_of(reader, ":");
	second = read_digits(reader, 2);
	/* 60 is a leap second; it becomes the second after. */
	if (hour > 23 || minute > 59 || second > 60)
		reader->failed = true;
	return hour * 3600 + minute * 60 + second;
}

int64_t text_parse_time(const char *text)
{
	struct reader reader = { .at = text };
	int64_t seconds;
	int64_t ms;
	int64_t offset;

	if (text == NULL)
		return -1;
	seconds = date_day(read_date(&reader)) * SECONDS_PER_DAY;
	read_one_of(&reader, "Tt ");
	seconds += read_clock_seconds(&reader);
	ms = read_fraction_ms(&reader);
	offset = read_offset_seconds(&reader);
	if (reader.failed || *reader.at != '\0' || seconds < offset)
		return -1;
	return (seconds - offset) * MS_PER_SECOND + ms;
}

static char *put_digits(char *out, int64_t number, int width)
{
	for (int i = width - 1; i >= 0; i--) {
		out[i] = (char)('0' + number % 10);
		number /= 10;
	}
	return out + width;
}

void text_format_time(int64_t unix_ms, char out[32])
{
	/* Four digits of year: the span that RFC 3339 can write. */
	static const int64_t first = INT64_C(-62135596800000); /* 0001-01-01 */
	static const int64_t last = INT64_C(253402300799999);  /* 9999-12-31 */
	int64_t ms_per_day = (int64_t)SECONDS_PER_DAY * MS_PER_SECOND;
	int64_t ms = unix_ms < first ? first : unix_ms > last ? last : unix_ms;
	int64_t days = date_floor(ms, ms_per_day);
	int64_t rest = ms - days * ms_per_day;
	struct date date = date_of_day(days);

	out = put_digits(out, date.year, 4);
	*out++ = '-';
	out = put_digits(out, date.month, 2);
	*out++ = '-';
	out = put_digits(out, date.day, 2);
	*out++ = 'T';
	out = put_digits(out, rest / 3600000, 2);
	*out++ = ':';
	out = put_digits(out, rest / 60000 % 60, 2);
	*out++ = ':';
	out = put_digits(out, rest / 1000 % 60, 2);
	*out++ = '.';
	out = put_digits(out, rest % 1000, 3);
	*out++ = 'Z';
	*out = '\0';
}
