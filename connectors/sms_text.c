#include "sms_text.h"

#include <string.h>

enum { ALONE_SEPTETS = 160, JOINED_SEPTETS = 153, ALONE_UNITS = 70, JOINED_UNITS = 67 };

/* One septet each; those of the extension table take two. */
static const char basic[] = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
			    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
static const char extended[] = "\f^{}\\[~]|€";

static size_t character_len(const char *at)
{
	unsigned char byte = (unsigned char)*at;

	return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

static bool has_character(const char *alphabet, const char *at, size_t len)
{
	for (; *alphabet; alphabet += character_len(alphabet))
		if (character_len(alphabet) == len && memcmp(alphabet, at, len) == 0)
			return true;
	return false;
}

static int septets_of(const char *at, size_t len)
{
	if (has_character(basic, at, len))
		return 1;
	return has_character(extended, at, len) ? 2 : -1;
}

long sms_septets(const char *text)
{
	long septets = 0;

	for (; *text; text += character_len(text)) {
		int more = septets_of(text, character_len(text));

		if (more < 0)
			return -1;
		septets += more;
	}
	return septets;
}

/* A character is never torn apart between two segments. */
static int segments_of(const char *text, bool is_gsm, int room, int *ret_last)
{
	int segments = 1, filled = 0;

	for (; *text; text += character_len(text)) {
		int more = is_gsm ? septets_of(text, character_len(text))
				  : (character_len(text) == 4 ? 2 : 1);

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
	ret->characters = 0;
	for (; *text; text += character_len(text))
		ret->characters++;
}
