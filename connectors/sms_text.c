#include "sms_text.h"

#include "gsm7.h"

enum { ALONE_SEPTETS = 160, JOINED_SEPTETS = 153, ALONE_UNITS = 70, JOINED_UNITS = 67 };

long sms_septets(const char *text)
{
	long septets = 0;

	while (*text) {
		int more = gsm7_septets(sms_character(&text));

		if (more == 0)
			return -1;
		septets += more;
	}
	return septets;
}

/* A character is never torn apart between two segments. */
static int segments_of(const char *text, bool is_gsm, int room, int *ret_last)
{
	int segments = 1, filled = 0;

	while (*text) {
		uint32_t character = sms_character(&text);
		int more = is_gsm ? gsm7_septets(character) : (character >= 0x10000 ? 2 : 1);

		if (filled + more > room) {
			segments++;
			filled = 0;
		}
		filled += more;
	}
	*ret_last = filled;
	return segments;
}

void sms_estimate(const char *text, struct text_estimate *ret)
{
	bool is_gsm = sms_septets(text) >= 0;
	int room = is_gsm ? ALONE_SEPTETS : ALONE_UNITS;
	int last;

	ret->encoding = is_gsm ? "GSM-7" : "UCS-2";
	ret->segments = segments_of(text, is_gsm, room, &last);
	if (ret->segments > 1) {
		room = is_gsm ? JOINED_SEPTETS : JOINED_UNITS;
		ret->segments = segments_of(text, is_gsm, room, &last);
	}
	ret->left = (size_t)(room - last);
	for (ret->characters = 0; *text; ret->characters++)
		sms_character(&text);
}
