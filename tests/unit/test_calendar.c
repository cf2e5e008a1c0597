#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/date.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "business/calendar.h"
#include "business/ical.h"
#include "business/zone.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static struct calendar *make(const char *json)
{
	struct error err = { 0 };
	struct json_object *object = json_read(json, strlen(json), &err);
	struct calendar *calendar;

	cr_assert_not_null(object, "%s", err.text);
	calendar = calendar_new(object, &err);
	cr_assert_not_null(calendar, "%s: %s", json, err.text);
	json_free(&object);
	return calendar;
}

static int64_t at(const char *time)
{
	int64_t unix_ms = text_parse_time(time);

	cr_assert(unix_ms > 0, "%s", time);
	return unix_ms;
}

static const char *shown(int64_t unix_ms)
{
	static char text[4][32];
	static int next;

	next = (next + 1) % 4;
	text_format_time(unix_ms, text[next]);
	return text[next];
}

#define OFFICE                                                                                     \
	"{\"time_zone\":\"Asia/Shanghai\",\"hours\":[{\"days\":[\"mon-fri\"],\"from\":\"09:00\","  \
	"\"to\":\"12:00\"},{\"days\":[\"mon-fri\"],\"from\":\"13:30\",\"to\":\"18:00\"}],"         \
	"\"holidays\":[{\"date\":\"2026-10-01\",\"to\":\"2026-10-07\"}],"                          \
	"\"workdays\":[{\"date\":\"2026-09-20\"},{\"date\":\"2026-10-10\",\"like\":\"fri\"},"      \
	"{\"date\":\"2026-10-11\",\"hours\":[{\"from\":\"10:00\",\"to\":\"11:00\"}]}]}"
#define NIGHT(zone)                                                                                \
	"{\"time_zone\":\"" zone                                                                   \
	"\",\"hours\":[{\"from\":\"00:30\",\"to\":\"02:30\"},{\"from\":\"22:00\",\"to\":"          \
	"\"24:00\"}]}"

static const struct {
	const char *name, *calendar, *from;
	int64_t add;
	const char *until;
} additions[] = {
	{ "within a slot", OFFICE, "2026-11-23T09:00:00+08:00", HOUR, "2026-11-23T10:00:00+08:00" },
	{ "to the end of a slot, not the start of the next", OFFICE, "2026-11-23T09:00:00+08:00",
	  3 * HOUR, "2026-11-23T12:00:00+08:00" },
	{ "over lunch", OFFICE, "2026-11-23T11:00:00+08:00", 2 * HOUR,
	  "2026-11-23T14:30:00+08:00" },
	{ "over a night", OFFICE, "2026-11-23T17:00:00+08:00", 2 * HOUR,
	  "2026-11-24T10:00:00+08:00" },
	{ "over a weekend", OFFICE, "2026-11-20T17:30:00+08:00", HOUR,
	  "2026-11-23T09:30:00+08:00" },
	{ "from a closed hour", OFFICE, "2026-11-22T03:00:00+08:00", HOUR,
	  "2026-11-23T10:00:00+08:00" },
	{ "nothing from a closed hour stays there", OFFICE, "2026-11-22T03:00:00+08:00", 0,
	  "2026-11-22T03:00:00+08:00" },
	{ "over the year's end", OFFICE, "2026-12-31T17:30:00+08:00", HOUR,
	  "2027-01-01T09:30:00+08:00" },
	{ "over a week of holidays to an adjusted Saturday", OFFICE, "2026-09-30T17:30:00+08:00",
	  HOUR + 3 * 15 * HOUR / 2, "2026-10-11T10:30:00+08:00" },
	{ "an adjusted Sunday has Monday's hours", OFFICE, "2026-09-20T08:00:00+08:00",
	  15 * HOUR / 2, "2026-09-20T18:00:00+08:00" },
	{ "spring skips an hour of the slot", NIGHT("America/New_York"),
	  "2026-03-08T00:30:00-05:00", 2 * HOUR, "2026-03-08T22:30:00-04:00" },
	{ "autumn has the hour twice", NIGHT("America/New_York"), "2026-11-01T00:30:00-04:00",
	  3 * HOUR, "2026-11-01T02:30:00-05:00" },
	{ "an offset has no summer", NIGHT("-05:00"), "2026-03-08T00:30:00-05:00", 2 * HOUR,
	  "2026-03-08T02:30:00-05:00" },
	{ "always open", "{}", "2026-02-28T23:00:00Z", 48 * HOUR, "2026-03-02T23:00:00Z" },
};

