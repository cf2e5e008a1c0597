#include <criterion/criterion.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <string.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/memory.h"
#include "base/text.h"
#include "verify/id_token.h"
#include "verify/jwks.h"

enum { NOW_S = 1767322800, SIG_BYTES = 64 };

/* RFC 7515, A.2 and A.3: the keys, what was signed, and the signatures. */
#define RSA_N                                                                                      \
	"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt" \
	"0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSX" \
	"ndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5" \
	"IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
#define EC_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define EC_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define EC_D "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"
#define RSA_JWK "{\"kty\":\"RSA\",\"kid\":\"r\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\"}"
#define EC_JWK                                                                                     \
	"{\"kty\":\"EC\",\"kid\":\"e\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}"
#define SET(keys) "{\"keys\":[" keys "]}"

static const char rfc_payload[] = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGF"
				  "tcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
static const char rsa_sig[] =
	"cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2F"
	"p5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQB"
	"MHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeY"
	"I2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
static const char ec_sig[] =
	"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

static struct jwks *set_of(const char *json)
{
	struct error err = { 0 };

	return jwks_parse(json, strlen(json), &err);
}

static enum jwks_answer ask(const char *set_json, const char *algorithm, const char *kid,
			    const char *sig, const char *head)
{
	struct jwks *set = set_of(set_json);
	unsigned char bytes[300];
	long len = text_unbase64url(sig, strlen(sig), bytes, sizeof(bytes));
	struct arena *arena = arena_new(0);
	char *text = arena_format(arena, "%s.%s", head, rfc_payload);
	enum jwks_answer answer =
		jwks_ask(set, &(struct jwks_question){ algorithm, kid, text, strlen(text), bytes,
						       (size_t)len });

	cr_assert(len > 0);
	jwks_free(&set);
	arena_free(&arena);
	return answer;
}

#define RS_HEAD "eyJhbGciOiJSUzI1NiJ9"
#define ES_HEAD "eyJhbGciOiJFUzI1NiJ9"

Test(jwks, the_published_signatures_fit)
{
	static const char both[] = SET(RSA_JWK "," EC_JWK);

	cr_assert_eq(ask(both, "RS256", NULL, rsa_sig, RS_HEAD), JWKS_FITS);
	cr_assert_eq(ask(both, "RS256", "r", rsa_sig, RS_HEAD), JWKS_FITS);
	cr_assert_eq(ask(both, "ES256", "e", ec_sig, ES_HEAD), JWKS_FITS);
	cr_assert_eq(ask(both, "ES256", "e", ec_sig, RS_HEAD), JWKS_FORGED);
	cr_assert_eq(ask(both, "RS256", "r", rsa_sig, ES_HEAD), JWKS_FORGED);
	cr_assert_eq(ask(both, "RS256", "r", ec_sig, ES_HEAD), JWKS_FORGED);
	cr_assert_eq(ask(both, "ES256", "e", rsa_sig, RS_HEAD), JWKS_FORGED);
}

Test(jwks, a_key_is_asked_by_its_name_and_for_its_algorithm)
{
	cr_assert_eq(ask(SET(RSA_JWK), "ES256", "r", rsa_sig, RS_HEAD), JWKS_UNKNOWN_KEY);
	cr_assert_eq(ask(SET(RSA_JWK), "RS256", "other", rsa_sig, RS_HEAD), JWKS_UNKNOWN_KEY);
	cr_assert_eq(ask(SET(RSA_JWK "," RSA_JWK), "RS256", NULL, rsa_sig, RS_HEAD),
		     JWKS_UNKNOWN_KEY);
}

Test(jwks, keys_of_other_uses_are_passed_over)
{
	static const char *const none[] = {
		"[]",
		"{}",
		"{\"keys\":{}}",
		SET(""),
		SET("7"),
		SET("{\"kty\":\"oct\",\"k\":\"AAAA\"}"),
		SET("{\"kty\":\"RSA\",\"use\":\"enc\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\"}"),
		SET("{\"kty\":\"RSA\",\"alg\":\"RS512\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\"}"),
		SET("{\"kty\":\"RSA\",\"key_ops\":[\"encrypt\"],\"n\":\"" RSA_N
		    "\",\"e\":\"AQAB\"}"),
		SET("{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"Ag\"}"),  /* even */
		SET("{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQ\"}"),  /* one */
		SET("{\"kty\":\"RSA\",\"n\":\"ofgWCuLj\",\"e\":\"AQAB\"}"), /* short */
		SET("{\"kty\":\"RSA\",\"n\":\"" RSA_N "\"}"),
		SET("{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}"),
		SET("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_X "\"}"),
		SET("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"AAAA\"}"),
	};

	for (size_t i = 0; i < COUNT_OF(none); i++) {
		struct jwks *set = set_of(none[i]);

		cr_expect_null(set, "%s", none[i]);
		jwks_free(&set);
	}
}

