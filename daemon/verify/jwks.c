#include "verify/jwks.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

enum { KID_MAX_BYTES = 1024, NUMBER_MAX_BYTES = 1100, COORDINATE_BYTES = 32 };

struct jwk {
	char *kid; /* NULL: it has none */
	const char *algorithm;
	struct public_key *key;
};

struct jwks {
	struct jwk *keys;
	size_t count;
};

/* A number in base64url; its length, or -1. */
static long number(struct json_object *jwk, const char *name, unsigned char *out, size_t room)
{
	const char *text = json_text(jwk, name);

	return text == NULL ? -1 : text_unbase64url(text, strlen(text), out, room);
}

static struct public_key *rsa_key(struct json_object *jwk)
{
	unsigned char modulus[NUMBER_MAX_BYTES];
	unsigned char exponent[NUMBER_MAX_BYTES];
	long modulus_len = number(jwk, "n", modulus, sizeof(modulus));
	long exponent_len = number(jwk, "e", exponent, sizeof(exponent));

	return modulus_len <= 0 || exponent_len <= 0
		       ? NULL
		       : public_key_rsa(modulus, (size_t)modulus_len, exponent,
					(size_t)exponent_len);
}

static struct public_key *p256_key(struct json_object *jwk)
{
	unsigned char x[COORDINATE_BYTES + 3];
	unsigned char y[COORDINATE_BYTES + 3];

	if (!text_equal(json_text(jwk, "crv"), "P-256") ||
	    number(jwk, "x", x, sizeof(x)) != COORDINATE_BYTES ||
	    number(jwk, "y", y, sizeof(y)) != COORDINATE_BYTES)
		return NULL;
	return public_key_p256(x, y);
}

static bool is_for_verifying(struct json_object *jwk)
{
	struct json_object *does = json_at(jwk, "key_ops");

	if (json_has(jwk, "use") && !text_equal(json_text(jwk, "use"), "sig"))
		return false;
	for (size_t i = 0; i < json_count(does); i++)
		if (text_equal(json_string(json_item(does, i)), "verify"))
			return true;
	return does == NULL;
}

static void key_add(struct jwks *set, struct json_object *jwk)
{
	const char *type = json_text(jwk, "kty");
	const char *kid = json_text(jwk, "kid");
	bool is_rsa = text_equal(type, "RSA");
	const char *algorithm = is_rsa ? "RS256" : "ES256";
	struct public_key *key;

	if ((!is_rsa && !text_equal(type, "EC")) || !is_for_verifying(jwk) ||
	    (json_has(jwk, "kid") && (kid == NULL || strlen(kid) > KID_MAX_BYTES)) ||
	    (json_has(jwk, "alg") && !text_equal(json_text(jwk, "alg"), algorithm)))
		return;
	key = is_rsa ? rsa_key(jwk) : p256_key(jwk);
	if (key == NULL)
		return;
	set->keys[set->count++] =
		(struct jwk){ kid == NULL ? NULL : memory_text(kid), algorithm, key };
}

struct jwks *jwks_parse(const char *bytes, size_t len, struct error *err)
{
	OWNED(json_free) struct json_object *json = NULL;
	struct json_object *keys;
	struct jwks *set;

	if (len > JWKS_MAX_BYTES) {
		error_set(err, ERROR_PERMANENT, "the keys are over %d bytes", JWKS_MAX_BYTES);
		return NULL;
	}
	json = json_read(bytes, len, err);
	if (json == NULL)
		return NULL;
	keys = json_kind(json) == JSON_OBJECT ? json_at(json, "keys") : NULL;
	if (json_kind(keys) != JSON_ARRAY) {
		error_set(err, ERROR_PERMANENT, "there is no list \"keys\"");
		return NULL;
	}
	set = memory_new(sizeof(*set));
	set->keys = memory_new(JWKS_MAX_KEYS * sizeof(*set->keys));
	for (size_t i = 0; i < json_count(keys) && set->count < JWKS_MAX_KEYS; i++)
		if (json_kind(json_item(keys, i)) == JSON_OBJECT)
			key_add(set, json_item(keys, i));
	if (set->count == 0) {
		error_set(err, ERROR_PERMANENT, "none of the keys is for RS256 or ES256");
		jwks_free(&set);
	}
	return set;
}

void jwks_free(struct jwks **set)
{
	if (*set == NULL)
		return;
	for (size_t i = 0; i < (*set)->count; i++) {
		free((*set)->keys[i].kid);
		public_key_free(&(*set)->keys[i].key);
	}
	free((*set)->keys);
	free(*set);
	*set = NULL;
}

enum jwks_answer jwks_ask(const struct jwks *set, const struct jwks_question *question)
{
	const struct jwk *found = NULL;

	for (size_t i = 0; i < set->count; i++) {
		const struct jwk *one = &set->keys[i];

		if (!text_equal(one->algorithm, question->algorithm) ||
		    (question->kid != NULL && !text_equal(one->kid, question->kid)))
			continue;
		/* Which of several is meant is not for us to try out. */
		if (found != NULL)
			return JWKS_UNKNOWN_KEY;
		found = one;
	}
	if (found == NULL)
		return JWKS_UNKNOWN_KEY;
	return public_key_fits(found->key, question->bytes, question->len, question->sig,
			       question->sig_len)
		       ? JWKS_FITS
		       : JWKS_FORGED;
}
