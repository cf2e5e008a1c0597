/* Any text as a feed, any bytes as a time zone file: refused, or a calendar
 * whose sums and instants are each other's inverse. */
#include <stdlib.h>

#include "base/json.h"
#include "base/memory.h"
#include "business/calendar.h"
#include "business/zone.h"
#include "fuzz/fuzz.h"

#define START_MS INT64_C(1767225600000) /* 2026-01-01 */
#define HOUR_MS INT64_C(3600000)

static void try_feed(const char *text)
{
	static const char head[] = "{\"time_zone\":\"America/New_York\",\"hours\":[{\"days\":["
				   "\"mon-fri\"],\"from\":\"01:00\",\"to\":\"17:30\"}],\"ical\":";
	struct error err = { 0 };
	struct buf json = { 0 };
	struct json_out out;
	struct json_object *object;
	struct calendar *calendar;

	buf_text(&json, head);
	jw_start(&out, &json);
	jw_text(&out, NULL, text);
	buf_text(&json, "}");
	object = json_read(buf_string(&json), json.len, &err);
	MUST(object != NULL);
	calendar = calendar_new(object, &err);
	MUST(calendar != NULL || err.text[0] != '\0');
	for (int64_t i = 0; calendar != NULL && i < 20; i++) {
		int64_t from = START_MS + i * 601 * HOUR_MS;
		int64_t until = calendar_add(calendar, from, i * 3 * HOUR_MS);

		if (until != INT64_MAX)
			MUST(calendar_between(calendar, from, until) == i * 3 * HOUR_MS);
	}
	calendar_free(&calendar);
	json_free(&object);
	buf_clear(&json);
}

static void try_zone(const uint8_t *data, size_t size)
{
	struct error err = { 0 };
	struct zone *zone = zone_parse(data, size, &err);
	int64_t at_s = -4000000000;

	MUST(zone != NULL || err.text[0] != '\0');
	for (int i = 0; zone != NULL && i < 200 && at_s < 20000000000; i++) {
		struct zone_piece piece = zone_at(zone, at_s);

		MUST(piece.until_s > at_s);
		zone_instant(zone, at_s);
		at_s = piece.until_s - at_s > 40000000 ? at_s + 40000000 : piece.until_s;
	}
	zone_free(&zone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = memory_copy(data, size);

	if (size > 0 && data[0] == 'T')
		try_zone(data, size);
	else
		try_feed(text);
	free(text);
	return 0;
}
