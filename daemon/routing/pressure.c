#include "routing/pressure.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* The items of one queue, the longest waiting first. */
struct waiting {
	struct desk_item **items;
	size_t count;
};

static int item_compare(const void *a, const void *b)
{
	const struct desk_item *left = *(struct desk_item *const *)a;
	const struct desk_item *right = *(struct desk_item *const *)b;

	if (left->queued_ms != right->queued_ms)
		return left->queued_ms < right->queued_ms ? -1 : 1;
	return strcmp(left->id, right->id);
}

static void waiting_read(struct desk *desk, const char *queue, struct waiting *ret)
{
	struct desk_item *item;
	int64_t oldest_ms;
	size_t room = desk_waiting(desk, queue, &oldest_ms);
	size_t at = 0;

	ret->items = memory_new((room + 1) * sizeof(*ret->items));
	while (ret->count < room && (item = desk_next_item(desk, &at)) != NULL)
		if (text_equal(item->queue, queue))
			ret->items[ret->count++] = item;
	qsort(ret->items, ret->count, sizeof(*ret->items), item_compare);
}

static bool somebody_serves(struct desk *desk, const char *queue)
{
	struct desk_agent *agent;
	size_t at = 0;

	while ((agent = desk_next_agent(desk, &at)) != NULL)
		if (agent->row != NULL && agent_serves(agent->row, queue) &&
		    ((agent->is_online && agent->is_routable) || agent->has_wish))
			return true;
	return false;
}

struct queue_facts {
	struct queue_condition condition;
	bool nobody;
};

/* The first condition that is not met refuses; the last that is met names the reason. */
static const char *overflow_reason(const struct overflow_row *row, const struct queue_facts *facts,
				   size_t place, int64_t waited_ms)
{
	const char *why = NULL;

	if (row->length > 0) {
		if ((int64_t)place < row->length)
			return NULL;
		why = "length";
	}
	if (row->wait_ms > 0) {
		if (waited_ms < row->wait_ms)
			return NULL;
		why = "wait";
	}
	if (row->expected_wait_ms > 0) {
		if (facts->condition.expected_wait_ms < row->expected_wait_ms)
			return NULL;
		why = "expected_wait";
	}
	if (row->nobody) {
		if (!facts->nobody)
			return NULL;
		why = "nobody";
	}
	if (row->closed) {
		if (!facts->condition.is_closed)
			return NULL;
		why = "closed";
	}
	return why;
}

static bool has_been_in(const struct desk_item *item, const char *queue)
{
	return text_has_word(item->overflowed, ' ', queue);
}

static bool overflow_find(const struct pressure *pressure, const struct queue_row *queue,
			  const struct queue_facts *facts, size_t place, struct relief *relief)
{
	int64_t waited_ms = pressure->now_ms - relief->item->entered_ms;

	for (size_t i = 0; i < queue->overflow_count; i++) {
		const struct overflow_row *row = &queue->overflow[i];

		/* Two queues that spill into each other would pass the item to and fro. */
		if (row->queue == NULL || has_been_in(relief->item, row->queue))
			continue;
		relief->why = overflow_reason(row, facts, place, waited_ms);
		relief->overflow = row;
		if (relief->why != NULL)
			return true;
	}
	return false;
}

/* The next level is due by its own time, or at once when the level before was not accepted. */
static bool escalation_find(const struct pressure *pressure, const struct queue_row *queue,
			    struct relief *relief)
{
	const struct desk_item *item = relief->item;
	int64_t climbed = item->level - item->level_before;

	if (item->has_transfer || climbed < 0 || climbed >= (int64_t)queue->escalation_count)
		return false;
	relief->escalation = &queue->escalation[climbed];
	relief->level = item->level + 1;
	return climbed > 0 || pressure->now_ms - item->entered_ms >= relief->escalation->after_ms;
}

static void queue_check(const struct pressure *pressure, const struct queue_row *queue)
{
	struct queue_facts facts = { .condition = { .expected_wait_ms = -1 } };
	struct waiting waiting = { 0 };

	waiting_read(pressure->desk, queue->id, &waiting);
	if (waiting.count > 0)
		pressure->condition(queue, &facts.condition, pressure->context);
	facts.nobody = waiting.count > 0 && !somebody_serves(pressure->desk, queue->id);
	for (size_t i = 0; i < waiting.count; i++) {
		struct relief relief = { .item = waiting.items[i] };

		if (relief.item->is_proposed)
			continue;
		relief.kind = RELIEF_OVERFLOW;
		if (overflow_find(pressure, queue, &facts, i, &relief)) {
			pressure->relieve(&relief, pressure->context);
			continue;
		}
		relief.kind = RELIEF_ESCALATION;
		if (escalation_find(pressure, queue, &relief))
			pressure->relieve(&relief, pressure->context);
	}
	free(waiting.items);
}

void pressure_check(const struct pressure *pressure)
{
	size_t count;
	const struct queue_row *queues = roster_queues(pressure->roster, &count);

	for (size_t i = 0; i < count; i++)
		if (queues[i].overflow_count > 0 || queues[i].escalation_count > 0)
			queue_check(pressure, &queues[i]);
}
