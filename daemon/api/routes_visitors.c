/* Providers and visitors: proved by signature or session token, not by role. */
#include "api/handlers.h"
#include "api/routes.h"
#include "base/limits.h"
#include "base/memory.h"

static const struct field body_chat_rating[] = {
	{ "score", FIELD_INT, true, 1, 5, NULL, "5 is the best" },
	{ "comment", FIELD_TEXT, false, 0, 2000, NULL, NULL },
	{ 0 },
};
static const struct field body_chat_read[] = {
	{ "read_until", FIELD_TEXT, true, 10, 40, NULL, "created_at of the newest message seen" },
	{ 0 },
};
static const struct field body_chat_offline[] = {
	{ "email", FIELD_TEXT, true, 3, 254, NULL, "where the answer goes; a claim" },
	{ "name", FIELD_TEXT, false, 0, 200, NULL, NULL },
	{ "text", FIELD_TEXT, true, 1, LIMIT_VISITOR_MAIL_BYTES, NULL, "the message" },
	{ "client_id", FIELD_TEXT, true, 8, 64, NULL, "makes a re-send harmless" },
	{ 0 },
};
static const struct field body_chat_transcript[] = {
	{ "email", FIELD_TEXT, true, 3, 254, NULL, "where it goes" },
	{ "language", FIELD_TEXT, false, 2, 16, NULL, "zh or en; default en" },
	{ "time_zone", FIELD_TEXT, false, 1, 64, NULL,
	  "of the times in it, such as Asia/Shanghai; UTC where it is absent or not known" },
	{ "client_id", FIELD_TEXT, true, 8, 64, NULL, "makes a re-send harmless" },
	{ 0 },
};
static const struct field body_chat_page[] = {
	{ "attributes", FIELD_OBJECT, true, 0, 0, NULL,
	  "all that the page says now: at most 20 {name: text, number, true or false}" },
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

static const struct route routes[] = {
	{ "POST", "/in/{channel}", ROLE_PUBLIC, handle_inbound, NULL, "*", NULL, 200,
	  "A provider's webhook", 0 },
	{ "GET", "/in/{channel}", ROLE_PUBLIC, handle_inbound, NULL, "*", NULL, 200,
	  "A provider's handshake", 0 },
	{ "POST", "/chat/{channel}/sessions", ROLE_PUBLIC, handle_chat_session, body_visitor, NULL,
	  "ChatSession", 201, "Start a visitor's session", 64 * 1024 },
	{ "GET", "/chat/{channel}/sessions", ROLE_PUBLIC, handle_chat_session_get, NULL, NULL,
	  "ChatSession", 200, "What a visitor's session sees now: hours, greeting; the same token",
	  0 },
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
	{ "POST", "/chat/{channel}/read", ROLE_PUBLIC, handle_chat_read, body_chat_read, NULL, NULL,
	  204, "A visitor has seen what agents wrote until then", 4096 },
	{ "OPTIONS", "/chat/{channel}/read", ROLE_PUBLIC, handle_chat_options, NULL, NULL, NULL,
	  204, "CORS", 0 },
	{ "POST", "/chat/{channel}/offline", ROLE_PUBLIC, handle_chat_offline, body_chat_offline,
	  NULL, "ChatMessage", 201,
	  "A visitor leaves a message while nobody is there: a mail to the offline_channel",
	  64 * 1024 },
	{ "OPTIONS", "/chat/{channel}/offline", ROLE_PUBLIC, handle_chat_options, NULL, NULL, NULL,
	  204, "CORS", 0 },
	{ "POST", "/chat/{channel}/transcript", ROLE_PUBLIC, handle_chat_transcript,
	  body_chat_transcript, NULL, NULL, 202,
	  "A visitor gets what was said by mail, once somebody has answered", 4096 },
	{ "OPTIONS", "/chat/{channel}/transcript", ROLE_PUBLIC, handle_chat_options, NULL, NULL,
	  NULL, 204, "CORS", 0 },
	{ "POST", "/chat/{channel}/attributes", ROLE_PUBLIC, handle_chat_page, body_chat_page, NULL,
	  NULL, 204, "The page says what it knows of the visitor: shown to agents, proves nothing",
	  32 * 1024 },
	{ "OPTIONS", "/chat/{channel}/attributes", ROLE_PUBLIC, handle_chat_options, NULL, NULL,
	  NULL, 204, "CORS", 0 },
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
};

const struct route_group routes_of_visitors = { routes, COUNT_OF(routes) };
