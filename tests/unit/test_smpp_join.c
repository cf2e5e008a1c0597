#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../../connectors/smpp_join.h"
#include "../../connectors/smpp_repeat.h"

static enum smpp_join_result add(struct smpp_join *join, const char *key, unsigned total,
				 unsigned number, const char *hash, int64_t now_ms)
{
	char key32[SMPP_HASH_BYTES], hash32[SMPP_HASH_BYTES];
	const struct smpp_join_part part = {
		.key = key32, .hash = hash32, .hex = "00ff", .total = total, .number = number
	};

	memset(key32, key[0], 32);
	memset(hash32, hash[0], 32);
	key32[32] = hash32[32] = '\0';
	return smpp_join_add(join, &part, now_ms);
}

Test(smpp_join, is_ready_when_the_last_part_is_there)
{
	struct smpp_join join = { 0 };
	struct smpp_group *group;

	cr_expect_eq(add(&join, "a", 2, 2, "y", 1000), SMPP_JOIN_KEPT);
	cr_expect_null(smpp_join_ready(&join, 1000));
	cr_expect_eq(add(&join, "a", 2, 2, "y", 1001), SMPP_JOIN_KEPT); /* repeated */
	cr_expect_null(smpp_join_ready(&join, 1001));
	cr_expect_eq(add(&join, "a", 2, 1, "x", 1002), SMPP_JOIN_KEPT);
	group = smpp_join_ready(&join, 1002);
	cr_assert_not_null(group);
	cr_expect_eq(group->have, 2);
	smpp_join_done(&join, group);
	cr_expect_null(smpp_join_ready(&join, 1003));
	cr_expect_eq(join.bytes, 0);
	cr_expect_eq(add(&join, "a", 2, 1, "x", 1004), SMPP_JOIN_DONE);
	smpp_join_clear(&join);
}

Test(smpp_join, takes_a_reference_that_is_used_again_as_another_message)
{
	struct smpp_join join = { 0 };

	add(&join, "a", 2, 1, "x", 1000);
	cr_expect_eq(add(&join, "a", 2, 1, "z", 1001), SMPP_JOIN_KEPT);
	cr_expect_eq(join.count, 2);
	cr_expect(smpp_join_ready(&join, 1001)->is_late); /* the older goes on alone */
	cr_expect_eq(add(&join, "a", 2, 2, "y", 1002), SMPP_JOIN_KEPT);
	cr_expect_eq(join.first->next->have, 2);
	smpp_join_clear(&join);
}

Test(smpp_join, waits_so_long_and_no_longer)
{
	struct smpp_join join = { 0 };
	int64_t next_ms;

	add(&join, "a", 2, 1, "x", 1000);
	cr_expect_not(smpp_join_age(&join, 500, 1400, &next_ms));
	cr_expect_eq(next_ms, 1500);
	cr_expect_null(smpp_join_ready(&join, 1400));
	smpp_join_age(&join, 500, 1500, &next_ms);
	cr_assert_not_null(smpp_join_ready(&join, 1500));
	smpp_join_done(&join, smpp_join_ready(&join, 1500));
	cr_expect(smpp_join_age(&join, 500, 1501, &next_ms));
	cr_expect_eq(join.count, 0);
}

Test(smpp_join, makes_room_by_letting_the_oldest_go_on)
{
	struct smpp_join join = { 0 };
	unsigned total = 2;

	for (unsigned i = 0; i < SMPP_GROUPS_MAX; i++)
		cr_expect_eq(add(&join, "a", total++, 1, "x", 1000 + i), SMPP_JOIN_KEPT);
	cr_expect_eq(add(&join, "b", 2, 1, "x", 2000), SMPP_JOIN_FULL);
	cr_expect_eq(smpp_join_ready(&join, 2000), join.first);
	smpp_join_done(&join, join.first);
	cr_expect_eq(add(&join, "b", 2, 1, "x", 2001), SMPP_JOIN_KEPT);
	cr_expect_eq(join.count, SMPP_GROUPS_MAX);
	smpp_join_clear(&join);
}

