/* Reads the log of a workspace with a durable cursor of its own (cur:webhooks)
 * and copies what endpoints want into their outboxes, cursor and copies in one
 * script: an endpoint that is down never holds the log. On the steward. */
#pragma once

#include "events/webhook.h"
#include "parts.h"

struct webhook_copier;

struct webhook_copier_options {
	struct parts *parts;
	const char *workspace;
	const char *fence;
	struct webhook_counts *counts;
	/* The configuration changed at this point of the log: nothing more is read until
	 * webhook_copier_set_list() gives it. */
	void (*on_config)(void *context);
	void (*on_copied)(void *context); /* there is something to send */
	void *context;
};

/* Texts are copied. */
struct webhook_copier *webhook_copier_new(const struct webhook_copier_options *options);
void webhook_copier_free(struct webhook_copier **copier);
/* Borrowed until the next one is given. */
void webhook_copier_set_list(struct webhook_copier *copier, const struct webhook_list *list);
/* Now and then: what failed is done again, and the cursor passes what nobody wants. */
void webhook_copier_tick(struct webhook_copier *copier);
