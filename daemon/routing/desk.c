#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "routing/desk_private.h"

enum { TOOL_CAPACITY = 100000, FREED_MANY = 64 };

struct desk *desk_new(void)
{
	struct desk *desk = memory_new(sizeof(*desk));

	desk->items = map_new();
	desk->agents = map_new();
	desk->lines = map_new();
	desk->plans = map_new();
	desk->needs = map_new();
	desk->skills = map_new();
	return desk;
}

static void item_free(struct desk_item *item)
{
	free(item->id);
	free(item->queue);
	free(item->skills);
	free(item->channel);
	free(item->last_agent);
	free(item->holder);
	free(item->overflowed);
	free(item->declined);
	free(item);
}

static void agent_free(struct desk_agent *agent)
{
	free(agent->id);
	free(agent->held);
	bits_free(&agent->closed);
	bits_free(&agent->full);
	free(agent->wish_key);
	free(agent->wish_queues);
	free(agent->wish_channels);
	bits_free(&agent->serves);
	bits_free(&agent->meets);
	free(agent);
}

void desk_clear_items(struct desk *desk)
{
	struct desk_item *item;
	size_t at = 0;

	while ((item = map_next(desk->items, &at, NULL)) != NULL)
		item_free(item);
	map_free(&desk->items);
	lines_free(desk);
	plans_free(desk);
	desk->items = map_new();
	desk->lines = map_new();
	desk->plans = map_new();
	desk->needs = map_new();
	desk->alarms.count = 0;
	desk->fresh.first = desk->fresh.end = 0;
}

void desk_free(struct desk **desk)
{
	if (*desk == NULL)
		return;
	desk_clear_items(*desk);
	skills_free(*desk);
	for (size_t i = 0; i < (*desk)->agent_count; i++)
		agent_free((*desk)->agent_list[i]);
	roll_clear(&(*desk)->rolls[ROLL_WISH]);
	roll_clear(&(*desk)->rolls[ROLL_FREE]);
	map_free(&(*desk)->items);
	map_free(&(*desk)->agents);
	map_free(&(*desk)->lines);
	map_free(&(*desk)->plans);
	map_free(&(*desk)->needs);
	free((*desk)->agent_list);
	free((*desk)->alarms.heap);
	free((*desk)->fresh.items);
	free((*desk)->freed);
	free(*desk);
	*desk = NULL;
}

void desk_on_step(struct desk *desk, desk_step_fn *fn, void *context)
{
	desk->on_step = fn;
	desk->step_context = context;
}

/* ---- items ---- */

static int64_t step_end(const struct desk_item *item)
{
	const struct plan_step *step = plan_step(item->plan->plan, item->step);

	return step == NULL || step->until_ms == INT64_MAX ? INT64_MAX
							   : item->queued_ms + step->until_ms;
}

static int64_t sooner(int64_t at_ms, int64_t other_ms, int64_t now_ms)
{
	return other_ms > now_ms && other_ms < at_ms ? other_ms : at_ms;
}

/* When time alone may change who can take it: its next step, the end of a rest after a refusal,
 * the end of waiting for the last agent. */
static void alarm_plan(struct desk *desk, struct desk_item *item)
{
	const struct queue_row *queue = item->line->row;
	int64_t at_ms = step_end(item);

	if (*item->declined != '\0')
		at_ms = sooner(at_ms, item->retry_ms, desk->now_ms);
	if (queue != NULL && queue->sticky_ms > 0 && *item->last_agent != '\0')
		at_ms = sooner(at_ms, item->queued_ms + queue->sticky_ms, desk->now_ms);
	alarm_set(desk, item, at_ms);
}

static void step_take(struct desk *desk, struct desk_item *item)
{
	item->step = plan_at(item->plan->plan, desk->now_ms - item->queued_ms);
}

static char *text_kept(const char *text)
{
	return memory_text(text == NULL ? "" : text);
}

static size_t channel_number(const struct desk *desk, const char *channel)
{
	return desk->roster == NULL ? SIZE_MAX : roster_channel_number(desk->roster, channel);
}

struct desk_item *desk_put_item(struct desk *desk, const struct desk_item *given)
{
	struct desk_item *item = memory_new(sizeof(*item));

	desk_remove_item(desk, given->id);
	*item = *given;
	item->id = memory_text(given->id);
	item->queue = memory_text(given->queue);
	item->skills = text_kept(given->skills);
	item->channel = memory_text(given->channel);
	item->channel_number = channel_number(desk, item->channel);
	item->last_agent = text_kept(given->last_agent);
	item->holder = text_kept(given->holder);
	item->overflowed = text_kept(given->overflowed);
	item->declined = text_kept(given->declined);
	item->alarm = item->fresh = 0;
	item->plan = plan_of(desk, item->skills);
	step_take(desk, item);
	map_put(desk->items, item->id, item);
	line_put(desk, item);
	alarm_plan(desk, item);
	fresh_add(desk, item);
	return item;
}

