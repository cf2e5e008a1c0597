#include "api/totp_code.h"

#include <stdio.h>
#include <string.h>

#include "base/crypto.h"

void totp_secret_text(const unsigned char secret[TOTP_SECRET_BYTES], char out[TOTP_SECRET_TEXT])
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

	for (size_t i = 0; i < TOTP_SECRET_TEXT - 1; i++) {
		size_t bit = i * 5;
		unsigned two = (unsigned)secret[bit / 8] << 8;

		if (bit / 8 + 1 < TOTP_SECRET_BYTES)
			two |= secret[bit / 8 + 1];
		out[i] = letters[two >> (11 - bit % 8) & 31];
	}
	out[TOTP_SECRET_TEXT - 1] = '\0';
}

static void digits_of(const unsigned char secret[TOTP_SECRET_BYTES], int64_t step,
		      char out[TOTP_DIGITS + 1])
{
	unsigned char counter[8];
	unsigned char mac[SHA1_BYTES];
	unsigned at;
	uint32_t number;

	for (int i = 0; i < 8; i++)
		counter[i] = (unsigned char)((uint64_t)step >> (56 - 8 * i));
	crypto_hmac_sha1(secret, TOTP_SECRET_BYTES, counter, sizeof(counter), mac);
	at = mac[SHA1_BYTES - 1] & 15u;
	number = ((uint32_t)mac[at] & 127u) << 24 | (uint32_t)mac[at + 1] << 16 |
		 (uint32_t)mac[at + 2] << 8 | mac[at + 3];
	snprintf(out, TOTP_DIGITS + 1, "%06u", number % 1000000u);
}

int64_t totp_step(const unsigned char secret[TOTP_SECRET_BYTES], const char *digits, int64_t now_s)
{
	char given[TOTP_DIGITS + 1] = { 0 };
	size_t count = 0;
	int64_t found = -1;

	for (; *digits != '\0'; digits++) {
		if (*digits == ' ')
			continue;
		if (*digits < '0' || *digits > '9' || count == TOTP_DIGITS)
			return -1;
		given[count++] = *digits;
	}
	for (int64_t step = now_s / TOTP_STEP_S - 1; step <= now_s / TOTP_STEP_S + 1; step++) {
		char right[TOTP_DIGITS + 1];

		digits_of(secret, step, right);
		if (crypto_equal(given, count, right, TOTP_DIGITS))
			found = step;
	}
	return found;
}
