/* A day of work run through the router's own matching, without a store: who
 * waits how long under which rules and agents. Pure and repeatable. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "routing/roster.h"

/* One customer who writes. */
struct sim_arrival {
	int64_t at_ms;
	const char *channel;
	const char *text;
	int64_t handle_ms;   /* how long an agent is busy with it */
	int64_t patience_ms; /* gives up after; 0: never */
};

/* When an agent is there. */
struct sim_shift {
	const char *agent;
	int64_t from_ms;
	int64_t until_ms;
};

struct simulation {
	const struct roster *roster;
	const struct sim_arrival *arrivals; /* by time */
	size_t arrival_count;
	const struct sim_shift *shifts;
	size_t shift_count;
};

/* Of one queue; times in ms, of the work that was taken. */
struct sim_queue {
	const char *id;
	size_t arrived; /* first came here */
	size_t taken;
	size_t within; /* of those, within the service level's time */
	size_t gave_up;
	size_t left;      /* waits at the end */
	size_t escalated; /* was escalated from here, at the last */
	int64_t mean_ms;
	int64_t median_ms;
	int64_t p90_ms;
	int64_t longest_ms;
	int64_t error_median_ms; /* of the expected wait told on arrival; -1: none was known */
	int64_t error_p90_ms;
};

struct sim_result {
	struct sim_queue *queues;
	size_t queue_count;
	double occupancy; /* of the capacity that was there, the share in use */
};

/* Where each arrival would go; texts live as long as the roster. */
const char *simulation_queue(const struct roster *roster, const struct sim_arrival *arrival,
			     struct arena *arena);
/* The result lives in the arena; ids live as long as the roster. */
void simulation_run(const struct simulation *simulation, struct arena *arena,
		    struct sim_result *ret);
