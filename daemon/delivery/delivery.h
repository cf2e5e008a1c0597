/* One attempt to send the oldest waiting message of one conversation: claim
 * it, build what the connector needs, let it send, write down how it ended. */
#pragma once

#include <stdbool.h>

#include "converge/connector.h"
#include "delivery/outbox.h"
#include "parts.h"

struct delivery_start {
	struct parts *parts;
	const char *workspace;
	const char *fence;
	const char *conversation;
	/* Exactly once, never before delivery_start() returned. look_again: there may be more to
	 * send right now. */
	void (*done)(const char *conversation, bool look_again, void *context);
	void *context;
};

void delivery_start(const struct delivery_start *start);

/* The hooks of host->sent() and host->failed() (channel.h). */
void delivery_on_sent(struct delivery *delivery, const char *provider_id, void *context);
void delivery_on_failed(struct delivery *delivery, enum send_failure failure, const char *code,
			const char *why, int64_t retry_after_ms, void *context);
