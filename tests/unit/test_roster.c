#include "roster_bed.h"

#include "base/memory.h"
#include "converge/message.h"

static struct error err;

Test(roster, without_a_queue_there_is_the_built_in_one)
{
	size_t count;
	struct roster *roster = roster_of(NULL, NULL, NULL, &err);

	cr_assert_str_eq(roster_fallback(roster), "default");
	cr_assert_eq(roster_queues(roster, &count)[0].offer_timeout_ms, 30000);
	cr_assert_eq(count, 1);
	roster_agents(roster, &count);
	cr_assert_eq(count, 0);
	cr_assert_not_null(roster_rules(roster));
	roster_free(&roster);
	roster_free(&roster);
}

Test(roster, reads_queues_in_the_order_of_their_file)
{
	size_t count;
	struct roster *roster = roster_of(
		PAIRS("a",
		      "{\"order\":2,\"name\":\"甲\",\"strategy\":\"round_robin\","
		      "\"offer_timeout_ms\":5000,\"wrap_up_ms\":60000,\"close_after_ms\":7,"
		      "\"paused\":true}",
		      "z", "{\"order\":1}", "b", "{}", "c", "{\"strategy\":\"no such\"}"),
		NULL, NULL, &err);
	const struct queue_row *rows = roster_queues(roster, &count);

	cr_assert_eq(count, 4);
	cr_assert_str_eq(rows[0].id, "z");
	cr_assert_str_eq(rows[1].id, "a");
	cr_assert_str_eq(rows[2].id, "b");
	cr_assert_str_eq(rows[3].id, "c");
	cr_assert_str_eq(roster_fallback(roster), "z");
	cr_assert_str_eq(rows[1].name, "甲");
	cr_assert_eq(rows[1].strategy, STRATEGY_ROUND_ROBIN);
	cr_assert_eq(rows[1].offer_timeout_ms, 5000);
	cr_assert_eq(rows[1].wrap_ms, 60000);
	cr_assert_eq(rows[1].close_ms, 7);
	cr_assert(rows[1].is_paused);
	cr_assert_not(rows[0].is_paused);
	cr_assert_eq(rows[3].strategy, STRATEGY_LONGEST_IDLE);
	cr_assert_eq(roster_queue(roster, "a"), &rows[1]);
	cr_assert_null(roster_queue(roster, "nope"));
	roster_free(&roster);
}

Test(roster, reads_agents)
{
	struct roster *roster =
		roster_of(NULL,
			  PAIRS("alice",
				"{\"name\":\"Alice\",\"queues\":[\"a\",1,\"b\"],\"capacity\":3,"
				"\"skills\":{\"refunds\":3,\"zh\":5}}",
				"bob", "{}"),
			  NULL, &err);
	const struct agent_row *alice = roster_agent(roster, "alice");
	const struct agent_row *bob = roster_agent(roster, "bob");

	cr_assert_str_eq(alice->name, "Alice");
	cr_assert_eq(alice->capacity, 3);
	cr_assert_eq(alice->skill_count, 2);
	cr_assert(agent_serves(alice, "a"));
	cr_assert(agent_serves(alice, "b"));
	cr_assert_not(agent_serves(alice, "c"));
	cr_assert_not(agent_serves(alice, "ab"));
	cr_assert(agent_serves(bob, "c"), "no list is every queue");
	cr_assert_eq(bob->capacity, 10);
	cr_assert_eq(bob->skill_count, 0);
	cr_assert_null(roster_agent(roster, "carol"));
	roster_free(&roster);
}

Test(roster, an_object_that_cannot_be_read_is_left_out_and_named)
{
	size_t count;
	struct roster *roster =
		roster_of(PAIRS("good", "{}"), PAIRS("alice", "{", "bob", "{}"), NULL, &err);

	cr_assert_not_null(strstr(err.text, "alice"), "%s", err.text);
	cr_assert_null(roster_agent(roster, "alice"));
	cr_assert_not_null(roster_agent(roster, "bob"));
	roster_queues(roster, &count);
	cr_assert_eq(count, 1);
	roster_free(&roster);
}

Test(roster, a_rule_that_cannot_be_compiled_is_left_out_and_named)
{
	struct roster *roster = roster_of(
		NULL, NULL,
		PAIRS("1",
		      "{\"order\":1,\"name\":\"broken\",\"when\":{\"text\":\"(\"},\"then\":{}}",
		      "2", "{\"order\":2,\"name\":\"fine\",\"then\":{\"queue\":\"a\"}}"),
		&err);
	struct message message = { .text = "x" };
	struct classification got;
	struct rule_facts facts;
	struct arena *arena = arena_new(0);

	cr_assert_not_null(strstr(err.text, "broken"), "%s", err.text);
	facts = rule_facts_of(&message, "site");
	rules_classify(roster_rules(roster), &facts, "f", arena, &got);
	cr_assert_str_eq(got.queue, "a", "the rest stands");
	arena_free(&arena);
	roster_free(&roster);
}

Test(roster, a_call_takes_all_of_an_agent_unless_something_else_is_said)
{
	const char *const *kinds[ROSTER_KINDS] = {
		[ROSTER_AGENTS] =
			PAIRS("ann", "{\"limits\":[{\"channel\":\"pbx\",\"at_once\":1}]}"),
		[ROSTER_CHANNEL_COSTS] = PAIRS("cheap", "{\"cost\":2}", "quiet",
					       "{\"interrupts\":[]}", "site", "{}"),
	};
	struct roster *roster =
		roster_with_calls(kinds, PAIRS("pbx", "cheap", "quiet", "other"), &err);
	static const struct {
		const char *channel;
		int64_t cost; /* to an agent with a capacity of 7 */
		bool has_calls;
	} rows[] = {
		{ "pbx", 7, true },   { "cheap", 2, true }, { "quiet", 7, true },
		{ "other", 7, true }, { "site", 1, false }, { "unnamed", 1, false },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct channel_row *row = roster_channel(roster, rows[i].channel);

		cr_expect_eq(channel_cost(row, 7), rows[i].cost, "%s", rows[i].channel);
		cr_expect_eq(row->has_calls, rows[i].has_calls, "%s", rows[i].channel);
	}
	cr_expect_eq(channel_cost(roster_channel(roster, "pbx"), 0), 1);
	cr_expect_lt(roster_channel_number(roster, "other"), SIZE_MAX);
	roster_free(&roster);
}

Test(roster, finds_an_agent_by_a_line)
{
	struct roster *roster = roster_of(NULL,
					  PAIRS("ann", "{\"lines\":[\"PJSIP/101\",\"+861\",7]}",
						"bob", "{\"lines\":[\"ann\"]}"),
					  NULL, &err);

	cr_expect_str_eq(roster_agent_of(roster, "+861")->id, "ann");
	cr_expect_str_eq(roster_agent_of(roster, "PJSIP/101")->id, "ann");
	cr_expect_str_eq(roster_agent_of(roster, "ann")->id, "ann", "an id goes before a line");
	cr_expect_null(roster_agent_of(roster, "PJSIP/1"));
	cr_expect_null(roster_agent_of(roster, NULL));
	roster_free(&roster);
}
