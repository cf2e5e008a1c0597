/* One letter: its attachments are fetched one by one, then it is composed, a
 * token is asked for where the account wants one, and it is handed over. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "email_private.h"

enum {
	PEOPLE_MAX = 50,
	BOUNDARY_HEX = 24,
	MAIL_MAX_BYTES = 35 * 1024 * 1024,
	ID_MAX_CHARS = 78, /* RFC 5322: a line */
	TAIL_CHARS = 12,   /* of our id: random enough within a conversation */
};

struct sending {
	struct channel *channel;
	struct delivery *delivery;
	struct arena *arena;
	struct outbound message; /* all texts in the arena */
	struct email_file *files;
	size_t file_count; /* fetched */
	size_t file_bytes;
	const char **cc;
	size_t cc_count;
	const char **recipients; /* the envelope: to, cc, bcc */
	size_t recipient_count;
	const char *message_id;
	struct email_text letter;
	bool renewed; /* a refused token was replaced once */
};

static void sending_free(struct sending *sending)
{
	email_text_clear(&sending->letter);
	email_host()->arena_free(sending->arena);
	free(sending);
}

static void end_failed(struct sending *sending, enum send_failure failure, const char *code,
		       const char *why)
{
	email_host()->failed(sending->delivery, failure, code, why, -1);
	sending_free(sending);
}

/* ---- what to send ---- */

static const char *id_of(const struct channel *channel, const char *token, const char *id,
			 struct arena *arena)
{
	const struct email_settings *settings = email_host()->channel_settings(channel);
	const char *domain = email_domain(settings->address);
	size_t len = strlen(id);
	const char *tail = len > TAIL_CHARS ? id + len - TAIL_CHARS : id;
	char *name;

