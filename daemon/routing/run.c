#include "routing/run.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"
#include "store/store.h"

struct work_run {
	work_done_fn *done;
	void *context;
};

struct work_run *work_run_new(work_done_fn *done, void *context)
{
	struct work_run *run = memory_new(sizeof(*run));

	run->done = done;
	run->context = context;
	return run;
}

void work_run_end(struct work_run *run, const struct work_result *result, const struct error *err)
{
	run->done(result, err, run->context);
	free(run);
}

static void read_refusal(const struct store_reply *reply, struct work_result *result)
{
	result->code = WORK_REFUSED;
	result->refusal = reply_text_at(reply, 1);
	result->state = reply_text_at(reply, 2);
	if (text_equal(result->refusal, "version"))
		result->version = reply_int(reply_item(reply, 3));
	if (!text_equal(result->refusal, "illegal_state"))
		return;
	for (size_t i = 3; i < reply_count(reply) && result->allowed_count < WORK_ALLOWED_MAX; i++)
		result->allowed[result->allowed_count++] = reply_text_at(reply, i);
}

/* Texts of the answer {'ok', wrk, state, v, queue, cnv, cus, agent}, from its second item on;
 * a replay has one word more in front. */
static void read_item(const struct store_reply *reply, size_t first, struct work_result *result)
{
	result->code = WORK_OK;
	result->work_item = reply_text_at(reply, first);
	result->state = reply_text_at(reply, first + 1);
	if (first + 2 < reply_count(reply))
		result->version = reply_int(reply_item(reply, first + 2));
	result->queue = reply_text_at(reply, first + 3);
	result->conversation = reply_text_at(reply, first + 4);
	result->customer = reply_text_at(reply, first + 5);
	result->agent = reply_text_at(reply, first + 6);
}

void work_run_answered(const struct store_reply *reply, const struct error *err, void *context)
{
	struct work_run *run = context;
	struct work_result result = { .code = WORK_FAILED };
	struct error unknown;

	if (!err && reply_is(reply, "ok")) {
		read_item(reply, 1, &result);
	} else if (!err && reply_is(reply, "replay")) {
		read_item(reply, 2, &result);
		result.replayed = true;
	} else if (!err && reply_is(reply, "refused")) {
		read_refusal(reply, &result);
	} else if (!err && reply_is(reply, "conflict")) {
		result.code = WORK_CONFLICT;
	} else if (!err && reply_is(reply, "wish")) {
		result.code = WORK_WISH;
		result.deadline_ms = reply_int(reply_item(reply, 1));
	} else if (!err && (reply_is(reply, "none") || reply_is(reply, "withdrawn"))) {
		result.code = WORK_NONE;
	} else if (!err) {
		error_set(&unknown, ERROR_TEMPORARY, "the store gave an unknown answer");
		err = &unknown;
	}
	work_run_end(run, &result, err);
}

void work_add_call(struct store_call *store_call, const struct work_call *call)
{
	store_arg_once(store_call, call->key, call->request);
	store_arg_text(store_call, call->work_item);
	store_arg_text(store_call, call->agent);
	if (call->version > 0)
		store_arg_int(store_call, call->version);
	else
		store_arg_text(store_call, "");
}

struct store_call *work_script(const char *script, const struct work_call *call)
{
	struct store_call *store_call = store_script(script, call->workspace);

	store_key(store_call, "w:%s", call->work_item);
	work_add_call(store_call, call);
	return store_call;
}
