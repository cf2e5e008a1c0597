#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "routing/router_private.h"
#include "services/loop.h"
#include "store/store.h"
#include "workspace.h"

enum { DECLINED_REST_MS = 30 * 1000, WALK_BATCH = 500, WALK_HEADER = 3 };

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

/* ---- items ---- */

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
	ITEM_STEP,
	ITEM_CHANNEL,
	ITEM_FIELDS
};
static const char *const item_fields[ITEM_FIELDS] = { "s",  "q",  "qt", "pr", "sk", "v",
						      "la", "dn", "a",  "o",  "ov", "qe",
						      "el", "eb", "tr", "ps", "ch" };

/* An item's fields inside an answer. */
struct item_answer {
	const struct store_reply *reply;
	size_t first;
};

static const char *item_text(const struct item_answer *answer, size_t field)
{
	return text_of(answer->reply, answer->first + field);
}

static int64_t item_number(const struct item_answer *answer, size_t field)
{
	return reply_int(reply_item(answer->reply, answer->first + field));
}

/* Waits, or is offered to fewer agents than its queue asks at the same time. */
static bool may_be_offered(const struct router *router, const struct item_answer *answer)
{
	const struct roster *roster = workspace_roster(router->workspace);
	const struct queue_row *queue =
		roster == NULL ? NULL : roster_queue(roster, item_text(answer, ITEM_QUEUE));
	const char *at = item_text(answer, ITEM_OFFERS);
	int64_t offers = 0;

	if (text_equal(item_text(answer, ITEM_STATE), "queued"))
		return true;
	if (!text_equal(item_text(answer, ITEM_STATE), "offered") || queue == NULL)
		return false;
	for (; *at != '\0'; at += strspn(at, " ")) {
		at += strcspn(at, " ");
		offers++;
	}
	return offers < queue->parallel_offers;
}

/* desk_put_item() copies the texts and writes to none. */
static char *borrowed(const struct item_answer *answer, size_t field)
{
	return (char *)(uintptr_t)item_text(answer, field);
}

static void item_put(struct router *router, const char *id, const struct item_answer *answer)
{
	struct desk_item item = {
		.id = (char *)(uintptr_t)id,
		.queue = (char *)(uintptr_t)queue_served(router, item_text(answer, ITEM_QUEUE)),
		.skills = borrowed(answer, ITEM_SKILLS),
		.channel = borrowed(answer, ITEM_CHANNEL),
		.last_agent = borrowed(answer, ITEM_LAST_AGENT),
		.declined = borrowed(answer, ITEM_DECLINED),
		.holder = borrowed(answer, ITEM_HOLDER),
		.overflowed = borrowed(answer, ITEM_OVERFLOWED),
		.queued_ms = item_number(answer, ITEM_QUEUED),
		.entered_ms = item_number(answer, ITEM_ENTERED),
		.priority = item_number(answer, ITEM_PRIORITY),
		.version = item_number(answer, ITEM_VERSION),
		.level = item_number(answer, ITEM_LEVEL),
		.level_before = item_number(answer, ITEM_LEVEL_BEFORE),
		.cost = roster_channel(workspace_roster(router->workspace),
				       item_text(answer, ITEM_CHANNEL))
				->cost,
		.has_transfer = *item_text(answer, ITEM_TRANSFER) != '\0',
		.retry_ms = loop_unix_ms(router->parts->loop) + DECLINED_REST_MS,
	};
	const struct desk_item *kept;
	int64_t noted = item_number(answer, ITEM_STEP);

	if (item.entered_ms == 0)
		item.entered_ms = item.queued_ms;
	kept = desk_put_item(router->desk, &item);
	if ((int64_t)kept->step + 1 > (noted == 0 ? 1 : noted))
		step_note(router, kept);
}

static void item_known(struct router *router, const char *id, const struct item_answer *answer)
{
	if (may_be_offered(router, answer))
		item_put(router, id, answer);
	else
		desk_remove_item(router->desk, id);
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
	item_known(router, errand->item, &(struct item_answer){ reply, 0 });
	errand_end(errand);
	route_later(router);
}

