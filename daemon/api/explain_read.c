/* GET /v1/work-items/{id}/explain: what is read for it. */
#include <stdlib.h>

#include "api/explain.h"
#include "api/handlers.h"
#include "base/text.h"
#include "parts.h"
#include "routing/roster.h"
#include "services/loop.h"
#include "store/store.h"
#include "workspace.h"

static void on_agents(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const struct roster *roster = api_roster(call);
	struct explaining what = { .item = call->state, .roster = roster };

	if (roster == NULL)
		return;
	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	what.figures =
		workspace_figures(workspace_get(call->parts->workspaces, call->who.workspace));
	what.agents = reply;
	what.now_ms = loop_unix_ms(call->parts->loop);
	explain_answer(call, &what);
}

enum { ITEM_FIRST = 3 }; /* place, how many wait and the transfer's end come before the fields */

static const char *field(struct api_call *call, const struct store_reply *reply, const char *name)
{
	for (size_t i = ITEM_FIRST; i + 1 < reply_count(reply); i += 2)
		if (text_equal(reply_text(reply_item(reply, i), NULL), name))
			return arena_text(call->arena, reply_text(reply_item(reply, i + 1), NULL));
	return "";
}

static int64_t number(struct api_call *call, const struct store_reply *reply, const char *name)
{
	return strtoll(field(call, reply, name), NULL, 10);
}

static struct explain_item *item_read(struct api_call *call, const struct store_reply *reply)
{
	struct explain_item *item = arena_alloc(call->arena, sizeof(*item));

	*item = (struct explain_item){
		.id = call->params[0],
		.state = field(call, reply, "s"),
		.queue = field(call, reply, "q"),
		.plan = field(call, reply, "sk"),
		.channel = field(call, reply, "ch"),
		.agent = field(call, reply, "a"),
		.last_agent = field(call, reply, "la"),
		.declined = field(call, reply, "dn"),
		.waiting_for = field(call, reply, "wf"),
		.offers = field(call, reply, "o"),
		.clocks = field(call, reply, "sc"),
		.rule = field(call, reply, "ru"),
		.given = field(call, reply, "rg"),
		.rules_version = number(call, reply, "rv"),
		.queued_ms = number(call, reply, "qt"),
		.priority = number(call, reply, "pr"),
		.place = reply_int(reply_item(reply, 0)),
		.waiting = reply_int(reply_item(reply, 1)),
		.transfer_ms = reply_int(reply_item(reply, 2)),
	};
	return item;
}

/* Of the agents who serve the item's queue. */
static void standings_read(struct api_call *call, const struct roster *roster)
{
	const struct explain_item *item = call->state;
	struct store_call *read = store_script("standings_read", call->who.workspace);
	size_t count;
	const struct agent_row *agents = roster_agents(roster, &count);

	for (size_t i = 0; i < count; i++)
		if (agent_serves(&agents[i], item->queue))
			store_arg_text(read, agents[i].id);
	store_read(call->parts->store, read, on_agents, call);
}

static void on_item(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const struct roster *roster;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (reply_is(reply, "none")) {
		api_problem(call, 404, "no_such_work_item", "there is no work item \"%s\"",
			    call->params[0]);
		return;
	}
	call->state = item_read(call, reply);
	roster = api_roster(call);
	if (roster != NULL)
		standings_read(call, roster);
}

void handle_work_explain(struct api_call *call)
{
	struct store_call *read = store_script("explain_read", call->who.workspace);

	store_arg_text(read, call->params[0]);
	store_read(call->parts->store, read, on_item, call);
}
