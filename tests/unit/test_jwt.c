#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/memory.h"
#include "base/text.h"
#include "verify/jwt.h"

enum { NOW_S = 1767322800 };

static const char secret[] = "0123456789abcdef0123456789abcdef";
#define HS "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define CLAIMS "{\"sub\":\"u1\",\"aud\":\"site\",\"exp\":1767323400}"

static char *encoded(struct arena *arena, const void *bytes, size_t len)
{
	char *out = arena_alloc(arena, 4 * (len / 3 + 1) + 1);

	text_base64url(bytes, len, out);
	return out;
}

static char *signed_hs256(struct arena *arena, const char *header, const char *payload)
{
	unsigned char bytes[SHA256_BYTES];
	struct mac *mac = mac_new(secret, sizeof(secret) - 1);
	char *text = arena_format(arena, "%s.%s", encoded(arena, header, strlen(header)),
				  encoded(arena, payload, strlen(payload)));

	mac_once(mac, text, strlen(text), bytes);
	mac_free(&mac);
	return arena_format(arena, "%s.%s", text, encoded(arena, bytes, sizeof(bytes)));
}

static struct host_jwt check_of(const char *token)
{
	return (struct host_jwt){ .token = token,
				  .secret = secret,
				  .secret_len = sizeof(secret) - 1,
				  .audience = "site",
				  .now_s = NOW_S };
}

struct row {
	const char *header, *payload;
	const char *error; /* NULL: accepted */
};

static const struct row rows[] = {
	{ HS, CLAIMS, NULL },
	{ "{\"alg\":\"HS256\"}", CLAIMS, NULL },
	{ HS, "{\"sub\":\"u1\",\"aud\":[\"other\",\"site\"],\"exp\":1767323400}", NULL },
	{ HS, "{\"sub\":\"u1\",\"aud\":\"site\",\"exp\":1767322741}", NULL },
	{ HS, "{\"sub\":\"u1\",\"aud\":\"site\",\"exp\":1767322740}", "expired" },
	{ HS, "{\"sub\":\"u1\",\"aud\":\"site\",\"exp\":1767326460}", NULL },
	{ HS, "{\"sub\":\"u1\",\"aud\":\"site\",\"exp\":1767326461}", "more than an hour" },
	{ HS, "{\"sub\":\"u1\",\"aud\":\"site\"}", "exp is missing" },
	{ HS, "{\"sub\":\"u1\",\"aud\":\"site\",\"exp\":null}", "exp is missing" },
	{ HS, "{\"sub\":\"u1\",\"aud\":\"site\",\"exp\":\"1767323400\"}", "whole number" },
	{ HS, "{\"sub\":\"u1\",\"aud\":\"site\",\"exp\":1767323400.5}", "whole number" },
	{ HS, "{\"sub\":\"u1\",\"aud\":\"site\",\"exp\":-1}", "whole number" },
	{ HS, "{\"sub\":\"u1\",\"aud\":\"site\",\"exp\":1767323400,\"nbf\":1767322860}", NULL },
	{ HS, "{\"sub\":\"u1\",\"aud\":\"site\",\"exp\":1767323400,\"nbf\":1767322861}",
	  "not valid yet" },
	{ HS, "{\"sub\":\"u1\",\"aud\":\"site\",\"exp\":1767323400,\"iat\":1767322861}",
	  "in the future" },
	{ HS, "{\"sub\":\"u1\",\"aud\":\"site\",\"exp\":1767323400,\"iat\":true}", "whole number" },
	{ HS, "{\"sub\":\"u1\",\"exp\":1767323400}", "aud" },
	{ HS, "{\"sub\":\"u1\",\"aud\":\"sit\",\"exp\":1767323400}", "aud" },
	{ HS, "{\"sub\":\"u1\",\"aud\":[],\"exp\":1767323400}", "aud" },
	{ HS, "{\"sub\":\"u1\",\"aud\":{\"site\":1},\"exp\":1767323400}", "aud" },
	{ HS, "{\"aud\":\"site\",\"exp\":1767323400}", "sub" },
	{ HS, "{\"sub\":\"\",\"aud\":\"site\",\"exp\":1767323400}", "sub" },
	{ HS, "{\"sub\":7,\"aud\":\"site\",\"exp\":1767323400}", "sub" },
	{ HS, "{\"sub\":\"u1\",\"aud\":\"site\",\"exp\":1767323400,\"name\":7}", "name" },
	{ HS, "{\"sub\":\"u1\",\"sub\":\"u2\",\"aud\":\"site\",\"exp\":1767323400}", "payload" },
	{ HS, "[]", "not a JSON object" },
	{ HS, "", "payload" },
	{ "{\"alg\":\"none\"}", CLAIMS, "signature" },
	{ "{\"alg\":\"None\"}", CLAIMS, "signature" },
	{ "{\"alg\":\"hs256\"}", CLAIMS, "signature" },
	{ "{\"alg\":\"HS384\"}", CLAIMS, "signature" },
	{ "{\"alg\":\"EdDSA\"}", CLAIMS, "signature" },
	{ "{\"alg\":\"\"}", CLAIMS, "signature" },
	{ "{\"alg\":256}", CLAIMS, "no alg" },
	{ "{}", CLAIMS, "no alg" },
	{ "{\"alg\":\"HS256\",\"typ\":\"JWE\"}", CLAIMS, "typ" },
	{ "{\"alg\":\"HS256\",\"typ\":1}", CLAIMS, "typ" },
	{ "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", CLAIMS, "crit" },
	{ "[\"HS256\"]", CLAIMS, "not a JSON object" },
	{ "nonsense", CLAIMS, "header" },
};