struct desk_item *desk_item(struct desk *desk, const char *id)
{
	return map_get(desk->items, id);
}

struct desk_item *desk_next_item(struct desk *desk, size_t *at)
{
	return map_next(desk->items, at, NULL);
}

void desk_remove_item(struct desk *desk, const char *id)
{
	struct desk_item *item = map_remove(desk->items, id);

	if (item == NULL)
		return;
	line_drop(desk, item);
	alarm_drop(desk, item);
	fresh_drop(desk, item);
	item_free(item);
}

size_t desk_waiting(const struct desk *desk, const char *queue, int64_t *ret_oldest_ms)
{
	const struct line *line = map_get(desk->lines, queue);

	*ret_oldest_ms = 0;
	for (size_t i = 0; line != NULL && i < line->bucket_count; i++) {
		const struct bucket *bucket = line->buckets[i];
		int64_t queued_ms =
			bucket->first == bucket->end ? 0 : bucket->items[bucket->first]->queued_ms;

		if (queued_ms != 0 && (*ret_oldest_ms == 0 || queued_ms < *ret_oldest_ms))
			*ret_oldest_ms = queued_ms;
	}
	return line == NULL ? 0 : line->count;
}

/* ---- agents ---- */

struct desk_agent *desk_find_agent(struct desk *desk, const char *id)
{
	return map_get(desk->agents, id);
}

struct desk_agent *desk_next_agent(struct desk *desk, size_t *at)
{
	return *at < desk->agent_count ? desk->agent_list[(*at)++] : NULL;
}

struct desk_agent *desk_agent(struct desk *desk, const char *id)
{
	struct desk_agent *agent = map_get(desk->agents, id);

	if (agent != NULL)
		return agent;
	agent = memory_new(sizeof(*agent));
	agent->id = memory_text(id);
	agent->wish_queues = memory_text("");
	agent->wish_channels = memory_text("");
	agent->number = desk->agent_count;
	agent->capacity = TOOL_CAPACITY;
	desk->agent_list =
		memory_grow(desk->agent_list, desk->agent_count + 1, sizeof(struct desk_agent *));
	desk->agent_list[desk->agent_count++] = agent;
	map_put(desk->agents, id, agent);
	needs_know_agent(desk, agent);
	return agent;
}

bool desk_has_room(const struct desk_agent *agent, int64_t cost)
{
	if (cost == CHANNEL_COST_WHOLE)
		return agent->load <= 0;
	return agent->load + cost <= agent->capacity;
}

static bool may_wish(const struct desk_agent *agent)
{
	return agent->has_wish && !agent->is_proposed;
}

static bool is_free(const struct desk_agent *agent)
{
	return agent->row != NULL && agent->is_online && agent->is_routable && !agent->has_wish &&
	       !agent->has_offer && !agent->is_proposed && desk_has_room(agent, 1);
}

static void freed_add(struct desk *desk, struct desk_agent *agent)
{
	if (agent->is_freed)
		return;
	agent->is_freed = true;
	desk->freed = memory_grow(desk->freed, desk->freed_count + 1, sizeof(struct desk_agent *));
	desk->freed[desk->freed_count++] = agent;
}

/* Items kept for an agent who is no longer there are for anybody again. */
static void release_kept(struct desk *desk, const struct desk_agent *agent)
{
	struct desk_item *item;
	size_t at = 0;
	bool is_any = false;

	for (size_t i = 0; i < desk->line_count; i++) {
		const struct line *line = desk->line_list[i];

		is_any |= line->count > 0 && line->row != NULL && line->row->sticky_ms > 0;
	}
	while (is_any && (item = map_next(desk->items, &at, NULL)) != NULL)
		if (text_equal(item->last_agent, agent->id))
			fresh_add(desk, item);
}

void desk_agent_changed(struct desk *desk, struct desk_agent *agent)
{
	bool in[ROLLS] = { may_wish(agent), is_free(agent) };

	attention_learn(desk, agent);
	if (agent->was_there && !(agent->is_online && agent->is_routable))
		release_kept(desk, agent);
	agent->was_there = agent->is_online && agent->is_routable;
	for (enum roll_kind kind = 0; kind < ROLLS; kind++) {
		if (in[kind])
			roll_add(desk, kind, agent);
		else
			roll_leave(desk, kind, agent);
	}
	if (in[ROLL_WISH] || in[ROLL_FREE])
		freed_add(desk, agent);
}

void desk_set_held(struct desk_agent *agent, const char *channels)
{
	free(agent->held);
	agent->held = memory_text(channels);
}

void desk_set_wish(struct desk_agent *agent, const char *key, const char *queues, int64_t since_ms)
{
	free(agent->wish_key);
	free(agent->wish_queues);
	agent->has_wish = key != NULL;
	agent->wish_key = memory_text(key);
	agent->wish_queues = text_kept(queues);
	agent->wish_ms = since_ms;
}

