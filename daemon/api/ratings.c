/* How content a customer was with a work item. */
#include <string.h>

#include "api/handlers.h"
#include "base/text.h"
#include "parts.h"
#include "services/loop.h"
#include "store/store.h"

static void on_rated(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;

	if (err != NULL) {
		api_fail(call, err);
	} else if (reply_is(reply, "conflict")) {
		api_key_conflict(call);
	} else if (reply_is(reply, "refused")) {
		api_problem(call, 404, "no_such_work_item",
			    "there is no work item \"%s\", or it has left for the history",
			    call->params[0]);
	} else {
		if (reply_is(reply, "replay"))
			api_replayed(call);
		api_answer_text(call, 200, call->state);
	}
}

void handle_rating_put(struct api_call *call)
{
	const char *comment = json_text(call->body, "comment");
	const char *source = json_text(call->body, "source");
	struct store_call *put = store_script("rating_put", call->who.workspace);
	struct buf json = { 0 };
	struct json_out out;

	jw_start(&out, &json);
	jw_object(&out, NULL);
	jw_int(&out, "score", json_int(call->body, "score", 0));
	jw_text(&out, "work_item", call->params[0]);
	jw_text(&out, "comment",
		comment == NULL
			? NULL
			: text_clean(call->arena, comment, strlen(comment), strlen(comment)));
	jw_text(&out, "source", source == NULL ? api_source(call) : source);
	jw_time(&out, "at", loop_unix_ms(call->parts->loop));
	jw_object_end(&out);
	call->state = arena_text(call->arena, json.data);
	buf_clear(&json);
	store_key(put, "w:%s", call->params[0]);
	store_arg_once(put, call->idempotency_key, call->request_hash);
	store_arg_text(put, call->params[0]);
	store_arg_int(put, json_int(call->body, "score", 0));
	store_arg_text(put, call->state);
	store_run(call->parts->store, put, on_rated, call);
}
