#include "routing/claim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "routing/run.h"
#include "store/store.h"

enum { MEMBER_BYTES = 160 };

/* An agent who is gone gives back one item a call, until there is none. */
struct gone_run {
	struct store *store;
	struct work_run *run;
	char workspace[48];
	char agent[MEMBER_BYTES];
};

void offer_make(struct store *store, const char *workspace, const struct offer_proposal *proposal,
		work_done_fn *done, void *context)
{
	struct store_call *call = store_script("offer", workspace);

	store_key(call, "lease:steward");
	store_key(call, "w:%s", proposal->work_item);
	store_arg_text(call, proposal->fence);
	store_arg_text(call, proposal->work_item);
	store_arg_int(call, proposal->version);
	store_arg_text(call, proposal->agent);
	store_arg_text(call, proposal->offer);
	store_arg_int(call, proposal->accept_ms);
	store_arg_int(call, proposal->agent_capacity);
	store_arg_int(call, proposal->cost);
	store_arg_int(call, proposal->parallel);
	store_arg_int(call, proposal->missed_max);
	store_arg_int(call, proposal->waiting_cost);
	if (proposal->load_matters)
		store_arg_int(call, proposal->load);
	store_run(store, call, work_run_answered, work_run_new(done, context));
}

void plan_step_make(struct store *store, const char *workspace,
		    const struct plan_progress *progress, work_done_fn *done, void *context)
{
	struct store_call *call = store_script("plan_step", workspace);

	store_key(call, "lease:steward");
	store_key(call, "w:%s", progress->work_item);
	store_arg_text(call, progress->fence);
	store_arg_text(call, progress->work_item);
	store_arg_int(call, progress->step);
	store_run(store, call, work_run_answered, work_run_new(done, context));
}

void overflow_make(struct store *store, const char *workspace, const struct overflow *overflow,
		   work_done_fn *done, void *context)
{
	struct store_call *call = store_script("overflow", workspace);

	store_key(call, "lease:steward");
	store_key(call, "w:%s", overflow->work_item);
	store_arg_text(call, overflow->fence);
	store_arg_text(call, overflow->work_item);
	store_arg_int(call, overflow->version);
	store_arg_text(call, overflow->queue);
	store_arg_text(call, overflow->why);
	store_run(store, call, work_run_answered, work_run_new(done, context));
}

void offer_end(struct store *store, const char *workspace, const struct offer_ending *ending,
	       work_done_fn *done, void *context)
{
	struct store_call *call = store_script("offer_end", workspace);

	store_key(call, "lease:steward");
	store_key(call, "o:%s", ending->offer);
	store_arg_text(call, ending->fence);
	store_arg_text(call, ending->offer);
	store_arg_text(call, ending->outcome);
	store_run(store, call, work_run_answered, work_run_new(done, context));
}

void claim_make(struct store *store, const char *workspace, const struct claim *claim,
		work_done_fn *done, void *context)
{
	struct store_call *call = store_script("claim", workspace);

	store_key(call, "wish:%s", claim->agent);
	store_key(call, "a:%s", claim->agent);
	store_arg_text(call, claim->agent);
	store_arg_text(call, claim->key);
	store_arg_text(call, claim->queues);
	store_arg_int(call, claim->wait_ms);
	store_arg_int(call, claim->lease_ms);
	store_arg_text(call, claim->channels);
	store_run(store, call, work_run_answered, work_run_new(done, context));
}

void claim_end(struct store *store, const char *workspace, const struct claim *claim,
	       bool client_gone, work_done_fn *done, void *context)
{
	struct store_call *call = store_script("claim_end", workspace);

	store_key(call, "wish:%s", claim->agent);
	store_arg_text(call, claim->agent);
	store_arg_text(call, claim->key);
	store_arg_text(call, client_gone ? "gone" : "");
	store_run(store, call, work_run_answered, work_run_new(done, context));
}

static void on_presence(const struct store_reply *reply, const struct error *err, void *context)
{
	struct work_result result = { .code = err ? WORK_FAILED : WORK_OK };

	if (!err)
		result.state = reply_text(reply_item(reply, 1), NULL);
	work_run_end(context, &result, err);
}

void presence_set(struct store *store, const char *workspace, const struct presence *presence,
		  work_done_fn *done, void *context)
{
	struct store_call *call = store_script("presence", workspace);

	store_key(call, "a:%s", presence->agent);
	store_arg_text(call, presence->agent);
	store_arg_text(call, presence->status);
	store_arg_text(call, presence->why);
	store_arg_text(call, presence->routable ? "1" : "0");
	store_run(store, call, on_presence, work_run_new(done, context));
}

static void on_seen(const struct store_reply *reply, const struct error *err, void *context)
{
	(void)reply;
	(void)err;
	(void)context;
}

void presence_seen(struct store *store, const char *workspace, const char *agent)
{
	struct store_call *call = store_script("seen", workspace);

	store_key(call, "a:%s", agent);
	store_run(store, call, on_seen, NULL);
}

