/* A store from before `rest` was kept: once, what is at rest in it is found by walking through it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "history/evict_internal.h"
#include "parts.h"
#include "services/loop.h"
#include "store/store.h"

enum { SCAN_COUNT = 500, AGAIN_MS = 1000 };

/* The same for all steps; in the evictor's first round nothing else is under way. */
struct sweep {
	struct evictor *evictor;
	void (*done)(struct evictor *evictor);
};

static void scan(struct sweep *sweep);

static void sweep_end(struct sweep *sweep, bool is_done)
{
	struct evictor *evictor = sweep->evictor;

	evictor->is_swept = is_done;
	if (is_done)
		sweep->done(evictor);
	else
		loop_timer_start(evictor->timer, AGAIN_MS);
	free(sweep);
}

static void on_put(const struct store_reply *reply, const struct error *err, void *context)
{
	struct sweep *sweep = context;

	(void)reply;
	if (!evict_answered(sweep->evictor))
		free(sweep);
	else if (err != NULL)
		sweep_end(sweep, false);
	else if (text_equal(sweep->evictor->cursor, "0"))
		sweep_end(sweep, true);
	else
		scan(sweep);
}

static void on_scanned(const struct store_reply *reply, const struct error *err, void *context)
{
	struct sweep *sweep = context;
	struct evictor *evictor = sweep->evictor;
	const struct store_reply *keys = reply_item(reply, 1);
	size_t prefix = strlen(evict_workspace(evictor)) + strlen("{}:c:");
	struct store_call *call;

	if (!evict_answered(evictor)) {
		free(sweep);
		return;
	}
	if (err != NULL) {
		sweep_end(sweep, false);
		return;
	}
	free(evictor->cursor);
	evictor->cursor = memory_text(reply_text(reply_item(reply, 0), NULL));
	call = store_script("rest_sweep", evict_workspace(evictor));
	store_arg_text(call, text_equal(evictor->cursor, "0") ? "1" : "0");
	for (size_t i = 0; i < reply_count(keys); i++)
		store_arg_text(call, reply_text(reply_item(keys, i), NULL) + prefix);
	evictor->refs++;
	store_run(evictor->parts->store, call, on_put, sweep);
}

static void scan(struct sweep *sweep)
{
	struct evictor *evictor = sweep->evictor;
	struct store_call *call = store_command("SCAN");

	store_arg_text(call, evictor->cursor);
	store_arg_text(call, "MATCH");
	store_arg_key(call, evict_workspace(evictor), "[cw]:*");
	store_arg_text(call, "COUNT");
	store_arg_int(call, SCAN_COUNT);
	evictor->refs++;
	store_read(evictor->parts->store, call, on_scanned, sweep);
}

static void on_known(const struct store_reply *reply, const struct error *err, void *context)
{
	struct sweep *sweep = context;
	struct evictor *evictor = sweep->evictor;

	if (!evict_answered(evictor)) {
		free(sweep);
		return;
	}
	if (err != NULL || text_equal(reply_text(reply, NULL), "1")) {
		sweep_end(sweep, err == NULL);
		return;
	}
	free(evictor->cursor);
	evictor->cursor = memory_text("0");
	scan(sweep);
}

void evict_sweep_start(struct evictor *evictor, void (*done)(struct evictor *evictor))
{
	struct store_call *call = store_command("HGET");
	struct sweep *sweep = memory_new(sizeof(*sweep));

	sweep->evictor = evictor;
	sweep->done = done;
	store_arg_key(call, evict_workspace(evictor), "meta");
	store_arg_text(call, "rest");
	evictor->refs++;
	store_read(evictor->parts->store, call, on_known, sweep);
}
