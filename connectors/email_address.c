#include <string.h>
#include <strings.h>

#include "email_private.h"

enum { TOKEN_MIN = 16, TOKEN_MAX = 40, ADDRESS_MAX = 320 };

bool email_address_ok(const char *address)
{
	size_t len = address ? strlen(address) : 0;
	const char *at = address ? strrchr(address, '@') : NULL;

	if (!at || at == address || !at[1] || len > ADDRESS_MAX)
		return false;
	for (const char *p = address; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f || strchr("<>,;:\"()[]\\", *p))
			return false;
	return true;
}

const char *email_domain(const char *address)
{
	const char *at = address ? strrchr(address, '@') : NULL;

	return at ? at + 1 : "";
}

/* Are both the same mailbox, where `address` may carry a plus part? */
static bool is_same_mailbox(const char *ours, const char *address, const char **ret_plus)
{
	size_t local = strcspn(ours, "@");
	const char *at = strrchr(address, '@');
	const char *rest = address + local;

	*ret_plus = NULL;
	if (!at || !ours[local] || strcasecmp(ours + local, at) != 0 ||
	    (size_t)(at - address) < local || strncasecmp(ours, address, local) != 0)
		return false;
	if (rest == at)
		return true;
	if (*rest != '+')
		return false;
	*ret_plus = rest + 1;
	return true;
}

static bool find_ours(const struct email_settings *settings, const char *address,
		      const char **ret_plus)
{
	if (!address)
		return false;
	if (settings->address && is_same_mailbox(settings->address, address, ret_plus))
		return true;
	for (size_t i = 0; i < settings->aliases.count; i++)
		if (is_same_mailbox(settings->aliases.items[i], address, ret_plus))
			return true;
	return false;
}

bool email_is_ours(const struct email_settings *settings, const char *address)
{
	const char *plus;

	return find_ours(settings, address, &plus);
}

/* Copies what looks like a token up to end; mail servers may have changed its case. */
static bool token_copy(const char *text, const char *end, char *out)
{
	size_t len = (size_t)(end - text);

	if (len < TOKEN_MIN || len > TOKEN_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
			return false;
		out[i] = c;
	}
	out[len] = '\0';
	return true;
}

bool email_token_of_address(const struct email_settings *settings, const char *address, char *out)
{
	const char *plus;

	if (!find_ours(settings, address, &plus) || !plus)
		return false;
	return token_copy(plus, strrchr(address, '@'), out);
}

static bool is_of_our_domain(const struct email_settings *settings, const char *at)
{
	const char *domain = email_domain(settings->address);
	size_t len = strlen(domain);

	return strncasecmp(at + 1, domain, len) == 0 && strcmp(at + 1 + len, ">") == 0;
}

bool email_id_is_ours(const struct email_settings *settings, const char *message_id)
{
	char token[TOKEN_MAX + 1];
	const char *at = message_id ? strrchr(message_id, '@') : NULL;

	return at && (email_token_of_id(settings, message_id, token) ||
		      (strncasecmp(message_id, "<msg_", 5) == 0 && is_of_our_domain(settings, at)));
}

/* <token.msg@our.domain> */
bool email_token_of_id(const struct email_settings *settings, const char *message_id, char *out)
{
	const char *dot = message_id ? strchr(message_id, '.') : NULL;
	const char *at = message_id ? strrchr(message_id, '@') : NULL;

	if (!dot || !at || dot > at || message_id[0] != '<' || !is_of_our_domain(settings, at))
		return false;
	return token_copy(message_id + 1, dot, out);
}
