#include <criterion/criterion.h>
#include <string.h>

#include "../../connectors/gsm7.h"
#include "../../connectors/sms_split.h"
#include "../../connectors/sms_udh.h"
#include "base/text.h"

static const struct {
	enum sms_alphabet alphabet;
	const char *octets;
	size_t len;
	const char *text;
} texts[] = {
	{ SMS_GSM7, "Hello\0", 6, "Hello@" },
	{ SMS_GSM7, "\x02\x1b\x65\x1b\x28\x1b\x3c", 7, "$€{[" },
	{ SMS_GSM7, "\x10\x5f\x7f\x00", 4, "Δ§à@" },
	{ SMS_LATIN1, "\xe9\xff", 2, "éÿ" },
	{ SMS_ASCII, "a~", 2, "a~" },
	{ SMS_UCS2, "\x4f\x60\x59\x7d", 4, "你好" },
	{ SMS_UCS2, "\xd8\x3d\xde\x00", 4, "😀" },
};

Test(gsm7, reads_and_writes_each_alphabet)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		unsigned char octets[64];
		char text[64];
		const char *at = texts[i].text;
		size_t len = 0;

		cr_expect_eq(sms_decode(texts[i].alphabet, (const unsigned char *)texts[i].octets,
					texts[i].len, text),
			     strlen(texts[i].text));
		cr_expect_str_eq(text, texts[i].text, "%zu", i);
		while (*at)
			len += sms_encode(texts[i].alphabet, sms_character(&at), octets + len);
		cr_expect_eq(len, texts[i].len, "%zu", i);
		cr_expect_arr_eq(octets, texts[i].octets, len, "%zu", i);
	}
}

static const struct {
	enum sms_alphabet alphabet;
	const char *octets;
	size_t len;
	const char *text;
} odd[] = {
	{ SMS_GSM7, "a\x1b", 2, "a " },
	{ SMS_GSM7, "\x1b\x61", 2, "a" },
	{ SMS_GSM7, "\x80", 1, "�" },
	{ SMS_ASCII, "\xe9\0a", 3, "�a" },
	{ SMS_UCS2, "\x4f", 1, "�" },
	{ SMS_UCS2, "\xd8\x3d\0a", 4, "�a" },
	{ SMS_UCS2, "\xde\x00\0a\0\0", 6, "�a" },
};

Test(gsm7, reads_what_is_no_character)
{
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		char text[64];

		sms_decode(odd[i].alphabet, (const unsigned char *)odd[i].octets, odd[i].len, text);
		cr_expect_str_eq(text, odd[i].text, "%zu: %s", i, text);
	}
}

Test(gsm7, counts_the_extension_table_twice)
{
	static const char extended[] = "\f^{}\\[~]|€";

	for (const char *at = extended; *at;)
		cr_expect_eq(gsm7_septets(sms_character(&at)), 2);
	cr_expect_eq(gsm7_septets('@'), 1);
	cr_expect_eq(gsm7_septets('`'), 0);
	cr_expect_eq(gsm7_septets(0), 0);
}

/* ---- parts ---- */

static const struct sms_room room = { 160, 153, 70, 67 };

static const struct {
	const char *unit;
	int count;
	enum sms_alphabet plain;
	enum sms_alphabet alphabet;
	size_t parts;
	size_t first; /* octets of the first */
} splits[] = {
	{ "", 0, SMS_GSM7, SMS_GSM7, 1, 0 },
	{ "a", 160, SMS_GSM7, SMS_GSM7, 1, 160 },
	{ "a", 161, SMS_GSM7, SMS_GSM7, 2, 153 },
	{ "€", 80, SMS_GSM7, SMS_GSM7, 1, 160 },
	{ "€", 81, SMS_GSM7, SMS_GSM7, 2, 152 }, /* no escape apart from its character */
	{ "中", 70, SMS_GSM7, SMS_UCS2, 1, 140 },
	{ "中", 71, SMS_GSM7, SMS_UCS2, 2, 134 },
	{ "😀", 36, SMS_GSM7, SMS_UCS2, 2, 132 }, /* no torn pair */
	{ "é", 161, SMS_LATIN1, SMS_LATIN1, 2, 153 },
	{ "[", 81, SMS_LATIN1, SMS_LATIN1, 2, 76 }, /* two septets on the air */
	{ "€", 1, SMS_LATIN1, SMS_UCS2, 1, 2 },
	{ "é", 1, SMS_ASCII, SMS_UCS2, 1, 2 },
};

