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

enum { WORK_ALLOWED_MAX = 8 };

/* Borrowed: valid inside the call. Absent texts are NULL. */
struct work_result {
	enum work_code code;
	bool replayed;
	/* not_found, illegal_state, version, not_assignee; offers: fence, offline, busy, capacity,
	 * filter; timers: early; exists, no_lease, past, transfer_pending */
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
/* A tool keeps its claim for ms from now. */
void work_extend(const struct work_call *call, int64_t ms, work_done_fn *done, void *context);

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
	const char *queue;    /* either: at once */
	const char *agent;    /* or: when that agent accepts */
	const char *transfer; /* trf_ id, made by the caller */
	int64_t accept_ms;    /* for an agent: how long it stands */
	const char *reason;
	const char *summary;
};
void work_transfer(const struct work_call *call, const struct work_transfer *transfer,
		   work_done_fn *done, void *context);
/* outcome: accepted or declined by the target, cancelled by whoever asked. work_item is not used.
 */
void work_transfer_end(const struct work_call *call, const char *transfer, const char *outcome,
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
