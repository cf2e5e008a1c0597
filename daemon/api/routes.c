/* The route table: what is not here is denied. Rows make /openapi.json, the
 * rights matrix of the tests and docs/api.md. */
#include "api/api.h"
#include "api/handlers.h"
#include "base/memory.h"

/* ---- request bodies ---- */

static const struct field body_none[] = { { 0 } };

static const struct field body_session[] = {
	{ "agent", FIELD_TEXT, true, 1, 64, NULL, "id of the agent who signs in" },
	{ "password", FIELD_TEXT, true, 1, 1000, NULL, "set by convergectl agent password" },
	{ "workspace", FIELD_TEXT, false, 1, 40, NULL, "default main" },
	{ "code", FIELD_TEXT, false, 6, 20, NULL,
	  "of the authenticator app, or a recovery code; where 401 code_required asks for it" },
	{ 0 },
};
static const struct field body_totp[] = {
	{ "password", FIELD_TEXT, true, 1, 1000, NULL, "the agent's own, again" },
	{ 0 },
};
static const struct field body_totp_code[] = {
	{ "code", FIELD_TEXT, true, 6, 20, NULL, "of the authenticator app" },
	{ 0 },
};
static const struct field body_presence[] = {
	{ "status", FIELD_TEXT, true, 1, 10, "online|busy|away|offline", "presence" },
	{ "routable", FIELD_BOOL, false, 0, 0, NULL,
	  "whether work may be offered; default: when online" },
	{ "reason", FIELD_TEXT, false, 0, 100, NULL, "why, shown to supervisors" },
	{ 0 },
};
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
static const struct field body_message[] = {
	{ "kind", FIELD_TEXT, false, 1, 10, "reply|note", "default reply" },
	{ "text", FIELD_TEXT, false, 0, 262144, NULL, "plain text" },
	{ "html", FIELD_TEXT, false, 0, 262144, NULL, "formatted twin, on channels that have one" },
	{ "cc", FIELD_TEXTS, false, 0, 50, NULL, "mail channels" },
	{ "template", FIELD_OBJECT, false, 0, 0, NULL,
	  "an approved template instead of text: name, language, parameters; see the channel" },
	{ "location", FIELD_OBJECT, false, 0, 0, NULL, "latitude, longitude, name, address" },
	{ "attachments", FIELD_OBJECTS, false, 0, 50, NULL, "[{\"blob\",\"name\",\"type\"}]" },
	{ "version", FIELD_INT, false, 0, 0, NULL, "refuse if the work item has changed since" },
	{ 0 },
};
static const struct field body_conversation[] = {
	{ "channel", FIELD_TEXT, true, 1, 40, NULL, "which channel to write on" },
	{ "to", FIELD_TEXT, true, 1, 320, NULL, "the address there" },
	{ "name", FIELD_TEXT, false, 0, 200, NULL, "shown name" },
	{ "subject", FIELD_TEXT, false, 0, 1000, NULL, NULL },
	{ "text", FIELD_TEXT, true, 1, 262144, NULL, "the first message" },
	{ 0 },
};
static const struct field body_split[] = {
	{ "at", FIELD_TEXT, true, 1, 64, NULL, "msg_..., the first message that goes" },
	{ "subject", FIELD_TEXT, false, 0, 1000, NULL,
	  "of the new conversation; default: the same" },
	{ "queue", FIELD_TEXT, false, 1, 64, NULL,
	  "where a work item of its own waits; default: it gets none" },
	{ 0 },
};
static const struct field body_move[] = {
	{ "message", FIELD_TEXT, true, 1, 64, NULL, "msg_..." },
	{ "to", FIELD_TEXT, true, 1, 64, NULL, "cnv_..., of the same channel and address" },
	{ 0 },
};
static const struct field body_merge[] = {
	{ "from", FIELD_TEXT, true, 1, 64, NULL,
	  "cnv_... whose messages come, of the same channel and address" },
	{ 0 },
};
static const struct field body_code[] = {
	{ "email", FIELD_TEXT, false, 3, 254, NULL, "where the code goes: this, or phone" },
	{ "phone", FIELD_TEXT, false, 3, 40, NULL, "where the code goes: this, or email" },
	{ 0 },
};
static const struct field body_code_answer[] = {
	{ "code", FIELD_TEXT, true, 1, 40, NULL, "the six digits" },
	{ 0 },
};
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
static const struct field body_opt_out[] = {
	{ "state", FIELD_TEXT, true, 1, 10, "granted|withdrawn", "withdrawn: wants no messages" },
	{ "reason", FIELD_TEXT, true, 1, 500, NULL, "how it is known" },
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
static const struct field body_chat_rating[] = {
	{ "score", FIELD_INT, true, 1, 5, NULL, "5 is the best" },
	{ "comment", FIELD_TEXT, false, 0, 2000, NULL, NULL },
	{ 0 },
};
static const struct field body_rating[] = {
	{ "score", FIELD_INT, true, 1, 5, NULL, "5 is the best" },
	{ "comment", FIELD_TEXT, false, 0, 2000, NULL, "in the customer's words" },
	{ "source", FIELD_TEXT, false, 1, 100, NULL, "which survey; default: who writes" },
	{ 0 },
};
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
static const struct field body_password[] = {
	{ "password", FIELD_TEXT, true, 10, 1000, NULL, "at least 10 bytes" },
	{ 0 },
};
static const struct field body_decide[] = {
	{ "outcome", FIELD_TEXT, true, 1, 10, "sent|failed|resend",
	  "what became of an uncertain message" },
	{ 0 },
};
static const struct field body_visitor[] = {
	{ "name", FIELD_TEXT, false, 0, 200, NULL, "from the pre-chat form" },
	{ "email", FIELD_TEXT, false, 0, 320, NULL, "a claim until it is proved" },
	{ "phone", FIELD_TEXT, false, 0, 40, NULL, NULL },
	{ "identity", FIELD_TEXT, false, 1, 8000, NULL,
	  "a signed identity (JWT) of the host application" },
	{ 0 },
};

static const struct field body_calendar_test[] = {
	{ "at", FIELD_TIME, false, 0, 0, NULL, "default now" },
	{ "add", FIELD_TEXT, false, 1, 40, NULL, "business time to add, such as 8h" },
	{ "to", FIELD_TIME, false, 0, 0, NULL, "how much business time lies between" },
	{ 0 },
};

#define PAGED "limit,after,order"
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

#define TRANSITION(word, text)                                                                     \
	{                                                                                          \
		"POST", "/v1/work-items/{id}/" #word, ROLES_WORK, handle_work_##word,              \
			body_transition, NULL, "WorkItem", 200, text, 0                            \
	}
#define EXPORT(noun, text)                                                                         \
	{                                                                                          \
		"GET", "/v1/export/" noun, ROLE_ADMIN, handle_export, NULL, PAGED, "List", 200,    \
			text, 0                                                                    \
	}
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
	/* providers and visitors: proved by signature or session token, not by role */
	{ "POST", "/in/{channel}", ROLE_PUBLIC, handle_inbound, NULL, "*", NULL, 200,
	  "A provider's webhook", 0 },
	{ "GET", "/in/{channel}", ROLE_PUBLIC, handle_inbound, NULL, "*", NULL, 200,
	  "A provider's handshake", 0 },
	{ "POST", "/chat/{channel}/sessions", ROLE_PUBLIC, handle_chat_session, body_visitor, NULL,
	  "ChatSession", 201, "Start a visitor's session", 64 * 1024 },
	{ "POST", "/chat/{channel}/messages", ROLE_PUBLIC, handle_chat_message, NULL, NULL,
	  "ChatMessage", 201, "A visitor writes", 0 },
	{ "POST", "/chat/{channel}/typing", ROLE_PUBLIC, handle_chat_typing, NULL, NULL, NULL, 204,
	  "A visitor is typing", 4096 },
	{ "POST", "/chat/{channel}/codes", ROLE_PUBLIC, handle_chat_code_open, body_code, NULL,
	  "Code", 202, "A visitor asks for a one-time code to an address of theirs", 4096 },
	{ "POST", "/chat/{channel}/codes/verify", ROLE_PUBLIC, handle_chat_code_verify,
	  body_code_answer, NULL, "Proved", 200, "A visitor answers a one-time code", 4096 },
	{ "OPTIONS", "/chat/{channel}/codes", ROLE_PUBLIC, handle_chat_options, NULL, NULL, NULL,
	  204, "CORS", 0 },
	{ "OPTIONS", "/chat/{channel}/codes/verify", ROLE_PUBLIC, handle_chat_options, NULL, NULL,
	  NULL, 204, "CORS", 0 },
	{ "POST", "/chat/{channel}/attachments", ROLE_PUBLIC, handle_chat_file_put, NULL,
	  "name,type", "Attachment", 201,
	  "A visitor uploads bytes; the answer's blob goes into a message", LIMIT_VISITOR_BYTES },
	{ "GET", "/chat/{channel}/attachments/{id}", ROLE_PUBLIC, handle_chat_file_get, NULL,
	  "name,token", NULL, 200, "Download from the visitor's own conversation", 0 },
	{ "GET", "/files/{id}", ROLE_PUBLIC, handle_file_link, NULL, "expires,signature,name", NULL,
	  200, "Download by a signed link", 0 },
	{ "GET", "/chat/{channel}/events", ROLE_PUBLIC, handle_chat_events, NULL, "token", NULL,
	  200, "The visitor's live stream (SSE)", 0 },
	{ "POST", "/chat/{channel}/rating", ROLE_PUBLIC, handle_chat_rating, body_chat_rating, NULL,
	  NULL, 204, "A visitor says how content they are; again replaces it", 8192 },
	{ "OPTIONS", "/chat/{channel}/rating", ROLE_PUBLIC, handle_chat_options, NULL, NULL, NULL,
	  204, "CORS", 0 },
	{ "OPTIONS", "/chat/{channel}/sessions", ROLE_PUBLIC, handle_chat_options, NULL, NULL, NULL,
	  204, "CORS", 0 },
	{ "OPTIONS", "/chat/{channel}/messages", ROLE_PUBLIC, handle_chat_options, NULL, NULL, NULL,
	  204, "CORS", 0 },
	{ "OPTIONS", "/chat/{channel}/typing", ROLE_PUBLIC, handle_chat_options, NULL, NULL, NULL,
	  204, "CORS", 0 },
	{ "OPTIONS", "/chat/{channel}/attachments", ROLE_PUBLIC, handle_chat_options, NULL,
	  "name,type", NULL, 204, "CORS", 0 },
	{ "OPTIONS", "/chat/{channel}/attachments/{id}", ROLE_PUBLIC, handle_chat_options, NULL,
	  "name,token", NULL, 204, "CORS", 0 },
	{ "OPTIONS", "/chat/{channel}/events", ROLE_PUBLIC, handle_chat_options, NULL, "token",
	  NULL, 204, "CORS", 0 },

	/* who am I */
	{ "POST", "/v1/session", ROLE_PUBLIC, handle_session_start, body_session, NULL, "Me", 201,
	  "Sign in with a password; sets a cookie", 4096 },
	{ "DELETE", "/v1/session", ROLES_STAFF, handle_session_end, NULL, NULL, NULL, 204,
	  "Sign out", 0 },
	{ "GET", "/v1/me", ROLES_WORK, handle_me, NULL, NULL, "Me", 200, "Who am I", 0 },
	{ "GET", "/v1/me/offers", ROLES_WORK, handle_my_offers, NULL, NULL, "Offers", 200,
	  "What is offered, handed over or asked of me and waits for my answer", 0 },
	{ "PUT", "/v1/me/presence", ROLES_STAFF, handle_presence, body_presence, NULL, "Me", 200,
	  "Set my presence", 0 },
	{ "GET", "/v1/me/totp", ROLES_STAFF, handle_totp_get, NULL, NULL, "Totp", 200,
	  "Is a code asked for when I sign in?", 0 },
	{ "POST", "/v1/me/totp", ROLES_STAFF, handle_totp_begin, body_totp, NULL, "TotpSecret", 201,
	  "Begin to use an authenticator app; shown once", 0 },
	{ "POST", "/v1/me/totp/confirm", ROLES_STAFF, handle_totp_confirm, body_totp_code, NULL,
	  NULL, 204, "A first code of the app: from now on it is asked for", 0 },
	{ "POST", "/v1/me/totp/remove", ROLES_STAFF, handle_totp_remove, body_totp_code, NULL, NULL,
	  204, "Ask for no code any more", 0 },

	/* live */
	{ "POST", "/v1/events/ticket", ROLES_WORK, handle_ticket_make, body_none, NULL, "Ticket",
	  201, "A single-use ticket for EventSource", 0 },
	{ "GET", "/v1/events", ROLE_PUBLIC, handle_events, NULL, "ticket,types,queue,after", NULL,
	  200, "Server-sent events; needs a token or a ticket", 0 },
	{ "GET", "/v1/live", ROLES_WORK, handle_live, NULL, NULL, "Live", 200, "Queues right now",
	  0 },

	/* work */
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

	/* conversations */
	{ "POST", "/v1/conversations", ROLES_WORK, handle_conversation_start, body_conversation,
	  NULL, "Message", 201, "Start a conversation", 0 },
	{ "GET", "/v1/conversations/{id}", ROLES_WORK, handle_conversation_get, NULL, NULL,
	  "Conversation", 200, "One conversation", 0 },
	{ "GET", "/v1/conversations/{id}/messages", ROLES_WORK, handle_message_list, NULL, PAGED,
	  "List", 200, "The thread", 0 },
	{ "POST", "/v1/conversations/{id}/messages", ROLES_WORK, handle_message_write, body_message,
	  NULL, "Message", 201, "Reply or write a note", 0 },
	{ "POST", "/v1/conversations/{id}/messages/preview", ROLES_WORK, handle_message_preview,
	  body_message, NULL, "MessagePreview", 200,
	  "What a reply would become: parts, segments, cost, and whether it may leave", 0 },

	{ "POST", "/v1/conversations/{id}/split", ROLES_WORK, handle_conversation_split, body_split,
	  NULL, "ConversationChange", 201, "The messages from one on go to a new conversation", 0 },
	{ "POST", "/v1/conversations/{id}/move", ROLES_WORK, handle_conversation_move, body_move,
	  NULL, "ConversationChange", 201, "One message goes to another conversation", 0 },
	{ "POST", "/v1/conversations/{id}/merge", ROLES_WORK, handle_conversation_merge, body_merge,
	  NULL, "ConversationChange", 201, "All messages of another conversation come here", 0 },
	{ "GET", "/v1/conversations/{id}/changes", ROLES_WORK, handle_change_list, NULL, NULL,
	  "List", 200, "What came and went, the newest first, the last 200", 0 },
	{ "POST", "/v1/conversations/changes/{id}/undo", ROLES_WORK, handle_change_undo, body_none,
	  NULL, "ConversationChange", 200, "The messages of a change go back to their places", 0 },
	{ "POST", "/v1/conversations/{id}/typing", ROLES_WORK, handle_typing, body_none, NULL, NULL,
	  204, "Tell that I am typing", 0 },
	{ "PUT", "/v1/conversations/{id}/opt-out", ROLES_LEAD, handle_opt_out, body_opt_out, NULL,
	  "Consent", 200, "Whether its addressee wants messages on its channel", 0 },

	/* search */
	{ "GET", "/v1/search", ROLES_WORK, handle_search, NULL,
	  "q,type,channel,agent,queue,customer,from,to," PAGED, "Found", 200,
	  "Search messages, customers and work items, newest first; a snippet is HTML with <mark>",
	  0 },

	{ "POST", "/v1/conversations/{id}/codes", ROLES_WORK, handle_code_open, body_code, NULL,
	  "Code", 202, "Send a one-time code to an address that the customer names", 4096 },
	{ "POST", "/v1/conversations/{id}/codes/verify", ROLES_WORK, handle_code_verify,
	  body_code_answer, NULL, "Proved", 200, "Enter the code that the customer told", 4096 },

	/* customers */
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

	/* attachments */
	{ "POST", "/v1/attachments", ROLES_WORK, handle_attachment_put, NULL, "name,type",
	  "Attachment", 201, "Upload bytes; the answer's blob goes into a message",
	  LIMIT_MEDIA_BYTES },
	{ "GET", "/v1/attachments/{id}", ROLES_WORK, handle_attachment_get, NULL, "name,type", NULL,
	  200, "Download", 0 },
	{ "DELETE", "/v1/attachments/{id}", ROLES_WORK, handle_attachment_delete, NULL, NULL, NULL,
	  204, "Destroy an upload that no message names", 0 },
	{ "POST", "/v1/blobs/test", ROLE_ADMIN, handle_blobs_test, body_none, NULL, "ChannelTest",
	  200, "Keep, read and erase a blob: does the blob store work?", 0 },

	{ "GET", "/v1/history", ROLES_LEAD, handle_history_get, NULL, NULL, "History", 200,
	  "Where the history is, how far it came, what it holds", 0 },
	{ "POST", "/v1/history/rebuild", ROLE_ADMIN, handle_history_rebuild, body_none, NULL,
	  "History", 202, "Write everything that is in the store into the history anew", 0 },
	{ "POST", "/v1/history/restore", ROLE_ADMIN, handle_history_restore, body_none, NULL,
	  "History", 202, "Bring back what the store lost: customers and open work", 0 },

	/* configuration */
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
	{ "PUT", "/v1/agents/{id}/password", ROLE_ADMIN, handle_agent_password, body_password, NULL,
	  NULL, 204, "Set an agent's password", 0 },
	{ "DELETE", "/v1/agents/{id}/totp", ROLE_ADMIN, handle_agent_totp_remove, NULL, NULL, NULL,
	  204, "The agent's phone is lost: ask for no code any more", 0 },
	{ "PUT", "/v1/agents/{id}/presence", ROLES_LEAD, handle_agent_presence, body_presence, NULL,
	  "Presence", 200, "Set an agent's presence", 0 },
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

	/* dead letters */
	{ "GET", "/v1/deadletters", ROLES_LEAD, handle_dead_list, NULL, PAGED, "List", 200,
	  "Messages that could not be delivered", 0 },
	{ "POST", "/v1/deadletters/{id}/redrive", ROLES_LEAD, handle_dead_redrive, body_none, NULL,
	  "Delivery", 200, "Try once more", 0 },
	{ "POST", "/v1/messages/{id}/decide", ROLES_WORK, handle_message_decide, body_decide, NULL,
	  "Delivery", 200, "Say what became of an uncertain message", 0 },

	/* operations and pages */
	{ "GET", "/healthz", ROLE_PUBLIC, handle_health, NULL, NULL, NULL, 200, "The loop runs",
	  0 },
	{ "GET", "/readyz", ROLE_PUBLIC, handle_ready, NULL, "verbose", NULL, 200,
	  "Ready for traffic", 0 },
	{ "GET", "/metrics", ROLE_PUBLIC, handle_metrics, NULL, NULL, NULL, 200, "Prometheus text",
	  0 },
	{ "GET", "/openapi.json", ROLE_PUBLIC, handle_openapi, NULL, NULL, NULL, 200,
	  "This description", 0 },
	{ "GET", "/", ROLE_PUBLIC, handle_home, NULL, "*", NULL, 200, "The desk", 0 },
	{ "GET", "/desk.js", ROLE_PUBLIC, handle_desk_script, NULL, NULL, NULL, 200,
	  "The desk's script", 0 },
	{ "GET", "/desk.css", ROLE_PUBLIC, handle_desk_style, NULL, NULL, NULL, 200,
	  "The desk's style", 0 },
	{ "GET", "/widget.js", ROLE_PUBLIC, handle_widget, NULL, NULL, NULL, 200,
	  "The chat widget's loader", 0 },
	{ "GET", "/widget-main.js", ROLE_PUBLIC, handle_widget_main, NULL, NULL, NULL, 200,
	  "The rest of the chat widget", 0 },
};

const struct route *api_routes(size_t *ret_count)
{
	*ret_count = COUNT_OF(routes);
	return routes;
}
