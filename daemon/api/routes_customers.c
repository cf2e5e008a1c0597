/* Customers: who they are, what is known of them, and what they may ask for. */
#include "api/handlers.h"
#include "api/routes.h"
#include "base/memory.h"

static const struct field body_customer[] = {
	{ "name", FIELD_TEXT, false, 0, 200, NULL, NULL },
	{ "tier", FIELD_TEXT, false, 0, 40, NULL, NULL },
	{ "attributes", FIELD_OBJECT, false, 0, 0, NULL, "merged; null removes one" },
	{ "tags", FIELD_TEXTS, false, 0, 50, NULL, "replaces the list" },
	{ 0 },
};
static const struct field body_note[] = {
	{ "text", FIELD_TEXT, true, 1, 10000, NULL, "about the customer; never sent" },
	{ 0 },
};
static const struct field body_consent[] = {
	{ "state", FIELD_TEXT, true, 1, 10, "granted|withdrawn", NULL },
	{ "channel", FIELD_TEXT, false, 1, 40, NULL, "only there; default: everywhere" },
	{ "source", FIELD_TEXT, false, 1, 200, NULL, "how it is known; default: who writes" },
	{ "at", FIELD_TIME, false, 0, 0, NULL, "since when; default: now" },
	{ 0 },
};
static const struct field body_hold[] = {
	{ "reason", FIELD_TEXT, true, 1, 500, NULL, "such as the case it is kept for" },
	{ 0 },
};
static const struct field body_order[] = {
	{ "placed_at", FIELD_TIME, false, 0, 0, NULL, "orders are listed by it; default: now" },
	{ "status", FIELD_TEXT, false, 0, 60, NULL, "in the shop's words" },
	{ "title", FIELD_TEXT, false, 0, 200, NULL, NULL },
	{ "total", FIELD_ANY, false, 0, 0, NULL,
	  "a decimal number, as text or number, such as 129.00" },
	{ "currency", FIELD_TEXT, false, 3, 3, NULL, "ISO 4217, such as CNY" },
	{ "url", FIELD_TEXT, false, 8, 1000, NULL, "its page in the shop, https://" },
	{ "items", FIELD_OBJECTS, false, 0, 100, NULL,
	  "[{\"name\",\"sku\",\"quantity\",\"price\"}]" },
	{ 0 },
};
static const struct field body_events[] = {
	{ "id", FIELD_TEXT, false, 1, 200, NULL, "of who tells it: the same id is the same event" },
	{ "type", FIELD_TEXT, false, 1, 60, NULL, "a-z, 0-9, _, - and ., such as cart.abandoned" },
	{ "time", FIELD_TIME, false, 0, 0, NULL, "when it happened; default: now" },
	{ "customer", FIELD_TEXT, false, 1, 64, NULL, "cus_..., or identifier" },
	{ "identifier", FIELD_TEXT, false, 3, 400, NULL, "email:a@example.com, phone:+86..." },
	{ "data", FIELD_OBJECT, false, 0, 0, NULL, "what else there is to know, up to 8 KiB" },
	{ "events", FIELD_OBJECTS, false, 1, 100, NULL,
	  "in place of all that: a list of such events" },
	{ 0 },
};
static const struct field body_import[] = {
	{ "source", FIELD_TEXT, true, 1, 40, NULL, "whose ids they are, such as chatwoot" },
	{ "dry_run", FIELD_BOOL, false, 0, 0, NULL, "say what would be done" },
	{ "trusted", FIELD_BOOL, false, 0, 0, NULL,
	  "addresses were verified there, and count as proved" },
	{ "region", FIELD_TEXT, false, 2, 2, NULL,
	  "of phone numbers that do not say their country, such as CN" },
	{ "customers", FIELD_OBJECTS, false, 0, 200, NULL,
	  "[{\"external_id\",\"name\",\"tier\",\"created_at\",\"tags\",\"attributes\","
	  "\"identifiers\":[{\"kind\":\"email|phone\",\"value\"}]}]" },
	{ "conversations", FIELD_OBJECTS, false, 0, 200, NULL,
	  "that are over: [{\"external_id\",\"customer\",\"subject\",\"created_at\",\"messages\":"
	  "[{\"external_id\",\"direction\",\"kind\":\"text|note\",\"text\",\"author_type\","
	  "\"author_name\",\"created_at\"}]}]" },
	{ 0 },
};
#define VERSIONS_FIELD                                                                             \
	{                                                                                          \
		"versions", FIELD_OBJECT, false, 0, 0, NULL,                                       \
			"{\"into\",\"from\"} of the preview: refused with 412 where they changed"  \
	}

