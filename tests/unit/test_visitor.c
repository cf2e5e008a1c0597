#include <criterion/criterion.h>
#include <string.h>

#include "api/auth.h"
#include "api/visitor.h"
#include "base/crypto.h"
#include "base/text.h"

enum { NOW = 1700000000, DAY = 24 * 3600 };

static struct mac *mac;
static struct arena *arena;
static struct buf token;

static struct visitor_seal seal(const char *channel, int64_t now_s)
{
	return (struct visitor_seal){ mac, channel, now_s };
}

static void setup(void)
{
	struct visitor visitor = {
		.id = "v1", .name = "小明 \"x\"", .email = "m@cust.example", .proof = PROOF_PERSON
	};
	struct visitor_seal site;

	mac = mac_new("key", 3);
	site = seal("main.site", NOW);
	arena = arena_new(0);
	visitor_token_make(&site, &visitor, &token);
}

static void teardown(void)
{
	buf_clear(&token);
	arena_free(&arena);
	mac_free(&mac);
}

TestSuite(visitor, .init = setup, .fini = teardown);

static bool reads(const char *channel, int64_t now_s, const char *text)
{
	struct visitor_seal at = seal(channel, now_s);
	struct visitor got = { 0 };

	return visitor_token_read(&at, text, arena, &got);
}

Test(visitor, a_token_brings_back_who_it_was_made_for)
{
	struct visitor_seal site = seal("main.site", NOW);
	struct visitor got = { 0 };

	cr_assert(visitor_token_read(&site, buf_string(&token), arena, &got));
	cr_assert_str_eq(got.id, "v1");
	cr_assert_str_eq(got.name, "小明 \"x\"");
	cr_assert_str_eq(got.email, "m@cust.example");
	cr_assert_null(got.phone);
	cr_assert_eq(got.proof, PROOF_PERSON);
	cr_assert_eq(strspn(buf_string(&token) + 4,
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			    "0123456789-_."),
		     token.len - 4);
}

Test(visitor, a_token_is_good_for_one_channel_of_one_workspace)
{
	cr_assert(reads("main.site", NOW, buf_string(&token)));
	cr_assert_not(reads("main.site2", NOW, buf_string(&token)));
	cr_assert_not(reads("main.sit", NOW, buf_string(&token)));
	cr_assert_not(reads("other.site", NOW, buf_string(&token)));
}

Test(visitor, a_token_ends)
{
	cr_assert(reads("main.site", NOW + (int64_t)VISITOR_TOKEN_DAYS * DAY - 1,
			buf_string(&token)));
	cr_assert_not(
		reads("main.site", NOW + (int64_t)VISITOR_TOKEN_DAYS * DAY, buf_string(&token)));
}

Test(visitor, no_byte_of_a_token_can_be_changed)
{
	char copy[1000];

	for (size_t i = 0; i < token.len; i++) {
		memcpy(copy, buf_string(&token), token.len + 1);
		copy[i] = copy[i] == 'A' ? 'B' : 'A';
		cr_expect_not(reads("main.site", NOW, copy), "byte %zu", i);
	}
	for (size_t len = 0; len < token.len; len++) {
		memcpy(copy, buf_string(&token), token.len + 1);
		copy[len] = '\0';
		cr_expect_not(reads("main.site", NOW, copy), "the first %zu bytes", len);
	}
	memcpy(copy, buf_string(&token), token.len + 1);
	strcat(copy, "A");
	cr_assert_not(reads("main.site", NOW, copy));
}

Test(visitor, a_token_of_another_key_is_refused)
{
	struct mac *other = mac_new("kez", 3);
	struct visitor_seal site = { other, "main.site", NOW };
	struct visitor got;

	cr_assert_not(visitor_token_read(&site, buf_string(&token), arena, &got));
	mac_free(&other);
}

Test(visitor, what_is_no_token_is_refused)
{
	static const char *const texts[] = {
		"", "cvv_", "cvv_.", "cvg_main_x", "cvv_e30.e30", "."
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_expect_not(reads("main.site", NOW, texts[i]), "%s", texts[i]);
}

Test(visitor, an_endless_token_is_refused)
{
	static char text[10000];

	memset(text, 'A', sizeof(text) - 1);
	memcpy(text, "cvv_", 4);
	text[5000] = '.';
	cr_assert_not(reads("main.site", NOW, text));
}

/* ---- tokens of the API ---- */

Test(token, names_its_workspace_and_is_never_the_same)
{
	struct arena *texts = arena_new(0);
	struct mac *key = mac_new("k", 1);
	struct mac *other = mac_new("l", 1);
	char nonces[2][AUTH_NONCE_BYTES];
	char a[AUTH_TOKEN_BYTES];
	char b[AUTH_TOKEN_BYTES];

	auth_nonce(nonces[0]);
	auth_nonce(nonces[1]);
	auth_token_make(key, "cvg", "acme-2", nonces[0], a);
	auth_token_make(other, "cvg", "acme-2", nonces[0], b);
	cr_assert_str_neq(a, b);
	auth_token_make(key, "cvg", "acme-2", nonces[0], b);
	cr_assert_str_eq(a, b);
	auth_token_make(key, "cvs", "acme-2", nonces[0], b);
	cr_assert_str_neq(a + 4, b + 4);
	auth_token_make(key, "cvg", "acme-2", nonces[1], b);
	cr_assert(text_starts(a, "cvg_acme-2_"));
	cr_assert_eq(strlen(a), strlen("cvg_acme-2_") + 43);
	cr_assert_str_neq(a, b);
	cr_assert_str_eq(auth_workspace(a, texts), "acme-2");
	auth_token_make(key, "cvg", "a234567890123456789012345678901234567890", nonces[0], a);
	cr_assert_str_eq(auth_workspace(a, texts), "a234567890123456789012345678901234567890");
	mac_free(&key);
	mac_free(&other);
	arena_free(&texts);
}

Test(token, a_malformed_one_names_no_workspace)
{
	static const char *const texts[] = { "",
					     "cvg_",
					     "cvg__x",
					     "cvg_main",
					     "cvs_main_x",
					     "CVG_main_x",
					     "cvg_Main_x",
					     "cvg_ma/in_x",
					     "cvg_ma}_x",
					     "cvg_{main}_x",
					     "cvg_m:tok_x",
					     " cvg_main_x",
					     "cvg_a2345678901234567890123456789012345678901_x" };
	struct arena *arena_ = arena_new(0);

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_expect_null(auth_workspace(texts[i], arena_), "%s", texts[i]);
	arena_free(&arena_);
}

Test(token, is_kept_as_a_hash)
{
	char hex[65];

	auth_hash("abc", hex);
	cr_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

Test(token, role_names_go_both_ways)
{
	static const enum role all[] = { ROLE_AGENT, ROLE_SUPERVISOR, ROLE_ADMIN,
					 ROLE_INTEGRATION };

	for (size_t i = 0; i < 4; i++)
		cr_assert_eq(role_from_name(role_name(all[i])), all[i]);
	cr_assert_eq(role_from_name("root"), ROLE_NONE);
	cr_assert_eq(role_from_name(""), ROLE_NONE);
	cr_assert_eq(role_from_name(NULL), ROLE_NONE);
	cr_assert_eq(role_from_name("public"), ROLE_NONE);
}
