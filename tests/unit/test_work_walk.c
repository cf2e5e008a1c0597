/* Whatever people, timers and the router do in whatever order: queues, agents'
 * sets, loads, timers and states always tell one story. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk_bed.h"

enum { ITEMS = 12, STEPS = 700 };

static const char *const agents[] = { "alice", "bob" };

struct walk {
	struct desk_bed *desk;
	uint32_t seed;
	char items[ITEMS][ID_BYTES];
	int next_offer;
	int next_transfer;
	int changed; /* steps that did something */
};

static uint32_t roll(struct walk *walk, uint32_t sides)
{
	walk->seed = walk->seed * 1664525U + 1013904223U;
	return (walk->seed >> 16) % sides;
}

static void field(struct walk *walk, const char *item, const char *name, char out[80])
{
	snprintf(out, 80, "%s", desk_ask(walk->desk, "HGET {main}:w:%s %s", item, name));
	if (strcmp(out, "(nil)") == 0)
		out[0] = '\0';
}

static int is_in(struct walk *walk, const char *command, const char *key, const char *member)
{
	const char *answer = desk_ask(walk->desk, "%s {main}:%s %s", command, key, member);

	return strcmp(answer, "(nil)") != 0 && strcmp(answer, "0") != 0;
}

static void open_item(struct walk *walk, char *id)
{
	const struct work_case what = { .queue = "support", .type = "case" };
	struct work_call call;

	id_new("wrk_", id);
	call = desk_call(walk->desk, NULL);
	call.work_item = id;
	work_open(&call, &what, desk_on_work, walk->desk);
	desk_wait(walk->desk);
}

static void offer_item(struct walk *walk, const char *item)
{
	char id[ID_BYTES];
	char offer[24];

	memcpy(id, walk->desk->item, ID_BYTES);
	snprintf(walk->desk->item, ID_BYTES, "%s", item);
	snprintf(offer, sizeof(offer), "off_%d", walk->next_offer++ % 100000);
	desk_offer(walk->desk, agents[roll(walk, 2)], offer);
	memcpy(walk->desk->item, id, ID_BYTES);
}

static void claim_or_end(struct walk *walk)
{
	const struct claim claim = { .agent = agents[roll(walk, 2)],
				     .key = roll(walk, 2) ? "k1" : "k2",
				     .wait_ms = 30000,
				     .lease_ms = roll(walk, 2) ? 300000 : 0 };

	if (roll(walk, 2))
		claim_make(walk->desk->bed->store, "main", &claim, desk_on_work, walk->desk);
	else
		claim_end(walk->desk->bed->store, "main", &claim, roll(walk, 2), desk_on_work,
			  walk->desk);
	desk_wait(walk->desk);
}

/* One of the pending offers, if there is one. */
static void first_offer(struct walk *walk, const char *item, char out[80])
{
	char *end;

	field(walk, item, "o", out);
	end = strchr(out, ' ');
	if (end != NULL && roll(walk, 2))
		memmove(out, end + 1, strlen(end));
	else if (end != NULL)
		*end = '\0';
}

static void fire_one(struct walk *walk, const char *item)
{
	char timer[80];
	char offer[80];

	field(walk, item, "tm", timer);
	first_offer(walk, item, offer);
	if (offer[0] != '\0')
		snprintf(timer, sizeof(timer), "offer:%.70s", offer);
	if (roll(walk, 4) == 0)
		snprintf(timer, sizeof(timer), "gone:%s", agents[roll(walk, 2)]);
	if (timer[0] == '\0')
		return;
	if (timer[0] == 'g')
		desk_ask(walk->desk, "HSET {main}:a:%s seen 1", timer + 5);
	else
		desk_ask(walk->desk, "ZADD {main}:timers XX 1 %s", timer);
	if (timer[0] == 'o')
		desk_ask(walk->desk, "HSET {main}:o:%s ex 1", offer);
	if (timer[0] == 'l')
		desk_ask(walk->desk, "HSET {main}:w:%s lx 1", item);
	desk_fire(walk->desk, timer);
}

static void go_online(struct walk *walk)
{
	const struct presence presence = { agents[roll(walk, 2)], roll(walk, 4) ? "online" : "away",
					   NULL, true };

	presence_set(walk->desk->bed->store, "main", &presence, desk_on_work, walk->desk);
	desk_wait(walk->desk);
}