static const struct field body_customer_merge[] = {
	{ "from", FIELD_TEXT, true, 1, 64, NULL, "cus_..., who becomes part of the other one" },
	{ "reason", FIELD_TEXT, false, 0, 500, NULL, "why" },
	VERSIONS_FIELD,
	{ 0 },
};
static const struct field body_customer_split[] = {
	{ "identifier", FIELD_TEXT, true, 1, 400, NULL, "email:a@example.com, phone:+86..." },
	{ "name", FIELD_TEXT, false, 0, 200, NULL, "of the new customer; default: as before" },
	{ "reason", FIELD_TEXT, false, 0, 500, NULL, "why" },
	VERSIONS_FIELD,
	{ 0 },
};
static const struct field body_accept[] = {
	{ "reason", FIELD_TEXT, false, 0, 500, NULL, "why" },
	VERSIONS_FIELD,
	{ 0 },
};
static const struct field body_revert[] = {
	VERSIONS_FIELD,
	{ 0 },
};
static const struct field body_share[] = {
	{ "shared", FIELD_BOOL, true, 0, 0, NULL,
	  "true: it says from where, but not who writes (a family's phone, a reception)" },
	{ 0 },
};
#define EXPORT(noun, text)                                                                         \
	{                                                                                          \
		"GET", "/v1/export/" noun, ROLE_ADMIN, handle_export, NULL, PAGED, "List", 200,    \
			text, 0                                                                    \
	}

