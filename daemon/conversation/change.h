/* Messages that change their conversation: a split at a message, one message moved, two
 * conversations merged, and undo. A change is an object of its own (mv_...) that both conversations
 * list. What is left in a message's place keeps the indexes of the list true (thread_move.lua);
 * references, delivery marks and pending files move along, so a later reply by mail lands where its
 * message is.
 *
 * A step moves at most CHANGE_STEP messages, each step is complete in itself. A change that was cut
 * off between two says "running" or "undoing"; the same request again goes on with it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/id.h"

struct mac;
struct store;

enum { CHANGE_STEP = 50, CHANGES_LISTED = 200 };

enum change_kind { CHANGE_SPLIT, CHANGE_MOVE, CHANGE_MERGE, CHANGE_UNDO };

struct change_request {
	const char *workspace;
	const char *key; /* as in struct reply */
	const char *request;
	enum change_kind kind;
	const char *from;    /* conversation; of an undo NULL */
	const char *to;      /* conversation; of a split NULL: a new one */
	const char *message; /* SPLIT: the first one that goes, MOVE: the one */
	const char *change;  /* UNDO: which */
	const char *subject; /* SPLIT: of the new conversation; NULL: the same */
	bool opens;          /* SPLIT: the new conversation is open; it is to get a work item */
	const char *by;      /* agent or token */
	int64_t now_ms;      /* shown */
};

enum change_code {
	CHANGE_OK,
	CHANGE_REFUSED,  /* not_found, no_message, other_identifier, in_flight, changed, state */
	CHANGE_CONFLICT, /* the idempotency key was used with another request */
	CHANGE_FAILED,
};

struct change {
	char id[ID_BYTES];
	char kind[8];
	char from[ID_BYTES];
	char to[ID_BYTES];
	char message[ID_BYTES]; /* the first that went */
	char state[12];         /* running, done, undoing, undone */
	char by[72];
	char undone_by[72];
	int64_t messages;
	int64_t created_ms;
	int64_t undone_ms;
	int64_t next; /* where the next step begins */
};

struct change_result {
	enum change_code code;
	bool replayed;
	const char *refusal;
	const char *detail; /* the message, or the change's state */
	const struct change *change;
};

/* Once, never before change_run() has returned; result is borrowed. */
typedef void change_done_fn(const struct change_result *result, const struct error *err,
			    void *context);
void change_run(struct store *store, struct mac *mac, const struct change_request *request,
		change_done_fn *done, void *context);

typedef void changes_fn(const struct change *changes, size_t count, const struct error *err,
			void *context);
/* The newest CHANGES_LISTED of a conversation, the newest first. */
void changes_of_conversation(struct store *store, const char *workspace, const char *conversation,
			     changes_fn *done, void *context);
/* One, or none. */
void change_find(struct store *store, const char *workspace, const char *change, changes_fn *done,
		 void *context);
