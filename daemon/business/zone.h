/* Time zones: an offset ("+08:00"), "UTC", or a name of the system's tz
 * database ("Asia/Shanghai"), read from /usr/share/zoneinfo (RFC 9636). Pure
 * after zone_new(): a zone does not follow changes of the files. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct zone;

struct zone *zone_new(const char *name, struct error *err);
/* From the bytes of a TZif file. */
struct zone *zone_parse(const void *bytes, size_t len, struct error *err);
void zone_free(struct zone **zone);

/* The offset from UTC in force at an instant and when it ends (INT64_MAX: never). Seconds. */
struct zone_piece {
	int64_t offset_s;
	int64_t until_s;
};
struct zone_piece zone_at(const struct zone *zone, int64_t unix_s);
/* A wall clock's reading (seconds since 1970 as if UTC) as an instant: the first of two where the
 * clock goes back, with the offset from before where it goes forward and there is none. */
int64_t zone_instant(const struct zone *zone, int64_t wall_s);
