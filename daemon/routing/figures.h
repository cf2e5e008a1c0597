/* What happened in each queue within the last hour, counted from the log by
 * every instance for itself. Pure.
 *
 * Service level of a queue: of all work that left it in the window, accepted or
 * abandoned, the share that was accepted within the queue's service_level time.
 * Abandoned: resolved, closed or cancelled without ever having been taken. */
#pragma once

#include <stdint.h>

#include "routing/sla_policy.h"

struct figures;
struct log_entry;

struct queue_figures {
	int64_t window_ms; /* how far back they reach: at most an hour */
	int64_t waiting;   /* as the log tells */
	int64_t arrived;   /* came into the queue, moves from other queues included */
	int64_t accepted;
	int64_t within; /* of those, within the service level's time */
	int64_t abandoned;
	int64_t mean_wait_ms;    /* of the accepted; 0: none */
	int64_t accept_every_ms; /* between two accepts while work waited, smoothed; 0: not known */
};

/* Of the clocks of one metric, since counting began. */
struct sla_figures {
	int64_t warned;
	int64_t breached;
	int64_t fulfilled;
};

/* now_ms: counting begins. */
struct figures *figures_new(int64_t now_ms);
void figures_free(struct figures **figures);
/* Every entry of the log, in order. within_ms is the service level's time of the entry's queue. */
void figures_entry(struct figures *figures, const struct log_entry *entry, int64_t within_ms);
/* So many wait now: read from state at the start and after a reset. */
void figures_set_waiting(struct figures *figures, const char *queue, int64_t waiting);
/* Something was missed: the counts stay, what depends on the order of entries starts again. */
void figures_reset(struct figures *figures);

void figures_queue(const struct figures *figures, const char *queue, int64_t now_ms,
		   struct queue_figures *ret);
const struct sla_figures *figures_sla(const struct figures *figures, enum sla_metric metric);
/* Per mille of what left in time; -1: nothing left. */
int64_t figures_service_level(const struct queue_figures *queue);
/* How long the item at this place (1: the next) will wait; -1: not known. ready: agents who could
 * take one at once. */
int64_t figures_expected_wait(const struct queue_figures *queue, int64_t place, int64_t ready);
