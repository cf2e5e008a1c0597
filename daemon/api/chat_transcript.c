/* POST /chat/{channel}/transcript: the visitor gets what was said by mail, on the channel's
 * offline_channel. Only of a conversation that a person of ours has taken part in: the chat is no
 * way to send one's own words to a stranger. */
#include <stdio.h>
#include <string.h>

#include "api/auth.h"
#include "api/chat.h"
#include "api/handlers.h"
#include "api/visitor.h"
#include "base/buf.h"
#include "base/id.h"
#include "base/text.h"
#include "conversation/conversation.h"
#include "identity/identity.h"
#include "parts.h"
#include "services/loop.h"
#include "store/store.h"

enum { NEWEST = 200, TIME_SHOWN = 16, TEXT_MAX = 200 * 1000 };

/* A call's own, beside its chat_call. */
struct sending {
	char conversation[ID_BYTES];
	char carrier[ID_BYTES]; /* the conversation of the mail */
	char id[ID_BYTES];      /* of its message */
	const char *channel;    /* the mail channel's name */
	const char *workspace;
	bool idempotent;
};

static bool is_chinese(const struct api_call *call)
{
	const char *language = json_text(call->body, "language");

	return language != NULL && text_starts(language, "zh");
}

static const char *subject_of(const struct api_call *call)
{
	return is_chinese(call) ? "您的会话记录" : "Your conversation with us";
}

static void on_sent(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;

	if (err != NULL)
		api_fail(call, err);
	else if (reply_is(reply, "ok") || reply_is(reply, "replay"))
		api_empty(call, 202);
	else if (text_equal(reply_text_at(reply, 1), "limit"))
		api_slow_down(call, reply_int_at(reply, 2));
	else
		api_problem(call, 404, "no_such_conversation", "this session has no conversation");
}

static void add_message(struct store_call *send, struct api_call *call, const char *text)
{
	const struct sending *sending = ((struct chat_call *)call->state)->own;
	const struct message_record record = {
		.id = sending->id,
		.conversation = sending->carrier,
		.out = true,
		.kind = MESSAGE_TEXT,
		.text = text,
		.subject = subject_of(call),
		.author_type = "system",
		.channel = sending->channel,
		.created_ms = loop_unix_ms(call->parts->loop),
		.automatic = true,
	};
	struct buf json = { 0 };

	message_write(&json, &record);
	store_arg(send, json.data, json.len);
	buf_clear(&json);
}

static void transcript_send(struct api_call *call, const char *text)
{
	const struct chat_call *chat = call->state;
	struct sending *sending = chat->own;
	const char *email = json_text(call->body, "email");
	struct store_call *send = store_script("transcript_send", sending->workspace);
	const struct identifier address = {
		.kind = "email", .scope = "", .value = email, .proof = PROOF_PERSON
	};
	struct identity_key key;
	char once[65];

	identity_index(
		&(struct identity_place){ call->parts->key, sending->workspace, sending->channel },
		&address, &key);
	id_new("cnv_", sending->carrier);
	id_new("msg_", sending->id);
	auth_hash(arena_format(call->arena, "transcript %s %s %s", sending->workspace,
			       sending->conversation, json_text(call->body, "client_id")),
		  once);
	store_key(send, "c:%s", sending->conversation);
	store_key(send, "trn:%s", sending->conversation);
	store_key(send, "tra:%s", key.hex);
	store_key(send, "c:%s", sending->carrier);
	store_key(send, "m:%s", sending->carrier);
	store_key(send, "oq:%s", sending->carrier);
	store_key(send, "x:%s", sending->id);
	store_arg_once(send, once, once);
	store_arg_text(send, sending->carrier);
	store_arg_text(send, sending->id);
	add_message(send, call, text);
	store_arg_text(send, sending->channel);
	store_arg_text(send, email);
	store_arg_text(send, subject_of(call));
	store_arg_text(send, sending->idempotent ? "1" : "0");
	store_run(call->parts->store, send, on_sent, call);
}

static void write_line(struct buf *out, struct json_object *message, bool chinese)
{
	const char *type = json_text(message, "author.type");
	const char *name = json_text(message, "author.name");
	const char *at = json_text(message, "created_at");
	const char *text = json_text(message, "text");
	struct json_object *files = json_at(message, "attachments");

	if (text_equal(type, "customer"))
		name = chinese ? "您" : "You";
	else if (name == NULL || *name == '\0')
		name = chinese ? "客服" : "Agent";
	/* 2026-11-23T14:05, as the API writes it. */
	buf_format(out, "%.10s %.5s  %s: %s\n", at, strlen(at) > TIME_SHOWN ? at + 11 : "", name,
		   text == NULL ? "" : text);
	for (size_t i = 0; i < json_count(files); i++)
		buf_format(out, "    [%s]\n", json_text(json_item(files, i), "name"));
}

/* The newest first comes in; the oldest first goes out. False where nobody of ours has spoken. */
static bool transcript_write(struct buf *out, struct json_object *list, bool chinese)
{
	bool is_answered = false;

	buf_text(out, chinese ? "您与我们的会话（时间为 UTC）：\n\n"
			      : "What was said (times in UTC):\n\n");
	for (size_t i = json_count(list); i-- > 0 && out->len < TEXT_MAX;) {
		struct json_object *message = json_item(list, i);

		is_answered |= text_equal(json_text(message, "author.type"), "agent");
		write_line(out, message, chinese);
	}
	return is_answered;
}

static void on_page(const struct message_page *page, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct buf bytes = { 0 }, text = { 0 };
	struct json_object *list = NULL;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	buf_byte(&bytes, '[');
	if (page != NULL)
		buf_add(&bytes, page->json, page->len);
	buf_byte(&bytes, ']');
	list = json_read(bytes.data, bytes.len, NULL);
	if (transcript_write(&text, list, is_chinese(call)))
		transcript_send(call, arena_text(call->arena, buf_string(&text)));
	else
		api_problem(call, 409, "nobody_answered",
			    "a transcript is sent once somebody has answered");
	json_free(&list);
	buf_clear(&bytes);
	buf_clear(&text);
}

static void messages_read(struct api_call *call)
{
	const struct sending *sending = ((struct chat_call *)call->state)->own;
	const struct message_query query = { .workspace = sending->workspace,
					     .conversation = sending->conversation,
					     .from = -1,
					     .limit = NEWEST,
					     .descending = true,
					     .without_notes = true };

	conversation_messages(call->parts, &query, on_page, call);
}

void handle_chat_transcript(struct api_call *call)
{
	struct chat_call *chat = chat_call_visitor(call);
	struct sending *sending = arena_alloc(call->arena, sizeof(*sending));
	const struct channel *mail = chat == NULL ? NULL : chat_offline_channel(call, chat);

	if (chat == NULL)
		return;
	if (mail == NULL) {
		api_problem(
			call, 404, "no_offline_channel",
			"this channel sends no mail: set its offline_channel to a mail channel");
	} else if (!text_is_bare_address(json_text(call->body, "email"))) {
		api_invalid(call, "#/body/email", "this is not a mail address");
	} else if (!visitor_conversation(call->parts->key, chat->channel, &chat->visitor,
					 call->arena, sending->conversation)) {
		api_problem(call, 404, "no_such_conversation", "this session has no conversation");
	} else {
		sending->channel = arena_text(call->arena, channel_name(mail));
		sending->workspace = arena_text(call->arena, channel_workspace(mail));
		sending->idempotent = (channel_connector(mail)->abilities & IDEMPOTENT_SEND) != 0;
		chat->own = sending;
		chat_rate(call, messages_read);
	}
}
