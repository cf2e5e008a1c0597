#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/text.h"
#include "routing/desk_private.h"

enum { MINUTE_MS = 60 * 1000, FIRST_ROOM = 16, PERCENT = 100 };

/* ---- needs and plans ---- */

static int level_of(const char *skill, const void *context)
{
	const struct agent_row *row = context;

	for (size_t i = 0; i < row->skill_count; i++)
		if (strcmp(row->skills[i].name, skill) == 0)
			return row->skills[i].level;
	return 0;
}

static bool is_named(const struct plan_step *step, const char *agent)
{
	for (size_t i = 0; step->agents[i] != NULL; i++)
		if (strcmp(step->agents[i], agent) == 0)
			return true;
	return step->agents[0] == NULL;
}

void need_knows_agent(struct need_row *need, const struct desk_agent *agent)
{
	bool meets = need->step == NULL || agent->row == NULL ||
		     (is_named(need->step, agent->id) &&
		      need_is_met(need->step->need, level_of, agent->row));

	if (meets)
		bits_set(&need->eligible, agent->number);
	else
		bits_unset(&need->eligible, agent->number);
}

static struct need_row *need_make(struct desk *desk, const struct plan_step *step)
{
	struct buf key = { 0 };
	struct need_row *need;

	if (step != NULL)
		buf_text(&key, step->need_text);
	for (size_t i = 0; step != NULL && step->agents[i] != NULL; i++)
		buf_format(&key, " %s", step->agents[i]);
	need = map_get(desk->needs, buf_string(&key));
	if (need == NULL) {
		need = memory_new(sizeof(*need));
		need->step = step;
		for (size_t i = 0; i < desk->agent_count; i++)
			need_knows_agent(need, desk->agent_list[i]);
		map_put(desk->needs, buf_string(&key), need);
		rolls_know_need(desk, need);
	}
	buf_clear(&key);
	return need;
}

/* A plan that cannot be read asks for nothing: the work is served rather than left. */
struct plan_row *plan_of(struct desk *desk, const char *text)
{
	struct plan_row *row = map_get(desk->plans, text);
	struct error err;
	size_t count;

	if (row != NULL)
		return row;
	row = memory_new(sizeof(*row));
	row->plan = plan_parse(text, &err);
	if (row->plan == NULL)
		row->plan = plan_parse("", &err);
	count = plan_count(row->plan);
	row->needs = memory_new((count + 1) * sizeof(struct need_row *));
	for (size_t i = 0; i <= count; i++)
		row->needs[i] = need_make(desk, plan_step(row->plan, i));
	map_put(desk->plans, text, row);
	return row;
}

void plans_free(struct desk *desk)
{
	struct plan_row *row;
	struct need_row *need;
	size_t at = 0;

	while ((row = map_next(desk->plans, &at, NULL)) != NULL) {
		plan_free(&row->plan);
		free(row->needs);
		free(row);
	}
	for (at = 0; (need = map_next(desk->needs, &at, NULL)) != NULL;) {
		bits_free(&need->eligible);
		bits_free(&need->slots[ROLL_WISH]);
		bits_free(&need->slots[ROLL_FREE]);
		free(need);
	}
	map_free(&desk->plans);
	map_free(&desk->needs);
}

/* ---- lines ---- */

void line_knows_agent(struct line *line, const struct desk_agent *agent)
{
	/* A tool's token serves every queue. */
	if (agent->row == NULL || agent_serves(agent->row, line->queue))
		bits_set(&line->serving, agent->number);
	else
		bits_unset(&line->serving, agent->number);
}

static void line_learn(struct desk *desk, struct line *line)
{
	line->row = desk->roster == NULL ? NULL : roster_queue(desk->roster, line->queue);
	for (size_t i = 0; i < desk->agent_count; i++)
		line_knows_agent(line, desk->agent_list[i]);
	rolls_know_line(desk, line);
}

struct line *line_of(struct desk *desk, const char *queue)
{
	struct line *line = map_get(desk->lines, queue);

	if (line != NULL)
		return line;
	line = memory_new(sizeof(*line));
	line->queue = memory_text(queue);
	map_put(desk->lines, queue, line);
	desk->line_list = memory_grow(desk->line_list, desk->line_count + 1, sizeof(struct line *));
	desk->line_list[desk->line_count++] = line;
	line_learn(desk, line);
	return line;
}

void lines_roster(struct desk *desk)
{
	for (size_t i = 0; i < desk->line_count; i++)
		line_learn(desk, desk->line_list[i]);
}

static void line_free(struct line *line)
{
	for (size_t i = 0; i < line->bucket_count; i++) {
		free(line->buckets[i]->items);
		free(line->buckets[i]);
	}
	bits_free(&line->serving);
	bits_free(&line->slots[ROLL_WISH]);
	bits_free(&line->slots[ROLL_FREE]);
	free(line->buckets);
	free(line->queue);
	free(line);
}

void lines_free(struct desk *desk)
{
	for (size_t i = 0; i < desk->line_count; i++)
		line_free(desk->line_list[i]);
	free(desk->line_list);
	desk->line_list = NULL;
	desk->line_count = 0;
	map_free(&desk->lines);
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
		if (line->buckets[i]->need == need && line->buckets[i]->priority == priority)
			return line->buckets[i];
	bucket = memory_new(sizeof(*bucket));
	bucket->need = need;
	bucket->priority = priority;
	line->buckets = memory_grow(line->buckets, line->bucket_count + 1, sizeof(struct bucket *));
	line->buckets[line->bucket_count++] = bucket;
	return bucket;
}

static bool is_older(const struct desk_item *a, const struct desk_item *b)
{
	return a->queued_ms < b->queued_ms ||
	       (a->queued_ms == b->queued_ms && strcmp(a->id, b->id) < 0);
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
	item->line->count++;
}

void line_drop(struct desk_item *item)
{
	if (item->bucket == NULL)
		return;
	bucket_drop(item->bucket, item);
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
