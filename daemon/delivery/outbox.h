/* The outbox: per conversation, oldest first (scripts send_*.lua). A message is
 * claimed with a token before its first byte leaves, and only that token ends
 * the attempt. done comes exactly once, never before the call has returned. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "identity/identity.h"

struct store;

enum outbox_code {
	OUTBOX_OK,
	OUTBOX_WAIT,     /* begin, recover: not before due_ms; count: due_ms from now */
	OUTBOX_EMPTY,    /* begin: nothing to send */
	OUTBOX_SENDING,  /* begin: an attempt is under way; once it is overdue, recover */
	OUTBOX_REFUSED,  /* refusal: fence, token, not_found, illegal_state */
	OUTBOX_CONFLICT, /* the idempotency key was used with another request */
	OUTBOX_FAILED,   /* err: try again later */
};

/* Borrowed: valid inside the call. Absent texts are NULL. */
struct outbox_message {
	const char *id;
	int64_t index;
	int attempt; /* 1, 2, ... */
	bool idempotent;
	int64_t expires_ms; /* do not send after; 0: always */
	const char *stored; /* the message's stored JSON (conversation/message.h) */
	size_t stored_len;
	const char *channel;
	const char *address;
	const char *name;
	const char *thread;
	const char *subject;
	const char *in_reply_to; /* provider id of the newest inbound message */
	int64_t last_inbound_ms; /* the reply window is counted from here */
	const char *customer;
	size_t parts_sent;         /* of earlier attempts */
	const char *window;        /* struct window_facts, kept */
	const char *reply_context; /* "": none */
	bool is_exempt;            /* leaves whatever is said of consent, hours and caps */
	int64_t opted_out_ms;      /* since when the addressee wants none of it; 0: may be sent */
};

struct outbox_result {
	enum outbox_code code;
	bool replayed;
	const char *state; /* the delivery's, after */
	const char *refusal;
	int64_t due_ms;
	const char *message_id;
	const struct outbox_message *message; /* begin, OUTBOX_OK */
};
typedef void outbox_done_fn(const struct outbox_result *result, const struct error *err,
			    void *context);

struct outbox_claim {
	const char *workspace;
	const char *fence; /* of the steward's lease */
	const char *conversation;
	const char *token;  /* begin: of this attempt, random */
	int64_t timeout_ms; /* begin: after this the attempt counts as lost */
	const char *dead;   /* recover: instances known to be dead, parted by spaces */
};
void outbox_begin(struct store *store, const struct outbox_claim *claim, outbox_done_fn *done,
		  void *context);
/* Parts of a message have left; the next one has timeout_ms of its own. */
struct outbox_progress {
	const char *workspace;
	const char *conversation;
	const char *message;
	const char *token;
	size_t parts_sent;
	int64_t timeout_ms;
};
void outbox_part(struct store *store, const struct outbox_progress *progress, outbox_done_fn *done,
		 void *context);
/* A message found `sending` after its time, or by a sender who is gone: queued again, or uncertain.
 */
void outbox_recover(struct store *store, const struct outbox_claim *claim, outbox_done_fn *done,
		    void *context);

enum outbox_outcome {
	OUTCOME_SENT,
	OUTCOME_RETRY,
	OUTCOME_LATER, /* not tried at all: not before retry_ms */
	OUTCOME_FAILED,
	OUTCOME_UNCERTAIN,
	OUTCOME_EXPIRED
};

struct outbox_ending {
	const char *workspace;
	const char *conversation;
	const char *message;
	const char *token;
	enum outbox_outcome outcome;
	const char *code;                     /* short, without spaces; NULL */
	const char *why;                      /* shown to people; NULL */
	int64_t retry_ms;                     /* RETRY, LATER: from now */
	const char *provider_id;              /* SENT: NULL where the provider gave none */
	const struct identity_key *reference; /* of provider_id (identity_reference); NULL */
};
void outbox_end(struct store *store, const struct outbox_ending *ending, outbox_done_fn *done,
		void *context);

/* What the message will be known as outside, before its first byte leaves: for connectors that
 * choose the id. `reference` and `provider_id` are set, `outcome` is not looked at. */
void outbox_name(struct store *store, const struct outbox_ending *ending, outbox_done_fn *done,
		 void *context);

/* Before the first byte leaves: one message more for its addressee, or OUTBOX_WAIT. */
struct outbox_count {
	const char *workspace;
	const char *conversation;
	const char *message;
	const char *token;
	int64_t per_hour; /* 0: any number */
	int64_t per_day;
};
void outbox_count(struct store *store, const struct outbox_count *count, outbox_done_fn *done,
		  void *context);

/* What a person decides; key and request as in routing/work.h, NULL: none. */
struct outbox_decision {
	const char *workspace;
	const char *message;
	const char *decision; /* of an uncertain one: resend, sent, failed; NULL: redrive a dead
				 letter */
	const char *agent;    /* decides of what no other agent has; NULL: of any */
	const char *key;
	const char *request;
};
void outbox_decide(struct store *store, const struct outbox_decision *decision,
		   outbox_done_fn *done, void *context);

/* The conversations that are due first, soonest first, with when (unix ms). */
struct outbox_due {
	const char *conversation;
	int64_t due_ms;
};
typedef void outbox_due_fn(const struct outbox_due *due, size_t count, const struct error *err,
			   void *context);
enum { OUTBOX_DUE_MAX = 256 };
void outbox_read_due(struct store *store, const char *workspace, outbox_due_fn *done,
		     void *context);

/* ---- dead letters: failed, expired and uncertain messages ---- */
struct dead_letter {
	const char *message;
	const char *conversation;
	const char *channel;
	const char *what;  /* failed, expired, uncertain */
	const char *state; /* dead; redriven ones are no longer listed */
	const char *code;
	const char *why;
	int64_t index; /* of the message in its conversation */
	int64_t attempts;
	int64_t died_ms;
};
struct dead_page {
	const struct dead_letter *letters;
	size_t count;
	const char *last; /* to give as after; NULL at the end */
};
/* page is NULL with err. */
typedef void dead_page_fn(const struct dead_page *page, const struct error *err, void *context);
struct dead_query {
	const char *workspace;
	const char *after; /* `last` of the page before; NULL: the first page */
	size_t limit;      /* 1-200 */
	bool ascending;    /* by when they died */
};
void outbox_read_dead(struct store *store, const struct dead_query *query, dead_page_fn *done,
		      void *context);
