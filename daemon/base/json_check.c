#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/json_scan.h"
#include "base/limits.h"
#include "base/text.h"

struct scan {
	const char *at;
	const char *end;
	const char *problem; /* NULL while all is well; `at` stays where it was met */
	struct json_facts facts;
	int depth;
	bool with_range;
};

static bool fail(struct scan *scan, const char *problem)
{
	scan->problem = scan->at == scan->end ? "the text ends too early" : problem;
	return false;
}

static char peek(const struct scan *scan)
{
	/* A NUL in the text fails everywhere, so it can stand for the end. */
	return scan->at < scan->end ? *scan->at : '\0';
}

static void skip_space(struct scan *scan)
{
	while (scan->at < scan->end &&
	       (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t'))
		scan->at++;
}

static bool scan_word(struct scan *scan, const char *word)
{
	for (; *word != '\0'; word++, scan->at++) {
		if (peek(scan) != *word)
			return fail(scan, "expected a value");
	}
	return true;
}

static size_t skip_digits(struct scan *scan)
{
	const char *start = scan->at;

	while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
		scan->at++;
	return (size_t)(scan->at - start);
}

static bool is_int64(const char *digits, size_t len, bool negative)
{
	uint64_t number;
	uint64_t most = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;

	return text_uint(digits, len, &number) && number <= most;
}

static bool scan_fraction(struct scan *scan)
{
	if (peek(scan) == '.') {
		scan->at++;
		if (skip_digits(scan) == 0)
			return fail(scan, "expected a digit after the point");
	}
	if (peek(scan) == 'e' || peek(scan) == 'E') {
		scan->at++;
		if (peek(scan) == '+' || peek(scan) == '-')
			scan->at++;
		if (skip_digits(scan) == 0)
			return fail(scan, "expected a digit in the exponent");
	}
	return true;
}

static bool scan_number(struct scan *scan)
{
	const char *start = scan->at;
	const char *digits;
	size_t count;

	if (peek(scan) == '-')
		scan->at++;
	digits = scan->at;
	count = skip_digits(scan);
	if (count == 0)
		return fail(scan, "expected a digit");
	if (count > 1 && *digits == '0') {
		scan->at = digits;
		return fail(scan, "a number starts with 0");
	}
	if (peek(scan) == '.' || peek(scan) == 'e' || peek(scan) == 'E')
		return scan_fraction(scan);
	if (scan->with_range && !is_int64(digits, count, digits > start)) {
		scan->at = start;
		return fail(scan, "an integer does not fit into 64 bits");
	}
	return true;
}

static bool scan_four_hex(struct scan *scan, uint32_t *ret_unit)
{
	unsigned char bytes[2];

	if (scan->end - scan->at < 4 || text_unhex(scan->at, 4, bytes, sizeof(bytes)) != 2)
		return fail(scan, "expected four hexadecimal digits after \\u");
	*ret_unit = (uint32_t)bytes[0] << 8 | bytes[1];
	scan->at += 4;
	return true;
}

/* After the u of an escape. */
static bool scan_unicode(struct scan *scan)
{
	const char *start = scan->at;
	uint32_t unit = 0;
	uint32_t low = 0;

	if (!scan_four_hex(scan, &unit))
		return false;
	if (unit == 0)
		scan->facts.nul_escapes = true;
	if (unit < 0xd800 || unit > 0xdfff)
		return true;
	if (unit < 0xdc00 && scan->end - scan->at >= 2 && memcmp(scan->at, "\\u", 2) == 0) {
		scan->at += 2;
		if (!scan_four_hex(scan, &low))
			return false;
	}
	if (low >= 0xdc00 && low <= 0xdfff)
		return true;
	scan->at = start;
	return fail(scan, "a surrogate escape has no partner");
}

static bool scan_escape(struct scan *scan)
{
	char c;

	scan->at++;
	c = peek(scan);
	if (c == 'u') {
		scan->at++;
		return scan_unicode(scan);
	}
	if (c == '\0' || strchr("\"\\/bfnrt", c) == NULL)
		return fail(scan, "no such escape");
	scan->at++;
	return true;
}

static bool scan_text_character(struct scan *scan)
{
	uint32_t codepoint = 0;
	size_t n;

	if (*scan->at == '\\')
		return scan_escape(scan);
	n = text_character(scan->at, (size_t)(scan->end - scan->at), &codepoint);
	if (n == 0)
		return fail(scan, "bytes that are not UTF-8");
	if (codepoint < 0x20)
		return fail(scan, "a control character inside a text");
	scan->at += n;
	return true;
}

static bool scan_text(struct scan *scan)
{
	scan->at++;
	for (;;) {
		while (scan->at < scan->end && *scan->at >= ' ' && *scan->at != '"' &&
		       *scan->at != '\\')
			scan->at++;
		if (scan->at == scan->end)
			return fail(scan, "");
		if (*scan->at == '"')
			break;
		if (!scan_text_character(scan))
			return false;
	}
	scan->at++;
	return true;
}

static bool scan_value(struct scan *scan); /* recursive, at most LIMIT_JSON_DEPTH deep */

static bool scan_member(struct scan *scan)
{
	if (peek(scan) != '"')
		return fail(scan, "expected a key in double quotes");
	if (!scan_text(scan))
		return false;
	scan->facts.members++;
	skip_space(scan);
	if (peek(scan) != ':')
		return fail(scan, "expected a colon after a key");
	scan->at++;
	return scan_value(scan);
}

static bool scan_list(struct scan *scan, char close, bool (*scan_one)(struct scan *scan))
{
	if (++scan->depth > LIMIT_JSON_DEPTH)
		return fail(scan, "nested too deep");
	scan->at++;
	skip_space(scan);
	while (peek(scan) != close) {
		if (!scan_one(scan))
			return false;
		skip_space(scan);
		if (peek(scan) == close)
			break;
		if (peek(scan) != ',')
			return fail(scan, close == ']' ? "expected a comma or ]"
						       : "expected a comma or }");
		scan->at++;
		skip_space(scan);
		if (peek(scan) == close)
			return fail(scan, "a comma with nothing after it");
	}
	scan->at++;
	scan->depth--;
	return true;
}

static bool scan_value(struct scan *scan)
{
	skip_space(scan);
	switch (peek(scan)) {
	case '{':
		return scan_list(scan, '}', scan_member);
	case '[':
		return scan_list(scan, ']', scan_value);
	case '"':
		return scan_text(scan);
	case 't':
		return scan_word(scan, "true");
	case 'f':
		return scan_word(scan, "false");
	case 'n':
		return scan_word(scan, "null");
	default:
		break;
	}
	if (peek(scan) != '-' && (peek(scan) < '0' || peek(scan) > '9'))
		return fail(scan, "expected a value");
	return scan_number(scan);
}

static int report(const struct scan *scan, const char *bytes, struct error *err)
{
	const char *line_start = bytes;
	size_t line = 1;

	for (const char *p = bytes; p < scan->at; p++) {
		if (*p == '\n') {
			line++;
			line_start = p + 1;
		}
	}
	return error_set(err, ERROR_MISUSE, "line %zu, column %zu: %s", line,
			 text_characters(line_start, (size_t)(scan->at - line_start)) + 1,
			 scan->problem);
}

int json_scan(const char *bytes, size_t len, bool with_range, struct json_facts *ret_facts,
	      struct error *err)
{
	struct scan scan = { .at = bytes, .end = bytes + len, .with_range = with_range };

	if (scan_value(&scan)) {
		skip_space(&scan);
		if (scan.at < scan.end)
			fail(&scan, "something after the end of the value");
	}
	if (scan.problem != NULL)
		return report(&scan, bytes, err);
	if (ret_facts != NULL)
		*ret_facts = scan.facts;
	return 0;
}

int json_check(const char *bytes, size_t len, struct error *err)
{
	return json_scan(bytes, len, false, NULL, err);
}
