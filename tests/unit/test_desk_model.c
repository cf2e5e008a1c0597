/* The desk against a slow model of itself: random commands, and after each the same pairs. */
#include <stdio.h>
#include <stdlib.h>

#include "roster_bed.h"

#include "base/memory.h"
#include "base/text.h"
#include "business/plan.h"
#include "routing/desk.h"

enum { ITEMS = 40, AGENTS = 9, QUEUES = 3, STEPS = 4000, SECOND = 1000 };

static const char *const plans[] = { "",
				     "zh>=3",
				     "zh>=2&en>=2",
				     "zh>=5|en>=4",
				     "zh>=4 for=20000; zh>=2 priority=1 for=20000; *",
				     "* agents=a1,a2 for=15000; * priority=3",
				     "en>=5 for=10000" };

struct model_item {
	char id[16];
	char queue[8];
	char last[8];
	char declined[8];
	char channel[8];
	const char *plan;
	int64_t queued_ms;
	int64_t retry_ms;
	int64_t priority;
	bool is_here;
	bool is_proposed;
};

struct model {
	uint32_t seed;
	int64_t now_ms;
	struct roster *roster;
	struct desk *desk;
	struct model_item items[ITEMS];
	int next_id;
	bool is_plain; /* waiting counts in full in every queue */
	int pairs;
	int wished;
};

static uint32_t roll(struct model *model, uint32_t sides)
{
	model->seed = model->seed * 1664525U + 1013904223U;
	return (model->seed >> 16) % sides;
}

static struct desk_agent *any_agent(struct model *model)
{
	char id[8];

	snprintf(id, sizeof(id), "a%u", roll(model, AGENTS));
	return desk_agent(model->desk, id);
}

/* ---- the model: everything anew, in the plainest way ---- */

static int level(const char *skill, const void *context)
{
	const struct agent_row *row = context;

	for (size_t i = 0; i < row->skill_count; i++)
		if (strcmp(row->skills[i].name, skill) == 0)
			return row->skills[i].level;
	return 0;
}

static bool meets(const struct model *model, const struct model_item *item,
		  const struct desk_agent *agent)
{
	struct error err;
	struct plan *plan = plan_parse(item->plan, &err);
	const struct plan_step *step =
		plan_step(plan, plan_at(plan, model->now_ms - item->queued_ms));
	bool good =
		agent->row == NULL || step == NULL || need_is_met(step->need, level, agent->row);

	if (agent->row != NULL && step != NULL && step->agents[0] != NULL) {
		bool named = false;

		for (size_t i = 0; step->agents[i] != NULL; i++)
			named |= strcmp(step->agents[i], agent->id) == 0;
		good &= named;
	}
	plan_free(&plan);
	return good;
}

static bool has_room(const struct desk_agent *agent, int64_t cost)
{
	return agent->load + cost <= (agent->row == NULL ? 100000 : agent->row->capacity);
}

static int64_t cost_of(const struct model *model, const struct model_item *item)
{
	return roster_channel(model->roster, item->channel)->cost;
}

static bool is_limited(const struct model_item *item, const struct desk_agent *agent)
{
	int64_t held = 0;

	for (const char *at = agent->held; at != NULL && (at = strstr(at, item->channel)) != NULL;
	     at++)
		held++;
	for (size_t i = 0; i < agent->row->limit_count; i++)
		if (strcmp(agent->row->limits[i].channel, item->channel) == 0)
			return held >= agent->row->limits[i].at_once;
	return false;
}

static bool may_interrupt(const struct model *model, const struct model_item *item,
			  const struct desk_agent *agent)
{
	static const char *const names[] = { "call", "chat", "mail" };
	const char *const *may = roster_channel(model->roster, item->channel)->interrupts;

	for (size_t i = 0; may != NULL && agent->held != NULL && i < COUNT_OF(names); i++) {
		bool allowed = strcmp(names[i], item->channel) == 0;

		for (size_t j = 0; may[j] != NULL; j++)
			allowed |= strcmp(may[j], names[i]) == 0;
		if (!allowed && strstr(agent->held, names[i]) != NULL)
			return false;
	}
	return true;
}

static bool is_free(const struct desk_agent *agent)
{
	return agent->row != NULL && agent->is_online && agent->is_routable && !agent->has_wish &&
	       !agent->has_offer && !agent->is_proposed && has_room(agent, 1);
}

