#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include "base/memory.h"
#include "base/text.h"

static char *cleaned(const char *text, size_t max)
{
	static struct arena *arena;

	if (arena == NULL)
		arena = arena_new(0);
	return text_clean(arena, text, strlen(text), max);
}

static char *line(const char *text, size_t max)
{
	static struct arena *arena;

	if (arena == NULL)
		arena = arena_new(0);
	return text_clean_line(arena, text, strlen(text), max);
}

Test(text, tells_utf8_from_other_bytes)
{
	static const char *const right[] = {
		"",
		"plain",
		"工单",
		"\xf0\x9f\x98\x80",
		"\xed\x9f\xbf",
		"\xee\x80\x80",
		"\xf4\x8f\xbf\xbf",
		"\xc2\x80",
		"\xe0\xa0\x80",
		"\xf0\x90\x80\x80",
		"0123456789 long enough for the words: 退款",
	};
	static const char *const wrong[] = {
		"\x80",
		"\xbf",
		"\xc0\x80",
		"\xc1\xbf",
		"\xc2",
		"\xc2\x41",
		"\xe0\x9f\xbf",
		"\xe4\xbd",
		"\xed\xa0\x80",
		"\xed\xbf\xbf",
		"\xf0\x8f\xbf\xbf",
		"\xf0\x9f\x98",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xff",
		"\xfe",
		"\xf8\x88\x80\x80\x80",
		"0123456789 long enough for the words \xff",
		"gb18030: \xcd\xcb\xbf\xee",
	};

	for (size_t i = 0; i < COUNT_OF(right); i++)
		cr_assert(text_is_utf8(right[i], strlen(right[i])), "row %zu", i);
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		cr_assert_not(text_is_utf8(wrong[i], strlen(wrong[i])), "row %zu", i);
	cr_assert(text_is_utf8("\0", 1));
}

Test(text, decodes_every_codepoint_and_nothing_else)
{
	for (uint32_t codepoint = 0; codepoint <= 0x10ffff; codepoint++) {
		uint8_t bytes[6];
		uint32_t back = 1;
		int len;

		if (codepoint >= 0xd800 && codepoint <= 0xdfff)
			continue;
		len = u8_uctomb(bytes, codepoint, sizeof(bytes));
		cr_assert_eq(text_character((char *)bytes, (size_t)len, &back), (size_t)len);
		cr_assert_eq(back, codepoint);
		if (len > 1)
			cr_assert_eq(text_character((char *)bytes, (size_t)len - 1, &back), 0);
	}
	cr_assert_eq(text_character("", 0, &(uint32_t){ 0 }), 0);
}

Test(text, counts_characters)
{
	cr_assert_eq(text_characters("", 0), 0);
	cr_assert_eq(text_characters("我要退款", 12), 4);
	cr_assert_eq(text_characters("a\xf0\x9f\x98\x80z", 6), 3);
}

Test(text, never_splits_a_character)
{
	static const char text[] = "a\xc3\xa9退\xf0\x9f\x98\x80";
	static const size_t expected[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10 };

	for (size_t max = 0; max < COUNT_OF(expected); max++)
		cr_assert_eq(text_prefix(text, 10, max), expected[max], "max %zu", max);
	cr_assert_eq(text_prefix("", 0, 5), 0);
	/* Not UTF-8, but no reason to read before the start or to lose it all. */
	cr_assert_eq(text_prefix("\x80\x80\x80\x80\x80\x80\x80\x80", 8, 6), 6);
}

