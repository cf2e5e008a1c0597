/* Signed identities: compact JWTs (RFC 7519) with HS256 or EdDSA and nothing
 * else. The algorithm is decided by the keys we hold, never by the token. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "converge/connector.h"

struct json_object;

enum { JWT_SKEW_S = 60, JWT_LIFE_MAX_S = 3600, JWT_MAX_BYTES = 8192 };

/* 0 with the claims in the arena, or -1 with a phrase that says which rule was
 * broken (safe to show to whoever sent it: it holds no secret). */
int jwt_check(const struct host_jwt *check, struct arena *arena, struct host_jwt_claims *ret,
	      struct error *err);

/* What every compact JWT has in common, whoever signed it. */
struct jwt_parts {
	const char *header, *payload, *signature;
	size_t header_len, payload_len, signature_len;
	size_t signed_len; /* header "." payload */
};
int jwt_split(const char *token, struct jwt_parts *ret, struct error *err);
/* One part as a JSON object, which the caller frees; what: "header", "payload". */
struct json_object *jwt_object(const char *part, size_t len, const char *what, struct error *err);
/* Is it a JWT, without extensions that must be understood? */
int jwt_header_check(struct json_object *header, struct error *err);
bool jwt_names_audience(struct json_object *payload, const char *audience);
/* A NumericDate that is a whole number; 0 where absent, -1 where it is anything else. */
int64_t jwt_time(struct json_object *payload, const char *name);
