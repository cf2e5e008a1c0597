/* Opening a session, whatever proved who comes: a password, a provider. */
#pragma once

#include <stdbool.h>

#include "store/store.h"

struct api_call;
struct second_factor;
struct signing;

/* The session is open and its cookie in the answer, which this gives; csrf: what the page sends
 * with every method that has an effect. */
typedef void session_opened_fn(struct api_call *call, const struct signing *signing,
			       const char *csrf);

struct signing {
	const char *workspace;
	const char *agent;
	const char *role; /* set by session_open() */
	bool known;
	const struct second_factor *factor; /* NULL: none is asked of this agent */
	session_opened_fn *opened;
};

/* signing lives in the call's arena. Where it cannot be opened, the problem has been answered. */
void session_open(struct api_call *call, struct signing *signing);
/* Attempts from one source, in a bucket of the store: "ok" to done where one more is allowed. */
void session_source_count(struct api_call *call, struct signing *signing, store_done_fn *done);
/* Guesses at a secret of the agent whose session it is: "ok" to done where one more is allowed. */
void session_guess_count(struct api_call *call, store_done_fn *done);
/* Answers 429. */
void session_too_many(struct api_call *call);
