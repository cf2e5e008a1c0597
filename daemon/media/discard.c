#include "media/discard.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/memory.h"
#include "parts.h"
#include "services/blobs.h"
#include "services/loop.h"
#include "store/blob_owner.h"
#include "store/store.h"
#include "workspace.h"

enum {
	TICK_MS = 1000,
	AFTER_FAILURE_MS = 30 * 1000,
	LOOK_MS = 60 * 1000, /* for old uploads */
	AT_ONCE = 100,
};

static const int64_t UPLOADS_KEPT_MS = INT64_C(7) * 24 * 3600 * 1000;

struct discard {
	struct parts *parts;
	struct workspace *workspace;
	struct loop_timer *tick;
	struct arena *arena; /* of the ids under way; NULL: none */
	const char *ids[AT_ONCE];
	size_t count;
	int64_t look_ms; /* not before: for old uploads */
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

static void destroy_next(struct discard *discard)
{
	struct store_call *call;

	if (discard->is_dead) { /* perhaps the store too */
		round_end(discard, TICK_MS);
		return;
	}
	call = store_command("ZRANGE");
	store_arg_key(call, workspace_name(discard->workspace), "bx");
	store_arg_int(call, 0);
	store_arg_int(call, AT_ONCE - 1);
	store_read(discard->parts->store, call, on_listed, discard);
}

/* ---- uploads that nobody sent ---- */

static void on_expired(const struct store_reply *reply, const struct error *err, void *context)
{
	(void)reply;
	(void)err; /* the next look finds them again */
	destroy_next(context);
}

static void on_old(const struct store_reply *reply, const struct error *err, void *context)
{
	struct discard *discard = context;
	size_t count = err == NULL ? reply_count(reply) : 0;
	const char *ids[AT_ONCE];

	for (size_t i = 0; i < count && i < AT_ONCE; i++)
		ids[i] = reply_text(reply_item(reply, i), NULL);
	if (count == 0 || discard->is_dead)
		destroy_next(discard);
	else
		blob_expire(discard->parts->store, workspace_name(discard->workspace), ids, count,
			    on_expired, discard);
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
	if (loop_now_ms(discard->parts->loop) < discard->look_ms) {
		destroy_next(discard);
		return;
	}
	discard->look_ms = loop_now_ms(discard->parts->loop) + LOOK_MS;
	call = store_command("ZRANGEBYSCORE");
	store_arg_key(call, workspace_name(discard->workspace), "bu");
	store_arg_text(call, "-inf");
	store_arg_int(call, loop_unix_ms(discard->parts->loop) - UPLOADS_KEPT_MS);
	store_arg_text(call, "LIMIT");
	store_arg_int(call, 0);
	store_arg_int(call, AT_ONCE);
	store_read(discard->parts->store, call, on_old, discard);
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
