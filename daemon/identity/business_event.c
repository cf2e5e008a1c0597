#include "identity/business_event.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

enum { CLOCKS_APART_MS = 24 * 3600 * 1000 };

static bool has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

static int names_check(const struct business_event *event, struct error *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_.-";

	if (event->id == NULL || *event->id == '\0' || strlen(event->id) > EVENT_ID_MAX ||
	    has_control(event->id))
		return error_set(err, ERROR_PERMANENT, "\"id\" must be one line of 1 to 200 bytes");
	if (event->type == NULL || *event->type == '\0' || strlen(event->type) > EVENT_TYPE_MAX ||
	    event->type[strspn(event->type, allowed)] != '\0')
		return error_set(err, ERROR_PERMANENT,
				 "\"type\" must be 1 to 60 of a-z, 0-9, \"_\", \"-\" and \".\", "
				 "such as cart.abandoned");
	if ((event->customer == NULL) == (event->identifier == NULL))
		return error_set(err, ERROR_PERMANENT,
				 "it must have either \"customer\" (cus_...) or \"identifier\" "
				 "(email:a@example.com)");
	return 0;
}

static int time_check(struct json_object *given, int64_t now_ms, int64_t *ret_ms, struct error *err)
{
	const char *time = json_text(given, "time");

	*ret_ms = time == NULL ? now_ms : text_parse_time(time);
	if (json_has(given, "time") && (time == NULL || *ret_ms <= 0))
		return error_set(err, ERROR_PERMANENT,
				 "\"time\" must be a time such as 2026-11-23T08:00:00Z");
	if (*ret_ms > now_ms + CLOCKS_APART_MS)
		return error_set(err, ERROR_PERMANENT, "\"time\" is more than a day ahead");
	return 0;
}

int business_event_check(struct json_object *given, int64_t now_ms, struct business_event *ret,
			 struct buf *out, struct error *err)
{
	struct json_object *data = json_at(given, "data");
	struct json_out json;
	size_t start = out->len;
	struct business_event event = {
		.id = json_text(given, "id"),
		.type = json_text(given, "type"),
		.customer = json_text(given, "customer"),
		.identifier = json_text(given, "identifier"),
	};

	if (json_kind(given) != JSON_OBJECT)
		return error_set(err, ERROR_PERMANENT, "an event must be an object");
	if (names_check(&event, err) != 0 || time_check(given, now_ms, &event.at_ms, err) != 0)
		return -1;
	if (json_kind(data) != JSON_NULL && json_kind(data) != JSON_OBJECT)
		return error_set(err, ERROR_PERMANENT, "\"data\" must be an object");
	jw_start(&json, out);
	json.need_comma = true;
	jw_text(&json, "external_id", event.id);
	jw_text(&json, "type", event.type);
	jw_time(&json, "time", event.at_ms);
	jw_time(&json, "received_at", now_ms);
	buf_text(out, ",\"data\":");
	if (json_kind(data) == JSON_OBJECT)
		json_append(data, out);
	else
		buf_text(out, "{}");
	if (out->len - start > EVENT_BYTES_MAX)
		return error_set(err, ERROR_PERMANENT, "an event has at most 8192 bytes");
	*ret = event;
	return 0;
}
