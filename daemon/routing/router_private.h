/* What the files of the router share: its state, what is on its way, and the
 * reading of items and agents into the desk. */
#pragma once

#include "routing/desk.h"
#include "routing/router.h"

struct timers;

struct router {
	struct parts *parts;
	struct workspace *workspace;
	char *fence;
	struct desk *desk;
	struct timers *timers;
	struct loop_timer *tick;
	int refs; /* answers awaited, plus one while it is the workspace's router */
	bool is_dead;
	bool route_soon;
	bool is_resting; /* the store refused us, not the pair: no proposals until the next tick */
	bool is_uncertain; /* an answer did not come: what we hold may be old */
	int64_t walk_ms;   /* when the walk over all items began */
	size_t walked;     /* items seen by it */
};

/* One read or proposal on its way. */
struct errand {
	struct router *router;
	char *item;
	char *agent;
};

struct errand *errand_new(struct router *router, const char *item, const char *agent);
/* Ends the errand; NULL when the router was stopped meanwhile. */
struct router *errand_end(struct errand *errand);
void router_unref(void *router);

/* The item's plan is at a step that its log does not know yet. */
void step_note(struct router *router, const struct desk_item *item);

/* Reads again and routes soon. */
void item_refresh(struct router *router, const char *id);
void agent_refresh(struct router *router, const char *id);
/* Once a turn is enough, however many entries arrived in it. */
void route_later(struct router *router);
