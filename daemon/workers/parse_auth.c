/* Authentication-Results (RFC 8601). Anybody can write that header, so only ours
 * counts: our authserv-id, and above the Received fields that a sender could
 * have put there. */
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/text.h"
#include "workers/parse.h"

enum { TOKEN_MAX = 128 };

struct result {
	char method[TOKEN_MAX];
	char value[TOKEN_MAX];
	char domain[LIMIT_ADDRESS_BYTES]; /* header.d, smtp.mailfrom or header.from */
};

static bool is_separator(char c)
{
	return c == ';' || c == ' ' || c == '\t' || c == '=';
}

/* Skips space and comments. */
static const char *skip(const char *p)
{
	while (*p == ' ' || *p == '\t' || *p == '(') {
		size_t depth = 0;

		if (*p != '(') {
			p++;
			continue;
		}
		do {
			depth += *p == '(';
			depth -= *p == ')';
			p++;
		} while (*p != '\0' && depth > 0);
	}
	return p;
}

/* A word, or what is inside quotes. */
static const char *token(const char *p, char *out, size_t room)
{
	bool quoted = *p == '"';
	size_t len = 0;

	p += quoted;
	while (*p != '\0' && (quoted ? *p != '"' : !is_separator(*p) && *p != '(')) {
		if (len + 1 < room)
			out[len++] = *p;
		p++;
	}
	out[len] = '\0';
	return quoted && *p == '"' ? p + 1 : p;
}

/* "method=value reason=... ptype.property=value ..." up to ';'. */
static const char *result_read(const char *p, struct result *ret)
{
	*ret = (struct result){ 0 };
	p = skip(token(skip(p), ret->method, sizeof(ret->method)));
	if (*p == '=')
		p = token(skip(p + 1), ret->value, sizeof(ret->value));
	while (*(p = skip(p)) != '\0' && *p != ';') {
		char name[TOKEN_MAX];
		char value[LIMIT_ADDRESS_BYTES];
		const char *start = p;

		p = skip(token(p, name, sizeof(name)));
		value[0] = '\0';
		if (*p == '=')
			p = token(skip(p + 1), value, sizeof(value));
		if (strcasecmp(name, "header.d") == 0 || strcasecmp(name, "smtp.mailfrom") == 0 ||
		    strcasecmp(name, "header.from") == 0)
			memcpy(ret->domain, value, sizeof(value));
		if (p == start)
			p++;
	}
	/* "dkim/1": the version */
	ret->method[strcspn(ret->method, "/")] = '\0';
	return *p == ';' ? p + 1 : p;
}

static const char *domain_of(const char *address)
{
	const char *at = strrchr(address, '@');

	return at == NULL ? address : at + 1;
}

/* The same domain, or From's lies below the one that signed. The other way round
 * needs the public suffix list: dmarc=pass says it then. */
static bool is_aligned(const char *domain, const char *from)
{
	const char *of_from = domain_of(from);
	size_t len = strlen(domain);
	size_t from_len = strlen(of_from);

	if (len == 0 || strchr(domain, '.') == NULL || from_len < len)
		return false;
	if (strcasecmp(of_from + from_len - len, domain) != 0)
		return false;
	return from_len == len || of_from[from_len - len - 1] == '.';
}

static void keep(const char **slot, const struct result *result, struct arena *arena)
{
	/* of several signatures one that passes is enough */
	if (*slot == NULL || strcasecmp(result->value, "pass") == 0)
		*slot = text_lower(arena, text_clean_line(arena, result->value,
							  strlen(result->value), TOKEN_MAX));
}

static void result_use(const struct result *result, const char *from, struct arena *arena,
		       struct mail_auth *ret)
{
	bool pass = strcasecmp(result->value, "pass") == 0;

	if (strcasecmp(result->method, "spf") == 0)
		keep(&ret->spf, result, arena);
	if (strcasecmp(result->method, "dkim") == 0) {
		keep(&ret->dkim, result, arena);
		if (pass && from != NULL && is_aligned(result->domain, from) &&
		    ret->proved_by == NULL)
			ret->proved_by = "dkim";
	}
	if (strcasecmp(result->method, "dmarc") == 0) {
		keep(&ret->dmarc, result, arena);
		if (pass && from != NULL &&
		    strcasecmp(domain_of(result->domain), domain_of(from)) == 0)
			ret->proved_by = "dmarc";
	}
	ret->aligned = ret->proved_by != NULL;
}

static void field_use(const char *value, const char *authserv_id, const char *from,
		      struct arena *arena, struct mail_auth *ret)
{
	char id[TOKEN_MAX];
	struct result result;
	const char *p = skip(token(skip(value), id, sizeof(id)));

	if (strcasecmp(id, authserv_id) != 0)
		return;
	while (*p != '\0' && *p != ';') /* a version may follow the id */
		p++;
	if (*p == ';')
		p++;
	while (*skip(p) != '\0') {
		p = result_read(p, &result);
		result_use(&result, from, arena, ret);
	}
}

void auth_read(const struct fields *fields, const struct parse_options *options, const char *from,
	       struct arena *arena, struct mail_auth *ret)
{
	size_t received = 0;

	*ret = (struct mail_auth){ 0 };
	if (options->authserv_id == NULL || options->authserv_id[0] == '\0')
		return;
	for (size_t i = 0; i < fields->count && received <= options->received_above; i++) {
		if (strcasecmp(fields->items[i].name, "Received") == 0)
			received++;
		else if (strcasecmp(fields->items[i].name, "Authentication-Results") == 0)
			field_use(fields->items[i].value, options->authserv_id, from, arena, ret);
	}
}
