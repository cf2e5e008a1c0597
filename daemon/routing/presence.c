#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"
#include "routing/claim.h"
#include "store/store.h"

struct runtime_run {
	agent_runtime_fn *done;
	void *context;
};

static void on_runtime(const struct store_reply *reply, const struct error *err, void *context)
{
	struct runtime_run *run = context;
	struct agent_runtime runtime = { .status = "offline" };

	if (err) {
		run->done(NULL, err, run->context);
		free(run);
		return;
	}
	if (reply_field_text(reply, "st"))
		runtime.status = reply_field_text(reply, "st");
	runtime.why = reply_field_text(reply, "why");
	runtime.routable =
		text_equal(runtime.status, "online") && text_equal(reply_field(reply, "rt"), "1");
	runtime.load = reply_field_int(reply, "ld");
	runtime.idle_since_ms = reply_field_int(reply, "id");
	runtime.seen_ms = reply_field_int(reply, "seen");
	runtime.missed = reply_field_int(reply, "miss");
	runtime.offer = reply_field_text(reply, "o");
	runtime.version = reply_field_int(reply, "v");
	run->done(&runtime, NULL, run->context);
	free(run);
}

void presence_read(struct store *store, const char *workspace, const char *agent,
		   agent_runtime_fn *done, void *context)
{
	struct store_call *call = store_command("HGETALL");
	struct runtime_run *run = memory_new(sizeof(*run));

	run->done = done;
	run->context = context;
	store_arg_key(call, workspace, "a:%s", agent);
	store_read(store, call, on_runtime, run);
}
