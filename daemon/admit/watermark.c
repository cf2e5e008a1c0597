#include "admit/watermark.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "conversation/conversation.h"
#include "identity/identity.h"
#include "store/store.h"

enum { NEWEST = 50 };

struct watermark {
	struct parts *parts;
	char workspace[64];
	char channel[48];
	char conversation[ID_BYTES];
	enum receipt_state state;
	int64_t until_ms;
	size_t pending;
	bool any_stored;
	bool any_failed;
	struct error err;
	admit_done_fn *done;
	void *context;
};

static void settle(struct watermark *mark)
{
	const struct admit_result result = { .code = mark->any_failed   ? ADMIT_FAILED
						     : mark->any_stored ? ADMIT_STORED
									: ADMIT_DUPLICATE };

	if (mark->pending > 0)
		return;
	mark->done(&result, mark->any_failed ? &mark->err : NULL, mark->context);
	free(mark);
}

static void on_stored(const struct store_reply *reply, const struct error *err, void *context)
{
	struct watermark *mark = context;

	mark->pending--;
	if (err != NULL) {
		mark->any_failed = true;
		mark->err = *err;
	} else if (reply_is(reply, "ok")) {
		mark->any_stored = true;
	}
	settle(mark);
}

static void message_settle(struct watermark *mark, const char *message, int64_t index)
{
	struct store_call *call = store_script("admit_receipt", mark->workspace);

	store_key(call, "y:%s", mark->conversation);
	store_arg_text(call, mark->conversation);
	store_arg_text(call, message);
	store_arg_int(call, index);
	store_arg_text(call, mark->state == RECEIPT_READ ? "read" : "delivered");
	store_arg_text(call, "");
	store_arg_text(call, mark->channel);
	mark->pending++;
	store_run(mark->parts->store, call, on_stored, mark);
}

static bool is_meant(const struct watermark *mark, struct json_object *message)
{
	const char *state = json_text(message, "delivery.state");

	return (text_equal(state, "sent") || text_equal(state, "delivered")) &&
	       text_parse_time(json_text(message, "created_at")) <= mark->until_ms;
}

static void on_page(const struct message_page *page, const struct error *err, void *context)
{
	struct watermark *mark = context;
	OWNED(buf_clear) struct buf text = { 0 };
	struct json_object *list = NULL;

	mark->pending = 1; /* this call */
	if (err != NULL) {
		mark->any_failed = true;
		mark->err = *err;
	} else if (page != NULL) {
		buf_byte(&text, '[');
		buf_add(&text, page->json, page->len);
		buf_byte(&text, ']');
		list = json_read(text.data, text.len, NULL);
	}
	for (size_t i = 0; i < json_count(list); i++)
		if (is_meant(mark, json_item(list, i)))
			message_settle(mark, json_text(json_item(list, i), "id"),
				       page->positions[i]);
	json_free(&list);
	mark->pending--;
	settle(mark);
}

void admit_watermark(struct parts *parts, const struct admit_receipt *receipt, const char *kind,
		     admit_done_fn *done, void *context)
{
	const struct identity_place place = { parts->key, receipt->workspace, receipt->channel };
	const struct identifier reader = { .kind = kind,
					   .scope = receipt->receipt->scope == NULL
							    ? ""
							    : receipt->receipt->scope,
					   .value = receipt->receipt->to,
					   .proof = PROOF_CHANNEL };
	struct watermark *mark = memory_new(sizeof(*mark));
	struct message_query query = { .from = -1, .limit = NEWEST, .descending = true };

	mark->parts = parts;
	mark->state = receipt->receipt->state;
	mark->until_ms = receipt->receipt->until_ms;
	mark->done = done;
	mark->context = context;
	snprintf(mark->workspace, sizeof(mark->workspace), "%s", receipt->workspace);
	snprintf(mark->channel, sizeof(mark->channel), "%s", receipt->channel);
	identity_conversation(&place, &reader, "", mark->conversation);
	query.workspace = mark->workspace;
	query.conversation = mark->conversation;
	conversation_messages(parts, &query, on_page, mark);
}