/* What an agent does with an item: mostly its own. */
static void act(struct walk *walk, const char *item, uint32_t what)
{
	char who[80] = "";
	char offer[80];
	struct work_call call = desk_call(walk->desk, who);
	const struct work_resolution done = { "done", NULL, roll(walk, 2) ? 60000 : 0,
					      roll(walk, 2) ? 60000 : 0 };

	field(walk, item, "a", who);
	first_offer(walk, item, offer);
	if (offer[0] != '\0')
		snprintf(who, sizeof(who), "%s", desk_ask(walk->desk, "HGET {main}:o:%s a", offer));
	if (roll(walk, 5) == 0)
		snprintf(who, sizeof(who), "%s", agents[roll(walk, 2)]);
	call.work_item = item;
	if (what == 0)
		work_accept(&call, desk_on_work, walk->desk);
	else if (what == 1)
		work_decline(&call, "busy", desk_on_work, walk->desk);
	else if (what == 2)
		work_release(&call, "tired", desk_on_work, walk->desk);
	else if (what == 3)
		work_resolve(&call, &done, desk_on_work, walk->desk);
	else if (what == 4)
		work_snooze(&call, "until", INT64_C(4000000000000), desk_on_work, walk->desk);
	else if (what == 5)
		work_reopen(&call, "more", desk_on_work, walk->desk);
	else if (what == 6)
		work_close(&call, "done", desk_on_work, walk->desk);
	else
		work_cancel(&call, "spam", desk_on_work, walk->desk);
	desk_wait(walk->desk);
}

/* Handed on, taken back, given away. */
static void hand_over(struct walk *walk, const char *item)
{
	char pending[80];
	char fresh[24];
	struct work_call call = desk_call(walk->desk, NULL);
	struct work_transfer move = { .transfer = fresh,
				      .accept_ms = 60000,
				      .fallback = roll(walk, 3) ? NULL : "billing",
				      .level = roll(walk, 2) };
	struct work_assignment gift = { .agent = agents[roll(walk, 2)],
					.cost = 2,
					.transfer = fresh };
	static const char *const outcomes[] = { "accepted", "declined", "cancelled", "timeout" };
	const char *outcome = outcomes[roll(walk, 4)];

	call.work_item = item;
	snprintf(fresh, sizeof(fresh), "trf_%d", walk->next_transfer++);
	field(walk, item, "tr", pending);
	if (pending[0] != '\0' && roll(walk, 2)) {
		desk_ask(walk->desk, "HSET {main}:t:%s ex 1", pending);
		work_transfer_end(&call, pending, outcome, NULL, desk_on_work, walk->desk);
	} else if (roll(walk, 5) == 0) {
		work_assign(&call, &gift, desk_on_work, walk->desk);
	} else {
		if (roll(walk, 2))
			move.agent = agents[roll(walk, 2)];
		else
			move.queue = roll(walk, 2) ? "billing" : "support";
		work_transfer(&call, &move, desk_on_work, walk->desk);
	}
	desk_wait(walk->desk);
}

static void step(struct walk *walk)
{
	char *item = walk->items[roll(walk, ITEMS)];
	char state[80];
	uint32_t what = roll(walk, 30);

	field(walk, item, "s", state);
	if (strcmp(state, "closed") == 0 || strcmp(state, "cancelled") == 0)
		open_item(walk, item);
	else if (what < 6)
		offer_item(walk, item);
	else if (what < 8)
		claim_or_end(walk);
	else if (what < 11)
		fire_one(walk, item);
	else if (what < 13)
		go_online(walk);
	else if (what < 18)
		hand_over(walk, item);
	else
		act(walk, item, strcmp(state, "offered") == 0 ? what % 2 : (what - 18) % 8);
	walk->changed += walk->desk->code == WORK_OK;
}

struct sums {
	int loads[2], queued, timers;
};

/* Every pending offer stands with its agent, with its timer and in that agent's load. */
static void check_offers(struct walk *walk, const char *item, struct sums *sums)
{
	char list[80];
	char key[100];
	char agent[80];
	char *save = NULL;

	field(walk, item, "o", list);
	for (char *offer = strtok_r(list, " ", &save); offer != NULL;
	     offer = strtok_r(NULL, " ", &save)) {
		snprintf(key, sizeof(key), "offer:%s", offer);
		cr_expect(is_in(walk, "ZSCORE", "timers", key), "%s %s", item, offer);
		snprintf(agent, sizeof(agent), "%s",
			 desk_ask(walk->desk, "HGET {main}:o:%s a", offer));
		cr_expect_str_eq(desk_ask(walk->desk, "HGET {main}:o:%s s", offer), "pending");
		cr_expect_str_eq(desk_ask(walk->desk, "HGET {main}:a:%s o", agent), offer);
		for (int i = 0; i < 2; i++)
			if (strcmp(agent, agents[i]) == 0)
				sums->loads[i] +=
					atoi(desk_ask(walk->desk, "HGET {main}:o:%s cost", offer));
		sums->timers++;
	}
}

