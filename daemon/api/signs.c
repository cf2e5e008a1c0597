/* What agents tell each other in passing: who writes in a conversation, who looks at it. */
#include "api/handlers.h"
#include "base/id.h"
#include "parts.h"
#include "workspace.h"

/* Told to whoever looks at the conversation now; kept nowhere. */
static void tell(struct api_call *call, enum sign sign)
{
	if (!id_is(call->params[0], "cnv_")) {
		api_no_conversation(call);
		return;
	}
	workspace_tell_sign(workspace_get(call->parts->workspaces, call->who.workspace), sign,
			    call->params[0], call->who.agent);
	api_empty(call, 204);
}

void handle_typing(struct api_call *call)
{
	tell(call, SIGN_TYPING);
}

void handle_viewing(struct api_call *call)
{
	tell(call, json_bool(call->body, "is_here", true) ? SIGN_VIEWING : SIGN_GONE);
}
