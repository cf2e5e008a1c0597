/* Conversations: read, written, found, with their files. */
#include "api/handlers.h"
#include "api/routes.h"
#include "base/memory.h"

static const struct field body_message[] = {
	{ "kind", FIELD_TEXT, false, 1, 10, "reply|note", "default reply" },
	{ "text", FIELD_TEXT, false, 0, 262144, NULL, "plain text" },
	{ "html", FIELD_TEXT, false, 0, 262144, NULL, "formatted twin, on channels that have one" },
	{ "cc", FIELD_TEXTS, false, 0, 50, NULL, "mail channels" },
	{ "template", FIELD_OBJECT, false, 0, 0, NULL,
	  "an approved template instead of text: name, language, parameters; see the channel" },
	{ "location", FIELD_OBJECT, false, 0, 0, NULL, "latitude, longitude, name, address" },
	{ "attachments", FIELD_OBJECTS, false, 0, 50, NULL, "[{\"blob\",\"name\",\"type\"}]" },
	{ "mentions", FIELD_TEXTS, false, 0, 20, NULL,
	  "ids of agents whom a note names: told by GET /v1/me/mentions" },
	{ "version", FIELD_INT, false, 0, 0, NULL, "refuse if the work item has changed since" },
	{ 0 },
};
static const struct field body_conversation[] = {
	{ "channel", FIELD_TEXT, true, 1, 40, NULL, "which channel to write on" },
	{ "to", FIELD_TEXT, true, 1, 320, NULL, "the address there" },
	{ "name", FIELD_TEXT, false, 0, 200, NULL, "shown name" },
	{ "subject", FIELD_TEXT, false, 0, 1000, NULL, NULL },
	{ "answers", FIELD_TEXT, false, 1, 64, NULL,
	  "cnv_...: answers its customer over another way; \"to\" is then an address of theirs" },
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
static const struct field body_opt_out[] = {
	{ "state", FIELD_TEXT, true, 1, 10, "granted|withdrawn", "withdrawn: wants no messages" },
	{ "reason", FIELD_TEXT, true, 1, 500, NULL, "how it is known" },
	{ 0 },
};
static const struct field body_draft[] = {
	{ "kind", FIELD_TEXT, false, 1, 10, "reply|note", "default reply" },
	{ "channel", FIELD_TEXT, false, 1, 40, NULL, "over which channel it is to go" },
	{ "to", FIELD_TEXT, false, 1, 320, NULL, "to which address there" },
	{ "text", FIELD_TEXT, true, 0, LIMIT_DRAFT_BYTES, NULL, "what is written; empty: nothing" },
	{ 0 },
};
static const struct field body_viewing[] = {
	{ "is_here", FIELD_BOOL, false, 0, 0, NULL, "false: I have left it; default true" },
	{ 0 },
};

static const struct route routes[] = {
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
	{ "GET", "/v1/conversations/{id}/ways", ROLES_STAFF, handle_reply_ways, NULL, NULL,
	  "ReplyWays", 200,
	  "Over which channels and addresses its customer can be answered, and why not over others",
	  0 },
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
	{ "POST", "/v1/conversations/{id}/viewing", ROLES_WORK, handle_viewing, body_viewing, NULL,
	  NULL, 204, "Tell other agents that I look at it; again every 20 s", 0 },
	{ "GET", "/v1/conversations/{id}/draft", ROLES_WORK, handle_draft_get, NULL, NULL, "Draft",
	  200, "What I have written there and not sent", 0 },
	{ "PUT", "/v1/conversations/{id}/draft", ROLES_WORK, handle_draft_put, body_draft, NULL,
	  "Draft", 200, "Keep what I write; a message of mine there takes it away", 0 },
	{ "POST", "/v1/conversations/{id}/typing", ROLES_WORK, handle_typing, body_none, NULL, NULL,
	  204, "Tell that I am typing", 0 },
	{ "PUT", "/v1/conversations/{id}/opt-out", ROLES_LEAD, handle_opt_out, body_opt_out, NULL,
	  "Consent", 200, "Whether its addressee wants messages on its channel", 0 },
	{ "GET", "/v1/search", ROLES_WORK, handle_search, NULL,
	  "q,type,channel,agent,queue,customer,from,to," PAGED, "Found", 200,
	  "Search messages, customers and work items, newest first; a snippet is HTML with <mark>",
	  0 },
	{ "POST", "/v1/conversations/{id}/codes", ROLES_WORK, handle_code_open, body_code, NULL,
	  "Code", 202, "Send a one-time code to an address that the customer names", 4096 },
	{ "POST", "/v1/conversations/{id}/codes/verify", ROLES_WORK, handle_code_verify,
	  body_code_answer, NULL, "Proved", 200, "Enter the code that the customer told", 4096 },
	{ "POST", "/v1/attachments", ROLES_WORK, handle_attachment_put, NULL, "name,type",
	  "Attachment", 201, "Upload bytes; the answer's blob goes into a message",
	  LIMIT_MEDIA_BYTES },
	{ "GET", "/v1/attachments/{id}", ROLES_WORK, handle_attachment_get, NULL, "name,type", NULL,
	  200, "Download", 0 },
	{ "DELETE", "/v1/attachments/{id}", ROLES_WORK, handle_attachment_delete, NULL, NULL, NULL,
	  204, "Destroy an upload that no message names", 0 },
};

const struct route_group routes_of_conversations = { routes, COUNT_OF(routes) };
