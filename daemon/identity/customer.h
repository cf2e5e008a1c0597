/* A customer as the 360 view reads it: who it is, and everything of theirs that
 * is hot. Reads only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "identity/identity.h"

struct store;

struct customer_identifier {
	const char *kind;
	const char *scope; /* "" for global ones */
	const char *value;
	const char *raw; /* as received; NULL where equal */
	bool proved;
	int trust;      /* 0 claimed, 1 proved by the channel, 2 by the person */
	bool is_shared; /* says from where, but not who */
	const char *by; /* dkim, signature ...; NULL */
	int64_t at_ms;
	const char *hash;   /* hex: its place in the index */
	const char *record; /* as it is stored */
};

struct customer_conversation {
	const char *id;
	const char *channel;
	const char *subject; /* NULL */
	bool open;
	const char *work_item;      /* its open one; NULL */
	const char *last_work_item; /* that ended; NULL */
	const char *identifier;     /* hash of the one it belongs to */
	int64_t messages;
	int64_t created_ms;
	int64_t updated_ms;
	const char *newest; /* start of the newest message's stored text; "" */
	int64_t newest_ms;
};

/* What is written on one record: the customer's own, or that of one merged into it. JSON as it is
 * stored; NULL where there is none. */
struct customer_part {
	const char *id;
	const char *name;
	const char *tier;
	const char *attributes; /* {name: value} */
	const char *sources;    /* {field: [source, at ms, those merged then]} */
	const char *tags;       /* [text] */
	int64_t ratings;
	int64_t rating_sum;
	const char *rating_last; /* {"score",...} */
	int64_t erased_ms;       /* somebody of its identifier was erased then; 0 */
	const char *hold;        /* a legal hold: {"reason","by","at"} */
};

struct customer_consent {
	const char *purpose;
	const char *channel; /* NULL: all */
	const char *field;   /* as it is kept: also tells apart identifiers that opted out */
	const char *json;    /* {"state","source","at"} */
};

/* Something kept under an id, as JSON. */
struct customer_kept {
	const char *id;
	const char *json;
};

struct customer {
	const char *id;         /* where the one asked for was merged, the one it is now */
	const char *name;       /* its own, as the next two; "" */
	const char *tier;       /* NULL */
	const char *attributes; /* JSON object; NULL */
	const char *merged;     /* ids of those merged into it, space-separated; NULL */
	int64_t created_ms;
	int64_t version;
	const struct customer_part *parts; /* its own, then those of whom was merged into it */
	size_t part_count;                 /* at least 1 */
	const struct customer_identifier *identifiers;
	size_t identifier_count;
	const struct customer_conversation *conversations; /* newest first, at most 50 */
	size_t conversation_count;
	const char *const *cases; /* wrk_ ids of cases without a conversation, newest first */
	size_t case_count;
	const struct customer_consent *consents;
	size_t consent_count;
	const struct customer_kept *notes; /* newest first, at most 20 */
	size_t note_count;
	int64_t notes_total;
	const struct customer_kept *orders; /* newest first, at most 10 */
	size_t order_count;
	int64_t orders_total;
	const struct customer_kept *pulled; /* by order hook: what it answered last */
	size_t pulled_count;
	const char *const *links; /* the workspace's context links, JSON */
	size_t link_count;
	const char *const *hooks; /* its order hooks, JSON */
	size_t hook_count;
};

/* Borrowed inside the call; customer is NULL where there is none, and with err. */
typedef void customer_fn(const struct customer *customer, const struct error *err, void *context);
void customer_read(struct store *store, const char *workspace, const char *id, customer_fn *done,
		   void *context);

/* Whose identifier is it? NULL where nobody is known by it. A claimed one is looked up in
 * place->channel only. */
typedef void customer_found_fn(const char *customer, const struct error *err, void *context);
void customer_find(struct store *store, const struct identity_place *place,
		   const struct identifier *identifier, customer_found_fn *done, void *context);
