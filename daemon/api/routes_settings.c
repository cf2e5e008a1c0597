/* What a workspace is configured with. */
#include "api/handlers.h"
#include "api/routes.h"
#include "base/memory.h"

static const struct field body_any[] = {
	{ "*", FIELD_ANY, false, 0, 0, NULL, "an object of this kind" },
	{ 0 },
};
static const struct field body_token[] = {
	{ "role", FIELD_TEXT, true, 1, 20, "agent|supervisor|admin|integration", NULL },
	{ "agent", FIELD_TEXT, false, 1, 64, NULL, "required for agent and supervisor" },
	{ "name", FIELD_TEXT, false, 0, 100, NULL, "what it is for" },
	{ "expires_in_s", FIELD_INT, false, 60, 315360000, NULL, "default: never" },
	{ "view", FIELD_TEXT, false, 1, 10, "full|bot",
	  "of an integration: bot sees the safe subset of customers only" },
	{ 0 },
};
static const struct field body_calendar_test[] = {
	{ "at", FIELD_TIME, false, 0, 0, NULL, "default now" },
	{ "add", FIELD_TEXT, false, 1, 40, NULL, "business time to add, such as 8h" },
	{ "to", FIELD_TIME, false, 0, 0, NULL, "how much business time lies between" },
	{ 0 },
};
static const struct field body_rules_test[] = {
	{ "text", FIELD_TEXT, true, 0, 262144, NULL, "what the customer writes" },
	{ "subject", FIELD_TEXT, false, 0, 1000, NULL, NULL },
	{ "channel", FIELD_TEXT, false, 1, 40, NULL, "where it comes in" },
	{ "language", FIELD_TEXT, false, 2, 16, NULL, "told by the channel; default: guessed" },
	{ "attachments", FIELD_TEXTS, false, 0, 50, NULL, "media types" },
	{ "tier", FIELD_TEXT, false, 0, 40, NULL, "of the customer" },
	{ "attributes", FIELD_OBJECT, false, 0, 0, NULL, "of the customer" },
	{ "previous", FIELD_OBJECTS, false, 0, 50, NULL,
	  "earlier work: [{\"state\",\"type\",\"topic\",\"queue\",\"since\"}]" },
	{ "time", FIELD_TIME, false, 0, 0, NULL, "when; default now" },
	{ "rules", FIELD_OBJECTS, false, 0, 20000, NULL, "instead of the stored ones" },
	{ 0 },
};
static const struct field body_rules_lint[] = {
	{ "rules", FIELD_OBJECTS, false, 0, 20000, NULL, "instead of the stored ones" },
	{ 0 },
};
static const struct field body_configuration[] = {
	{ "put", FIELD_OBJECTS, false, 0, 40000, NULL, "[{\"kind\",\"object\"}]" },
	{ "delete", FIELD_OBJECTS, false, 0, 40000, NULL, "[{\"kind\",\"id\"}]" },
	{ 0 },
};

#define CONFIG(noun, read_roles)                                                                   \
	{ "GET", "/v1/" noun, read_roles, handle_config_list, NULL,                                \
	  PAGED, "List",      200,        "List " noun,       0 },                                 \
		{ "GET", "/v1/" noun "/{id}", read_roles, handle_config_get, NULL, NULL, "Object", \
		  200,   "One of " noun,      0 },                                                 \
		{ "PUT",                                                                           \
		  "/v1/" noun "/{id}",                                                             \
		  ROLE_ADMIN,                                                                      \
		  handle_config_put,                                                               \
		  body_any,                                                                        \
		  NULL,                                                                            \
		  "Object",                                                                        \
		  200,                                                                             \
		  "Create or replace one of " noun,                                                \
		  0 },                                                                             \
	{                                                                                          \
		"DELETE", "/v1/" noun "/{id}", ROLE_ADMIN, handle_config_delete, NULL, NULL, NULL, \
			204, "Delete one of " noun, 0                                              \
	}

