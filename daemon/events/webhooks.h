/* Outgoing webhooks of a workspace, on its steward: the configuration, what
 * copies events into outboxes, and what delivers them. */
#pragma once

#include "events/webhook.h"
#include "parts.h"

struct webhooks;
struct workspace;

struct webhooks *webhooks_new(struct parts *parts, struct workspace *workspace, const char *fence,
			      struct webhook_counts *counts);
void webhooks_free(struct webhooks **webhooks);
