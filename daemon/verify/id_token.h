/* The id_token of a sign-in (OpenID Connect Core 3.1.3.7): signed by a key of the provider with
 * RS256 or ES256 and nothing else, made for us, for this sign-in, now. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

struct jwks;

struct id_token_check {
	const char *token;
	const char *issuer;
	const char *client_id;
	const char *nonce; /* of this sign-in */
	int64_t now_s;
};

struct id_token_claims {
	const char *subject;
	const char *email;   /* NULL: none, or the provider has not checked it */
	bool email_unproved; /* there is one that the provider has not checked */
};

enum id_token_verdict {
	ID_TOKEN_RIGHT,
	ID_TOKEN_UNKNOWN_KEY, /* the provider may have new keys: fetch them and ask again */
	ID_TOKEN_WRONG,
};

/* Claims in the arena, or err with a phrase for the log that holds nothing of the token. */
enum id_token_verdict id_token_check(const struct id_token_check *check, const struct jwks *keys,
				     struct arena *arena, struct id_token_claims *ret,
				     struct error *err);
