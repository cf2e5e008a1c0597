#include "base/text.h"
#include "base/limits.h"

#include <string.h>
#include <strings.h>

/* What the byte after a lead byte may be; the rest is always 80..BF. */
struct lead {
	unsigned char first;
	unsigned char last;
	unsigned char len;
	unsigned char low;
	unsigned char high;
};

static const struct lead leads[] = {
	{ 0xc2, 0xdf, 2, 0x80, 0xbf }, /* C0 and C1 would be overlong */
	{ 0xe0, 0xe0, 3, 0xa0, 0xbf }, /* below is overlong */
	{ 0xe1, 0xec, 3, 0x80, 0xbf }, { 0xed, 0xed, 3, 0x80, 0x9f }, /* above are surrogates */
	{ 0xee, 0xef, 3, 0x80, 0xbf }, { 0xf0, 0xf0, 4, 0x90, 0xbf }, /* below is overlong */
	{ 0xf1, 0xf3, 4, 0x80, 0xbf }, { 0xf4, 0xf4, 4, 0x80, 0x8f }, /* above is beyond U+10FFFF */
};

static const struct lead *find_lead(unsigned char byte)
{
	for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
		if (byte >= leads[i].first && byte <= leads[i].last)
			return &leads[i];
	}
	return NULL;
}

/* How many of the bytes at p belong to the character that its lead byte
 * promises: a replacement character stands for all of them. */
static size_t well_formed_bytes(const struct lead *lead, const unsigned char *p, size_t len)
{
	size_t most = len < lead->len ? len : lead->len;
	size_t n;

	if (most < 2 || p[1] < lead->low || p[1] > lead->high)
		return 1;
	for (n = 2; n < most; n++) {
		if ((p[n] & 0xc0) != 0x80)
			break;
	}
	return n;
}

size_t text_character(const char *p, size_t len, uint32_t *ret_codepoint)
{
	const unsigned char *bytes = (const unsigned char *)p;
	const struct lead *lead;
	uint32_t codepoint;

	if (len == 0)
		return 0;
	if (bytes[0] < 0x80) {
		*ret_codepoint = bytes[0];
		return 1;
	}
	lead = find_lead(bytes[0]);
	if (lead == NULL || well_formed_bytes(lead, bytes, len) != lead->len)
		return 0;
	codepoint = bytes[0] & (0x7fU >> lead->len);
	for (size_t i = 1; i < lead->len; i++)
		codepoint = codepoint << 6 | (bytes[i] & 0x3fU);
	*ret_codepoint = codepoint;
	return lead->len;
}

size_t text_broken(const char *p, size_t len)
{
	const unsigned char *bytes = (const unsigned char *)p;
	const struct lead *lead = find_lead(bytes[0]);

	return lead == NULL ? 1 : well_formed_bytes(lead, bytes, len);
}

size_t text_ascii(const char *bytes, size_t len)
{
	size_t n = 0;

	for (; len - n >= sizeof(uint64_t); n += sizeof(uint64_t)) {
		uint64_t eight;

		memcpy(&eight, bytes + n, sizeof(eight));
		if ((eight & UINT64_C(0x8080808080808080)) != 0)
			break;
	}
	while (n < len && (bytes[n] & 0x80) == 0)
		n++;
	return n;
}

bool text_is_utf8(const char *bytes, size_t len)
{
	size_t at = text_ascii(bytes, len);
	uint32_t codepoint;

	while (at < len) {
		size_t n = text_character(bytes + at, len - at, &codepoint);

		if (n == 0)
			return false;
		at += n;
	}
	return true;
}

size_t text_characters(const char *utf8, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += (utf8[i] & 0xc0) != 0x80;
	return count;
}

size_t text_prefix(const char *utf8, size_t len, size_t max)
{
	size_t n = max;

	if (len <= max)
		return len;
	/* Three steps reach the lead byte of any character; more is not UTF-8. */
	while (n > 0 && max - n < 3 && (utf8[n] & 0xc0) == 0x80)
		n--;
	return (utf8[n] & 0xc0) == 0x80 ? max : n;
}

bool text_equal(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

bool text_starts(const char *text, const char *prefix)
{
	return text != NULL && strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_has_word(const char *list, char separator, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; at != NULL; at = strchr(at, separator)) {
		if (*at == separator)
			at++;
		if (strncmp(at, word, len) == 0 && (at[len] == '\0' || at[len] == separator))
			return len > 0;
	}
	return false;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool text_equal_nocase(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	while (*a != '\0' && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return lower(*a) == lower(*b);
}

char *text_lower(struct arena *arena, const char *text)
{
	char *copy = arena_text(arena, text);

	for (char *p = copy; p != NULL && *p != '\0'; p++)
		*p = lower(*p);
	return copy;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t text_distance(const char *a, const char *b, size_t max)
{
	enum { LONGEST = 128 };
	size_t row[LONGEST + 1];
	size_t a_len = strlen(a);
	size_t b_len = strlen(b);

	/* Names that long have no neighbours worth suggesting. */
	if (a_len > LONGEST || b_len > LONGEST)
		return strcmp(a, b) == 0 ? 0 : max + 1;
	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t swap = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = least(swap, least(row[j], row[j - 1]) + 1);
		}
	}
	return least(row[b_len], max + 1);
}

bool text_uint(const char *text, size_t len, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (len == 0 || (len > 1 && text[0] == '0'))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(text[i] - '0'), &number))
			return false;
	}
	*ret_number = number;
	return true;
}

bool text_is_bare_address(const char *text)
{
	const char *at = text == NULL ? NULL : strrchr(text, '@');

	if (at == NULL || at == text || at[1] == '\0' || strlen(text) > LIMIT_ADDRESS_BYTES)
		return false;
	for (const char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f || strchr("<>,;:\"()[]\\", *p) != NULL)
			return false;
	return true;
}
