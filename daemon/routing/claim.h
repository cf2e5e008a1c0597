/* Offers, claims, presence and timers: what the router and the instances that
 * hold agents' connections ask of the store. */
#pragma once

#include "routing/work.h"

/* ---- the router ---- */
struct plan_progress {
	const char *fence;
	const char *work_item;
	int64_t step;
};
struct offer_proposal {
	const char *fence; /* of the steward's lease */
	const char *work_item;
	int64_t version;
	const char *agent;
	const char *offer;      /* off_ id to use */
	int64_t accept_ms;      /* how long the agent has */
	int64_t agent_capacity; /* total */
	int64_t cost;           /* of this item */
	int64_t parallel;       /* offers of one item at the same time, 1-10 */
	int64_t missed_max;     /* in a row, then the agent is not routable; 0: never */
	int64_t waiting_cost;   /* while it waits for somebody */
	bool load_matters;      /* refused "changed" where the agent has another load now */
	int64_t load;
};
/* WORK_OK: state is offered, or assigned where the agent had an open wish. */
void offer_make(struct store *store, const char *workspace, const struct offer_proposal *proposal,
		work_done_fn *done, void *context);
/* A waiting item's plan is at this step (from 1): noted once, in the log. */
void plan_step_make(struct store *store, const char *workspace,
		    const struct plan_progress *progress, work_done_fn *done, void *context);

/* Into a queue that can cope better; WORK_REFUSED fence, loop or what all work calls refuse. */
struct overflow {
	const char *fence;
	const char *work_item;
	int64_t version;
	const char *queue;
	const char *why; /* length, wait, expected_wait, nobody, closed */
};
void overflow_make(struct store *store, const char *workspace, const struct overflow *overflow,
		   work_done_fn *done, void *context);
struct offer_ending {
	const char *fence;
	const char *offer;
	const char *outcome; /* rescinded or cancelled (timeout is a timer's) */
};
void offer_end(struct store *store, const char *workspace, const struct offer_ending *ending,
	       work_done_fn *done, void *context);

/* ---- pulling ---- */
struct claim {
	const char *agent;
	const char *key;    /* of the request: repeated, it gets the same item */
	const char *queues; /* comma-separated; NULL or "": all */
	int64_t wait_ms;
	int64_t lease_ms;     /* 0: a person */
	const char *channels; /* comma-separated; NULL or "": all */
};
/* WORK_OK with the item, WORK_WISH, or WORK_NONE for a repeated key whose wish has ended. The
 * item of a wish shows in the log as work_item.state with this agent; then call claim_end. */
void claim_make(struct store *store, const char *workspace, const struct claim *claim,
		work_done_fn *done, void *context);
/* WORK_OK with the item the wish was given, else WORK_NONE. client_gone: the item is kept for the
 * agent's next claim. Of the claim only agent and key are used. */
void claim_end(struct store *store, const char *workspace, const struct claim *claim,
	       bool client_gone, work_done_fn *done, void *context);

/* ---- presence: result->state is the status ---- */
struct presence {
	const char *agent;
	const char *status; /* online, busy, away, offline */
	const char *why;    /* NULL */
	bool routable;
};
void presence_set(struct store *store, const char *workspace, const struct presence *presence,
		  work_done_fn *done, void *context);
/* Every request and, now and then, every live stream of an agent. Not waited for. */
void presence_seen(struct store *store, const char *workspace, const char *agent);

/* What the store knows of an agent at work. Borrowed inside the call. */
struct agent_runtime {
	const char *status; /* offline where nothing is known */
	const char *why;    /* NULL */
	bool routable;
	int64_t load;
	int64_t idle_since_ms;
	int64_t seen_ms;
	int64_t missed;    /* offers in a row */
	const char *offer; /* pending; NULL */
	int64_t version;
};
typedef void agent_runtime_fn(const struct agent_runtime *runtime, const struct error *err,
			      void *context); /* runtime is NULL with err */
void presence_read(struct store *store, const char *workspace, const char *agent,
		   agent_runtime_fn *done, void *context);

/* ---- the steward's timers ---- */
/* Fires one due member of {ws}:timers through the script that checks it again.
 * WORK_REFUSED "unknown_timer" for kinds that are not about work. */
struct work_timer {
	const char *fence;
	const char *member; /* as read from the sorted set */
};
void work_timer_fire(struct store *store, const char *workspace, const struct work_timer *timer,
		     work_done_fn *done, void *context);
