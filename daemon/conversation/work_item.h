/* Work items as they are read: one, or a list. Changing them is routing/work.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"

struct store;
struct store_reply;

/* Absent texts are NULL, absent times 0. Times are unix ms. */
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
	const char *last_agent;
	const char *offer;    /* pending */
	const char *transfer; /* pending */
	const char *type;
	const char *topic;
	const char *urgency;
	int64_t priority; /* minutes */
	const char *skills;
	const char *rule;
	const char *reason;
	const char *summary;
	const char *declined_by; /* agents, space-separated, newest first */
	int64_t created_ms;
	int64_t state_ms;   /* in this state since */
	int64_t waiting_ms; /* in its queue since */
	int64_t first_response_ms;
	int64_t lease_ms; /* a tool's claim ends */
	int64_t cost;
};

/* From HGETALL {ws}:w:<wrk>; texts are borrowed from the reply, or copied where arena is given.
 * false where there is no such item. */
bool work_item_from_reply(const struct store_reply *reply, const char *id, struct arena *arena,
			  struct work_item *ret_item);
/* The API's form, as the next value of json. */
void work_item_write(struct json_out *json, const char *key, const struct work_item *item);

/* Borrowed inside the call; item is NULL where there is none, and with err. */
typedef void work_item_fn(const struct work_item *item, const struct error *err, void *context);
void work_item_read(struct store *store, const char *workspace, const char *id, work_item_fn *done,
		    void *context);

struct work_query {
	const char *workspace;
	const char *state; /* NULL: any that is not closed */
	const char *queue;
	const char *agent;
	const char *after; /* `last` of the page before; NULL: the first page */
	size_t limit;      /* 1-200 */
	bool ascending;    /* by creation */
};
/* Hot items only. more: a further page may have some, also where this one has few or none: then
 * last is where it goes on. */
struct work_page {
	const struct work_item *items;
	size_t count;
	bool more;
	const char *last; /* to give as after; NULL at the end */
};
typedef void work_page_fn(const struct work_page *page, const struct error *err, void *context);
void work_item_list(struct store *store, const struct work_query *query, work_page_fn *done,
		    void *context);
