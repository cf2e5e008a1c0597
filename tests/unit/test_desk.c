#include <stdio.h>

#include "roster_bed.h"

#include "routing/desk.h"

enum { NOW = 10 * 60 * 1000, MINUTE = 60 * 1000 };

static struct error err;
static struct desk *desk;
static struct roster *roster;
static struct desk_match match;

static void use(const char *const *queues, const char *const *agents)
{
	struct roster *fresh = roster_of(queues, agents, NULL, &err);

	desk_roster(desk, fresh);
	roster_free(&roster);
	roster = fresh;
}

static void setup(void)
{
	desk = desk_new();
	use(PAIRS("a", "{\"order\":1}", "b", "{\"order\":2}"), PAIRS("alice", "{}", "bob", "{}"));
}

static void teardown(void)
{
	desk_free(&desk);
	desk_free(&desk);
	roster_free(&roster);
}

TestSuite(desk, .init = setup, .fini = teardown);

static struct desk_item *put(const char *id, int64_t queued_ms)
{
	char copy[20];
	struct desk_item item = {
		.id = copy, .queue = (char[]){ "a" }, .queued_ms = queued_ms, .cost = 1
	};

	snprintf(copy, sizeof(copy), "%s", id);
	return desk_put_item(desk, &item);
}

static struct desk_agent *online(const char *id)
{
	struct desk_agent *agent = desk_agent(desk, id);

	agent->is_online = true;
	agent->is_routable = true;
	return agent;
}

/* "item agent" of the next pair, or "". */
static const char *next(void)
{
	static char text[100];
	struct desk_agent *agent;
	size_t at = 0;

	while ((agent = desk_next_agent(desk, &at)) != NULL)
		desk_agent_changed(desk, agent);
	text[0] = '\0';
	if (desk_match(desk, NOW, &match))
		snprintf(text, sizeof(text), "%s %s", match.item->id, match.agent->id);
	return text;
}

#define NEXT(want) cr_assert_str_eq(next(), want)

Test(desk, has_nothing_to_do_without_items_or_agents)
{
	NEXT("");
	put("w1", 1);
	NEXT("");
	desk_agent(desk, "alice")->is_online = true;
	NEXT("");
	online("alice");
	NEXT("w1 alice");
	cr_assert_not(match.for_wish);
	NEXT("");
}

Test(desk, older_items_and_those_with_a_head_start_go_first)
{
	put("late", 5 * MINUTE);
	put("urgent", 6 * MINUTE);
	desk_put_item(desk, &(struct desk_item){ .id = (char[]){ "urgent" },
						 .queue = (char[]){ "a" },
						 .queued_ms = 6 * MINUTE,
						 .priority = 2 });
	put("old", 3 * MINUTE);
	put("same2", 7 * MINUTE);
	put("same1", 7 * MINUTE);
	for (size_t i = 0; i < 5; i++) {
		static const char *const want[] = { "old alice", "urgent alice", "late alice",
						    "same1 alice", "same2 alice" };
		online("alice")->is_proposed = false;
		NEXT(want[i]);
	}
	online("alice")->is_proposed = false;
	NEXT("");
}

Test(desk, the_first_over_all_queues_goes_first)
{
	desk_put_item(desk, &(struct desk_item){ .id = (char[]){ "b1" },
						 .queue = (char[]){ "b" },
						 .queued_ms = 1 });
	put("a1", 2);
	online("alice");
	NEXT("b1 alice");
	online("bob");
	NEXT("a1 bob");
}

Test(desk, an_item_put_again_moves_and_one_removed_is_gone)
{
	int64_t oldest;

	put("w1", 1);
	put("w2", 2);
	desk_put_item(desk, &(struct desk_item){ .id = (char[]){ "w1" },
						 .queue = (char[]){ "b" },
						 .queued_ms = 9 });
	cr_assert_eq(desk_waiting(desk, "a", &oldest), 1);
	cr_assert_eq(oldest, 2);
	cr_assert_eq(desk_waiting(desk, "b", &oldest), 1);
	cr_assert_eq(oldest, 9);
	desk_remove_item(desk, "w2");
	desk_remove_item(desk, "w2");
	cr_assert_eq(desk_waiting(desk, "a", &oldest), 0);
	cr_assert_eq(oldest, 0);
	cr_assert_eq(desk_waiting(desk, "none", &oldest), 0);
	online("alice");
	NEXT("w1 alice");
	desk_clear_items(desk);
	cr_assert_null(desk_item(desk, "w1"));
}

