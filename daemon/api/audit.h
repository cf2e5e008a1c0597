/* The audit of administrative acts: every change that is not an agent's daily work, and who may
 * not be asked for it later. An entry is durable before the act begins; how it ended is added. What
 * is audited follows from the route, so that a new one cannot be forgotten. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "api/api.h"

enum { AUDIT_TYPE_BYTES = 80 };

/* Every route that changes something and that agents may not call; merges and what else decides for
 * good though agents may; and taking out all customers. */
bool audit_is_wanted(const struct route *route);
/* "customers.merge", "queues.put", "tokens.delete": the path's words, and PUT or DELETE. */
void audit_type(const struct route *route, char ret_type[AUDIT_TYPE_BYTES]);

/* Runs the route, once the entry is kept; 503 where it cannot be. A preview is no act. */
void audit_run(struct api_call *call);
/* What came of it; answer is JSON, or NULL. Nothing where the call is not audited. */
void audit_end(struct api_call *call, int status, const char *answer);

/* audit_apply.c: of POST /v1/configuration, {"objects": how many, "changes": [{kind, id, before,
 * after}]}, the first 100, or 64 KiB, of them; or it answers the call. */
typedef void audit_detail_fn(struct api_call *call, const char *detail);
void audit_apply_detail(struct api_call *call, audit_detail_fn *done);