static const struct route routes[] = {
	{ "POST", "/v1/configuration", ROLE_ADMIN, handle_config_apply, body_configuration, NULL,
	  "Configuration", 200, "Create, replace and delete many objects: all or none",
	  LIMIT_CONFIGURATION_BYTES },
	{ "GET", "/v1/configuration/kinds", ROLES_WORK, handle_config_kinds, NULL, NULL, "List",
	  200, "The kinds of objects, each with its fields: what a form needs", 0 },
	CONFIG("agents", ROLES_WORK),
	CONFIG("queues", ROLES_WORK),
	CONFIG("skills", ROLES_WORK),
	CONFIG("departments", ROLES_WORK),
	{ "GET", "/v1/rules/versions", ROLES_WORK, handle_rules_versions, NULL, "limit,after,order",
	  "List", 200, "Sets of rules that were in force, the last 50", 0 },
	{ "GET", "/v1/rules/versions/{version}", ROLES_WORK, handle_rules_version, NULL, NULL,
	  "RulesVersion", 200, "One of them, whole", 0 },
	{ "POST", "/v1/rules/test", ROLES_WORK, handle_rules_test, body_rules_test, NULL,
	  "RulesTest", 200, "Try the rules on a message; changes nothing", 0 },
	{ "POST", "/v1/rules/lint", ROLES_WORK, handle_rules_lint, body_rules_lint, NULL,
	  "RulesLint", 200, "Rules that can never match, come too late, or are slow", 0 },
	CONFIG("rules", ROLES_WORK),
	CONFIG("classifiers", ROLE_ADMIN), /* they hold secrets */
	CONFIG("canned-replies", ROLES_WORK),
	CONFIG("calendars", ROLES_WORK),
	CONFIG("sla-policies", ROLES_WORK),
	CONFIG("channel-costs", ROLES_WORK),
	CONFIG("context-links", ROLE_ADMIN), /* they hold secrets */
	CONFIG("order-hooks", ROLE_ADMIN),
	CONFIG("webhooks", ROLE_ADMIN),
	{ "GET", "/v1/webhooks/{id}/state", ROLE_ADMIN, handle_webhook_state, NULL, NULL,
	  "WebhookState", 200, "Whether an endpoint takes events, and how many wait for it", 0 },
	{ "GET", "/v1/webhooks/{id}/deliveries", ROLE_ADMIN, handle_webhook_deliveries, NULL,
	  "state," PAGED, "WebhookDeliveries", 200,
	  "Events for an endpoint and what became of them, newest first", 0 },
	{ "POST", "/v1/webhooks/{id}/deliveries/{delivery}/resend", ROLE_ADMIN,
	  handle_webhook_resend, body_none, NULL, "WebhookQueued", 202,
	  "Deliver an event again, or now where it waits", 0 },
	{ "POST", "/v1/webhooks/{id}/test", ROLE_ADMIN, handle_webhook_test, body_none, NULL,
	  "WebhookQueued", 202, "Send an event that says nothing", 0 },
	{ "POST", "/v1/webhooks/{id}/resume", ROLE_ADMIN, handle_webhook_resume, body_none, NULL,
	  "WebhookState", 200, "Try an endpoint that was switched off again, at once", 0 },
	{ "GET", "/v1/audit", ROLE_ADMIN, handle_audit_list, NULL, "actor,type,from,to," PAGED,
	  "List", 200, "Administrative acts, newest first: who, when, from where, what", 0 },
	{ "GET", "/v1/retention/preview", ROLES_LEAD, handle_retention_preview, NULL, NULL, "List",
	  200, "How many conversations each rule would take something of now", 0 },
	{ "POST", "/v1/retention/run", ROLE_ADMIN, handle_retention_run, body_none, NULL, "Job",
	  202, "Take now what is due; otherwise every six hours", 0 },
	CONFIG("retention", ROLES_LEAD),
	{ "POST", "/v1/calendars/{id}/test", ROLES_WORK, handle_calendar_test, body_calendar_test,
	  NULL, "CalendarTest", 200, "Is it open, when does it change, when is time over", 0 },
	{ "POST", "/v1/queues/{id}/pause", ROLES_LEAD, handle_queue_pause, body_none, NULL,
	  "Object", 200, "Offer nothing of it", 0 },
	{ "POST", "/v1/queues/{id}/resume", ROLES_LEAD, handle_queue_resume, body_none, NULL,
	  "Object", 200, "Offer its work again", 0 },
	{ "GET", "/v1/channels", ROLES_WORK, handle_channel_list, NULL, PAGED, "List", 200,
	  "Channels of this workspace", 0 },
	{ "POST", "/v1/channels/{name}/test", ROLE_ADMIN, handle_channel_test, body_none, NULL,
	  "ChannelTest", 200, "Ask the provider whether the channel works", 0 },
	{ "GET", "/v1/tokens", ROLE_ADMIN, handle_token_list, NULL, PAGED, "List", 200, "Tokens",
	  0 },
	{ "POST", "/v1/tokens", ROLE_ADMIN, handle_token_make, body_token, NULL, "Token", 201,
	  "Make a token; shown once", 0 },
	{ "DELETE", "/v1/tokens/{id}", ROLE_ADMIN, handle_token_delete, NULL, NULL, NULL, 204,
	  "Revoke a token", 0 },
};

const struct route_group routes_of_settings = { routes, COUNT_OF(routes) };
