/* POST /chat/{channel}/offline: what a visitor leaves while nobody is there. It becomes a mail to
 * the channel's offline_channel and takes the way of every mail, so it is a mail conversation from
 * its first message on, and the answer finds the visitor who has gone. */
#include <stdio.h>
#include <string.h>

#include "api/chat.h"
#include "api/handlers.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "base/text.h"
#include "pipeline.h"
#include "services/loop.h"

/* A word of a header holds 75 characters (RFC 2047), base64 of 45 bytes and what is around it. */
enum { WORD_BYTES = 42, LINE_BYTES = 57, SUBJECT_BYTES = 120, ID_HASH_BYTES = 16 };

/* How many of the first bytes end with a whole character. */
static size_t whole_characters(const char *text, size_t most)
{
	size_t len = strlen(text);

	if (len <= most)
		return len;
	for (len = most; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80; len--)
		;
	return len;
}

/* As encoded words whatever it holds: no byte of it is a byte of the header. */
static void header_text(struct buf *mail, const char *text)
{
	char word[4 * WORD_BYTES];

	for (bool is_first = true; *text != '\0'; is_first = false) {
		size_t len = whole_characters(text, WORD_BYTES);

		text_base64(text, len, word);
		buf_format(mail, "%s=?utf-8?B?%s?=", is_first ? "" : "\r\n ", word);
		text += len;
	}
}

static void body_text(struct buf *mail, const char *text)
{
	char line[4 * LINE_BYTES];
	size_t len = strlen(text);

	for (size_t at = 0; at < len; at += LINE_BYTES) {
		text_base64(text + at, len - at < LINE_BYTES ? len - at : LINE_BYTES, line);
		buf_format(mail, "%s\r\n", line);
	}
}

/* The same for a re-send, so that it is dropped as a duplicate; hence no Date either. */
static void message_id(struct api_call *call, const struct chat_call *chat, struct buf *mail)
{
	const char *seed = arena_format(call->arena, "%s %s", chat->visitor.id,
					json_text(call->body, "client_id"));
	unsigned char hash[SHA256_BYTES];
	char hex[2 * ID_HASH_BYTES + 1];

	crypto_sha256(seed, strlen(seed), hash);
	text_hex(hash, ID_HASH_BYTES, hex);
	buf_format(mail, "Message-ID: <%s@%s.chat.invalid>\r\n", hex, channel_name(chat->channel));
}

static void mail_write(struct api_call *call, const struct chat_call *chat, struct buf *mail)
{
	const char *text = json_text(call->body, "text");
	const char *name = json_text(call->body, "name");
	const char *first = text + strspn(text, " \t\r\n");
	size_t len = strcspn(first, "\r\n");

	len = whole_characters(arena_copy(call->arena, first, len), SUBJECT_BYTES);
	buf_text(mail, "From: ");
	if (name != NULL && *name != '\0') {
		header_text(mail, text_clean_line(call->arena, name, strlen(name), 200));
		buf_byte(mail, ' ');
	}
	buf_format(mail, "<%s>\r\nSubject: ", json_text(call->body, "email"));
	header_text(mail, text_clean_line(call->arena, first, len, SUBJECT_BYTES));
	buf_text(mail, "\r\n");
	message_id(call, chat, mail);
	buf_text(mail, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
		       "Content-Transfer-Encoding: base64\r\n\r\n");
	body_text(mail, text);
}

static void on_flight(struct flight *flight, bool durable, void *context)
{
	struct api_call *call = context;
	struct buf body = { 0 };
	struct json_out out;

	if (!durable || flight->parsed.message_count != 1) {
		if (flight->status == 503)
			http_request_add_field(call->request, "Retry-After", "2");
		api_problem(call, flight->status == 0 ? 400 : flight->status,
			    flight->code == NULL ? "bad_message" : flight->code, "%s",
			    flight->error.text);
		return;
	}
	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_text(&out, "message", flight->passengers[0].message_id);
	jw_object_end(&out);
	api_answer(call, 201, &body);
}

static void offline_launch(struct api_call *call)
{
	struct chat_call *chat = call->state;
	struct inbound in = { .method = "",
			      .target = "",
			      .envelope_from = json_text(call->body, "email"),
			      .now_s = loop_unix_ms(call->parts->loop) / 1000 };
	struct buf mail = { 0 };

	mail_write(call, chat, &mail);
	in.body = mail.data;
	in.body_len = mail.len;
	pipeline_launch(call->parts->pipeline, chat_offline_channel(call, chat), &in, NULL,
			on_flight, call);
	buf_clear(&mail);
}

void handle_chat_offline(struct api_call *call)
{
	struct chat_call *chat = chat_call_visitor(call);

	if (chat == NULL)
		return;
	if (chat_offline_channel(call, chat) == NULL)
		api_problem(
			call, 404, "no_offline_channel",
			"this channel takes no mail: set its offline_channel to a mail channel");
	else if (!text_is_bare_address(json_text(call->body, "email")))
		api_invalid(call, "#/body/email", "this is not a mail address");
	else
		chat_rate(call, offline_launch);
}
