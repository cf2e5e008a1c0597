#include "api/oidc_attempt.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/text.h"
#include "config.h"

enum { SEED_BYTES = 16 };

static void derive(const struct oidc_bench *bench, const char *what, const char *cookie,
		   size_t cookie_len, char out[OIDC_SECRET_TEXT])
{
	unsigned char bytes[SHA256_BYTES];

	mac_begin(bench->key);
	mac_add(bench->key, "oidc", sizeof("oidc"));
	mac_add(bench->key, what, strlen(what) + 1);
	mac_add(bench->key, bench->oidc->issuer, strlen(bench->oidc->issuer) + 1);
	mac_add(bench->key, bench->oidc->client_id, strlen(bench->oidc->client_id) + 1);
	mac_add(bench->key, cookie, cookie_len);
	mac_end(bench->key, bytes);
	text_base64url(bytes, sizeof(bytes), out);
}

static void fill(const struct oidc_bench *bench, const char *cookie, size_t len,
		 struct oidc_attempt *ret)
{
	derive(bench, "state", cookie, len, ret->state);
	derive(bench, "nonce", cookie, len, ret->nonce);
	derive(bench, "verifier", cookie, len, ret->verifier);
}

void oidc_attempt_make(const struct oidc_bench *bench, const char *workspace,
		       struct oidc_attempt *ret, char cookie[OIDC_COOKIE_BYTES])
{
	unsigned char seed[SEED_BYTES];
	char hex[2 * SEED_BYTES + 1];
	char seal[OIDC_SECRET_TEXT];
	size_t len;

	crypto_random(seed, sizeof(seed));
	text_hex(seed, sizeof(seed), hex);
	snprintf(cookie, OIDC_COOKIE_BYTES, "%s.%" PRId64 ".%s", workspace, bench->now_s, hex);
	len = strlen(cookie);
	ret->workspace = workspace;
	fill(bench, cookie, len, ret);
	derive(bench, "seal", cookie, len, seal);
	snprintf(cookie + len, OIDC_COOKIE_BYTES - len, ".%s", seal);
}

bool oidc_attempt_read(const struct oidc_bench *bench, const char *cookie, struct arena *arena,
		       struct oidc_attempt *ret)
{
	const char *seal = cookie == NULL ? NULL : strrchr(cookie, '.');
	const char *begun = cookie == NULL ? NULL : strchr(cookie, '.');
	char right[OIDC_SECRET_TEXT];
	uint64_t begun_s = 0;

	if (seal == NULL || seal == begun || strlen(cookie) >= OIDC_COOKIE_BYTES)
		return false;
	derive(bench, "seal", cookie, (size_t)(seal - cookie), right);
	if (!crypto_equal(right, strlen(right), seal + 1, strlen(seal + 1)) ||
	    !text_uint(begun + 1, strcspn(begun + 1, "."), &begun_s))
		return false;
	if ((int64_t)begun_s > bench->now_s + OIDC_ATTEMPT_S ||
	    (int64_t)begun_s + OIDC_ATTEMPT_S < bench->now_s)
		return false;
	ret->workspace = arena_copy(arena, cookie, (size_t)(begun - cookie));
	fill(bench, cookie, (size_t)(seal - cookie), ret);
	return true;
}

void oidc_challenge(const char *verifier, char out[OIDC_SECRET_TEXT])
{
	unsigned char hash[SHA256_BYTES];

	crypto_sha256(verifier, strlen(verifier), hash);
	text_base64url(hash, sizeof(hash), out);
}