	if (token && strlen(token) + strlen(tail) + strlen(domain) + strlen("<.@>") <= ID_MAX_CHARS)
		name = email_host()->format(arena, "%s.%s", token, tail);
	else
		name = email_host()->text(arena, id);
	for (char *c = name; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return email_host()->format(arena, "<%s@%s>", name, domain);
}

const char *email_sent_as(const struct channel *channel, const struct outbound *message,
			  struct arena *arena)
{
	return id_of(channel, message->reply_token, message->id, arena);
}

static void copy_message(struct sending *sending, const struct outbound *from)
{
	struct outbound *to = &sending->message;
	struct arena *arena = sending->arena;
	const char **references =
		email_host()->alloc(arena, (from->reference_count + 1) * sizeof(*references));
	struct attachment *attachments =
		email_host()->alloc(arena, (from->attachment_count + 1) * sizeof(*attachments));

	*to = *from;
	to->id = email_host()->text(arena, from->id);
	to->conversation = email_host()->text(arena, from->conversation);
	to->text = email_host()->text(arena, from->text);
	to->html = email_host()->text(arena, from->html);
	to->to = email_host()->text(arena, from->to);
	to->to_name = email_host()->text(arena, from->to_name);
	to->subject = email_host()->text(arena, from->subject);
	to->reply_token = email_host()->text(arena, from->reply_token);
	to->in_reply_to = email_host()->text(arena, from->in_reply_to);
	to->extra = email_host()->text(arena, from->extra);
	for (size_t i = 0; i < from->reference_count; i++)
		references[i] = strncmp(from->references[i], "msg_", 4) == 0
					? id_of(sending->channel, to->reply_token,
						from->references[i], arena)
					: email_host()->text(arena, from->references[i]);
	to->references = references;
	for (size_t i = 0; i < from->attachment_count; i++) {
		attachments[i] = from->attachments[i];
		attachments[i].name = email_host()->text(arena, from->attachments[i].name);
		attachments[i].type = email_host()->text(arena, from->attachments[i].type);
		attachments[i].blob = email_host()->text(arena, from->attachments[i].blob);
		attachments[i].url = email_host()->text(arena, from->attachments[i].url);
	}
	to->attachments = attachments;
}

static size_t read_people(struct sending *sending, struct json_object *extra, const char *list,
			  const char **out, size_t room)
{
	struct json_object *people = email_host()->json_at(extra, list);
	size_t count = 0;

	for (size_t i = 0; i < email_host()->json_count(people) && count < room; i++) {
		const char *address =
			email_host()->json_text(email_host()->json_item(people, i), "");

		if (email_address_ok(address))
			out[count++] = email_host()->text(sending->arena, address);
	}
	return count;
}

static void find_people(struct sending *sending)
{
	const struct outbound *message = &sending->message;
	const char **all = email_host()->alloc(sending->arena, (2 * PEOPLE_MAX + 1) * sizeof(*all));
	struct json_object *extra = NULL;
	const char *error;

	all[0] = message->to;
	sending->recipients = all;
	sending->cc = all + 1;
	sending->recipient_count = 1;
	if (message->extra)
		extra = email_host()->json_read(message->extra, strlen(message->extra),
						sending->arena, &error);
	if (!extra)
		return;
	sending->cc_count = read_people(sending, extra, "cc", all + 1, PEOPLE_MAX);
	sending->recipient_count += sending->cc_count;
	sending->recipient_count +=
		read_people(sending, extra, "bcc", all + sending->recipient_count, PEOPLE_MAX);
	email_host()->json_free(extra);
}

static void compose(struct sending *sending)
{
	unsigned char hash[32];
	struct email_letter letter = {
		.settings = email_host()->channel_settings(sending->channel),
		.message = &sending->message,
		.message_id = sending->message_id,
		.cc = sending->cc,
		.cc_count = sending->cc_count,
		.files = sending->files,
		.file_count = sending->file_count,
	};
	char *hex;

	email_host()->sha256(sending->message_id, strlen(sending->message_id), hash);
	hex = email_host()->hex(sending->arena, hash, sizeof(hash));
	hex[BOUNDARY_HEX] = '\0';
	letter.boundary = hex;
	email_compose(&letter, &sending->letter);
}

/* ---- handing it over ---- */

static void hand_over(struct channel *channel, const char *error, void *context);

static void refused(struct sending *sending, const struct host_mail_answer *answer)
{
	struct email_state *state = email_host()->channel_state(sending->channel);
	char code[24] = "smtp";

	if (answer->failure == SEND_REAUTH && !sending->renewed &&
	    email_has_oauth(email_host()->channel_settings(sending->channel))) {
		sending->renewed = true;
		email_token_forget(&state->sending);
		email_token_get(sending->channel, &state->sending, hand_over, sending);
		return;
	}
	if (answer->code)
		snprintf(code, sizeof(code), "smtp_%d", answer->code);
	end_failed(sending, answer->failure, code, answer->error);
}

static void on_sent(const struct host_mail_answer *answer, void *context)
{
	struct sending *sending = context;

	if (answer->error) {
		refused(sending, answer);
		return;
	}
	email_host()->sent(sending->delivery, sending->message_id);
	sending_free(sending);
}

static void hand_over(struct channel *channel, const char *error, void *context)
{
	struct sending *sending = context;
	const struct email_settings *settings = email_host()->channel_settings(channel);
	struct email_state *state = email_host()->channel_state(channel);
	const struct host_account account = {
		.url = settings->smtp.url,
		.user = settings->smtp.user,
		.password = settings->smtp.password,
		.oauth_bearer = email_has_oauth(settings) ? state->sending.token : NULL,
		.tls = (enum host_tls)settings->smtp.tls,
		.ca_file = settings->smtp.ca_file,
	};
	/* RFC 3834: a machine's mail leaves with the null sender, so nothing answers it. */
	const struct host_mail mail = {
		.account = &account,
		.from = sending->message.automatic ? "" : settings->address,
		.to = sending->recipients,
		.to_count = sending->recipient_count,
		.message = sending->letter.data,
		.message_len = sending->letter.len,
	};

	if (error)
		end_failed(sending, SEND_RETRY, "oauth", error);
	else
		email_host()->mail_send(channel, &mail, on_sent, sending);
}

static void letter_ready(struct sending *sending)
{
	struct email_state *state = email_host()->channel_state(sending->channel);

	compose(sending);
	if (email_has_oauth(email_host()->channel_settings(sending->channel)))
		email_token_get(sending->channel, &state->sending, hand_over, sending);
	else
		hand_over(sending->channel, NULL, sending);
}

/* ---- attachments ---- */

static void next_file(struct sending *sending);

static void add_file(struct sending *sending, const void *bytes, size_t len)
{
	const struct attachment *from = &sending->message.attachments[sending->file_count];

	sending->file_bytes += len;
	sending->files[sending->file_count++] = (struct email_file){
		.name = from->name,
		.type = from->type,
		.bytes = email_host()->copy(sending->arena, bytes, len),
		.len = len,
	};
}

static void on_file(const void *bytes, size_t len, const char *error, bool gone, void *context)
{
	struct sending *sending = context;

	if (error) {
		end_failed(sending, gone ? SEND_PERMANENT : SEND_RETRY, "attachment", error);
		return;
	}
	if (sending->file_bytes + len > MAIL_MAX_BYTES) {
		end_failed(sending, SEND_PERMANENT, "too_big", "the attachments are over 35 MiB");
		return;
	}
	add_file(sending, bytes, len);
	next_file(sending);
}

static void next_file(struct sending *sending)
{
	const struct outbound *message = &sending->message;

	if (sending->file_count == message->attachment_count)
		letter_ready(sending);
	else
		email_host()->attachment(sending->channel,
					 &message->attachments[sending->file_count], on_file,
					 sending);
}

void email_send(struct channel *channel, const struct outbound *message, struct delivery *delivery)
{
	const struct email_settings *settings = email_host()->channel_settings(channel);
	struct sending *sending;

	if (!settings->smtp.url || !settings->smtp.url[0]) {
		email_host()->failed(delivery, SEND_PERMANENT, "no_smtp",
				     "the channel has no smtp.url", -1);
		return;
	}
	if (!email_address_ok(message->to)) {
		email_host()->failed(delivery, SEND_PERMANENT, "bad_address",
				     "the recipient is not a mail address", -1);
		return;
	}
	sending = calloc(1, sizeof(*sending));
	if (!sending)
		abort();
	sending->channel = channel;
	sending->delivery = delivery;
	sending->arena = email_host()->arena_new();
	copy_message(sending, message);
	sending->files = email_host()->alloc(sending->arena, (message->attachment_count + 1) *
								     sizeof(struct email_file));
	find_people(sending);
	sending->message_id = email_sent_as(channel, &sending->message, sending->arena);
	next_file(sending);
}
