/* Who signs in, who is there, and what is told to them while it happens. */
#include "api/handlers.h"
#include "api/routes.h"
#include "base/memory.h"

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
static const struct field body_password[] = {
	{ "password", FIELD_TEXT, true, 10, 1000, NULL, "at least 10 bytes" },
	{ 0 },
};
static const struct field body_decide[] = {
	{ "outcome", FIELD_TEXT, true, 1, 10, "sent|failed|resend",
	  "what became of an uncertain message" },
	{ 0 },
};
static const struct field body_seen[] = {
	{ "message", FIELD_TEXT, false, 1, 64, NULL, "msg_...; default: all of them" },
	{ 0 },
};

static const struct route routes[] = {
	{ "POST", "/v1/session", ROLE_PUBLIC, handle_session_start, body_session, NULL, "Me", 201,
	  "Sign in with a password; sets a cookie", 4096 },
	{ "GET", "/v1/session", ROLES_STAFF, handle_session_get, NULL, NULL, "Me", 200,
	  "The session of this browser and its CSRF token", 0 },
	{ "GET", "/v1/session/ways", ROLE_PUBLIC, handle_sign_in_ways, NULL, NULL, "SignInWays",
	  200, "How one may sign in", 0 },
	{ "GET", "/v1/oidc/start", ROLE_PUBLIC, handle_oidc_start, NULL, "workspace", NULL, 303,
	  "Sign in through the provider: redirects a browser to it", 0 },
	{ "GET", "/v1/oidc/callback", ROLE_PUBLIC, handle_oidc_callback, NULL, "*", NULL, 303,
	  "The provider sends the browser back here", 0 },
	{ "DELETE", "/v1/session", ROLES_STAFF, handle_session_end, NULL, NULL, NULL, 204,
	  "Sign out", 0 },
	{ "GET", "/v1/me", ROLES_WORK, handle_me, NULL, NULL, "Me", 200, "Who am I", 0 },
	{ "GET", "/v1/me/offers", ROLES_WORK, handle_my_offers, NULL, NULL, "Offers", 200,
	  "What is offered, handed over or asked of me and waits for my answer", 0 },
	{ "GET", "/v1/me/mentions", ROLES_WORK, handle_mentions, NULL, NULL, "List", 200,
	  "Notes that name me and that I have not seen, newest first, the last 200", 0 },
	{ "POST", "/v1/me/mentions/seen", ROLES_WORK, handle_mentions_seen, body_seen, NULL, NULL,
	  204, "I have seen one of them, or all", 0 },
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
	{ "POST", "/v1/events/ticket", ROLES_WORK, handle_ticket_make, body_none, NULL, "Ticket",
	  201, "A single-use ticket for EventSource", 0 },
	{ "GET", "/v1/events", ROLE_PUBLIC, handle_events, NULL, "ticket,types,queue,after", NULL,
	  200, "Server-sent events; needs a token or a ticket", 0 },
	{ "GET", "/v1/live", ROLES_WORK, handle_live, NULL, NULL, "Live", 200, "Queues right now",
	  0 },
	{ "PUT", "/v1/agents/{id}/password", ROLE_ADMIN, handle_agent_password, body_password, NULL,
	  NULL, 204, "Set an agent's password", 0 },
	{ "DELETE", "/v1/agents/{id}/totp", ROLE_ADMIN, handle_agent_totp_remove, NULL, NULL, NULL,
	  204, "The agent's phone is lost: ask for no code any more", 0 },
	{ "PUT", "/v1/agents/{id}/presence", ROLES_LEAD, handle_agent_presence, body_presence, NULL,
	  "Presence", 200, "Set an agent's presence", 0 },
	{ "POST", "/v1/messages/{id}/decide", ROLES_WORK, handle_message_decide, body_decide, NULL,
	  "Delivery", 200, "Say what became of an uncertain message", 0 },
};

const struct route_group routes_of_agents = { routes, COUNT_OF(routes) };
