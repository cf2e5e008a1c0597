/* Authentication-Results (RFC 8601). Anybody can write that header, so only ours
 * counts: our authserv-id, and above the Received fields that a sender could
 * have put there. What a result says in its values was partly chosen by the
 * sender too: they are read by the letter, and what is ambiguous proves nothing. */
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "workers/parse.h"

enum { TOKEN_MAX = 128 };

static const char space[] = " \t\r\n";
static const char name_end[] = " \t\r\n;=(";
static const char value_end[] = " \t\r\n;(";

enum property { HEADER_D, HEADER_I, HEADER_FROM, PROPERTIES };
static const char *const property_names[PROPERTIES] = { "header.d", "header.i", "header.from" };

struct result {
	char method[TOKEN_MAX];
	char value[TOKEN_MAX];
	char properties[PROPERTIES][LIMIT_ADDRESS_BYTES];
	bool is_ambiguous; /* a property twice, or too long to be one */
};

/* Skips space and comments, whose parentheses may nest or be escaped. Servers
 * put addresses into comments as they are: a parenthesis in quotes ends none. */
static const char *skip(const char *p)
{
	size_t depth = 0;
	bool quoted = false;

	for (; *p != '\0'; p++) {
		if (depth > 0 && *p == '\\' && p[1] != '\0')
			p++;
		else if (depth > 0 && (*p == '"' || quoted))
			quoted ^= *p == '"';
		else if (*p == '(')
			depth++;
		else if (depth > 0)
			depth -= *p == ')';
		else if (strchr(space, *p) == NULL)
			break;
	}
	return p;
}

/* Up to one of the ends; what is inside quotes belongs to it. What does not fit is "". */
static const char *token(const char *p, const char *ends, char *out, size_t room)
{
	bool quoted = false;
	size_t len = 0;

	for (; *p != '\0' && (quoted || strchr(ends, *p) == NULL); p++) {
		if (*p == '"') {
			quoted = !quoted;
			continue;
		}
		if (quoted && *p == '\\' && p[1] != '\0')
			p++;
		if (len < room)
			out[len++] = *p;
	}
	out[len < room ? len : 0] = '\0';
	return p;
}

static void property_keep(struct result *result, const char *name, const char *value)
{
	for (size_t i = 0; i < PROPERTIES; i++) {
		if (strcasecmp(name, property_names[i]) != 0)
			continue;
		if (result->properties[i][0] != '\0' || value[0] == '\0')
			result->is_ambiguous = true;
		memcpy(result->properties[i], value, strlen(value) + 1);
	}
}

