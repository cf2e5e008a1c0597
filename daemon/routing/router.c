#include "routing/router_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "business/calendar.h"
#include "routing/claim.h"
#include "routing/desk.h"
#include "routing/figures.h"
#include "routing/pressure.h"
#include "routing/timers.h"
#include "services/loop.h"
#include "store/log.h"
#include "store/store.h"
#include "workspace.h"

enum { TICK_MS = 1000, MISSED_MAX = 3, OFFER_MS = 30 * 1000 };

void router_unref(void *object)
{
	struct router *router = object;

	if (--router->refs > 0)
		return;
	desk_free(&router->desk);
	free(router->fence);
	free(router);
}

struct errand *errand_new(struct router *router, const char *item, const char *agent)
{
	struct errand *errand = memory_new(sizeof(*errand));

	errand->router = router;
	errand->item = memory_text(item);
	errand->agent = memory_text(agent);
	router->refs++;
	return errand;
}

struct router *errand_end(struct errand *errand)
{
	struct router *router = errand->router;
	bool is_dead = router->is_dead;

	free(errand->item);
	free(errand->agent);
	free(errand);
	router_unref(router);
	return is_dead ? NULL : router;
}

/* ---- proposing ---- */

static void on_proposed(const struct work_result *result, const struct error *err, void *context)
{
	struct errand *errand = context;
	struct router *router = errand->router;
	struct desk_agent *agent;

	if (result->code != WORK_OK)
		log_debug(errand->item, "event=offer_refused agent=%s reason=%s", errand->agent,
			  log_quote(err != NULL ? err->text : result->refusal));
	/* Nothing of this pair was wrong: to ask again at once would only spin. */
	router->is_resting |= result->code == WORK_FAILED || text_equal(result->refusal, "fence");
	if (!router->is_dead) {
		agent = desk_find_agent(router->desk, errand->agent);
		if (agent != NULL)
			agent->is_proposed = false;
		item_refresh(router, errand->item);
		agent_refresh(router, errand->agent);
	}
	errand_end(errand);
}

static void propose(struct router *router, const struct desk_match *match)
{
	const struct queue_row *queue =
		roster_queue(workspace_roster(router->workspace), match->item->queue);
	const struct channel_row *channel =
		roster_channel(workspace_roster(router->workspace), match->item->channel);
	bool may_exceed = match->agent->row == NULL ||
			  (match->for_wish && queue != NULL && queue->may_exceed_on_claim);
	char offer[ID_BYTES];
	struct offer_proposal proposal = {
		.fence = router->fence,
		.work_item = match->item->id,
		.version = match->item->version,
		.agent = match->agent->id,
		.offer = offer,
		.accept_ms = queue == NULL ? OFFER_MS : queue->offer_timeout_ms,
		.agent_capacity = may_exceed ? INT32_MAX : match->agent->row->capacity,
		.cost = match->agent->row == NULL
				? match->item->cost
				: channel_cost(channel, match->agent->row->capacity),
		.waiting_cost = channel->waiting_cost,
		.load_matters = match->item->channel_number != SIZE_MAX,
		.load = match->agent->load,
		.parallel = queue == NULL ? 1 : queue->parallel_offers,
		.missed_max = queue == NULL ? MISSED_MAX : queue->missed_max,
	};

	id_new("off_", offer);
	offer_make(router->parts->store, workspace_name(router->workspace), &proposal, on_proposed,
		   errand_new(router, match->item->id, match->agent->id));
}

static void on_route(void *context)
{
	struct router *router = context;
	struct desk_match match;

	router->route_soon = false;
	while (!router->is_dead && !router->is_resting &&
	       desk_match(router->desk, loop_unix_ms(router->parts->loop), &match))
		propose(router, &match);
	router_unref(router);
}

void route_later(struct router *router)
{
	if (router->route_soon || router->is_dead)
		return;
	router->route_soon = true;
	router->refs++;
	loop_soon(router->parts->loop, on_route, router);
}

/* ---- what happens ---- */

/* Do the entry's states mean the work item's? */
static bool tells_item_state(const struct log_entry *entry)
{
	static const char *const types[] = { "work_item.state", "work_item.created",
					     "message.created", "offer.created" };

	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (text_equal(entry->type, types[i]))
			return entry->to != NULL && *entry->to != '\0';
	return false;
}

static void on_rescinded(const char *offer, struct json_object *agent, void *context)
{
	(void)offer;
	agent_refresh(context, json_string(agent));
}

/* Agents an entry frees beside the one it names: offers that were taken back, and who had the item.
 */
static void others_refresh(struct router *router, const struct log_entry *entry)
{
	struct json_object *extra;
	struct error err;
	const char *was;

	if (entry->extra == NULL || (strstr(entry->extra, "\"rescinded\"") == NULL &&
				     strstr(entry->extra, "\"cancelled\"") == NULL &&
				     strstr(entry->extra, "\"was\"") == NULL))
		return;
	extra = json_read(entry->extra, strlen(entry->extra), &err);
	was = json_text(extra, "was");
	if (was != NULL)
		agent_refresh(router, was);
	if (json_kind(json_at(extra, "rescinded")) == JSON_OBJECT)
		json_each_field(json_at(extra, "rescinded"), on_rescinded, router);
	if (json_kind(json_at(extra, "cancelled")) == JSON_OBJECT)
		json_each_field(json_at(extra, "cancelled"), on_rescinded, router);
	json_free(&extra);
}

