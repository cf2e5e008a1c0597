/* Links into other systems about a customer: a URL template with placeholders, filled in, and
 * signed so that the other system can trust it for a while. Pure. */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

/* The text of a placeholder such as "customer.id"; NULL: there is none. */
typedef const char *context_value_fn(const char *name, void *context);

struct context_link {
	const char *url;    /* with placeholders in braces */
	const char *secret; /* whsec_ and base64 */
	int64_t expires_s;  /* unix time until which it is good */
};

/* Values are percent-encoded. Appends "expires=<unix s>&signature=<hex>" as the last parameters:
 * the signature is HMAC-SHA256, under the secret's bytes, over all of the URL before "&signature=".
 * -1: a placeholder has no value, or the secret is none; nothing is appended then. */
int context_link_write(struct arena *arena, const struct context_link *link,
		       context_value_fn *value, void *context, struct buf *out);
