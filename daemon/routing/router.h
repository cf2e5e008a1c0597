/* The router: runs on the steward of a workspace. It keeps waiting items,
 * agents and wishes in memory, proposes, and offer.lua disposes. It rebuilds
 * from the store at any time; a stale one can do no harm. */
#pragma once

#include <stdint.h>

#include "parts.h"

struct log_entry;
struct router;
struct workspace;

struct router *router_new(struct parts *parts, struct workspace *workspace, const char *fence);
void router_free(struct router **router);
void router_entry(struct router *router, const struct log_entry *entry);
void router_roster_changed(struct router *router);
void router_resync(struct router *router); /* read everything again */
