#include "media/discard.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/memory.h"
#include "parts.h"
#include "services/blobs.h"
#include "services/loop.h"
#include "store/store.h"
#include "workspace.h"

enum { TICK_MS = 1000, AFTER_FAILURE_MS = 30 * 1000, AT_ONCE = 100 };

struct discard {
	struct parts *parts;
	struct workspace *workspace;
	struct loop_timer *tick;
	struct arena *arena; /* of the ids under way; NULL: none */
	const char *ids[AT_ONCE];
	size_t count;
	int refs;
	bool is_dead;
};

static void discard_unref(void *object)
{
	struct discard *discard = object;

	if (--discard->refs > 0)
		return;
	arena_free(&discard->arena);
	free(discard);
}

/* The end of a round, whatever came of it. */
static void round_end(struct discard *discard, int64_t next_ms)
{
	arena_free(&discard->arena);
	discard->count = 0;
	if (!discard->is_dead)
		loop_timer_start(discard->tick, next_ms);
	discard_unref(discard);
}

static void on_noted(const struct store_reply *reply, const struct error *err, void *context)
{
	struct discard *discard = context;

	(void)reply;
	round_end(discard, err == NULL && discard->count == AT_ONCE ? 0 : TICK_MS);
}

static void on_erased(const struct error *err, void *context)
{
	struct discard *discard = context;
	struct store_call *call;

	if (err != NULL) {
		log_warn("media", "event=blobs_not_destroyed workspace=%s count=%zu error=%s",
			 workspace_name(discard->workspace), discard->count, log_quote(err->text));
		round_end(discard, AFTER_FAILURE_MS);
		return;
	}
	log_info("media", "event=blobs_destroyed workspace=%s count=%zu",
		 workspace_name(discard->workspace), discard->count);
	call = store_script("blob_gone", workspace_name(discard->workspace));
	for (size_t i = 0; i < discard->count; i++)
		store_arg_text(call, discard->ids[i]);
	store_run(discard->parts->store, call, on_noted, discard);
}

static void on_listed(const struct store_reply *reply, const struct error *err, void *context)
{
	struct discard *discard = context;
	struct error problem;

	discard->arena = arena_new(0);
	for (size_t i = 0; err == NULL && i < reply_count(reply) && i < AT_ONCE; i++)
		discard->ids[discard->count++] =
			arena_text(discard->arena, reply_text(reply_item(reply, i), NULL));
	if (discard->count == 0 || discard->is_dead)
		round_end(discard, TICK_MS);
	else if (blobs_erase(discard->parts->blobs, discard->ids, discard->count, on_erased,
			     discard, &problem) != 0)
		on_erased(&problem, discard);
}

static void on_tick(void *context)
{
	struct discard *discard = context;
	struct store_call *call;

	if (!store_is_up(discard->parts->store)) {
		loop_timer_start(discard->tick, TICK_MS);
		return;
	}
	discard->refs++;
	call = store_command("ZRANGE");
	store_arg_key(call, workspace_name(discard->workspace), "bx");
	store_arg_int(call, 0);
	store_arg_int(call, AT_ONCE - 1);
	store_read(discard->parts->store, call, on_listed, discard);
}

struct discard *discard_new(struct parts *parts, struct workspace *workspace)
{
	struct discard *discard = memory_new(sizeof(*discard));

	discard->parts = parts;
	discard->workspace = workspace;
	discard->refs = 1;
	discard->tick = loop_timer_new(parts->loop, on_tick, discard);
	loop_timer_start(discard->tick, 0);
	return discard;
}

void discard_free(struct discard **discard)
{
	struct discard *held = *discard;

	*discard = NULL;
	if (held == NULL)
		return;
	held->is_dead = true;
	loop_timer_free(&held->tick);
	loop_defer_free(held->parts->loop, held, discard_unref);
}
