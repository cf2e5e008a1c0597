/* /chat/{channel}/attachments: files of visitors. What an upload answers as
 * "blob" is bound to its visitor, so that knowing the hash of somebody else's
 * file is of no use; what is downloaded must stand in the visitor's own
 * conversation. */
#include <stdio.h>
#include <string.h>

#include "api/chat.h"
#include "api/handlers.h"
#include "api/visitor.h"
#include "base/crypto.h"
#include "base/text.h"
#include "conversation/conversation.h"
#include "parts.h"
#include "services/blobs.h"
#include "store/blob_owner.h"

enum {
	BLOB_LEN = 64,
	SEAL_HEX = 32,
	TICKET_LEN = BLOB_LEN + 1 + SEAL_HEX, /* <blob>-<seal> */
	PAGE = 200,
};

/* ---- uploads ---- */

struct uploading {
	char ticket[TICKET_LEN + 1];
};

static void ticket_make(const struct api_call *call, const struct chat_call *chat, const char *blob,
			char out[TICKET_LEN + 1])
{
	unsigned char sum[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];
	struct mac *mac = call->parts->key;

	mac_begin(mac);
	mac_add(mac, "visitor-file", sizeof("visitor-file"));
	mac_add(mac, chat->full_name, strlen(chat->full_name) + 1);
	mac_add(mac, chat->visitor.id, strlen(chat->visitor.id) + 1);
	mac_add(mac, blob, BLOB_LEN);
	mac_end(mac, sum);
	text_hex(sum, sizeof(sum), hex);
	snprintf(out, TICKET_LEN + 1, "%.*s-%.*s", BLOB_LEN, blob, SEAL_HEX, hex);
}

static bool ticket_is_good(const struct api_call *call, const struct chat_call *chat,
			   const char *ticket)
{
	char expected[TICKET_LEN + 1];

	if (ticket == NULL || strlen(ticket) != TICKET_LEN)
		return false;
	ticket_make(call, chat, ticket, expected);
	return crypto_equal(expected, TICKET_LEN, ticket, TICKET_LEN);
}

static void upload_answer(struct api_call *call, const char *ticket)
{
	const char *name = api_query(call, "name");
	const char *type = api_query(call, "type");
	struct buf body = { 0 };
	struct json_out out;
	size_t len;

	http_request_body(call->request, &len);
	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_text(&out, "blob", ticket);
	jw_text(&out, "name", name == NULL ? "" : name);
	jw_text(&out, "type", type == NULL ? "application/octet-stream" : type);
	jw_int(&out, "size", (int64_t)len);
	jw_object_end(&out);
	api_answer(call, 201, &body);
}

static void on_kept(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const struct uploading *uploading = call->state;

	(void)reply;
	if (err != NULL)
		api_fail(call, err);
	else
		upload_answer(call, uploading->ticket);
}

static void on_put(const char *blob, const struct error *err, void *context)
{
	struct api_call *call = context;
	const struct chat_call *chat = call->state;
	struct uploading *uploading = arena_alloc(call->arena, sizeof(*uploading));
	struct buf packed = { 0 };

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	ticket_make(call, chat, blob, uploading->ticket);
	blob_pack(&packed, blob);
	call->state = uploading;
	blob_keep(call->parts->store,
		  &(struct blob_keeping){ channel_workspace(chat->channel), "", "", &packed, NULL,
					  false, blob },
		  on_kept, call);
	buf_clear(&packed);
}

static void file_put(struct api_call *call)
{
	const char *bytes;
	struct error err;
	size_t len;

	bytes = http_request_body(call->request, &len);
	if (blobs_put(call->parts->blobs, bytes, len, on_put, call, &err) != 0)
		api_fail(call, &err);
}

void handle_chat_file_put(struct api_call *call)
{
	size_t len;

	if (chat_call_visitor(call) == NULL)
		return;
	http_request_body(call->request, &len);
	if (len == 0)
		api_problem(call, 400, "empty_attachment", "the body is the attachment's bytes");
	else
		chat_rate(call, file_put);
}

bool chat_files_own(struct api_call *call, const struct chat_call *chat)
{
	size_t len;
	const char *bytes = http_request_body(call->request, &len);
	struct json_object *body;
	struct json_object *list;
	bool is_good = true;

	if (len == 0)
		return true;
	if (memmem(bytes, len, "attachments", strlen("attachments")) == NULL &&
	    memchr(bytes, '\\', len) == NULL)
		return true;
	body = json_read(bytes, len, NULL);
	list = json_at(body, "attachments");
	for (size_t i = 0; is_good && i < json_count(list); i++)
		is_good = ticket_is_good(call, chat, json_text(json_item(list, i), "blob"));
	json_free(&body);
	if (!is_good)
		api_problem(call, 400, "bad_attachment",
			    "an attachment needs the \"blob\" that this visitor's upload answered");
	return is_good;
}

/* ---- downloads ---- */

struct looking {
	struct chat_call *chat;
	char conversation[ID_BYTES];
	char member[sizeof("\"id\":\"\"") + BLOB_LEN]; /* as it stands in a message's JSON */
};

static void look(struct api_call *call, int64_t from);

static void on_page(const struct message_page *page, const struct error *err, void *context)
{
	struct api_call *call = context;
	const struct looking *looking = call->state;

	if (err != NULL)
		api_fail(call, err);
	else if (page != NULL && strstr(page->json, looking->member) != NULL)
		api_attachment(call, call->params[1]);
	else if (page != NULL && page->more)
		look(call, page->next);
	else
		api_problem(call, 404, "no_such_attachment",
			    "this conversation has no attachment with this id");
}

static void look(struct api_call *call, int64_t from)
{
	const struct looking *looking = call->state;
	const struct message_query query = {
		.workspace = channel_workspace(looking->chat->channel),
		.conversation = looking->conversation,
		.from = from,
		.limit = PAGE,
		.descending = true,
		.without_notes = true,
	};

	conversation_messages(call->parts, &query, on_page, call);
}

void handle_chat_file_get(struct api_call *call)
{
	struct chat_call *chat = chat_call_visitor(call);
	struct looking *looking;

	if (chat == NULL)
		return;
	looking = arena_alloc(call->arena, sizeof(*looking));
	looking->chat = chat;
	call->state = looking;
	if (strlen(call->params[1]) != BLOB_LEN ||
	    !visitor_conversation(call->parts->key, chat->channel, &chat->visitor, call->arena,
				  looking->conversation)) {
		api_problem(call, 404, "no_such_attachment",
			    "this conversation has no attachment with this id");
		return;
	}
	/* A quote inside a text is escaped, so only an attachment's own member looks like this. */
	snprintf(looking->member, sizeof(looking->member), "\"id\":\"%s\"", call->params[1]);
	look(call, -1);
}
