/* The chain of a work item's transfers, and their ends by the asker. */
#include <stdlib.h>

#include "api/handlers.h"
#include "api/page.h"
#include "api/work_json.h"
#include "base/text.h"
#include "parts.h"
#include "routing/work.h"
#include "store/store.h"

static const char *field(const struct store_reply *transfer, const char *name)
{
	for (size_t i = 1; i + 1 < reply_count(transfer); i += 2)
		if (text_equal(reply_text(reply_item(transfer, i), NULL), name))
			return reply_text(reply_item(transfer, i + 1), NULL);
	return "";
}

static void text_or_null(struct json_out *out, const char *key, const char *text)
{
	jw_text(out, key, *text == '\0' ? NULL : text);
}

static void time_write(struct json_out *out, const char *key, const char *text)
{
	jw_time(out, key, strtoll(text, NULL, 10));
}

static void transfer_write(struct json_out *out, const struct store_reply *transfer)
{
	jw_object(out, NULL);
	jw_text(out, "id", reply_text(reply_item(transfer, 0), NULL));
	jw_text(out, "kind", field(transfer, "k"));
	jw_text(out, "state", field(transfer, "s"));
	jw_text(out, "work_item", field(transfer, "w"));
	text_or_null(out, "from_agent", field(transfer, "from"));
	text_or_null(out, "from_queue", field(transfer, "fq"));
	text_or_null(out, text_equal(field(transfer, "tk"), "queue") ? "to_queue" : "to_agent",
		     field(transfer, "to"));
	text_or_null(out, "department", field(transfer, "dp"));
	text_or_null(out, "by", field(transfer, "by"));
	if (strtoll(field(transfer, "lv"), NULL, 10) > 0)
		jw_int(out, "level", strtoll(field(transfer, "lv"), NULL, 10));
	text_or_null(out, "reason", field(transfer, "rs"));
	text_or_null(out, "summary", field(transfer, "sum"));
	text_or_null(out, "fallback", field(transfer, "fb"));
	time_write(out, "created_at", field(transfer, "ct"));
	time_write(out, "deadline_at", field(transfer, "ex"));
	time_write(out, "ended_at", field(transfer, "et"));
	jw_object_end(out);
}

static void on_chain(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct buf body = { 0 };
	struct json_out out;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (reply_is(reply, "none")) {
		api_problem(call, 404, "no_such_work_item", "there is no work item \"%s\"",
			    call->params[0]);
		return;
	}
	page_start(&out, &body);
	for (size_t i = 0; i < reply_count(reply); i++)
		transfer_write(&out, reply_item(reply, i));
	page_end_whole(call, &out, &body);
}

void handle_transfer_list(struct api_call *call)
{
	struct store_call *read = store_script("transfer_read", call->who.workspace);

	store_arg_text(read, call->params[0]);
	store_read(call->parts->store, read, on_chain, call);
}

/* Who asked takes a transfer or a consultation back; a consultation that was accepted ends. */
static void on_kind(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const char *kind = err == NULL ? reply_text(reply_item(reply, 0), NULL) : NULL;
	const char *state = err == NULL ? reply_text(reply_item(reply, 1), NULL) : NULL;

	if (err != NULL)
		api_fail(call, err);
	else if (kind == NULL)
		api_problem(call, 404, "no_such_transfer", "there is no transfer \"%s\"",
			    call->params[0]);
	else if (!text_equal(kind, "consult"))
		work_transfer_end(work_call_of(call, false), call->params[0], "cancelled", NULL,
				  work_answer_done, call);
	else
		work_consult_end(work_call_of(call, false), call->params[0],
				 text_equal(state, "accepted") ? "ended" : "cancelled",
				 work_answer_done, call);
}

void handle_transfer_cancel(struct api_call *call)
{
	struct store_call *read = store_command("HMGET");

	store_arg_key(read, call->who.workspace, "t:%s", call->params[0]);
	store_arg_text(read, "k");
	store_arg_text(read, "s");
	store_read(call->parts->store, read, on_kind, call);
}
