#include "gsm7.h"

enum { ESCAPE = 0x1b, REPLACEMENT = 0xfffd, BASIC = 128 };

/* 3GPP 23.038, 6.2.1. The escape itself stands for no character. */
static const uint16_t basic[BASIC] = {
	0x0040, 0x00a3, 0x0024, 0x00a5, 0x00e8, 0x00e9, 0x00f9, 0x00ec, 0x00f2, 0x00c7, 0x000a,
	0x00d8, 0x00f8, 0x000d, 0x00c5, 0x00e5, 0x0394, 0x005f, 0x03a6, 0x0393, 0x039b, 0x03a9,
	0x03a0, 0x03a8, 0x03a3, 0x0398, 0x039e, 0x0000, 0x00c6, 0x00e6, 0x00df, 0x00c9, 0x0020,
	0x0021, 0x0022, 0x0023, 0x00a4, 0x0025, 0x0026, 0x0027, 0x0028, 0x0029, 0x002a, 0x002b,
	0x002c, 0x002d, 0x002e, 0x002f, 0x0030, 0x0031, 0x0032, 0x0033, 0x0034, 0x0035, 0x0036,
	0x0037, 0x0038, 0x0039, 0x003a, 0x003b, 0x003c, 0x003d, 0x003e, 0x003f, 0x00a1, 0x0041,
	0x0042, 0x0043, 0x0044, 0x0045, 0x0046, 0x0047, 0x0048, 0x0049, 0x004a, 0x004b, 0x004c,
	0x004d, 0x004e, 0x004f, 0x0050, 0x0051, 0x0052, 0x0053, 0x0054, 0x0055, 0x0056, 0x0057,
	0x0058, 0x0059, 0x005a, 0x00c4, 0x00d6, 0x00d1, 0x00dc, 0x00a7, 0x00bf, 0x0061, 0x0062,
	0x0063, 0x0064, 0x0065, 0x0066, 0x0067, 0x0068, 0x0069, 0x006a, 0x006b, 0x006c, 0x006d,
	0x006e, 0x006f, 0x0070, 0x0071, 0x0072, 0x0073, 0x0074, 0x0075, 0x0076, 0x0077, 0x0078,
	0x0079, 0x007a, 0x00e4, 0x00f6, 0x00f1, 0x00fc, 0x00e0,
};

static const struct {
	unsigned char septet;
	uint16_t character;
} extended[] = {
	{ 0x0a, 0x000c }, { 0x14, 0x005e }, { 0x28, 0x007b }, { 0x29, 0x007d }, { 0x2f, 0x005c },
	{ 0x3c, 0x005b }, { 0x3d, 0x007e }, { 0x3e, 0x005d }, { 0x40, 0x007c }, { 0x65, 0x20ac },
};

enum { EXTENDED = sizeof(extended) / sizeof(extended[0]) };

/* ---- UTF-8 ---- */

uint32_t sms_character(const char **at)
{
	const unsigned char *bytes = (const unsigned char *)*at;
	size_t len = bytes[0] < 0x80   ? 1
		     : bytes[0] < 0xc2 ? 0
		     : bytes[0] < 0xe0 ? 2
		     : bytes[0] < 0xf0 ? 3
		     : bytes[0] < 0xf5 ? 4
				       : 0;
	uint32_t character = len < 2 ? bytes[0] : bytes[0] & (0xffU >> (len + 1));

	for (size_t i = 1; i < len; i++) {
		if ((bytes[i] & 0xc0) != 0x80) {
			len = 0;
			break;
		}
		character = character << 6 | (bytes[i] & 0x3f);
	}
	*at += len == 0 ? 1 : len;
	return len == 0 ? REPLACEMENT : character;
}

static size_t utf8_put(uint32_t character, char *out)
{
	static const unsigned char leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t len = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;

	for (size_t i = len; i > 1; i--) {
		out[i - 1] = (char)(0x80 | (character & 0x3f));
		character >>= 6;
	}
	out[0] = (char)(leads[len == 1 ? 0 : len] | character);
	return len;
}

/* ---- to octets ---- */

