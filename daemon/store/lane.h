/* One lane: a queue of calls over one connection that is opened again as
 * often as it breaks. Calls are answered in order; what a broken connection
 * left unanswered is sent again, in order, in front of everything newer. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "store/call.h"

struct address;
struct lane;
struct loop;

struct lane_options {
	struct loop *loop;
	const struct address *address;
	const char *name; /* "write", "read" */
	int64_t deadline_ms;
	int in_flight_max;
	int queue_max;
	bool ack_replicas;         /* hold answers until a WAIT per batch is satisfied */
	struct store_stats *stats; /* shared by the lanes */
	int64_t *calls;            /* which of its counters counts this lane's calls */
	void (*on_change)(bool up, void *context);
	void *context;
};

struct lane *lane_new(const struct lane_options *options);
void lane_free(struct lane **pointer); /* unanswered calls end with an error first */
void lane_run(struct lane *lane, struct store_call *take_call, store_done_fn *done, void *context);
bool lane_is_up(const struct lane *lane);
int lane_waiting(const struct lane *lane); /* calls not yet answered */
/* Replicas that a WAIT asks for; at least 1 is asked for in any case. */
void lane_set_replicas(struct lane *lane, int replicas);
/* How many connections there were, this one included: an answer that comes after the number grew
 * was given by a peer that may know less. 0: none yet. */
int lane_connection(const struct lane *lane);
/* How many of them led to a replica that was promoted meanwhile. */
int lane_promotions(const struct lane *lane);
/* What the peer tells in the course of time: its id may change while it is connected. */
void lane_learn_lineage(struct lane *lane, const char *info);
/* Why the last attempt to connect failed; "" if it did not. */
const char *lane_why_down(const struct lane *lane);
