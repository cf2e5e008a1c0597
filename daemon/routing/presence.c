#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"
#include "routing/claim.h"
#include "store/store.h"

struct runtime_run {
	agent_runtime_fn *done;
	void *context;
};

static int64_t int_of(const struct store_reply *reply, const char *name)
{
	const char *text = reply_field(reply, name);

	return text ? strtoll(text, NULL, 10) : 0;
}

static const char *text_of(const struct store_reply *reply, const char *name)
{
	const char *text = reply_field(reply, name);

	return text && *text ? text : NULL;
}

static void on_runtime(const struct store_reply *reply, const struct error *err, void *context)
{
	struct runtime_run *run = context;
	struct agent_runtime runtime = { .status = "offline" };

	if (err) {
		run->done(NULL, err, run->context);
		free(run);
		return;
	}
	if (text_of(reply, "st"))
		runtime.status = text_of(reply, "st");
	runtime.why = text_of(reply, "why");
	runtime.routable =
		text_equal(runtime.status, "online") && text_equal(reply_field(reply, "rt"), "1");
	runtime.load = int_of(reply, "ld");
	runtime.idle_since_ms = int_of(reply, "id");
	runtime.seen_ms = int_of(reply, "seen");
	runtime.missed = int_of(reply, "miss");
	runtime.offer = text_of(reply, "o");
	runtime.version = int_of(reply, "v");
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
