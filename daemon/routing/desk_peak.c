#include "base/memory.h"
#include "routing/desk_private.h"

enum { FIRST_ROOM = 8 };

/* A binary heap; places are counted from 1. */
static void place(struct need_row *need, size_t at, struct bucket *bucket)
{
	need->heap[at - 1] = bucket;
	bucket->peak = at;
}

static void rise(struct need_row *need, size_t at)
{
	struct bucket *bucket = need->heap[at - 1];

	while (at > 1 && bucket_before(bucket, need->heap[at / 2 - 1])) {
		place(need, at, need->heap[at / 2 - 1]);
		at /= 2;
	}
	place(need, at, bucket);
}

static void sink(struct need_row *need, size_t at)
{
	struct bucket *bucket = need->heap[at - 1];
	size_t child;

	while ((child = at * 2) <= need->heap_count) {
		if (child < need->heap_count &&
		    bucket_before(need->heap[child], need->heap[child - 1]))
			child++;
		if (!bucket_before(need->heap[child - 1], bucket))
			break;
		place(need, at, need->heap[child - 1]);
		at = child;
	}
	place(need, at, bucket);
}

void peak_show(struct bucket *bucket)
{
	struct need_row *need = bucket->need;

	if (bucket->peak == 0) {
		if (need->heap_count == need->heap_room) {
			need->heap_room = need->heap_room == 0 ? FIRST_ROOM : need->heap_room * 2;
			need->heap =
				memory_grow(need->heap, need->heap_room, sizeof(struct bucket *));
		}
		need->heap[need->heap_count++] = bucket;
		bucket->peak = need->heap_count;
	}
	rise(need, bucket->peak);
	sink(need, bucket->peak);
}

void peak_drop(struct bucket *bucket)
{
	struct need_row *need = bucket->need;
	size_t at = bucket->peak;
	struct bucket *last;

	if (at == 0)
		return;
	bucket->peak = 0;
	last = need->heap[--need->heap_count];
	if (last == bucket)
		return;
	place(need, at, last);
	rise(need, at);
	sink(need, last->peak);
}
