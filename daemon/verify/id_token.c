#include "verify/id_token.h"

#include <string.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "verify/jwks.h"
#include "verify/jwt.h"

enum { SIG_MAX_BYTES = 1100, SUBJECT_MAX_BYTES = 255 };

static enum id_token_verdict signature_check(const struct id_token_check *check,
					     const struct jwks *keys, const struct jwt_parts *parts,
					     struct error *err)
{
	OWNED(json_free)
	struct json_object *header = jwt_object(parts->header, parts->header_len, "header", err);
	unsigned char sig[SIG_MAX_BYTES];
	long sig_len = text_unbase64url(parts->signature, parts->signature_len, sig, sizeof(sig));
	struct jwks_question question = { .bytes = check->token, .len = parts->signed_len };

	if (header == NULL || jwt_header_check(header, err) < 0)
		return ID_TOKEN_WRONG;
	question.algorithm = json_text(header, "alg");
	if (!text_equal(question.algorithm, "RS256") && !text_equal(question.algorithm, "ES256")) {
		error_set(err, ERROR_PERMANENT, "its alg is neither RS256 nor ES256");
		return ID_TOKEN_WRONG;
	}
	question.kid = json_text(header, "kid");
	if ((json_has(header, "kid") && question.kid == NULL) || sig_len <= 0) {
		error_set(err, ERROR_PERMANENT, "its kid or its signature is malformed");
		return ID_TOKEN_WRONG;
	}
	question.sig = sig;
	question.sig_len = (size_t)sig_len;
	switch (jwks_ask(keys, &question)) {
	case JWKS_FITS:
		return ID_TOKEN_RIGHT;
	case JWKS_UNKNOWN_KEY:
		error_set(err, ERROR_PERMANENT, "the provider publishes no such key");
		return ID_TOKEN_UNKNOWN_KEY;
	case JWKS_FORGED:
	default:
		error_set(err, ERROR_PERMANENT, "its signature does not fit");
		return ID_TOKEN_WRONG;
	}
}

static int times_check(struct json_object *payload, int64_t now_s, struct error *err)
{
	int64_t expires = jwt_time(payload, "exp");
	int64_t not_before = jwt_time(payload, "nbf");
	int64_t issued = jwt_time(payload, "iat");

	if (expires <= 0 || not_before < 0 || issued <= 0)
		return error_set(err, ERROR_PERMANENT,
				 "exp or iat is missing, or a time is not a whole number");
	if (now_s >= expires && now_s - expires >= JWT_SKEW_S)
		return error_set(err, ERROR_PERMANENT, "it has expired");
	if ((not_before > now_s && not_before - now_s > JWT_SKEW_S) ||
	    (issued > now_s && issued - now_s > JWT_SKEW_S))
		return error_set(err, ERROR_PERMANENT, "it is of the future");
	return 0;
}

/* Made by this provider, for us and no one else who might hand it on, and for this sign-in. */
static int purpose_check(const struct id_token_check *check, struct json_object *payload,
			 struct error *err)
{
	const char *party = json_text(payload, "azp");
	const char *nonce = json_text(payload, "nonce");

	if (!text_equal(json_text(payload, "iss"), check->issuer))
		return error_set(err, ERROR_PERMANENT, "iss is not the provider");
	if (!jwt_names_audience(payload, check->client_id))
		return error_set(err, ERROR_PERMANENT, "aud does not name this client");
	if (json_has(payload, "azp") ? !text_equal(party, check->client_id)
				     : json_count(json_at(payload, "aud")) > 1)
		return error_set(err, ERROR_PERMANENT, "azp does not name this client");
	if (nonce == NULL ||
	    !crypto_equal(nonce, strlen(nonce), check->nonce, strlen(check->nonce)))
		return error_set(err, ERROR_PERMANENT, "nonce is not that of this sign-in");
	return 0;
}

static int claims_read(struct json_object *payload, struct arena *arena,
		       struct id_token_claims *ret, struct error *err)
{
	const char *subject = json_text(payload, "sub");
	const char *email = json_text(payload, "email");

	if (subject == NULL || *subject == '\0' || strlen(subject) > SUBJECT_MAX_BYTES)
		return error_set(err, ERROR_PERMANENT, "sub is missing, empty or too long");
	if (email != NULL && strlen(email) > LIMIT_ADDRESS_BYTES)
		email = NULL;
	*ret = (struct id_token_claims){ .subject = arena_text(arena, subject) };
	if (email != NULL && json_bool(payload, "email_verified", false))
		ret->email = arena_text(arena, email);
	else
		ret->email_unproved = email != NULL;
	return 0;
}

enum id_token_verdict id_token_check(const struct id_token_check *check, const struct jwks *keys,
				     struct arena *arena, struct id_token_claims *ret,
				     struct error *err)
{
	OWNED(json_free) struct json_object *payload = NULL;
	struct jwt_parts parts = { 0 };
	enum id_token_verdict verdict;

	if (jwt_split(check->token, &parts, err) < 0)
		return ID_TOKEN_WRONG;
	verdict = signature_check(check, keys, &parts, err);
	if (verdict != ID_TOKEN_RIGHT)
		return verdict;
	payload = jwt_object(parts.payload, parts.payload_len, "payload", err);
	if (payload == NULL || times_check(payload, check->now_s, err) < 0 ||
	    purpose_check(check, payload, err) < 0 || claims_read(payload, arena, ret, err) < 0)
		return ID_TOKEN_WRONG;
	return ID_TOKEN_RIGHT;
}
