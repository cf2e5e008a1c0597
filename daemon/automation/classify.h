/* The classifier hook: on the steward of a workspace a reader of the log asks a
 * classifier about each new work item, after it was admitted. Slow, failing or
 * wrong classifiers delay nothing: the item waits in its queue meanwhile as the
 * rules left it.
 *
 * How far it came is kept in cur:classify, so that a new steward goes on where
 * the last one ended; to ask twice does no harm (scripts/reclassify.lua). */
#pragma once

#include "automation/classify_call.h"

struct log_entry;
struct workspace;

/* By outcome, since the daemon started; kept by the workspace, which outlives stewards. */
struct classify_counts {
	int64_t of[CLASSIFY_OUTCOMES];
};
extern const char *const classify_outcomes[CLASSIFY_OUTCOMES]; /* "applied" ... */

struct classify *classify_new(struct parts *parts, struct workspace *workspace, const char *fence,
			      struct classify_counts *counts);
void classify_free(struct classify **classify);
/* Of the live log: what was configured anew. */
void classify_entry(struct classify *classify, const struct log_entry *entry);
