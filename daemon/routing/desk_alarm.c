#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "routing/desk_private.h"

enum { FIRST_ROOM = 64 };

/* ---- the heap of alarms: places are counted from 1 ---- */

static void heap_put(struct alarms *alarms, size_t place, struct desk_item *item)
{
	alarms->heap[place - 1] = item;
	item->alarm = place;
}

static void heap_up(struct alarms *alarms, size_t place)
{
	struct desk_item *item = alarms->heap[place - 1];

	while (place > 1 && item->alarm_ms < alarms->heap[place / 2 - 1]->alarm_ms) {
		heap_put(alarms, place, alarms->heap[place / 2 - 1]);
		place /= 2;
	}
	heap_put(alarms, place, item);
}

static void heap_down(struct alarms *alarms, size_t place)
{
	struct desk_item *item = alarms->heap[place - 1];
	size_t child;

	while ((child = place * 2) <= alarms->count) {
		if (child < alarms->count &&
		    alarms->heap[child]->alarm_ms < alarms->heap[child - 1]->alarm_ms)
			child++;
		if (item->alarm_ms <= alarms->heap[child - 1]->alarm_ms)
			break;
		heap_put(alarms, place, alarms->heap[child - 1]);
		place = child;
	}
	heap_put(alarms, place, item);
}

void alarm_drop(struct desk *desk, struct desk_item *item)
{
	struct alarms *alarms = &desk->alarms;
	size_t place = item->alarm;
	struct desk_item *last;

	if (place == 0)
		return;
	item->alarm = 0;
	last = alarms->heap[--alarms->count];
	if (last == item)
		return;
	heap_put(alarms, place, last);
	heap_up(alarms, place);
	heap_down(alarms, last->alarm);
}

void alarm_set(struct desk *desk, struct desk_item *item, int64_t at_ms)
{
	struct alarms *alarms = &desk->alarms;

	alarm_drop(desk, item);
	if (at_ms == INT64_MAX)
		return;
	if (alarms->count == alarms->room) {
		alarms->room = alarms->room == 0 ? FIRST_ROOM : alarms->room * 2;
		alarms->heap = memory_grow(alarms->heap, alarms->room, sizeof(struct desk_item *));
	}
	item->alarm_ms = at_ms;
	alarms->heap[alarms->count++] = item;
	heap_up(alarms, alarms->count);
}

struct desk_item *alarm_due(struct desk *desk)
{
	struct desk_item *item = desk->alarms.count == 0 ? NULL : desk->alarms.heap[0];

	if (item == NULL || item->alarm_ms > desk->now_ms)
		return NULL;
	alarm_drop(desk, item);
	return item;
}

/* ---- items to look at ---- */

void fresh_add(struct desk *desk, struct desk_item *item)
{
	struct pending *fresh = &desk->fresh;

	if (item->fresh != 0)
		return;
	if (fresh->first == fresh->end)
		fresh->first = fresh->end = 0;
	if (fresh->end == fresh->room) {
		fresh->room = fresh->room == 0 ? FIRST_ROOM : fresh->room * 2;
		fresh->items = memory_grow(fresh->items, fresh->room, sizeof(struct desk_item *));
	}
	fresh->items[fresh->end++] = item;
	item->fresh = fresh->end;
	fresh->is_unsorted |= fresh->end - fresh->first > 1;
}

void fresh_drop(struct desk *desk, struct desk_item *item)
{
	if (item->fresh == 0)
		return;
	desk->fresh.items[item->fresh - 1] = NULL;
	item->fresh = 0;
}

struct ranked {
	struct desk_item *item;
	int64_t score;
};

static int ranked_compare(const void *a, const void *b)
{
	const struct ranked *left = a;
	const struct ranked *right = b;

	if (left->score != right->score)
		return left->score > right->score ? -1 : 1;
	if (left->item->queued_ms != right->item->queued_ms)
		return left->item->queued_ms < right->item->queued_ms ? -1 : 1;
	return strcmp(left->item->id, right->item->id);
}

static void fresh_sort(struct desk *desk)
{
	struct pending *fresh = &desk->fresh;
	struct ranked *ranks = memory_new((fresh->end - fresh->first + 1) * sizeof(*ranks));
	size_t count = 0;

	for (size_t i = fresh->first; i < fresh->end; i++)
		if (fresh->items[i] != NULL)
			ranks[count++] =
				(struct ranked){ fresh->items[i],
						 item_score(fresh->items[i], desk->now_ms) };
	qsort(ranks, count, sizeof(*ranks), ranked_compare);
	for (size_t i = 0; i < count; i++) {
		fresh->items[i] = ranks[i].item;
		ranks[i].item->fresh = i + 1;
	}
	free(ranks);
	fresh->first = 0;
	fresh->end = count;
	fresh->is_unsorted = false;
}

struct desk_item *fresh_first(struct desk *desk)
{
	struct pending *fresh = &desk->fresh;

	if (fresh->is_unsorted)
		fresh_sort(desk);
	while (fresh->first < fresh->end && fresh->items[fresh->first] == NULL)
		fresh->first++;
	return fresh->first < fresh->end ? fresh->items[fresh->first] : NULL;
}
