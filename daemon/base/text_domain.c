#include <idn2.h>
#include <string.h>

#include "base/text.h"

enum { DOMAIN_MAX = 255 };

static char *domain_lower(struct arena *arena, const char *domain)
{
	size_t len = strlen(domain);
	char *lower = text_lower(arena, domain);

	if (len > 1 && lower[len - 1] == '.')
		lower[len - 1] = '\0';
	return lower;
}

char *text_domain(struct arena *arena, const char *domain)
{
	char *ascii = NULL;
	char *out;
	size_t len = strlen(domain);

	if (text_ascii(domain, len) == len || len > DOMAIN_MAX || !text_is_utf8(domain, len) ||
	    idn2_to_ascii_8z(domain, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return domain_lower(arena, domain);
	out = domain_lower(arena, ascii);
	idn2_free(ascii);
	return out;
}
