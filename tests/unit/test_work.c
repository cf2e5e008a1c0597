#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conversation/work_item.h"
#include "desk_bed.h"
#include "parts.h"

static const char *state(struct desk_bed *desk)
{
	return desk_ask(desk, "HGET {main}:w:%s s", desk->item);
}

static const char *load(struct desk_bed *desk)
{
	return desk_ask(desk, "HGET {main}:a:alice ld");
}

static void resolve(struct desk_bed *desk, const char *agent, int64_t wrap_up_ms)
{
	struct work_call call = desk_call(desk, agent);
	const struct work_resolution resolution = { "done", NULL, wrap_up_ms, 3600000 };

	work_resolve(&call, &resolution, desk_on_work, desk);
	desk_wait(desk);
}

/* The timer that the item's state armed, made due. */
static const char *armed(struct desk_bed *desk)
{
	static char timer[120];

	snprintf(timer, sizeof(timer), "%s", desk_ask(desk, "HGET {main}:w:%s tm", desk->item));
	desk_ask(desk, "ZADD {main}:timers XX 1 %s", timer);
	return timer;
}

Test(work, goes_from_offer_to_wrap_up_to_closed_and_leaves_nothing_behind)
{
	struct desk_bed *desk = desk_bed_new();

	desk_offer(desk, "alice", "off_1");
	cr_expect_str_eq(desk->state, "offered");
	cr_expect_str_eq(load(desk), "2");
	desk_assign(desk, "alice");
	cr_expect_str_eq(state(desk), "assigned");
	cr_expect_str_eq(desk_ask(desk, "SMEMBERS {main}:aw:alice"), desk->item);
	cr_expect_str_eq(desk_ask(desk, "ZCARD {main}:q:support"), "0");
	resolve(desk, "alice", 60000);
	cr_expect_str_eq(desk->state, "wrapping");
	cr_expect_str_eq(load(desk), "2");
	desk_fire(desk, armed(desk));
	cr_expect_str_eq(state(desk), "resolved");
	cr_expect_str_eq(load(desk), "0");
	desk_fire(desk, armed(desk));
	cr_expect_str_eq(state(desk), "closed");
	cr_expect_str_eq(desk_ask(desk, "ZCARD {main}:wx"), "0");
	cr_expect_str_eq(desk_ask(desk, "SCARD {main}:aw:alice"), "0");
	cr_expect_str_eq(desk_ask(desk, "HMGET {main}:c:%s s w", desk->conversation), "closed,");
	cr_expect_str_eq(desk_ask(desk, "ZRANGE {main}:timers 0 -1"), "gone:alice");
	desk_bed_free(&desk);
}

Test(work, an_illegal_transition_names_the_state_and_what_it_allows)
{
	struct desk_bed *desk = desk_bed_new();
	struct work_call call = desk_call(desk, "alice");

	work_accept(&call, desk_on_work, desk);
	desk_wait(desk);
	cr_expect_eq(desk->code, WORK_REFUSED);
	cr_expect_str_eq(desk->refusal, "illegal_state");
	cr_expect_str_eq(desk->state, "queued");
	cr_expect_str_eq(desk->allowed, "transfer escalate resolve close assign barge ");
	call.work_item = "wrk_none";
	work_release(&call, NULL, desk_on_work, desk);
	desk_wait(desk);
	cr_expect_str_eq(desk->refusal, "not_found");
	desk_bed_free(&desk);
}

Test(work, refuses_a_stranger_and_an_old_version)
{
	struct desk_bed *desk = desk_bed_new();
	struct work_call call = desk_call(desk, "bob");

	desk_assign(desk, "alice");
	work_release(&call, NULL, desk_on_work, desk);
	desk_wait(desk);
	cr_expect_str_eq(desk->refusal, "not_assignee");
	call.agent = "alice";
	call.version = 2;
	work_release(&call, NULL, desk_on_work, desk);
	desk_wait(desk);
	cr_expect_str_eq(desk->refusal, "version");
	cr_expect_eq(desk->version, 3);
	call.agent = NULL;
	call.version = 3;
	work_release(&call, "not mine to do", desk_on_work, desk);
	desk_wait(desk);
	cr_expect_eq(desk->code, WORK_OK, "a supervisor may");
	cr_expect_str_eq(load(desk), "0");
	desk_bed_free(&desk);
}

