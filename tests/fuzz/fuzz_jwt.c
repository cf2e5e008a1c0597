/* Any bytes as a token: refused. Any bytes as a signed payload: accepted only
 * within every rule. */
#include <string.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/text.h"
#include "fuzz/fuzz.h"
#include "verify/jwt.h"

enum { NOW_S = 1767322800 };

static const char secret[] = "0123456789abcdef0123456789abcdef";

static bool accepted(const char *token, struct arena *arena, struct host_jwt_claims *claims)
{
	static const unsigned char key[32] = { 1 };
	const struct host_jwt check = { .token = token,
					.secret = secret,
					.secret_len = sizeof(secret) - 1,
					.public_key = key,
					.audience = "site",
					.now_s = NOW_S };
	struct error err = { 0 };
	int status = jwt_check(&check, arena, claims, &err);

	MUST(status == 0 || err.text[0]);
	return status == 0;
}

static char *sign(struct arena *arena, const uint8_t *payload, size_t size)
{
	unsigned char bytes[32];
	struct mac *mac = mac_new(secret, sizeof(secret) - 1);
	char *head = arena_alloc(arena, 64), *body = arena_alloc(arena, size * 2 + 8);
	char *tail = arena_alloc(arena, 64), *text;

	text_base64url("{\"alg\":\"HS256\"}", 15, head);
	text_base64url(payload, size, body);
	text = arena_format(arena, "%s.%s", head, body);
	mac_once(mac, text, strlen(text), bytes);
	mac_free(&mac);
	text_base64url(bytes, sizeof(bytes), tail);
	return arena_format(arena, "%s.%s", text, tail);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(0);
	struct host_jwt_claims claims = { 0 };

	MUST(!accepted(arena_copy(arena, data, size), arena, &claims));
	if (accepted(sign(arena, data, size), arena, &claims)) {
		MUST(claims.subject && claims.subject[0]);
		MUST(claims.expires_s > NOW_S - JWT_SKEW_S);
		MUST(claims.expires_s <= NOW_S + JWT_LIFE_MAX_S + JWT_SKEW_S);
	}
	arena_free(&arena);
	return 0;
}