/* ---- whole tokens, signed with the private half of A.3 ---- */

static EVP_PKEY *signing_key(void)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	unsigned char bytes[48], point[65] = { 4 };
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params;
	BIGNUM *d;

	text_unbase64url(EC_D, strlen(EC_D), bytes, sizeof(bytes));
	d = BN_bin2bn(bytes, 32, NULL);
	text_unbase64url(EC_X, strlen(EC_X), bytes, sizeof(bytes));
	memcpy(point + 1, bytes, 32);
	text_unbase64url(EC_Y, strlen(EC_Y), bytes, sizeof(bytes));
	memcpy(point + 33, bytes, 32);
	OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, d);
	OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point));
	params = OSSL_PARAM_BLD_to_param(build);
	cr_assert(EVP_PKEY_fromdata_init(context) == 1 &&
		  EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) == 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(context);
	BN_free(d);
	return key;
}

static void sign(const char *text, unsigned char out[SIG_BYTES])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY *key = signing_key();
	unsigned char der[100];
	const unsigned char *at = der;
	size_t len = sizeof(der);
	ECDSA_SIG *pair;

	cr_assert(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
		  EVP_DigestSign(context, der, &len, (const unsigned char *)text, strlen(text)) ==
			  1);
	pair = d2i_ECDSA_SIG(NULL, &at, (long)len);
	BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, 32);
	BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + 32, 32);
	ECDSA_SIG_free(pair);
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
}

static char *encoded(struct arena *arena, const void *bytes, size_t len)
{
	char *out = arena_alloc(arena, 4 * (len / 3 + 1) + 1);

	text_base64url(bytes, len, out);
	return out;
}

static char *token(struct arena *arena, const char *header, const char *payload)
{
	unsigned char sig[SIG_BYTES];
	char *text = arena_format(arena, "%s.%s", encoded(arena, header, strlen(header)),
				  encoded(arena, payload, strlen(payload)));

	sign(text, sig);
	return arena_format(arena, "%s.%s", text, encoded(arena, sig, sizeof(sig)));
}

#define ES "{\"alg\":\"ES256\",\"kid\":\"e\"}"
#define WHO "\"iss\":\"https://id.example\",\"sub\":\"u1\","
#define FOR "\"aud\":\"desk\",\"nonce\":\"n-1\","
#define WHEN "\"exp\":1767323400,\"iat\":1767322800"

static const struct row {
	const char *header, *payload;
	const char *error; /* NULL: right */
} rows[] = {
	{ ES, "{" WHO FOR WHEN "}", NULL },
	{ "{\"alg\":\"ES256\"}", "{" WHO FOR WHEN "}", NULL },
	{ ES, "{" WHO "\"nonce\":\"n-1\",\"aud\":[\"desk\"]," WHEN "}", NULL },
	{ ES, "{" WHO "\"nonce\":\"n-1\",\"aud\":[\"desk\",\"x\"],\"azp\":\"desk\"," WHEN "}",
	  NULL },
	{ ES, "{" WHO "\"nonce\":\"n-1\",\"aud\":[\"desk\",\"x\"]," WHEN "}", "azp" },
	{ ES, "{" WHO FOR "\"azp\":\"x\"," WHEN "}", "azp" },
	{ ES, "{" WHO FOR "\"azp\":7," WHEN "}", "azp" },
	{ ES, "{" WHO "\"nonce\":\"n-1\",\"aud\":\"x\"," WHEN "}", "aud" },
	{ ES, "{" WHO "\"nonce\":\"n-1\"," WHEN "}", "aud" },
	{ ES, "{\"iss\":\"https://id.example/\",\"sub\":\"u1\"," FOR WHEN "}", "iss" },
	{ ES, "{\"sub\":\"u1\"," FOR WHEN "}", "iss" },
	{ ES, "{\"iss\":\"https://id.example\"," FOR WHEN "}", "sub" },
	{ ES, "{\"iss\":\"https://id.example\",\"sub\":\"\"," FOR WHEN "}", "sub" },
	{ ES, "{" WHO "\"aud\":\"desk\",\"nonce\":\"n-2\"," WHEN "}", "nonce" },
	{ ES, "{" WHO "\"aud\":\"desk\"," WHEN "}", "nonce" },
	{ ES, "{" WHO FOR "\"exp\":1767322741,\"iat\":1767322700}", NULL },
	{ ES, "{" WHO FOR "\"exp\":1767322740,\"iat\":1767322700}", "expired" },
	{ ES, "{" WHO FOR "\"exp\":\"1767323400\",\"iat\":1767322800}", "whole number" },
	{ ES, "{" WHO FOR "\"iat\":1767322800}", "missing" },
	{ ES, "{" WHO FOR "\"exp\":1767323400}", "missing" },
	{ ES, "{" WHO FOR "\"exp\":1767323400,\"iat\":1767322861}", "future" },
	{ ES, "{" WHO FOR WHEN ",\"nbf\":1767322861}", "future" },
	{ ES, "{" WHO FOR WHEN ",\"nbf\":1767322860}", NULL },
	{ ES, "[]", "not a JSON object" },
	{ "{\"alg\":\"none\"}", "{" WHO FOR WHEN "}", "neither" },
	{ "{\"alg\":\"HS256\",\"kid\":\"e\"}", "{" WHO FOR WHEN "}", "neither" },
	{ "{\"alg\":\"ES384\",\"kid\":\"e\"}", "{" WHO FOR WHEN "}", "neither" },
	{ "{\"alg\":\"RS256\",\"kid\":\"e\"}", "{" WHO FOR WHEN "}", "no such key" },
	{ "{\"alg\":\"RS256\",\"kid\":\"r\"}", "{" WHO FOR WHEN "}", "does not fit" },
	{ "{\"alg\":\"ES256\",\"kid\":\"new\"}", "{" WHO FOR WHEN "}", "no such key" },
	{ "{\"alg\":\"ES256\",\"kid\":7}", "{" WHO FOR WHEN "}", "malformed" },
	{ "{\"alg\":\"ES256\",\"crit\":[\"b64\"]}", "{" WHO FOR WHEN "}", "crit" },
	{ "{\"alg\":\"ES256\",\"typ\":\"at+jwt\"}", "{" WHO FOR WHEN "}", "typ" },
	{ "{}", "{" WHO FOR WHEN "}", "neither" },
};

