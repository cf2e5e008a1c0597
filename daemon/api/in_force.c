#include "api/in_force.h"

#include "api/api.h"
#include "api/auth.h"
#include "parts.h"
#include "workspace.h"

struct waiting {
	struct api_call *call;
	in_force_fn *then;
};

static void on_refreshed(void *context)
{
	struct waiting *waiting = context;

	/* Sessions have the roles of their agents. */
	auth_forget(api_auth(waiting->call->api), waiting->call->who.workspace);
	waiting->then(waiting->call);
}

void in_force_then(struct api_call *call, in_force_fn *then)
{
	struct waiting *waiting = arena_alloc(call->arena, sizeof(*waiting));

	*waiting = (struct waiting){ call, then };
	workspace_refresh(workspace_get(call->parts->workspaces, call->who.workspace), on_refreshed,
			  waiting);
}
