/* Who am I, and presence. */
#include <string.h>

#include "api/auth.h"
#include "api/handlers.h"
#include "api/names.h"
#include "base/text.h"
#include "config.h"
#include "parts.h"
#include "routing/claim.h"
#include "routing/roster.h"
#include "workspace.h"

enum { SEEN_MAX_MS = 15 * 1000 };

void api_seen(struct parts *parts, const char *workspace, const char *agent)
{
	presence_seen(parts->store, workspace, agent);
}

int64_t api_seen_every_ms(const struct parts *parts)
{
	int64_t part = parts->config->limits.disconnect_grace_ms / 4;

	return part < SEEN_MAX_MS ? part : SEEN_MAX_MS;
}

const char *api_agent_name(struct api_call *call, const char *agent)
{
	const struct roster *roster =
		workspace_roster(workspace_get(call->parts->workspaces, call->who.workspace));
	const struct agent_row *row = roster == NULL ? NULL : roster_agent(roster, agent);

	if (row != NULL && row->name != NULL && *row->name != '\0')
		return arena_text(call->arena, row->name);
	return text_equal(agent, call->who.agent) ? call->who.name : agent;
}

static void write_me(struct api_call *call, struct json_out *out, const char *agent)
{
	/* About somebody else there is no role to tell: it is a matter of each token. */
	if (text_equal(agent, call->who.agent)) {
		jw_text(out, "role", role_name(call->who.role));
		jw_text(out, "workspace", call->who.workspace);
	}
	jw_text(out, "agent", agent);
	jw_text(out, "name", api_agent_name(call, agent));
}

static void answer_presence(struct api_call *call, const char *agent, const char *status,
			    bool routable)
{
	struct buf body = { 0 };
	struct json_out out;

	jw_start(&out, &body);
	jw_object(&out, NULL);
	write_me(call, &out, agent);
	jw_text(&out, "status", status);
	jw_bool(&out, "routable", routable);
	jw_object_end(&out);
	api_answer(call, 200, &body);
}

/* NULL where the caller is no agent of the configuration, or that is still being read. */
static const struct agent_row *own_row(struct api_call *call)
{
	const struct roster *roster =
		workspace_roster(workspace_get(call->parts->workspaces, call->who.workspace));

	return roster == NULL ? NULL : roster_agent(roster, call->who.agent);
}

static void on_runtime(const struct agent_runtime *runtime, const struct error *err, void *context)
{
	struct api_call *call = context;
	const struct agent_row *row = own_row(call);
	struct buf body = { 0 };
	struct json_out out;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	jw_start(&out, &body);
	jw_object(&out, NULL);
	write_me(call, &out, call->who.agent);
	jw_text(&out, "status", runtime->status);
	jw_text(&out, "reason", runtime->why);
	jw_bool(&out, "routable", runtime->routable);
	jw_int(&out, "load", runtime->load);
	if (row != NULL)
		jw_int(&out, "capacity", row->capacity);
	else
		jw_null(&out, "capacity");
	jw_object_end(&out);
	api_answer(call, 200, &body);
}

void handle_me(struct api_call *call)
{
	presence_read(call->parts->store, call->who.workspace, call->who.agent, on_runtime, call);
}

struct setting_presence {
	struct api_call *call;
	const char *agent;
	bool routable;
};

static void on_presence(const struct work_result *result, const struct error *err, void *context)
{
	const struct setting_presence *setting = context;

	if (result->code != WORK_OK)
		api_fail(setting->call, err);
	else
		answer_presence(setting->call, setting->agent, result->state, setting->routable);
}

static void presence_change(struct api_call *call, const char *agent)
{
	struct setting_presence *setting = arena_alloc(call->arena, sizeof(*setting));
	const char *status = json_text(call->body, "status");
	struct presence presence = {
		.agent = agent,
		.status = status,
		.why = json_text(call->body, "reason"),
		.routable = json_bool(call->body, "routable", text_equal(status, "online")),
	};

	*setting = (struct setting_presence){ call, agent, presence.routable };
	presence_set(call->parts->store, call->who.workspace, &presence, on_presence, setting);
}

void handle_presence(struct api_call *call)
{
	presence_change(call, call->who.agent);
}

static void agent_presence(struct api_call *call)
{
	presence_change(call, call->params[0]);
}

void handle_agent_presence(struct api_call *call)
{
	name_check(call, NAME_AGENT, call->params[0], "agent", agent_presence);
}
