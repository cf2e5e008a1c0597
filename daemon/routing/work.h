/* Work items: one call per transition (scripts/README.md). Every call ends in
 * done exactly once, never before it has returned.
 *
 * Calls that people and programs make carry an idempotency key; where the
 * caller has none a fresh one is made, so that the store's own re-send of a
 * call whose answer was lost is answered like the first. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct store;

enum work_code {
	WORK_OK,
	WORK_REFUSED,  /* refusal says why; nothing changed */
	WORK_CONFLICT, /* the idempotency key was used with another request */
	WORK_WISH,     /* claim: nothing yet, the router knows; until deadline_ms */
	WORK_NONE,     /* claim: withdrawn, or no longer open: 204 */
	WORK_FAILED,   /* err says why; it may be tried again */
};

enum { WORK_ALLOWED_MAX = 16 };

/* Borrowed: valid inside the call. Absent texts are NULL. */
struct work_result {
	enum work_code code;
	bool replayed;
	/* not_found, illegal_state, version, not_assignee; offers: fence, offline, busy, capacity,
	 * filter, holder, offers; timers: early; exists, no_lease, no_more, past, loop,
	 * transfer_pending, consult_pending, joined */
	const char *refusal;
	const char *allowed[WORK_ALLOWED_MAX]; /* with illegal_state */
	size_t allowed_count;
	const char *work_item;
	const char *state; /* of the item; with a refusal the state it is in */
	int64_t version;
	const char *queue;
	const char *conversation;
	const char *customer;
	const char *agent;
	int64_t deadline_ms; /* WORK_WISH: unix */
};
/* err is set with WORK_FAILED only. */
typedef void work_done_fn(const struct work_result *result, const struct error *err, void *context);

/* Who asks what of which item. */
struct work_call {
	struct store *store;
	const char *workspace;
	const char *work_item;
	const char *agent;   /* NULL: a supervisor or the daemon, who needs no assignment */
	int64_t version;     /* If-Match; 0: any */
	const char *key;     /* hash of the idempotency key with its owner, hex; NULL: none */
	const char *request; /* hash of the request, hex; NULL where key is */
};

/* agent is required in accept and decline. Reasons may be NULL. */
void work_accept(const struct work_call *call, work_done_fn *done, void *context);
void work_decline(const struct work_call *call, const char *reason, work_done_fn *done,
		  void *context);
void work_release(const struct work_call *call, const char *reason, work_done_fn *done,
		  void *context);
void work_close(const struct work_call *call, const char *reason, work_done_fn *done,
		void *context);
void work_reopen(const struct work_call *call, const char *reason, work_done_fn *done,
		 void *context);
void work_cancel(const struct work_call *call, const char *reason, work_done_fn *done,
		 void *context);
/* A tool keeps its claim for lease_ms from now; a wrap-up lasts wrap_ms longer, at most wrap_max
 * times. */
struct work_extension {
	int64_t lease_ms;
	int64_t wrap_ms;
	int64_t wrap_max;
};
void work_extend(const struct work_call *call, const struct work_extension *extension,
		 work_done_fn *done, void *context);

struct work_resolution {
	const char *reason;
	const char *note;   /* msg_ of the closing note; NULL */
	int64_t wrap_up_ms; /* 0: resolved at once */
	int64_t close_ms;   /* a resolved item closes by itself after; 0: never */
};
void work_resolve(const struct work_call *call, const struct work_resolution *resolution,
		  work_done_fn *done, void *context);

/* for_what: until, customer, third_party, department. until_ms is when it comes back in any case.
 */
void work_snooze(const struct work_call *call, const char *for_what, int64_t until_ms,
		 work_done_fn *done, void *context);

struct work_transfer {
	const char *queue;      /* either: its agents are asked in turn */
	const char *agent;      /* or: that agent */
	const char *transfer;   /* trf_ id, made by the caller */
	int64_t accept_ms;      /* how long it stands */
	const char *fallback;   /* a queue; NULL: back to who has the item, else to its old queue */
	const char *department; /* whose queue it is; NULL */
	const char *reason;
	const char *summary;
	int64_t level;       /* of an escalation, from 1; 0: a transfer */
	const char *urgency; /* from now on; NULL: as it is */
	int64_t priority;    /* minutes to add, of an escalation */
};
void work_transfer(const struct work_call *call, const struct work_transfer *transfer,
		   work_done_fn *done, void *context);
/* What the item takes of its agent, and how much there is. */
struct work_room {
	int64_t capacity; /* -1: may be exceeded */
	int64_t cost;     /* of the item to that agent; 0: as it is */
	int64_t waiting_cost;
};
/* outcome: accepted or declined by the target, cancelled by whoever asked. room is of the target.
 * work_item is not used. */
void work_transfer_end(const struct work_call *call, const char *transfer, const char *outcome,
		       const struct work_room *room, work_done_fn *done, void *context);

/* A second agent helps; the item stays where it is. */
struct work_consultation {
	const char *agent;
	const char *consult; /* trf_ id, made by the caller */
	int64_t accept_ms;   /* 0: joins unasked (a supervisor) */
	const char *note;
};
void work_consult(const struct work_call *call, const struct work_consultation *consultation,
		  work_done_fn *done, void *context);
/* outcome: accepted or declined by who was asked, cancelled by the asker, ended by either. */
void work_consult_end(const struct work_call *call, const char *consult, const char *outcome,
		      work_done_fn *done, void *context);

/* A supervisor's act: the agent has it, asked or not. */
struct work_assignment {
	const char *agent;
	int64_t cost;         /* 0: as it is */
	int64_t waiting_cost; /* with a cost */
	const char *transfer; /* trf_ id of the act in the item's chain */
	const char *by;
	const char *reason;
};
void work_assign(const struct work_call *call, const struct work_assignment *assignment,
		 work_done_fn *done, void *context);

struct work_case {
	const char *customer;     /* NULL: of the conversation, or none */
	const char *conversation; /* NULL */
	const char *queue;
	const char *type;
	const char *topic;
	const char *urgency;
	int64_t priority;
	const char *skills;
	const char *summary;
};
/* work_item is the id to use. */
void work_open(const struct work_call *call, const struct work_case *what, work_done_fn *done,
	       void *context);
