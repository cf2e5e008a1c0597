#include "delivery/outbox.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/text.h"
#include "store/store.h"

enum { PREFIX_CHARACTERS = 4 };

struct outbox_run {
	outbox_done_fn *done;
	void *context;
};

struct due_run {
	outbox_due_fn *done;
	void *context;
};

static struct outbox_run *run_new(outbox_done_fn *done, void *context)
{
	struct outbox_run *run = memory_new(sizeof(*run));

	run->done = done;
	run->context = context;
	return run;
}

static void finish(struct outbox_run *run, const struct outbox_result *result,
		   const struct error *err)
{
	run->done(result, err, run->context);
	free(run);
}

/* What is the same in all answers: true where it was neither ok nor a replay. */
static bool read_common(const struct store_reply *reply, struct outbox_result *result)
{
	if (reply_is(reply, "wait")) {
		result->code = OUTBOX_WAIT;
		result->due_ms = reply_int_at(reply, 1);
	} else if (reply_is(reply, "empty")) {
		result->code = OUTBOX_EMPTY;
	} else if (reply_is(reply, "conflict")) {
		result->code = OUTBOX_CONFLICT;
	} else if (reply_is(reply, "refused")) {
		result->code = OUTBOX_REFUSED;
		result->refusal = reply_text_at(reply, 1);
		result->state = reply_text_at(reply, 2);
	} else {
		return false;
	}
	return true;
}

static void unknown(struct outbox_run *run)
{
	const struct outbox_result result = { .code = OUTBOX_FAILED };
	struct error err;

	error_set(&err, ERROR_TEMPORARY, "the store gave an unknown answer");
	finish(run, &result, &err);
}

/* {'ok', state, msg}, {'replay', 'ok', state, msg} */
static void on_answer(const struct store_reply *reply, const struct error *err, void *context)
{
	struct outbox_run *run = context;
	struct outbox_result result = { .code = OUTBOX_FAILED };
	size_t first;

	if (err || read_common(reply, &result)) {
		finish(run, &result, err);
		return;
	}
	result.replayed = reply_is(reply, "replay");
	if (!result.replayed && !reply_is(reply, "ok")) {
		unknown(run);
		return;
	}
	first = result.replayed ? 2 : 1;
	result.code = OUTBOX_OK;
	result.state = reply_text_at(reply, first);
	result.message_id = reply_text_at(reply, first + 1);
	finish(run, &result, NULL);
}

static void read_message(const struct store_reply *reply, struct outbox_message *message)
{
	message->id = reply_text_at(reply, 1);
	message->index = reply_int_at(reply, 2);
	message->attempt = (int)reply_int_at(reply, 3);
	message->idempotent = reply_int_at(reply, 4) == 1;
	message->expires_ms = reply_int_at(reply, 5);
	message->stored = reply_text(reply_item(reply, 6), &message->stored_len);
	message->channel = reply_text_at(reply, 7);
	message->address = reply_text_at(reply, 8);
	message->name = reply_text_at(reply, 9);
	message->thread = reply_text_at(reply, 10);
	message->subject = reply_text_at(reply, 11);
	message->in_reply_to = reply_text_at(reply, 12);
	message->last_inbound_ms = reply_int_at(reply, 13);
	message->customer = reply_text_at(reply, 14);
	message->parts_sent = (size_t)reply_int_at(reply, 15);
	message->window = reply_text_at(reply, 16);
	message->reply_context = reply_text_at(reply, 17);
	message->opted_out_ms = reply_int_at(reply, 18);
	message->is_exempt = reply_int_at(reply, 19) == 1;
}

static void on_begun(const struct store_reply *reply, const struct error *err, void *context)
{
	struct outbox_run *run = context;
	struct outbox_result result = { .code = OUTBOX_FAILED };
	struct outbox_message message = { 0 };

	if (err || read_common(reply, &result)) {
		if (text_equal(result.refusal, "sending")) {
			result.code = OUTBOX_SENDING;
			result.message_id = result.state;
			result.state = "sending";
		}
		finish(run, &result, err);
		return;
	}
	if (!reply_is(reply, "ok") || reply_count(reply) < 20) {
		unknown(run);
		return;
	}
	read_message(reply, &message);
	result.code = OUTBOX_OK;
	result.state = "sending";
	result.message_id = message.id;
	result.message = &message;
	finish(run, &result, NULL);
}

void outbox_begin(struct store *store, const struct outbox_claim *claim, outbox_done_fn *done,
		  void *context)
{
	struct store_call *call = store_script("send_begin", claim->workspace);

	store_key(call, "lease:steward");
	store_key(call, "oq:%s", claim->conversation);
	store_key(call, "c:%s", claim->conversation);
	store_arg_text(call, claim->fence);
	store_arg_text(call, claim->conversation);
	store_arg_text(call, claim->token);
	store_arg_int(call, claim->timeout_ms);
	store_run(store, call, on_begun, run_new(done, context));
}

void outbox_recover(struct store *store, const struct outbox_claim *claim, outbox_done_fn *done,
		    void *context)
{
	struct store_call *call = store_script("send_recover", claim->workspace);

	store_key(call, "lease:steward");
	store_key(call, "oq:%s", claim->conversation);
	store_arg_text(call, claim->fence);
	store_arg_text(call, claim->conversation);
	store_arg_text(call, claim->dead);
	store_run(store, call, on_answer, run_new(done, context));
}

