/* Signed identities: compact JWTs (RFC 7519) with HS256 or EdDSA and nothing
 * else. The algorithm is decided by the keys we hold, never by the token. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "converge/connector.h"

enum { JWT_SKEW_S = 60, JWT_LIFE_MAX_S = 3600, JWT_MAX_BYTES = 8192 };

/* 0 with the claims in the arena, or -1 with a phrase that says which rule was
 * broken (safe to show to whoever sent it: it holds no secret). */
int jwt_check(const struct host_jwt *check, struct arena *arena, struct host_jwt_claims *ret,
	      struct error *err);
