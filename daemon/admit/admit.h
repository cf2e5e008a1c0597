/* Admission: the one step that makes a message ours (scripts/admit.lua). Until
 * done says stored or duplicate, nobody may be told "ok". */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/id.h"
#include "converge/message.h"

struct admit;
struct mac;
struct store;

/* What the rules said. Texts may be NULL. */
struct admit_work {
	const char *queue; /* NULL or "": the message opens no work item */
	const char *type;
	const char *topic;
	const char *urgency;
	int64_t priority;   /* minutes */
	const char *skills; /* refunds>=2&zh>=3 */
	const char *rule;
	const char *given; /* names of the rules that gave type, topic and urgency, by line */
	int64_t version;   /* of the rules; 0: not known */
	const char *bits;  /* what their conditions on text said */
};

/* A message that is nothing but a word about the messages themselves. */
struct admit_opt {
	const char *word;    /* help, out, in */
	const char *consent; /* what the customer's record says then: {"state","source","at"} */
};

struct admission {
	const char *workspace;
	const char *channel;
	const struct message *message;
	const char
		*conversation; /* found by a reference or a token; NULL: by identifier and thread */
	struct admit_work work;
	int64_t remember_ms;         /* how long the provider may repeat it; 0: 8 days */
	int64_t now_ms;              /* unix; shown as created_at */
	int64_t window_ms;           /* the reply window that it opens; 0: none */
	int64_t window_count;        /* messages we may send in it; 0: any number */
	const struct admit_opt *opt; /* NULL: not such a word */
	bool steady_id; /* the message's id follows from what is remembered: a repeated one is
			 * answered with the first one's id */
	bool reference; /* the provider's id may be referred to later (mail) */
};

enum { ADMIT_PROVED_MAX = 8 };
enum admit_code { ADMIT_STORED, ADMIT_DUPLICATE, ADMIT_FAILED };

/* Borrowed: valid inside the call. */
struct admit_result {
	enum admit_code code;
	const char *message; /* of a duplicate: only where steady_id was asked, else NULL */
	const char *conversation;
	const char *customer;
	const char *work_item; /* NULL where there is none */
	int64_t index;         /* in the conversation */
	bool new_customer;
	bool new_conversation;
	bool new_work_item;
	bool left_out; /* identifiers: the customer has as many as one may have */
	bool opted_out;
	bool opted_in; /* took an opt-out back */
	bool reopened; /* the item was resolved, and waits in its queue again */
	/* Customers who had proved what the person proves here, and what it is. */
	struct {
		const char *other;
		const char *record;
	} proved[ADMIT_PROVED_MAX];
	size_t proved_count;
};

/* err is set with ADMIT_FAILED only: the sender must try again. */
typedef void admit_done_fn(const struct admit_result *result, const struct error *err,
			   void *context);

struct admit *admit_new(struct store *store, struct mac *mac); /* both borrowed */
/* What is told of an id that the store does not know is kept for the history's steward. */
void admit_keep_late(struct admit *admit);
void admit_free(struct admit **admit); /* after the store's last answer */
void admit_run(struct admit *admit, const struct admission *admission, admit_done_fn *done,
	       void *context);

/* What answers a word such as STOP, also to who has opted out; once for one message heard. done
 * gets ADMIT_STORED or ADMIT_FAILED. */
struct admit_confirmation {
	const char *workspace;
	const char *channel;
	const char *conversation;
	const char *heard; /* the provider's id of the word */
	const char *text;
	int64_t now_ms;
	bool idempotent; /* sends are */
};
void admit_confirm(struct admit *admit, const struct admit_confirmation *what, admit_done_fn *done,
		   void *context);

/* What an event of a phone call means for the work item of its conversation (scripts/call.lua),
 * once its message is stored, or was before. */
struct roster;
struct admit_call {
	const char *workspace;
	const char *channel;
	const struct phone_call *call;
	const char *conversation;
};
/* Which agents and queues there are: asked anew at every step, for it may be replaced meanwhile. */
typedef const struct roster *admit_roster_fn(void *context);
/* done gets ADMIT_STORED or ADMIT_FAILED. */
void admit_call(struct admit *admit, const struct admit_call *what, admit_roster_fn *roster,
		admit_done_fn *done, void *context);

/* What the provider tells about something we sent. */
struct admit_receipt {
	const char *workspace;
	const char *channel;
	const struct receipt *receipt;
};
/* done gets ADMIT_STORED, ADMIT_DUPLICATE (it says nothing new, or is not about a message of
 * ours) or ADMIT_FAILED. */
void admit_receipt(struct admit *admit, const struct admit_receipt *receipt, admit_done_fn *done,
		   void *context);

/* What a mail refers to. conversation is NULL where nothing is known. Nearest first: the first of
 * at most 20 ids that is known; count is at least 1. */
typedef void admit_found_fn(const char *conversation, const char *message, int64_t index,
			    const struct error *err, void *context);
void admit_find(struct admit *admit, const struct admission *admission,
		const char *const *provider_ids, size_t count, admit_found_fn *found,
		void *context);
