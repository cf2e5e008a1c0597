/* Lines, properties and events; the series that a rule makes of an event. */
#include <string.h>

#include "base/date.h"
#include "base/memory.h"
#include "base/text.h"
#include "business/ical_internal.h"

enum {
	DEPTH_MAX = 8,
	EVENTS_MAX = 5000,
	TIMES_MAX = 40000,
	SERIES_MAX = 200,
	EXCEPTIONS_MAX = 400,
	NAME_BYTES = 64,
};

struct times {
	struct ical_time *times;
	size_t count;
};

struct event {
	const char *summary, *uid;
	const struct zone *zone; /* of its start */
	struct ical_time start, end, instead_of;
	int64_t length; /* of DURATION, seconds; 0 without */
	bool cancelled;
	struct ical_rule *rule; /* or NULL */
	struct times except, also;
	unsigned line;
};

struct property {
	const char *name, *value;
	const char *zone; /* TZID, or NULL */
};

struct open_zone {
	const char *name;
	struct zone *zone;
	struct open_zone *next;
};

struct reading {
	struct arena *arena;
	const struct zone *zone; /* of times without one */
	struct open_zone *zones; /* that TZID names */
	const char *at;          /* the next line */
	unsigned line;           /* of the property that was read last */
	unsigned next_line;
	const char *open[DEPTH_MAX]; /* the components around it */
	size_t depth;
	struct event **events;
	size_t count, series;
	struct event *replacing[EXCEPTIONS_MAX]; /* those of RECURRENCE-ID */
	size_t replacing_count;
	struct event *event;
	struct ical *ical;
};

/* The next line with its continuations; NULL at the end. */
static char *line_read(struct reading *reading)
{
	struct buf line = { 0 };
	char *text;

	if (*reading->at == '\0')
		return NULL;
	reading->line = reading->next_line;
	do {
		size_t len = strcspn(reading->at, "\n");
		size_t kept = len > 0 && reading->at[len - 1] == '\r' ? len - 1 : len;

		if (line.len > 0)
			buf_add(&line, reading->at + 1, kept > 0 ? kept - 1 : 0);
		else
			buf_add(&line, reading->at, kept);
		reading->at += len + (reading->at[len] == '\n' ? 1 : 0);
		reading->next_line++;
	} while (line.len > 0 && (*reading->at == ' ' || *reading->at == '\t'));
	text = arena_copy(reading->arena, buf_string(&line), line.len);
	buf_clear(&line);
	return text;
}

static size_t name_length(const char *text)
{
	return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-");
}

static void upper(char *text)
{
	for (; *text != '\0'; text++) {
		if (*text >= 'a' && *text <= 'z')
			*text = (char)(*text - 'a' + 'A');
	}
}

/* ";NAME=value", a value may be quoted; returns what follows, NULL where it is no parameter. */
static char *parameter_read(char *at, char **ret_name, char **ret_value)
{
	size_t len = name_length(++at);
	char *end;

	if (len == 0 || at[len] != '=')
		return NULL;
	at[len] = '\0';
	*ret_name = at;
	at += len + 1;
	*ret_value = at[0] == '"' ? at + 1 : at;
	end = at[0] == '"' ? strchr(at + 1, '"') : at + strcspn(at, ";:\"");
	if (end == NULL || *end == '\0')
		return NULL;
	if (*end == '"') {
		*end++ = '\0';
		if (at[0] != '"')
			return NULL;
	}
	return end;
}

