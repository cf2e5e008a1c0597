#include "business/business_rows.h"

#include <string.h>

#include "base/text.h"

const char *business_check_id(const char *text)
{
	return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == strlen(text)
		       ? NULL
		       : "must have only a-z, 0-9, \"-\", \"_\" and \".\"";
}

const char *business_check_line(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return "must be one line";
	}
	return NULL;
}

const char *business_check_web_url(const char *text)
{
	size_t scheme = text_starts(text, "https://") ? 8 : text_starts(text, "http://") ? 7 : 0;

	if (scheme == 0)
		return "must start with https:// or http://";
	return text[scheme] == '\0' || strpbrk(text, " \"<>\\@#") != NULL
		       ? "must be a URL without a user, a fragment and spaces"
		       : business_check_line(text);
}

/* The text is a secret: it must not be repeated in what is wrong with it. */
const char *business_check_webhook_secret(const char *text)
{
	unsigned char bytes[128];
	long len = -1;

	if (text_starts(text, "whsec_"))
		len = text_unbase64(text + 6, strlen(text + 6), bytes, sizeof(bytes));
	return len >= 24 && len <= 64 ? NULL : "must be whsec_ and base64 of 24 to 64 bytes";
}
