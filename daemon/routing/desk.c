#include "routing/desk.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"

enum { MINUTE_MS = 60 * 1000, TOOL_CAPACITY = 100000, ITEM_COST = 1 };

/* Items of one queue in the order they should go. */
struct line {
	char *queue;
	struct desk_item **items;
	size_t count;
	size_t room;
};

struct desk {
	struct map *items;  /* id -> desk_item */
	struct map *agents; /* id -> desk_agent */
	struct map *lines;  /* queue -> line */
	const struct roster *roster;
	int64_t now_ms; /* of the match that runs */
};

struct desk *desk_new(void)
{
	struct desk *desk = memory_new(sizeof(*desk));

	desk->items = map_new();
	desk->agents = map_new();
	desk->lines = map_new();
	return desk;
}

static void item_free(struct desk_item *item)
{
	free(item->id);
	free(item->queue);
	free(item->skills);
	free(item->last_agent);
	free(item->holder);
	free(item->overflowed);
	free(item->declined);
	free(item);
}

static void agent_free(struct desk_agent *agent)
{
	free(agent->id);
	free(agent->wish_key);
	free(agent->wish_queues);
	free(agent);
}

static void line_free(struct line *line)
{
	free(line->queue);
	free(line->items);
	free(line);
}

void desk_clear_items(struct desk *desk)
{
	size_t at = 0;
	struct desk_item *item;
	struct line *line;

	while ((item = map_next(desk->items, &at, NULL)) != NULL)
		item_free(item);
	for (at = 0; (line = map_next(desk->lines, &at, NULL)) != NULL;)
		line_free(line);
	map_free(&desk->items);
	map_free(&desk->lines);
	desk->items = map_new();
	desk->lines = map_new();
}

void desk_free(struct desk **desk)
{
	size_t at = 0;
	struct desk_agent *agent;

	if (*desk == NULL)
		return;
	desk_clear_items(*desk);
	while ((agent = map_next((*desk)->agents, &at, NULL)) != NULL)
		agent_free(agent);
	map_free(&(*desk)->items);
	map_free(&(*desk)->agents);
	map_free(&(*desk)->lines);
	free(*desk);
	*desk = NULL;
}

/* ---- items ---- */

/* Waited minutes plus base priority: everybody's wait grows alike, so the order
 * of two items never changes and a sorted line stays sorted. */
static int64_t item_rank(const struct desk_item *item)
{
	return item->queued_ms - item->priority * MINUTE_MS;
}

