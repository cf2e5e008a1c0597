#include "routing/work.h"

#include "routing/run.h"
#include "store/store.h"

static void run(const struct work_call *call, struct store_call *store_call, work_done_fn *done,
		void *context)
{
	store_run(call->store, store_call, work_run_answered, work_run_new(done, context));
}

static void run_with_reason(const char *script, const struct work_call *call, const char *reason,
			    work_done_fn *done, void *context)
{
	struct store_call *store_call = work_script(script, call);

	store_arg_text(store_call, reason);
	run(call, store_call, done, context);
}

void work_accept(const struct work_call *call, work_done_fn *done, void *context)
{
	run(call, work_script("accept", call), done, context);
}

void work_decline(const struct work_call *call, const char *reason, work_done_fn *done,
		  void *context)
{
	run_with_reason("decline", call, reason, done, context);
}

void work_release(const struct work_call *call, const char *reason, work_done_fn *done,
		  void *context)
{
	run_with_reason("release", call, reason, done, context);
}

void work_close(const struct work_call *call, const char *reason, work_done_fn *done, void *context)
{
	struct store_call *store_call = work_script("close", call);

	store_arg_text(store_call, reason);
	store_arg_text(store_call, ""); /* no timer: a person asks */
	run(call, store_call, done, context);
}

void work_reopen(const struct work_call *call, const char *reason, work_done_fn *done,
		 void *context)
{
	run_with_reason("reopen", call, reason, done, context);
}

void work_cancel(const struct work_call *call, const char *reason, work_done_fn *done,
		 void *context)
{
	run_with_reason("cancel", call, reason, done, context);
}

void work_extend(const struct work_call *call, int64_t ms, work_done_fn *done, void *context)
{
	struct store_call *store_call = store_script("extend", call->workspace);

	store_key(store_call, "w:%s", call->work_item);
	store_arg_text(store_call, call->work_item);
	store_arg_text(store_call, call->agent);
	store_arg_int(store_call, ms);
	run(call, store_call, done, context);
}

void work_resolve(const struct work_call *call, const struct work_resolution *resolution,
		  work_done_fn *done, void *context)
{
	struct store_call *store_call = work_script("resolve", call);

	store_arg_text(store_call, resolution->reason);
	store_arg_text(store_call, resolution->note);
	store_arg_int(store_call, resolution->wrap_up_ms);
	store_arg_int(store_call, resolution->close_ms);
	run(call, store_call, done, context);
}

void work_snooze(const struct work_call *call, const char *for_what, int64_t until_ms,
		 work_done_fn *done, void *context)
{
	struct store_call *store_call = work_script("snooze", call);

	store_arg_text(store_call, for_what);
	store_arg_int(store_call, until_ms);
	run(call, store_call, done, context);
}

void work_transfer(const struct work_call *call, const struct work_transfer *transfer,
		   work_done_fn *done, void *context)
{
	struct store_call *store_call = store_script("transfer", call->workspace);

	store_key(store_call, "w:%s", call->work_item);
	store_key(store_call, "t:%s", transfer->transfer);
	work_add_call(store_call, call);
	store_arg_text(store_call, transfer->queue ? "queue" : "agent");
	store_arg_text(store_call, transfer->queue ? transfer->queue : transfer->agent);
	store_arg_text(store_call, transfer->transfer);
	store_arg_int(store_call, transfer->accept_ms);
	store_arg_text(store_call, transfer->reason);
	store_arg_text(store_call, transfer->summary);
	run(call, store_call, done, context);
}

void work_transfer_end(const struct work_call *call, const char *transfer, const char *outcome,
		       work_done_fn *done, void *context)
{
	struct store_call *store_call = store_script("transfer_end", call->workspace);

	store_key(store_call, "t:%s", transfer);
	work_add_key(store_call, call);
	store_arg_text(store_call, transfer);
	store_arg_text(store_call, call->agent);
	store_arg_text(store_call, outcome);
	run(call, store_call, done, context);
}

void work_open(const struct work_call *call, const struct work_case *what, work_done_fn *done,
	       void *context)
{
	struct store_call *store_call = store_script("work_open", call->workspace);

	store_key(store_call, "w:%s", call->work_item);
	work_add_key(store_call, call);
	store_arg_text(store_call, call->work_item);
	store_arg_text(store_call, what->customer);
	store_arg_text(store_call, what->conversation);
	store_arg_text(store_call, what->queue);
	store_arg_text(store_call, what->type);
	store_arg_text(store_call, what->topic);
	store_arg_text(store_call, what->urgency);
	store_arg_int(store_call, what->priority);
	store_arg_text(store_call, what->skills);
	store_arg_text(store_call, what->summary);
	run(call, store_call, done, context);
}