static const struct route routes[] = {
	{ "GET", "/v1/customers", ROLES_WORK, handle_customer_find, NULL, "identifier," PAGED,
	  "List", 200, "Find by identifier", 0 },
	{ "GET", "/v1/customers/{id}", ROLES_WORK, handle_customer_get, NULL, "view", "Customer",
	  200,
	  "The 360 view; view=bot: the safe subset for bots; view=export: asks no shop, signs no "
	  "link",
	  0 },
	{ "PATCH", "/v1/customers/{id}", ROLES_WORK, handle_customer_patch, body_customer, NULL,
	  "Customer", 200, "Edit (If-Match)", 0 },
	{ "DELETE", "/v1/customers/{id}", ROLES_LEAD, handle_customer_erase, NULL, "preview", "Job",
	  202, "Destroy all that is known of the person; a job does it", 0 },
	{ "POST", "/v1/customers/{id}/export", ROLES_LEAD, handle_customer_export, body_none,
	  "preview,notes", "CustomerExport", 200,
	  "Everything held about the person, as one document; ?preview=true only counts it", 0 },
	{ "PUT", "/v1/customers/{id}/hold", ROLES_LEAD, handle_customer_hold, body_hold, NULL,
	  "Hold", 200, "A legal hold: nothing of the person is erased until it ends", 0 },
	{ "DELETE", "/v1/customers/{id}/hold", ROLE_ADMIN, handle_customer_unhold, NULL, NULL, NULL,
	  204, "The legal hold ends", 0 },
	{ "GET", "/v1/jobs", ROLES_LEAD, handle_job_list, NULL, PAGED, "List", 200,
	  "Jobs, newest first", 0 },
	{ "GET", "/v1/jobs/{id}", ROLES_LEAD, handle_job_get, NULL, NULL, "Job", 200, "One job",
	  0 },
	{ "POST", "/v1/customers/{id}/merge", ROLES_STAFF, handle_customer_merge,
	  body_customer_merge, "preview", "Merge", 200,
	  "The two are one person; ?preview=true only shows it", 0 },
	{ "POST", "/v1/customers/{id}/split", ROLES_STAFF, handle_customer_split,
	  body_customer_split, "preview", "Merge", 200, "One identifier is somebody else's", 0 },
	{ "GET", "/v1/customers/{id}/merges", ROLES_STAFF, handle_merge_list, NULL, NULL, "List",
	  200, "Merges and splits it was part of", 0 },
	{ "POST", "/v1/customers/{id}/merges/{merge}/revert", ROLES_STAFF, handle_merge_revert,
	  body_revert, "preview", "Merge", 200, "Undo a merge or a split", 0 },
	{ "POST", "/v1/customers/merges/{id}/revert", ROLES_STAFF, handle_merge_revert, body_revert,
	  "preview", "Merge", 200, "The same by the merge alone", 0 },
	{ "PUT", "/v1/customers/{id}/identifiers/{identifier}", ROLES_STAFF,
	  handle_identifier_share, body_share, NULL, "Customer", 200,
	  "Does it tell who writes? (If-Match)", 0 },
	{ "GET", "/v1/customers/{id}/timeline", ROLES_WORK, handle_customer_timeline, NULL,
	  "view,limit,after", "Timeline", 200, "What happened over all channels, newest first", 0 },
	{ "POST", "/v1/customers/{id}/notes", ROLES_WORK, handle_customer_note_add, body_note, NULL,
	  "CustomerNote", 201, "Write a note about the customer", 0 },
	{ "DELETE", "/v1/customers/{id}/notes/{note}", ROLES_STAFF, handle_customer_note_delete,
	  NULL, NULL, NULL, 204, "Delete a note", 0 },
	{ "PUT", "/v1/customers/{id}/consent/{purpose}", ROLES_WORK, handle_customer_consent,
	  body_consent, NULL, "Consent", 200, "What the customer allows", 0 },
	{ "GET", "/v1/customers/{id}/orders", ROLES_WORK, handle_order_list, NULL, PAGED, "List",
	  200, "Orders by when they were placed", 0 },
	{ "PUT", "/v1/customers/{id}/orders/{order}", ROLES_WORK, handle_order_put, body_order,
	  NULL, "Order", 200, "Create or replace an order (If-Match)", 64 * 1024 },
	{ "DELETE", "/v1/customers/{id}/orders/{order}", ROLES_WORK, handle_order_delete, NULL,
	  NULL, NULL, 204, "Delete an order (If-Match)", 0 },
	{ "POST", "/v1/customers/events", ROLES_WORK, handle_events_put, body_events, NULL,
	  "EventResults", 200, "Tell what happened with customers; again is harmless",
	  1024 * 1024 },
	{ "GET", "/v1/customers/{id}/events", ROLES_STAFF, handle_event_list, NULL, "limit,after",
	  "BusinessEvents", 200, "What was told of the customer, newest first", 0 },
	{ "GET", "/v1/customers/{id}/suggestions", ROLES_STAFF, handle_suggestion_list, NULL, NULL,
	  "List", 200, "Who else this customer may be, with evidence", 0 },
	{ "POST", "/v1/customers/{id}/suggestions/{other}/accept", ROLES_STAFF,
	  handle_suggestion_accept, body_accept, "preview", "Merge", 200,
	  "They are one person: merge the other into this one", 0 },
	{ "POST", "/v1/customers/{id}/suggestions/{other}/dismiss", ROLES_STAFF,
	  handle_suggestion_dismiss, body_none, NULL, NULL, 204, "They are not the same person",
	  0 },
	EXPORT("customers", "Ids of all customers, hot and past"),
	EXPORT("conversations", "Ids of all conversations, hot and past"),
	EXPORT("work-items", "Ids of all work items, hot and past"),
	EXPORT("notes", "All notes about customers"),
	{ "POST", "/v1/import", ROLE_ADMIN, handle_import, body_import, NULL, "Import", 200,
	  "Take over what another product knows; again is harmless", LIMIT_CONFIGURATION_BYTES },
};

const struct route_group routes_of_customers = { routes, COUNT_OF(routes) };