Test(sms_split, tears_no_character_apart_and_joins_to_the_same_text)
{
	for (size_t i = 0; i < sizeof(splits) / sizeof(splits[0]); i++) {
		char text[1000] = "", again[3000] = "";
		struct sms_split split;
		size_t len;

		for (int j = 0; j < splits[i].count; j++)
			strcat(text, splits[i].unit);
		cr_assert(sms_split(text, splits[i].plain, &room, &split));
		cr_expect_eq(split.alphabet, splits[i].alphabet, "%zu", i);
		cr_expect_eq(split.count, splits[i].parts, "%zu: %zu", i, split.count);
		sms_split_part(&split, 0, &len);
		cr_expect_eq(len, splits[i].first, "%zu: %zu", i, len);
		for (size_t j = 0; j < split.count; j++) {
			const unsigned char *part = sms_split_part(&split, j, &len);

			sms_decode(split.alphabet, part, len, again + strlen(again));
		}
		cr_expect_str_eq(again, text, "%zu", i);
		sms_split_clear(&split);
	}
}

Test(sms_split, refuses_more_than_255_parts)
{
	static char text[153 * 255 + 2];
	struct sms_split split;

	memset(text, 'a', 153 * 255);
	cr_expect(sms_split(text, SMS_GSM7, &room, &split));
	cr_expect_eq(split.count, 255);
	sms_split_clear(&split);
	text[153 * 255] = 'a';
	cr_expect_not(sms_split(text, SMS_GSM7, &room, &split));
}

/* ---- the header ---- */

Test(sms_udh, reads_what_it_writes)
{
	for (int wide = 0; wide < 2; wide++) {
		struct sms_part part = {
			.ref = wide ? 0x1234 : 0x2a, .is_wide = wide, .total = 3, .number = 2
		};
		unsigned char out[SMS_UDH_MAX + 1];
		struct sms_part read;
		size_t len = sms_udh_write(&part, out);

		cr_expect_eq(len, wide ? 7 : 6);
		cr_expect_eq(sms_udh_read(out, len, &read), len);
		cr_expect_eq(read.ref, part.ref);
		cr_expect_eq(read.total, 3);
		cr_expect_eq(read.number, 2);
		cr_expect_eq(read.is_wide, wide == 1);
	}
}

static const struct {
	const char *octets;
	size_t len;
	size_t header;
	unsigned total;
} headers[] = {
	{ "", 0, 0, 0 },
	{ "\x05\x00\x03", 3, 0, 0 },                               /* past the end */
	{ "\x05\x00\x03\x2a\x02\x03", 6, 6, 0 },                   /* part 3 of 2 */
	{ "\x05\x00\x03\x2a\x02\x00", 6, 6, 0 },                   /* part 0 */
	{ "\x05\x00\x04\x2a\x02\x01", 6, 6, 0 },                   /* an element past the header */
	{ "\x00", 1, 1, 0 },                                       /* empty */
	{ "\x09\x24\x02\x01\x01\x00\x03\x2a\x02\x01", 10, 10, 2 }, /* behind another one */
};

Test(sms_udh, passes_over_what_makes_no_sense)
{
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		struct sms_part part;

		cr_expect_eq(sms_udh_read((const unsigned char *)headers[i].octets, headers[i].len,
					  &part),
			     headers[i].header, "%zu", i);
		cr_expect_eq(part.total, headers[i].total, "%zu", i);
	}
}
