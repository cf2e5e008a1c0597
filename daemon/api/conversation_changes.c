/* Conversations put in order: split, move, merge, and undo. */
#include <string.h>

#include "api/handlers.h"
#include "api/names.h"
#include "base/id.h"
#include "base/memory.h"
#include "base/text.h"
#include "conversation/change.h"
#include "conversation/conversation.h"
#include "parts.h"
#include "routing/work.h"
#include "services/loop.h"

struct changing {
	struct change_request request;
	struct change change; /* as it came out */
	const char *queue;    /* of the work item that is wanted; NULL: none */
	char work_item[ID_BYTES];
};

/* ---- answers ---- */

static void change_write(struct json_out *out, const struct change *change)
{
	jw_object(out, NULL);
	jw_text(out, "id", change->id);
	jw_text(out, "kind", change->kind);
	jw_text(out, "from", change->from);
	jw_text(out, "to", change->to);
	jw_text(out, "message", change->message);
	jw_int(out, "messages", change->messages);
	jw_text(out, "state", change->state);
	jw_text(out, "by", change->by);
	jw_time(out, "created_at", change->created_ms);
	jw_text(out, "undone_by", change->undone_by[0] == '\0' ? NULL : change->undone_by);
	jw_time(out, "undone_at", change->undone_ms);
}

static void answer(struct api_call *call, const char *work_item)
{
	const struct changing *changing = call->state;
	bool is_undo = changing->request.kind == CHANGE_UNDO;
	struct buf body = { 0 };
	struct json_out out;

	jw_start(&out, &body);
	change_write(&out, &changing->change);
	if (changing->request.kind == CHANGE_SPLIT)
		jw_text(&out, "work_item",
			work_item == NULL || *work_item == '\0' ? NULL : work_item);
	jw_object_end(&out);
	api_answer(call, is_undo ? 200 : 201, &body);
}

struct refusal {
	const char *word;
	int status;
	const char *code;
	const char *text;
};

static const struct refusal refusals[] = {
	{ "not_found", 404, "not_found", "there is no such conversation or change" },
	{ "no_message", 404, "no_such_message",
	  "the conversation has no such message among its last 10,000" },
	{ "other_identifier", 409, "other_identifier",
	  "both conversations must be of one channel and one address of the customer" },
	{ "in_flight", 409, "in_flight",
	  "an outbound message is on its way, or its fate is open: wait or decide first" },
	{ "changed", 409, "changed", "a message is not where it was: read the conversation again" },
	{ "state", 409, "already_undone", "this change was undone before" },
};

static void refuse(struct api_call *call, const struct change_result *result)
{
	for (size_t i = 0; i < COUNT_OF(refusals); i++) {
		const struct refusal *row = &refusals[i];
		bool has_message = result->detail != NULL && id_is(result->detail, "msg_");

		if (!text_equal(row->word, result->refusal))
			continue;
		api_problem(call, row->status, row->code, "%s%s%s%s", row->text,
			    has_message ? " (" : "", has_message ? result->detail : "",
			    has_message ? ")" : "");
		return;
	}
	api_problem(call, 409, "conflict", "the conversations cannot be changed like this now");
}

/* ---- the work item of what was split off ---- */

static void on_split_off(const struct conversation *conversation, const struct error *err,
			 void *context)
{
	struct api_call *call = context;

	if (err != NULL)
		api_fail(call, err);
	else
		answer(call, conversation == NULL ? NULL : conversation->work_item);
}

static void on_opened(const struct work_result *result, const struct error *err, void *context)
{
	struct api_call *call = context;
	const struct changing *changing = call->state;

	(void)result;
	if (err != NULL)
		api_fail(call, err);
	else
		conversation_read(call->parts, call->who.workspace, changing->change.to,
				  on_split_off, call);
}

static void work_wanted(struct api_call *call)
{
	struct changing *changing = call->state;
	const struct work_call work = { .store = call->parts->store,
					.workspace = call->who.workspace,
					.work_item = changing->work_item };
	const struct work_case what = { .conversation = changing->change.to,
					.queue = changing->queue };

	id_new("wrk_", changing->work_item);
	work_open(&work, &what, on_opened, call);
}