void desk_set_wish_channels(struct desk_agent *agent, const char *channels)
{
	free(agent->wish_channels);
	agent->wish_channels = text_kept(channels);
}

/* ---- the roster ---- */

static void all_are_fresh(struct desk *desk)
{
	struct desk_item *item;
	size_t at = 0;

	while ((item = map_next(desk->items, &at, NULL)) != NULL)
		fresh_add(desk, item);
}

/* Numbers of channels are the roster's: the buckets are by them. */
static void channels_learn(struct desk *desk)
{
	struct desk_item *item;
	size_t at = 0;

	while ((item = map_next(desk->items, &at, NULL)) != NULL) {
		line_drop(desk, item);
		item->channel_number = channel_number(desk, item->channel);
		line_put(desk, item);
	}
}

void desk_roster(struct desk *desk, const struct roster *roster)
{
	size_t count;
	const struct agent_row *rows = roster_agents(roster, &count);

	desk->roster = roster;
	for (size_t i = 0; i < count; i++)
		desk_agent(desk, rows[i].id);
	for (size_t i = 0; i < desk->agent_count; i++) {
		struct desk_agent *agent = desk->agent_list[i];

		agent->row = roster_agent(roster, agent->id);
		agent->capacity = agent->row == NULL ? TOOL_CAPACITY : agent->row->capacity;
	}
	skills_learn(desk);
	lines_learn(desk);
	channels_learn(desk);
	for (enum roll_kind kind = 0; kind < ROLLS; kind++)
		roll_renumber(desk, kind);
	for (size_t i = 0; i < desk->agent_count; i++)
		desk_agent_changed(desk, desk->agent_list[i]);
	all_are_fresh(desk);
}

/* ---- the choice ---- */

static void alarms_fire(struct desk *desk)
{
	struct desk_item *item;

	while ((item = alarm_due(desk)) != NULL) {
		size_t before = item->step;

		step_take(desk, item);
		if (item->step != before) {
			line_drop(desk, item);
			line_put(desk, item);
		}
		alarm_plan(desk, item);
		fresh_add(desk, item);
		if (item->step != before && desk->on_step != NULL)
			desk->on_step(item, desk->step_context);
	}
}

static bool matched(struct desk *desk, struct desk_item *item, struct desk_agent *agent,
		    struct desk_match *ret)
{
	*ret = (struct desk_match){ item, agent, agent->slots[ROLL_WISH] != 0 };
	item->is_proposed = true;
	agent->is_proposed = true;
	agent->turns++;
	roll_leave(desk, ROLL_WISH, agent);
	roll_leave(desk, ROLL_FREE, agent);
	return true;
}

static void freed_forget(struct desk *desk)
{
	for (size_t i = 0; i < desk->freed_count; i++)
		desk->freed[i]->is_freed = false;
	desk->freed_count = 0;
}

/* The item that goes first of all those that a freed agent may take; agents with nothing to take
 * are struck off. */
static struct desk_item *freed_item(struct desk *desk)
{
	struct desk_item *best = NULL;
	size_t kept = 0;

	for (size_t i = 0; i < desk->freed_count; i++) {
		struct desk_agent *agent = desk->freed[i];
		struct desk_item *item = NULL;

		if (agent->slots[ROLL_WISH] != 0)
			item = item_for(desk, agent, ROLL_WISH);
		else if (agent->slots[ROLL_FREE] != 0)
			item = item_for(desk, agent, ROLL_FREE);
		if (item == NULL) {
			agent->is_freed = false;
			continue;
		}
		desk->freed[kept++] = agent;
		if (best == NULL || item_before(item, best, desk->now_ms))
			best = item;
	}
	desk->freed_count = kept;
	return best;
}

/* Items that are new here or may go to others now, as long as they go before what a freed agent
 * could take. */
static bool match_fresh(struct desk *desk, const struct desk_item *before, struct desk_match *ret)
{
	struct desk_item *item;
	enum roll_kind kind;

	while ((item = fresh_first(desk)) != NULL &&
	       (before == NULL || before == item || item_before(item, before, desk->now_ms))) {
		struct desk_agent *agent = agent_for(desk, item, &kind);

		fresh_drop(desk, item);
		if (agent != NULL)
			return matched(desk, item, agent, ret);
	}
	return false;
}

bool desk_match(struct desk *desk, int64_t now_ms, struct desk_match *ret)
{
	struct desk_item *item;
	struct desk_agent *agent;
	enum roll_kind kind;

	desk->now_ms = now_ms;
	if (desk->roster == NULL)
		return false;
	alarms_fire(desk);
	if (desk->freed_count > FREED_MANY) {
		freed_forget(desk);
		all_are_fresh(desk);
	}
	item = freed_item(desk);
	if (match_fresh(desk, item, ret))
		return true;
	agent = item == NULL ? NULL : agent_for(desk, item, &kind);
	return agent != NULL && matched(desk, item, agent, ret);
}