void item_refresh(struct router *router, const char *id)
{
	struct store_call *call = store_command("HMGET");

	store_arg_key(call, workspace_name(router->workspace), "w:%s", id);
	for (size_t i = 0; i < ITEM_FIELDS; i++)
		store_arg_text(call, item_fields[i]);
	store_read(router->parts->store, call, on_item, errand_new(router, id, NULL));
}

/* ---- agents ---- */

/* Answer of agent_read.lua: status, routable, load, idle since, pending offer,
 * then the open wish's key ("" none), queues and time, the channels of what
 * it attends to, and those that the wish wants. */
static void on_agent(const struct store_reply *reply, const struct error *err, void *context)
{
	struct errand *errand = context;
	struct router *router = errand->router;
	struct desk_agent *agent;
	const char *wish;

	router->is_uncertain |= err != NULL;
	if (router->is_dead || err != NULL || reply_count(reply) < 10) {
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
	desk_set_wish_channels(agent, text_of(reply, 9));
	desk_set_held(agent, text_of(reply, 8));
	desk_agent_changed(router->desk, agent);
	errand_end(errand);
	route_later(router);
}

static bool channels_matter(const struct router *router)
{
	size_t count = 0;

	if (workspace_roster(router->workspace) != NULL)
		roster_channels(workspace_roster(router->workspace), &count);
	return count > 0;
}

void agent_refresh(struct router *router, const char *id)
{
	struct store_call *call = store_script("agent_read", workspace_name(router->workspace));

	store_key(call, "a:%s", id);
	store_key(call, "wish:%s", id);
	store_key(call, "aw:%s", id);
	store_arg_text(call, channels_matter(router) ? "1" : "0");
	store_read(router->parts->store, call, on_agent, errand_new(router, NULL, id));
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

static void wishes_read(struct router *router)
{
	struct store_call *call = store_command("ZRANGE");

	store_arg_key(call, workspace_name(router->workspace), "wishes");
	store_arg_int(call, 0);
	store_arg_int(call, -1);
	store_read(router->parts->store, call, on_wishes, errand_new(router, NULL, NULL));
}

static void agents_read(struct router *router)
{
	struct desk_agent *agent;
	size_t at = 0;

	while ((agent = desk_next_agent(router->desk, &at)) != NULL)
		agent_refresh(router, agent->id);
}

/* ---- everything ---- */

static void batch_read(struct router *router, const char *score, int64_t same, store_done_fn *done)
{
	struct store_call *call = store_script("waiting_read", workspace_name(router->workspace));

	store_key(call, "wx");
	store_arg_text(call, score);
	store_arg_int(call, same);
	store_arg_int(call, WALK_BATCH);
	for (size_t i = 0; i < ITEM_FIELDS; i++)
		store_arg_text(call, item_fields[i]);
	store_read(router->parts->store, call, done, errand_new(router, NULL, NULL));
}

/* What changes while the batches are read comes by the log as well. */
static void on_batch(const struct store_reply *reply, const struct error *err, void *context)
{
	struct errand *errand = context;
	struct router *router = errand->router;

	router->is_uncertain |= err != NULL;
	if (router->is_dead || err != NULL) {
		errand_end(errand);
		return;
	}
	for (size_t i = WALK_HEADER; i < reply_count(reply); i++)
		item_known(router, text_of(reply_item(reply, i), 0),
			   &(struct item_answer){ reply_item(reply, i), 1 });
	router->walked += reply_count(reply) - WALK_HEADER;
	if (reply_int(reply_item(reply, 0)) == WALK_BATCH)
		batch_read(router, text_of(reply, 1), reply_int(reply_item(reply, 2)), on_batch);
	else
		log_info("router", "event=rebuilt workspace=%s items=%zu ms=%lld",
			 workspace_name(router->workspace), router->walked,
			 (long long)(loop_now_ms(router->parts->loop) - router->walk_ms));
	errand_end(errand);
	route_later(router);
}

void router_resync(struct router *router)
{
	const struct roster *roster = workspace_roster(router->workspace);

	if (roster == NULL)
		return;
	router->is_uncertain = false;
	router->walk_ms = loop_now_ms(router->parts->loop);
	router->walked = 0;
	desk_clear_items(router->desk);
	desk_roster(router->desk, roster);
	batch_read(router, "0", 0, on_batch);
	wishes_read(router);
	agents_read(router);
}