static enum id_token_verdict judge(struct arena *arena, const char *text,
				   struct id_token_claims *claims, struct error *err)
{
	struct jwks *keys = set_of(SET(RSA_JWK "," EC_JWK));
	const struct id_token_check check = { text, "https://id.example", "desk", "n-1", NOW_S };
	enum id_token_verdict verdict = id_token_check(&check, keys, arena, claims, err);

	jwks_free(&keys);
	return verdict;
}

Test(id_token, is_taken_within_every_rule)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(0);
		struct id_token_claims claims = { 0 };
		struct error err = { 0 };
		enum id_token_verdict verdict =
			judge(arena, token(arena, rows[i].header, rows[i].payload), &claims, &err);

		if (rows[i].error == NULL)
			cr_expect_eq(verdict, ID_TOKEN_RIGHT, "%s: %s", rows[i].payload, err.text);
		else
			cr_expect(verdict != ID_TOKEN_RIGHT &&
					  strstr(err.text, rows[i].error) != NULL,
				  "%s %s: %s", rows[i].header, rows[i].payload, err.text);
		arena_free(&arena);
	}
}

Test(id_token, only_an_unknown_key_is_worth_asking_the_provider_again)
{
	struct arena *arena = arena_new(0);
	struct id_token_claims claims;
	struct error err = { 0 };
	char *text = token(arena, "{\"alg\":\"ES256\",\"kid\":\"new\"}", "{" WHO FOR WHEN "}");

	cr_assert_eq(judge(arena, text, &claims, &err), ID_TOKEN_UNKNOWN_KEY);
	text = token(arena, ES, "{" WHO FOR WHEN "}");
	text[strlen(text) - 10] = text[strlen(text) - 10] == 'A' ? 'B' : 'A';
	cr_assert_eq(judge(arena, text, &claims, &err), ID_TOKEN_WRONG);
	*strrchr(text, '.') = '\0';
	cr_assert_eq(judge(arena, text, &claims, &err), ID_TOKEN_WRONG);
	cr_assert_eq(judge(arena, arena_format(arena, "%s.", text), &claims, &err), ID_TOKEN_WRONG);
	arena_free(&arena);
}

Test(id_token, an_address_counts_once_the_provider_has_checked_it)
{
	static const struct {
		const char *claims;
		const char *email;
		bool unproved;
	} cases[] = {
		{ "\"email\":\"a@b.example\",\"email_verified\":true,", "a@b.example", false },
		{ "\"email\":\"a@b.example\",\"email_verified\":false,", NULL, true },
		{ "\"email\":\"a@b.example\",\"email_verified\":\"true\",", NULL, true },
		{ "\"email\":\"a@b.example\",", NULL, true },
		{ "\"email\":7,\"email_verified\":true,", NULL, false },
		{ "", NULL, false },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct arena *arena = arena_new(0);
		struct id_token_claims claims = { 0 };
		struct error err = { 0 };
		char *payload = arena_format(arena, "{%s" WHO FOR WHEN "}", cases[i].claims);

		cr_assert_eq(judge(arena, token(arena, ES, payload), &claims, &err),
			     ID_TOKEN_RIGHT);
		cr_expect_str_eq(claims.subject, "u1");
		cr_expect(text_equal(claims.email, cases[i].email), "%s", payload);
		cr_expect_eq(claims.email_unproved, cases[i].unproved, "%s", payload);
		arena_free(&arena);
	}
}
