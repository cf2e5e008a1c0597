/* The steward's sending side of the outbox: takes due conversations in order,
 * claims the head message of each (send_begin), lets the channel's connector
 * send it, and writes how it ended (send_end). What a dead steward left as
 * `sending` is recovered when its time is up. */
#pragma once

#include "parts.h"

struct deliveries;
struct log_entry;
struct workspace;

struct deliveries *deliveries_new(struct parts *parts, struct workspace *workspace,
				  const char *fence);
void deliveries_free(struct deliveries **deliveries);
void deliveries_entry(struct deliveries *deliveries, const struct log_entry *entry);
void deliveries_resync(struct deliveries *deliveries);