Test(work, a_repeated_key_gets_the_first_answer_and_another_request_a_conflict)
{
	struct desk_bed *desk = desk_bed_new();
	struct work_call call = desk_call(desk, "alice");

	desk_assign(desk, "alice");
	call.key = "k1";
	call.request = "r1";
	for (int i = 0; i < 2; i++) {
		work_release(&call, NULL, desk_on_work, desk);
		desk_wait(desk);
		cr_expect_eq(desk->code, WORK_OK);
		cr_expect_eq(desk->replayed, i == 1);
		cr_expect_str_eq(desk->state, "queued");
		cr_expect_eq(desk->version, 4);
	}
	call.request = "r2";
	work_release(&call, NULL, desk_on_work, desk);
	desk_wait(desk);
	cr_expect_eq(desk->code, WORK_CONFLICT);
	desk_bed_free(&desk);
}

Test(work, offers_respect_the_fence_the_capacity_and_presence)
{
	struct desk_bed *desk = desk_bed_new();
	struct offer_proposal proposal = { .fence = "f1",
					   .work_item = desk->item,
					   .version = 1,
					   .agent = "alice",
					   .offer = "off_1",
					   .accept_ms = 30000,
					   .agent_capacity = 1,
					   .cost = 2,
					   .parallel = 1,
					   .missed_max = 3 };

	offer_make(desk->bed->store, "main", &proposal, desk_on_work, desk);
	desk_wait(desk);
	cr_expect_str_eq(desk->refusal, "capacity");
	proposal.agent_capacity = 2;
	proposal.fence = "f0";
	offer_make(desk->bed->store, "main", &proposal, desk_on_work, desk);
	desk_wait(desk);
	cr_expect_str_eq(desk->refusal, "fence");
	desk_offer(desk, "bob", "off_1");
	cr_expect_str_eq(desk->refusal, "offline");
	proposal.fence = "f1";
	proposal.version = 9;
	offer_make(desk->bed->store, "main", &proposal, desk_on_work, desk);
	desk_wait(desk);
	cr_expect_str_eq(desk->refusal, "version");
	cr_expect_str_eq(state(desk), "queued");
	desk_bed_free(&desk);
}

Test(work, three_missed_offers_make_an_agent_not_routable)
{
	struct desk_bed *desk = desk_bed_new();
	char offer[24], timer[48];

	for (int i = 1; i <= 3; i++) {
		snprintf(offer, sizeof(offer), "off_%d", i);
		desk_offer(desk, "alice", offer);
		snprintf(timer, sizeof(timer), "offer:off_%d", i);
		desk_fire(desk, timer);
		cr_expect_str_eq(desk->refusal, "early");
		desk_ask(desk, "HSET {main}:o:off_%d ex 1", i);
		desk_fire(desk, timer);
		cr_expect_str_eq(state(desk), "queued");
		cr_expect_str_eq(desk_ask(desk, "HGET {main}:a:alice rt"), i < 3 ? "1" : "0");
	}
	cr_expect_str_eq(load(desk), "0");
	desk_bed_free(&desk);
}

Test(work, a_declined_item_keeps_its_place_and_who_declined)
{
	struct desk_bed *desk = desk_bed_new();
	struct work_call call = desk_call(desk, "alice");
	char since[32];

	snprintf(since, sizeof(since), "%s",
		 desk_ask(desk, "ZSCORE {main}:q:support %s", desk->item));
	desk_offer(desk, "alice", "off_1");
	work_decline(&call, "busy", desk_on_work, desk);
	desk_wait(desk);
	cr_expect_str_eq(desk->state, "queued");
	cr_expect_str_eq(desk_ask(desk, "ZSCORE {main}:q:support %s", desk->item), since);
	cr_expect_str_eq(desk_ask(desk, "HGET {main}:w:%s dn", desk->item), "alice ");
	cr_expect_str_eq(load(desk), "0");
	desk_bed_free(&desk);
}

static void claim(struct desk_bed *desk, const char *key, const char *queues)
{
	const struct claim wish = { "bob", key, queues, 30000, 0, NULL };

	claim_make(desk->bed->store, "main", &wish, desk_on_work, desk);
	desk_wait(desk);
}

