/* What the files of /chat/{channel}/... share. */
#pragma once

#include "api/api.h"
#include "channel.h"

/* One call about one visitor. */
struct chat_call {
	struct channel *channel;
	const char *full_name; /* workspace.name: what tokens are bound to */
	struct visitor visitor;
	const char *token; /* the visitor's session */
	struct request_view view;
	route_fn *go_on; /* within the visitor's rate */
	void *coding;    /* codes.c's own */
	void *own;       /* the handler's */
};

/* Channel, origin rule and session token checked; NULL after having answered. */
struct chat_call *chat_call_visitor(struct api_call *call);
/* The mail channel that takes what is left while closed; NULL: none, or it is away. */
struct channel *chat_offline_channel(struct api_call *call, const struct chat_call *chat);
/* Counts one message or upload of this visitor: go_on(call), or 429. */
void chat_rate(struct api_call *call, route_fn *go_on);
/* The attachments of a message about to be sent must be uploads of this visitor; false after
 * having answered. */
bool chat_files_own(struct api_call *call, const struct chat_call *chat);
