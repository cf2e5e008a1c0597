/* What the router holds in memory: waiting items by queue and order, agents
 * with their runtime and wishes, and the choice among them. Pure: no store, no
 * clock of its own. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "routing/roster.h"

struct bucket;
struct desk;
struct line;
struct plan_row;

/* A growing set of small numbers. */
struct bits {
	uint64_t *words;
	size_t count; /* of words */
};

struct desk_item {
	char *id;
	char *queue;
	char *skills;     /* its plan (business/plan.h) */
	char *channel;    /* that it came in on; NULL none */
	char *last_agent; /* who had it before; "" none */
	char *holder;     /* who keeps it until another agent takes it; "" none */
	char *declined;   /* agents who declined or missed it, space-separated; "" none */
	int64_t retry_ms; /* from then on they may be asked again */
	char *overflowed; /* queues it overflowed from, space-separated; "" none */
	int64_t queued_ms;
	int64_t entered_ms;   /* into this queue */
	int64_t level;        /* of escalation reached */
	int64_t level_before; /* when it came into this queue */
	bool has_transfer;    /* a pending one */
	int64_t priority;     /* minutes of head start */
	int64_t version;
	int64_t cost;     /* capacity it takes of its agent */
	bool is_proposed; /* an offer is on its way to the store */
	/* The desk's own. */
	size_t step; /* of its plan; the number of steps: after the last */
	struct plan_row *plan;
	struct line *line;
	struct bucket *bucket;
	size_t channel_number; /* of the roster; SIZE_MAX: nothing is said of it */
	int64_t alarm_ms;
	size_t alarm; /* place in the heap, from 1; 0: none */
	size_t fresh; /* place among those to look at, from 1; 0: none */
};

struct desk_agent {
	char *id;
	const struct agent_row *row; /* NULL: a tool's token, which serves every queue */
	int64_t load;
	int64_t idle_ms;  /* since when free; the smallest waited longest */
	int64_t capacity; /* the desk's own, of the row */
	bool is_online;
	bool is_routable;
	bool has_offer; /* a pending one */
	bool has_wish;
	bool is_proposed;
	/* The desk's own. */
	bool is_freed;
	bool was_there; /* online and routable when looked at last */
	size_t number;
	size_t slots[2];    /* in the rolls, from 1; 0: none */
	size_t homes[2];    /* the slots to come back to */
	int64_t keys[2];    /* what gave it the slots */
	struct bits serves; /* lines; not kept where it serves every queue */
	struct bits meets;  /* needs */
	int64_t turns;      /* offers so far, for round robin */
	char *held;         /* channels of what it attends to, one an item; NULL none */
	struct bits closed; /* channels that may not interrupt that */
	struct bits full;   /* channels of which it may not have more */
	char *wish_key;
	char *wish_queues;   /* comma-separated; "" all */
	char *wish_channels; /* likewise */
	int64_t wish_ms;
};

/* One pair the desk would make. */
struct desk_match {
	struct desk_item *item;
	struct desk_agent *agent;
	bool for_wish;
};

struct desk *desk_new(void);
void desk_free(struct desk **desk);
void desk_clear_items(struct desk *desk);

/* Items: put replaces by id; the fields are copied. */
struct desk_item *desk_put_item(struct desk *desk, const struct desk_item *item);
void desk_remove_item(struct desk *desk, const char *id);
struct desk_item *desk_item(struct desk *desk, const char *id);
struct desk_item *desk_next_item(struct desk *desk, size_t *at);
/* Of one queue: how many wait, and since when the oldest does (0: none). */
size_t desk_waiting(const struct desk *desk, const char *queue, int64_t *ret_oldest_ms);

/* An item's plan went on to this step, counted from 0, or after its last one: said inside
 * desk_put_item() and desk_match(). */
typedef void desk_step_fn(const struct desk_item *item, void *context);
void desk_on_step(struct desk *desk, desk_step_fn *fn, void *context);

/* After an agent's fields were written: the desk looks at the agent again. */
void desk_agent_changed(struct desk *desk, struct desk_agent *agent);

/* Agents: found or made. row pointers are refreshed by desk_roster(). */
struct desk_agent *desk_agent(struct desk *desk, const char *id);
struct desk_agent *desk_find_agent(struct desk *desk, const char *id);
struct desk_agent *desk_next_agent(struct desk *desk, size_t *at);
void desk_roster(struct desk *desk, const struct roster *roster);
void desk_set_wish(struct desk_agent *agent, const char *key, const char *queues, int64_t since_ms);

/* Of the open wish: comma-separated, "" or NULL all. */
void desk_set_wish_channels(struct desk_agent *agent, const char *channels);

/* channels: of what the agent attends to, space-separated, one an item. */
void desk_set_held(struct desk_agent *agent, const char *channels);

/* Capacity that is left for one more item of this cost. */
bool desk_has_room(const struct desk_agent *agent, int64_t cost);

/* The next pair to propose: wishes first (oldest first), then pushes. Both
 * sides get is_proposed. False when nothing fits. */
bool desk_match(struct desk *desk, int64_t now_ms, struct desk_match *ret);