static int property_read(char *line, struct property *property, struct error *err)
{
	size_t len = name_length(line);
	char *at = line + len, *name, *value, separator = *at;

	if (len == 0 || len > NAME_BYTES || (separator != ';' && separator != ':'))
		return error_set(err, ERROR_MISUSE, "it is no property (NAME:value is expected)");
	*property = (struct property){ .name = line };
	while (separator == ';') {
		char *next = parameter_read(at, &name, &value);

		*at = '\0';
		if (next == NULL)
			return error_set(err, ERROR_MISUSE, "a parameter cannot be read");
		/* Lists of values are of no interest here. */
		while (*next == ',')
			next += 1 + strcspn(next + 1, ",;:");
		separator = *next;
		if (separator != ';' && separator != ':')
			return error_set(err, ERROR_MISUSE, "a parameter cannot be read");
		*next = '\0';
		if (text_equal_nocase(name, "TZID"))
			property->zone = value;
		at = next;
	}
	*at = '\0';
	property->value = at + 1;
	upper(line);
	return 0;
}

static const struct zone *zone_find(struct reading *reading, const char *name, struct error *err)
{
	struct open_zone *open;
	struct zone *zone;

	if (name == NULL)
		return reading->zone;
	for (open = reading->zones; open != NULL; open = open->next) {
		if (strcmp(open->name, name) == 0)
			return open->zone;
	}
	zone = zone_new(name, err);
	if (zone == NULL)
		return NULL;
	open = arena_alloc(reading->arena, sizeof(*open));
	*open = (struct open_zone){ name, zone, reading->zones };
	reading->zones = open;
	return zone;
}

/* Texts escape "\\", "\;", "\," and "\n". */
static const char *text_value(struct arena *arena, const char *value)
{
	char *text = arena_text(arena, value), *to = text;

	for (const char *from = text; *from != '\0'; from++) {
		if (*from == '\\' && from[1] != '\0')
			from++;
		*to++ = *from;
	}
	*to = '\0';
	return text;
}

static int time_value(const char *value, struct ical_time *time, struct error *err)
{
	size_t used = ical_time_parse(value, time);

	if (used > 0 && value[used] == '\0')
		return 0;
	return error_set(err, ERROR_MISUSE,
			 "\"%.40s\" is no day or time (20261001 or 20261001T090000Z is expected)",
			 value);
}

static int times_value(struct arena *arena, const char *value, struct times *list,
		       struct error *err)
{
	if (list->times == NULL)
		list->times = arena_alloc(arena, EXCEPTIONS_MAX * sizeof(*list->times));
	for (;;) {
		size_t used;

		if (list->count == EXCEPTIONS_MAX)
			return error_set(err, ERROR_MISUSE, "it has more than %d exceptions",
					 EXCEPTIONS_MAX);
		used = ical_time_parse(value, &list->times[list->count]);
		if (used == 0 || (value[used] != ',' && value[used] != '\0'))
			return error_set(err, ERROR_MISUSE, "\"%.40s\" is no list of days or times",
					 value);
		list->count++;
		if (value[used] == '\0')
			return 0;
		value += used + 1;
	}
}

static int rule_value(struct reading *reading, const char *value, struct error *err)
{
	struct event *event = reading->event;

	if (event->rule != NULL)
		return error_set(err, ERROR_MISUSE, "it has a second RRULE");
	if (++reading->series > SERIES_MAX)
		return error_set(err, ERROR_MISUSE, "it has more than %d recurring events",
				 SERIES_MAX);
	event->rule = arena_alloc(reading->arena, sizeof(*event->rule));
	return ical_rule_parse(value, event->rule, err);
}

/* P1D, P2W, PT8H30M ... */
static int duration_value(const char *value, int64_t *ret_s, struct error *err)
{
	static const struct {
		char unit;
		bool of_day;
		int64_t seconds;
	} units[] = { { 'W', true, 7 * ICAL_DAY_S },
		      { 'D', true, ICAL_DAY_S },
		      { 'H', false, 3600 },
		      { 'M', false, 60 },
		      { 'S', false, 1 } };
	const char *at = value[0] == '+' ? value + 1 : value;
	bool of_day = true;
	int64_t sum = 0;

	if (*at++ != 'P' || *at == '\0')
		sum = -1;
	while (*at != '\0' && sum >= 0) {
		int64_t number = 0;
		size_t unit = 0;

		if (*at == 'T' && of_day) {
			of_day = false;
			at++;
		}
		for (; *at >= '0' && *at <= '9' && number < 100000; at++)
			number = number * 10 + (*at - '0');
		while (unit < COUNT_OF(units) &&
		       (units[unit].unit != *at || units[unit].of_day != of_day))
			unit++;
		if (unit == COUNT_OF(units) || sum > 3660 * (int64_t)ICAL_DAY_S) {
			sum = -1;
			break;
		}
		sum += number * units[unit].seconds;
		at++;
	}
	if (sum <= 0)
		return error_set(err, ERROR_MISUSE, "\"%.40s\" is no duration", value);
	*ret_s = sum;
	return 0;
}