void router_entry(struct router *router, const struct log_entry *entry)
{
	const char *item = entry->work_item;

	if (item != NULL && tells_item_state(entry)) {
		if (text_equal(entry->to, "queued") || text_equal(entry->to, "offered"))
			item_refresh(router, item);
		else
			desk_remove_item(router->desk, item);
	} else if (item != NULL && desk_item(router->desk, item) != NULL &&
		   !text_equal(entry->type, "message.created")) {
		item_refresh(router, item); /* its transfer, its urgency */
	}
	if (entry->agent != NULL && *entry->agent != '\0')
		agent_refresh(router, entry->agent);
	others_refresh(router, entry);
}

void router_roster_changed(struct router *router)
{
	router_resync(router);
}

/* ---- a plan that relaxes ---- */

static void on_noted(const struct work_result *result, const struct error *err, void *context)
{
	struct errand *errand = context;

	if (result->code == WORK_FAILED)
		log_debug(errand->item, "event=step_not_noted error=%s", log_quote(err->text));
	errand_end(errand);
}

void step_note(struct router *router, const struct desk_item *item)
{
	const struct plan_progress progress = {
		.fence = router->fence,
		.work_item = item->id,
		.step = (int64_t)item->step + 1,
	};

	plan_step_make(router->parts->store, workspace_name(router->workspace), &progress, on_noted,
		       errand_new(router, item->id, NULL));
}

static void on_step(const struct desk_item *item, void *context)
{
	step_note(context, item);
}

/* ---- when a queue cannot cope ---- */

static void on_relieved(const struct work_result *result, const struct error *err, void *context)
{
	struct errand *errand = context;
	struct router *router = errand->router;

	if (result->code != WORK_OK)
		log_debug(errand->item, "event=relief_refused reason=%s",
			  log_quote(err != NULL ? err->text : result->refusal));
	if (!router->is_dead)
		item_refresh(router, errand->item);
	errand_end(errand);
}

static void overflow_item(struct router *router, const struct relief *relief)
{
	const struct overflow overflow = {
		.fence = router->fence,
		.work_item = relief->item->id,
		.version = relief->item->version,
		.queue = relief->overflow->queue,
		.why = relief->why,
	};

	overflow_make(router->parts->store, workspace_name(router->workspace), &overflow,
		      on_relieved, errand_new(router, relief->item->id, NULL));
}

static void escalate_item(struct router *router, const struct relief *relief)
{
	const struct escalation_row *row = relief->escalation;
	const struct work_call call = {
		.store = router->parts->store,
		.workspace = workspace_name(router->workspace),
		.work_item = relief->item->id,
		.version = relief->item->version,
	};
	char id[ID_BYTES];
	const struct work_transfer transfer = {
		.queue = row->queue,
		.agent = row->agent,
		.transfer = id,
		.accept_ms = row->accept_ms,
		.reason = "nobody took it",
		.level = relief->level,
		.urgency = row->urgency,
		.priority = row->priority,
	};

	id_new("trf_", id);
	work_transfer(&call, &transfer, on_relieved, errand_new(router, relief->item->id, NULL));
}

static void on_relief(const struct relief *relief, void *context)
{
	relief->item->is_proposed = true;
	if (relief->kind == RELIEF_OVERFLOW)
		overflow_item(context, relief);
	else
		escalate_item(context, relief);
}

static void queue_condition(const struct queue_row *queue, struct queue_condition *ret,
			    void *context)
{
	struct router *router = context;
	struct queue_figures figures;
	int64_t oldest_ms;
	int64_t waiting = (int64_t)desk_waiting(router->desk, queue->id, &oldest_ms);

	figures_queue(workspace_figures(router->workspace), queue->id,
		      loop_unix_ms(router->parts->loop), &figures);
	ret->expected_wait_ms = figures_expected_wait(&figures, waiting, 0);
	ret->is_closed = !calendar_is_open(
		roster_calendar(workspace_roster(router->workspace), queue->calendar),
		loop_unix_ms(router->parts->loop));
}

static void queues_relieve(struct router *router)
{
	const struct pressure pressure = {
		.desk = router->desk,
		.roster = workspace_roster(router->workspace),
		.now_ms = loop_unix_ms(router->parts->loop),
		.condition = queue_condition,
		.relieve = on_relief,
		.context = router,
	};

	if (pressure.roster != NULL && !router->is_resting)
		pressure_check(&pressure);
}

static void on_tick(void *context)
{
	struct router *router = context;

	router->is_resting = false;
	if (router->is_uncertain && store_is_up(router->parts->store))
		router_resync(router);
	if (store_is_up(router->parts->store))
		queues_relieve(router);
	route_later(router);
	loop_timer_start(router->tick, TICK_MS);
}

struct router *router_new(struct parts *parts, struct workspace *workspace, const char *fence)
{
	struct router *router = memory_new(sizeof(*router));

	router->parts = parts;
	router->workspace = workspace;
	router->fence = memory_text(fence);
	router->desk = desk_new();
	desk_on_step(router->desk, on_step, router);
	router->refs = 1;
	router->timers = timers_new(parts, workspace, fence);
	router->tick = loop_timer_new(parts->loop, on_tick, router);
	loop_timer_start(router->tick, TICK_MS);
	router_resync(router);
	return router;
}

void router_free(struct router **router)
{
	struct router *held = *router;

	*router = NULL;
	if (held == NULL)
		return;
	held->is_dead = true;
	loop_timer_free(&held->tick);
	timers_free(&held->timers);
	loop_defer_free(held->parts->loop, held, router_unref);
}