static void end_claim(struct desk_bed *desk, const char *key, bool gone)
{
	const struct claim wish = { .agent = "bob", .key = key };

	claim_end(desk->bed->store, "main", &wish, gone, desk_on_work, desk);
	desk_wait(desk);
}

Test(work, a_wish_is_given_at_once_and_its_key_gets_the_same_item)
{
	struct desk_bed *desk = desk_bed_new();

	claim(desk, "k1", "support");
	cr_expect_eq(desk->code, WORK_WISH);
	desk_offer(desk, "bob", "off_1");
	cr_expect_str_eq(desk->state, "assigned", "no presence is needed");
	claim(desk, "k1", "support");
	cr_expect_eq(desk->code, WORK_OK);
	cr_expect_str_eq(desk->given, desk->item);
	end_claim(desk, "k1", false);
	cr_expect_str_eq(desk->given, desk->item);
	cr_expect_str_eq(desk_ask(desk, "ZCARD {main}:wishes"), "0");
	desk_bed_free(&desk);
}

Test(work, a_wish_withdrawn_gets_nothing_and_says_so_again)
{
	struct desk_bed *desk = desk_bed_new();

	claim(desk, "k1", "");
	end_claim(desk, "k1", false);
	cr_expect_eq(desk->code, WORK_NONE);
	desk_offer(desk, "bob", "off_1");
	cr_expect_str_eq(desk->refusal, "offline");
	claim(desk, "k1", "");
	cr_expect_eq(desk->code, WORK_NONE);
	cr_expect_str_eq(desk_ask(desk, "ZCARD {main}:wishes"), "0");
	desk_bed_free(&desk);
}

Test(work, an_item_given_to_a_client_that_is_gone_goes_to_the_next_claim)
{
	struct desk_bed *desk = desk_bed_new();

	claim(desk, "k1", "");
	desk_offer(desk, "bob", "off_1");
	end_claim(desk, "k1", true);
	claim(desk, "k2", "");
	cr_expect_eq(desk->code, WORK_OK);
	cr_expect_str_eq(desk->given, desk->item);
	claim(desk, "k3", "");
	cr_expect_eq(desk->code, WORK_WISH, "once only");
	desk_bed_free(&desk);
}

Test(work, a_claim_takes_the_agents_own_offer_where_it_fits)
{
	struct desk_bed *desk = desk_bed_new();
	struct claim wish = { "alice", "k1", "billing", 30000, 0, NULL };

	desk_offer(desk, "alice", "off_1");
	claim_make(desk->bed->store, "main", &wish, desk_on_work, desk);
	desk_wait(desk);
	cr_expect_eq(desk->code, WORK_WISH);
	wish.key = "k2";
	wish.queues = "billing,support";
	claim_make(desk->bed->store, "main", &wish, desk_on_work, desk);
	desk_wait(desk);
	cr_expect_str_eq(desk->given, desk->item);
	cr_expect_str_eq(desk->state, "assigned");
	cr_expect_str_eq(load(desk), "2");
	desk_bed_free(&desk);
}

Test(work, a_tools_claim_returns_by_its_lease_unless_extended)
{
	struct desk_bed *desk = desk_bed_new();
	const struct claim wish = { "bot", "k1", "", 30000, 300000, NULL };
	const struct work_extension longer = { .lease_ms = 600000 };
	struct work_call call = desk_call(desk, "bot");

	claim_make(desk->bed->store, "main", &wish, desk_on_work, desk);
	desk_wait(desk);
	desk_offer(desk, "bot", "off_1");
	work_extend(&call, &longer, desk_on_work, desk);
	desk_wait(desk);
	cr_expect_eq(desk->code, WORK_OK);
	desk_fire(desk, armed(desk));
	cr_expect_str_eq(desk->refusal, "early");
	desk_ask(desk, "HSET {main}:a:bot seen 1");
	desk_fire(desk, "gone:bot");
	cr_expect_str_eq(state(desk), "assigned", "a tool is gone by its lease only");
	desk_ask(desk, "HSET {main}:w:%s lx 1", desk->item);
	desk_fire(desk, armed(desk));
	cr_expect_str_eq(state(desk), "queued");
	desk_bed_free(&desk);
}

