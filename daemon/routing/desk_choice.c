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
	       serves(last, item->line) && bits_has(&last->meets, item->bucket->need->number) &&
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

static bool wants(const char *names, const char *name)
{
	return *names == '\0' || text_has_word(names, ',', name);
}

/* Programs answer no calls. */
static bool has_calls(const struct desk *desk, const struct desk_item *item)
{
	size_t count;

	return item->channel_number != SIZE_MAX &&
	       roster_channels(desk->roster, &count)[item->channel_number].has_calls;
}

/* Queue and need are left to the caller, who asks for many at once. */
static bool may_take(const struct desk *desk, const struct desk_agent *agent,
		     const struct desk_item *item, enum roll_kind kind)
{
	if (agent->row == NULL && has_calls(desk, item))
		return false;
	if (!has_room_for(agent, item, kind) || !is_open_for(agent, item->channel_number, kind))
		return false;
	if (kind == ROLL_WISH)
		return wants(agent->wish_queues, item->queue) &&
		       wants(agent->wish_channels, item->channel);
	return (*item->holder == '\0' || !text_equal(agent->id, item->holder)) &&
	       !has_declined(desk, agent, item) && !is_kept_for_another(desk, agent, item);
}

bool agent_may_take(const struct desk *desk, const struct desk_agent *agent,
		    const struct desk_item *item, enum roll_kind kind)
{
	return serves(agent, item->line) && bits_has(&agent->meets, item->bucket->need->number) &&
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

	for (size_t word = roll->first; word < roll->members.count; word++) {
		uint64_t left = roll->members.words[word];

		if (left == 0)
			continue;
		left &= word_at(queue, word) | word_at(&roll->everywhere, word);
		for (left &= word_at(need, word); left != 0; left &= left - 1) {
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
	/* What is in a bucket is of one channel, and costs the same. */
	if (!has_room_for(agent, bucket->items[bucket->first], kind))
		return NULL;
	for (size_t i = bucket->first; i < bucket->end; i++)
		if (!bucket->items[i]->is_proposed && may_take(desk, agent, bucket->items[i], kind))
			return bucket->items[i];
	return NULL;
}

struct search {
	const struct desk *desk;
	const struct desk_agent *agent;
	enum roll_kind kind;
	struct desk_item *best;
	int64_t rank; /* the best one's score but for now; ms */
};

static void search_take(struct search *search, struct desk_item *item)
{
	int64_t now_ms = search->desk->now_ms;

	if (item == NULL || (search->best != NULL && !item_before(item, search->best, now_ms)))
		return;
	search->best = item;
	search->rank = item_score(item, now_ms) - now_ms;
}

static void search_line(struct search *search, const struct line *line)
{
	for (size_t i = 0; i < line->head_count; i++) {
		const struct head *head = &line->heads[i];

		if ((head->rank < search->rank &&
		     search->desk->bounds[line->number] != INT64_MAX) ||
		    !bits_has(&search->agent->meets, head->need) ||
		    !is_open_for(search->agent, head->channel, search->kind))
			continue;
		search_take(search,
			    head_for(search->desk, head->bucket, search->agent, search->kind));
	}
}

/* For an agent who serves every queue the best of each need is at hand. False: of some it could
 * not be taken, so that all must be searched. */
static bool search_peaks(struct search *search)
{
	const struct desk *desk = search->desk;
	bool is_sure = desk->unranked == 0;

	for (size_t i = bits_next(&search->agent->meets, 0); i != SIZE_MAX;
	     i = bits_next(&search->agent->meets, i + 1)) {
		const struct need_row *need = desk->need_list[i];
		const struct bucket *bucket = need->heap_count == 0 ? NULL : need->heap[0];
		struct desk_item *item = NULL;

		if (bucket == NULL)
			continue;
		if (is_open_for(search->agent, bucket->channel, search->kind))
			item = head_for(desk, bucket, search->agent, search->kind);
		is_sure &= item == bucket->items[bucket->first];
		search_take(search, item);
	}
	return is_sure;
}

/* The next line that the agent serves; SIZE_MAX: none. */
static size_t line_next(const struct search *search, size_t from)
{
	if (serves_all(search->agent))
		return from < search->desk->line_count ? from : SIZE_MAX;
	return bits_next(&search->agent->serves, from);
}

/* A line whose bound is lower than the best so far cannot have a better one: the one that promises
 * most is searched first. */
struct desk_item *item_for(struct desk *desk, struct desk_agent *agent, enum roll_kind kind)
{
	struct search search = { desk, agent, kind, NULL, INT64_MIN + 1 };
	size_t first = SIZE_MAX;

	if (serves_all(agent) && search_peaks(&search))
		return search.best;
	for (size_t i = line_next(&search, 0); i != SIZE_MAX; i = line_next(&search, i + 1))
		if (first == SIZE_MAX || desk->bounds[i] > desk->bounds[first])
			first = i;
	if (first == SIZE_MAX || desk->bounds[first] < search.rank)
		return NULL;
	search_line(&search, desk->line_list[first]);
	for (size_t i = line_next(&search, 0); i != SIZE_MAX; i = line_next(&search, i + 1))
		if (i != first && desk->bounds[i] >= search.rank)
			search_line(&search, desk->line_list[i]);
	return search.best;
}
