/* GET /v1/live: queues and agents right now; GET .../explain: why an item waits. */
#include <stdio.h>
#include <string.h>

#include "api/explain.h"
#include "api/handlers.h"
#include "base/text.h"
#include "parts.h"
#include "routing/roster.h"
#include "services/loop.h"
#include "store/store.h"
#include "workspace.h"

/* Answer of live_read.lua: per queue {id, waiting, oldest}, then per agent
 * {id, status, routable, load, items}. */
static void write_queue(struct json_out *out, const struct store_reply *row, int64_t now_ms)
{
	int64_t oldest = reply_int(reply_item(row, 2));

	jw_object(out, NULL);
	jw_text(out, "queue", reply_text(reply_item(row, 0), NULL));
	jw_int(out, "waiting", reply_int(reply_item(row, 1)));
	jw_int(out, "oldest_s", oldest == 0 ? 0 : (now_ms - oldest) / 1000);
	jw_object_end(out);
}

static void write_agent(struct json_out *out, const struct store_reply *row)
{
	jw_object(out, NULL);
	jw_text(out, "agent", reply_text(reply_item(row, 0), NULL));
	jw_text(out, "status", reply_text(reply_item(row, 1), NULL));
	jw_bool(out, "routable", reply_int(reply_item(row, 2)) != 0);
	jw_int(out, "load", reply_int(reply_item(row, 3)));
	jw_int(out, "items", reply_int(reply_item(row, 4)));
	jw_object_end(out);
}

static void on_live(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const struct store_reply *queues = reply_item(reply, 0);
	const struct store_reply *agents = reply_item(reply, 1);
	struct buf body = { 0 };
	struct json_out out;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_array(&out, "queues");
	for (size_t i = 0; i < reply_count(queues); i++)
		write_queue(&out, reply_item(queues, i), loop_unix_ms(call->parts->loop));
	jw_array_end(&out);
	jw_array(&out, "agents");
	for (size_t i = 0; i < reply_count(agents); i++)
		write_agent(&out, reply_item(agents, i));
	jw_array_end(&out);
	jw_object_end(&out);
	api_answer(call, 200, &body);
}

static void live_read(struct api_call *call, const struct roster *roster, store_done_fn *done)
{
	struct store_call *read = store_script("live_read", call->who.workspace);
	size_t queues;
	size_t agents;
	const struct queue_row *queue = roster_queues(roster, &queues);
	const struct agent_row *agent = roster_agents(roster, &agents);

	store_arg_int(read, (int64_t)queues);
	for (size_t i = 0; i < queues; i++)
		store_arg_text(read, queue[i].id);
	for (size_t i = 0; i < agents; i++)
		store_arg_text(read, agent[i].id);
	store_read(call->parts->store, read, done, call);
}

static const struct roster *roster_of(struct api_call *call)
{
	const struct roster *roster =
		workspace_roster(workspace_get(call->parts->workspaces, call->who.workspace));

	if (roster == NULL) {
		http_request_add_field(call->request, "Retry-After", "1");
		api_problem(call, 503, "not_ready", "the configuration is being read");
	}
	return roster;
}

void handle_live(struct api_call *call)
{
	const struct roster *roster = roster_of(call);

	if (roster != NULL)
		live_read(call, roster, on_live);
}

/* ---- explain ---- */

static void on_agents(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const struct roster *roster = roster_of(call);

	if (roster == NULL)
		return;
	if (err != NULL)
		api_fail(call, err);
	else
		explain_answer(call, call->state, roster, reply_item(reply, 1));
}

static void on_item(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const struct roster *roster;
	struct explain_item *item = arena_alloc(call->arena, sizeof(*item));
	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (reply_text(reply_item(reply, 0), NULL) == NULL) {
		api_problem(call, 404, "no_such_work_item", "there is no work item \"%s\"",
			    call->params[0]);
		return;
	}
	item->id = call->params[0];
	item->state = arena_text(call->arena, reply_text(reply_item(reply, 0), NULL));
	item->queue = arena_text(call->arena, reply_text(reply_item(reply, 1), NULL));
	item->skills = arena_text(call->arena, reply_text(reply_item(reply, 2), NULL));
	item->agent = arena_text(call->arena, reply_text(reply_item(reply, 3), NULL));
	item->rule = arena_text(call->arena, reply_text(reply_item(reply, 4), NULL));
	item->queued_ms = reply_int(reply_item(reply, 5));
	call->state = item;
	roster = roster_of(call);
	if (roster != NULL)
		live_read(call, roster, on_agents);
}

void handle_work_explain(struct api_call *call)
{
	struct store_call *read = store_command("HMGET");
	static const char *const fields[] = { "s", "q", "sk", "a", "ru", "qt" };

	store_arg_key(read, call->who.workspace, "w:%s", call->params[0]);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		store_arg_text(read, fields[i]);
	store_read(call->parts->store, read, on_item, call);
}
