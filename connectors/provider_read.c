#include "provider_read.h"

#include <stdlib.h>
#include <string.h>

enum { STAMP_DIGITS = 15 };

static const char digits[] = "0123456789";

int64_t provider_time(int64_t unix_s)
{
	static const int64_t last_s = INT64_C(253402300799);

	return unix_s > 0 && unix_s <= last_s ? unix_s * 1000 : 0;
}

bool provider_is_fresh(const struct inbound *in, const char *text, int64_t per_second,
		       int64_t skew_s)
{
	size_t len = text ? strlen(text) : 0;
	int64_t when;

	if (len == 0 || len > STAMP_DIGITS || strspn(text, digits) != len)
		return false;
	when = strtoll(text, NULL, 10) / per_second;
	return when >= in->now_s - skew_s && when <= in->now_s + skew_s;
}

size_t provider_count(const struct host *host, struct json_object *list)
{
	return list && host->json_kind(list, "") == HOST_JSON_ARRAY ? host->json_count(list) : 0;
}

const char *provider_degrees(const char *text)
{
	size_t sign = text[0] == '-', whole = strspn(text + sign, digits);
	size_t rest = sign + whole;

	if (text[rest] == '.' && strspn(text + rest + 1, digits) > 0)
		rest += 1 + strspn(text + rest + 1, digits);
	return whole > 0 && whole < 4 && (text[sign] != '0' || whole == 1) && text[rest] == '\0'
		       ? text
		       : "0";
}

void provider_location(const struct host *host, struct arena *arena, struct message *message,
		       const struct provider_place *place)
{
	bool has_name = place->name[0], has_address = place->address[0];

	message->kind = MESSAGE_LOCATION;
	message->text =
		host->format(arena, "%s%s%s%s(%s, %s)", place->name,
			     has_name && has_address ? ", " : "", place->address,
			     has_name || has_address ? " " : "", place->latitude, place->longitude);
	message->extra = host->format(
		arena,
		"{\"location\":{\"latitude\":%s,\"longitude\":%s,\"name\":%s,\"address\":%s}}",
		place->latitude, place->longitude, host->json_quote(arena, place->name),
		host->json_quote(arena, place->address));
}
