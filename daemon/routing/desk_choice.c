#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "routing/desk_private.h"

/* ---- may this agent take this item now? ---- */

static bool has_declined(const struct desk *desk, const struct desk_agent *agent,
			 const struct desk_item *item)
{
	return *item->declined != '\0' && desk->now_ms < item->retry_ms &&
	       text_has_word(item->declined, ' ', agent->id);
}

/* Who had it before is waited for, as long as that agent is there but busy. */
static bool is_kept_for_another(const struct desk *desk, const struct desk_agent *agent,
				const struct desk_item *item)
{
	const struct queue_row *queue = item->line->row;
	const struct desk_agent *last;

	if (queue == NULL || queue->sticky_ms == 0 || *item->last_agent == '\0' ||
	    desk->now_ms - item->queued_ms >= queue->sticky_ms ||
	    text_equal(agent->id, item->last_agent))
		return false;
	last = map_get(desk->agents, item->last_agent);
	return last != NULL && last->row != NULL && last->is_online && last->is_routable &&
	       bits_has(&item->line->serving, last->number) &&
	       bits_has(&item->bucket->need->eligible, last->number) &&
	       !has_declined(desk, last, item);
}

static bool has_room_for(const struct desk_agent *agent, const struct desk_item *item,
			 enum roll_kind kind)
{
	const struct queue_row *queue = item->line->row;

	if (kind == ROLL_WISH && queue != NULL && queue->may_exceed_on_claim)
		return true;
	return desk_has_room(agent, item->cost);
}

/* Queue and need are left to the caller, who asks for many at once. */
static bool may_take(const struct desk *desk, const struct desk_agent *agent,
		     const struct desk_item *item, enum roll_kind kind)
{
	if (!has_room_for(agent, item, kind))
		return false;
	if (kind == ROLL_WISH)
		return *agent->wish_queues == '\0' ||
		       text_has_word(agent->wish_queues, ',', item->queue);
	return !text_equal(agent->id, item->holder) && !has_declined(desk, agent, item) &&
	       !is_kept_for_another(desk, agent, item);
}

bool agent_may_take(const struct desk *desk, const struct desk_agent *agent,
		    const struct desk_item *item, enum roll_kind kind)
{
	return bits_has(&item->line->serving, agent->number) &&
	       bits_has(&item->bucket->need->eligible, agent->number) &&
	       may_take(desk, agent, item, kind);
}

/* ---- an agent for an item ---- */

/* Level of a skill the step asks for; 0 where it does not ask. */
static int asked_level(const struct need *need, const char *skill)
{
	if (need == NULL)
		return 0;
	if (need->kind == NEED_SKILL)
		return strcmp(need->skill, skill) == 0 ? need->level : 0;
	for (size_t i = 0; i < need->count; i++)
		if (asked_level(&need->children[i], skill) > 0)
			return 1;
	return 0;
}

static int skill_sum(const struct desk_agent *agent, const struct desk_item *item)
{
	const struct plan_step *step = item->bucket->need->step;
	int sum = 0;

	for (size_t i = 0; step != NULL && i < agent->row->skill_count; i++)
		if (asked_level(step->need, agent->row->skills[i].name) > 0)
			sum += agent->row->skills[i].level;
	return sum;
}

/* Is a the better choice than b? The roll's own order decides between equals. */
static bool is_better(const struct desk_agent *a, const struct desk_agent *b,
		      const struct desk_item *item, enum strategy strategy)
{
	if (strategy == STRATEGY_LEAST_LOADED)
		return a->load * b->row->capacity < b->load * a->row->capacity;
	if (strategy == STRATEGY_BEST_SKILL)
		return skill_sum(a, item) > skill_sum(b, item);
	if (strategy == STRATEGY_ROUND_ROBIN)
		return a->turns < b->turns;
	return false;
}

static uint64_t word_at(const struct bits *bits, size_t word)
{
	return word < bits->count ? bits->words[word] : 0;
}

/* The members of the roll who serve the queue and meet the need, in order; the first one is the
 * answer where the strategy is the roll's own order. */
static struct desk_agent *best_of(const struct desk *desk, const struct desk_item *item,
				  enum roll_kind kind, enum strategy strategy)
{
	const struct roll *roll = &desk->rolls[kind];
	const struct bits *queue = &item->line->slots[kind];
	const struct bits *need = &item->bucket->need->slots[kind];
	struct desk_agent *best = NULL;

	for (size_t word = 0; word < roll->members.count; word++) {
		uint64_t left = roll->members.words[word];

		if (left == 0)
			continue;
		for (left &= word_at(queue, word) & word_at(need, word); left != 0;
		     left &= left - 1) {
			struct desk_agent *agent =
				roll->agents[word * WORD_BITS + (size_t)__builtin_ctzll(left)];

			if ((best != NULL && !is_better(agent, best, item, strategy)) ||
			    !may_take(desk, agent, item, kind))
				continue;
			best = agent;
			if (strategy == STRATEGY_LONGEST_IDLE)
				return best;
		}
	}
	return best;
}

static struct desk_agent *last_agent_of(const struct desk *desk, const struct desk_item *item,
					enum roll_kind kind)
{
	struct desk_agent *agent =
		*item->last_agent == '\0' ? NULL : map_get(desk->agents, item->last_agent);

	return agent != NULL && agent->slots[kind] != 0 && agent_may_take(desk, agent, item, kind)
		       ? agent
		       : NULL;
}

struct desk_agent *agent_for(struct desk *desk, struct desk_item *item, enum roll_kind *ret_kind)
{
	const struct queue_row *queue = item->line->row;
	struct desk_agent *agent;

	if (item->is_proposed || (queue != NULL && queue->is_paused))
		return NULL;
	roll_order(desk, ROLL_WISH);
	roll_order(desk, ROLL_FREE);
	*ret_kind = ROLL_WISH;
	agent = best_of(desk, item, ROLL_WISH, STRATEGY_LONGEST_IDLE);
	if (agent != NULL)
		return agent;
	*ret_kind = ROLL_FREE;
	agent = last_agent_of(desk, item, ROLL_FREE);
	if (agent != NULL)
		return agent;
	return best_of(desk, item, ROLL_FREE,
		       queue == NULL ? STRATEGY_LONGEST_IDLE : queue->strategy);
}

/* ---- an item for an agent ---- */

static struct desk_item *head_for(const struct desk *desk, const struct bucket *bucket,
				  const struct desk_agent *agent, enum roll_kind kind)
{
	for (size_t i = bucket->first; i < bucket->end; i++)
		if (!bucket->items[i]->is_proposed && may_take(desk, agent, bucket->items[i], kind))
			return bucket->items[i];
	return NULL;
}

struct desk_item *item_for(struct desk *desk, struct desk_agent *agent, enum roll_kind kind)
{
	struct desk_item *best = NULL;

	for (size_t i = 0; i < desk->line_count; i++) {
		const struct line *line = desk->line_list[i];

		if (line->count == 0 || !bits_has(&line->serving, agent->number) ||
		    (line->row != NULL && line->row->is_paused))
			continue;
		for (size_t j = 0; j < line->bucket_count; j++) {
			const struct bucket *bucket = line->buckets[j];
			struct desk_item *item;

			if (bucket->first == bucket->end ||
			    !bits_has(&bucket->need->eligible, agent->number))
				continue;
			item = head_for(desk, bucket, agent, kind);
			if (item != NULL && (best == NULL || item_before(item, best, desk->now_ms)))
				best = item;
		}
	}
	return best;
}
