/* What an agent has written in a conversation and not sent: found again in another tab, on another
 * machine. Only the agent's own; reply.lua takes it away. */
#include <string.h>

#include "api/handlers.h"
#include "base/limits.h"
#include "base/text.h"
#include "parts.h"
#include "services/loop.h"
#include "store/store.h"

static const int64_t kept_ms = (int64_t)30 * 24 * 3600 * 1000;

static const char nothing[] =
	"{\"kind\":\"reply\",\"text\":\"\",\"channel\":null,\"to\":null,\"updated_at\":null}";

static void not_here(struct api_call *call)
{
	api_problem(call, 404, "no_such_conversation",
		    "there is no conversation \"%s\", or it is at rest in the history",
		    call->params[0]);
}

static void on_draft(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const char *stored = err == NULL ? reply_text_at(reply, 1) : NULL;

	if (err != NULL)
		api_fail(call, err);
	else if (!reply_is(reply, "ok"))
		not_here(call);
	else
		api_answer_text(call, 200, stored == NULL ? nothing : stored);
}

static struct store_call *script_of(struct api_call *call, const char *name)
{
	struct store_call *script = store_script(name, call->who.workspace);

	store_key(script, "c:%s", call->params[0]);
	store_key(script, "dr:%s", call->params[0]);
	store_arg_text(script, call->who.agent);
	return script;
}

void handle_draft_get(struct api_call *call)
{
	store_read(call->parts->store, script_of(call, "draft_read"), on_draft, call);
}

static void on_put(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;

	if (err != NULL)
		api_fail(call, err);
	else if (reply_is(reply, "ok"))
		api_answer_text(call, 200, call->state);
	else if (text_equal(reply_text_at(reply, 1), "too_many"))
		api_problem(call, 409, "too_many_drafts",
			    "too many agents have a draft in this conversation");
	else
		not_here(call);
}

static void line_add(struct api_call *call, struct json_out *out, const char *name)
{
	const char *text = json_text(call->body, name);

	if (text == NULL)
		jw_null(out, name);
	else
		jw_text(out, name, text_clean_line(call->arena, text, strlen(text), strlen(text)));
}

void handle_draft_put(struct api_call *call)
{
	const char *kind = json_text(call->body, "kind");
	const char *given = json_text(call->body, "text");
	const char *text = text_clean(call->arena, given, strlen(given), LIMIT_DRAFT_BYTES);
	struct store_call *put;
	struct buf shown = { 0 };
	struct json_out out;

	jw_start(&out, &shown);
	jw_object(&out, NULL);
	jw_text(&out, "kind", kind == NULL ? "reply" : kind);
	jw_text(&out, "text", text);
	line_add(call, &out, "channel");
	line_add(call, &out, "to");
	jw_time(&out, "updated_at", loop_unix_ms(call->parts->loop));
	jw_object_end(&out);
	call->state = arena_text(call->arena, shown.data);
	buf_clear(&shown);
	put = script_of(call, "draft_put");
	store_arg_text(put, *text == '\0' ? "" : call->state);
	store_arg_int(put, kept_ms);
	store_run(call->parts->store, put, on_put, call);
}