Test(calendar, adds_business_time)
{
	for (size_t i = 0; i < COUNT_OF(additions); i++) {
		struct calendar *calendar = make(additions[i].calendar);
		int64_t from = at(additions[i].from);
		int64_t until = calendar_add(calendar, from, additions[i].add);

		cr_expect_eq(until, at(additions[i].until), "%s: %s", additions[i].name,
			     shown(until));
		cr_expect_eq(calendar_between(calendar, from, until), additions[i].add, "%s",
			     additions[i].name);
		cr_expect_eq(calendar_between(calendar, until, from), -additions[i].add, "%s",
			     additions[i].name);
		calendar_free(&calendar);
	}
}

static const struct {
	const char *name, *at, *change;
	bool open;
} changes[] = {
	{ "a slot", "2026-11-23T09:00:00+08:00", "2026-11-23T12:00:00+08:00", true },
	{ "lunch", "2026-11-23T12:00:00+08:00", "2026-11-23T13:30:00+08:00", false },
	{ "Friday evening", "2026-11-20T18:00:00+08:00", "2026-11-23T09:00:00+08:00", false },
	{ "the holidays", "2026-09-30T18:00:00+08:00", "2026-10-08T09:00:00+08:00", false },
	{ "an adjusted day of its own hours", "2026-10-11T10:59:00+08:00",
	  "2026-10-11T11:00:00+08:00", true },
};

Test(calendar, says_when_it_opens_and_closes)
{
	struct calendar *calendar = make(OFFICE), *always = make("{\"time_zone\":\"UTC\"}");

	for (size_t i = 0; i < COUNT_OF(changes); i++) {
		int64_t change = calendar_next_change(calendar, at(changes[i].at));

		cr_expect_eq(calendar_is_open(calendar, at(changes[i].at)), changes[i].open, "%s",
			     changes[i].name);
		cr_expect_eq(change, at(changes[i].change), "%s: %s", changes[i].name,
			     shown(change));
	}
	cr_expect_eq(calendar_next_change(always, at("2026-01-01T00:00:00Z")), INT64_MAX);
	cr_expect(calendar_is_open(NULL, 0));
	cr_expect_eq(calendar_next_change(NULL, 0), INT64_MAX);
	cr_expect_eq(calendar_add(NULL, 5, 7), 12);
	cr_expect_eq(calendar_between(NULL, 5, 12), 7);
	calendar_free(&calendar);
	calendar_free(&always);
}

#define VEVENT(body) "BEGIN:VEVENT\r\n" body "END:VEVENT\r\n"
#define FEED(events)                                                                               \
	"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nX-WR-CALNAME;X=\"a:b;c\":n\r\n" events      \
	"END:VCALENDAR\r\n"

static const char cn_feed[] =
	FEED(VEVENT("UID:1\r\nDTSTART;VALUE=DATE:20261001\r\nDTEND;VALUE=DATE:20261008\r\n"
		    "SUMMARY:国庆节\r\n （休）\r\nBEGIN:VALARM\r\nTRIGGER:-PT1H\r\nEND:VALARM\r\n")
		     VEVENT("UID:2\r\nDTSTART;VALUE=DATE:20260920\r\nSUMMARY:国庆节（班）\r\n")
			     VEVENT("UID:3\r\nDTSTART;VALUE=DATE:20261023\r\nSUMMARY:霜降\r\n"));
static const char us_feed[] = FEED(
	VEVENT("UID:1\r\nDTSTART;VALUE=DATE:20241128\r\nDTEND;VALUE=DATE:20241129\r\n"
	       "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH\r\nSUMMARY:Thanksgiving\r\n")
		VEVENT("UID:2\r\nDTSTART;TZID=America/"
		       "New_York:20260105T150000\r\nDURATION:PT30M\r\n"
		       "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;COUNT=5\r\n"
		       "EXDATE;TZID=America/New_York:20260107T150000\r\nSUMMARY:Team\r\n")
			VEVENT("UID:3\r\nDTSTART:20260301T000000Z\r\nDTEND:20260301T010000Z\r\n"
			       "STATUS:CANCELLED\r\nSUMMARY:Off\r\n")
				VEVENT("UID:2\r\nRECURRENCE-ID;TZID=America/"
				       "New_York:20260121T150000"
				       "\r\nDTSTART;TZID=America/New_York:20260121T170000\r\n"
				       "DTEND;TZID=America/New_York:20260121T173000\r\n"
				       "SUMMARY:Team, moved\r\n")
					VEVENT("DTSTART;VALUE=DATE:20200704\r\nSUMMARY:July 4\r\n"
					       "RRULE:FREQ=YEARLY;UNTIL=20270704\r\n"));