static bool declined(const struct model *model, const struct model_item *item, const char *agent)
{
	return model->now_ms < item->retry_ms && strcmp(item->declined, agent) == 0;
}

static bool kept(const struct model *model, const struct model_item *item,
		 const struct desk_agent *agent)
{
	const struct queue_row *queue = roster_queue(model->roster, item->queue);
	const struct desk_agent *last = desk_find_agent(model->desk, item->last);

	return queue->sticky_ms > 0 && last != NULL && last != agent && last->row != NULL &&
	       model->now_ms - item->queued_ms < queue->sticky_ms && last->is_online &&
	       last->is_routable && agent_serves(last->row, item->queue) &&
	       meets(model, item, last) && !declined(model, item, last->id);
}

static bool may_push(const struct model *model, const struct model_item *item,
		     const struct desk_agent *agent)
{
	return is_free(agent) && has_room(agent, cost_of(model, item)) &&
	       !is_limited(item, agent) && may_interrupt(model, item, agent) &&
	       agent_serves(agent->row, item->queue) && meets(model, item, agent) &&
	       !declined(model, item, agent->id) && !kept(model, item, agent);
}

static bool may_wish(const struct model *model, const struct model_item *item,
		     const struct desk_agent *agent)
{
	bool may_exceed = roster_queue(model->roster, item->queue)->may_exceed_on_claim;

	return agent->has_wish && !agent->is_proposed &&
	       (may_exceed || has_room(agent, cost_of(model, item))) &&
	       (agent->row == NULL || !is_limited(item, agent)) &&
	       (agent->row == NULL || agent_serves(agent->row, item->queue)) &&
	       meets(model, item, agent) &&
	       (*agent->wish_queues == '\0' || text_has_word(agent->wish_queues, ',', item->queue));
}

static int64_t score(const struct model *model, const struct model_item *item)
{
	const struct queue_row *queue = roster_queue(model->roster, item->queue);
	struct error err;
	struct plan *plan = plan_parse(item->plan, &err);
	size_t at = plan_at(plan, model->now_ms - item->queued_ms);
	const struct plan_step *step =
		plan_step(plan, at < plan_count(plan) ? at : plan_count(plan) - 1);
	int64_t waited = model->now_ms - item->queued_ms;
	int64_t sum;

	if (queue->age_cap_ms > 0 && waited > queue->age_cap_ms)
		waited = queue->age_cap_ms;
	sum = (item->priority + step->priority) * 60 * SECOND + waited * queue->age_percent / 100;
	plan_free(&plan);
	return sum;
}

static int64_t idle_key(const struct desk_agent *agent, bool wish)
{
	return wish ? agent->wish_ms : agent->idle_ms;
}

static bool earlier(const struct desk_agent *a, const struct desk_agent *b, bool wish)
{
	if (idle_key(a, wish) != idle_key(b, wish))
		return idle_key(a, wish) < idle_key(b, wish);
	return strcmp(a->id, b->id) < 0;
}

static int asked_sum(const struct model *model, const struct model_item *item,
		     const struct desk_agent *agent)
{
	struct error err;
	struct plan *plan = plan_parse(item->plan, &err);
	const struct plan_step *step =
		plan_step(plan, plan_at(plan, model->now_ms - item->queued_ms));
	int sum = 0;

	for (size_t i = 0; step != NULL && step->need != NULL && i < agent->row->skill_count; i++)
		if (strstr(step->need_text, agent->row->skills[i].name) != NULL)
			sum += agent->row->skills[i].level;
	plan_free(&plan);
	return sum;
}

static bool better(const struct model *model, const struct model_item *item,
		   const struct desk_agent *a, const struct desk_agent *b)
{
	enum strategy strategy = roster_queue(model->roster, item->queue)->strategy;
	int64_t difference = 0;

	if ((strcmp(a->id, item->last) == 0) != (strcmp(b->id, item->last) == 0))
		return strcmp(a->id, item->last) == 0;
	if (strategy == STRATEGY_LEAST_LOADED)
		difference = a->load * b->row->capacity - b->load * a->row->capacity;
	else if (strategy == STRATEGY_BEST_SKILL)
		difference = asked_sum(model, item, b) - asked_sum(model, item, a);
	else if (strategy == STRATEGY_ROUND_ROBIN)
		difference = a->turns - b->turns;
	return difference == 0 ? earlier(a, b, false) : difference < 0;
}

