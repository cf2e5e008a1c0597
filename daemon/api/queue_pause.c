/* A supervisor stops and starts a queue: nothing of it is offered or given while it is paused. */
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/keep.h"
#include "base/text.h"
#include "parts.h"
#include "store/store.h"

static void on_put(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;

	if (err != NULL)
		api_fail(call, err);
	else if (reply_is(reply, "ok"))
		api_answer_text(call, 200, call->state);
	else
		api_problem(call, 412, "version",
			    "the queue was changed at the same moment: try again");
}

/* The stored object with its next version and "paused" set; every stored queue has that field. */
static const char *changed(struct api_call *call, const char *stored, int64_t version)
{
	static const char field[] = "\"paused\":";
	const char *at = strstr(stored, field);
	const char *body = strchr(stored, ',');
	const char *rest;

	if (at == NULL || body == NULL || body > at)
		return NULL;
	rest = at + strlen(field);
	rest += strspn(rest, "abcdefghijklmnopqrstuvwxyz");
	return arena_format(call->arena, "{\"version\":%lld%.*s%s%s%s", (long long)version + 1,
			    (int)(at - body), body, field,
			    call->route->run == handle_queue_pause ? "true" : "false", rest);
}

static void on_current(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const char *stored = err == NULL ? reply_text(reply, NULL) : NULL;
	int64_t version = stored == NULL ? 0 : strtoll(stored + strlen("{\"version\":"), NULL, 10);
	const char *next = stored == NULL ? NULL : changed(call, stored, version);

	if (err != NULL) {
		api_fail(call, err);
	} else if (next == NULL) {
		api_problem(call, 404, "no_such_queue", "there is no queue \"%s\"",
			    call->params[0]);
	} else if (text_equal(strchr(next, ','), strchr(stored, ','))) {
		api_answer_text(call, 200, stored);
	} else {
		call->state = arena_text(call->arena, next);
		config_put(&(struct keeper){ call->parts->store, call->who.workspace },
			   &(struct config_write){ "queues", call->params[0], next, version },
			   on_put, call);
	}
}

static void queue_read(struct api_call *call)
{
	struct store_call *read = store_command("HGET");

	store_arg_key(read, call->who.workspace, "cfg:queues");
	store_arg_text(read, call->params[0]);
	store_read(call->parts->store, read, on_current, call);
}

void handle_queue_pause(struct api_call *call)
{
	queue_read(call);
}

void handle_queue_resume(struct api_call *call)
{
	queue_read(call);
}
