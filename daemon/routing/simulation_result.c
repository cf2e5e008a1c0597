#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"
#include "routing/simulation_private.h"

static int compare(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a;
	int64_t right = *(const int64_t *)b;

	return left < right ? -1 : left > right;
}

/* The value that share percent of all do not exceed; sorts them. */
static int64_t percentile(int64_t *values, size_t count, size_t share)
{
	if (count == 0)
		return 0;
	qsort(values, count, sizeof(*values), compare);
	return values[(count - 1) * share / 100];
}

struct samples {
	int64_t *waits;
	int64_t *errors;
	size_t error_count;
	int64_t sum_ms;
};

static void add_piece(struct sim_queue *queue, const struct piece *piece, int64_t within_ms,
		      struct samples *samples)
{
	queue->left += piece->is_waiting;
	queue->gave_up += piece->wait_ms == NOBODY && !piece->is_waiting;
	if (piece->wait_ms == NOBODY)
		return;
	samples->waits[queue->taken++] = piece->wait_ms;
	samples->sum_ms += piece->wait_ms;
	queue->within += piece->wait_ms <= within_ms;
	if (piece->expected_ms >= 0)
		samples->errors[samples->error_count++] =
			llabs(piece->wait_ms - piece->expected_ms);
}

static void queue_sum(struct course *course, const struct queue_row *row, struct sim_queue *queue)
{
	size_t count = course->simulation->arrival_count;
	struct samples samples = { .waits = memory_new((count + 1) * sizeof(int64_t)),
				   .errors = memory_new((count + 1) * sizeof(int64_t)) };

	*queue = (struct sim_queue){ .id = row->id, .error_median_ms = -1, .error_p90_ms = -1 };
	for (size_t i = 0; i < count; i++) {
		const struct piece *piece = &course->pieces[i];

		queue->arrived += text_equal(piece->class.queue, row->id);
		queue->escalated += piece->level > 0 && text_equal(piece->asked_in, row->id);
		if (text_equal(piece->queue, row->id))
			add_piece(queue, piece, row->service_level_ms, &samples);
	}
	if (queue->taken > 0)
		queue->mean_ms = samples.sum_ms / (int64_t)queue->taken;
	queue->median_ms = percentile(samples.waits, queue->taken, 50);
	queue->p90_ms = percentile(samples.waits, queue->taken, 90);
	queue->longest_ms = percentile(samples.waits, queue->taken, 100);
	if (samples.error_count > 0) {
		queue->error_median_ms = percentile(samples.errors, samples.error_count, 50);
		queue->error_p90_ms = percentile(samples.errors, samples.error_count, 90);
	}
	free(samples.waits);
	free(samples.errors);
}

void result_make(struct course *course, struct sim_result *ret)
{
	const struct queue_row *rows = roster_queues(course->simulation->roster, &ret->queue_count);

	ret->queues = arena_alloc(course->arena, (ret->queue_count + 1) * sizeof(*ret->queues));
	for (size_t i = 0; i < ret->queue_count; i++)
		queue_sum(course, &rows[i], &ret->queues[i]);
	ret->occupancy = course->there == 0 ? 0 : course->used / course->there;
}