static void gone_step(struct gone_run *gone);

static void on_gone(const struct store_reply *reply, const struct error *err, void *context)
{
	struct gone_run *gone = context;
	struct work_result result = { .code = err ? WORK_FAILED : WORK_OK };

	if (!err && reply_count(reply) > 1 &&
	    text_equal(reply_text(reply_item(reply, 1), NULL), "more")) {
		gone_step(gone);
		return;
	}
	work_run_end(gone->run, &result, err);
	free(gone);
}

static void gone_step(struct gone_run *gone)
{
	struct store_call *call = store_script("disconnect_grace", gone->workspace);

	store_key(call, "a:%s", gone->agent);
	store_arg_text(call, gone->agent);
	store_run(gone->store, call, on_gone, gone);
}

static void fire_gone(struct store *store, const char *workspace, const char *agent,
		      struct work_run *run)
{
	struct gone_run *gone = memory_new(sizeof(*gone));

	gone->store = store;
	gone->run = run;
	snprintf(gone->workspace, sizeof(gone->workspace), "%s", workspace);
	snprintf(gone->agent, sizeof(gone->agent), "%s", agent);
	gone_step(gone);
}

/* wrap_end, unsnooze and lease_expire: KEYS w:<wrk>, ARGV wrk, the timer. */
static struct store_call *item_timer(const char *script, const char *workspace, const char *item,
				     const char *member)
{
	struct store_call *call = store_script(script, workspace);

	store_key(call, "w:%s", item);
	store_arg_text(call, item);
	store_arg_text(call, member);
	return call;
}

static struct store_call *close_timer(const char *workspace, const char *item, const char *member)
{
	const struct work_call who = { .workspace = workspace, .work_item = item };
	struct store_call *call = work_script("close", &who);

	store_arg_text(call, "time");
	store_arg_text(call, member);
	return call;
}

static struct store_call *wish_timer(const char *workspace, const char *agent)
{
	struct store_call *call = store_script("claim_end", workspace);

	store_key(call, "wish:%s", agent);
	store_arg_text(call, agent);
	store_arg_text(call, "");
	store_arg_text(call, "");
	return call;
}

static struct store_call *offer_timer(const char *workspace, const char *offer, const char *fence)
{
	struct store_call *call = store_script("offer_end", workspace);

	store_key(call, "lease:steward");
	store_key(call, "o:%s", offer);
	store_arg_text(call, fence);
	store_arg_text(call, offer);
	store_arg_text(call, "timeout");
	return call;
}

static struct store_call *timer_call(const char *workspace, const struct work_timer *timer,
				     const char *kind, const char *id)
{
	static const struct {
		const char *kind;
		const char *script;
	} of_items[] = { { "wrap", "wrap_end" },
			 { "snooze", "unsnooze" },
			 { "lease", "lease_expire" } };
	const struct work_call nobody = { .workspace = workspace };

	for (size_t i = 0; i < COUNT_OF(of_items); i++) {
		if (text_equal(kind, of_items[i].kind))
			return item_timer(of_items[i].script, workspace, id, timer->member);
	}
	if (text_equal(kind, "close"))
		return close_timer(workspace, id, timer->member);
	if (text_equal(kind, "transfer"))
		return work_transfer_ending(&nobody, id, "timeout", NULL);
	if (text_equal(kind, "consult"))
		return work_consult_ending(&nobody, id, "timeout");
	if (text_equal(kind, "wish"))
		return wish_timer(workspace, id);
	if (text_equal(kind, "offer"))
		return offer_timer(workspace, id, timer->fence);
	return NULL;
}

/* done must not come before the call has returned. */
static void on_unknown(const struct store_reply *reply, const struct error *err, void *context)
{
	const struct work_result result = { .code = WORK_REFUSED, .refusal = "unknown_timer" };

	(void)reply;
	(void)err;
	work_run_end(context, &result, NULL);
}

void work_timer_fire(struct store *store, const char *workspace, const struct work_timer *timer,
		     work_done_fn *done, void *context)
{
	struct work_run *run = work_run_new(done, context);
	char member[MEMBER_BYTES];
	char *id;
	char *nonce;
	struct store_call *call;

	snprintf(member, sizeof(member), "%s", timer->member);
	id = strchr(member, ':');
	if (id)
		*id++ = '\0';
	if (id && text_equal(member, "gone")) {
		fire_gone(store, workspace, id, run);
		return;
	}
	/* An agent's name may hold a colon, an id never does. */
	nonce = id && !text_equal(member, "wish") ? strchr(id, ':') : NULL;
	if (nonce)
		*nonce = '\0';
	call = id ? timer_call(workspace, timer, member, id) : NULL;
	if (call)
		store_run(store, call, work_run_answered, run);
	else
		store_read(store, store_command("PING"), on_unknown, run);
}