static size_t line_place(const struct line *line, const struct desk_item *item)
{
	size_t low = 0;
	size_t high = line->count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct desk_item *other = line->items[middle];
		int64_t difference = item_rank(other) - item_rank(item);

		if (difference < 0 || (difference == 0 && strcmp(other->id, item->id) < 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct line *line_of(struct desk *desk, const char *queue)
{
	struct line *line = map_get(desk->lines, queue);

	if (line == NULL) {
		line = memory_new(sizeof(*line));
		line->queue = memory_text(queue);
		map_put(desk->lines, queue, line);
	}
	return line;
}

static void line_add(struct line *line, struct desk_item *item)
{
	size_t place = line_place(line, item);

	if (line->count == line->room) {
		line->room = line->room == 0 ? 16 : line->room * 2;
		line->items = memory_grow(line->items, line->room, sizeof(struct desk_item *));
	}
	memmove(&line->items[place + 1], &line->items[place],
		(line->count - place) * sizeof(struct desk_item *));
	line->items[place] = item;
	line->count++;
}

static void line_drop(struct line *line, const struct desk_item *item)
{
	size_t place = line_place(line, item);

	if (place >= line->count || line->items[place] != item)
		return;
	line->count--;
	memmove(&line->items[place], &line->items[place + 1],
		(line->count - place) * sizeof(struct desk_item *));
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
	line_drop(line_of(desk, item->queue), item);
	item_free(item);
}

struct desk_item *desk_put_item(struct desk *desk, const struct desk_item *given)
{
	struct desk_item *item = memory_new(sizeof(*item));

	desk_remove_item(desk, given->id);
	*item = *given;
	item->id = memory_text(given->id);
	item->queue = memory_text(given->queue);
	item->skills = memory_text(given->skills == NULL ? "" : given->skills);
	item->last_agent = memory_text(given->last_agent == NULL ? "" : given->last_agent);
	item->overflowed = memory_text(given->overflowed == NULL ? "" : given->overflowed);
	item->holder = memory_text(given->holder == NULL ? "" : given->holder);
	item->declined = memory_text(given->declined == NULL ? "" : given->declined);
	map_put(desk->items, item->id, item);
	line_add(line_of(desk, item->queue), item);
	return item;
}

size_t desk_waiting(const struct desk *desk, const char *queue, int64_t *ret_oldest_ms)
{
	const struct line *line = map_get(desk->lines, queue);

	*ret_oldest_ms = 0;
	if (line == NULL)
		return 0;
	for (size_t i = 0; i < line->count; i++)
		if (*ret_oldest_ms == 0 || line->items[i]->queued_ms < *ret_oldest_ms)
			*ret_oldest_ms = line->items[i]->queued_ms;
	return line->count;
}

/* ---- agents ---- */

struct desk_agent *desk_find_agent(struct desk *desk, const char *id)
{
	return map_get(desk->agents, id);
}

struct desk_agent *desk_agent(struct desk *desk, const char *id)
{
	struct desk_agent *agent = map_get(desk->agents, id);

	if (agent != NULL)
		return agent;
	agent = memory_new(sizeof(*agent));
	agent->id = memory_text(id);
	agent->row = desk->roster == NULL ? NULL : roster_agent(desk->roster, id);
	map_put(desk->agents, id, agent);
	return agent;
}

struct desk_agent *desk_next_agent(struct desk *desk, size_t *at)
{
	return map_next(desk->agents, at, NULL);
}

void desk_roster(struct desk *desk, const struct roster *roster)
{
	size_t at = 0;
	struct desk_agent *agent;
	size_t count;
	const struct agent_row *rows = roster_agents(roster, &count);

	desk->roster = roster;
	for (size_t i = 0; i < count; i++)
		desk_agent(desk, rows[i].id);
	while ((agent = map_next(desk->agents, &at, NULL)) != NULL)
		agent->row = roster_agent(roster, agent->id);
}

void desk_set_wish(struct desk_agent *agent, const char *key, const char *queues, int64_t since_ms)
{
	free(agent->wish_key);
	free(agent->wish_queues);
	agent->has_wish = key != NULL;
	agent->wish_key = memory_text(key);
	agent->wish_queues = memory_text(queues);
	agent->wish_ms = since_ms;
}

bool desk_has_room(const struct desk_agent *agent, int64_t cost)
{
	return agent->load + cost <= (agent->row == NULL ? TOOL_CAPACITY : agent->row->capacity);
}

/* ---- the choice ---- */

static bool may_serve(const struct desk_agent *agent, const struct desk_item *item)
{
	if (agent->row == NULL)
		return true;
	return agent_serves(agent->row, item->queue) && agent_has_skills(agent->row, item->skills);
}

static bool is_paused(const struct desk *desk, const char *queue)
{
	const struct queue_row *row = roster_queue(desk->roster, queue);

	return row != NULL && row->is_paused;
}

static struct desk_item *item_for_wish(struct desk *desk, const struct desk_agent *agent)
{
	struct desk_item *best = NULL;
	struct line *line;
	size_t at = 0;

	while ((line = map_next(desk->lines, &at, NULL)) != NULL) {
		if (is_paused(desk, line->queue) ||
		    (*agent->wish_queues != '\0' &&
		     !text_has_word(agent->wish_queues, ',', line->queue)))
			continue;
		for (size_t i = 0; i < line->count; i++) {
			struct desk_item *item = line->items[i];

			if (best != NULL && item_rank(best) <= item_rank(item))
				break;
			if (!item->is_proposed && may_serve(agent, item))
				best = item;
		}
	}
	return best;
}

static bool match_wish(struct desk *desk, struct desk_match *ret)
{
	struct desk_agent *agent;
	size_t at = 0;

	ret->agent = NULL;
	while ((agent = map_next(desk->agents, &at, NULL)) != NULL) {
		struct desk_item *item;

		if (!agent->has_wish || agent->is_proposed || !desk_has_room(agent, ITEM_COST) ||
		    (ret->agent != NULL && ret->agent->wish_ms <= agent->wish_ms))
			continue;
		item = item_for_wish(desk, agent);
		if (item == NULL)
			continue;
		ret->agent = agent;
		ret->item = item;
	}
	ret->for_wish = true;
	return ret->agent != NULL;
}

/* "refunds>=2&zh>=3" asks for "zh", and not for "z". */
static bool asks_for(const char *expression, const char *name)
{
	size_t len = strlen(name);

	while (*expression != '\0') {
		if (strcspn(expression, ">&") == len && memcmp(expression, name, len) == 0)
			return true;
		expression = strchrnul(expression, '&');
		if (*expression == '&')
			expression++;
	}
	return false;
}

static int skill_sum(const struct desk_agent *agent, const char *expression)
{
	int sum = 0;

	for (size_t i = 0; i < agent->row->skill_count; i++)
		if (asks_for(expression, agent->row->skills[i].name))
			sum += agent->row->skills[i].level;
	return sum;
}

/* Is a the better choice than b? Ties go to who has been idle longest. */
static bool is_better(const struct desk_agent *a, const struct desk_agent *b,
		      const struct desk_item *item, enum strategy strategy)
{
	int64_t difference = 0;

	if (text_equal(a->id, item->last_agent) != text_equal(b->id, item->last_agent))
		return text_equal(a->id, item->last_agent);
	if (strategy == STRATEGY_LEAST_LOADED)
		difference = a->load * b->row->capacity - b->load * a->row->capacity;
	else if (strategy == STRATEGY_BEST_SKILL)
		difference = skill_sum(b, item->skills) - skill_sum(a, item->skills);
	else if (strategy == STRATEGY_ROUND_ROBIN)
		difference = a->turns - b->turns;
	if (difference == 0)
		difference = a->idle_ms - b->idle_ms;
	return difference < 0 || (difference == 0 && strcmp(a->id, b->id) < 0);
}

static bool is_free(const struct desk_agent *agent)
{
	return agent->row != NULL && agent->is_online && agent->is_routable && !agent->has_wish &&
	       !agent->has_offer && !agent->is_proposed && desk_has_room(agent, ITEM_COST);
}

static bool has_declined(const struct desk *desk, const struct desk_agent *agent,
			 const struct desk_item *item)
{
	return desk->now_ms < item->retry_ms && text_has_word(item->declined, ' ', agent->id);
}

static struct desk_agent *agent_for(struct desk *desk, const struct desk_item *item,
				    enum strategy strategy)
{
	struct desk_agent *best = NULL;
	struct desk_agent *agent;
	size_t at = 0;

	while ((agent = map_next(desk->agents, &at, NULL)) != NULL)
		if (is_free(agent) && !text_equal(agent->id, item->holder) &&
		    may_serve(agent, item) && !has_declined(desk, agent, item) &&
		    (best == NULL || is_better(agent, best, item, strategy)))
			best = agent;
	return best;
}

static bool anybody_free(struct desk *desk)
{
	struct desk_agent *agent;
	size_t at = 0;

	while ((agent = map_next(desk->agents, &at, NULL)) != NULL)
		if (is_free(agent))
			return true;
	return false;
}

static bool match_push_line(struct desk *desk, const struct line *line, struct desk_match *ret)
{
	const struct queue_row *row = roster_queue(desk->roster, line->queue);
	enum strategy strategy = row == NULL ? STRATEGY_LONGEST_IDLE : row->strategy;

	for (size_t i = 0; i < line->count; i++) {
		if (line->items[i]->is_proposed)
			continue;
		ret->agent = agent_for(desk, line->items[i], strategy);
		ret->item = line->items[i];
		if (ret->agent != NULL)
			return true;
	}
	return false;
}

static bool match_push(struct desk *desk, struct desk_match *ret)
{
	struct desk_match found;
	struct line *line;
	size_t at = 0;

	ret->item = NULL;
	ret->for_wish = false;
	if (!anybody_free(desk))
		return false;
	while ((line = map_next(desk->lines, &at, NULL)) != NULL)
		if (!is_paused(desk, line->queue) && match_push_line(desk, line, &found) &&
		    (ret->item == NULL || item_rank(found.item) < item_rank(ret->item))) {
			ret->item = found.item;
			ret->agent = found.agent;
		}
	return ret->item != NULL;
}

bool desk_match(struct desk *desk, int64_t now_ms, struct desk_match *ret)
{
	desk->now_ms = now_ms;
	if (desk->roster == NULL || map_count(desk->items) == 0)
		return false;
	if (!match_wish(desk, ret) && !match_push(desk, ret))
		return false;
	ret->item->is_proposed = true;
	ret->agent->is_proposed = true;
	ret->agent->turns++;
	return true;
}
