/* Work items: pulled, offered, handed over, ended. */
#include "api/handlers.h"
#include "api/routes.h"
#include "base/memory.h"

static const struct field body_claim[] = {
	{ "wait_s", FIELD_INT, false, 0, 60, NULL, "how long to wait for work; default 0" },
	{ "queues", FIELD_TEXTS, false, 0, 100, NULL,
	  "only from these; default: all of the caller's" },
	{ "channels", FIELD_TEXTS, false, 0, 100, NULL,
	  "only what came in on these; default: all" },
	{ "key", FIELD_TEXT, false, 1, 100, NULL, "repeating it returns the same item" },
	{ "lease_s", FIELD_INT, false, 1, 3600, NULL,
	  "a tool's: how long it has the item unless it extends; default 300" },
	{ 0 },
};
static const struct field body_transition[] = {
	{ "reason", FIELD_TEXT, false, 0, 500, NULL, "why" },
	{ "note", FIELD_TEXT, false, 0, 10000, NULL, "an internal note to go with it" },
	{ "target", FIELD_TEXT, false, 1, 100, NULL, "queue:<id>, agent:<id> or department:<id>" },
	{ "fallback", FIELD_TEXT, false, 1, 100, NULL,
	  "where a transfer goes that nobody takes: back (default) or queue:<id>" },
	{ "accept_within_s", FIELD_INT, false, 1, 2592000, NULL,
	  "how long the target has; default 24 h for a queue, 10 min for an agent" },
	{ "urgency", FIELD_TEXT, false, 0, 20, "low|normal|high|urgent", "for escalate" },
	{ "until", FIELD_TIME, false, 0, 0, NULL, "for snooze" },
	{ "waiting_for", FIELD_TEXT, false, 0, 20, "customer|department|third_party|until",
	  "for snooze" },
	{ "lease_s", FIELD_INT, false, 1, 3600, NULL,
	  "for a tool's extend: from now; default 300" },
	{ "version", FIELD_INT, false, 0, 0, NULL, "refuse if the item has changed since" },
	{ 0 },
};
static const struct field body_work[] = {
	{ "queue", FIELD_TEXT, true, 1, 64, NULL, "where it waits" },
	{ "type", FIELD_TEXT, false, 0, 64, NULL, "what kind of case" },
	{ "topic", FIELD_TEXT, false, 0, 64, NULL, NULL },
	{ "urgency", FIELD_TEXT, false, 0, 20, "low|normal|high|urgent", NULL },
	{ "priority", FIELD_INT, false, -100000, 100000, NULL, "minutes of head start" },
	{ "summary", FIELD_TEXT, false, 0, 2000, NULL, NULL },
	{ "customer", FIELD_TEXT, false, 1, 64, NULL, "cus_..." },
	{ "conversation", FIELD_TEXT, false, 1, 64, NULL, "cnv_..." },
	{ 0 },
};
static const struct field body_rating[] = {
	{ "score", FIELD_INT, true, 1, 5, NULL, "5 is the best" },
	{ "comment", FIELD_TEXT, false, 0, 2000, NULL, "in the customer's words" },
	{ "source", FIELD_TEXT, false, 1, 100, NULL, "which survey; default: who writes" },
	{ 0 },
};
#define TRANSITION(word, text)                                                                     \
	{                                                                                          \
		"POST", "/v1/work-items/{id}/" #word, ROLES_WORK, handle_work_##word,              \
			body_transition, NULL, "WorkItem", 200, text, 0                            \
	}

static const struct route routes[] = {
	{ "POST", "/v1/work/claim", ROLES_WORK, handle_claim, body_claim, NULL, "WorkItem", 200,
	  "Pull the next work item; 204 when there is none", 0 },
	{ "GET", "/v1/work-items", ROLES_WORK, handle_work_list, NULL,
	  "state,queue,agent,sla," PAGED, "List", 200, "List work items", 0 },
	{ "POST", "/v1/work-items", ROLES_WORK, handle_work_open, body_work, NULL, "WorkItem", 201,
	  "Open a case", 0 },
	{ "GET", "/v1/work-items/{id}", ROLES_WORK, handle_work_get, NULL, NULL, "WorkItem", 200,
	  "One work item", 0 },
	{ "GET", "/v1/work-items/{id}/explain", ROLES_WORK, handle_work_explain, NULL, NULL,
	  "Explain", 200, "Why it waits", 0 },
	TRANSITION(accept, "Accept my pending offer"),
	TRANSITION(decline, "Decline my pending offer"),
	TRANSITION(release, "Give it back to its queue"),
	TRANSITION(extend, "More time: a tool's lease, or an agent's wrap-up"),
	TRANSITION(resolve, "It is solved"),
	TRANSITION(close, "Close it for good"),
	TRANSITION(reopen, "Open it again"),
	TRANSITION(transfer, "Hand it to a queue, a department or an agent, who must accept"),
	TRANSITION(escalate, "Ask the next level, or the target"),
	TRANSITION(consult, "Ask a second agent to help"),
	{ "POST", "/v1/work-items/{id}/rating", ROLE_INTEGRATION | ROLE_ADMIN, handle_rating_put,
	  body_rating, NULL, "Rating", 200, "How content the customer was; again replaces it", 0 },
	{ "POST", "/v1/work-items/{id}/assign", ROLES_LEAD, handle_work_assign, body_transition,
	  NULL, "WorkItem", 200, "Give it to an agent, asked or not", 0 },
	{ "POST", "/v1/work-items/{id}/barge", ROLES_LEAD, handle_work_barge, body_transition, NULL,
	  "WorkItem", 200, "Join its conversation", 0 },
	{ "GET", "/v1/work-items/{id}/transfers", ROLES_WORK, handle_transfer_list, NULL, NULL,
	  "List", 200, "How it was handed on, the newest first", 0 },
	{ "POST", "/v1/transfers/{id}/cancel", ROLES_WORK, handle_transfer_cancel, body_none, NULL,
	  "WorkItem", 200, "Take a transfer or a consultation back, or end the help", 0 },
	TRANSITION(snooze, "Wait for somebody or until a time"),
};

const struct route_group routes_of_work = { routes, COUNT_OF(routes) };