static void on_done(const struct change_result *result, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct changing *changing = call->state;

	if (result->code == CHANGE_FAILED) {
		api_fail(call, err);
		return;
	}
	if (result->code == CHANGE_CONFLICT) {
		api_key_conflict(call);
		return;
	}
	if (result->code == CHANGE_REFUSED) {
		refuse(call, result);
		return;
	}
	changing->change = *result->change;
	if (result->replayed)
		api_replayed(call);
	if (changing->request.kind != CHANGE_SPLIT)
		answer(call, NULL);
	else if (changing->queue != NULL && !result->replayed)
		work_wanted(call);
	else
		conversation_read(call->parts, call->who.workspace, changing->change.to,
				  on_split_off, call);
}

/* ---- requests ---- */

static void changing_run(struct api_call *call)
{
	struct changing *changing = call->state;

	change_run(call->parts->store, call->parts->key, &changing->request, on_done, call);
}

static struct changing *changing_new(struct api_call *call, enum change_kind kind)
{
	struct changing *changing = arena_alloc(call->arena, sizeof(*changing));

	changing->request = (struct change_request){
		.workspace = call->who.workspace,
		.kind = kind,
		.by = call->who.agent,
		.now_ms = loop_unix_ms(call->parts->loop),
	};
	if (*call->idempotency_key != '\0') {
		changing->request.key = call->idempotency_key;
		changing->request.request = call->request_hash;
	}
	call->state = changing;
	return changing;
}

/* False after having answered. */
static bool are_ids(struct api_call *call, const char *conversation, const char *message)
{
	bool fine = id_is(call->params[0], "cnv_") &&
		    (conversation == NULL || id_is(conversation, "cnv_")) &&
		    (message == NULL || id_is(message, "msg_"));

	if (!fine)
		refuse(call, &(struct change_result){ .refusal = "not_found" });
	else if (text_equal(conversation, call->params[0]))
		api_invalid(call, "#/body", "both are the same conversation");
	else
		return true;
	return false;
}

void handle_conversation_split(struct api_call *call)
{
	struct changing *changing = changing_new(call, CHANGE_SPLIT);

	changing->request.from = call->params[0];
	changing->request.message = json_text(call->body, "at");
	changing->request.subject = json_text(call->body, "subject");
	changing->queue = json_text_copy(call->body, "queue", call->arena);
	changing->request.opens = changing->queue != NULL;
	if (are_ids(call, NULL, changing->request.message))
		name_check(call, NAME_QUEUE, changing->queue, "queue", changing_run);
}

void handle_conversation_move(struct api_call *call)
{
	struct changing *changing = changing_new(call, CHANGE_MOVE);

	changing->request.from = call->params[0];
	changing->request.to = json_text(call->body, "to");
	changing->request.message = json_text(call->body, "message");
	if (are_ids(call, changing->request.to, changing->request.message))
		changing_run(call);
}

void handle_conversation_merge(struct api_call *call)
{
	struct changing *changing = changing_new(call, CHANGE_MERGE);

	changing->request.from = json_text(call->body, "from");
	changing->request.to = call->params[0];
	if (are_ids(call, changing->request.from, NULL))
		changing_run(call);
}

void handle_change_undo(struct api_call *call)
{
	struct changing *changing = changing_new(call, CHANGE_UNDO);

	changing->request.change = call->params[0];
	if (!id_is(call->params[0], "mv_"))
		refuse(call, &(struct change_result){ .refusal = "not_found" });
	else
		changing_run(call);
}

/* ---- history ---- */

static void on_changes(const struct change *changes, size_t count, const struct error *err,
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
	jw_array(&out, "data");
	for (size_t i = 0; i < count; i++) {
		change_write(&out, &changes[i]);
		jw_object_end(&out);
	}
	jw_array_end(&out);
	jw_text(&out, "next_cursor", NULL);
	jw_object_end(&out);
	api_answer(call, 200, &body);
}

static void on_known(const struct conversation *conversation, const struct error *err,
		     void *context)
{
	struct api_call *call = context;

	if (err != NULL)
		api_fail(call, err);
	else if (conversation == NULL)
		api_no_conversation(call);
	else
		changes_of_conversation(call->parts->store, call->who.workspace, call->params[0],
					on_changes, call);
}

void handle_change_list(struct api_call *call)
{
	conversation_read(call->parts, call->who.workspace, call->params[0], on_known, call);
}
