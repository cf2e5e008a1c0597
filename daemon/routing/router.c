#include "routing/router.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "routing/claim.h"
#include "routing/desk.h"
#include "routing/figures.h"
#include "routing/pressure.h"
#include "routing/timers.h"
#include "services/loop.h"
#include "store/log.h"
#include "store/store.h"
#include "workspace.h"

enum {
	TICK_MS = 1000,
	DECLINED_REST_MS = 30 * 1000,
	QUEUE_READ_MAX = 20000,
	ITEM_COST = 1,
	MISSED_MAX = 3,
	OFFER_MS = 30 * 1000
};

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
};

/* One read or proposal on its way. */
struct errand {
	struct router *router;
	char *item;
	char *agent;
};

static void router_unref(void *object)
{
	struct router *router = object;

	if (--router->refs > 0)
		return;
	desk_free(&router->desk);
	free(router->fence);
	free(router);
}

static struct errand *errand_new(struct router *router, const char *item, const char *agent)
{
	struct errand *errand = memory_new(sizeof(*errand));

	errand->router = router;
	errand->item = memory_text(item);
	errand->agent = memory_text(agent);
	router->refs++;
	return errand;
}

/* Ends the errand; NULL when the router was stopped meanwhile. */
static struct router *errand_end(struct errand *errand)
{
	struct router *router = errand->router;
	bool is_dead = router->is_dead;

	free(errand->item);
	free(errand->agent);
	free(errand);
	router_unref(router);
	return is_dead ? NULL : router;
}

static void route_later(struct router *router);

/* ---- reading state ---- */

static const char *text_of(const struct store_reply *reply, size_t index)
{
	const char *text = reply_text(reply_item(reply, index), NULL);

	return text == NULL ? "" : text;
}

/* Agents name the queues they serve: one that is gone is everybody's, like `default`. */
static const char *queue_served(const struct router *router, const char *queue)
{
	const struct roster *roster = workspace_roster(router->workspace);

	return roster != NULL && roster_queue(roster, queue) == NULL ? "default" : queue;
}

/* What is read of an item, and where it stands in the answer. */
enum {
	ITEM_STATE,
	ITEM_QUEUE,
	ITEM_QUEUED,
	ITEM_PRIORITY,
	ITEM_SKILLS,
	ITEM_VERSION,
	ITEM_LAST_AGENT,
	ITEM_DECLINED,
	ITEM_HOLDER,
	ITEM_OFFERS,
	ITEM_OVERFLOWED,
	ITEM_ENTERED,
	ITEM_LEVEL,
	ITEM_LEVEL_BEFORE,
	ITEM_TRANSFER,
	ITEM_FIELDS
};
static const char *const item_fields[ITEM_FIELDS] = { "s", "q", "qt", "pr", "sk", "v",  "la", "dn",
						      "a", "o", "ov", "qe", "el", "eb", "tr" };

/* Waits, or is offered to fewer agents than its queue asks at the same time. */
static bool may_be_offered(const struct router *router, const struct store_reply *reply)
{
	const struct roster *roster = workspace_roster(router->workspace);
	const struct queue_row *queue =
		roster == NULL ? NULL : roster_queue(roster, text_of(reply, ITEM_QUEUE));
	int64_t offers = 0;

	if (text_equal(text_of(reply, ITEM_STATE), "queued"))
		return true;
	if (!text_equal(text_of(reply, ITEM_STATE), "offered") || queue == NULL)
		return false;
	for (const char *at = text_of(reply, ITEM_OFFERS); at != NULL; at = strchr(at + 1, ' '))
		offers++;
	return offers < queue->parallel_offers;
}

static int64_t number_of(const struct store_reply *reply, size_t index)
{
	return reply_int(reply_item(reply, index));
}

/* Texts are borrowed: desk_put_item() copies them. */
static void item_put(struct router *router, const char *id, const struct store_reply *reply)
{
	struct desk_item item = {
		.id = memory_text(id),
		.queue = memory_text(queue_served(router, text_of(reply, ITEM_QUEUE))),
		.skills = memory_text(text_of(reply, ITEM_SKILLS)),
		.last_agent = memory_text(text_of(reply, ITEM_LAST_AGENT)),
		.declined = memory_text(text_of(reply, ITEM_DECLINED)),
		.holder = memory_text(text_of(reply, ITEM_HOLDER)),
		.overflowed = memory_text(text_of(reply, ITEM_OVERFLOWED)),
		.queued_ms = number_of(reply, ITEM_QUEUED),
		.entered_ms = number_of(reply, ITEM_ENTERED),
		.priority = number_of(reply, ITEM_PRIORITY),
		.version = number_of(reply, ITEM_VERSION),
		.level = number_of(reply, ITEM_LEVEL),
		.level_before = number_of(reply, ITEM_LEVEL_BEFORE),
		.cost = ITEM_COST,
		.has_transfer = *text_of(reply, ITEM_TRANSFER) != '\0',
		.retry_ms = loop_unix_ms(router->parts->loop) + DECLINED_REST_MS,
	};

	if (item.entered_ms == 0)
		item.entered_ms = item.queued_ms;
	desk_put_item(router->desk, &item);
	free(item.id);
	free(item.queue);
	free(item.skills);
	free(item.last_agent);
	free(item.declined);
	free(item.holder);
	free(item.overflowed);
}

