/* Any bytes in each alphabet of short messages, and any text split into them: joined again it is
 * the same text. */
#include <string.h>

#include "../../connectors/gsm7.h"
#include "../../connectors/sms_split.h"
#include "../../connectors/sms_text.h"
#include "fuzz/fuzz.h"

enum { TEXT_MAX = 4096 };

static void check_split(const char *text, enum sms_alphabet plain)
{
	static const struct sms_room room = { 160, 153, 70, 67 };
	static char again[TEXT_MAX * 4];
	struct text_estimate estimate;
	struct sms_split split;
	size_t filled = 0;

	if (!sms_split(text, plain, &room, &split))
		return;
	for (size_t i = 0; i < split.count; i++) {
		size_t len;
		const unsigned char *part = sms_split_part(&split, i, &len);

		MUST(len <= 160);
		filled += sms_decode(split.alphabet, part, len, again + filled);
	}
	MUST(strcmp(again, text) == 0);
	sms_estimate(text, &estimate);
	MUST(plain != SMS_GSM7 || estimate.segments == (int)split.count);
	sms_split_clear(&split);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[TEXT_MAX * SMS_UTF8_PER_OCTET + 1];

	if (size > TEXT_MAX / SMS_UTF8_PER_OCTET)
		return 0;
	for (int alphabet = SMS_GSM7; alphabet <= SMS_UCS2; alphabet++) {
		size_t len = sms_decode((enum sms_alphabet)alphabet, data, size, text);

		MUST(len == strlen(text));
		/* What was read is text: it goes out as it is. */
		for (int plain = SMS_GSM7; plain <= SMS_ASCII; plain++)
			check_split(text, (enum sms_alphabet)plain);
	}
	return 0;
}
