/* Visitors' sessions of HAS_VISITORS channels: a signed token that carries who
 * the visitor is, so that no state is kept for those who never write. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/id.h"
#include "converge/connector.h"

struct mac;

enum { VISITOR_TOKEN_DAYS = 90 };

struct visitor_seal {
	struct mac *mac;
	const char *channel; /* "workspace.name": a token is good for one */
	int64_t now_s;
};
void visitor_token_make(const struct visitor_seal *seal, const struct visitor *visitor,
			struct buf *out);
/* False: forged, for another channel, or expired. Texts are in the arena. */
bool visitor_token_read(const struct visitor_seal *seal, const char *token, struct arena *arena,
			struct visitor *ret);
/* The conversation a visitor's messages go to. */
bool visitor_conversation(struct mac *mac, const struct channel *channel,
			  const struct visitor *visitor, struct arena *arena,
			  char ret_id[ID_BYTES]);
