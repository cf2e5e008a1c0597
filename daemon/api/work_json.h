/* Answers that are work items, or why one could not be changed. */
#pragma once

#include "api/api.h"

struct error;
struct work_call;
struct work_result;

/* Reads the item and answers with it; 404 where it is unknown. */
void work_answer_item(struct api_call *call, const char *id, int status);
/* A work_done_fn over an api_call: answers with the item, or with the refusal. */
void work_answer_done(const struct work_result *result, const struct error *err, void *context);
/* The caller's call on the item of the path: a supervisor acts on anybody's, an agent on the own
 * ones. */
struct work_call *work_call_of(struct api_call *call, bool always_as_agent);
/* How long a tool has what it claims or extends. */
int64_t work_lease_ms(const struct api_call *call);
/* What a refused or failed transition is to the caller (409, 404, 412, 422, 503). */
void work_answer_refusal(struct api_call *call, const struct work_result *result,
			 const struct error *err);