/* "method=value reason=... ptype.property=value ..." up to ';'. */
static const char *result_read(const char *p, struct result *ret)
{
	*ret = (struct result){ 0 };
	p = skip(token(skip(p), name_end, ret->method, sizeof(ret->method)));
	if (*p == '=')
		p = token(skip(p + 1), value_end, ret->value, sizeof(ret->value));
	while (*(p = skip(p)) != '\0' && *p != ';') {
		char name[TOKEN_MAX];
		char value[LIMIT_ADDRESS_BYTES];

		p = skip(token(p, name_end, name, sizeof(name)));
		if (*p != '=')
			continue;
		p = token(skip(p + 1), value_end, value, sizeof(value));
		property_keep(ret, name, value);
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

/* The domain that signed: d, or of i where only that is told. */
static const char *signer_of(const struct result *result)
{
	const char *d = result->properties[HEADER_D];

	if (d[0] == '\0')
		return domain_of(result->properties[HEADER_I]);
	return strchr(d, '@') == NULL ? d : "";
}

struct author {
	const char *domain; /* of From, as it is compared; NULL: not exactly one */
	bool is_strict;
	struct arena *arena;
};

/* The same domain, or From's lies below the one that signed. The other way round
 * needs the public suffix list: dmarc=pass says it then. */
static bool is_aligned(const struct author *author, const char *signer)
{
	const char *domain = text_domain(author->arena, signer);
	size_t len = strlen(domain);
	size_t from_len = strlen(author->domain);

	if (len == 0 || strchr(domain, '.') == NULL || from_len < len ||
	    !text_equal(author->domain + from_len - len, domain))
		return false;
	if (from_len == len)
		return true;
	return !author->is_strict && author->domain[from_len - len - 1] == '.';
}

static void keep(const char **slot, const struct result *result, struct arena *arena)
{
	/* of several signatures one that passes is enough */
	if (*slot == NULL || strcasecmp(result->value, "pass") == 0)
		*slot = text_lower(arena, text_clean_line(arena, result->value,
							  strlen(result->value), TOKEN_MAX));
}

static bool is_about(const struct author *author, const struct result *result)
{
	const char *from = domain_of(result->properties[HEADER_FROM]);

	return author->domain != NULL && !result->is_ambiguous &&
	       text_equal(text_domain(author->arena, from), author->domain);
}

static void result_use(const struct result *result, const struct author *author,
		       struct mail_auth *ret)
{
	bool pass = strcasecmp(result->value, "pass") == 0;

	if (strcasecmp(result->method, "spf") == 0)
		keep(&ret->spf, result, author->arena);
	if (strcasecmp(result->method, "dkim") == 0) {
		keep(&ret->dkim, result, author->arena);
		ret->is_signed |= pass && author->domain != NULL && !result->is_ambiguous &&
				  is_aligned(author, signer_of(result));
	}
	if (strcasecmp(result->method, "dmarc") == 0) {
		keep(&ret->dmarc, result, author->arena);
		ret->is_vouched |= pass && is_about(author, result);
		ret->is_disowned |= strcasecmp(result->value, "fail") == 0;
	}
}

static void field_use(const char *p, const struct author *author, struct mail_auth *ret)
{
	struct result result;

	while (*p != '\0' && *p != ';') /* a version may follow the id */
		p++;
	if (*p == ';')
		p++;
	while (*skip(p) != '\0') {
		p = result_read(p, &result);
		result_use(&result, author, ret);
	}
}

/* The domain's owner says who may write for it (DMARC): a signature does not outweigh a no. SPF
 * alone is about the envelope, not about From. */
static void decide(struct mail_auth *auth)
{
	bool dkim = auth->is_signed && !auth->is_disowned;

	auth->proved_by = auth->is_vouched ? "dmarc" : dkim ? "dkim" : NULL;
	auth->aligned = auth->proved_by != NULL;
}

/* After ours, p is behind the authserv-id. */
static bool is_ours(const struct field *field, const char *authserv_id, const char **ret_p)
{
	char id[TOKEN_MAX];

	if (strcasecmp(field->name, "Authentication-Results") != 0)
		return false;
	*ret_p = skip(token(skip(field->value), name_end, id, sizeof(id)));
	return strcasecmp(id, authserv_id) == 0;
}

/* Above the first Received all is our own server's work. Further down, where it
 * writes Received fields of its own above its results, the sender's fields follow
 * those results at once: only the first one is surely ours. */
static void results_read(const struct fields *fields, const struct parse_options *options,
			 const struct author *author, struct mail_auth *ret)
{
	struct mail_auth foreign = { 0 };
	size_t received = 0;
	bool is_found = false;
	const char *p;

	for (size_t i = 0; i < fields->count; i++) {
		received += strcasecmp(fields->items[i].name, "Received") == 0;
		if (!is_ours(&fields->items[i], options->authserv_id, &p))
			continue;
		if (received <= options->received_above &&
		    (!is_found || options->received_above == 0))
			field_use(p, author, ret);
		else
			field_use(p, author, &foreign);
		is_found = true;
	}
	decide(ret);
	decide(&foreign);
	ret->is_forged = foreign.proved_by != NULL && ret->proved_by == NULL;
}

/* A name that shows another address than the one that wrote. */
static bool is_name_misleading(const struct mail_address *from, struct arena *arena)
{
	const char *at = strchr(from->name, '@');
	size_t len;

	if (at == NULL || at == from->name)
		return false;
	len = strcspn(at + 1, " \t<>()[],;:\"'");
	if (memchr(at + 1, '.', len) == NULL)
		return false;
	return !text_equal(text_domain(arena, arena_copy(arena, at + 1, len)),
			   text_domain(arena, domain_of(from->address)));
}

static bool is_own(const struct parse_options *options, const char *address)
{
	for (size_t i = 0; i < options->own.count; i++)
		if (address_equal(options->own.items[i], address))
			return true;
	return false;
}

static void suspect(struct mail_auth *auth, bool is_so, const char *why)
{
	if (is_so)
		auth->suspicions[auth->suspicion_count++] = why;
}

void auth_read(const struct fields *fields, const struct parse_options *options,
	       const struct mail_addresses *from, struct arena *arena, struct mail_auth *ret)
{
	/* several authors: no result vouches for all of them */
	bool is_one = from->count == 1 && fields_count(fields, "From") == 1;
	bool is_judged = options->authserv_id != NULL && options->authserv_id[0] != '\0';
	struct author author = { .arena = arena, .is_strict = options->is_strict };

	*ret = (struct mail_auth){ 0 };
	if (is_one)
		author.domain = text_domain(arena, domain_of(from->items[0].address));
	if (is_judged)
		results_read(fields, options, &author, ret);
	suspect(ret, ret->is_forged, "forged_results");
	suspect(ret, ret->is_disowned && ret->proved_by == NULL, "dmarc_failed");
	suspect(ret, !is_one && from->count > 0, "several_authors");
	suspect(ret, from->count > 0 && is_name_misleading(&from->items[0], arena),
		"address_in_name");
	suspect(ret,
		is_judged && ret->proved_by == NULL && from->count > 0 &&
			is_own(options, from->items[0].address),
		"our_address");
}