/* A pending transfer has its timer; only one to a queue leaves a queued item with an agent. */
static void check_transfer(struct walk *walk, const char *item, bool is_held)
{
	char pending[80];
	char key[100];

	field(walk, item, "tr", pending);
	cr_expect(!is_held || pending[0] != '\0', "%s is queued and held without a transfer", item);
	if (pending[0] == '\0')
		return;
	snprintf(key, sizeof(key), "transfer:%s", pending);
	cr_expect(is_in(walk, "ZSCORE", "timers", key), "%s %s", item, pending);
	cr_expect_str_eq(desk_ask(walk->desk, "HGET {main}:t:%s s", pending), "pending");
}

/* Adds what the item costs to its agent's load and checks everything that points at it. */
static void check_item(struct walk *walk, const char *item, struct sums *sums)
{
	char state[80], agent[80], queue[80], timer[80], offer[80], key[100];
	const char *busy[] = { "assigned", "wrapping", "waiting" };
	bool queued, has = false;
	int cost;

	field(walk, item, "s", state);
	field(walk, item, "a", agent);
	field(walk, item, "q", queue);
	field(walk, item, "tm", timer);
	field(walk, item, "o", offer);
	for (size_t i = 0; i < 3; i++)
		has = has || strcmp(state, busy[i]) == 0;
	queued = strcmp(state, "queued") == 0 || strcmp(state, "offered") == 0;
	cr_expect(agent[0] != '\0' ? has || queued : !has, "%s %s agent %s", item, state, agent);
	check_offers(walk, item, sums);
	check_transfer(walk, item, queued && agent[0] != '\0');
	snprintf(key, sizeof(key), "q:%s", queue);
	cr_expect_eq(is_in(walk, "ZSCORE", key, item), queued, "%s %s in %s", item, state, key);
	for (int i = 0; i < 2; i++) {
		snprintf(key, sizeof(key), "aw:%s", agents[i]);
		cr_expect_eq(is_in(walk, "SISMEMBER", key, item), strcmp(agent, agents[i]) == 0,
			     "%s %s in %s", item, state, key);
	}
	sums->queued += queued;
	sums->timers += timer[0] != '\0';
	if (timer[0] != '\0')
		cr_expect(is_in(walk, "ZSCORE", "timers", timer), "%s %s", item, timer);
	if (strcmp(state, "wrapping") == 0 || strcmp(state, "waiting") == 0)
		cr_expect(timer[0] != '\0', "%s is %s without a timer", item, state);
	cr_expect_eq(offer[0] != '\0', strcmp(state, "offered") == 0, "%s %s", item, offer);
	cost = atoi(desk_ask(walk->desk, "HGET {main}:w:%s cost", item));
	for (int i = 0; i < 2; i++) {
		if (strcmp(agent, agents[i]) == 0 && strcmp(state, "waiting") != 0)
			sums->loads[i] += cost;
	}
}

static int count(const char *list, const char *word)
{
	int found = 0;

	for (const char *at = list; (at = strstr(at, word)) != NULL; at++)
		found++;
	return found;
}

static void check(struct walk *walk)
{
	struct sums sums = { 0 };
	const char *timers;
	int queued;

	for (int i = 0; i < ITEMS; i++)
		check_item(walk, walk->items[i], &sums);
	for (int i = 0; i < 2; i++) {
		const char *load = desk_ask(walk->desk, "HGET {main}:a:%s ld", agents[i]);

		cr_expect_eq(atoi(load), sums.loads[i], "load of %s is %s, not %d", agents[i], load,
			     sums.loads[i]);
	}
	queued = atoi(desk_ask(walk->desk, "ZCARD {main}:q:billing"));
	queued += atoi(desk_ask(walk->desk, "ZCARD {main}:q:support"));
	/* The admitted item is not walked: it waits all the time. */
	cr_expect_eq(queued, sums.queued + 1);
	timers = desk_ask(walk->desk, "ZRANGE {main}:timers 0 -1");
	cr_expect_eq(count(timers, ":wrk_") + count(timers, "offer:"), sums.timers, "%s", timers);
}

static void walk_from(uint32_t seed)
{
	struct walk walk = { .desk = desk_bed_new(), .seed = seed };

	for (int i = 0; i < ITEMS; i++)
		open_item(&walk, walk.items[i]);
	for (int i = 0; i < STEPS; i++) {
		step(&walk);
		if (i % 7 == 0 || i == STEPS - 1)
			check(&walk);
	}
	cr_expect_gt(walk.changed, STEPS / 4, "seed %u went nowhere", seed);
	desk_bed_free(&walk.desk);
}

Test(work_walk, states_and_indexes_agree_in_one_order)
{
	walk_from(1);
}

Test(work_walk, states_and_indexes_agree_in_another)
{
	walk_from(20261122);
}