Test(desk, who_is_not_free_gets_nothing)
{
	struct desk_agent *alice = online("alice");

	put("w1", 1);
	alice->is_routable = false;
	NEXT("");
	alice->is_routable = true;
	alice->has_offer = true;
	NEXT("");
	alice->has_offer = false;
	alice->is_online = false;
	NEXT("");
	alice->is_online = true;
	alice->load = 10;
	NEXT("");
	alice->load = 9;
	NEXT("w1 alice");
}

Test(desk, capacity_is_the_agent_s_own)
{
	use(NULL, PAIRS("alice", "{\"capacity\":2}", "none", "{\"capacity\":0}"));
	online("none");
	put("w1", 1);
	NEXT("");
	online("alice")->load = 2;
	NEXT("");
	online("alice")->load = 1;
	NEXT("w1 alice");
	cr_assert(desk_has_room(desk_agent(desk, "alice"), 1));
	cr_assert_not(desk_has_room(desk_agent(desk, "alice"), 2));
}

Test(desk, a_paused_queue_waits)
{
	use(PAIRS("a", "{\"paused\":true}", "b", "{}"), PAIRS("alice", "{}", "bob", "{}"));
	put("w1", 1);
	online("alice");
	desk_set_wish(online("bob"), "k", "", 1);
	NEXT("");
	use(PAIRS("a", "{}"), PAIRS("alice", "{}", "bob", "{}"));
	NEXT("w1 bob");
}

Test(desk, skills_and_queues_decide_who_may)
{
	use(NULL, PAIRS("alice", "{\"queues\":[\"b\"],\"skills\":{\"zh\":5}}", "bob",
			"{\"queues\":[\"a\"],\"skills\":{\"zh\":2}}"));
	online("alice");
	online("bob");
	desk_put_item(desk, &(struct desk_item){ .id = (char[]){ "w1" },
						 .queue = (char[]){ "a" },
						 .skills = (char[]){ "zh>=3" },
						 .queued_ms = 1 });
	NEXT("");
	put("w2", 2);
	NEXT("w2 bob");
	desk_put_item(desk, &(struct desk_item){ .id = (char[]){ "w3" },
						 .queue = (char[]){ "b" },
						 .skills = (char[]){ "zh>=3" },
						 .queued_ms = 3 });
	NEXT("w3 alice");
}

Test(desk, somebody_who_declined_rests_for_a_while)
{
	struct desk_item item = { .id = (char[]){ "w1" },
				  .queue = (char[]){ "a" },
				  .queued_ms = 1,
				  .declined = (char[]){ "alic alice bobby" },
				  .retry_ms = NOW + 1 };

	desk_put_item(desk, &item);
	online("alice");
	NEXT("");
	put("w2", 2);
	NEXT("w2 alice");
	online("bob");
	NEXT("w1 bob");
	desk_agent(desk, "alice")->is_proposed = false;
	desk_agent(desk, "bob")->is_online = false;
	item.retry_ms = NOW;
	desk_put_item(desk, &item);
	NEXT("w1 alice");
}

Test(desk, who_had_it_before_gets_it_again)
{
	online("alice")->idle_ms = 1;
	online("bob")->idle_ms = 2;
	desk_put_item(desk, &(struct desk_item){ .id = (char[]){ "w1" },
						 .queue = (char[]){ "a" },
						 .last_agent = (char[]){ "bob" } });
	NEXT("w1 bob");
}

Test(desk, who_was_idle_longest_goes_first)
{
	online("alice")->idle_ms = 2;
	online("bob")->idle_ms = 1;
	put("w1", 1);
	put("w2", 2);
	NEXT("w1 bob");
	NEXT("w2 alice");
}

Test(desk, who_carries_least_of_the_own_capacity_goes_first)
{
	use(PAIRS("a", "{\"strategy\":\"least_loaded\"}"),
	    PAIRS("alice", "{\"capacity\":4}", "bob", "{\"capacity\":10}"));
	online("alice")->load = 2;
	online("bob")->load = 4;
	put("w1", 1);
	NEXT("w1 bob");
	put("w2", 2);
	desk_agent(desk, "bob")->is_proposed = false;
	desk_agent(desk, "bob")->load = 6;
	NEXT("w2 alice");
}

Test(desk, who_knows_best_goes_first)
{
	use(PAIRS("a", "{\"strategy\":\"best_skill\"}"),
	    PAIRS("alice", "{\"skills\":{\"refunds\":2,\"zh\":5}}", "bob",
		  "{\"skills\":{\"refunds\":4}}"));
	online("alice");
	online("bob");
	desk_put_item(desk, &(struct desk_item){ .id = (char[]){ "w1" },
						 .queue = (char[]){ "a" },
						 .skills = (char[]){ "refunds>=2" } });
	NEXT("w1 bob");
}

