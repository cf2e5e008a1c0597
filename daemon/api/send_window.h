/* What delivery/window.h says of a conversation, for the API. */
#pragma once

#include "api/api.h"
#include "conversation/conversation.h"
#include "delivery/window.h"

/* What only the store knows of the addressee (may_read.lua). */
struct send_facts {
	int64_t opted_out_ms;
	int64_t capped_ms;
};

/* May the caller's body leave now? facts may be NULL: not asked. False where its channel is gone.
 */
bool send_window(const struct api_call *call, const struct conversation *conversation,
		 const struct send_facts *facts, struct window_answer *ret);
/* "window": of a plain message by a person; null where the channel is gone. */
void send_window_json(const struct api_call *call, const struct conversation *conversation,
		      struct json_out *out);
/* Would the caller's body take more messages than an open window has left? Then *window says so,
 * and false where it may leave as it is. */
struct channel;
bool window_too_small(const struct api_call *call, struct channel *channel,
		      struct window_answer *window);
