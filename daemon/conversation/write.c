#include <stdlib.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/text.h"
#include "conversation/conversation.h"
#include "store/blob_owner.h"
#include "store/store.h"

struct write_run {
	write_done_fn *done;
	void *context;
};

static struct write_run *run_new(write_done_fn *done, void *context)
{
	struct write_run *run = memory_new(sizeof(*run));

	run->done = done;
	run->context = context;
	return run;
}

static void read_written(const struct store_reply *reply, size_t first, struct write_result *result)
{
	result->code = WRITE_OK;
	result->message = reply_text_at(reply, first);
	result->index = reply_int(reply_item(reply, first + 1));
	result->work_item = reply_text_at(reply, first + 2);
	result->work_state = reply_text_at(reply, first + 3);
	result->version = reply_int(reply_item(reply, first + 4));
}

static void on_written(const struct store_reply *reply, const struct error *err, void *context)
{
	struct write_run *run = context;
	struct write_result result = { .code = WRITE_FAILED };
	struct error unknown;

	if (!err && reply_is(reply, "ok") && reply_count(reply) >= 6) {
		read_written(reply, 1, &result);
	} else if (!err && reply_is(reply, "replay") && reply_count(reply) >= 7) {
		read_written(reply, 2, &result);
		result.replayed = true;
	} else if (!err && reply_is(reply, "conflict")) {
		result.code = WRITE_CONFLICT;
	} else if (!err && reply_is(reply, "refused")) {
		result.code = WRITE_REFUSED;
		result.refusal = reply_text_at(reply, 1);
		result.state = reply_text_at(reply, 2);
		result.version = reply_int(reply_item(reply, 3));
	} else if (!err) {
		error_set(&unknown, ERROR_TEMPORARY, "the store gave an unknown answer");
		err = &unknown;
	}
	run->done(&result, err, run->context);
	free(run);
}

static void add_message_keys(struct store_call *call, const struct message_record *message)
{
	store_key(call, "c:%s", message->conversation);
	store_key(call, "m:%s", message->conversation);
	store_key(call, "oq:%s", message->conversation);
	store_key(call, "x:%s", message->id);
}

static void add_message(struct store_call *call, const struct message_record *message)
{
	struct buf text = { 0 };

	message_write(&text, message);
	store_arg_text(call, message->conversation);
	store_arg_text(call, message->id);
	store_arg(call, text.data, text.len);
	buf_clear(&text);
}

static bool is_by_machine(const struct message_record *message)
{
	return message->automatic || text_equal(message->author_type, "bot") ||
	       text_equal(message->author_type, "system");
}

static void add_caps(struct store_call *call, const struct reply *reply)
{
	store_arg_int(call, reply->per_hour);
	store_arg_int(call, reply->per_day);
}

static void add_no_caps(struct store_call *call)
{
	store_arg_text(call, "");
	store_arg_text(call, "");
}

void conversation_reply(struct store *store, const struct reply *reply, write_done_fn *done,
			void *context)
{
	const struct message_record *message = reply->message;
	struct store_call *call = store_script("reply", reply->workspace);
	struct buf blobs = { 0 };

	add_message_keys(call, message);
	store_arg_once(call, reply->key, reply->request);
	add_message(call, message);
	store_arg_text(call, message->kind == MESSAGE_NOTE ? "note" : "reply");
	store_arg_text(call, reply->agent);
	store_arg_text(call, reply->any_agent ? "1" : "0");
	store_arg_text(call, reply->idempotent ? "1" : "0");
	store_arg_text(call, is_by_machine(message) ? "1" : "0");
	store_arg_int(call, reply->expires_ms);
	for (size_t i = 0; i < message->attachment_count; i++)
		blob_pack(&blobs, message->attachments[i].blob);
	store_arg(call, buf_string(&blobs), blobs.len);
	buf_clear(&blobs);
	if (reply->version > 0)
		store_arg_int(call, reply->version);
	else
		store_arg_text(call, "");
	store_arg_text(call, reply->to_opted_out ? "1" : "");
	if (is_by_machine(message))
		add_no_caps(call);
	else
		add_caps(call, reply);
	store_arg_text(call, reply->mentions == NULL ? "" : reply->mentions);
	store_arg_text(call, reply->is_shut ? "1" : "");
	store_run(store, call, on_written, run_new(done, context));
}

static void add_identifier(struct store_call *call, const struct converse *converse)
{
	struct buf text = { 0 };

	store_arg(call, converse->identifier_field, converse->identifier_field_len);
	buf_format(&text, "%x", converse->identifier_bucket);
	store_arg_text(call, buf_string(&text));
	buf_reset(&text);
	buf_format(&text, "i:%s", converse->identifier_hash);
	store_arg_text(call, buf_string(&text));
	store_arg_text(call, converse->record);
	store_arg_text(call, converse->proved_hash);
	add_caps(call, &converse->first);
	buf_clear(&text);
}

void conversation_start(struct store *store, const struct converse *converse, write_done_fn *done,
			void *context)
{
	const struct message_record *message = converse->first.message;
	struct store_call *call = store_script("converse", converse->first.workspace);

	add_message_keys(call, message);
	store_key(call, "u:%s", converse->customer);
	store_key(call, "w:%s", converse->work_item);
	store_arg_once(call, converse->first.key, converse->first.request);
	add_message(call, message);
	store_arg_text(call, converse->first.agent);
	store_arg_text(call, converse->first.idempotent ? "1" : "0");
	store_arg_text(call, converse->customer);
	store_arg_text(call, message->channel);
	store_arg_text(call, converse->identifier_hash);
	store_arg_text(call, converse->address);
	store_arg_text(call, converse->name);
	store_arg_text(call, converse->thread);
	store_arg_text(call, converse->subject);
	store_arg_text(call, converse->work_item);
	store_arg_text(call, converse->queue);
	store_arg_text(call, converse->type);
	store_arg_int(call, converse->cost);
	store_arg_int(call, converse->priority);
	store_arg_int(call, converse->waiting_cost);
	if (converse->record)
		add_identifier(call, converse);
	store_run(store, call, on_written, run_new(done, context));
}