static const struct {
	const char *name, *feed, *at;
	bool open;
} feeds[] = {
	{ "a day off", cn_feed, "2026-10-01T10:00:00+08:00", false },
	{ "its last", cn_feed, "2026-10-07T10:00:00+08:00", false },
	{ "after it", cn_feed, "2026-10-08T10:00:00+08:00", true },
	{ "an adjusted Sunday", cn_feed, "2026-09-20T10:00:00+08:00", true },
	{ "an usual Sunday", cn_feed, "2026-09-13T10:00:00+08:00", false },
	{ "a solar term is no day off", cn_feed, "2026-10-23T10:00:00+08:00", true },
	{ "the fourth Thursday", us_feed, "2026-11-26T10:00:00+08:00", false },
	{ "not the third", us_feed, "2026-11-19T10:00:00+08:00", true },
	{ "a yearly day", us_feed, "2025-07-04T10:00:00+08:00", false },
	{ "until then", us_feed, "2028-07-04T10:00:00+08:00", true },
	{ "cancelled", us_feed, "2026-03-01T00:30:00Z", false }, /* a Sunday in any case */
};

static struct calendar *with_feed(const char *feed)
{
	static const char hours[] =
		"[{\"days\":[\"mon-fri\"],\"from\":\"09:00\",\"to\":\"18:00\"}]";
	struct buf json = { 0 };
	struct json_out out;
	struct calendar *calendar;

	jw_start(&out, &json);
	jw_object(&out, NULL);
	jw_text(&out, "time_zone", "Asia/Shanghai");
	jw_raw(&out, "hours", hours, sizeof(hours) - 1);
	jw_text(&out, "ical", feed);
	jw_object_end(&out);
	calendar = make(buf_string(&json));
	buf_clear(&json);
	return calendar;
}

Test(calendar, follows_a_feed)
{
	for (size_t i = 0; i < COUNT_OF(feeds); i++) {
		struct calendar *calendar = with_feed(feeds[i].feed);

		cr_expect_eq(calendar_is_open(calendar, at(feeds[i].at)), feeds[i].open, "%s",
			     feeds[i].name);
		calendar_free(&calendar);
	}
}

Test(calendar, follows_timed_series)
{
	static const struct {
		const char *at;
		bool open;
	} times[] = {
		{ "2026-01-05T14:59:00-05:00", true },  { "2026-01-05T15:00:00-05:00", false },
		{ "2026-01-05T15:29:00-05:00", false }, { "2026-01-05T15:30:00-05:00", true },
		{ "2026-01-07T15:10:00-05:00", true },  { "2026-01-12T15:10:00-05:00", true },
		{ "2026-01-19T15:10:00-05:00", false }, { "2026-01-21T15:10:00-05:00", true },
		{ "2026-01-21T17:10:00-05:00", false }, { "2026-02-02T15:10:00-05:00", false },
		{ "2026-02-04T15:10:00-05:00", true },
	};
	struct buf json = { 0 };
	struct json_out out;
	struct calendar *calendar;

	jw_start(&out, &json);
	jw_object(&out, NULL);
	jw_text(&out, "ical", us_feed);
	jw_object_end(&out);
	calendar = make(buf_string(&json));
	for (size_t i = 0; i < COUNT_OF(times); i++)
		cr_expect_eq(calendar_is_open(calendar, at(times[i].at)), times[i].open, "%s",
			     times[i].at);
	calendar_free(&calendar);
	buf_clear(&json);
}