static void add_reference(struct store_call *call, const struct outbox_ending *ending)
{
	struct buf pair = { 0 };

	if (!ending->reference) {
		store_arg_text(call, "");
		return;
	}
	buf_format(&pair, "%s %s", ending->conversation + PREFIX_CHARACTERS,
		   ending->message + PREFIX_CHARACTERS);
	store_arg(call, ending->reference->field, IDENTITY_FIELD_BYTES);
	store_arg(call, pair.data, pair.len);
	store_arg_text(call, ending->provider_id);
	buf_clear(&pair);
}

void outbox_end(struct store *store, const struct outbox_ending *ending, outbox_done_fn *done,
		void *context)
{
	static const char *const outcomes[] = {
		[OUTCOME_SENT] = "sent",       [OUTCOME_RETRY] = "retry",
		[OUTCOME_FAILED] = "failed",   [OUTCOME_UNCERTAIN] = "uncertain",
		[OUTCOME_EXPIRED] = "expired", [OUTCOME_LATER] = "later",
	};
	struct store_call *call = store_script("send_end", ending->workspace);

	store_key(call, "oq:%s", ending->conversation);
	store_key(call, "x:%s", ending->message);
	if (ending->reference) {
		store_key(call, "r:%x", ending->reference->bucket);
		store_key(call, "early:%s", ending->reference->hex);
	}
	store_arg_text(call, ending->conversation);
	store_arg_text(call, ending->message);
	store_arg_text(call, ending->token);
	store_arg_text(call, outcomes[ending->outcome]);
	store_arg_text(call, ending->code);
	store_arg_text(call, ending->why);
	store_arg_int(call, ending->retry_ms);
	add_reference(call, ending);
	store_run(store, call, on_answer, run_new(done, context));
}

void outbox_name(struct store *store, const struct outbox_ending *ending, outbox_done_fn *done,
		 void *context)
{
	struct store_call *call = store_script("send_named", ending->workspace);

	store_key(call, "x:%s", ending->message);
	store_key(call, "r:%x", ending->reference->bucket);
	store_key(call, "y:%s", ending->conversation);
	store_arg_text(call, ending->message);
	store_arg_text(call, ending->token);
	add_reference(call, ending);
	store_run(store, call, on_answer, run_new(done, context));
}

void outbox_part(struct store *store, const struct outbox_progress *progress, outbox_done_fn *done,
		 void *context)
{
	struct store_call *call = store_script("send_part", progress->workspace);

	store_key(call, "x:%s", progress->message);
	store_arg_text(call, progress->conversation);
	store_arg_text(call, progress->token);
	store_arg_int(call, (int64_t)progress->parts_sent);
	store_arg_int(call, progress->timeout_ms);
	store_run(store, call, on_answer, run_new(done, context));
}

void outbox_count(struct store *store, const struct outbox_count *count, outbox_done_fn *done,
		  void *context)
{
	struct store_call *call = store_script("send_count", count->workspace);

	store_key(call, "x:%s", count->message);
	store_key(call, "c:%s", count->conversation);
	store_arg_text(call, count->token);
	store_arg_int(call, count->per_hour);
	store_arg_int(call, count->per_day);
	store_run(store, call, on_answer, run_new(done, context));
}

void outbox_decide(struct store *store, const struct outbox_decision *decision,
		   outbox_done_fn *done, void *context)
{
	struct store_call *call = store_script(
		decision->decision ? "uncertain_decide" : "dead_redrive", decision->workspace);

	store_key(call, "dead:%s", decision->message);
	store_key(call, "x:%s", decision->message);
	store_arg_once(call, decision->key, decision->request);
	store_arg_text(call, decision->message);
	if (decision->decision) {
		store_arg_text(call, decision->decision);
		store_arg_text(call, decision->agent == NULL ? "" : decision->agent);
	}
	store_run(store, call, on_answer, run_new(done, context));
}

static void on_due(const struct store_reply *reply, const struct error *err, void *context)
{
	struct due_run *run = context;
	struct outbox_due due[OUTBOX_DUE_MAX];
	size_t count = err ? 0 : reply_count(reply) / 2;

	if (count > OUTBOX_DUE_MAX)
		count = OUTBOX_DUE_MAX;
	for (size_t i = 0; i < count; i++) {
		due[i].conversation = reply_text(reply_item(reply, 2 * i), NULL);
		due[i].due_ms = reply_int_at(reply, 2 * i + 1);
	}
	run->done(due, count, err, run->context);
	free(run);
}

void outbox_read_due(struct store *store, const char *workspace, outbox_due_fn *done, void *context)
{
	struct store_call *call = store_command("ZRANGE");
	struct due_run *run = memory_new(sizeof(*run));

	run->done = done;
	run->context = context;
	store_arg_key(call, workspace, "od");
	store_arg_int(call, 0);
	store_arg_int(call, OUTBOX_DUE_MAX - 1);
	store_arg_text(call, "WITHSCORES");
	store_read(store, call, on_due, run);
}
