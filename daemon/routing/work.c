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

void work_extend(const struct work_call *call, const struct work_extension *extension,
		 work_done_fn *done, void *context)
{
	struct store_call *store_call = store_script("extend", call->workspace);

	store_key(store_call, "w:%s", call->work_item);
	store_arg_text(store_call, call->work_item);
	store_arg_text(store_call, call->agent);
	store_arg_int(store_call, extension->lease_ms);
	store_arg_int(store_call, extension->wrap_ms);
	store_arg_int(store_call, extension->wrap_max);
	if (call->version > 0)
		store_arg_int(store_call, call->version);
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
	store_arg_text(store_call, transfer->level > 0 ? "escalation" : "transfer");
	store_arg_int(store_call, transfer->level);
	store_arg_text(store_call, transfer->fallback ? transfer->fallback : "back");
	store_arg_text(store_call, transfer->department);
	store_arg_text(store_call, transfer->urgency);
	store_arg_int(store_call, transfer->priority);
	run(call, store_call, done, context);
}

/* transfer_end and consult_end: KEYS t:<trf>, ARGV key, request, trf, agent, outcome. */
static struct store_call *ending(const char *script, const struct work_call *call, const char *id,
				 const char *outcome)
{
	struct store_call *store_call = store_script(script, call->workspace);

	store_key(store_call, "t:%s", id);
	store_arg_once(store_call, call->key, call->request);
	store_arg_text(store_call, id);
	store_arg_text(store_call, call->agent);
	store_arg_text(store_call, outcome);
	return store_call;
}

/* Below 0: as it is. */
static void cost_add(struct store_call *store_call, int64_t cost)
{
	if (cost >= 0)
		store_arg_int(store_call, cost);
	else
		store_arg_text(store_call, "");
}

struct store_call *work_transfer_ending(const struct work_call *call, const char *transfer,
					const char *outcome, const struct work_room *room)
{
	struct store_call *store_call = ending("transfer_end", call, transfer, outcome);

	if (room) {
		if (room->capacity >= 0)
			store_arg_int(store_call, room->capacity);
		else
			store_arg_text(store_call, "");
		cost_add(store_call, room->cost > 0 ? room->cost : -1);
		cost_add(store_call, room->cost > 0 ? room->waiting_cost : -1);
	} else {
		store_arg_text(store_call, "");
		store_arg_text(store_call, "");
	}
	return store_call;
}

void work_transfer_end(const struct work_call *call, const char *transfer, const char *outcome,
		       const struct work_room *room, work_done_fn *done, void *context)
{
	run(call, work_transfer_ending(call, transfer, outcome, room), done, context);
}

void work_consult(const struct work_call *call, const struct work_consultation *consultation,
		  work_done_fn *done, void *context)
{
	struct store_call *store_call = store_script("consult", call->workspace);

	store_key(store_call, "w:%s", call->work_item);
	store_key(store_call, "t:%s", consultation->consult);
	work_add_call(store_call, call);
	store_arg_text(store_call, consultation->agent);
	store_arg_text(store_call, consultation->consult);
	store_arg_int(store_call, consultation->accept_ms);
	store_arg_text(store_call, consultation->note);
	run(call, store_call, done, context);
}

struct store_call *work_consult_ending(const struct work_call *call, const char *consult,
				       const char *outcome)
{
	return ending("consult_end", call, consult, outcome);
}

void work_consult_end(const struct work_call *call, const char *consult, const char *outcome,
		      work_done_fn *done, void *context)
{
	run(call, work_consult_ending(call, consult, outcome), done, context);
}

void work_assign(const struct work_call *call, const struct work_assignment *assignment,
		 work_done_fn *done, void *context)
{
	struct store_call *store_call = store_script("assign", call->workspace);

	store_key(store_call, "w:%s", call->work_item);
	store_key(store_call, "t:%s", assignment->transfer);
	work_add_call(store_call, call);
	store_arg_text(store_call, assignment->agent);
	cost_add(store_call, assignment->cost > 0 ? assignment->cost : -1);
	store_arg_text(store_call, assignment->transfer);
	store_arg_text(store_call, assignment->by);
	store_arg_text(store_call, assignment->reason);
	cost_add(store_call, assignment->cost > 0 ? assignment->waiting_cost : -1);
	run(call, store_call, done, context);
}

void work_open(const struct work_call *call, const struct work_case *what, work_done_fn *done,
	       void *context)
{
	struct store_call *store_call = store_script("work_open", call->workspace);

	store_key(store_call, "w:%s", call->work_item);
	store_arg_once(store_call, call->key, call->request);
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
