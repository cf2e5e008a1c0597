#include "base/id.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/crypto.h"

enum { ID_CHARACTERS = 26, ULID_BYTES = 16, TIME_BYTES = 6 };

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void new_millisecond(unsigned char ulid[ULID_BYTES], uint64_t ms)
{
	for (int i = 0; i < TIME_BYTES; i++)
		ulid[i] = (unsigned char)(ms >> (8 * (TIME_BYTES - 1 - i)));
	crypto_random(ulid + TIME_BYTES, ULID_BYTES - TIME_BYTES);
	/* Room for 2^79 increments, so the random part never carries into the time. */
	ulid[TIME_BYTES] &= 0x7f;
}

static void increment(unsigned char ulid[ULID_BYTES])
{
	for (int i = ULID_BYTES - 1; i >= TIME_BYTES; i--) {
		if (++ulid[i] != 0)
			return;
	}
}

void id_new(const char *prefix, char out[ID_BYTES])
{
	static unsigned char last[ULID_BYTES];
	static uint64_t last_ms;
	uint64_t ms = now_ms();

	/* A clock that steps back must not break the order: the old time stays. */
	if (ms > last_ms) {
		last_ms = ms;
		new_millisecond(last, ms);
	} else {
		increment(last);
	}
	id_from_bytes(prefix, last, out);
}

void id_from_bytes(const char *prefix, const unsigned char bytes[16], char out[ID_BYTES])
{
	size_t used = strnlen(prefix, ID_BYTES - ID_CHARACTERS - 1);
	uint64_t high = 0;
	uint64_t low = 0;

	for (size_t i = 0; i < 8; i++) {
		high = high << 8 | bytes[i];
		low = low << 8 | bytes[i + 8];
	}
	memcpy(out, prefix, used);
	for (size_t i = ID_CHARACTERS; i-- > 0;) {
		out[used + i] = alphabet[low & 31];
		low = low >> 5 | high << 59;
		high >>= 5;
	}
	out[used + ID_CHARACTERS] = '\0';
}

static bool is_well_formed(const char *text)
{
	/* 26 characters hold 130 bits, so the first one has only three. */
	if (text[0] < '0' || text[0] > '7' || strlen(text) != ID_CHARACTERS)
		return false;
	return strspn(text, alphabet) == ID_CHARACTERS;
}

int id_is(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return text != NULL && strncmp(text, prefix, len) == 0 && is_well_formed(text + len);
}
