/* Messages that could not be delivered, and those nobody knows about. */
#include <string.h>

#include "api/handlers.h"
#include "base/text.h"
#include "delivery/outbox.h"
#include "parts.h"
#include "store/store.h"

static void write_dead(struct json_out *out, const struct store_reply *item)
{
	const struct store_reply *fields = reply_item(item, 1);

	jw_object(out, NULL);
	jw_text(out, "id", reply_text(reply_item(item, 0), NULL));
	jw_text(out, "message", reply_text(reply_item(item, 0), NULL));
	jw_text(out, "conversation", reply_field(fields, "c"));
	jw_text(out, "channel", reply_field(fields, "ch"));
	jw_text(out, "code", reply_field(fields, "code"));
	jw_text(out, "reason", reply_field(fields, "why"));
	jw_text(out, "state", reply_field(fields, "s"));
	jw_time(out, "at", reply_int(reply_item(item, 2)));
	jw_object_end(out);
}

static void on_list(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct buf body = { 0 };
	struct json_out out;
	const char *cursor;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	cursor = reply_text(reply_item(reply, 0), NULL);
	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_array(&out, "data");
	for (size_t i = 1; i < reply_count(reply); i++)
		write_dead(&out, reply_item(reply, i));
	jw_array_end(&out);
	jw_text(&out, "next_cursor", cursor != NULL && *cursor != '\0' ? cursor : NULL);
	jw_object_end(&out);
	api_answer(call, 200, &body);
}

void handle_dead_list(struct api_call *call)
{
	struct store_call *list;
	const char *after = api_query(call, "after");
	uint64_t skip = 0;
	int limit = api_limit(call);

	if (limit < 0)
		return;
	if (after != NULL && !text_uint(after, strlen(after), &skip)) {
		api_problem(call, 400, "bad_cursor", "after must be a next_cursor of this list");
		return;
	}
	list = store_script("dead_list", call->who.workspace);
	store_key(list, "dead");
	store_arg_int(list, (int64_t)skip);
	store_arg_int(list, limit);
	store_read(call->parts->store, list, on_list, call);
}

static void on_decided(const struct outbox_result *result, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct buf body = { 0 };
	struct json_out out;

	if (result->code == OUTBOX_FAILED) {
		api_fail(call, err);
		return;
	}
	if (result->code == OUTBOX_CONFLICT) {
		api_key_conflict(call);
		return;
	}
	if (result->code == OUTBOX_REFUSED) {
		bool unknown = text_equal(result->refusal, "not_found");

		api_problem(call, unknown ? 404 : 409,
			    unknown ? "no_such_message" : result->refusal,
			    unknown ? "there is no such message here"
				    : "the message's delivery is %s, which does not allow this",
			    result->state == NULL ? "something else" : result->state);
		return;
	}
	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_text(&out, "state", result->state);
	jw_null(&out, "error");
	jw_object_end(&out);
	api_answer(call, 200, &body);
}

static void decide(struct api_call *call, const char *decision)
{
	struct outbox_decision what = {
		.workspace = call->who.workspace,
		.message = call->params[0],
		.decision = decision,
	};

	if (*call->idempotency_key != '\0') {
		what.key = call->idempotency_key;
		what.request = call->request_hash;
	}
	outbox_decide(call->parts->store, &what, on_decided, call);
}

void handle_dead_redrive(struct api_call *call)
{
	decide(call, NULL);
}

void handle_message_decide(struct api_call *call)
{
	decide(call, json_text(call->body, "outcome"));
}
