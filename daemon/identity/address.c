#include "identity/address.h"

#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { DIGITS_MIN = 7, DIGITS_MAX = 15, FULL_WIDTH_FIRST = 0xff01, FULL_WIDTH_LAST = 0xff5e };

/* What people put between digits: spaces, and hyphens of all lengths. */
static const uint32_t separators[] = { 0xa0,   0x3000, 0x2010, 0x2011, 0x2012,
				       0x2013, 0x2014, 0x2015, 0x2212, 0x30fc };

static bool is_separator(uint32_t c)
{
	for (size_t i = 0; i < COUNT_OF(separators); i++)
		if (c == separators[i])
			return true;
	return c < 0x80 && strchr(" -().\t/", (int)c) != NULL;
}

/* A typed number as its digits, with '+' before and x (a carrier's place) between them where they
 * stood. False for anything else. */
static bool digits_read(const char *text, char out[ADDRESS_PHONE_BYTES], bool *ret_trunk)
{
	size_t len = strlen(text);
	size_t used = 0;
	uint32_t before = 0;

	*ret_trunk = false;
	for (size_t at = 0; at < len;) {
		uint32_t c;
		size_t step = text_character(text + at, len - at, &c);

		if (step == 0 || used + 1 >= ADDRESS_PHONE_BYTES)
			return false;
		if (c >= FULL_WIDTH_FIRST && c <= FULL_WIDTH_LAST)
			c -= FULL_WIDTH_FIRST - '!';
		*ret_trunk |= before == '(' && c == '0';
		before = c;
		if ((c == '+' && used == 0) || (c >= '0' && c <= '9') || c == 'x' || c == 'X')
			out[used++] = (char)c;
		else if (!is_separator(c))
			return false;
		at += step;
	}
	out[used] = '\0';
	return used > 0;
}

static const char *international(struct arena *arena, const char *digits)
{
	size_t len = strlen(digits);

	if (len < DIGITS_MIN || len > DIGITS_MAX || digits[0] == '0')
		return NULL;
	return arena_format(arena, "+%s", digits);
}

static void value_replace(struct identifier *identifier, const char *value)
{
	if (text_equal(identifier->value, value))
		return;
	if (identifier->raw == NULL)
		identifier->raw = identifier->value;
	identifier->value = value;
}

static const char *email_read(struct arena *arena, const char *address)
{
	const char *at = strrchr(address, '@');

	if (at == NULL)
		return text_lower(arena, address);
	return arena_format(arena, "%s@%s",
			    text_lower(arena, arena_copy(arena, address, (size_t)(at - address))),
			    text_domain(arena, at + 1));
}

static bool phone_normalise(struct arena *arena, struct identifier *identifier,
			    char ret_phone[ADDRESS_PHONE_BYTES])
{
	bool has_trunk;
	size_t skip;

	if (!digits_read(identifier->value, ret_phone, &has_trunk)) {
		address_settle(arena, identifier, NULL);
		return true;
	}
	skip = ret_phone[0] == '+' ? 1 : text_starts(ret_phone, "00") ? 2 : 0;
	if (skip == 0 || has_trunk || strpbrk(ret_phone, "xX") != NULL) {
		/* "00" means "+" wherever it was typed. */
		if (skip == 2) {
			ret_phone[0] = '+';
			memmove(ret_phone + 1, ret_phone + 2, strlen(ret_phone + 2) + 1);
		}
		return false;
	}
	address_settle(arena, identifier, international(arena, ret_phone + skip));
	return true;
}

bool address_normalise(struct arena *arena, struct identifier *identifier,
		       char ret_phone[ADDRESS_PHONE_BYTES])
{
	if (identifier->value == NULL)
		return true;
	if (text_equal(identifier->kind, "phone"))
		return phone_normalise(arena, identifier, ret_phone);
	if (text_equal(identifier->kind, "email"))
		value_replace(identifier, email_read(arena, identifier->value));
	return true;
}

void address_settle(struct arena *arena, struct identifier *identifier, const char *e164)
{
	if (e164 != NULL && *e164 != '\0') {
		value_replace(identifier, arena_text(arena, e164));
		return;
	}
	identifier->proof = PROOF_CLAIMED;
	identifier->proved_by = NULL;
}

/* One number, two ways to write it: what stands after the country in the longer one, how many
 * digits follow, and what may follow it at once. */
static const struct {
	const char *country;
	size_t area; /* digits that stand before what is left out */
	char left_out;
	size_t after; /* digits behind it */
	char from;    /* the first of them is at least this */
} variants[] = {
	{ "+52", 0, '1', 10, '0' }, /* Mexico, mobile until 2020 */
	{ "+54", 0, '9', 10, '0' }, /* Argentina, mobile from abroad */
	/* Brazil: mobile numbers that began with 6 to 9 got a 9 in front; what begins with 2 to 5
	 * behind a 9 never was one of eight digits: without it there is a landline. */
	{ "+55", 2, '9', 8, '6' },
};

const char *address_match(const struct identifier *identifier, char room[ADDRESS_PHONE_BYTES])
{
	const char *value = identifier->value;

	if (!text_equal(identifier->kind, "phone"))
		return value;
	for (size_t i = 0; i < COUNT_OF(variants); i++) {
		size_t before = strlen(variants[i].country) + variants[i].area;

		if (!text_starts(value, variants[i].country) ||
		    strlen(value) != before + 1 + variants[i].after ||
		    value[before] != variants[i].left_out || value[before + 1] < variants[i].from)
			continue;
		memcpy(room, value, before);
		memcpy(room + before, value + before + 1, variants[i].after + 1);
		return room;
	}
	return value;
}
