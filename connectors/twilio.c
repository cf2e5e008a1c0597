#include "twilio.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SIGNATURE_BYTES = 20, HASH_BYTES = 32 };

const char *twilio_value(const struct host_pair *pairs, long count, const char *name)
{
	for (long i = 0; i < count; i++)
		if (strcmp(pairs[i].name, name) == 0)
			return pairs[i].value;
	return "";
}

static int compare_pairs(const void *a, const void *b)
{
	const struct host_pair *one = a, *other = b;
	int names = strcmp(one->name, other->name);

	return names ? names : strcmp(one->value, other->value);
}

/* Names and values without anything between them; a pair that is there twice counts once. */
static const char *signed_form(const struct host *host, struct arena *arena,
			       const struct host_pair *given, long count)
{
	struct host_pair *pairs = host->alloc(arena, ((size_t)count + 1) * sizeof(*pairs));
	size_t len = 1;
	char *text;
	size_t at = 0;

	for (long i = 0; i < count; i++) {
		pairs[i] = given[i];
		len += strlen(given[i].name) + strlen(given[i].value);
	}
	qsort(pairs, (size_t)count, sizeof(*pairs), compare_pairs);
	text = host->alloc(arena, len);
	for (long i = 0; i < count; i++) {
		if (i > 0 && compare_pairs(&pairs[i - 1], &pairs[i]) == 0)
			continue;
		at += (size_t)snprintf(text + at, len - at, "%s%s", pairs[i].name, pairs[i].value);
	}
	return text;
}

/* Twilio signs the address now with the default port, now without. */
static const char *other_port(const struct host *host, struct arena *arena, const char *url)
{
	bool is_https = strncmp(url, "https://", 8) == 0;
	const char *port = is_https ? ":443" : ":80";
	const char *authority = strstr(url, "://");
	const char *end;
	size_t len;

	if (!authority)
		return url;
	authority += 3;
	end = authority + strcspn(authority, "/?#");
	len = (size_t)(end - url);
	if ((size_t)(end - authority) > strlen(port) &&
	    strncmp(end - strlen(port), port, strlen(port)) == 0)
		return host->format(arena, "%.*s%s", (int)(len - strlen(port)), url, end);
	if (memchr(authority, ':', (size_t)(end - authority)))
		return url;
	return host->format(arena, "%.*s%s%s", (int)len, url, port, end);
}

static bool mac_fits(const struct host *host, const char *token, const char *text,
		     const unsigned char given[SIGNATURE_BYTES])
{
	unsigned char mac[SIGNATURE_BYTES];

	host->hmac_sha1(token, strlen(token), text, strlen(text), mac);
	return host->equal(mac, sizeof(mac), given, SIGNATURE_BYTES);
}

static bool body_is_form(const struct host *host, const struct inbound *in)
{
	const char *type = host->field(in, "content-type");

	return type && strncasecmp(type, "application/x-www-form-urlencoded", 33) == 0;
}

/* What follows the address in the signed text; NULL: the body is not what was signed. */
static const char *signed_body(const struct host *host, const struct inbound *in,
			       struct arena *arena)
{
	const char *wanted = host->query(in, "bodySHA256");
	const struct host_pair *pairs;
	unsigned char hash[HASH_BYTES];
	const char *got;
	long count;

	if (!wanted && in->body_len == 0)
		return "";
	if (!wanted) {
		count = body_is_form(host, in)
				? host->form_read(in->body, in->body_len, arena, &pairs)
				: -1;
		return count < 0 ? NULL : signed_form(host, arena, pairs, count);
	}
	host->sha256(in->body, in->body_len, hash);
	got = host->hex(arena, hash, sizeof(hash));
	return host->equal(got, strlen(got), wanted, strlen(wanted)) ? "" : NULL;
}

bool twilio_signature_fits(const struct host *host, const struct inbound *in, struct arena *arena,
			   const char *const *tokens)
{
	const char *header = host->field(in, "x-twilio-signature");
	unsigned char given[SIGNATURE_BYTES];
	const char *url, *body;
	bool fits = false;

	if (!header || !in->public_url ||
	    host->unbase64(header, strlen(header), given, sizeof(given)) != SIGNATURE_BYTES)
		return false;
	body = signed_body(host, in, arena);
	if (!body)
		return false;
	url = host->format(arena, "%s%s", in->public_url, in->target);
	for (; *tokens; tokens++) {
		if (!(*tokens)[0])
			continue;
		fits |= mac_fits(host, *tokens, host->format(arena, "%s%s", url, body), given);
		fits |= mac_fits(host, *tokens,
				 host->format(arena, "%s%s", other_port(host, arena, url), body),
				 given);
	}
	return fits;
}
