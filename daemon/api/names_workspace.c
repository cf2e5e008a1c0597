/* Is there such a workspace? Those that a channel names, that this instance has open, or that the
 * store knows. */
#include "api/names.h"
#include "base/settings.h"
#include "base/text.h"
#include "channel.h"
#include "parts.h"
#include "store/store.h"
#include "workspace.h"

enum { WORKSPACES_MAX = 200 };

struct entering {
	struct api_call *call;
	route_fn *next;
};

static const char **known_workspaces(struct api_call *call)
{
	const char **known = arena_alloc(call->arena, (WORKSPACES_MAX + 1) * sizeof(*known));
	const struct workspace *workspace = NULL;
	const struct channel *channel;
	size_t count = 0;

	known[count++] = "main";
	for (size_t i = 0; (channel = channel_at(call->parts->channels, i)) != NULL; i++)
		if (count < WORKSPACES_MAX / 2)
			known[count++] = channel_workspace(channel);
	while ((workspace = workspace_next(call->parts->workspaces, workspace)) != NULL)
		if (count < WORKSPACES_MAX)
			known[count++] = workspace_name(workspace);
	return known;
}

static void on_exists(const struct store_reply *reply, const struct error *err, void *context)
{
	const struct entering *entering = context;
	struct api_call *call = entering->call;
	const char *near;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (reply_int(reply) > 0) {
		entering->next(call);
		return;
	}
	near = settings_nearest(call->who.workspace, known_workspaces(call));
	api_problem(call, 404, "unknown_workspace", "there is no workspace \"%s\"%s%s%s",
		    call->who.workspace, near == NULL ? "" : "; did you mean \"",
		    near == NULL ? "" : near, near == NULL ? "" : "\"?");
}

void workspace_check(struct api_call *call, route_fn *next)
{
	static const char *const keys[] = { "meta", "tok", "cfg:queues", "cfg:agents",
					    "cfg:rules" };
	const char **known = known_workspaces(call);
	struct entering *entering = arena_alloc(call->arena, sizeof(*entering));
	struct store_call *read;

	for (; *known != NULL; known++)
		if (text_equal(*known, call->who.workspace)) {
			next(call);
			return;
		}
	*entering = (struct entering){ call, next };
	read = store_command("EXISTS");
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		store_arg_key(read, call->who.workspace, "%s", keys[i]);
	store_read(call->parts->store, read, on_exists, entering);
}