static void snooze(struct desk_bed *desk, const char *what)
{
	struct work_call call = desk_call(desk, "alice");

	work_snooze(&call, what, INT64_C(4000000000000), desk_on_work, desk);
	desk_wait(desk);
}

Test(work, waiting_costs_nothing_and_the_customers_next_message_ends_it)
{
	struct desk_bed *desk = desk_bed_new();

	desk_assign(desk, "alice");
	snooze(desk, "customer");
	cr_expect_str_eq(desk->state, "waiting");
	cr_expect_str_eq(load(desk), "0");
	desk_admit(desk, "p2");
	cr_expect_str_eq(state(desk), "assigned");
	cr_expect_str_eq(load(desk), "2");
	snooze(desk, "third_party");
	desk_admit(desk, "p3");
	cr_expect_str_eq(state(desk), "waiting");
	desk_fire(desk, armed(desk));
	cr_expect_str_eq(state(desk), "assigned");
	cr_expect_str_eq(load(desk), "2");
	desk_bed_free(&desk);
}

Test(work, a_message_reopens_a_resolved_item_and_a_closed_one_stays_closed)
{
	struct desk_bed *desk = desk_bed_new();
	struct work_call call = desk_call(desk, "alice");
	char first[ID_BYTES];

	desk_assign(desk, "alice");
	resolve(desk, "alice", 0);
	desk_admit(desk, "p2");
	cr_expect_str_eq(state(desk), "queued");
	cr_expect_str_eq(desk_ask(desk, "HGET {main}:w:%s la", desk->item), "alice");
	memcpy(first, desk->item, sizeof(first));
	call.agent = NULL;
	work_close(&call, "done", desk_on_work, desk);
	desk_wait(desk);
	desk_admit(desk, "p3");
	cr_expect_str_neq(desk->item, first);
	snprintf(first, sizeof(first), "%s",
		 desk_ask(desk, "HGET {main}:c:%s w", desk->conversation));
	cr_expect_str_eq(first, desk->item);
	cr_expect_str_eq(desk_ask(desk, "HMGET {main}:c:%s s n", desk->conversation), "open,3");
	desk_bed_free(&desk);
}

Test(work, an_agent_who_is_gone_gives_everything_back)
{
	struct desk_bed *desk = desk_bed_new();

	desk_assign(desk, "alice");
	desk_fire(desk, "gone:alice");
	cr_expect_str_eq(state(desk), "assigned", "heard of a moment ago");
	desk_ask(desk, "HSET {main}:a:alice seen 1");
	desk_fire(desk, "gone:alice");
	cr_expect_str_eq(state(desk), "queued");
	cr_expect_str_eq(desk_ask(desk, "HGET {main}:a:alice st"), "offline");
	cr_expect_str_eq(load(desk), "0");
	desk_bed_free(&desk);
}

Test(work, a_transfer_leaves_the_item_where_it_is_until_it_is_accepted)
{
	struct desk_bed *desk = desk_bed_new();
	struct work_call call = desk_call(desk, "alice");
	const struct work_transfer transfer = {
		.agent = "bob", .transfer = "trf_1", .accept_ms = 60000, .summary = "knows the case"
	};

	desk_assign(desk, "alice");
	work_transfer(&call, &transfer, desk_on_work, desk);
	desk_wait(desk);
	cr_expect_str_eq(desk_ask(desk, "HGET {main}:w:%s a", desk->item), "alice");
	work_transfer(&call, &transfer, desk_on_work, desk);
	desk_wait(desk);
	cr_expect_str_eq(desk->refusal, "transfer_pending");
	work_transfer_end(&call, "trf_1", "accepted", NULL, desk_on_work, desk);
	desk_wait(desk);
	cr_expect_str_eq(desk->refusal, "not_assignee");
	call.agent = "bob";
	work_transfer_end(&call, "trf_1", "accepted", NULL, desk_on_work, desk);
	desk_wait(desk);
	cr_expect_str_eq(desk_ask(desk, "HGET {main}:w:%s a", desk->item), "bob");
	cr_expect_str_eq(desk_ask(desk, "SCARD {main}:aw:alice"), "0");
	cr_expect_str_eq(load(desk), "0");
	desk_bed_free(&desk);
}

