/* PUT /v1/conversations/{id}/opt-out: whom a supervisor knows to want no more messages. */
#include <string.h>

#include "api/handlers.h"
#include "base/text.h"
#include "channel.h"
#include "conversation/conversation.h"
#include "parts.h"
#include "services/loop.h"
#include "store/store.h"

static void on_put(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;

	if (err != NULL)
		api_fail(call, err);
	else if (reply_is(reply, "refused"))
		api_no_conversation(call);
	else
		api_answer_text(call, 200, call->state);
}

static void opt_store(struct api_call *call)
{
	struct store_call *put = store_script("opt_put", call->who.workspace);
	bool is_out = text_equal(json_text(call->body, "state"), "withdrawn");
	const char *shown = call->state;

	store_key(put, "c:%s", call->params[0]);
	store_arg_text(put, is_out ? "out" : "in");
	/* What is kept is what is shown, without whom it is about. */
	store_arg_text(put, arena_format(call->arena, "{%s", strstr(shown, "\"state\"")));
	store_run(call->parts->store, put, on_put, call);
}

static void on_revived(const struct error *err, void *context)
{
	if (err != NULL)
		api_fail(context, err);
	else
		opt_store(context);
}

static void consent_fill(struct api_call *call, const struct conversation *conversation)
{
	const struct channel *channel =
		channel_find(call->parts->channels, call->who.workspace, conversation->channel);
	const char *kind =
		channel == NULL ? "address" : channel_connector(channel)->identifier_kind;
	const char *reason = json_text(call->body, "reason");
	struct buf shown = { 0 };
	struct json_out out;

	jw_start(&out, &shown);
	jw_object(&out, NULL);
	jw_text(&out, "purpose", "messages");
	jw_text(&out, "channel", conversation->channel);
	jw_text(&out, "state", json_text(call->body, "state"));
	jw_text(&out, "source", "staff");
	jw_time(&out, "at", loop_unix_ms(call->parts->loop));
	jw_text(&out, "by", api_source(call));
	jw_text(&out, "identifier",
		arena_format(call->arena, "%s:%s", kind, conversation->address));
	jw_text(&out, "reason", text_clean_line(call->arena, reason, strlen(reason), 500));
	jw_object_end(&out);
	call->state = arena_text(call->arena, shown.data);
	buf_clear(&shown);
}

static void on_conversation(const struct conversation *conversation, const struct error *err,
			    void *context)
{
	struct api_call *call = context;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (conversation == NULL) {
		api_no_conversation(call);
		return;
	}
	consent_fill(call, conversation);
	if (conversation->is_past)
		conversation_revive(call->parts, call->who.workspace, call->params[0], on_revived,
				    call);
	else
		opt_store(call);
}

void handle_opt_out(struct api_call *call)
{
	conversation_read(call->parts, call->who.workspace, call->params[0], on_conversation, call);
}
