#include <criterion/criterion.h>
#include <string.h>

#include "api/oidc_attempt.h"
#include "base/crypto.h"
#include "config.h"

enum { NOW_S = 1767322800 };

static const struct config_oidc oidc = { .issuer = (char[]){ "https://id.example" },
					 .client_id = (char[]){ "desk" } };

Test(oidc_attempt, the_challenge_is_the_published_one)
{
	char challenge[OIDC_SECRET_TEXT];

	oidc_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", challenge); /* RFC 7636, B */
	cr_expect_str_eq(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

Test(oidc_attempt, comes_back_as_it_left)
{
	struct mac *key = mac_new("0123456789abcdef", 16);
	const struct oidc_bench bench = { key, &oidc, NOW_S };
	struct oidc_bench late = bench;
	struct arena *arena = arena_new(0);
	struct oidc_attempt left, back, another;
	char cookie[OIDC_COOKIE_BYTES], other[OIDC_COOKIE_BYTES];

	oidc_attempt_make(&bench, "main", &left, cookie);
	oidc_attempt_make(&bench, "main", &another, other);
	late.now_s = NOW_S + OIDC_ATTEMPT_S;
	cr_assert(oidc_attempt_read(&late, cookie, arena, &back));
	cr_expect_str_eq(back.workspace, "main");
	cr_expect_str_eq(back.state, left.state);
	cr_expect_str_eq(back.nonce, left.nonce);
	cr_expect_str_eq(back.verifier, left.verifier);
	cr_expect_eq(strlen(left.verifier), 43u);
	cr_expect_str_neq(left.state, left.nonce);
	cr_expect_str_neq(left.state, left.verifier);
	cr_expect_str_neq(left.state, another.state);
	cr_expect_null(strstr(cookie, left.verifier));
	cr_expect_null(strstr(cookie, left.state));
	arena_free(&arena);
	mac_free(&key);
}

Test(oidc_attempt, is_nobody_elses_and_not_for_ever)
{
	static const char *const broken[] = { "",    ".", "..", "main.1.2", "main.1767322800.00.",
					      "main" };
	struct config_oidc elsewhere = oidc;
	struct mac *key = mac_new("0123456789abcdef", 16);
	struct mac *key2 = mac_new("0123456789abcdeF", 16);
	struct oidc_bench bench = { key, &oidc, NOW_S };
	struct arena *arena = arena_new(0);
	struct oidc_attempt attempt;
	char cookie[OIDC_COOKIE_BYTES];

	oidc_attempt_make(&bench, "main", &attempt, cookie);
	for (size_t i = 0; i < strlen(cookie); i++) {
		char changed[OIDC_COOKIE_BYTES];

		memcpy(changed, cookie, sizeof(changed));
		changed[i] = changed[i] == 'x' ? 'y' : 'x';
		cr_expect(!oidc_attempt_read(&bench, changed, arena, &attempt), "%s", changed);
	}
	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++)
		cr_expect(!oidc_attempt_read(&bench, broken[i], arena, &attempt), "%s", broken[i]);
	cr_expect(!oidc_attempt_read(&bench, NULL, arena, &attempt));
	bench.now_s = NOW_S + OIDC_ATTEMPT_S + 1;
	cr_expect(!oidc_attempt_read(&bench, cookie, arena, &attempt));
	bench.now_s = NOW_S - OIDC_ATTEMPT_S - 1;
	cr_expect(!oidc_attempt_read(&bench, cookie, arena, &attempt));
	bench = (struct oidc_bench){ key2, &oidc, NOW_S };
	cr_expect(!oidc_attempt_read(&bench, cookie, arena, &attempt));
	elsewhere.issuer = (char[]){ "https://another.example" };
	bench = (struct oidc_bench){ key, &elsewhere, NOW_S };
	cr_expect(!oidc_attempt_read(&bench, cookie, arena, &attempt));
	arena_free(&arena);
	mac_free(&key);
	mac_free(&key2);
}
