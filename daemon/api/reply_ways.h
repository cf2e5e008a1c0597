/* Whom a conversation that is started answers: the customer of another one (reply_ways.c). */
#pragma once

#include "api/api.h"
#include "converge/message.h"

/* Texts live in the call's arena. */
struct answered {
	const char *customer;
	const char *scope; /* of the address, as the customer's record has it */
	bool is_claimed;
};
typedef void answered_fn(struct api_call *call, const struct answered *answered);

/* The customer of the body's "answers", whose address on that channel identifier (kind, value) must
 * be. done at most once: else it has answered. */
void answered_find(struct api_call *call, const char *channel, const struct identifier *identifier,
		   answered_fn *done);