static int start_value(struct reading *reading, const struct property *property, struct error *err)
{
	struct event *event = reading->event;

	if (event->start.given)
		return error_set(err, ERROR_MISUSE, "it has a second DTSTART");
	event->zone = zone_find(reading, property->zone, err);
	return event->zone == NULL ? -1 : time_value(property->value, &event->start, err);
}

/* Only properties that say when and what. */
static int event_property(struct reading *reading, const struct property *property,
			  struct error *err)
{
	struct event *event = reading->event;
	const char *name = property->name, *value = property->value;

	if (strcmp(name, "SUMMARY") == 0)
		event->summary = text_value(reading->arena, value);
	else if (strcmp(name, "UID") == 0)
		event->uid = value;
	else if (strcmp(name, "STATUS") == 0)
		event->cancelled = text_equal_nocase(value, "CANCELLED");
	else if (strcmp(name, "DTSTART") == 0)
		return start_value(reading, property, err);
	else if (strcmp(name, "DTEND") == 0)
		return time_value(value, &event->end, err);
	else if (strcmp(name, "DURATION") == 0)
		return duration_value(value, &event->length, err);
	else if (strcmp(name, "RECURRENCE-ID") == 0)
		return time_value(value, &event->instead_of, err);
	else if (strcmp(name, "EXDATE") == 0)
		return times_value(reading->arena, value, &event->except, err);
	else if (strcmp(name, "RDATE") == 0)
		return times_value(reading->arena, value, &event->also, err);
	else if (strcmp(name, "EXRULE") == 0)
		return error_set(err, ERROR_MISUSE, "EXRULE cannot be followed");
	else if (strcmp(name, "RRULE") == 0)
		return rule_value(reading, value, err);
	return 0;
}

static int event_start(struct reading *reading, struct error *err)
{
	if (reading->count == EVENTS_MAX)
		return error_set(err, ERROR_MISUSE, "it has more than %d events", EVENTS_MAX);
	reading->event = arena_alloc(reading->arena, sizeof(struct event));
	memset(reading->event, 0, sizeof(*reading->event));
	reading->event->summary = "";
	reading->event->line = reading->line;
	return 0;
}

static void event_keep(struct reading *reading)
{
	size_t count = reading->count;

	if ((count & (count - 1)) == 0) {
		struct event **larger = arena_alloc(reading->arena, (count == 0 ? 1 : 2 * count) *
									    sizeof(struct event *));

		if (count > 0)
			memcpy(larger, reading->events, count * sizeof(struct event *));
		reading->events = larger;
	}
	reading->events[reading->count++] = reading->event;
}

