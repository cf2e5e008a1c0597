#include "business/zone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/memory.h"
#include "business/zone_rule.h"

#define FOLDER "/usr/share/zoneinfo"

enum {
	FILE_MAX = 128 * 1024,
	NAME_MAX_BYTES = 64,
	HEADER_BYTES = 44,
	TRANSITIONS_MAX = 4000,
	TYPES_MAX = 256,
	TYPE_BYTES = 6,
	OFFSET_MIN_S = -89999,
	OFFSET_MAX_S = 93599,
	DAY_S = 86400,
};

struct transition {
	int64_t at_s;
	int64_t offset_s; /* from then on */
};

struct zone {
	int64_t first_s; /* the offset before the first transition */
	struct transition *transitions;
	size_t count;
	bool has_rule;
	struct zone_rule rule;
};

struct counts {
	char version;
	size_t utc, standard, leap, times, types, letters;
};

struct reading {
	const unsigned char *at;
	size_t left;
};

static uint64_t big_endian(const unsigned char *bytes, size_t count)
{
	uint64_t number = 0;

	for (size_t i = 0; i < count; i++)
		number = number << 8 | bytes[i];
	return number;
}

static bool header_read(struct reading *reading, struct counts *counts)
{
	const unsigned char *at = reading->at;

	if (reading->left < HEADER_BYTES || memcmp(at, "TZif", 4) != 0)
		return false;
	counts->version = (char)at[4];
	counts->utc = big_endian(at + 20, 4);
	counts->standard = big_endian(at + 24, 4);
	counts->leap = big_endian(at + 28, 4);
	counts->times = big_endian(at + 32, 4);
	counts->types = big_endian(at + 36, 4);
	counts->letters = big_endian(at + 40, 4);
	reading->at += HEADER_BYTES;
	reading->left -= HEADER_BYTES;
	return counts->utc <= TYPES_MAX && counts->standard <= TYPES_MAX && counts->leap <= 1000 &&
	       counts->times <= TRANSITIONS_MAX && counts->types >= 1 &&
	       counts->types <= TYPES_MAX && counts->letters <= 1000;
}

static bool skip(struct reading *reading, size_t bytes)
{
	if (bytes > reading->left)
		return false;
	reading->at += bytes;
	reading->left -= bytes;
	return true;
}

static size_t data_bytes(const struct counts *counts, size_t time_bytes)
{
	return counts->times * (time_bytes + 1) + counts->types * TYPE_BYTES + counts->letters +
	       counts->leap * (time_bytes + 4) + counts->standard + counts->utc;
}

static bool transitions_read(struct zone *zone, const unsigned char *at,
			     const struct counts *counts)
{
	const unsigned char *types = at + counts->times * 8, *offsets = types + counts->times;
	int64_t known[TYPES_MAX];

	for (size_t i = 0; i < counts->types; i++) {
		known[i] = (int32_t)(uint32_t)big_endian(offsets + i * TYPE_BYTES, 4);
		if (known[i] < OFFSET_MIN_S || known[i] > OFFSET_MAX_S)
			return false;
	}
	zone->first_s = known[0];
	zone->count = counts->times;
	zone->transitions = memory_new((counts->times + 1) * sizeof(*zone->transitions));
	for (size_t i = 0; i < counts->times; i++) {
		zone->transitions[i].at_s = (int64_t)big_endian(at + i * 8, 8);
		if (types[i] >= counts->types ||
		    (i > 0 && zone->transitions[i].at_s <= zone->transitions[i - 1].at_s))
			return false;
		zone->transitions[i].offset_s = known[types[i]];
	}
	return true;
}

/* A line feed, the rule (or nothing), a line feed. */
static bool footer_read(struct zone *zone, const struct reading *reading)
{
	const char *text = (const char *)reading->at + 1;
	const char *end;

	if (reading->left < 2 || reading->at[0] != '\n')
		return false;
	end = memchr(text, '\n', reading->left - 1);
	if (end == NULL)
		return false;
	zone->has_rule = end > text;
	return end == text || zone_rule_parse(text, (size_t)(end - text), &zone->rule);
}

static bool file_read(struct zone *zone, struct reading *reading)
{
	struct counts counts;
	const unsigned char *data;

	if (!header_read(reading, &counts) || counts.version < '2' ||
	    !skip(reading, data_bytes(&counts, 4)) || !header_read(reading, &counts) ||
	    counts.leap != 0)
		return false;
	data = reading->at;
	return skip(reading, data_bytes(&counts, 8)) && transitions_read(zone, data, &counts) &&
	       footer_read(zone, reading);
}

struct zone *zone_parse(const void *bytes, size_t len, struct error *err)
{
	struct zone *zone = memory_new(sizeof(*zone));
	struct reading reading = { bytes, len };

	if (file_read(zone, &reading))
		return zone;
	zone_free(&zone);
	error_set(err, ERROR_PERMANENT, "it is no time zone file of version 2 or later");
	return NULL;
}

