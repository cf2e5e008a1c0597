#include "sms_split.h"

#include <stdlib.h>
#include <string.h>

static enum sms_alphabet alphabet_of(const char *text, enum sms_alphabet plain)
{
	unsigned char octets[SMS_CHARACTER_MAX];

	while (*text) {
		uint32_t character = sms_character(&text);

		if (gsm7_septets(character) == 0 || sms_encode(plain, character, octets) == 0)
			return SMS_UCS2;
	}
	return plain;
}

static size_t cost_of(enum sms_alphabet alphabet, uint32_t character)
{
	if (alphabet == SMS_UCS2)
		return character >= 0x10000 ? 2 : 1;
	return (size_t)gsm7_septets(character);
}

static bool fill(struct sms_split *split, const char *text, size_t room)
{
	size_t filled = 0, len = 0;

	split->count = 0;
	while (*text) {
		uint32_t character = sms_character(&text);
		size_t cost = cost_of(split->alphabet, character);

		if (filled + cost > room) {
			split->ends[split->count++] = len;
			filled = 0;
			if (split->count == SMS_PARTS_MAX)
				return false;
		}
		filled += cost;
		len += sms_encode(split->alphabet, character, split->bytes + len);
	}
	split->ends[split->count++] = len;
	return true;
}

bool sms_split(const char *text, enum sms_alphabet plain, const struct sms_room *room,
	       struct sms_split *ret)
{
	bool is_ucs2, fits;

	ret->alphabet = alphabet_of(text, plain);
	/* A character takes at most twice as many octets as UTF-8. */
	ret->bytes = malloc(strlen(text) * 2 + SMS_CHARACTER_MAX);
	if (!ret->bytes)
		abort();
	is_ucs2 = ret->alphabet == SMS_UCS2;
	fits = fill(ret, text, is_ucs2 ? room->alone_units : room->alone_septets);
	if (!fits || ret->count > 1)
		fits = fill(ret, text, is_ucs2 ? room->joined_units : room->joined_septets);
	if (!fits)
		sms_split_clear(ret);
	return fits;
}

void sms_split_clear(struct sms_split *split)
{
	free(split->bytes);
	split->bytes = NULL;
	split->count = 0;
}

const unsigned char *sms_split_part(const struct sms_split *split, size_t index, size_t *ret_len)
{
	size_t start = index == 0 ? 0 : split->ends[index - 1];

	*ret_len = split->ends[index] - start;
	return split->bytes + start;
}
