/* One attempt to deliver an event to an endpoint: a signed POST. */
#pragma once

#include <stdint.h>

#include "events/webhook.h"
#include "parts.h"

struct webhook_posted {
	long status;            /* 0: no answer */
	const char *error;      /* NULL: it was taken (2xx) */
	int64_t retry_after_ms; /* -1: the endpoint did not say */
};
/* Exactly once, never before webhook_post() has returned. */
typedef void webhook_posted_fn(const struct webhook_posted *posted, void *context);

struct webhook_post {
	struct parts *parts;
	const struct webhook *webhook; /* not needed afterwards, like the texts */
	const char *event;             /* its id */
	const char *json;
	webhook_posted_fn *done;
	void *context;
};
void webhook_post(const struct webhook_post *post);
