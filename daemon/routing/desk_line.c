#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "routing/desk_private.h"

enum { MINUTE_MS = 60 * 1000, FIRST_ROOM = 16, PERCENT = 100 };

/* ---- lines ---- */

static void line_learn(struct desk *desk, struct line *line)
{
	line->row = desk->roster == NULL ? NULL : roster_queue(desk->roster, line->queue);
	for (size_t i = 0; i < desk->agent_count; i++) {
		struct desk_agent *agent = desk->agent_list[i];

		if (!serves_all(agent))
			bits_put(&agent->serves, line->number,
				 agent_serves(agent->row, line->queue));
	}
}

struct line *line_of(struct desk *desk, const char *queue)
{
	struct line *line = map_get(desk->lines, queue);

	if (line != NULL)
		return line;
	line = memory_new(sizeof(*line));
	line->queue = memory_text(queue);
	line->number = desk->line_count;
	map_put(desk->lines, queue, line);
	desk->line_list = memory_grow(desk->line_list, desk->line_count + 1, sizeof(struct line *));
	desk->bounds = memory_grow(desk->bounds, desk->line_count + 1, sizeof(*desk->bounds));
	desk->bounds[desk->line_count] = INT64_MIN;
	desk->line_list[desk->line_count++] = line;
	line_learn(desk, line);
	rolls_know_line(desk, line);
	return line;
}

static void line_free(struct line *line)
{
	for (size_t i = 0; i < line->bucket_count; i++) {
		free(line->buckets[i]->items);
		free(line->buckets[i]);
	}
	bits_free(&line->slots[ROLL_WISH]);
	bits_free(&line->slots[ROLL_FREE]);
	free(line->buckets);
	free(line->heads);
	free(line->queue);
	free(line);
}

void lines_free(struct desk *desk)
{
	for (size_t i = 0; i < desk->line_count; i++)
		line_free(desk->line_list[i]);
	for (size_t i = 0; i < desk->agent_count; i++)
		bits_clear(&desk->agent_list[i]->serves);
	free(desk->line_list);
	free(desk->bounds);
	desk->line_list = NULL;
	desk->line_count = 0;
	desk->bounds = NULL;
	desk->unranked = 0;
	map_free(&desk->lines);
}

/* ---- heads ---- */

static bool is_older(const struct desk_item *a, const struct desk_item *b)
{
	return a->queued_ms < b->queued_ms ||
	       (a->queued_ms == b->queued_ms && strcmp(a->id, b->id) < 0);
}

static bool is_ranked(const struct line *line)
{
	return line->row == NULL ||
	       (line->row->age_percent == PERCENT && line->row->age_cap_ms == 0);
}

static bool is_paused(const struct line *line)
{
	return line->row != NULL && line->row->is_paused;
}

/* Nothing waits: nobody need look. Where waiting does not count in full, all must. */
static void bound_show(struct desk *desk, const struct line *line)
{
	int64_t bound = INT64_MIN;

	for (size_t i = 0; i < line->head_count; i++)
		if (line->heads[i].rank > bound)
			bound = line->heads[i].rank;
	if (line->head_count > 0 && !is_ranked(line))
		bound = INT64_MAX;
	if (is_paused(line))
		bound = INT64_MIN;
	desk->unranked -= desk->bounds[line->number] == INT64_MAX;
	desk->unranked += bound == INT64_MAX;
	desk->bounds[line->number] = bound;
}

static int64_t rank_of(const struct bucket *bucket)
{
	return bucket->priority * MINUTE_MS - bucket->items[bucket->first]->queued_ms;
}

static void head_drop(struct line *line, struct bucket *bucket)
{
	struct head *head = &line->heads[bucket->head - 1];

	*head = line->heads[--line->head_count];
	head->bucket->head = bucket->head;
	bucket->head = 0;
}

/* After the bucket's first item changed, or what is said of its queue. */
static void head_show(struct desk *desk, struct bucket *bucket)
{
	struct line *line = bucket->line;
	bool is_empty = bucket->first == bucket->end;

	if (is_empty && bucket->head != 0)
		head_drop(line, bucket);
	if (!is_empty) {
		if (bucket->head == 0)
			bucket->head = ++line->head_count;
		line->heads[bucket->head - 1] = (struct head){ .bucket = bucket,
							       .need = bucket->need->number,
							       .channel = bucket->channel,
							       .rank = rank_of(bucket) };
	}
	if (is_empty || !is_ranked(line) || is_paused(line))
		peak_drop(bucket);
	else
		peak_show(bucket);
	bound_show(desk, line);
}

bool bucket_before(const struct bucket *a, const struct bucket *b)
{
	int64_t left = rank_of(a);
	int64_t right = rank_of(b);

	return left > right || (left == right && is_older(a->items[a->first], b->items[b->first]));
}