static struct desk_agent *model_agent(struct model *model, const struct model_item *item)
{
	struct desk_agent *wish = NULL;
	struct desk_agent *push = NULL;
	struct desk_agent *agent;
	size_t at = 0;

	while ((agent = desk_next_agent(model->desk, &at)) != NULL) {
		if (may_wish(model, item, agent) && (wish == NULL || earlier(agent, wish, true)))
			wish = agent;
		if (may_push(model, item, agent) &&
		    (push == NULL || better(model, item, agent, push)))
			push = agent;
	}
	return wish != NULL ? wish : push;
}

/* The item that goes first of all that somebody may take. */
static struct model_item *model_item(struct model *model)
{
	struct model_item *best = NULL;

	for (int i = 0; i < ITEMS; i++) {
		struct model_item *item = &model->items[i];
		int64_t difference;

		if (!item->is_here || item->is_proposed ||
		    roster_queue(model->roster, item->queue)->is_paused ||
		    model_agent(model, item) == NULL)
			continue;
		difference = best == NULL ? 1 : score(model, item) - score(model, best);
		if (best != NULL && difference == 0)
			difference = best->queued_ms - item->queued_ms;
		if (best != NULL && difference == 0)
			difference = -strcmp(item->id, best->id);
		if (difference > 0)
			best = item;
	}
	return best;
}

/* ---- commands ---- */

static void put(struct model *model, struct model_item *item)
{
	const struct desk_item given = { .id = item->id,
					 .queue = item->queue,
					 .skills = (char *)(uintptr_t)item->plan,
					 .last_agent = item->last,
					 .declined = item->declined,
					 .retry_ms = item->retry_ms,
					 .queued_ms = item->queued_ms,
					 .priority = item->priority,
					 .channel = item->channel,
					 .cost = cost_of(model, item) };

	item->is_proposed = false;
	desk_put_item(model->desk, &given);
}

static void item_comes(struct model *model)
{
	struct model_item *item = &model->items[roll(model, ITEMS)];

	if (item->is_here && roll(model, 3) == 0) {
		item->is_here = false;
		desk_remove_item(model->desk, item->id);
		return;
	}
	if (!item->is_here) {
		snprintf(item->id, sizeof(item->id), "w%d", model->next_id++);
		item->queued_ms = model->now_ms - (int64_t)roll(model, 30) * SECOND;
		item->plan = plans[roll(model, COUNT_OF(plans))];
		snprintf(item->channel, sizeof(item->channel), "%s",
			 (const char *const[]){ "call", "chat", "mail" }[roll(model, 3)]);
		item->is_here = true;
	}
	snprintf(item->queue, sizeof(item->queue), "q%u", roll(model, QUEUES));
	item->priority = roll(model, 3);
	item->last[0] = item->declined[0] = '\0';
	if (roll(model, 3) == 0)
		snprintf(item->last, sizeof(item->last), "a%u", roll(model, AGENTS));
	if (roll(model, 3) == 0)
		snprintf(item->declined, sizeof(item->declined), "a%u", roll(model, AGENTS));
	item->retry_ms = model->now_ms + (int64_t)roll(model, 20) * SECOND;
	put(model, item);
}

static void agent_changes(struct model *model)
{
	struct desk_agent *agent = any_agent(model);

	agent->is_online = roll(model, 5) != 0;
	agent->is_routable = roll(model, 6) != 0;
	agent->has_offer = roll(model, 4) == 0;
	agent->is_proposed = false;
	agent->load = roll(model, 4);
	if (roll(model, 2))
		agent->idle_ms = model->now_ms - roll(model, 4) * SECOND;
	desk_set_held(agent, (const char *const[]){ "", "call", "mail mail",
						    "chat mail" }[roll(model, 4)]);
	desk_set_wish(agent, roll(model, 4) == 0 ? "k" : NULL, roll(model, 3) == 0 ? "q1,q2" : "",
		      model->now_ms - roll(model, 9));
	desk_agent_changed(model->desk, agent);
}

