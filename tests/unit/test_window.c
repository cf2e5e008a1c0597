#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "delivery/window.h"

#define HOUR ((int64_t)3600 * 1000)
#define NOW ((int64_t)1000 * HOUR)

struct window_case {
	char name[60];
	int64_t open_ms, count;
	int after;
	bool template_only, is_template;
	char kept[40]; /* hours from now, and left */
	int64_t last_inbound_ms;
	char code[20];
	int64_t until_ms, left;
	bool template_possible;
};

ParameterizedTestParameters(window, answers)
{
	static struct window_case cases[] = {
		{ "no rule", 0, 0, 0, false, false, "", 0, "", 0, -1, false },
		{ "no rule, and never written", 0, 0, 0, false, false, "", NOW, "", 0, -1, false },
		{ "open", 48 * HOUR, 5, 0, false, false, "3603600000 4", NOW, "", 3603600000, 4,
		  false },
		{ "open, any number", 24 * HOUR, 0, 0, false, false, "3603600000 ", NOW, "",
		  3603600000, -1, false },
		{ "used up", 48 * HOUR, 5, 0, false, false, "3603600000 0", NOW, "window_used_up",
		  0, 0, false },
		{ "over", 48 * HOUR, 5, 0, false, false, "3599999999 4", NOW, "window_closed", 0, 0,
		  false },
		{ "ends this moment", 48 * HOUR, 5, 0, false, false, "3600000000 4", NOW,
		  "window_closed", 0, 0, false },
		{ "over, templates", 24 * HOUR, 0, AFTER_TEMPLATE, false, false, "3599999999 ", NOW,
		  "window_closed", 0, 0, true },
		{ "over, a template", 24 * HOUR, 0, AFTER_TEMPLATE, false, true, "3599999999 ", NOW,
		  "", 0, -1, true },
		{ "a template where there are none", 24 * HOUR, 0, AFTER_NOTHING, false, true,
		  "3599999999 ", NOW, "window_closed", 0, 0, false },
		{ "over, another way", HOUR, 0, AFTER_FREE, false, false, "3599999999 ", NOW, "", 0,
		  -1, false },
		{ "used up, another way", HOUR, 1, AFTER_FREE, false, false, "3603600000 0", NOW,
		  "", 0, -1, false },
		{ "templates only", 0, 0, 0, true, false, "", NOW, "template_only", 0, 0, true },
		{ "templates only, one", 0, 0, 0, true, true, "", 0, "", 0, -1, true },
		{ "kept before windows were", 48 * HOUR, 5, 0, false, false, "", NOW - HOUR, "",
		  NOW + 47 * HOUR, 5, false },
		{ "kept before windows were, over", 48 * HOUR, 0, 0, false, false, "",
		  NOW - 49 * HOUR, "window_closed", 0, 0, false },
		{ "never written", 48 * HOUR, 5, 0, false, false, "", 0, "window_closed", 0, 0,
		  false },
	};

	return cr_make_param_array(struct window_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct window_case *c, window, answers)
{
	const struct window_facts facts = {
		.rules = { c->open_ms, c->count, (enum window_after)c->after, c->template_only },
		.kept = c->kept,
		.last_inbound_ms = c->last_inbound_ms,
		.now_ms = NOW,
		.is_template = c->is_template,
	};
	struct window_answer answer = window_judge(&facts);

	cr_expect_str_eq(answer.code ? answer.code : "", c->code, "%s", c->name);
	cr_expect_eq(answer.may, !c->code[0], "%s", c->name);
	cr_expect_eq(!answer.why, !c->code[0], "%s", c->name);
	cr_expect_eq(answer.until_ms, c->until_ms, "%s: %lld", c->name, (long long)answer.until_ms);
	cr_expect_eq(answer.left, c->left, "%s: %lld", c->name, (long long)answer.left);
	cr_expect_eq(answer.template_possible, c->template_possible, "%s", c->name);
}

static struct window_facts facts_at_night(bool is_automatic)
{
	return (struct window_facts){ .now_ms = NOW,
				      .quiet_until_ms = NOW + HOUR,
				      .is_automatic = is_automatic };
}

Test(window, who_has_opted_out_gets_nothing_not_even_a_template)
{
	const struct window_facts facts = { .rules = { .template_only = true },
					    .is_template = true,
					    .now_ms = NOW,
					    .opted_out_ms = NOW - HOUR };
	struct window_answer answer = window_judge(&facts);

	cr_expect_not(answer.may);
	cr_expect_str_eq(answer.code, "opted_out");
	cr_expect_not(answer.template_possible);
	cr_expect_eq(answer.from_ms, 0);
}

Test(window, machines_wait_for_the_calendar_and_people_are_told)
{
	struct window_facts facts = facts_at_night(true);
	struct window_answer answer = window_judge(&facts);

	cr_expect_not(answer.may);
	cr_expect_str_eq(answer.code, "quiet_hours");
	cr_expect_eq(answer.from_ms, NOW + HOUR);
	facts = facts_at_night(false);
	answer = window_judge(&facts);
	cr_expect(answer.may);
	cr_expect(answer.is_quiet);
}

Test(window, a_cap_says_when_it_ends)
{
	const struct window_facts facts = { .now_ms = NOW, .capped_ms = HOUR };
	struct window_answer answer = window_judge(&facts);

	cr_expect_not(answer.may);
	cr_expect_str_eq(answer.code, "recipient_cap");
	cr_expect_eq(answer.from_ms, NOW + HOUR);
}

Test(window, what_a_closed_window_says_goes_before_what_waiting_would_help)
{
	const struct window_facts facts = { .rules = { .open_ms = HOUR },
					    .now_ms = NOW,
					    .last_inbound_ms = NOW - 2 * HOUR,
					    .capped_ms = HOUR };

	cr_expect_str_eq(window_judge(&facts).code, "window_closed");
}

Test(window, no_calendar_is_always_open)
{
	cr_expect_eq(window_quiet_until(NULL, NOW), 0);
}
