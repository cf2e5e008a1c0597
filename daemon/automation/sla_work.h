/* One work item whose clocks are being moved, for sla.c. Facts of one item are
 * taken in one after the other; different items are independent. */
#pragma once

#include <sys/queue.h>

#include "automation/sla_fact.h"
#include "parts.h"

struct sla_work;
struct workspace;

/* What the items share, and whom they tell. */
struct sla_desk {
	struct parts *parts;
	struct workspace *workspace;
	const char *fence;
	/* Up to where the log was handed out; "" at first. */
	const char *(*position)(void *context);
	/* A fact was taken in. */
	void (*on_done)(void *mark, void *context);
	/* Nothing is left to do for the item: it may be freed. */
	void (*on_idle)(struct sla_work *work, void *context);
	void *context;
};

struct sla_work *sla_work_new(const struct sla_desk *desk, const char *id);
void sla_work_free(struct sla_work **work); /* answers under way may still come */
const char *sla_work_id(const struct sla_work *work);
/* mark: for on_done; NULL: nobody waits for it. */
void sla_work_add(struct sla_work *work, const struct sla_news *news, void *mark);
/* Time has passed: up to now_ms, unless an earlier look is still to be done. */
void sla_work_look(struct sla_work *work, int64_t now_ms);
/* Does something, where something can be done and nothing is under way. */
void sla_work_go(struct sla_work *work);
