/* Service level clocks, on the steward of a workspace. Reads the log with a
 * durable cursor of its own (cur:sla), lets every entry about a work item move
 * that item's clocks (sla_clock.h), and looks after deadlines that pass while
 * nothing happens ({ws}:sla, a sorted set of what is due). Entries read again
 * after a crash change nothing twice: the clocks carry the position they know. */
#pragma once

#include "parts.h"

struct sla;
struct workspace;

struct sla *sla_new(struct parts *parts, struct workspace *workspace, const char *fence);
void sla_free(struct sla **sla);
/* The configuration was read again: policies or calendars may be others. */
void sla_policies_changed(struct sla *sla);
