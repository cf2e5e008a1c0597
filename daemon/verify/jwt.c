#include "verify/jwt.h"

#include <string.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"

int jwt_split(const char *token, struct jwt_parts *ret, struct error *err)
{
	size_t len = token ? strnlen(token, JWT_MAX_BYTES + 1) : 0;
	const char *first, *second;

	if (len == 0 || len > JWT_MAX_BYTES)
		return error_set(err, ERROR_MISUSE, "the token is empty or over %d bytes",
				 JWT_MAX_BYTES);
	first = memchr(token, '.', len);
	second = first ? memchr(first + 1, '.', len - (size_t)(first + 1 - token)) : NULL;
	if (!second || strchr(second + 1, '.'))
		return error_set(err, ERROR_MISUSE, "the token does not have three parts");
	ret->header = token;
	ret->header_len = (size_t)(first - token);
	ret->payload = first + 1;
	ret->payload_len = (size_t)(second - first - 1);
	ret->signature = second + 1;
	ret->signature_len = len - (size_t)(second + 1 - token);
	ret->signed_len = (size_t)(second - token);
	return 0;
}

struct json_object *jwt_object(const char *part, size_t len, const char *what, struct error *err)
{
	char bytes[JWT_MAX_BYTES];
	long size = text_unbase64url(part, len, bytes, sizeof(bytes));
	struct json_object *value;

	if (size < 0) {
		error_set(err, ERROR_MISUSE, "its %s is not base64url", what);
		return NULL;
	}
	value = json_read(bytes, (size_t)size, err);
	if (!value) {
		error_wrap(err, "its %s", what);
		return NULL;
	}
	if (json_kind(value) != JSON_OBJECT) {
		error_set(err, ERROR_MISUSE, "its %s is not a JSON object", what);
		json_free(&value);
	}
	return value;
}

int jwt_header_check(struct json_object *header, struct error *err)
{
	const char *type = json_text(header, "typ");

	if (json_has(header, "typ") && !(type && text_equal_nocase(type, "JWT")))
		return error_set(err, ERROR_MISUSE, "its typ is not JWT");
	if (json_has(header, "crit"))
		return error_set(err, ERROR_MISUSE, "its crit names extensions nobody here knows");
	return 0;
}

static bool signature_ok(const struct host_jwt *check, const char *algorithm,
			 const struct jwt_parts *parts, const char *token)
{
	unsigned char signature[64];
	long len = text_unbase64url(parts->signature, parts->signature_len, signature,
				    sizeof(signature));

	if (strcmp(algorithm, "HS256") == 0 && check->secret && check->secret_len > 0) {
		unsigned char mac_bytes[SHA256_BYTES];
		OWNED(mac_free) struct mac *mac = mac_new(check->secret, check->secret_len);

		mac_once(mac, token, parts->signed_len, mac_bytes);
		return len == SHA256_BYTES &&
		       crypto_equal(mac_bytes, sizeof(mac_bytes), signature, (size_t)len);
	}
	if (strcmp(algorithm, "EdDSA") == 0 && check->public_key)
		return len == 64 &&
		       crypto_ed25519_ok(check->public_key, token, parts->signed_len, signature);
	return false;
}

static int header_check(const struct host_jwt *check, const struct jwt_parts *parts,
			struct error *err)
{
	OWNED(json_free)
	struct json_object *header = jwt_object(parts->header, parts->header_len, "header", err);
	const char *algorithm = header ? json_text(header, "alg") : NULL;

	if (!header)
		return -1;
	if (!algorithm)
		return error_set(err, ERROR_MISUSE, "its header has no alg");
	if (jwt_header_check(header, err) < 0)
		return -1;
	if (!signature_ok(check, algorithm, parts, check->token))
		return error_set(err, ERROR_MISUSE, "its signature does not fit");
	return 0;
}

bool jwt_names_audience(struct json_object *payload, const char *audience)
{
	struct json_object *aud = json_at(payload, "aud");

	if (json_kind(aud) == JSON_TEXT)
		return text_equal(json_string(aud), audience);
	if (json_kind(aud) != JSON_ARRAY)
		return false;
	for (size_t i = 0; i < json_count(aud); i++)
		if (text_equal(json_string(json_item(aud, i)), audience))
			return true;
	return false;
}

