/* Cleaned text is valid, bounded, free of what it promises to drop, and clean. */
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "fuzz/fuzz.h"

static void check_clean(struct arena *arena, const char *bytes, size_t len, size_t max)
{
	char *text = text_clean(arena, bytes, len, max);
	size_t cleaned = strlen(text);

	MUST(cleaned <= max);
	MUST(text_is_utf8(text, cleaned));
	MUST(strchr(text, '\r') == NULL);
	MUST(strcmp(text_clean(arena, text, cleaned, cleaned), text) == 0);
}

static void check_line(struct arena *arena, const char *bytes, size_t len, size_t max)
{
	char *text = text_clean_line(arena, bytes, len, max);
	size_t cleaned = strlen(text);

	MUST(cleaned <= max);
	MUST(text_is_utf8(text, cleaned));
	MUST(strpbrk(text, "\r\n\t") == NULL && strstr(text, "  ") == NULL);
	MUST(cleaned == 0 || (text[0] != ' ' && text[cleaned - 1] != ' '));
	MUST(strcmp(text_clean_line(arena, text, cleaned, cleaned), text) == 0);
}

static void check_codes(struct arena *arena, const char *bytes, size_t len)
{
	char *coded = arena_alloc(arena, 4 * len + 8);
	char *back = arena_alloc(arena, 4 * len + 8);
	long n;

	n = text_unbase64(coded, text_base64(bytes, len, coded), back, len);
	MUST(n == (long)len && memcmp(back, bytes, len) == 0);
	n = text_unbase64url(coded, text_base64url(bytes, len, coded), back, len);
	MUST(n == (long)len && memcmp(back, bytes, len) == 0);
	text_hex(bytes, len, coded);
	MUST(text_unhex(coded, 2 * len, back, len) == (long)len && memcmp(back, bytes, len) == 0);
}

/* Decoders have one spelling for each value. */
static void check_decoders(struct arena *arena, const char *bytes, size_t len)
{
	char *out = arena_alloc(arena, len + 4);
	char *again = arena_alloc(arena, 2 * len + 8);
	long n = text_unbase64(bytes, len, out, len + 4);

	if (n >= 0)
		MUST(text_base64(out, (size_t)n, again) == len && memcmp(again, bytes, len) == 0);
	n = text_unbase64url(bytes, len, out, len + 4);
	if (n >= 0)
		MUST(text_base64url(out, (size_t)n, again) == len &&
		     memcmp(again, bytes, len) == 0);
	n = text_unpercent(bytes, len, true, out, len + 1);
	MUST(n < 0 || strlen(out) == (size_t)n);
}

static void check_time(struct arena *arena, const char *bytes, size_t len)
{
	int64_t ms = text_parse_time(arena_copy(arena, bytes, len));
	char text[32];

	if (ms < 0)
		return;
	text_format_time(ms, text);
	MUST(text_parse_time(text) == ms || ms > INT64_C(253402300799999));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data + 1;
	struct arena *arena;

	if (size == 0)
		return 0;
	arena = arena_new(0);
	check_clean(arena, bytes, size - 1, data[0]);
	check_line(arena, bytes, size - 1, data[0]);
	check_codes(arena, bytes, size - 1);
	check_decoders(arena, bytes, size - 1);
	check_time(arena, bytes, size - 1);
	arena_free(&arena);
	return 0;
}
