#include "routing/timers.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "routing/claim.h"
#include "services/loop.h"
#include "store/store.h"
#include "workspace.h"

enum { TICK_MS = 500, BATCH = 200 };

struct timers {
	struct parts *parts;
	struct workspace *workspace;
	char *fence;
	struct loop_timer *tick;
	int refs;
	bool is_dead;
	bool is_reading;
};

static void timers_unref(void *object)
{
	struct timers *timers = object;

	if (--timers->refs > 0)
		return;
	free(timers->fence);
	free(timers);
}

static void on_fired(const struct work_result *result, const struct error *err, void *context)
{
	struct timers *timers = context;

	if (timers->is_dead) {
		timers_unref(timers);
		return;
	}
	if (err != NULL)
		log_debug("timers", "workspace=%s event=timer_failed error=%s",
			  workspace_name(timers->workspace), log_quote(err->text));
	else if (result->code == WORK_REFUSED && text_equal(result->refusal, "unknown_timer"))
		log_warn("timers", "workspace=%s event=unknown_timer",
			 workspace_name(timers->workspace));
	timers_unref(timers);
}

static void on_due(const struct store_reply *reply, const struct error *err, void *context)
{
	struct timers *timers = context;
	struct work_timer timer = { .fence = timers->fence };

	timers->is_reading = false;
	for (size_t i = 0; err == NULL && !timers->is_dead && i < reply_count(reply); i++) {
		timer.member = reply_text(reply_item(reply, i), NULL);
		timers->refs++;
		work_timer_fire(timers->parts->store, workspace_name(timers->workspace), &timer,
				on_fired, timers);
	}
	timers_unref(timers);
}

static void on_tick(void *context)
{
	struct timers *timers = context;
	struct store_call *call;

	loop_timer_start(timers->tick, TICK_MS);
	if (timers->is_reading || !store_is_up(timers->parts->store))
		return;
	timers->is_reading = true;
	timers->refs++;
	call = store_command("ZRANGEBYSCORE");
	store_arg_key(call, workspace_name(timers->workspace), "timers");
	store_arg_text(call, "-inf");
	/* Only shown here: each script asks the store's own clock whether it is really due. */
	store_arg_int(call, loop_unix_ms(timers->parts->loop));
	store_arg_text(call, "LIMIT");
	store_arg_int(call, 0);
	store_arg_int(call, BATCH);
	store_read(timers->parts->store, call, on_due, timers);
}

struct timers *timers_new(struct parts *parts, struct workspace *workspace, const char *fence)
{
	struct timers *timers = memory_new(sizeof(*timers));

	timers->parts = parts;
	timers->workspace = workspace;
	timers->fence = memory_text(fence);
	timers->refs = 1;
	timers->tick = loop_timer_new(parts->loop, on_tick, timers);
	loop_timer_start(timers->tick, TICK_MS);
	return timers;
}

void timers_free(struct timers **timers)
{
	struct timers *held = *timers;

	*timers = NULL;
	if (held == NULL)
		return;
	held->is_dead = true;
	loop_timer_free(&held->tick);
	loop_defer_free(held->parts->loop, held, timers_unref);
}
