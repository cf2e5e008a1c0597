/* One sign-in through the provider, between leaving the page and coming back. All of it is in a
 * cookie that the installation key vouches for; state, nonce and PKCE verifier are derived from it,
 * so that any instance can take the browser back. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

struct config_oidc;
struct mac;

enum { OIDC_ATTEMPT_S = 600, OIDC_SECRET_TEXT = 44, OIDC_COOKIE_BYTES = 200 };

struct oidc_attempt {
	const char *workspace;
	char state[OIDC_SECRET_TEXT];
	char nonce[OIDC_SECRET_TEXT];
	char verifier[OIDC_SECRET_TEXT];
};

/* Whose key, which provider, when. */
struct oidc_bench {
	struct mac *key;
	const struct config_oidc *oidc;
	int64_t now_s;
};

/* workspace is borrowed. */
void oidc_attempt_make(const struct oidc_bench *bench, const char *workspace,
		       struct oidc_attempt *ret, char cookie[OIDC_COOKIE_BYTES]);
/* False where the cookie is not ours, of another provider, or too old. */
bool oidc_attempt_read(const struct oidc_bench *bench, const char *cookie, struct arena *arena,
		       struct oidc_attempt *ret);
/* S256 of the verifier (RFC 7636). */
void oidc_challenge(const char *verifier, char out[OIDC_SECRET_TEXT]);