static void on_item(const struct store_reply *reply, const struct error *err, void *context)
{
	struct errand *errand = context;
	struct router *router = errand->router;

	router->is_uncertain |= err != NULL;
	if (router->is_dead || err != NULL) {
		errand_end(errand);
		return;
	}
	if (may_be_offered(router, reply))
		item_put(router, errand->item, reply);
	else
		desk_remove_item(router->desk, errand->item);
	errand_end(errand);
	route_later(router);
}

static void item_refresh(struct router *router, const char *id)
{
	struct store_call *call = store_command("HMGET");

	store_arg_key(call, workspace_name(router->workspace), "w:%s", id);
	for (size_t i = 0; i < ITEM_FIELDS; i++)
		store_arg_text(call, item_fields[i]);
	store_read(router->parts->store, call, on_item, errand_new(router, id, NULL));
}

/* Answer of agent_read.lua: status, routable, load, idle since, pending offer,
 * then the open wish's key ("" none), queues and time. */
static void on_agent(const struct store_reply *reply, const struct error *err, void *context)
{
	struct errand *errand = context;
	struct router *router = errand->router;
	struct desk_agent *agent;
	const char *wish;

	router->is_uncertain |= err != NULL;
	if (router->is_dead || err != NULL || reply_count(reply) < 8) {
		errand_end(errand);
		return;
	}
	agent = desk_agent(router->desk, errand->agent);
	agent->is_online = text_equal(text_of(reply, 0), "online");
	agent->is_routable = !text_equal(text_of(reply, 1), "0");
	agent->load = reply_int(reply_item(reply, 2));
	agent->idle_ms = reply_int(reply_item(reply, 3));
	agent->has_offer = *text_of(reply, 4) != '\0';
	wish = text_of(reply, 5);
	desk_set_wish(agent, *wish == '\0' ? NULL : wish, text_of(reply, 6),
		      reply_int(reply_item(reply, 7)));
	desk_agent_changed(router->desk, agent);
	errand_end(errand);
	route_later(router);
}

static void agent_refresh(struct router *router, const char *id)
{
	struct store_call *call = store_script("agent_read", workspace_name(router->workspace));

	store_key(call, "a:%s", id);
	store_key(call, "wish:%s", id);
	store_read(router->parts->store, call, on_agent, errand_new(router, NULL, id));
}

static void on_queue(const struct store_reply *reply, const struct error *err, void *context)
{
	struct errand *errand = context;
	struct router *router = errand->router;

	router->is_uncertain |= err != NULL;
	if (!router->is_dead && err == NULL)
		for (size_t i = 0; i < reply_count(reply); i++)
			item_refresh(router, text_of(reply, i));
	errand_end(errand);
}

/* Every item that is not done: those of queues which no longer are configured wait here too. */
static void on_hot(const struct store_reply *reply, const struct error *err, void *context)
{
	struct errand *errand = context;
	struct router *router = errand->router;

	router->is_uncertain |= err != NULL;
	if (!router->is_dead && err == NULL)
		for (size_t i = 0; i < reply_count(reply); i++)
			if (desk_item(router->desk, text_of(reply, i)) == NULL)
				item_refresh(router, text_of(reply, i));
	errand_end(errand);
}

static void on_wishes(const struct store_reply *reply, const struct error *err, void *context)
{
	struct errand *errand = context;
	struct router *router = errand->router;

	router->is_uncertain |= err != NULL;
	if (!router->is_dead && err == NULL)
		for (size_t i = 0; i < reply_count(reply); i++)
			agent_refresh(router, text_of(reply, i));
	errand_end(errand);
}

static void range_read(struct router *router, const char *key, store_done_fn *done)
{
	struct store_call *call = store_command("ZRANGE");

	store_arg_key(call, workspace_name(router->workspace), "%s", key);
	store_arg_int(call, 0);
	store_arg_int(call, QUEUE_READ_MAX - 1);
	store_read(router->parts->store, call, done, errand_new(router, NULL, NULL));
}

static void agents_read(struct router *router)
{
	struct desk_agent *agent;
	size_t at = 0;

	while ((agent = desk_next_agent(router->desk, &at)) != NULL)
		agent_refresh(router, agent->id);
}

void router_resync(struct router *router)
{
	const struct roster *roster = workspace_roster(router->workspace);
	const struct queue_row *queues;
	size_t count;
	char key[300];

	if (roster == NULL)
		return;
	router->is_uncertain = false;
	desk_clear_items(router->desk);
	desk_roster(router->desk, roster);
	queues = roster_queues(roster, &count);
	for (size_t i = 0; i < count; i++) {
		snprintf(key, sizeof(key), "q:%s", queues[i].id);
		range_read(router, key, on_queue);
	}
	/* Work that went to a queue which is configured no more is still served. */
	range_read(router, "wx", on_hot);
	range_read(router, "wishes", on_wishes);
	agents_read(router);
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
	char offer[ID_BYTES];
	struct offer_proposal proposal = {
		.fence = router->fence,
		.work_item = match->item->id,
		.version = match->item->version,
		.agent = match->agent->id,
		.offer = offer,
		.accept_ms = queue == NULL ? OFFER_MS : queue->offer_timeout_ms,
		.agent_capacity =
			match->agent->row == NULL ? INT32_MAX : match->agent->row->capacity,
		.cost = match->item->cost,
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

/* Once a turn is enough, however many entries arrived in it. */
static void route_later(struct router *router)
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
