/* Handing work on: transfers, escalation, consultation, and a supervisor's
 * acts; and accepting what is held out to the caller. */
#include <string.h>

#include "api/handlers.h"
#include "api/work_json.h"
#include "base/id.h"
#include "base/settings.h"
#include "base/text.h"
#include "parts.h"
#include "routing/roster.h"
#include "routing/work.h"
#include "store/store.h"
#include "workspace.h"

static const int64_t minute_ms = 60 * (int64_t)1000;
static const int64_t agent_accept_ms = 10 * minute_ms;
static const int64_t queue_accept_ms = 24 * 60 * minute_ms;

static const struct roster *roster_of(const struct api_call *call)
{
	return workspace_roster(workspace_get(call->parts->workspaces, call->who.workspace));
}

static const char *new_id(struct api_call *call)
{
	char *id = arena_alloc(call->arena, ID_BYTES);

	id_new("trf_", id);
	return id;
}

static int64_t accept_ms(struct api_call *call, int64_t fallback)
{
	return json_int(call->body, "accept_within_s", fallback / 1000) * 1000;
}

/* ---- accept, decline ---- */

static bool accepts(const struct api_call *call)
{
	return call->route->run == handle_work_accept;
}

static void end_transfer(struct api_call *call, const char *transfer, const char *queue,
			 const char *channel)
{
	const struct roster *roster = roster_of(call);
	const struct agent_row *agent =
		roster == NULL ? NULL : roster_agent(roster, call->who.agent);
	const struct queue_row *row = roster == NULL ? NULL : roster_queue(roster, queue);
	bool is_bounded = agent != NULL && row != NULL && !row->may_exceed_on_transfer;
	struct work_room room = { .capacity = is_bounded ? agent->capacity : -1 };

	if (roster != NULL) {
		room.cost = agent == NULL ? 1
					  : channel_cost(roster_channel(roster, channel),
							 agent->capacity);
		room.waiting_cost = roster_channel(roster, channel)->waiting_cost;
	}

	work_transfer_end(work_call_of(call, true), transfer,
			  accepts(call) ? "accepted" : "declined", accepts(call) ? &room : NULL,
			  work_answer_done, call);
}

static void on_held_out(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const char *kind = err == NULL ? reply_text(reply_item(reply, 0), NULL) : NULL;
	const char *id = err == NULL ? reply_text(reply_item(reply, 1), NULL) : NULL;

	if (err != NULL)
		api_fail(call, err);
	else if (text_equal(kind, "consult"))
		work_consult_end(work_call_of(call, true), id,
				 accepts(call) ? "accepted" : "declined", work_answer_done, call);
	else if (text_equal(kind, "transfer"))
		end_transfer(call, id, reply_text(reply_item(reply, 2), NULL),
			     reply_text(reply_item(reply, 3), NULL));
	else if (accepts(call))
		work_accept(work_call_of(call, true), work_answer_done, call);
	else
		work_decline(work_call_of(call, true), json_text(call->body, "reason"),
			     work_answer_done, call);
}