int64_t jwt_time(struct json_object *payload, const char *name)
{
	int64_t value;

	if (!json_has(payload, name))
		return 0;
	value = json_int(payload, name, -1);
	return value > 0 ? value : -1;
}

static int times_check(struct json_object *payload, int64_t now_s, int64_t *ret_expires_s,
		       struct error *err)
{
	int64_t expires = jwt_time(payload, "exp");
	int64_t not_before = jwt_time(payload, "nbf");
	int64_t issued = jwt_time(payload, "iat");

	if (expires == 0)
		return error_set(err, ERROR_MISUSE, "exp is missing");
	if (expires < 0 || not_before < 0 || issued < 0)
		return error_set(err, ERROR_MISUSE, "exp, nbf or iat is not a whole number");
	if (now_s >= expires && now_s - expires >= JWT_SKEW_S)
		return error_set(err, ERROR_MISUSE, "it has expired");
	if (expires > now_s && expires - now_s > JWT_LIFE_MAX_S + JWT_SKEW_S)
		return error_set(err, ERROR_MISUSE, "exp is more than an hour ahead");
	if (not_before > now_s && not_before - now_s > JWT_SKEW_S)
		return error_set(err, ERROR_MISUSE, "it is not valid yet");
	if (issued > now_s && issued - now_s > JWT_SKEW_S)
		return error_set(err, ERROR_MISUSE, "it was issued in the future");
	*ret_expires_s = expires;
	return 0;
}

/* An optional text claim in the arena; -1 where it is not a text. */
static int claim_text(struct json_object *payload, const char *name, size_t max,
		      struct arena *arena, const char **ret)
{
	const char *text = json_text(payload, name);

	*ret = NULL;
	if (!json_has(payload, name))
		return 0;
	if (!text)
		return -1;
	*ret = text_clean_line(arena, text, strlen(text), max);
	return 0;
}

static int claims_check(const struct host_jwt *check, struct json_object *payload,
			struct arena *arena, struct host_jwt_claims *ret, struct error *err)
{
	struct host_jwt_claims claims = { 0 };
	const char *subject = json_text(payload, "sub");

	if (times_check(payload, check->now_s, &claims.expires_s, err) < 0)
		return -1;
	if (!check->audience || !jwt_names_audience(payload, check->audience))
		return error_set(err, ERROR_MISUSE, "aud does not name this channel");
	if (check->issuer && !text_equal(json_text(payload, "iss"), check->issuer))
		return error_set(err, ERROR_MISUSE, "iss is not the expected one");
	/* A subject is an opaque key: cleaning it could make two people one. */
	if (!subject || !subject[0] || strlen(subject) > LIMIT_ID_BYTES)
		return error_set(err, ERROR_MISUSE, "sub is missing, empty or too long");
	claims.subject = arena_text(arena, subject);
	if (claim_text(payload, "name", LIMIT_NAME_BYTES, arena, &claims.name) < 0 ||
	    claim_text(payload, "email", LIMIT_ADDRESS_BYTES, arena, &claims.email) < 0 ||
	    claim_text(payload, "phone_number", LIMIT_ADDRESS_BYTES, arena, &claims.phone) < 0)
		return error_set(err, ERROR_MISUSE, "name, email or phone_number is not a text");
	/* OpenID Connect: the application knows the address, and has not checked it. */
	if (!json_bool(payload, "email_verified", true))
		claims.email = NULL;
	if (!json_bool(payload, "phone_number_verified", true))
		claims.phone = NULL;
	*ret = claims;
	return 0;
}

int jwt_check(const struct host_jwt *check, struct arena *arena, struct host_jwt_claims *ret,
	      struct error *err)
{
	OWNED(json_free) struct json_object *payload = NULL;
	struct jwt_parts parts = { 0 };

	if (jwt_split(check->token, &parts, err) < 0 || header_check(check, &parts, err) < 0)
		return -1;
	payload = jwt_object(parts.payload, parts.payload_len, "payload", err);
	return payload ? claims_check(check, payload, arena, ret, err) : -1;
}
