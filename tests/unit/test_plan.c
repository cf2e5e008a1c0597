#include <criterion/criterion.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "business/plan.h"

/* Skills by their first letter: a has level 1, b level 2, ... e level 5; others none. */
static int level(const char *skill, const void *context)
{
	(void)context;
	return *skill >= 'a' && *skill <= 'e' ? *skill - 'a' + 1 : 0;
}

Test(plan, needs_are_trees_of_and_and_or)
{
	static const struct {
		const char *text;
		bool met;
	} rows[] = {
		{ "", true },          { "*", true },
		{ "c", true },         { "c>=3", true },
		{ "c>=4", false },     { "x", false },
		{ "c>=3&d>=4", true }, { "c>=3&x", false },
		{ "x|c", true },       { "x|y", false },
		{ "x&c|d", true }, /* & binds stronger */
		{ "x&(c|d)", false },  { "c&(x|d>=4)", true },
		{ "((c))", true },     { "(x|(y|(c>=3&d)))&e>=5", true },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct error err = { 0 };
		struct plan *plan = plan_parse(rows[i].text, &err);

		cr_assert_not_null(plan, "%s: %s", rows[i].text, err.text);
		cr_expect_eq(need_is_met(plan_step(plan, 0)->need, level, NULL), rows[i].met, "%s",
			     rows[i].text);
		plan_free(&plan);
	}
}

Test(plan, says_where_it_cannot_be_read)
{
	static const char *const rows[][2] = {
		{ "a>=0", "column 5: a level is from 1 to 5" },
		{ "a>=6", "column 4: a number in range" },
		{ "a>2", "column 3: \">=\" is the only" },
		{ "a&", "column 3: a skill's name" },
		{ "(a|b", "column 5: \")\" is missing" },
		{ "a)", "column 2: this sign does not" },
		{ "退款>=2 x=1", "column 7: agents=, priority= or" },
		{ "a agents=", "column 10: one to 50 agents" },
		{ "a for=", "column 7: a number in range" },
		{ "a; b", "column 5: every step but the last needs" },
		{ "a for=1;b", "column 9: a space is expected" },
		{ "a for=99999999999", "column 7: a number in range" },
		{ "((((((((((((((((((a))))))))))))))))))", "column 18: the expression is nested" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct error err = { 0 };

		cr_expect_null(plan_parse(rows[i][0], &err), "%s", rows[i][0]);
		cr_expect(text_starts(err.text, rows[i][1]), "%s: %s", rows[i][0], err.text);
	}
}

Test(plan, steps_follow_each_other_by_time)
{
	struct error err;
	struct plan *plan = plan_parse("a>=2 agents=alice,bob for=30000; a priority=10 for=60000; "
				       "* priority=5",
				       &err);

	cr_assert_not_null(plan);
	cr_expect_eq(plan_count(plan), 3);
	cr_expect_eq(plan_at(plan, 0), 0);
	cr_expect_eq(plan_at(plan, 29999), 0);
	cr_expect_eq(plan_at(plan, 30000), 1);
	cr_expect_eq(plan_at(plan, 89999), 1);
	cr_expect_eq(plan_at(plan, 90000), 2);
	cr_expect_eq(plan_at(plan, INT64_MAX - 1), 2);
	cr_expect_str_eq(plan_step(plan, 0)->need_text, "a>=2");
	cr_expect_str_eq(plan_step(plan, 0)->agents[1], "bob");
	cr_expect_null(plan_step(plan, 0)->agents[2]);
	cr_expect_eq(plan_step(plan, 0)->priority, 0);
	cr_expect_eq(plan_step(plan, 1)->priority, 10);
	cr_expect_eq(plan_step(plan, 2)->priority, 15);
	cr_expect_null(plan_step(plan, 2)->need);
	plan_free(&plan);
	plan = plan_parse("a for=1000", &err);
	cr_expect_eq(plan_at(plan, 1000), 1);
	cr_expect_null(plan_step(plan, 1));
	plan_free(&plan);
}

Test(plan, is_written_from_a_rule_and_read_again)
{
	static const char *const rows[][2] = {
		{ "{\"queue\":\"x\"}", "" },
		{ "{\"skills\":{\"refunds\":2,\"zh\":3}}", "refunds>=2&zh>=3" },
		{ "{\"need\":\"zh>=3|en>=4\"}", "(zh>=3|en>=4)" },
		{ "{\"skills\":{\"refunds\":2},\"steps\":[{\"need\":\"zh>=3|en>=4\",\"agents\":["
		  "\"alice\",\"bob\"],"
		  "\"for_ms\":30000},{\"priority\":10}]}",
		  "refunds>=2&(zh>=3|en>=4) agents=alice,bob for=30000; refunds>=2 priority=10" },
		{ "{\"steps\":[{\"skills\":{\"zh\":1},\"for_ms\":1000},{}]}", "zh>=1 for=1000; *" },
		{ "{\"steps\":[{\"need\":\"zh\"},{}]}", "zh for=60000; *" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct error err;
		struct json_object *then = json_read(rows[i][0], strlen(rows[i][0]), &err);
		struct buf out = { 0 };
		struct plan *plan;

		plan_from_json(then, &out);
		cr_expect_str_eq(buf_string(&out), rows[i][1]);
		plan = plan_parse(buf_string(&out), &err);
		cr_expect_not_null(plan, "%s", err.text);
		plan_free(&plan);
		buf_clear(&out);
		json_free(&then);
	}
}