static int event_end(struct reading *reading, struct error *err)
{
	struct event *event = reading->event;
	int64_t unit = event->start.whole_day ? ICAL_DAY_S : 1;

	reading->event = NULL;
	if (!event->start.given)
		return error_set(err, ERROR_MISUSE, "the event has no DTSTART");
	if (event->end.given && event->end.whole_day != event->start.whole_day)
		return error_set(err, ERROR_MISUSE, "DTSTART and DTEND are not of one kind");
	if (event->end.given && event->end.utc == event->start.utc)
		event->length = (event->end.wall - event->start.wall) * unit;
	else if (event->end.given)
		return error_set(err, ERROR_MISUSE, "DTSTART and DTEND are not in one time zone");
	if (event->length < 0)
		return error_set(err, ERROR_MISUSE, "DTEND comes before DTSTART");
	if (event->length == 0 && event->start.whole_day)
		event->length = ICAL_DAY_S;
	if (event->length % unit != 0 || event->length > 3660 * (int64_t)ICAL_DAY_S)
		return error_set(err, ERROR_MISUSE, "the event's length cannot be followed");
	if (event->instead_of.given && reading->replacing_count == EXCEPTIONS_MAX)
		return error_set(err, ERROR_MISUSE, "it has more than %d RECURRENCE-IDs",
				 EXCEPTIONS_MAX);
	if (event->instead_of.given)
		reading->replacing[reading->replacing_count++] = event;
	reading->event = event;
	event_keep(reading);
	reading->event = NULL;
	return 0;
}

static int component_begin(struct reading *reading, const char *name, struct error *err)
{
	if (reading->depth == 0 && strcmp(name, "VCALENDAR") != 0)
		return error_set(err, ERROR_MISUSE, "BEGIN:VCALENDAR is expected");
	if (reading->depth == DEPTH_MAX)
		return error_set(err, ERROR_MISUSE, "components are nested too deep");
	reading->open[reading->depth++] = name;
	return reading->depth == 2 && strcmp(name, "VEVENT") == 0 ? event_start(reading, err) : 0;
}

static int component_end(struct reading *reading, const char *name, struct error *err)
{
	if (reading->depth == 0 || strcmp(reading->open[reading->depth - 1], name) != 0)
		return error_set(err, ERROR_MISUSE, "END:%.40s has no BEGIN", name);
	reading->depth--;
	return reading->depth == 1 && reading->event != NULL ? event_end(reading, err) : 0;
}

static int line_take(struct reading *reading, char *line, struct error *err)
{
	struct property property = { 0 };

	if (line[0] == '\0')
		return 0;
	if (property_read(line, &property, err) != 0)
		return -1;
	if (strcmp(property.name, "BEGIN") == 0)
		return component_begin(reading, property.value, err);
	if (reading->depth == 0)
		return error_set(err, ERROR_MISUSE, "BEGIN:VCALENDAR is expected");
	if (strcmp(property.name, "END") == 0)
		return component_end(reading, property.value, err);
	if (reading->event != NULL && reading->depth == 2)
		return event_property(reading, &property, err);
	return 0;
}

static int64_t day_of(const struct ical_time *time)
{
	return time->whole_day ? time->wall : date_floor(time->wall, ICAL_DAY_S);
}

/* An instant in seconds; of days midnight in UTC, which is for comparison alone. */
static int64_t instant(const struct event *event, const struct ical_time *time)
{
	if (time->whole_day)
		return time->wall * ICAL_DAY_S;
	return time->utc ? time->wall : zone_instant(event->zone, time->wall);
}

static bool is_same(const struct event *event, const struct ical_time *named,
		    const struct ical_time *time)
{
	return named->whole_day ? named->wall == day_of(time)
				: instant(event, named) == instant(event, time);
}

static bool is_excepted(const struct event *event, const struct ical_time *time)
{
	for (size_t i = 0; i < event->except.count; i++) {
		if (is_same(event, &event->except.times[i], time))
			return true;
	}
	return false;
}

/* One that another event of the file stands in for. */
static bool is_replaced(const struct reading *reading, const struct event *event,
			const struct ical_time *time)
{
	for (size_t i = 0; event->rule != NULL && i < reading->replacing_count; i++) {
		const struct event *other = reading->replacing[i];

		if (other != event && text_equal(other->uid, event->uid) &&
		    is_same(event, &other->instead_of, time))
			return true;
	}
	return false;
}

static int add(struct reading *reading, const struct event *event, const struct ical_time *time,
	       struct error *err)
{
	struct ical *ical = reading->ical;
	struct ical_event found = { .summary = event->summary, .whole_days = time->whole_day };
	struct ical_time end = *time;

