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
#include "base/date.h"
#include "base/id.h"
#include "base/text.h"
#include "business/zone.h"
#include "conversation/conversation.h"
#include "identity/identity.h"
#include "parts.h"
#include "services/loop.h"
#include "store/store.h"

/* A message's text may have LIMIT_TEXT_BYTES: what stands around the lines is far less than the
 * rest.
 */
enum { PAGE = 200, TEXT_MAX = 250 * 1000, DAY_S = 24 * 3600 };

/* What somebody said, without when. */
struct line {
	struct line *later;
	int64_t at_ms;
	const char *text;
};

/* A call's own, beside its chat_call. */
struct sending {
	struct line *lines; /* the oldest one read first */
	size_t bytes;       /* of their texts */
	int64_t from;       /* where the next page begins */
	bool is_answered;   /* by a person of ours */
	bool is_cut;        /* there is more than fits */
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
	auth_hash(arena_format(call->arena, "transcript %s %s %s %s", sending->workspace,
			       sending->conversation, json_text(call->body, "client_id"), key.hex),
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

static const char *line_text(struct api_call *call, struct json_object *message)
{
	const char *type = json_text(message, "author.type");
	const char *name = json_text(message, "author.name");
	const char *text = json_text(message, "text");
	struct json_object *files = json_at(message, "attachments");
	struct buf out = { 0 };
	const char *copy;

	if (text_equal(type, "customer"))
		name = is_chinese(call) ? "您" : "You";
	else if (name == NULL || *name == '\0')
		name = is_chinese(call) ? "客服" : "Agent";
	buf_format(&out, "%s: %s\n", name, text == NULL ? "" : text);
	for (size_t i = 0; i < json_count(files); i++)
		buf_format(&out, "    [%s]\n", json_text(json_item(files, i), "name"));
	copy = arena_copy(call->arena, out.data, text_prefix(out.data, out.len, TEXT_MAX));
	buf_clear(&out);
	return copy;
}

/* The newest first. */
static void lines_add(struct api_call *call, struct json_object *list)
{
	struct sending *sending = ((struct chat_call *)call->state)->own;

	for (size_t i = 0; i < json_count(list) && !sending->is_cut; i++) {
		struct json_object *message = json_item(list, i);
		const char *at = json_text(message, "created_at");
		struct line *line = arena_alloc(call->arena, sizeof(*line));

		*line = (struct line){ .later = sending->lines,
				       .at_ms = at == NULL ? 0 : text_parse_time(at),
				       .text = line_text(call, message) };
		sending->is_answered |= text_equal(json_text(message, "author.type"), "agent");
		sending->bytes += strlen(line->text) + sizeof("2026-11-23 14:05  ");
		if (sending->lines != NULL && sending->bytes > TEXT_MAX)
			sending->is_cut = true;
		else
			sending->lines = line;
	}
}

static void write_time(struct buf *out, const struct zone *zone, int64_t at_ms)
{
	int64_t unix_s = date_floor(at_ms, 1000);
	int64_t wall_s = unix_s + zone_at(zone, unix_s).offset_s;
	int64_t day = date_floor(wall_s, DAY_S);
	int minute = (int)((wall_s - day * DAY_S) / 60);
	char date[16];

	date_format(day, date);
	buf_format(out, "%s %02d:%02d  ", date, minute / 60, minute % 60);
}

/* Whoever asks may have a zone of which this machine knows nothing yet, so it says which one it
 * took. */
static void transcript_write(struct api_call *call, struct buf *out)
{
	const struct sending *sending = ((struct chat_call *)call->state)->own;
	const char *name = json_text(call->body, "time_zone");
	struct error err;
	struct zone *zone = zone_new(name == NULL ? "UTC" : name, &err);

	if (zone == NULL) {
		name = NULL;
		zone = zone_new("UTC", &err);
	}
	buf_format(out,
		   is_chinese(call) ? "您与我们的会话（时间为 %s）：\n\n"
				    : "What was said (times in %s):\n\n",
		   name == NULL ? "UTC" : name);
	if (sending->is_cut)
		buf_text(out, is_chinese(call)
				      ? "（更早的内容过长，未列出）\n\n"
				      : "(What was said before is too long to be here.)\n\n");
	for (const struct line *line = sending->lines; line != NULL; line = line->later) {
		write_time(out, zone, line->at_ms);
		buf_text(out, line->text);
	}
	zone_free(&zone);
}

static void transcript_end(struct api_call *call)
{
	const struct sending *sending = ((struct chat_call *)call->state)->own;
	struct buf text = { 0 };

	if (!sending->is_answered) {
		api_problem(call, 409, "nobody_answered",
			    "a transcript is sent once somebody has answered");
		return;
	}
	transcript_write(call, &text);
	transcript_send(call, arena_text(call->arena, buf_string(&text)));
	buf_clear(&text);
}

static void page_read_next(struct api_call *call);

static void on_page(const struct message_page *page, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct sending *sending = ((struct chat_call *)call->state)->own;
	struct json_object *list;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	list = message_page_list(page);
	lines_add(call, list);
	json_free(&list);
	if (page == NULL || !page->more || sending->is_cut) {
		transcript_end(call);
		return;
	}
	sending->from = page->next;
	page_read_next(call);
}

static void page_read_next(struct api_call *call)
{
	const struct sending *sending = ((struct chat_call *)call->state)->own;
	const struct message_query query = { .workspace = sending->workspace,
					     .conversation = sending->conversation,
					     .from = sending->from,
					     .limit = PAGE,
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
		sending->from = -1;
		chat_rate(call, page_read_next);
	}
}