Test(jwt, accepts_only_what_every_rule_allows)
{
	struct arena *arena = arena_new(0);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct host_jwt check =
			check_of(signed_hs256(arena, rows[i].header, rows[i].payload));
		struct host_jwt_claims claims = { 0 };
		struct error err = { 0 };
		int status = jwt_check(&check, arena, &claims, &err);

		cr_expect_eq(status, rows[i].error ? -1 : 0, "row %zu %s: %s", i, rows[i].payload,
			     err.text);
		if (rows[i].error)
			cr_expect(strstr(err.text, rows[i].error), "row %zu: %s", i, err.text);
		else
			cr_expect_str_eq(claims.subject, "u1");
	}
	arena_free(&arena);
}

Test(jwt, refuses_every_changed_or_cut_token)
{
	struct arena *arena = arena_new(0);
	char *good = signed_hs256(arena, HS, CLAIMS);
	size_t len = strlen(good);
	struct host_jwt_claims claims;

	for (size_t i = 0; i < len; i++) {
		char *changed = arena_text(arena, good);
		struct host_jwt check = check_of(changed);

		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		cr_expect_lt(jwt_check(&check, arena, &claims, NULL), 0, "byte %zu", i);
		changed = arena_copy(arena, good, i);
		check.token = changed;
		cr_expect_lt(jwt_check(&check, arena, &claims, NULL), 0, "cut at %zu", i);
	}
	arena_free(&arena);
}

Test(jwt, refuses_tokens_of_another_shape)
{
	struct arena *arena = arena_new(0);
	char *good = signed_hs256(arena, HS, CLAIMS);
	const char *const bad[] = {
		"",
		".",
		"..",
		"...",
		"a.b.c",
		arena_format(arena, "%s.", good),
		arena_format(arena, "%s=", good),
		arena_format(arena, " %s", good),
		arena_format(arena, "%s%9000d", good, 0),
		NULL,
	};
	struct host_jwt_claims claims;

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct host_jwt check = check_of(bad[i]);

		cr_expect_lt(jwt_check(&check, arena, &claims, NULL), 0, "row %zu", i);
	}
	arena_free(&arena);
}

Test(jwt, asks_for_the_issuer_where_one_is_set_and_for_a_key_of_ours)
{
	struct arena *arena = arena_new(0);
	struct host_jwt check =
		check_of(signed_hs256(arena, HS,
				      "{\"sub\":\"u1\",\"aud\":\"site\",\"exp\":1767323400,\"iss\":"
				      "\"shop\",\"name\":\"孟\"}"));
	struct host_jwt_claims claims;

	check.issuer = "shop";
	cr_assert_eq(jwt_check(&check, arena, &claims, NULL), 0);
	cr_assert_str_eq(claims.name, "孟");
	cr_assert_null(claims.email);
	check.issuer = "other";
	cr_assert_lt(jwt_check(&check, arena, &claims, NULL), 0);
	check.issuer = NULL;
	check.secret = NULL;
	cr_assert_lt(jwt_check(&check, arena, &claims, NULL), 0);
	check.secret = "";
	check.secret_len = 0;
	cr_assert_lt(jwt_check(&check, arena, &claims, NULL), 0);
	arena_free(&arena);
}

Test(jwt, takes_eddsa_with_its_key_and_never_a_key_as_a_secret)
{
	struct arena *arena = arena_new(0);
	static const unsigned char seed[32] = { 1, 2, 3 };
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof(seed));
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char public_key[32], signature[64];
	size_t public_len = sizeof(public_key), signature_len = sizeof(signature);
	const char *header = "{\"alg\":\"EdDSA\"}";
	char *text = arena_format(arena, "%s.%s", encoded(arena, header, strlen(header)),
				  encoded(arena, CLAIMS, strlen(CLAIMS)));
	struct host_jwt check = { .audience = "site", .now_s = NOW_S, .public_key = public_key };
	struct host_jwt_claims claims;

	EVP_PKEY_get_raw_public_key(key, public_key, &public_len);
	EVP_DigestSignInit(context, NULL, NULL, NULL, key);
	EVP_DigestSign(context, signature, &signature_len, (unsigned char *)text, strlen(text));
	check.token = arena_format(arena, "%s.%s", text, encoded(arena, signature, 64));
	cr_assert_eq(jwt_check(&check, arena, &claims, NULL), 0);
	signature[10] ^= 1;
	check.token = arena_format(arena, "%s.%s", text, encoded(arena, signature, 64));
	cr_assert_lt(jwt_check(&check, arena, &claims, NULL), 0);
	/* The old trick: HS256 keyed with the public key. */
	check.token = signed_hs256(arena, HS, CLAIMS);
	cr_assert_lt(jwt_check(&check, arena, &claims, NULL), 0);
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	arena_free(&arena);
}
