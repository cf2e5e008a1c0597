/* Any bytes as a set of keys: refused, or a set that can be asked. Any bytes as an id_token: never
 * right, for nobody here has the private key. */
#include <string.h>

#include "fuzz/fuzz.h"
#include "verify/id_token.h"
#include "verify/jwks.h"

static const char set_json[] = "{\"keys\":[{\"kty\":\"EC\",\"kid\":\"e\",\"crv\":\"P-256\","
			       "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
			       "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";

static void try_set(const uint8_t *data, size_t size)
{
	struct error err = { 0 };
	struct jwks *set = jwks_parse((const char *)data, size, &err);
	const struct jwks_question question = { "RS256", NULL, data, size, data, size };

	MUST(set != NULL || err.text[0] != '\0');
	if (set != NULL)
		MUST(jwks_ask(set, &question) != JWKS_FITS);
	jwks_free(&set);
}

static void try_token(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(0);
	struct error err = { 0 };
	struct jwks *set = jwks_parse(set_json, sizeof(set_json) - 1, &err);
	struct id_token_claims claims = { 0 };
	const struct id_token_check check = { .token = arena_copy(arena, data, size),
					      .issuer = "https://id.example",
					      .client_id = "desk",
					      .nonce = "n-1",
					      .now_s = 1767322800 };

	MUST(set != NULL);
	MUST(id_token_check(&check, set, arena, &claims, &err) != ID_TOKEN_RIGHT);
	MUST(err.text[0] != '\0');
	jwks_free(&set);
	arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_set(data, size);
	try_token(data, size);
	return 0;
}