static const struct {
	const char *name, *start, *rule; /* of an all-day event */
	int64_t skip;                    /* occurrences that are not looked at */
	const char *days;                /* the next of them */
} series[] = {
	{ "the last day of each month", "20260131", "FREQ=MONTHLY;BYMONTHDAY=-1", 0,
	  "2026-01-31 2026-02-28 2026-03-31 2026-04-30" },
	{ "the 31st skips short months", "20260131", "FREQ=MONTHLY", 0,
	  "2026-01-31 2026-03-31 2026-05-31 2026-07-31" },
	{ "February 29 comes in leap years", "20240229", "FREQ=YEARLY", 0,
	  "2024-02-29 2028-02-29 2032-02-29 2036-02-29" },
	{ "the last Monday of May", "20260525", "FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO", 1,
	  "2027-05-31 2028-05-29 2029-05-28 2030-05-27" },
	{ "the 53rd Friday of a year that has one", "20260102", "FREQ=YEARLY;BYDAY=53FR", 1,
	  "2027-12-31 2032-12-31 2038-12-31 2044-12-30" },
	{ "every other week from Sunday", "20260104", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU",
	  0, "2026-01-04 2026-01-05 2026-01-18 2026-01-19" },
	{ "every other week from Monday", "20260104", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=MO",
	  0, "2026-01-04 2026-01-12 2026-01-18 2026-01-26" },
	{ "every third day", "20261230", "FREQ=DAILY;INTERVAL=3", 0,
	  "2026-12-30 2027-01-02 2027-01-05 2027-01-08" },
	{ "Friday the 13th", "20260213", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", 0,
	  "2026-02-13 2026-03-13 2026-11-13 2027-08-13" },
	{ "until, which is in it", "20260101", "FREQ=DAILY;UNTIL=20260103", 0,
	  "2026-01-01 2026-01-02 2026-01-03" },
	{ "so many", "20260101", "FREQ=MONTHLY;COUNT=3", 0, "2026-01-01 2026-02-01 2026-03-01" },
};

Test(ical, repeats_events)
{
	struct error err = { 0 };
	struct zone *utc = zone_new("UTC", &err);

	for (size_t i = 0; i < COUNT_OF(series); i++) {
		struct arena *arena = arena_new(0);
		const char *text = arena_format(arena,
						"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:"
						"%s\nRRULE:%s\nEND:VEVENT\n"
						"END:VCALENDAR\n",
						series[i].start, series[i].rule);
		struct ical ical = { 0 };
		struct buf days = { 0 };

		cr_assert_eq(ical_read(text, utc, arena, &ical, &err), 0, "%s", err.text);
		for (size_t k = (size_t)series[i].skip;
		     k < ical.count && k < (size_t)series[i].skip + 4; k++) {
			char day[16];

			date_format(ical.events[k].from, day);
			buf_format(&days, "%s%s", days.len > 0 ? " " : "", day);
		}
		cr_expect_str_eq(buf_string(&days), series[i].days, "%s: %s", series[i].name,
				 buf_string(&days));
		buf_clear(&days);
		arena_free(&arena);
	}
	zone_free(&utc);
}

