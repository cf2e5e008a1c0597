#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

static bool is_plain(char c)
{
	return (unsigned char)c < 0x80 && c >= ' ' && c != '"' && c != '\\';
}

static void add_escape(struct buf *buf, unsigned char byte)
{
	static const char named[] = "\"\"\\\\\nn\rr\tt\bb\ff";
	static const char digits[] = "0123456789abcdef";

	for (const char *p = named; *p != '\0'; p += 2) {
		if ((unsigned char)*p == byte) {
			buf_add(buf, (char[]){ '\\', p[1] }, 2);
			return;
		}
	}
	buf_add(buf, (char[]){ '\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15] }, 6);
}

/* Handles the one character at bytes that is not plain; returns its length. */
static size_t add_special(struct buf *buf, const char *bytes, size_t len)
{
	uint32_t codepoint = 0;
	size_t n = text_character(bytes, len, &codepoint);

	if (n == 0) {
		buf_text(buf, "\xef\xbf\xbd");
		return text_broken(bytes, len);
	}
	if (n == 1)
		add_escape(buf, (unsigned char)codepoint);
	else
		buf_add(buf, bytes, n);
	return n;
}

static void add_quoted(struct buf *buf, const char *bytes, size_t len)
{
	size_t at = 0;

	buf_reserve(buf, len + 2);
	buf_byte(buf, '"');
	while (at < len) {
		size_t start = at;

		while (at < len && is_plain(bytes[at]))
			at++;
		buf_add(buf, bytes + start, at - start);
		if (at < len)
			at += add_special(buf, bytes + at, len - at);
	}
	buf_byte(buf, '"');
}

static void before_value(struct json_out *out, const char *key)
{
	if (out->need_comma)
		buf_byte(out->buf, ',');
	out->need_comma = true;
	if (key == NULL)
		return;
	add_quoted(out->buf, key, strlen(key));
	buf_byte(out->buf, ':');
}

void jw_start(struct json_out *out, struct buf *buf)
{
	*out = (struct json_out){ .buf = buf };
}

static void open_with(struct json_out *out, const char *key, char bracket)
{
	before_value(out, key);
	buf_byte(out->buf, bracket);
	out->need_comma = false;
}

static void close_with(struct json_out *out, char bracket)
{
	buf_byte(out->buf, bracket);
	out->need_comma = true;
}

void jw_object(struct json_out *out, const char *key)
{
	open_with(out, key, '{');
}

void jw_object_end(struct json_out *out)
{
	close_with(out, '}');
}

void jw_array(struct json_out *out, const char *key)
{
	open_with(out, key, '[');
}

void jw_array_end(struct json_out *out)
{
	close_with(out, ']');
}

void jw_raw(struct json_out *out, const char *key, const char *json, size_t len)
{
	before_value(out, key);
	buf_add(out->buf, json, len);
}

void jw_null(struct json_out *out, const char *key)
{
	jw_raw(out, key, "null", 4);
}

void jw_text(struct json_out *out, const char *key, const char *text)
{
	if (text == NULL)
		jw_null(out, key);
	else
		jw_textn(out, key, text, strlen(text));
}

void jw_textn(struct json_out *out, const char *key, const char *bytes, size_t len)
{
	before_value(out, key);
	add_quoted(out->buf, bytes, len);
}

void jw_int(struct json_out *out, const char *key, int64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);
	uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

	do {
		digits[--at] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (number < 0)
		digits[--at] = '-';
	jw_raw(out, key, digits + at, sizeof(digits) - at);
}

void jw_number(struct json_out *out, const char *key, double number)
{
	char text[32];

	if (!isfinite(number)) {
		jw_null(out, key);
		return;
	}
	/* "-0" would read back as the integer 0. */
	if (fpclassify(number) == FP_ZERO)
		number = 0;
	/* The shortest of the three that reads back as the same number. */
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	jw_raw(out, key, text, strlen(text));
}

void jw_bool(struct json_out *out, const char *key, bool flag)
{
	jw_raw(out, key, flag ? "true" : "false", flag ? 4 : 5);
}

void jw_time(struct json_out *out, const char *key, int64_t unix_ms)
{
	char text[32];

	if (unix_ms == 0) {
		jw_null(out, key);
		return;
	}
	text_format_time(unix_ms, text);
	jw_text(out, key, text);
}
