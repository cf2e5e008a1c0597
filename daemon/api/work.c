/* The transitions of a work item. */
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/work_json.h"
#include "base/id.h"
#include "base/text.h"
#include "parts.h"
#include "routing/roster.h"
#include "routing/work.h"
#include "services/loop.h"
#include "store/store.h"
#include "workspace.h"

enum { TOOL_LEASE_MS = 5 * 60 * 1000, TRANSFER_MS = 10 * 60 * 1000, SNOOZE_DAYS = 30 };

static const int64_t day_ms = 24 * 3600 * (int64_t)1000;

static void on_done(const struct work_result *result, const struct error *err, void *context)
{
	struct api_call *call = context;

	if (result->code == WORK_OK)
		work_answer_item(call, result->work_item, call->route->status);
	else
		work_answer_refusal(call, result, err);
}

/* A supervisor acts on anybody's item, an agent on the own ones. */
static struct work_call *work_call(struct api_call *call, bool always_as_agent)
{
	struct work_call *work = arena_alloc(call->arena, sizeof(*work));
	const char *match = http_request_field(call->request, "If-Match");

	work->store = call->parts->store;
	work->workspace = call->who.workspace;
	work->work_item = call->params[0];
	work->agent = always_as_agent || !principal_leads(&call->who) ? call->who.agent : NULL;
	work->version = json_int(call->body, "version", 0);
	if (match != NULL && *match == '"')
		work->version = strtoll(match + 1, NULL, 10);
	if (*call->idempotency_key != '\0') {
		work->key = call->idempotency_key;
		work->request = call->request_hash;
	}
	return work;
}

static const char *reason(const struct api_call *call)
{
	return json_text(call->body, "reason");
}

/* Accept and decline mean what is held out to the caller: the pending offer, or a transfer of an
 * item that is still with somebody else. */
static void on_held_out(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const char *transfer = err == NULL ? reply_text(reply_item(reply, 0), NULL) : NULL;
	bool accepts = call->route->run == handle_work_accept;

	if (err != NULL)
		api_fail(call, err);
	else if (transfer != NULL && *transfer != '\0')
		work_transfer_end(work_call(call, true), transfer,
				  accepts ? "accepted" : "declined", on_done, call);
	else if (accepts)
		work_accept(work_call(call, true), on_done, call);
	else
		work_decline(work_call(call, true), reason(call), on_done, call);
}

static void held_out_read(struct api_call *call)
{
	struct store_call *read = store_command("HMGET");

	store_arg_key(read, call->who.workspace, "w:%s", call->params[0]);
	store_arg_text(read, "tr");
	store_read(call->parts->store, read, on_held_out, call);
}

void handle_work_accept(struct api_call *call)
{
	held_out_read(call);
}

void handle_work_decline(struct api_call *call)
{
	held_out_read(call);
}

void handle_work_release(struct api_call *call)
{
	work_release(work_call(call, false), reason(call), on_done, call);
}

void handle_work_extend(struct api_call *call)
{
	work_extend(work_call(call, true), TOOL_LEASE_MS, on_done, call);
}

void handle_work_close(struct api_call *call)
{
	work_close(work_call(call, false), reason(call), on_done, call);
}

void handle_work_reopen(struct api_call *call)
{
	work_reopen(work_call(call, false), reason(call), on_done, call);
}

/* The queue's wrap-up time decides whether the item wraps first. */
static void on_queue_known(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const struct roster *roster =
		workspace_roster(workspace_get(call->parts->workspaces, call->who.workspace));
	const char *queue = err == NULL ? reply_text(reply, NULL) : NULL;
	const struct queue_row *row =
		roster == NULL || queue == NULL ? NULL : roster_queue(roster, queue);
	struct work_resolution resolution = {
		.reason = reason(call),
		.wrap_up_ms = row == NULL ? 0 : row->wrap_ms,
		.close_ms = row == NULL ? 0 : row->close_ms,
	};

	if (err != NULL)
		api_fail(call, err);
	else
		work_resolve(work_call(call, false), &resolution, on_done, call);
}

void handle_work_resolve(struct api_call *call)
{
	struct store_call *read = store_command("HGET");

	store_arg_key(read, call->who.workspace, "w:%s", call->params[0]);
	store_arg_text(read, "q");
	store_read(call->parts->store, read, on_queue_known, call);
}

void handle_work_transfer(struct api_call *call)
{
	const char *target = json_text(call->body, "target");
	char transfer[ID_BYTES];
	struct work_transfer what = { .transfer = transfer,
				      .accept_ms = TRANSFER_MS,
				      .reason = reason(call),
				      .summary = json_text(call->body, "note") };

	id_new("trf_", transfer);
	if (target != NULL && text_starts(target, "queue:"))
		what.queue = target + strlen("queue:");
	else if (target != NULL && text_starts(target, "agent:"))
		what.agent = target + strlen("agent:");
	if (what.queue == NULL && what.agent == NULL) {
		api_invalid(call, "#/body/target", "target must be queue:<id> or agent:<id>");
		return;
	}
	work_transfer(work_call(call, false), &what, on_done, call);
}

void handle_work_snooze(struct api_call *call)
{
	const char *what = json_text(call->body, "waiting_for");
	const char *until = json_text(call->body, "until");
	int64_t now = loop_unix_ms(call->parts->loop);
	int64_t until_ms = until == NULL ? now + SNOOZE_DAYS * day_ms : text_parse_time(until);

	if (what == NULL)
		what = until == NULL ? "customer" : "until";
	if (until_ms <= now) {
		api_invalid(call, "#/body/until", "until must lie in the future");
		return;
	}
	work_snooze(work_call(call, false), what, until_ms, on_done, call);
}

void handle_work_open(struct api_call *call)
{
	struct work_call *work = work_call(call, false);
	char *id = arena_alloc(call->arena, ID_BYTES);
	struct work_case what = {
		.customer = json_text(call->body, "customer"),
		.conversation = json_text(call->body, "conversation"),
		.queue = json_text(call->body, "queue"),
		.type = json_text(call->body, "type"),
		.topic = json_text(call->body, "topic"),
		.urgency = json_text(call->body, "urgency"),
		.priority = json_int(call->body, "priority", 0),
		.summary = json_text(call->body, "summary"),
	};

	id_new("wrk_", id);
	work->work_item = id;
	work->version = 0;
	work_open(work, &what, on_done, call);
}
