#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/text.h"
#include "delivery/codes.h"
#include "store_bed.h"

static const char text[] = "Your code: " CODE_PLACE " (" CODE_PLACE ")";

static char *filled(struct arena *arena, const char *key, const char *workspace, const char *id)
{
	struct mac *mac = mac_new(key, strlen(key));
	const struct identity_place place = { mac, workspace, NULL };
	char *out = code_text(&place, id, text, arena);

	mac_free(&mac);
	return out;
}

Test(codes, follow_from_key_workspace_and_message_alone)
{
	struct arena *arena = arena_new(0);
	const char *code = filled(arena, "k", "main", "msg_1");
	unsigned number, again;
	char rest;

	cr_assert_eq(sscanf(code, "Your code: %6u (%6u)%c", &number, &again, &rest), 2);
	cr_expect_eq(number, again);
	cr_expect_eq(strlen(code), strlen("Your code: 123456 (123456)"));
	cr_expect_str_eq(code, filled(arena, "k", "main", "msg_1"));
	cr_expect_str_neq(code, filled(arena, "k", "main", "msg_2"));
	cr_expect_str_neq(code, filled(arena, "k", "other", "msg_1"));
	cr_expect_str_neq(code, filled(arena, "l", "main", "msg_1"));
	arena_free(&arena);
}

Test(codes, have_six_digits_and_use_them_all)
{
	struct arena *arena = arena_new(0);
	size_t low = 0;

	for (int i = 0; i < 2000; i++) {
		const char *code =
			filled(arena, "k", "main", arena_format(arena, "msg_%d", i)) + 11;

		cr_assert_eq(strspn(code, "0123456789"), CODE_DIGITS, "%s", code);
		low += code[0] == '0';
	}
	cr_expect(low > 100 && low < 300, "%zu of 2000 begin with 0", low);
	arena_free(&arena);
}

struct seen {
	bool is_done;
	enum code_result_code code;
	int64_t left;
	char record[200];
};

static void on_code(const struct code_result *result, const struct error *err, void *context)
{
	struct seen *seen = context;

	cr_expect_eq(err != NULL, result->code == CODE_FAILED);
	seen->is_done = true;
	seen->code = result->code;
	seen->left = result->left;
	snprintf(seen->record, sizeof(seen->record), "%s", result->record ? result->record : "");
}

static struct seen verify(struct store_bed *bed, struct mac *mac, const char *digits)
{
	const struct code_answer answer = { .place = { mac, "main", "site" },
					    .conversation = "cnv_1",
					    .digits = digits };
	struct seen seen = { 0 };

	code_verify(bed->store, &answer, on_code, &seen);
	bed_until(bed, &seen.is_done);
	return seen;
}

/* What the outbox would send. */
static const char *sent_code(struct store_bed *bed, struct mac *mac, struct arena *arena)
{
	const struct identity_place place = { mac, "main", NULL };
	const char *id = redis_ask(&bed->child, "HGET {main}:otp:cnv_1 m");

	return arena_copy(arena, code_text(&place, id, text, arena) + strlen("Your code: "),
			  CODE_DIGITS);
}

Test(codes, are_answered_as_people_type_them)
{
	const struct identifier email = { .kind = "email",
					  .scope = "",
					  .value = "\"code\",1@b.cn" };
	struct arena *arena = arena_new(0);
	struct store_bed *bed = bed_new(NULL);
	struct mac *mac = mac_new("k", 1);
	const struct code_request request = { .place = { mac, "main", "mail" },
					      .conversation = "cnv_1",
					      .identifier = &email,
					      .now_ms = 1764000000000 };
	struct seen seen = { 0 };
	const char *code;

	redis_ask(&bed->child, "HSET {main}:c:cnv_1 u cus_1 ik aa ih bb");
	redis_ask(&bed->child, "HSET {main}:u:cus_1 nm Ann ct 1 v 1");
	code_open(bed->store, &request, on_code, &seen);
	bed_until(bed, &seen.is_done);
	cr_assert_eq(seen.code, CODE_OK);
	code = sent_code(bed, mac, arena);
	seen = verify(bed, mac, "");
	cr_expect(seen.code == CODE_WRONG && seen.left == 2);
	seen = verify(bed, mac, "１２３ a\xff");
	cr_expect(seen.code == CODE_WRONG && seen.left == 1);
	seen = verify(bed, mac, arena_format(arena, " %.3s-%s　", code, code + 3));
	cr_expect_eq(seen.code, CODE_OK);
	cr_expect(text_starts(seen.record, "[\"email\",\"\",\"\\\"code\\\",1@b.cn\",2,\"code\",17"),
		  "%s", seen.record);
	cr_expect_eq(verify(bed, mac, code).code, CODE_NONE);
	mac_free(&mac);
	bed_free(&bed);
	arena_free(&arena);
}