void lines_learn(struct desk *desk)
{
	for (size_t i = 0; i < desk->line_count; i++) {
		struct line *line = desk->line_list[i];

		line_learn(desk, line);
		for (size_t j = 0; j < line->bucket_count; j++)
			head_show(desk, line->buckets[j]);
	}
}

/* ---- buckets ---- */

static int64_t priority_of(const struct desk_item *item)
{
	size_t count = plan_count(item->plan->plan);
	const struct plan_step *step =
		count == 0
			? NULL
			: plan_step(item->plan->plan, item->step < count ? item->step : count - 1);

	return item->priority + (step == NULL ? 0 : step->priority);
}

static struct bucket *bucket_of(struct line *line, const struct desk_item *item)
{
	struct need_row *need = item->plan->needs[item->step];
	int64_t priority = priority_of(item);
	struct bucket *bucket;

	for (size_t i = 0; i < line->bucket_count; i++)
		if (line->buckets[i]->need == need && line->buckets[i]->priority == priority &&
		    line->buckets[i]->channel == item->channel_number)
			return line->buckets[i];
	bucket = memory_new(sizeof(*bucket));
	bucket->need = need;
	bucket->priority = priority;
	bucket->channel = item->channel_number;
	bucket->line = line;
	line->buckets = memory_grow(line->buckets, line->bucket_count + 1, sizeof(struct bucket *));
	line->buckets[line->bucket_count++] = bucket;
	line->heads = memory_grow(line->heads, line->bucket_count, sizeof(*line->heads));
	return bucket;
}

/* The first place whose item is not older. */
static size_t place_of(const struct bucket *bucket, const struct desk_item *item)
{
	size_t low = bucket->first;
	size_t high = bucket->end;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (is_older(bucket->items[middle], item))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void bucket_room(struct bucket *bucket)
{
	size_t count = bucket->end - bucket->first;

	if (bucket->end < bucket->room)
		return;
	if (bucket->first >= bucket->room / 2 && bucket->first > 0) {
		memmove(bucket->items, bucket->items + bucket->first,
			count * sizeof(struct desk_item *));
		bucket->first = 0;
		bucket->end = count;
		return;
	}
	bucket->room = bucket->room == 0 ? FIRST_ROOM : bucket->room * 2;
	bucket->items = memory_grow(bucket->items, bucket->room, sizeof(struct desk_item *));
}

/* Most come at the end. */
static void bucket_add(struct bucket *bucket, struct desk_item *item)
{
	size_t place;

	bucket_room(bucket);
	place = bucket->end > bucket->first && is_older(item, bucket->items[bucket->end - 1])
			? place_of(bucket, item)
			: bucket->end;
	memmove(bucket->items + place + 1, bucket->items + place,
		(bucket->end - place) * sizeof(struct desk_item *));
	bucket->items[place] = item;
	bucket->end++;
}

/* Most go from the front: the shorter side moves. */
static void bucket_drop(struct bucket *bucket, const struct desk_item *item)
{
	size_t place = place_of(bucket, item);

	if (place >= bucket->end || bucket->items[place] != item)
		return;
	if (place - bucket->first < bucket->end - place) {
		memmove(bucket->items + bucket->first + 1, bucket->items + bucket->first,
			(place - bucket->first) * sizeof(struct desk_item *));
		bucket->first++;
	} else {
		memmove(bucket->items + place, bucket->items + place + 1,
			(bucket->end - place - 1) * sizeof(struct desk_item *));
		bucket->end--;
	}
	if (bucket->first == bucket->end)
		bucket->first = bucket->end = 0;
}

void line_put(struct desk *desk, struct desk_item *item)
{
	item->line = line_of(desk, item->queue);
	item->bucket = bucket_of(item->line, item);
	bucket_add(item->bucket, item);
	if (item->bucket->items[item->bucket->first] == item)
		head_show(desk, item->bucket);
	item->line->count++;
}

void line_drop(struct desk *desk, struct desk_item *item)
{
	struct bucket *bucket = item->bucket;
	bool was_head = bucket != NULL && bucket->items[bucket->first] == item;

	if (bucket == NULL)
		return;
	bucket_drop(bucket, item);
	if (was_head)
		head_show(desk, bucket);
	item->line->count--;
	item->bucket = NULL;
}

/* ---- order ---- */

int64_t item_score(const struct desk_item *item, int64_t now_ms)
{
	const struct queue_row *row = item->line->row;
	int64_t waited_ms = now_ms - item->queued_ms;

	if (row != NULL && row->age_cap_ms > 0 && waited_ms > row->age_cap_ms)
		waited_ms = row->age_cap_ms;
	if (row != NULL && row->age_percent != PERCENT)
		waited_ms = waited_ms * row->age_percent / PERCENT;
	return item->bucket->priority * MINUTE_MS + waited_ms;
}

bool item_before(const struct desk_item *a, const struct desk_item *b, int64_t now_ms)
{
	int64_t left = item_score(a, now_ms);
	int64_t right = item_score(b, now_ms);

	return left > right || (left == right && is_older(a, b));
}
