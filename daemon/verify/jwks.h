/* The keys that a sign-in provider publishes (JWK Set, RFC 7517). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct jwks;

enum { JWKS_MAX_BYTES = 256 * 1024, JWKS_MAX_KEYS = 50 };

/* Keys that verify RS256 or ES256; others of the set are passed over, and so is what comes after
 * JWKS_MAX_KEYS. NULL with err where it is no set, or none of its keys is of use. */
struct jwks *jwks_parse(const char *bytes, size_t len, struct error *err);
void jwks_free(struct jwks **set);

/* Which signature, by which key. */
struct jwks_question {
	const char *algorithm; /* "RS256", "ES256" */
	const char *kid;       /* NULL: the token names none, and then there must be one key only */
	const void *bytes;     /* that were signed */
	size_t len;
	const void *sig;
	size_t sig_len;
};
enum jwks_answer { JWKS_FITS, JWKS_UNKNOWN_KEY, JWKS_FORGED };
enum jwks_answer jwks_ask(const struct jwks *set, const struct jwks_question *question);
