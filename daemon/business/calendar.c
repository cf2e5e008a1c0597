#include <stddef.h>

#include "base/date.h"
#include "business/calendar_internal.h"

#define MINUTE_MS INT64_C(60000)
#define DAY_MS (CALENDAR_DAY_MINUTES * MINUTE_MS)
#define YEAR_MS (366 * DAY_MS)

enum { CHANGE_YEARS = 10, ADD_YEARS = 40 };

/* A stretch of time in which nothing changes. */
struct piece {
	bool open;
	int64_t until_ms;
};

static const struct calendar_day *special_day(const struct calendar *calendar, int64_t day)
{
	size_t low = 0, high = calendar->days_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (calendar->days[middle].day == day)
			return &calendar->days[middle];
		if (calendar->days[middle].day < day)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Within a day; until is of the wall clock, from midnight. */
static struct piece piece_of_day(const struct calendar_hours *hours, int64_t wall_ms)
{
	struct piece piece = { false, DAY_MS };

	for (size_t i = 0; i < hours->count; i++) {
		if (wall_ms < hours->slots[i].from_min * MINUTE_MS) {
			piece.until_ms = hours->slots[i].from_min * MINUTE_MS;
			break;
		}
		if (wall_ms < hours->slots[i].to_min * MINUTE_MS) {
			piece.open = true;
			piece.until_ms = hours->slots[i].to_min * MINUTE_MS;
			break;
		}
	}
	return piece;
}

static void close_spans(const struct calendar *calendar, int64_t unix_ms, struct piece *piece)
{
	size_t low = 0, high = calendar->closed_count;

	while (low < high) { /* the first span that ends after the instant */
		size_t middle = low + (high - low) / 2;

		if (calendar->closed[middle].to_ms <= unix_ms)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == calendar->closed_count)
		return;
	if (unix_ms < calendar->closed[low].from_ms) {
		if (calendar->closed[low].from_ms < piece->until_ms)
			piece->until_ms = calendar->closed[low].from_ms;
		return;
	}
	piece->open = false;
	if (calendar->closed[low].to_ms < piece->until_ms)
		piece->until_ms = calendar->closed[low].to_ms;
}

static struct piece piece_at(const struct calendar *calendar, int64_t unix_ms)
{
	struct zone_piece zone = zone_at(calendar->zone, date_floor(unix_ms, 1000));
	int64_t wall_ms = unix_ms + zone.offset_s * 1000;
	int64_t day = date_floor(wall_ms, DAY_MS);
	const struct calendar_day *special = special_day(calendar, day);
	struct piece piece =
		piece_of_day(special != NULL ? &special->hours : &calendar->week[date_weekday(day)],
			     wall_ms - day * DAY_MS);

	piece.until_ms += day * DAY_MS - zone.offset_s * 1000;
	if (zone.until_s < INT64_MAX && zone.until_s * 1000 < piece.until_ms)
		piece.until_ms = zone.until_s * 1000;
	if (special == NULL || special->rank != CALENDAR_OWN)
		close_spans(calendar, unix_ms, &piece);
	return piece;
}

bool calendar_is_open(const struct calendar *calendar, int64_t unix_ms)
{
	return calendar == NULL || piece_at(calendar, unix_ms).open;
}

int64_t calendar_next_change(const struct calendar *calendar, int64_t unix_ms)
{
	struct piece first;
	int64_t at = unix_ms;

	if (calendar == NULL)
		return INT64_MAX;
	first = piece_at(calendar, unix_ms);
	while (at - unix_ms < CHANGE_YEARS * YEAR_MS) {
		struct piece piece = piece_at(calendar, at);

		if (piece.open != first.open)
			return at;
		at = piece.until_ms;
	}
	return INT64_MAX;
}

int64_t calendar_add(const struct calendar *calendar, int64_t from_ms, int64_t business_ms)
{
	int64_t at = from_ms, left = business_ms;

	if (calendar == NULL)
		return business_ms > INT64_MAX - from_ms ? INT64_MAX : from_ms + business_ms;
	while (left > 0 && at - from_ms < ADD_YEARS * YEAR_MS) {
		struct piece piece = piece_at(calendar, at);

		if (piece.open && piece.until_ms - at >= left)
			return at + left;
		if (piece.open)
			left -= piece.until_ms - at;
		at = piece.until_ms;
	}
	return left > 0 ? INT64_MAX : from_ms;
}

int64_t calendar_between(const struct calendar *calendar, int64_t a_ms, int64_t b_ms)
{
	int64_t sum = 0;

	if (calendar == NULL)
		return b_ms - a_ms;
	if (b_ms < a_ms)
		return -calendar_between(calendar, b_ms, a_ms);
	while (a_ms < b_ms) {
		struct piece piece = piece_at(calendar, a_ms);
		int64_t until_ms = piece.until_ms < b_ms ? piece.until_ms : b_ms;

		if (piece.open)
			sum += until_ms - a_ms;
		a_ms = until_ms;
	}
	return sum;
}
