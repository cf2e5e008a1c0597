/* What several providers write in the same way into what they post. */
#pragma once

#include "converge/connector.h"

/* A provider's seconds as sent_ms; 0 (unknown) outside of the years 1970 to 9999. */
int64_t provider_time(int64_t unix_s);
/* A signed timestamp: digits alone, so many of them a second (1, or 1000), at most skew_s away from
 * in->now_s. text may be NULL. */
bool provider_is_fresh(const struct inbound *in, const char *text, int64_t per_second,
		       int64_t skew_s);

/* How many items a list has; 0 where it is none (it may be NULL). */
size_t provider_count(const struct host *host, struct json_object *list);

/* A number of degrees that was written as a text, else "0". */
const char *provider_degrees(const char *text);
/* latitude and longitude as JSON writes numbers; name and address may be "". */
struct provider_place {
	const char *name;
	const char *address;
	const char *latitude;
	const char *longitude;
};
/* Fills kind, text and extra of a MESSAGE_LOCATION. */
void provider_location(const struct host *host, struct arena *arena, struct message *message,
		       const struct provider_place *place);