static const struct {
	const char *json, *error;
} refused[] = {
	{ "{\"time_zone\":\"Asia/Shangai\"}", "there is no time zone \"Asia/Shangai\"" },
	{ "{\"time_zone\":\"../etc/passwd\"}", "is no time zone" },
	{ "{\"time_zone\":\"Asia\"}", "no time zone file" },
	{ "{\"time_zone\":\"+8\"}", "is no offset" },
	{ "{\"hours\":[]}", "has no slot" },
	{ "{\"hours\":[{\"from\":\"9:00\",\"to\":\"12:00\"}]}", "slot 1 of \"hours\"" },
	{ "{\"hours\":[{\"from\":\"22:00\",\"to\":\"06:00\"}]}", "past midnight takes two slots" },
	{ "{\"hours\":[{\"from\":\"09:00\",\"to\":\"24:01\"}]}", "times of the day" },
	{ "{\"hours\":[{\"from\":\"09:00\",\"to\":\"12:00\"},{\"days\":[\"tue\"],\"from\":\"11:"
	  "00\",\"to\":\"13:00\"}]}",
	  "two slots of one day overlap" },
	{ "{\"hours\":[{\"days\":[\"monday\"],\"from\":\"09:00\",\"to\":\"12:00\"}]}",
	  "\"monday\" is no day" },
	{ "{\"holidays\":[{\"date\":\"2026-02-29\"}]}", "item 1 of \"holidays\"" },
	{ "{\"holidays\":[{\"date\":\"2026-02-02\",\"to\":\"2026-02-01\"}]}", "the last day" },
	{ "{\"holidays\":[{\"date\":\"2026-02-02\"}],\"workdays\":[{\"date\":\"2026-02-02\"}]}",
	  "2026-02-02 is given twice" },
	{ "{\"hours\":[{\"days\":[\"tue\"],\"from\":\"09:00\",\"to\":\"12:00\"}],\"workdays\":[{"
	  "\"date\":\"2026-02-01\"}]}",
	  "it has no hours" },
	{ "{\"ical\":\"hello\"}", "\"ical\": line 1: it is no property" },
	{ "{\"ical\":\"BEGIN:VCALENDAR\\nBEGIN:VEVENT\\nEND:VEVENT\\nEND:VCALENDAR\"}",
	  "line 3: the event has no DTSTART" },
	{ "{\"ical\":\"BEGIN:VCALENDAR\\nBEGIN:VEVENT\\nDTSTART:20260230\\n\"}",
	  "line 3: \"20260230\" is no day" },
	{ "{\"ical\":\"BEGIN:VCALENDAR\\nBEGIN:VEVENT\\nDTSTART;TZID=Moon:20260203\\n\"}",
	  "line 3: there is no time zone \"Moon\"" },
	{ "{\"ical\":\"BEGIN:VCALENDAR\\nBEGIN:VEVENT\\nRRULE:FREQ=YEARLY;BYEASTER=1\\n\"}",
	  "line 3: RRULE's BYEASTER cannot be followed" },
	{ "{\"ical\":\"BEGIN:VCALENDAR\\nBEGIN:VEVENT\\nRRULE:FREQ=HOURLY\\n\"}",
	  "RRULE's FREQ cannot be \"HOURLY\"" },
	{ "{\"ical\":\"BEGIN:VCALENDAR\\nBEGIN:VEVENT\\nDTSTART:20260203\\n\"}",
	  "END:VEVENT is missing" },
	{ "{\"ical\":\"BEGIN:VCALENDAR\\nEND:VEVENT\\n\"}", "line 2: END:VEVENT has no BEGIN" },
	{ "{\"ical\":\"BEGIN:VCALENDAR\\nBEGIN:VEVENT\\nDTSTART:20260203\\nDTEND:20260202\\nEND:"
	  "VEVENT\\n\"}",
	  "line 5: DTEND comes before DTSTART" },
};

Test(calendar, refuses_what_it_cannot_follow)
{
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		struct error err = { 0 };
		struct json_object *object =
			json_read(refused[i].json, strlen(refused[i].json), &err);
		struct calendar *calendar;

		cr_assert_not_null(object, "%s", err.text);
		calendar = calendar_new(object, &err);
		cr_expect_null(calendar, "%s", refused[i].json);
		cr_expect_not_null(strstr(err.text, refused[i].error), "%s: %s", refused[i].json,
				   err.text);
		calendar_free(&calendar);
		json_free(&object);
	}
}

/* ---- against the C library ---- */

static void use_zone(const char *name)
{
	setenv("TZ", name, 1);
	tzset();
}

static struct tm wall(int64_t unix_s)
{
	time_t time = (time_t)unix_s;
	struct tm tm;

	localtime_r(&time, &tm);
	return tm;
}

static const char *const zones[] = {
	"Asia/Shanghai",     "America/New_York",  "Europe/Dublin",    "Australia/Lord_Howe",
	"Africa/Casablanca", "America/Sao_Paulo", "Pacific/Apia",     "Asia/Kathmandu",
	"Asia/Tehran",       "America/St_Johns",  "Antarctica/Troll", "Europe/London",
	"Africa/Cairo",      "America/Nuuk",      "Pacific/Chatham",  "Asia/Gaza",
};

Test(zone, agrees_with_the_c_library)
{
	for (size_t i = 0; i < COUNT_OF(zones); i++) {
		struct error err = { 0 };
		struct zone *zone = zone_new(zones[i], &err);

		cr_assert_not_null(zone, "%s", err.text);
		use_zone(zones[i]);
		/* From 1930 to 2400. */
		for (int64_t t = INT64_C(-1262304000); t < INT64_C(13569465600);
		     t += 53 * 3600 + 17 * 60) {
			struct zone_piece piece = zone_at(zone, t);

			if (piece.offset_s != wall(t).tm_gmtoff)
				cr_assert_fail("%s at %lld: %lld, not %ld", zones[i], (long long)t,
					       (long long)piece.offset_s, wall(t).tm_gmtoff);
			if (piece.until_s != INT64_MAX &&
			    (wall(piece.until_s - 1).tm_gmtoff != piece.offset_s ||
			     piece.until_s <= t))
				cr_assert_fail("%s after %lld", zones[i], (long long)t);
		}
		zone_free(&zone);
	}
}

