/* What an item costs its agent while it is attended to and while it waits, by every way out. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "desk_bed.h"

static struct desk_bed *desk;

static const char *load(void)
{
	return desk_ask(desk, "HGET {main}:a:alice ld");
}

/* Takes 3 of alice while she attends to it, 1 while it waits. */
static void take(const char *offer)
{
	const struct offer_proposal proposal = {
		.fence = "f1",
		.work_item = desk->item,
		.version = atoll(desk_ask(desk, "HGET {main}:w:%s v", desk->item)),
		.agent = "alice",
		.offer = offer,
		.accept_ms = 30000,
		.agent_capacity = 10,
		.cost = 3,
		.parallel = 1,
		.missed_max = 3,
		.waiting_cost = 1,
	};
	struct work_call call = desk_call(desk, "alice");

	offer_make(desk->bed->store, "main", &proposal, desk_on_work, desk);
	desk_wait(desk);
	cr_assert_str_eq(load(), "3");
	work_accept(&call, desk_on_work, desk);
	desk_wait(desk);
	cr_assert_str_eq(load(), "3");
}

static void snooze(const char *what)
{
	struct work_call call = desk_call(desk, "alice");

	work_snooze(&call, what, INT64_C(4000000000000), desk_on_work, desk);
	desk_wait(desk);
	cr_assert_eq(desk->code, WORK_OK, "%s", desk->refusal);
	cr_assert_str_eq(load(), "1");
}

static void setup(void)
{
	desk = desk_bed_new();
	take("off_1");
	snooze("customer");
}

static void teardown(void)
{
	desk_bed_free(&desk);
}

TestSuite(attention, .init = setup, .fini = teardown);

Test(attention, the_customer_wakes_it)
{
	desk_admit(desk, "p2");
	cr_assert_str_eq(load(), "3");
}

Test(attention, the_customer_wakes_it_while_the_agent_is_away)
{
	desk_ask(desk, "HSET {main}:a:alice st offline");
	desk_admit(desk, "p2");
	cr_assert_str_eq(load(), "0");
}

Test(attention, its_agent_wakes_it_and_ends_it)
{
	struct work_call call = desk_call(desk, "alice");
	const struct work_resolution resolution = { .reason = "done" };

	work_reopen(&call, NULL, desk_on_work, desk);
	desk_wait(desk);
	cr_assert_str_eq(load(), "3");
	snooze("third_party");
	desk_reply(desk, "alice", NULL, "here");
	cr_assert_str_eq(load(), "3");
	work_resolve(&call, &resolution, desk_on_work, desk);
	desk_wait(desk);
	cr_assert_str_eq(load(), "0");
}

Test(attention, its_time_is_over)
{
	char timer[80];

	snprintf(timer, sizeof(timer), "%s", desk_ask(desk, "HGET {main}:w:%s tm", desk->item));
	desk_ask(desk, "ZADD {main}:timers XX 1 %s", timer);
	desk_fire(desk, timer);
	cr_assert_str_eq(load(), "3");
}

Test(attention, it_ends_while_it_waits)
{
	struct work_call call = desk_call(desk, "alice");
	const struct work_resolution resolution = { .reason = "done" };

	work_resolve(&call, &resolution, desk_on_work, desk);
	desk_wait(desk);
	cr_assert_eq(desk->code, WORK_OK, "%s", desk->refusal);
	cr_assert_str_eq(load(), "0");
}

Test(attention, it_is_given_back_while_it_waits)
{
	struct work_call call = desk_call(desk, "alice");

	work_release(&call, NULL, desk_on_work, desk);
	desk_wait(desk);
	cr_assert_str_eq(load(), "0");
}

Test(attention, it_is_handed_to_a_queue_and_taken_by_another)
{
	struct work_call call = desk_call(desk, "alice");
	const struct work_transfer transfer = { .queue = "billing",
						.transfer = "trf_1",
						.accept_ms = 60000 };

	work_transfer(&call, &transfer, desk_on_work, desk);
	desk_wait(desk);
	cr_assert_eq(desk->code, WORK_OK, "%s", desk->refusal);
	cr_assert_str_eq(load(), "3", "until somebody takes it, it is in her hands again");
	desk_ask(desk, "HSET {main}:a:bob st online rt 1");
	desk_offer(desk, "bob", "off_2");
	call.agent = "bob";
	work_accept(&call, desk_on_work, desk);
	desk_wait(desk);
	cr_assert_str_eq(load(), "0");
	cr_assert_str_eq(desk_ask(desk, "HGET {main}:a:bob ld"), "2");
}

Test(attention, a_supervisor_gives_it_to_another)
{
	struct work_call call = desk_call(desk, NULL);
	const struct work_assignment assignment = {
		.agent = "bob", .cost = 4, .waiting_cost = 2, .transfer = "trf_1", .by = "carol"
	};

	work_assign(&call, &assignment, desk_on_work, desk);
	desk_wait(desk);
	cr_assert_eq(desk->code, WORK_OK, "%s", desk->refusal);
	cr_assert_str_eq(load(), "0");
	cr_assert_str_eq(desk_ask(desk, "HGET {main}:a:bob ld"), "4");
	call.agent = "bob";
	work_snooze(&call, "until", INT64_C(4000000000000), desk_on_work, desk);
	desk_wait(desk);
	cr_assert_str_eq(desk_ask(desk, "HGET {main}:a:bob ld"), "2");
}

Test(attention, what_wakes_may_exceed_and_then_nothing_new_comes)
{
	struct offer_proposal proposal = { .fence = "f1",
					   .work_item = desk->item,
					   .agent = "alice",
					   .offer = "off_9",
					   .accept_ms = 30000,
					   .agent_capacity = 2,
					   .cost = 1,
					   .parallel = 1 };
	struct work_call call = desk_call(desk, NULL);
	const struct work_case another = { .queue = "support" };

	desk_admit(desk, "p2");
	cr_assert_str_eq(load(), "3", "more than the 2 she has: it woke");
	call.work_item = "wrk_another";
	work_open(&call, &another, desk_on_work, desk);
	desk_wait(desk);
	proposal.work_item = call.work_item;
	proposal.version = desk->version;
	offer_make(desk->bed->store, "main", &proposal, desk_on_work, desk);
	desk_wait(desk);
	cr_assert_str_eq(desk->refusal, "capacity");
	snooze("customer");
	offer_make(desk->bed->store, "main", &proposal, desk_on_work, desk);
	desk_wait(desk);
	cr_assert_eq(desk->code, WORK_OK, "%s", desk->refusal);
	cr_assert_str_eq(load(), "2");
}

Test(attention, an_offer_for_another_load_is_refused)
{
	struct work_call call = desk_call(desk, NULL);
	const struct work_case another = { .queue = "support" };
	struct offer_proposal proposal = { .fence = "f1",
					   .work_item = "wrk_another",
					   .agent = "alice",
					   .offer = "off_9",
					   .accept_ms = 30000,
					   .agent_capacity = 9,
					   .cost = 1,
					   .parallel = 1,
					   .load_matters = true,
					   .load = 3 };

	call.work_item = proposal.work_item;
	work_open(&call, &another, desk_on_work, desk);
	desk_wait(desk);
	proposal.version = desk->version;
	offer_make(desk->bed->store, "main", &proposal, desk_on_work, desk);
	desk_wait(desk);
	cr_assert_str_eq(desk->refusal, "changed");
	proposal.load = 1;
	offer_make(desk->bed->store, "main", &proposal, desk_on_work, desk);
	desk_wait(desk);
	cr_assert_eq(desk->code, WORK_OK, "%s", desk->refusal);
}
