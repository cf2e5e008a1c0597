/* Delivers what waits in the outboxes: a few posts at a time to each endpoint,
 * the longest due first. An endpoint that fails is left alone for a while and
 * then tried with one post at a time. On the steward; a post whose end could
 * not be written down is made again, with the same webhook-id. */
#pragma once

#include "events/webhook.h"
#include "parts.h"

struct webhook_sender;

struct webhook_sender *webhook_sender_new(struct parts *parts, const char *workspace,
					  struct webhook_counts *counts);
void webhook_sender_free(struct webhook_sender **sender);
/* Borrowed until the next one is given. */
void webhook_sender_set_list(struct webhook_sender *sender, const struct webhook_list *list);
/* Looks for what is due. */
void webhook_sender_look(struct webhook_sender *sender);
