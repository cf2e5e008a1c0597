#include "events/webhooks.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "events/webhook_copier.h"
#include "events/webhook_sender.h"
#include "services/loop.h"
#include "store/store.h"
#include "workspace.h"

enum { TICK_MS = 250, SWEEP_TICKS = 240 };

struct webhooks {
	struct parts *parts;
	char *name;
	char *fence;
	struct webhook_list *list; /* NULL until it was read */
	struct webhook_copier *copier;
	struct webhook_sender *sender;
	struct loop_timer *tick;
	int ticks;
	bool is_reading;
	bool is_stale; /* changed while it was being read, or not read yet */
	int refs;      /* its owner, answers under way */
	bool is_dead;
};

static void webhooks_unref(void *object)
{
	struct webhooks *webhooks = object;

	if (--webhooks->refs > 0)
		return;
	webhook_list_free(&webhooks->list);
	free(webhooks->name);
	free(webhooks->fence);
	free(webhooks);
}

/* ---- outboxes of endpoints that are gone ---- */

static void on_forgotten(const struct store_reply *reply, const struct error *err, void *context)
{
	struct webhooks *webhooks = context;

	if (err == NULL && reply_int(reply_item(reply, 1)) > 0)
		webhooks->ticks = 0; /* there is more of it */
	webhooks_unref(webhooks);
}

static void on_outboxes(const struct store_reply *reply, const struct error *err, void *context)
{
	struct webhooks *webhooks = context;

	for (size_t i = 0; err == NULL && !webhooks->is_dead && i < reply_count(reply); i++) {
		const char *id = reply_text(reply_item(reply, i), NULL);
		struct store_call *call;

		if (webhook_named(webhooks->list, id) != NULL)
			continue;
		call = store_script("webhook_forget", webhooks->name);
		store_arg_text(call, id);
		webhooks->refs++;
		store_run(webhooks->parts->store, call, on_forgotten, webhooks);
	}
	webhooks_unref(webhooks);
}

static void outboxes_sweep(struct webhooks *webhooks)
{
	struct store_call *call = store_command("SMEMBERS");

	store_arg_key(call, webhooks->name, "whs");
	webhooks->refs++;
	store_read(webhooks->parts->store, call, on_outboxes, webhooks);
}

/* ---- the configuration ---- */

static void list_read(struct webhooks *webhooks);

static void list_take(struct webhooks *webhooks, const struct store_reply *reply)
{
	struct webhook_list *old = webhooks->list;
	struct error problem = { 0 };

	webhooks->list = webhook_list_new(reply, &problem);
	if (problem.kind != ERROR_NONE)
		log_warn("webhooks", "workspace=%s event=config_problem error=%s", webhooks->name,
			 log_quote(problem.text));
	webhook_copier_set_list(webhooks->copier, webhooks->list);
	webhook_sender_set_list(webhooks->sender, webhooks->list);
	webhook_list_free(&old);
	webhooks->ticks = 0;
}

static void on_list(const struct store_reply *reply, const struct error *err, void *context)
{
	struct webhooks *webhooks = context;

	webhooks->is_reading = false;
	if (!webhooks->is_dead && err != NULL) {
		webhooks->is_stale = true; /* read at the next tick */
	} else if (!webhooks->is_dead) {
		if (webhooks->is_stale)
			list_read(webhooks);
		else
			list_take(webhooks, reply);
	}
	webhooks_unref(webhooks);
}

static void list_read(struct webhooks *webhooks)
{
	struct store_call *call;

	webhooks->is_stale = webhooks->is_reading;
	if (webhooks->is_reading)
		return;
	call = store_command("HGETALL");
	store_arg_key(call, webhooks->name, "cfg:webhooks");
	webhooks->is_reading = true;
	webhooks->refs++;
	store_read(webhooks->parts->store, call, on_list, webhooks);
}

static void on_config(void *context)
{
	list_read(context);
}

static void on_copied(void *context)
{
	struct webhooks *webhooks = context;

	webhook_sender_look(webhooks->sender);
}

/* ---- life ---- */

static void on_tick(void *context)
{
	struct webhooks *webhooks = context;

	loop_timer_start(webhooks->tick, TICK_MS);
	if (!store_is_up(webhooks->parts->store))
		return;
	if (webhooks->is_stale && !webhooks->is_reading)
		list_read(webhooks);
	webhook_copier_tick(webhooks->copier);
	webhook_sender_look(webhooks->sender);
	if (webhooks->list != NULL && webhooks->ticks++ % SWEEP_TICKS == 0)
		outboxes_sweep(webhooks);
}

struct webhooks *webhooks_new(struct parts *parts, struct workspace *workspace, const char *fence,
			      struct webhook_counts *counts)
{
	struct webhooks *webhooks = memory_new(sizeof(*webhooks));
	struct webhook_copier_options copier = { .parts = parts,
						 .counts = counts,
						 .on_config = on_config,
						 .on_copied = on_copied,
						 .context = webhooks };

	webhooks->parts = parts;
	webhooks->name = memory_text(workspace_name(workspace));
	webhooks->fence = memory_text(fence);
	webhooks->refs = 1;
	copier.workspace = webhooks->name;
	copier.fence = webhooks->fence;
	webhooks->copier = webhook_copier_new(&copier);
	webhooks->sender = webhook_sender_new(parts, webhooks->name, counts);
	webhooks->tick = loop_timer_new(parts->loop, on_tick, webhooks);
	loop_timer_start(webhooks->tick, TICK_MS);
	list_read(webhooks);
	return webhooks;
}

void webhooks_free(struct webhooks **webhooks)
{
	struct webhooks *held = *webhooks;

	*webhooks = NULL;
	if (held == NULL)
		return;
	held->is_dead = true;
	loop_timer_free(&held->tick);
	webhook_copier_free(&held->copier);
	webhook_sender_free(&held->sender);
	loop_defer_free(held->parts->loop, held, webhooks_unref);
}
