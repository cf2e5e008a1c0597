/* PUT and DELETE /v1/customers/{id}/hold: while a legal hold is on a customer, nothing of them is
 * destroyed. */
#include <string.h>

#include "api/customer_view.h"
#include "api/handlers.h"
#include "base/text.h"
#include "parts.h"
#include "services/loop.h"
#include "store/store.h"

static void on_put(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;

	if (err != NULL)
		api_fail(call, err);
	else if (reply_is(reply, "refused"))
		customer_refused(call, reply);
	else if (call->state == NULL)
		api_empty(call, 204);
	else
		api_answer_text(call, 200, call->state);
}

static void put(struct api_call *call, const char *hold)
{
	struct store_call *run = store_script("hold_put", call->who.workspace);

	store_key(run, "u:%s", call->params[0]);
	store_arg_text(run, call->params[0]);
	store_arg_text(run, hold);
	store_run(call->parts->store, run, on_put, call);
}

void handle_customer_hold(struct api_call *call)
{
	const char *reason = json_text(call->body, "reason");
	struct buf json = { 0 };
	struct json_out out;

	jw_start(&out, &json);
	jw_object(&out, NULL);
	jw_text(&out, "reason", text_clean(call->arena, reason, strlen(reason), strlen(reason)));
	jw_text(&out, "by", api_source(call));
	jw_time(&out, "at", loop_unix_ms(call->parts->loop));
	jw_object_end(&out);
	call->state = arena_text(call->arena, buf_string(&json));
	buf_clear(&json);
	put(call, call->state);
}

void handle_customer_unhold(struct api_call *call)
{
	put(call, "");
}