static void new_roster(struct model *model)
{
	static const char *const strategies[] = { "longest_idle", "least_loaded", "best_skill",
						  "round_robin" };
	char queues[QUEUES][200];
	char agents[AGENTS][200];
	const char *queue_pairs[2 * QUEUES + 1] = { NULL };
	const char *agent_pairs[2 * AGENTS + 1] = { NULL };
	char names[AGENTS][8];
	char calls[60];
	struct error err;
	struct roster *old = model->roster;

	for (int i = 0; i < QUEUES; i++) {
		snprintf(names[i], sizeof(names[i]), "q%d", i);
		snprintf(queues[i], sizeof(queues[i]),
			 "{\"strategy\":\"%s\",\"paused\":%s,\"sticky_ms\":%u,\"age_percent\":%u,"
			 "\"age_cap_ms\":%u,\"exceed_on_claim\":%s}",
			 strategies[roll(model, 4)], roll(model, 8) ? "false" : "true",
			 roll(model, 2) * 20000, model->is_plain ? 100 : 50 + roll(model, 3) * 50,
			 model->is_plain ? 0 : roll(model, 2) * 60000,
			 roll(model, 2) ? "true" : "false");
		queue_pairs[2 * i] = (const char *const[]){ "q0", "q1", "q2" }[i];
		queue_pairs[2 * i + 1] = queues[i];
	}
	/* One agent of the nine is not configured: a tool. */
	for (int i = 0; i < AGENTS - 1; i++) {
		snprintf(agents[i], sizeof(agents[i]),
			 "{\"queues\":[%s],\"skills\":{\"zh\":%u,\"en\":%u},\"capacity\":%u,"
			 "\"limits\":[{\"channel\":\"mail\",\"at_once\":%u}]}",
			 roll(model, 3) == 0   ? ""
			 : roll(model, 2) == 0 ? "\"q0\""
					       : "\"q1\",\"q2\"",
			 1 + roll(model, 5), 1 + roll(model, 5), 1 + roll(model, 4),
			 1 + roll(model, 3));
		agent_pairs[2 * i] =
			(const char *const[]){ "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7" }[i];
		agent_pairs[2 * i + 1] = agents[i];
	}
	snprintf(calls, sizeof(calls), "{\"cost\":%u,\"interrupts\":[%s]}", 1 + roll(model, 2),
		 roll(model, 2) ? "\"mail\"" : "");
	model->roster = roster_with_channels(queue_pairs, agent_pairs, PAIRS("call", calls), &err);
	for (int i = 0; i < ITEMS; i++)
		if (model->items[i].is_here)
			desk_item(model->desk, model->items[i].id)->cost =
				cost_of(model, &model->items[i]);
	desk_roster(model->desk, model->roster);
	roster_free(&old);
}

/* Both give their pairs until nothing fits. */
static void compare(struct model *model, int step)
{
	struct desk_match match;
	struct model_item *item;

	while ((item = model_item(model)) != NULL) {
		struct desk_agent *agent = model_agent(model, item);

		cr_assert(desk_match(model->desk, model->now_ms, &match),
			  "step %d: %s to %s was not seen", step, item->id, agent->id);
		cr_assert_str_eq(match.item->id, item->id, "step %d", step);
		cr_assert_str_eq(match.agent->id, agent->id, "step %d: %s", step, item->id);
		model->pairs++;
		model->wished += match.for_wish;
		item->is_proposed = true;
	}
	if (desk_match(model->desk, model->now_ms, &match))
		cr_assert_fail("step %d: %s must not go to %s", step, match.item->id,
			       match.agent->id);
}

static void walk(uint32_t seed, bool is_plain)
{
	struct model model = {
		.seed = seed, .now_ms = 1000000 * SECOND, .is_plain = is_plain, .desk = desk_new()
	};

	new_roster(&model);
	for (int step = 0; step < STEPS; step++) {
		uint32_t what = roll(&model, 40);

		if (what < 18)
			item_comes(&model);
		else if (what < 33)
			agent_changes(&model);
		else if (what < 39)
			model.now_ms += roll(&model, 12) * SECOND;
		else
			new_roster(&model);
		if (roll(&model, 3))
			compare(&model, step);
	}
	cr_expect_gt(model.pairs, STEPS / 10);
	cr_expect_gt(model.wished, 10);
	desk_free(&model.desk);
	roster_free(&model.roster);
}

Test(desk_model, agrees_in_one_order)
{
	walk(1, false);
}

Test(desk_model, agrees_in_another)
{
	walk(20261123, false);
}

Test(desk_model, agrees_in_a_third)
{
	walk(7777, false);
}

Test(desk_model, agrees_where_waiting_counts_in_full)
{
	walk(42, true);
	walk(4242, true);
}
