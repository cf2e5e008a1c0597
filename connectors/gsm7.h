/* The alphabets of short messages (3GPP 23.038; one octet per character, not packed) from and to
 * UTF-8. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sms_alphabet {
	SMS_GSM7,
	SMS_LATIN1,
	SMS_ASCII,
	SMS_UCS2, /* UTF-16, most significant octet first */
};

enum { SMS_CHARACTER_MAX = 4, SMS_UTF8_PER_OCTET = 3 };

/* The character at *at, which is moved behind it; U+FFFD for a byte that begins none. Not at the
 * end. */
uint32_t sms_character(const char **at);
/* Septets of a character in the GSM alphabet: 1, or 2 behind an escape; 0: it has none. */
int gsm7_septets(uint32_t character);
/* Octets of one character, at most SMS_CHARACTER_MAX; 0: the alphabet does not have it. */
size_t sms_encode(enum sms_alphabet alphabet, uint32_t character, unsigned char *out);
/* UTF-8 in out, which has room for SMS_UTF8_PER_OCTET * len + 1, and its length. NUL characters are
 * dropped, what stands for no character becomes U+FFFD. */
size_t sms_decode(enum sms_alphabet alphabet, const unsigned char *bytes, size_t len, char *out);