static struct zone *file_zone(const char *name, struct error *err)
{
	char path[sizeof(FOLDER) + NAME_MAX_BYTES + 2];
	unsigned char *bytes = memory_new(FILE_MAX);
	struct zone *zone = NULL;
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), FOLDER "/%s", name);
	file = fopen(path, "rbe");
	if (file == NULL && errno == ENOENT) {
		error_set(err, ERROR_MISUSE,
			  "there is no time zone \"%s\" in " FOLDER
			  " (a name such as Asia/Shanghai or an offset such as +08:00 is expected; "
			  "the package is tzdata)",
			  name);
	} else if (file == NULL) {
		error_set(err, ERROR_TEMPORARY, "cannot open %s: %s", path, strerror(errno));
	} else {
		len = fread(bytes, 1, FILE_MAX, file);
		zone = zone_parse(bytes, len, err);
		if (zone == NULL)
			error_wrap(err, "%s", path);
		fclose(file);
	}
	free(bytes);
	return zone;
}

static bool two_digits(const char *text, int64_t *ret_number)
{
	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return false;
	*ret_number = (text[0] - '0') * 10 + (text[1] - '0');
	return true;
}

static struct zone *offset_zone(const char *name, struct error *err)
{
	struct zone *zone;
	int64_t hours, minutes;

	if (strlen(name) != 6 || !two_digits(name + 1, &hours) || name[3] != ':' ||
	    !two_digits(name + 4, &minutes) || hours > 18 || minutes > 59) {
		error_set(err, ERROR_MISUSE, "\"%.20s\" is no offset from UTC (write it as +08:00)",
			  name);
		return NULL;
	}
	zone = memory_new(sizeof(*zone));
	zone->first_s = (hours * 3600 + minutes * 60) * (name[0] == '-' ? -1 : 1);
	return zone;
}

struct zone *zone_new(const char *name, struct error *err)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/";
	size_t len = strlen(name);

	if (strcmp(name, "UTC") == 0 || strcmp(name, "Z") == 0)
		return memory_new(sizeof(struct zone));
	if (name[0] == '+' || name[0] == '-')
		return offset_zone(name, err);
	if (len == 0 || len > NAME_MAX_BYTES || strspn(name, letters) != len || name[0] == '/' ||
	    name[len - 1] == '/') {
		error_set(err, ERROR_MISUSE,
			  "\"%.64s\" is no time zone (write a name such as Asia/Shanghai or an "
			  "offset such as +08:00)",
			  name);
		return NULL;
	}
	return file_zone(name, err);
}

void zone_free(struct zone **zone)
{
	if (*zone == NULL)
		return;
	free((*zone)->transitions);
	free(*zone);
	*zone = NULL;
}

/* Which changes lie around an instant: those of its year and of both neighbours. */
static struct zone_piece rule_at(const struct zone_rule *rule, int64_t unix_s)
{
	int64_t year = date_of_day(date_floor(unix_s + rule->offset_s, DAY_S)).year;
	struct zone_piece piece = { rule->offset_s, INT64_MAX };
	int64_t since_s = INT64_MIN;

	if (!rule->has_summer)
		return piece;
	for (int64_t i = year - 1; i <= year + 1; i++) {
		struct transition changes[2] = {
			{ zone_change_wall(&rule->to_summer, i) - rule->offset_s,
			  rule->summer_offset_s },
			{ zone_change_wall(&rule->to_standard, i) - rule->summer_offset_s,
			  rule->offset_s },
		};

		for (size_t k = 0; k < COUNT_OF(changes); k++) {
			if (changes[k].at_s > unix_s && changes[k].at_s < piece.until_s)
				piece.until_s = changes[k].at_s;
			if (changes[k].at_s > unix_s || changes[k].at_s < since_s)
				continue;
			since_s = changes[k].at_s;
			piece.offset_s = changes[k].offset_s;
		}
	}
	return piece;
}

struct zone_piece zone_at(const struct zone *zone, int64_t unix_s)
{
	size_t low = 0, high = zone->count;
	struct zone_piece piece = { zone->first_s, INT64_MAX };

	while (low < high) { /* the first transition after the instant */
		size_t middle = low + (high - low) / 2;

		if (zone->transitions[middle].at_s <= unix_s)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == zone->count && zone->has_rule)
		return rule_at(&zone->rule, unix_s);
	if (low > 0)
		piece.offset_s = zone->transitions[low - 1].offset_s;
	if (low < zone->count)
		piece.until_s = zone->transitions[low].at_s;
	return piece;
}

int64_t zone_instant(const struct zone *zone, int64_t wall_s)
{
	/* No offset is larger than two days: both sides of any change nearby are looked at. */
	struct zone_piece piece = zone_at(zone, wall_s - 2 * (int64_t)DAY_S);

	while (piece.until_s != INT64_MAX && piece.until_s + piece.offset_s <= wall_s) {
		struct zone_piece next = zone_at(zone, piece.until_s);

		if (piece.until_s + next.offset_s > wall_s)
			break; /* in the hour that is left out */
		piece = next;
	}
	return wall_s - piece.offset_s;
}
