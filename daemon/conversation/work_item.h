/* Work items as they are read: some by id, or a list. Changing them is routing/work.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"

struct parts;

enum { WORK_ITEMS_MAX = 200 }; /* of one page or one read */

/* Borrowed; absent texts are NULL, absent times 0. Times are unix ms. */
struct work_item {
	const char *id;
	const char *state;
	const char *waiting_for; /* until, customer, third_party, department */
	int64_t number;
	int64_t version;
	const char *queue;
	const char *conversation;
	const char *customer;
	const char *customer_name;
	const char *channel;
	const char *agent;
	const char *offers;       /* pending, parted by spaces */
	const char *transfer;     /* pending */
	const char *consultation; /* pending */
	const char *helpers;      /* agents, parted by spaces */
	int64_t escalation_level;
	const char *type;
	const char *topic;
	const char *urgency;
	int64_t priority; /* minutes */
	const char *rule;
	const char *classifier; /* that looked at it */
	int64_t confidence;     /* its own, percent */
	bool needs_human;       /* it was too unsure, or said so */
	const char *reason;
	const char *summary;
	int64_t created_ms;
	int64_t state_ms; /* in this state since */
	int64_t first_response_ms;
	int64_t last_inbound_ms; /* the customer wrote last; of what is in the store */
	int64_t lease_ms;        /* a tool's claim ends */
	const char *sla;         /* its service level clocks: a JSON list */
	const char *attention;   /* what they ask: warned, breached */
};

/* The API's form, as the next value of json. */
void work_item_write(struct json_out *json, const char *key, const struct work_item *item);

struct work_page {
	const struct work_item *items;
	size_t count;
	const char *last; /* lists: to give as after; NULL at the end */
};
/* Once, never before the call has returned. page is NULL with err. */
typedef void work_page_fn(const struct work_page *page, const struct error *err, void *context);

struct work_ids {
	const char *workspace;
	const char *const *ids;
	size_t count; /* at most WORK_ITEMS_MAX */
};
/* These, in their order, wherever they are; those in the store in one instant. Unknown ones are
 * left out. */
void work_items_read(const struct parts *parts, const struct work_ids *ids, work_page_fn *done,
		     void *context);

struct work_query {
	const char *workspace;
	const char *state; /* NULL: any; so with the others */
	const char *queue;
	const char *agent;
	const char *sla;   /* warned, breached */
	const char *after; /* `last` of the page before; NULL: the first page */
	size_t limit;      /* 1 to WORK_ITEMS_MAX */
	bool ascending;    /* by creation */
};
/* Those that have not ended, unless the state asked for says so. A page may have few or none
 * although further ones follow: then last is where it goes on. */
void work_item_list(const struct parts *parts, const struct work_query *query, work_page_fn *done,
		    void *context);
