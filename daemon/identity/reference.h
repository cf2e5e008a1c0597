/* From a provider's message id to the message it names: {ws}:r:<bucket>,
 * written when a mail is admitted and when something was sent. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "identity/identity.h"

struct store_call;

struct reference {
	char conversation[ID_BYTES];
	char message[ID_BYTES];
	int64_t index;         /* in the conversation */
	char before[ID_BYTES]; /* the conversation that it was moved from; "" */
};

/* A plain read for store_read(); its answer is a text for reference_parse(), or nil. */
struct store_call *reference_command(const struct identity_place *place, const char *provider_id);
bool reference_parse(const char *stored, struct reference *ret_reference); /* NULL is false */
