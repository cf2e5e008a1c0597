#include "identity/address.h"

#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { DIGITS_MIN = 7, DIGITS_MAX = 15, FULL_WIDTH_ZERO = 0xff10, FULL_WIDTH_PLUS = 0xff0b };

/* National numbers: the country's calling code, the prefix dialled before the
 * area at home, and how many digits stand after that (ITU-T E.164 national
 * numbering plans, as of 2026). */
struct region {
	const char *name;
	const char *code;
	const char *trunk;
	size_t min;
	size_t max;
};

static const struct region regions[] = {
	{ "AU", "61", "0", 9, 9 },  { "BR", "55", "0", 10, 11 }, { "CA", "1", "1", 10, 10 },
	{ "CN", "86", "0", 9, 11 }, { "DE", "49", "0", 6, 11 },  { "ES", "34", "", 9, 9 },
	{ "FR", "33", "0", 9, 9 },  { "GB", "44", "0", 9, 10 },  { "HK", "852", "", 8, 8 },
	{ "ID", "62", "0", 8, 12 }, { "IN", "91", "0", 10, 10 }, { "IT", "39", "", 6, 11 },
	{ "JP", "81", "0", 9, 10 }, { "KR", "82", "0", 8, 10 },  { "MO", "853", "", 8, 8 },
	{ "MX", "52", "", 10, 10 }, { "MY", "60", "0", 8, 10 },  { "NL", "31", "0", 9, 9 },
	{ "NZ", "64", "0", 8, 10 }, { "PH", "63", "0", 8, 10 },  { "SG", "65", "", 8, 8 },
	{ "TH", "66", "0", 8, 9 },  { "TW", "886", "0", 8, 9 },  { "US", "1", "1", 10, 10 },
	{ "VN", "84", "0", 9, 10 },
};

static const struct region *region_find(const char *name)
{
	for (size_t i = 0; name != NULL && i < COUNT_OF(regions); i++)
		if (text_equal(regions[i].name, name))
			return &regions[i];
	return NULL;
}

/* The digits of a typed number, with a leading '+' where there was one. False
 * for anything that is neither a digit nor a usual separator. */
static bool digits_read(const char *text, char *out, size_t room)
{
	size_t len = strlen(text);
	size_t used = 0;

	for (size_t at = 0; at < len;) {
		uint32_t c;
		size_t step = text_character(text + at, len - at, &c);

		if (step == 0 || used + 1 >= room)
			return false;
		if (c >= FULL_WIDTH_ZERO && c < FULL_WIDTH_ZERO + 10)
			c = '0' + (c - FULL_WIDTH_ZERO);
		if ((c == '+' || c == FULL_WIDTH_PLUS) && used == 0)
			out[used++] = '+';
		else if (c >= '0' && c <= '9')
			out[used++] = (char)c;
		else if (c >= 0x80 || strchr(" -().\t/", (int)c) == NULL)
			return false;
		at += step;
	}
	out[used] = '\0';
	return true;
}

static const char *international(struct arena *arena, const char *digits)
{
	size_t len = strlen(digits);

	if (len < DIGITS_MIN || len > DIGITS_MAX || digits[0] == '0')
		return NULL;
	return arena_format(arena, "+%s", digits);
}

static const char *national(struct arena *arena, const char *digits, const struct region *region)
{
	size_t trunk = strlen(region->trunk);
	size_t len = strlen(digits);

	if (trunk > 0 && len > region->min && text_starts(digits, region->trunk) &&
	    len - trunk <= region->max) {
		digits += trunk;
		len -= trunk;
	}
	if (len < region->min || len > region->max)
		return NULL;
	return arena_format(arena, "+%s%s", region->code, digits);
}

static const char *phone_read(struct arena *arena, const char *text, const char *region_name)
{
	char digits[40];
	const struct region *region = region_find(region_name);

	if (!digits_read(text, digits, sizeof(digits)))
		return NULL;
	if (digits[0] == '+')
		return international(arena, digits + 1);
	if (text_starts(digits, "00"))
		return international(arena, digits + 2);
	return region == NULL ? NULL : national(arena, digits, region);
}

void address_normalise(struct arena *arena, struct identifier *identifier, const char *region)
{
	const char *before = identifier->value;
	const char *after = before;

	if (before == NULL)
		return;
	if (text_equal(identifier->kind, "email")) {
		after = text_lower(arena, before);
	} else if (text_equal(identifier->kind, "phone")) {
		after = phone_read(arena, before, region);
		if (after == NULL) {
			identifier->proof = PROOF_CLAIMED;
			identifier->proved_by = NULL;
			return;
		}
	}
	if (text_equal(before, after))
		return;
	if (identifier->raw == NULL)
		identifier->raw = before;
	identifier->value = after;
}