	if (event->cancelled || event->length == 0 || is_excepted(event, time) ||
	    is_replaced(reading, event, time))
		return 0;
	if (ical->count == TIMES_MAX)
		return error_set(err, ERROR_MISUSE, "its events happen more than %d times",
				 TIMES_MAX);
	if ((ical->count & (ical->count - 1)) == 0) {
		struct ical_event *larger = arena_alloc(
			reading->arena, (ical->count == 0 ? 1 : 2 * ical->count) * sizeof(found));

		if (ical->count > 0)
			memcpy(larger, ical->events, ical->count * sizeof(found));
		ical->events = larger;
	}
	end.wall += time->whole_day ? event->length / ICAL_DAY_S : event->length;
	found.from = time->whole_day ? time->wall : instant(event, time);
	found.to = time->whole_day ? end.wall : instant(event, &end);
	if (found.to > found.from)
		ical->events[ical->count++] = found;
	return 0;
}

/* Whether a series has ended before a time, of which it has had so many. */
static bool is_over(const struct event *event, const struct ical_time *time, int64_t count)
{
	const struct ical_rule *rule = event->rule;

	if (rule == NULL || (rule->count > 0 && count >= rule->count))
		return true;
	if (!rule->until.given)
		return false;
	return rule->until.whole_day || time->whole_day
		       ? day_of(time) > day_of(&rule->until)
		       : instant(event, time) > instant(event, &rule->until);
}

/* The start is the first of a series, whatever the rule says of it. */
static int expand(struct reading *reading, const struct event *event, struct error *err)
{
	int64_t start = day_of(&event->start), count = 1;
	int64_t last = date_day((struct date){ ICAL_LAST_YEAR, 12, 31 });
	struct ical_time time = event->start;

	for (size_t i = 0; i < event->also.count; i++) {
		if (event->also.times[i].whole_day != event->start.whole_day)
			return error_set(err, ERROR_MISUSE,
					 "RDATE and DTSTART are not of one kind");
		if (add(reading, event, &event->also.times[i], err) != 0)
			return -1;
	}
	if (add(reading, event, &time, err) != 0)
		return -1;
	for (int64_t day = start + 1; day <= last; day++) {
		time.wall = event->start.wall + (day - start) * (time.whole_day ? 1 : ICAL_DAY_S);
		if (is_over(event, &time, count))
			break;
		if (!ical_rule_has(event->rule, start, day))
			continue;
		count++;
		if (add(reading, event, &time, err) != 0)
			return -1;
	}
	return 0;
}

static int read_all(struct reading *reading, struct error *err)
{
	char *line;

	while ((line = line_read(reading)) != NULL) {
		if (reading->depth == 0 && reading->count > 0 && line[0] == '\0')
			continue;
		if (line_take(reading, line, err) != 0)
			return error_wrap(err, "line %u", reading->line);
	}
	if (reading->depth > 0 || reading->line == 0)
		return error_set(err, ERROR_MISUSE, "line %u: END:%.40s is missing", reading->line,
				 reading->depth > 0 ? reading->open[reading->depth - 1]
						    : "VCALENDAR");
	for (size_t i = 0; i < reading->count; i++) {
		if (expand(reading, reading->events[i], err) != 0)
			return error_wrap(err, "the event of line %u", reading->events[i]->line);
	}
	return 0;
}

int ical_read(const char *text, const struct zone *zone, struct arena *arena, struct ical *ret_ical,
	      struct error *err)
{
	struct ical ical = { 0 };
	struct reading reading = {
		.arena = arena, .zone = zone, .at = text, .next_line = 1, .ical = &ical
	};
	int status = read_all(&reading, err);

	for (struct open_zone *open = reading.zones; open != NULL; open = open->next)
		zone_free(&open->zone);
	if (status == 0)
		*ret_ical = ical;
	return status;
}