Test(text, replaces_each_broken_character_once)
{
	cr_assert_str_eq(cleaned("a\xffz", 99), "a\xef\xbf\xbdz");
	cr_assert_str_eq(cleaned("a\xe4\xbdz", 99), "a\xef\xbf\xbdz");
	cr_assert_str_eq(cleaned("a\xe4\xbd", 99), "a\xef\xbf\xbd");
	/* The examples of Unicode 15, table 3-8. */
	cr_assert_str_eq(cleaned("\xf0\x80\x80\x41", 99),
			 "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\x41");
	cr_assert_str_eq(cleaned("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", 99),
			 "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\x41");
	cr_assert_str_eq(cleaned("\xed\xa0\x80", 99), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

Test(text, drops_controls_and_unifies_line_ends)
{
	struct arena *arena = arena_new(0);

	cr_assert_str_eq(text_clean(arena, "a\0b\x01\x1b[31mc\x7f", 11, 99), "ab[31mc");
	cr_assert_str_eq(cleaned("a\r\nb\rc\n\td\r\r\n", 99), "a\nb\nc\n\td\n\n");
	cr_assert_str_eq(text_clean(arena, NULL, 0, 99), "");
	cr_assert_str_eq(text_clean(arena, "\r", 1, 99), "\n");
	arena_free(&arena);
}

Test(text, composes_to_nfc)
{
	cr_assert_str_eq(cleaned("e\xcc\x81", 99), "\xc3\xa9");          /* é */
	cr_assert_str_eq(cleaned("\xe2\x84\xab", 99), "\xc3\x85");       /* ANGSTROM SIGN */
	cr_assert_str_eq(cleaned("\xef\xa4\x80", 99), "\xe8\xb1\x88");   /* U+F900 is 豈 */
	cr_assert_str_eq(cleaned("\xe3\x81\x8b\xe3\x82\x99", 99), "が"); /* か and its mark */
	cr_assert_str_eq(cleaned("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", 99), "한"); /* jamo */
	cr_assert_str_eq(cleaned("\xea\xb0\x80\xe1\x86\xa8", 99), "각"); /* syllable and jamo */
	cr_assert_str_eq(cleaned("我要退款，谢谢！", 99), "我要退款，谢谢！");
	/* Marks in canonical order: dot below (220) before circumflex (230). */
	cr_assert_str_eq(cleaned("q\xcc\x82\xcc\xa3", 99), "q\xcc\xa3\xcc\x82");
	/* Compatibility forms stay: NFC, not NFKC. */
	cr_assert_str_eq(cleaned("ﬁ１①", 99), "ﬁ１①");
}

static void expect_same_as_library(const uint32_t *codepoints, size_t count)
{
	struct arena *arena = arena_new(0);
	uint8_t bytes[16];
	size_t len = sizeof(bytes);
	size_t normal_len = 0;
	uint8_t *normal;
	char *ours;

	cr_assert_not_null(u32_to_u8(codepoints, count, bytes, &len));
	normal = u8_normalize(UNINORM_NFC, bytes, len, NULL, &normal_len);
	ours = text_clean(arena, (char *)bytes, len, 99);
	cr_assert_eq(strlen(ours), normal_len, "U+%04X", codepoints[0]);
	cr_assert_arr_eq(ours, normal, normal_len, "U+%04X", codepoints[0]);
	free(normal);
	arena_free(&arena);
}

/* Two marks may have to change places; blocks are small, so neighbours do. */
static void expect_same_with_neighbours(uint32_t mark)
{
	for (uint32_t other = mark - 8; other <= mark + 8; other++) {
		uint32_t marks[2] = { mark, other };

		if (uc_combining_class(other) != 0)
			expect_same_as_library(marks, 2);
	}
}

Test(text, takes_the_quick_way_only_where_it_is_right)
{
	for (uint32_t codepoint = 0x80; codepoint <= 0x10ffff; codepoint++) {
		uint32_t parts[UC_DECOMPOSITION_MAX_LENGTH];
		uint32_t pair[2] = { 'a', codepoint };
		int count;

		if (codepoint >= 0xd800 && codepoint <= 0xdfff)
			continue;
		count = uc_canonical_decomposition(codepoint, parts);
		if (count > 0)
			expect_same_as_library(parts, (size_t)count);
		if (count > 0 || uc_combining_class(codepoint) != 0)
			expect_same_as_library(pair, 2);
		if (uc_combining_class(codepoint) != 0)
			expect_same_with_neighbours(codepoint);
	}
}

Test(text, bounds_what_it_stores)
{
	cr_assert_str_eq(cleaned("我要退款", 7), "我要");
	cr_assert_str_eq(cleaned("我要退款", 0), "");
	/* Composition comes first, so what fits composed is kept. */
	cr_assert_str_eq(cleaned("e\xcc\x81", 2), "\xc3\xa9");
	/* Devanagari QA has no composed form: NFC makes it longer. */
	cr_assert_str_eq(cleaned("\xe0\xa5\x98", 5), "\xe0\xa4\x95");
}

Test(text, makes_one_line)
{
	cr_assert_str_eq(line("  a \t\r\n b\v\fc  ", 99), "a b c");
	cr_assert_str_eq(line("张\xe3\x80\x80三\xc2\xa0", 99), "张 三");
	cr_assert_str_eq(line("ann\xe2\x80\xaemoc.live", 99), "annmoc.live");
	cr_assert_str_eq(line("a\xe2\x80\x8b\xef\xbb\xbf\xe2\x81\xa6"
			      "b",
			      99),
			 "ab");
	cr_assert_str_eq(line("a\x01\x7f"
			      "b",
			      99),
			 "ab");
	cr_assert_str_eq(line("one two", 4), "one");
	cr_assert_str_eq(line(" \xe2\x80\x8b ", 99), "");
	cr_assert_str_eq(line("", 99), "");
}

Test(text, compares)
{
	struct arena *arena = arena_new(0);

	cr_assert(text_equal(NULL, NULL));
	cr_assert_not(text_equal(NULL, ""));
	cr_assert_not(text_equal("", NULL));
	cr_assert(text_equal("a", "a"));
	cr_assert(text_starts("msg_1", "msg_"));
	cr_assert_not(text_starts("ms", "msg_"));
	cr_assert_not(text_starts(NULL, ""));
	cr_assert(text_equal_nocase("Content-Type", "content-TYPE"));
	cr_assert_not(text_equal_nocase("Content-Type", "Content-Typ"));
	cr_assert_not(text_equal_nocase("[", "{"));
	cr_assert_not(text_equal_nocase(NULL, "a"));
	cr_assert(text_equal_nocase(NULL, NULL));
	cr_assert_str_eq(text_lower(arena, "Ab[É"), "ab[É");
	arena_free(&arena);
}

Test(text, measures_distance_up_to_a_cap)
{
	char longer[200];

	memset(longer, 'a', sizeof(longer));
	longer[199] = '\0';
	cr_assert_eq(text_distance("", "", 3), 0);
	cr_assert_eq(text_distance("port", "prot", 3), 2);
	cr_assert_eq(text_distance("kitten", "sitting", 9), 3);
	cr_assert_eq(text_distance("kitten", "sitting", 2), 3);
	cr_assert_eq(text_distance("", "abc", 9), 3);
	cr_assert_eq(text_distance("abc", "", 1), 2);
	cr_assert_eq(text_distance(longer, "a", 3), 4);
	cr_assert_eq(text_distance(longer, longer, 3), 0);
}

Test(text, writes_and_reads_hex)
{
	unsigned char bytes[4];
	char out[9];

	text_hex("\x00\xff\x1a", 3, out);
	cr_assert_str_eq(out, "00ff1a");
	cr_assert_eq(text_unhex("00FF1a", 6, bytes, 4), 3);
	cr_assert_arr_eq(bytes, "\x00\xff\x1a", 3);
	cr_assert_eq(text_unhex("", 0, bytes, 0), 0);
	cr_assert_eq(text_unhex("0", 1, bytes, 4), -1);
	cr_assert_eq(text_unhex("0g", 2, bytes, 4), -1);
	cr_assert_eq(text_unhex("0011223344", 10, bytes, 4), -1);
}

struct base64_case {
	const char *plain;
	const char *padded;
	const char *bare;
};

/* RFC 4648, section 10, and one that uses the two differing digits. */
static const struct base64_case base64_cases[] = {
	{ "", "", "" },
	{ "f", "Zg==", "Zg" },
	{ "fo", "Zm8=", "Zm8" },
	{ "foo", "Zm9v", "Zm9v" },
	{ "foob", "Zm9vYg==", "Zm9vYg" },
	{ "fooba", "Zm9vYmE=", "Zm9vYmE" },
	{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
	{ "\xfb\xef\xff", "++//", "--__" },
};

Test(text, writes_and_reads_base64)
{
	for (size_t i = 0; i < COUNT_OF(base64_cases); i++) {
		const struct base64_case *row = &base64_cases[i];
		size_t len = strlen(row->plain);
		char out[16];

		cr_assert_eq(text_base64(row->plain, len, out), strlen(row->padded));
		cr_assert_str_eq(out, row->padded);
		cr_assert_eq(text_unbase64(row->padded, strlen(row->padded), out, len), (long)len);
		cr_assert_arr_eq(out, row->plain, len);
		cr_assert_eq(text_base64url(row->plain, len, out), strlen(row->bare));
		cr_assert_str_eq(out, row->bare);
		cr_assert_eq(text_unbase64url(row->bare, strlen(row->bare), out, len), (long)len);
		cr_assert_arr_eq(out, row->plain, len);
		if (len > 0)
			cr_assert_eq(text_unbase64(row->padded, strlen(row->padded), out, len - 1),
				     -1);
	}
}

Test(text, refuses_loose_base64)
{
	static const char *const padded[] = {
		"Z",    "Zg",       "Zg=",   "Zh==", "Z===", "====",
		"=Zg=", "Zg==Zg==", "Zm9\n", "Zm9 ", "--__", "Zm9v="
	};
	static const char *const bare[] = { "Z", "Zg==", "Zh", "Zm9", "++//", "Zm 8" };
	char out[16];

	for (size_t i = 0; i < COUNT_OF(padded); i++)
		cr_assert_eq(text_unbase64(padded[i], strlen(padded[i]), out, sizeof(out)), -1,
			     "%s", padded[i]);
	for (size_t i = 0; i < COUNT_OF(bare); i++)
		cr_assert_eq(text_unbase64url(bare[i], strlen(bare[i]), out, sizeof(out)), -1, "%s",
			     bare[i]);
}

static long unpercent(const char *text, bool form, char *out, size_t room)
{
	return text_unpercent(text, strlen(text), form, out, room);
}

Test(text, decodes_percent_escapes)
{
	char out[16];

	cr_assert_eq(unpercent("a%20b+c", false, out, sizeof(out)), 5);
	cr_assert_str_eq(out, "a b+c");
	cr_assert_eq(unpercent("a%20b+c", true, out, sizeof(out)), 5);
	cr_assert_str_eq(out, "a b c");
	cr_assert_eq(unpercent("%e5%B7%a5", false, out, sizeof(out)), 3);
	cr_assert_str_eq(out, "工");
	cr_assert_eq(unpercent("", false, out, 1), 0);
	cr_assert_str_eq(out, "");
	cr_assert_eq(unpercent("abc", false, out, 4), 3);
	cr_assert_eq(unpercent("abc", false, out, 3), -1);
	cr_assert_eq(unpercent("", false, out, 0), -1);
	cr_assert_eq(unpercent("%00", false, out, sizeof(out)), -1);
	cr_assert_eq(text_unpercent("a\0b", 3, false, out, sizeof(out)), -1);
	cr_assert_eq(unpercent("%", false, out, sizeof(out)), -1);
	cr_assert_eq(unpercent("%4", false, out, sizeof(out)), -1);
	cr_assert_eq(text_unpercent("%41", 2, false, out, sizeof(out)), -1);
	cr_assert_eq(unpercent("%4g", false, out, sizeof(out)), -1);
	cr_assert_eq(unpercent("%%41", false, out, sizeof(out)), -1);
}

Test(text, encodes_what_is_not_unreserved)
{
	struct buf buf = { 0 };

	text_percent(&buf, "aZ09-._~ /?&=+%工", 18);
	cr_assert_str_eq(buf_string(&buf), "aZ09-._~%20%2F%3F%26%3D%2B%25%E5%B7%A5");
	buf_clear(&buf);
}

Test(text, reads_plain_decimals_only)
{
	uint64_t number = 7;

	cr_assert(text_uint("0", 1, &number));
	cr_assert_eq(number, 0);
	cr_assert(text_uint("18446744073709551615", 20, &number));
	cr_assert_eq(number, UINT64_MAX);
	number = 7;
	cr_assert_not(text_uint("18446744073709551616", 20, &number));
	cr_assert_not(text_uint("99999999999999999999", 20, &number));
	cr_assert_not(text_uint("", 0, &number));
	cr_assert_not(text_uint("01", 2, &number));
	cr_assert_not(text_uint("+1", 2, &number));
	cr_assert_not(text_uint("-1", 2, &number));
	cr_assert_not(text_uint(" 1", 2, &number));
	cr_assert_not(text_uint("1a", 2, &number));
	cr_assert_eq(number, 7);
}

struct time_case {
	const char *text;
	int64_t unix_ms;
};

static const struct time_case time_cases[] = {
	{ "1970-01-01T00:00:00Z", 0 },
	{ "1970-01-01T00:00:00.001Z", 1 },
	{ "2026-11-22T20:45:00.123Z", 1795380300123 },
	{ "2026-11-22t20:45:00.1239999z", 1795380300123 },
	{ "2026-11-22 20:45:00.1Z", 1795380300100 },
	{ "2026-11-23T04:45:00+08:00", 1795380300000 },
	{ "2026-11-22T17:15:00-03:30", 1795380300000 },
	{ "2024-02-29T12:00:00Z", 1709208000000 },
	{ "2000-02-29T00:00:00Z", 951782400000 },
	{ "2016-12-31T23:59:60Z", 1483228800000 },
	{ "9999-12-31T23:59:59.999Z", 253402300799999 },
	{ "2023-02-29T12:00:00Z", -1 },
	{ "2100-02-29T12:00:00Z", -1 },
	{ "2026-04-31T00:00:00Z", -1 },
	{ "2026-13-01T00:00:00Z", -1 },
	{ "2026-00-01T00:00:00Z", -1 },
	{ "2026-01-00T00:00:00Z", -1 },
	{ "2026-01-01T24:00:00Z", -1 },
	{ "2026-01-01T00:60:00Z", -1 },
	{ "2026-01-01T00:00:61Z", -1 },
	{ "2026-01-01T00:00:00", -1 },
	{ "2026-01-01T00:00:00.Z", -1 },
	{ "2026-01-01T00:00:00Zz", -1 },
	{ "2026-01-01T00:00:00+0800", -1 },
	{ "2026-01-01T00:00:00+24:00", -1 },
	{ "2026-01-01T00:00:00+08:60", -1 },
	{ "2026-01-01", -1 },
	{ "2026-1-1T00:00:00Z", -1 },
	{ "1969-12-31T23:59:59Z", -1 },
	{ "1970-01-01T00:00:00+00:01", -1 },
	{ "", -1 },
	{ NULL, -1 },
};

Test(text, reads_times)
{
	for (size_t i = 0; i < COUNT_OF(time_cases); i++)
		cr_assert_eq(text_parse_time(time_cases[i].text), time_cases[i].unix_ms, "%s",
			     time_cases[i].text);
}

Test(text, writes_times)
{
	char out[32];

	text_format_time(1795380300123, out);
	cr_assert_str_eq(out, "2026-11-22T20:45:00.123Z");
	text_format_time(0, out);
	cr_assert_str_eq(out, "1970-01-01T00:00:00.000Z");
	text_format_time(-1, out);
	cr_assert_str_eq(out, "1969-12-31T23:59:59.999Z");
	text_format_time(INT64_MAX, out);
	cr_assert_str_eq(out, "9999-12-31T23:59:59.999Z");
	text_format_time(INT64_MIN, out);
	cr_assert_str_eq(out, "0001-01-01T00:00:00.000Z");
}

Test(text, agrees_with_the_calendar_of_the_system)
{
	for (int64_t day = 0; day < 50000; day++) {
		time_t seconds = (time_t)(day * 86400 + day % 86400);
		struct tm parts;
		char expected[40];
		char out[32];

		gmtime_r(&seconds, &parts);
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S.000Z", &parts);
		text_format_time(seconds * 1000, out);
		cr_assert_str_eq(out, expected);
		cr_assert_eq(text_parse_time(out), seconds * 1000);
	}
}
