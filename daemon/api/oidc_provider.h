/* What the provider of oidc.issuer says of itself (OpenID Connect Discovery): its endpoints and its
 * keys, fetched when they are first needed and kept for an hour. Who asks meanwhile waits for the
 * one answer; a provider that fails is left alone for a moment. */
#pragma once

#include <stdbool.h>

struct api_call;
struct jwks;
struct oidc_provider;
struct parts;

/* Valid until the loop's next turn. */
struct oidc_facts {
	const char *authorization_endpoint;
	const char *token_endpoint;
	bool secret_in_body; /* it takes client_secret_post only */
	bool names_issuer;   /* it always sends iss back (RFC 9207) */
	const struct jwks *keys;
};

enum oidc_freshness {
	OIDC_KNOWN,
	OIDC_NEW_KEYS, /* a token names a key that is not among them: once a minute they are
			* fetched anew, else what is known is told */
};

/* facts: of the provider that is configured now; NULL where there is none, or where it does not
 * answer as it should: why is in the log. */
typedef void oidc_facts_fn(struct api_call *call, const struct oidc_facts *facts);

struct oidc_provider *oidc_provider_new(struct parts *parts);
void oidc_provider_free(struct oidc_provider **provider);

/* May call done before it returns. */
void oidc_provider_ask(struct oidc_provider *provider, struct api_call *call,
		       enum oidc_freshness freshness, oidc_facts_fn *done);
/* May an endpoint be talked to: TLS, or a provider in a private network? */
bool oidc_url_is_fine(const struct parts *parts, const char *url);