Test(desk, only_the_skill_of_that_name_counts)
{
	use(PAIRS("a", "{\"strategy\":\"best_skill\"}"),
	    PAIRS("alice", "{\"skills\":{\"refunds\":3}}", "bob",
		  "{\"skills\":{\"refunds\":2,\"fund\":5,\"re\":5}}"));
	online("alice");
	online("bob");
	desk_put_item(desk, &(struct desk_item){ .id = (char[]){ "w1" },
						 .queue = (char[]){ "a" },
						 .skills = (char[]){ "refunds>=2" } });
	NEXT("w1 alice");
}

Test(desk, everybody_in_turn)
{
	use(PAIRS("a", "{\"strategy\":\"round_robin\"}"),
	    PAIRS("alice", "{}", "bob", "{}", "carol", "{}"));
	static const char *const want[] = { "w1 alice", "w2 bob", "w3 carol", "w4 alice",
					    "w5 bob" };

	for (size_t i = 0; i < 5; i++) {
		put((const char *const[]){ "w1", "w2", "w3", "w4", "w5" }[i], (int64_t)i);
		online("alice")->is_proposed = false;
		online("bob")->is_proposed = false;
		online("carol")->is_proposed = false;
		NEXT(want[i]);
	}
}

Test(desk, wishes_come_before_pushes_and_the_oldest_first)
{
	online("alice");
	put("w1", 1);
	put("w2", 2);
	put("w3", 3);
	desk_set_wish(desk_agent(desk, "bob"), "k1", "", 20);
	desk_set_wish(desk_agent(desk, "token:1"), "k2", "", 10);
	NEXT("w1 token:1");
	cr_assert(match.for_wish);
	NEXT("w2 bob");
	cr_assert(match.for_wish);
	NEXT("w3 alice");
	cr_assert_not(match.for_wish);
}

Test(desk, a_wish_may_name_its_queues)
{
	struct desk_agent *bob = desk_agent(desk, "bob");

	put("w1", 1);
	desk_set_wish(bob, "k", "b,c", 1);
	NEXT("");
	desk_put_item(desk, &(struct desk_item){ .id = (char[]){ "w2" },
						 .queue = (char[]){ "b" },
						 .queued_ms = 9 });
	NEXT("w2 bob");
	bob->is_proposed = false;
	desk_set_wish(bob, NULL, NULL, 0);
	NEXT("");
	cr_assert_not(bob->has_wish);
	desk_set_wish(bob, "k2", "x,a", 1);
	NEXT("w1 bob");
}

Test(desk, a_wish_of_a_full_agent_waits)
{
	struct desk_agent *bob = desk_agent(desk, "bob");

	put("w1", 1);
	bob->load = 10;
	desk_set_wish(bob, "k", "", 1);
	NEXT("");
	bob->load = 9;
	NEXT("w1 bob");
}

Test(desk, a_new_roster_reaches_who_is_there)
{
	struct desk_agent *alice = online("alice");

	use(NULL, PAIRS("bob", "{}"));
	cr_assert_null(alice->row);
	put("w1", 1);
	NEXT("");
	use(NULL, PAIRS("alice", "{}"));
	NEXT("w1 alice");
}

/* An agent of every queue takes all there is, in order, while further work comes. */
Test(desk, much_work_of_many_kinds_goes_in_order)
{
	struct desk_agent *alice;
	uint32_t seed = 7;
	int64_t last = INT64_MAX;
	int count = 0;

	for (int i = 0; i < 300; i++) {
		char id[20];
		struct desk_item item = { .id = id,
					  .queue = i % 3 ? (char[]){ "a" } : (char[]){ "b" } };

		seed = seed * 1664525U + 1013904223U;
		snprintf(id, sizeof(id), "w%d", i);
		item.priority = seed >> 24;
		item.queued_ms = seed >> 12 & 0xfff;
		desk_put_item(desk, &item);
		if (i % 5 == 0)
			desk_remove_item(desk, id);
	}
	NEXT("");
	alice = online("alice");
	for (; next()[0] != '\0'; count++) {
		int64_t rank = match.item->priority * MINUTE - match.item->queued_ms;

		cr_assert_leq(rank, last, "%s", match.item->id);
		last = rank;
		desk_remove_item(desk, match.item->id);
		alice->is_proposed = false;
	}
	cr_assert_eq(count, 240);
}
