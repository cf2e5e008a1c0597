/* The transitions of a work item. */
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/names.h"
#include "api/work_json.h"
#include "base/id.h"
#include "base/text.h"
#include "parts.h"
#include "routing/roster.h"
#include "routing/work.h"
#include "services/loop.h"
#include "store/store.h"
#include "workspace.h"

enum { TOOL_LEASE_S = 5 * 60, SNOOZE_DAYS = 30 };

static const int64_t day_ms = 24 * 3600 * (int64_t)1000;

void work_answer_done(const struct work_result *result, const struct error *err, void *context)
{
	struct api_call *call = context;

	if (result->code == WORK_OK && result->replayed)
		api_replayed(call);
	if (result->code == WORK_OK)
		work_answer_item(call, result->work_item, call->route->status);
	else
		work_answer_refusal(call, result, err);
}

struct work_call *work_call_of(struct api_call *call, bool always_as_agent)
{
	struct work_call *work = arena_alloc(call->arena, sizeof(*work));

	work->store = call->parts->store;
	work->workspace = call->who.workspace;
	work->work_item = call->params[0];
	work->agent = always_as_agent || !principal_leads(&call->who) ? call->who.agent : NULL;
	work->version = json_int(call->body, "version", 0);
	if (call->if_match > 0)
		work->version = call->if_match;
	if (*call->idempotency_key != '\0') {
		work->key = call->idempotency_key;
		work->request = call->request_hash;
	}
	return work;
}

int64_t work_lease_ms(const struct api_call *call)
{
	return json_int(call->body, "lease_s", TOOL_LEASE_S) * 1000;
}

static const char *reason(const struct api_call *call)
{
	return json_text(call->body, "reason");
}

void handle_work_release(struct api_call *call)
{
	work_release(work_call_of(call, false), reason(call), work_answer_done, call);
}

void handle_work_close(struct api_call *call)
{
	work_close(work_call_of(call, false), reason(call), work_answer_done, call);
}

void handle_work_reopen(struct api_call *call)
{
	work_reopen(work_call_of(call, false), reason(call), work_answer_done, call);
}

static void resolve(struct api_call *call, const struct queue_row *queue)
{
	struct work_resolution resolution = {
		.reason = reason(call),
		.wrap_up_ms = queue == NULL ? 0 : queue->wrap_ms,
		.close_ms = queue == NULL ? 0 : queue->close_ms,
	};

	work_resolve(work_call_of(call, false), &resolution, work_answer_done, call);
}

static void extend(struct api_call *call, const struct queue_row *queue)
{
	struct work_extension extension = {
		.lease_ms = work_lease_ms(call),
		.wrap_ms = queue == NULL ? 0 : queue->wrap_extension_ms,
		.wrap_max = queue == NULL ? 0 : queue->wrap_extensions,
	};

	work_extend(work_call_of(call, true), &extension, work_answer_done, call);
}

/* The item's queue says how long its agents may wrap up. */
static void on_queue_known(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const struct roster *roster =
		workspace_roster(workspace_get(call->parts->workspaces, call->who.workspace));
	const char *id = err == NULL ? reply_text(reply, NULL) : NULL;
	const struct queue_row *queue =
		roster == NULL || id == NULL ? NULL : roster_queue(roster, id);

	if (err != NULL)
		api_fail(call, err);
	else if (call->route->run == handle_work_extend)
		extend(call, queue);
	else
		resolve(call, queue);
}

static void queue_read(struct api_call *call)
{
	struct store_call *read = store_command("HGET");

	store_arg_key(read, call->who.workspace, "w:%s", call->params[0]);
	store_arg_text(read, "q");
	store_read(call->parts->store, read, on_queue_known, call);
}

void handle_work_resolve(struct api_call *call)
{
	queue_read(call);
}

void handle_work_extend(struct api_call *call)
{
	queue_read(call);
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
	work_snooze(work_call_of(call, false), what, until_ms, work_answer_done, call);
}

static void case_open(struct api_call *call)
{
	struct work_call *work = work_call_of(call, false);
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
	work_open(work, &what, work_answer_done, call);
}

void handle_work_open(struct api_call *call)
{
	name_check(call, NAME_QUEUE, json_text(call->body, "queue"), "queue", case_open);
}