Test(work, a_timer_of_another_kind_is_not_about_work)
{
	struct desk_bed *desk = desk_bed_new();

	desk_fire(desk, "survey:x");
	cr_expect_str_eq(desk->refusal, "unknown_timer");
	desk_fire(desk, "wrap:wrk_none:1");
	cr_expect_str_eq(desk->refusal, "not_found");
	desk_bed_free(&desk);
}

struct listed {
	bool done;
	size_t count;
	char last[80];
	char names[400];
};

static void on_page(const struct work_page *page, const struct error *err, void *context)
{
	struct listed *listed = context;

	cr_assert_null(err);
	listed->count = page->count;
	snprintf(listed->last, sizeof(listed->last), "%s", page->last ? page->last : "");
	for (size_t i = 0; i < page->count; i++) {
		strncat(listed->names, page->items[i].id, ID_BYTES);
		strncat(listed->names, " ", 2);
		cr_expect_str_eq(page->items[i].customer_name ? page->items[i].customer_name : "",
				 "Ann");
	}
	listed->done = true;
}

Test(work, lists_page_by_page_without_losing_or_repeating_one)
{
	struct desk_bed *desk = desk_bed_new();
	const struct parts parts = { .store = desk->bed->store };
	struct listed listed = { 0 };
	struct work_query query = { .workspace = "main", .state = "queued", .limit = 2 };
	size_t total = 0;
	char after[80] = "";

	for (int i = 0; i < 6; i++)
		desk_ask(desk, "HSET {main}:w:wrk_%d s queued v 1 u %s ct 5", i, desk->customer);
	desk_ask(desk, "ZADD {main}:wx 5 wrk_0 5 wrk_1 5 wrk_2 5 wrk_3 6 wrk_4 7 wrk_5");
	query.ascending = true;
	do {
		listed.done = false;
		query.after = after[0] ? after : NULL;
		work_item_list(&parts, &query, on_page, &listed);
		bed_until(desk->bed, &listed.done);
		total += listed.count;
		snprintf(after, sizeof(after), "%s", listed.last);
	} while (listed.last[0] != '\0');
	cr_expect_eq(total, 7); /* the six, and the one the bed has made */
	for (int i = 0; i < 6; i++) {
		char name[24];

		snprintf(name, sizeof(name), "wrk_%d ", i);
		cr_expect_not_null(strstr(listed.names, name), "%s", name);
	}
	query.after = NULL;
	query.state = "assigned";
	listed.done = false;
	work_item_list(&parts, &query, on_page, &listed);
	bed_until(desk->bed, &listed.done);
	cr_expect_eq(listed.count, 0);
	cr_expect_str_eq(listed.last, "");
	desk_bed_free(&desk);
}

struct runtime {
	bool done;
	char status[16], offer[16];
	bool routable;
	int64_t load;
};

static void on_runtime(const struct agent_runtime *runtime, const struct error *err, void *context)
{
	struct runtime *seen = context;

	cr_assert_null(err);
	snprintf(seen->status, sizeof(seen->status), "%s", runtime->status);
	snprintf(seen->offer, sizeof(seen->offer), "%s", runtime->offer ? runtime->offer : "");
	seen->routable = runtime->routable;
	seen->load = runtime->load;
	seen->done = true;
}

Test(work, an_agents_runtime_shows_presence_load_and_the_pending_offer)
{
	struct desk_bed *desk = desk_bed_new();
	struct runtime seen = { 0 };

	desk_offer(desk, "alice", "off_1");
	presence_read(desk->bed->store, "main", "alice", on_runtime, &seen);
	bed_until(desk->bed, &seen.done);
	cr_expect_str_eq(seen.status, "online");
	cr_expect(seen.routable);
	cr_expect_eq(seen.load, 2);
	cr_expect_str_eq(seen.offer, "off_1");
	seen.done = false;
	presence_read(desk->bed->store, "main", "nobody", on_runtime, &seen);
	bed_until(desk->bed, &seen.done);
	cr_expect_str_eq(seen.status, "offline");
	cr_expect_not(seen.routable);
	desk_bed_free(&desk);
}
