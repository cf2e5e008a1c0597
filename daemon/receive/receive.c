#include "receive/receive.h"

#include "channel.h"
#include "receive/spooling.h"
#include "store/store.h"
#include "workspace.h"

/* Above this share of maxmemory new messages are refused, so that what is
 * there can still be answered and drained. */
static const double FULL = 0.85;

static void on_ready(void *context)
{
	struct flight *flight = context;

	if (flight_landed(flight))
		pipeline_resume(flight, STAGE_NEXT);
}

static enum stage_result store_takes(struct flight *flight)
{
	struct parts *parts = flight->parts;

	if (!store_is_up(parts->store))
		return flight_fail(flight, "the store cannot be reached");
	if (store_fullness(parts->store) >= FULL)
		return flight_fail(flight, "the store is full (%.0f %% of its memory)",
				   store_fullness(parts->store) * 100);
	if (workspace_log_is_full(flight->workspace))
		return flight_fail(flight, "the log is full: a reader of it is far behind");
	return STAGE_NEXT;
}

enum stage_result receive_run(struct flight *flight)
{
	struct parts *parts = flight->parts;
	bool is_served = spooling_serves(flight);

	flight->workspace = workspace_get(parts->workspaces, channel_workspace(flight->channel));
	if (store_takes(flight) == STAGE_FAIL && !is_served)
		return STAGE_FAIL;
	if (flight->error.kind != ERROR_NONE ||
	    (is_served && spooling_is_behind(parts->spooling, flight))) {
		flight->error = (struct error){ 0 };
		flight->waits = true;
		return STAGE_NEXT;
	}
	if (workspace_roster(flight->workspace) != NULL)
		return STAGE_NEXT;
	flight->pending++;
	workspace_when_ready(flight->workspace, on_ready, flight);
	return STAGE_WAIT;
}
