/* Who else a customer may be, and a person's no to it. */
#include <string.h>

#include "api/handlers.h"
#include "base/text.h"
#include "identity/suggestions.h"
#include "parts.h"
#include "services/loop.h"
#include "store/store.h"

static void on_list(const struct suggestion *suggestions, size_t count, const struct error *err,
		    void *context)
{
	struct api_call *call = context;
	struct buf body = { 0 };
	struct json_out out;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	jw_start(&out, &body);
	jw_object(&out, NULL);
	customer_suggestions_write(&out, "data", suggestions, count);
	jw_null(&out, "next_cursor");
	jw_object_end(&out);
	api_answer(call, 200, &body);
}

static void on_known(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;

	if (err != NULL)
		api_fail(call, err);
	else if (reply_int(reply) == 0)
		api_problem(call, 404, "no_such_customer", "there is no such customer");
	else
		customer_suggestions_read(call->parts->store, call->who.workspace, call->params[0],
					  on_list, call);
}

void handle_suggestion_list(struct api_call *call)
{
	struct store_call *read = store_command("EXISTS");

	store_arg_key(read, call->who.workspace, "u:%s", call->params[0]);
	store_read(call->parts->store, read, on_known, call);
}

static void on_dismissed(const struct store_reply *reply, const struct error *err, void *context)
{
	static const struct conflict decided = {
		.code = "illegal_state",
		.detail = "somebody has decided about this suggestion already",
	};
	struct api_call *call = context;
	struct conflict conflict = decided;

	if (err != NULL) {
		api_fail(call, err);
	} else if (reply_is(reply, "conflict")) {
		api_key_conflict(call);
	} else if (reply_is(reply, "refused") &&
		   text_equal(reply_text(reply_item(reply, 1), NULL), "illegal_state")) {
		conflict.state = reply_text(reply_item(reply, 2), NULL);
		api_conflict(call, &conflict);
	} else if (reply_is(reply, "refused")) {
		api_problem(call, 404, "no_such_suggestion",
			    "nobody suggested that these two customers are one");
	} else {
		if (reply_is(reply, "replay"))
			api_replayed(call);
		api_empty(call, 204);
	}
}

void handle_suggestion_dismiss(struct api_call *call)
{
	struct store_call *end = store_script("suggestion_end", call->who.workspace);
	struct buf members = { 0 };
	struct json_out out;

	store_key(end, "sg:%s", call->params[0]);
	store_key(end, "sg:%s", call->params[1]);
	store_arg_once(end, call->idempotency_key, call->request_hash);
	store_arg_text(end, call->params[0]);
	store_arg_text(end, call->params[1]);
	store_arg_text(end, "dismissed");
	jw_start(&out, &members);
	jw_text(&out, "by", call->who.agent);
	jw_time(&out, "ended_at", loop_unix_ms(call->parts->loop));
	store_arg(end, members.data, members.len);
	buf_clear(&members);
	store_run(call->parts->store, end, on_dismissed, call);
}
