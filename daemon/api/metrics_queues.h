/* What /metrics shows of queues, agents and service levels. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

struct parts;
struct queue_samples;

typedef void queue_samples_fn(struct queue_samples *samples, void *context);

/* Reads all workspaces, one after the other; what the store does not answer is left out. Lives in
 * the arena. done may come before the call returns. */
void queue_samples_take(const struct parts *parts, struct arena *arena, queue_samples_fn *done,
			void *context);
void queue_samples_write(const struct queue_samples *samples, struct buf *out);