Test(smpp_join, is_the_same_after_a_crash)
{
	struct smpp_join join = { 0 }, again = { 0 };
	char *text, *text_again;

	add(&join, "a", 3, 2, "x", 1000);
	add(&join, "a", 3, 3, "y", 1001);
	add(&join, "b", 1, 1, "z", 1002);
	smpp_join_done(&join, smpp_join_ready(&join, 1002));
	text = smpp_join_text(&join);
	smpp_join_read(&again, text);
	text_again = smpp_join_text(&again);
	cr_expect_str_eq(text_again, text);
	cr_expect_eq(again.count, 2);
	cr_expect_eq(again.bytes, join.bytes);
	cr_expect_eq(add(&again, "b", 1, 1, "z", 1003), SMPP_JOIN_DONE);
	free(text_again);
	free(text);
	smpp_join_clear(&join);
	smpp_join_clear(&again);
}

Test(smpp_join, passes_over_lines_that_are_none)
{
	struct smpp_join join = { 0 };

	smpp_join_read(&join, "\n\nnonsense\n1 2\n1 0 00 key 1:a:b\n1 999 00 key\n1 2 00 key 3:x:y "
			      "1:short:00 ::\n");
	cr_expect_eq(join.count, 0);
	cr_expect_null(join.first);
}

/* ---- repetitions ---- */

Test(smpp_repeat, tells_a_repetition_from_the_same_words_again)
{
	static struct smpp_repeats seen;

	cr_expect_eq(smpp_repeat_copy(&seen, 7, 1, 10, 1000), 0);
	cr_expect_eq(smpp_repeat_copy(&seen, 7, 1, 11, 1001), 0); /* not answered yet */
	smpp_repeat_answered(&seen, 7, 1, 1002);
	cr_expect_eq(smpp_repeat_copy(&seen, 7, 1, 10, 1003), 0); /* the very same */
	cr_expect_eq(smpp_repeat_copy(&seen, 7, 1, 12, 1004), 1); /* written twice */
	smpp_repeat_answered(&seen, 7, 1, 1005);
	smpp_repeat_lost(&seen, 1, 1006);
	cr_expect_eq(smpp_repeat_copy(&seen, 7, 2, 1, 1007), 1); /* the answer was lost */
	cr_expect_eq(smpp_repeat_copy(&seen, 8, 2, 2, 1008), 0);
}

Test(smpp_repeat, trusts_an_answer_that_had_time_to_arrive)
{
	static struct smpp_repeats seen;

	smpp_repeat_copy(&seen, 7, 1, 10, 1000);
	smpp_repeat_answered(&seen, 7, 1, 1001);
	smpp_repeat_lost(&seen, 1, 1001 + 31000);
	cr_expect_eq(smpp_repeat_copy(&seen, 7, 2, 1, 40000), 1);
}

Test(smpp_repeat, does_not_trust_an_answer_that_took_too_long)
{
	static struct smpp_repeats seen;

	smpp_repeat_copy(&seen, 7, 1, 10, 1000);
	smpp_repeat_answered(&seen, 7, 1, 1000 + 11000);
	cr_expect_eq(smpp_repeat_copy(&seen, 7, 1, 11, 12100), 0);
}

Test(smpp_repeat, forgets_and_keeps_apart_what_shares_a_place)
{
	static struct smpp_repeats seen;

	for (uint64_t i = 0; i < 20; i++)
		smpp_repeat_copy(&seen, 5 + i * SMPP_REPEATS, 1, 1, 1000 + (int64_t)i);
	cr_expect_eq(smpp_repeat_copy(&seen, 5 + 19 * (uint64_t)SMPP_REPEATS, 2, 1, 1100), 0);
	smpp_repeat_answered(&seen, 5 + 19 * (uint64_t)SMPP_REPEATS, 2, 1101);
	cr_expect_eq(smpp_repeat_copy(&seen, 5 + 19 * (uint64_t)SMPP_REPEATS, 2, 2, 1102), 1);
	cr_expect_eq(smpp_repeat_copy(&seen, 5 + 19 * (uint64_t)SMPP_REPEATS, 2, 3,
				      1102 + SMPP_REPEAT_MS + 1),
		     0);
}