static int64_t random_below(uint64_t *state, int64_t limit)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (int64_t)((*state >> 33) % (uint64_t)limit);
}

/* A second opinion, minute by minute: office hours, lunch, one week of holidays, a Sunday. */
static bool is_open_by_hand(int64_t unix_ms)
{
	struct tm tm = wall(unix_ms / 1000);
	int minute = tm.tm_hour * 60 + tm.tm_min;
	int day = (tm.tm_mon + 1) * 100 + tm.tm_mday;
	bool working = tm.tm_wday >= 1 && tm.tm_wday <= 5;

	if (tm.tm_year == 126 && day >= 1028 && day <= 1103)
		working = false;
	if (tm.tm_year == 126 && (day == 308 || day == 1024))
		working = true;
	return (working && ((minute >= 540 && minute < 720) || (minute >= 810 && minute < 1080))) ||
	       (tm.tm_wday == 0 && !working && minute >= 60 && minute < 150 &&
		!(tm.tm_year == 126 && day >= 1028 && day <= 1103));
}

static void check_by_hand(const struct calendar *calendar, int64_t from, int64_t to)
{
	int64_t sum = 0, until;

	for (int64_t t = from; t < to; t += MINUTE) {
		bool open = is_open_by_hand(t);

		if (open != calendar_is_open(calendar, t))
			cr_assert_fail("%s at %s", getenv("TZ"), shown(t));
		sum += open ? MINUTE : 0;
	}
	cr_assert_eq(calendar_between(calendar, from, to), sum, "%s from %s to %s", getenv("TZ"),
		     shown(from), shown(to));
	until = calendar_add(calendar, from, sum);
	cr_assert_eq(calendar_between(calendar, from, until), sum, "%s", getenv("TZ"));
	cr_assert(until <= to, "%s", getenv("TZ"));
	cr_assert(sum == 0 || is_open_by_hand(until - MINUTE), "%s: %s", getenv("TZ"),
		  shown(until));
	until = calendar_next_change(calendar, from);
	cr_assert(is_open_by_hand(until) != is_open_by_hand(from), "%s", getenv("TZ"));
	cr_assert(is_open_by_hand(until - MINUTE) == is_open_by_hand(from));
}

Test(calendar, agrees_with_a_scan_of_every_minute)
{
	for (size_t i = 0; i < COUNT_OF(zones); i++) {
		char json[700];
		struct calendar *calendar;
		uint64_t state = 7 + i;

		snprintf(json, sizeof(json),
			 "{\"time_zone\":\"%s\",\"hours\":[{\"days\":[\"mon-fri\"],\"from\":\"09:00"
			 "\",\"to\":\"12:00\"},{\"days\":[\"mon-fri\"],\"from\":\"13:30\",\"to\":"
			 "\"18:00\"},{\"days\":[\"sun\"],\"from\":\"01:00\",\"to\":\"02:30\"}],"
			 "\"holidays\":[{\"date\":\"2026-10-28\",\"to\":\"2026-11-03\"}],"
			 "\"workdays\":[{\"date\":\"2026-03-08\"},{\"date\":\"2026-10-24\"}]}",
			 zones[i]);
		calendar = make(json);
		use_zone(zones[i]);
		for (int round = 0; round < 40; round++) {
			int64_t from = at("2025-12-20T00:00:00Z") +
				       random_below(&state, 400 * 24 * 60) * MINUTE;

			check_by_hand(calendar, from,
				      from + random_below(&state, 12 * 24 * 60) * MINUTE);
		}
		calendar_free(&calendar);
	}
}

Test(zone, refuses_broken_files)
{
	unsigned char bytes[4096];
	FILE *file = fopen("/usr/share/zoneinfo/America/New_York", "rb");
	size_t len;
	struct error err = { 0 };
	struct zone *zone;

	cr_assert_not_null(file);
	len = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	zone = zone_parse(bytes, len, &err);
	cr_assert_not_null(zone, "%s", err.text);
	zone_free(&zone);
	for (size_t cut = 0; cut < len; cut++) {
		zone = zone_parse(bytes, cut, &err);
		cr_expect_null(zone, "the first %zu bytes", cut);
		zone_free(&zone);
	}
	bytes[0] = 'x';
	cr_expect_null(zone_parse(bytes, len, &err));
}