static void held_out_read(struct api_call *call)
{
	struct store_call *read = store_script("held_out", call->who.workspace);

	store_arg_text(read, call->params[0]);
	store_arg_text(read, call->who.agent);
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

/* ---- transfer, escalation, consultation, assignment ---- */

/* The nearest of the known ids, as a hint; "" where none is near. */
static const char *hint(struct api_call *call, const char *id, const char *const *known)
{
	const char *near = settings_nearest(id, known);

	return near == NULL ? "" : arena_format(call->arena, "; did you mean \"%s\"?", near);
}

static const char *const *queue_ids(struct api_call *call, const struct roster *roster)
{
	size_t count;
	const struct queue_row *rows = roster_queues(roster, &count);
	const char **ids = arena_alloc(call->arena, (count + 1) * sizeof(*ids));

	for (size_t i = 0; i < count; i++)
		ids[i] = rows[i].id;
	return ids;
}

static const char *const *agent_ids(struct api_call *call, const struct roster *roster)
{
	size_t count;
	const struct agent_row *rows = roster_agents(roster, &count);
	const char **ids = arena_alloc(call->arena, (count + 1) * sizeof(*ids));

	for (size_t i = 0; i < count; i++)
		ids[i] = rows[i].id;
	return ids;
}

static bool department_read(struct api_call *call, const char *id, struct work_transfer *what)
{
	const struct department_row *department = roster_department(roster_of(call), id);

	if (department == NULL) {
		api_invalid(call, "#/body/target", "there is no department \"%s\"", id);
		return false;
	}
	what->department = department->id;
	what->queue = department->queue;
	what->accept_ms = department->accept_ms;
	what->fallback = department->fallback;
	return true;
}

/* "queue:refunds", "agent:bob", "department:billing": false after having answered 400. */
static bool target_read(struct api_call *call, struct work_transfer *what)
{
	const struct roster *roster = roster_of(call);
	const char *target = json_text(call->body, "target");
	const char *id = target == NULL ? NULL : strchr(target, ':');

	if (id == NULL || id[1] == '\0') {
		api_invalid(call, "#/body/target",
			    "target must be queue:<id>, agent:<id> or department:<id>");
		return false;
	}
	id++;
	if (text_starts(target, "department:"))
		return department_read(call, id, what);
	if (text_starts(target, "queue:")) {
		what->queue = id;
		if (roster_queue(roster, id) != NULL)
			return true;
		api_invalid(call, "#/body/target", "there is no queue \"%s\"%s", id,
			    hint(call, id, queue_ids(call, roster)));
	} else if (text_starts(target, "agent:")) {
		what->agent = id;
		if (roster_agent(roster, id) != NULL)
			return true;
		api_invalid(call, "#/body/target", "there is no agent \"%s\"%s", id,
			    hint(call, id, agent_ids(call, roster)));
	} else {
		api_invalid(call, "#/body/target",
			    "target must be queue:<id>, agent:<id> or department:<id>");
	}
	return false;
}

static void transfer(struct api_call *call)
{
	struct work_transfer what = { .transfer = new_id(call),
				      .reason = json_text(call->body, "reason"),
				      .summary = json_text(call->body, "note") };
	const char *fallback = json_text(call->body, "fallback");

	if (!target_read(call, &what))
		return;
	if (what.accept_ms == 0)
		what.accept_ms = what.agent != NULL ? agent_accept_ms : queue_accept_ms;
	what.accept_ms = accept_ms(call, what.accept_ms);
	if (fallback != NULL && text_starts(fallback, "queue:"))
		what.fallback = fallback + strlen("queue:");
	else if (fallback != NULL)
		what.fallback = NULL;
	work_transfer(work_call_of(call, false), &what, work_answer_done, call);
}

/* Without a target the queue's own next level is asked. */
static void escalate(struct api_call *call, const char *queue, int64_t level)
{
	const struct queue_row *row = roster_queue(roster_of(call), queue);
	size_t levels = row == NULL ? 0 : row->escalation_count;
	const struct escalation_row *next;
	struct work_transfer what = { .transfer = new_id(call),
				      .reason = json_text(call->body, "reason"),
				      .summary = json_text(call->body, "note"),
				      .level = level + 1,
				      .urgency = json_text(call->body, "urgency") };

	if (json_has(call->body, "target")) {
		if (!target_read(call, &what))
			return;
		what.accept_ms = accept_ms(call, agent_accept_ms);
	} else if (level >= (int64_t)levels) {
		api_invalid(call, "#/body/target",
			    "queue \"%s\" has %zu levels of escalation, and level %lld was "
			    "reached: name a target, queue:<id> or agent:<id>",
			    queue, levels, (long long)level);
		return;
	} else {
		next = &row->escalation[level];
		what.queue = next->queue;
		what.agent = next->agent;
		what.accept_ms = accept_ms(call, next->accept_ms);
		what.urgency = what.urgency == NULL ? next->urgency : what.urgency;
		what.priority = next->priority;
	}
	work_transfer(work_call_of(call, false), &what, work_answer_done, call);
}

static const char *agent_target(struct api_call *call)
{
	struct work_transfer what = { 0 };

	if (!target_read(call, &what))
		return NULL;
	if (what.agent == NULL)
		api_invalid(call, "#/body/target", "target must be agent:<id> here");
	return what.agent;
}

static void consult(struct api_call *call)
{
	struct work_consultation what = { .agent = agent_target(call),
					  .consult = new_id(call),
					  .accept_ms = accept_ms(call, agent_accept_ms),
					  .note = json_text(call->body, "note") };

	if (what.agent != NULL)
		work_consult(work_call_of(call, false), &what, work_answer_done, call);
}

static void assign(struct api_call *call, const char *channel)
{
	const struct channel_row *row = roster_channel(roster_of(call), channel);
	struct work_assignment what = { .agent = agent_target(call),
					.waiting_cost = row->waiting_cost,
					.transfer = new_id(call),
					.by = call->who.agent,
					.reason = json_text(call->body, "reason") };

	const struct agent_row *agent = roster_agent(roster_of(call), what.agent);

	what.cost = agent == NULL ? 1 : channel_cost(row, agent->capacity);
	if (what.agent != NULL)
		work_assign(work_call_of(call, false), &what, work_answer_done, call);
}

/* An item that does not exist is said before what else is wrong. */
static void on_known(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const char *queue = err == NULL ? reply_text(reply_item(reply, 0), NULL) : NULL;

	if (err != NULL)
		api_fail(call, err);
	else if (queue == NULL)
		api_problem(call, 404, "no_such_work_item", "there is no such work item");
	else if (roster_of(call) == NULL)
		api_slow_down(call, 1000);
	else if (call->route->run == handle_work_transfer)
		transfer(call);
	else if (call->route->run == handle_work_escalate)
		escalate(call, queue, reply_int(reply_item(reply, 1)));
	else if (call->route->run == handle_work_consult)
		consult(call);
	else
		assign(call, reply_text(reply_item(reply, 2), NULL));
}

static void known_read(struct api_call *call)
{
	struct store_call *read = store_command("HMGET");

	store_arg_key(read, call->who.workspace, "w:%s", call->params[0]);
	store_arg_text(read, "q");
	store_arg_text(read, "el");
	store_arg_text(read, "ch");
	store_read(call->parts->store, read, on_known, call);
}

void handle_work_transfer(struct api_call *call)
{
	known_read(call);
}

void handle_work_escalate(struct api_call *call)
{
	known_read(call);
}

void handle_work_consult(struct api_call *call)
{
	known_read(call);
}

void handle_work_assign(struct api_call *call)
{
	known_read(call);
}

void handle_work_barge(struct api_call *call)
{
	struct work_consultation what = { .agent = call->who.agent,
					  .consult = new_id(call),
					  .note = json_text(call->body, "note") };

	work_consult(work_call_of(call, false), &what, work_answer_done, call);
}
