/* A supervisor stops and starts a queue: nothing of it is offered or given while it is paused. */
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/in_force.h"
#include "base/text.h"
#include "parts.h"
#include "store/store.h"

static void queue_read(struct api_call *call, store_done_fn *done)
{
	struct store_call *read = store_command("HGET");

	store_arg_key(read, call->who.workspace, "cfg:queues");
	store_arg_text(read, call->params[0]);
	store_read(call->parts->store, read, done, call);
}

/* A repeated request is answered with the queue as it stands. */
static void on_stored(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const char *stored = err == NULL ? reply_text(reply, NULL) : NULL;

	if (err != NULL)
		api_fail(call, err);
	else if (stored == NULL)
		api_problem(call, 404, "no_such_queue", "there is no queue \"%s\"",
			    call->params[0]);
	else
		api_answer_text(call, 200, stored);
}

static void answer_paused(struct api_call *call)
{
	api_answer_text(call, 200, call->state);
}

static void on_put(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;

	if (err != NULL) {
		api_fail(call, err);
	} else if (reply_is(reply, "ok")) {
		in_force_then(call, answer_paused);
	} else if (reply_is(reply, "replay")) {
		api_replayed(call);
		queue_read(call, on_stored);
	} else if (reply_is(reply, "conflict")) {
		api_key_conflict(call);
	} else {
		api_problem(call, 412, "version",
			    "the queue was changed at the same moment: try again");
	}
}

/* An apply of one object, because that is the script that knows keys. */
static void queue_put(struct api_call *call, int64_t version)
{
	struct store_call *put = store_script("config_apply", call->who.workspace);

	store_key(put, "cfg:queues");
	store_arg_text(put, call->idempotency_key);
	store_arg_text(put, call->request_hash);
	store_arg_int(put, 2);
	store_arg_text(put, call->params[0]);
	store_arg_int(put, version);
	store_arg_text(put, call->state);
	store_run(call->parts->store, put, on_put, call);
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
		queue_put(call, version);
	}
}

void handle_queue_pause(struct api_call *call)
{
	queue_read(call, on_current);
}

void handle_queue_resume(struct api_call *call)
{
	queue_read(call, on_current);
}