int gsm7_septets(uint32_t character)
{
	for (size_t i = 0; i < BASIC; i++)
		if (basic[i] == character && i != ESCAPE)
			return 1;
	for (size_t i = 0; i < EXTENDED; i++)
		if (extended[i].character == character)
			return 2;
	return 0;
}

static size_t gsm7_put(uint32_t character, unsigned char *out)
{
	for (unsigned i = 0; i < BASIC; i++) {
		if (basic[i] != character || i == ESCAPE)
			continue;
		out[0] = (unsigned char)i;
		return 1;
	}
	for (size_t i = 0; i < EXTENDED; i++) {
		if (extended[i].character != character)
			continue;
		out[0] = ESCAPE;
		out[1] = extended[i].septet;
		return 2;
	}
	return 0;
}

static size_t ucs2_put(uint32_t character, unsigned char *out)
{
	uint32_t high = 0xd800 + ((character - 0x10000) >> 10);
	uint32_t low = 0xdc00 + ((character - 0x10000) & 0x3ff);
	bool is_pair = character >= 0x10000;
	uint32_t first = is_pair ? high : character;

	out[0] = (unsigned char)(first >> 8);
	out[1] = (unsigned char)first;
	if (!is_pair)
		return 2;
	out[2] = (unsigned char)(low >> 8);
	out[3] = (unsigned char)low;
	return 4;
}

size_t sms_encode(enum sms_alphabet alphabet, uint32_t character, unsigned char *out)
{
	uint32_t limit = alphabet == SMS_LATIN1 ? 0x100 : 0x80;

	if (alphabet == SMS_GSM7)
		return gsm7_put(character, out);
	if (alphabet == SMS_UCS2)
		return ucs2_put(character, out);
	out[0] = (unsigned char)character;
	return character < limit ? 1 : 0;
}

/* ---- from octets ---- */

static uint32_t gsm7_extended(unsigned char septet)
{
	for (size_t i = 0; i < EXTENDED; i++)
		if (extended[i].septet == septet)
			return extended[i].character;
	/* As 23.038 has it: who does not know it shows the basic one. */
	return septet < BASIC ? basic[septet] : REPLACEMENT;
}

static size_t gsm7_next(const unsigned char *bytes, size_t len, uint32_t *ret)
{
	if (bytes[0] == ESCAPE && len == 1)
		*ret = ' ';
	else if (bytes[0] == ESCAPE)
		*ret = gsm7_extended(bytes[1]);
	else
		*ret = bytes[0] < BASIC ? basic[bytes[0]] : REPLACEMENT;
	return bytes[0] == ESCAPE && len > 1 ? 2 : 1;
}

static size_t ucs2_next(const unsigned char *bytes, size_t len, uint32_t *ret)
{
	uint32_t first, second;

	*ret = REPLACEMENT;
	if (len < 2)
		return len;
	first = (uint32_t)bytes[0] << 8 | bytes[1];
	if (first < 0xd800 || first > 0xdfff)
		*ret = first;
	if (first < 0xd800 || first > 0xdbff || len < 4)
		return 2;
	second = (uint32_t)bytes[2] << 8 | bytes[3];
	if (second < 0xdc00 || second > 0xdfff)
		return 2;
	*ret = 0x10000 + ((first & 0x3ff) << 10) + (second & 0x3ff);
	return 4;
}

static size_t character_next(enum sms_alphabet alphabet, const unsigned char *bytes, size_t len,
			     uint32_t *ret)
{
	if (alphabet == SMS_GSM7)
		return gsm7_next(bytes, len, ret);
	if (alphabet == SMS_UCS2)
		return ucs2_next(bytes, len, ret);
	*ret = alphabet == SMS_LATIN1 || bytes[0] < 0x80 ? bytes[0] : REPLACEMENT;
	return 1;
}

size_t sms_decode(enum sms_alphabet alphabet, const unsigned char *bytes, size_t len, char *out)
{
	size_t filled = 0;

	for (size_t at = 0; at < len;) {
		uint32_t character;

		at += character_next(alphabet, bytes + at, len - at, &character);
		if (character != 0)
			filled += utf8_put(character, out + filled);
	}
	out[filled] = '\0';
	return filled;
}
