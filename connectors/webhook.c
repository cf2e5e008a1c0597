/* webhook: any system that can sign an HTTP request, both ways, by the Standard
 * Webhooks rules (github.com/standard-webhooks/standard-webhooks, v1 HMAC).
 *
 * In: POST /in/<channel> with webhook-id, webhook-timestamp and
 * webhook-signature (or their svix- twins). Out: a signed POST to deliver_url;
 * webhook-id is the message's id on every attempt, so a receiver can drop the
 * twin of a repeated send. Limits: the core's (1 MiB body). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "converge/connector.h"
#include "signed_identity.h"
#include "standard_webhook.h"

enum {
	ATTACHMENTS_MAX = 50,
	IDENTITY_MAX_BYTES = 8192,
	ANSWER_MAX_BYTES = 64 * 1024,
	LINK_S = 7 * 24 * 3600, /* how long a link to an attachment is good */
};

struct webhook_settings {
	char *secret;
	char *secret_previous;
	char *deliver_url;
	bool allow_private_urls;
	bool trust_addresses;
	int64_t timeout_ms;
	struct signed_identity_settings identity;
};

struct webhook_state {
	struct standard_webhook keys;
	struct signed_identity identity;
};

struct webhook_send {
	struct channel *channel;
	struct delivery *delivery;
};

static const char *const url_schemes[] = { "https", "http", NULL };

static const struct setting webhook_settings_rows[] = {
	SETTING_ROW("secret", SECRET, struct webhook_settings, secret, NULL,
		    .flags = SETTING_REQUIRED,
		    .text = "Signs both ways: whsec_ and the base64 of 24 to 64 random bytes."),
	SETTING_ROW("secret_previous", SECRET, struct webhook_settings, secret_previous, NULL,
		    .text = "Still accepted on the way in while a new secret is rolled out."),
	SETTING_ROW("deliver_url", URL, struct webhook_settings, deliver_url, NULL,
		    .choices = url_schemes,
		    .text = "Where replies are posted; none: receive only."),
	SETTING_ROW("allow_private_urls", BOOL, struct webhook_settings, allow_private_urls,
		    "false",
		    .text = "deliver_url and the urls of attachments may be http and may lead to a "
			    "loopback or private address."),
	SETTING_ROW("trust_addresses", BOOL, struct webhook_settings, trust_addresses, "false",
		    .text = "from.email and from.phone were checked by the sending system."),
	SETTING_ROW("timeout", TIME, struct webhook_settings, timeout_ms, "20s", .min = 1000,
		    .max = 30000, .text = "How long one delivery may take."),
	SIGNED_IDENTITY_ROWS(struct webhook_settings, identity),
	SETTING_END,
};

/* The schedule that Standard Webhooks names; stated here because it is this protocol's. */
static const int64_t webhook_retry_ms[] = {
	0, 5000, 300000, 1800000, 7200000, 18000000, 36000000, 50400000, 72000000, 86400000, -1,
};

/* One per process, given by open(): parse() has only a const channel. */
static const struct host *host;

/* ---- the way in ---- */

static enum verdict webhook_verify(struct channel *channel, const struct inbound *in,
				   struct arena *arena, struct parsed *ret)
{
	const struct webhook_state *state = host->channel_state(channel);

	(void)ret;
	return standard_webhook_fits(host, &state->keys, in, arena) ? VERIFIED : FORGED;
}

/* What reading one body needs; the first complaint wins. */
struct reader {
	const struct channel *channel;
	const struct inbound *in;
	struct arena *arena;
	struct json_object *body;
	const char *error;
};

static void complain(struct reader *reader, const char *path, const char *what)
{
	if (!reader->error)
		reader->error = host->format(reader->arena, "%s: %s", path, what);
}

/* A text at a path: "" where absent (unless required), a complaint where it is
 * anything but a text or is longer than max bytes. */
static const char *text_at(struct reader *reader, const char *path, size_t max, bool required)
{
	enum host_json_kind kind = host->json_kind(reader->body, path);
	const char *text = kind == HOST_JSON_TEXT ? host->json_text(reader->body, path) : NULL;

	if (kind == HOST_JSON_ABSENT && !required)
		return "";
	if (!text || (required && !text[0])) {
		complain(reader, path,
			 required ? "must be a text that is not empty" : "must be a text");
		return "";
	}
	if (strlen(text) > max) {
		complain(reader, path,
			 host->format(reader->arena, "is longer than %zu bytes", max));
		return "";
	}
	return host->text(reader->arena, text);
}

static void address_add(struct message *message, const char *kind, const char *value,
			enum proof proof)
{
	static const char *const by[] = { NULL, "webhook", "jwt" };

	if (!value || !value[0])
		return;
	message->others[message->other_count++] = (struct identifier){
		.kind = kind, .scope = "", .value = value, .proof = proof, .proved_by = by[proof]
	};
}

/* The application that the person is signed in to says who it is. */
static void read_identity(struct reader *reader, struct message *message)
{
	const struct webhook_state *state = host->channel_state(reader->channel);
	const char *token = text_at(reader, "from.identity", IDENTITY_MAX_BYTES, true);
	const struct host_jwt jwt = { .token = token, .now_s = reader->in->now_s };
	struct host_jwt_claims claims;
	const char *why = "";

	if (reader->error)
		return;
	if (signed_identity_check(&state->identity, &jwt, reader->arena, &claims, &why) < 0) {
		complain(reader, "from.identity", why);
		return;
	}
	if (message->sender.value[0] && strcmp(message->sender.value, claims.subject) != 0) {
		complain(reader, "from.identity", "its sub is another one than from.id");
		return;
	}
	message->sender.value = claims.subject;
	message->sender.proof = PROOF_PERSON;
	message->sender.proved_by = "jwt";
	if (!message->sender_name[0] && claims.name)
		message->sender_name = claims.name;
	address_add(message, "email", claims.email, PROOF_PERSON);
	address_add(message, "phone", claims.phone, PROOF_PERSON);
}

static void read_from(struct reader *reader, struct message *message)
{
	const struct webhook_settings *settings = host->channel_settings(reader->channel);
	enum proof proof = settings->trust_addresses ? PROOF_CHANNEL : PROOF_CLAIMED;
	bool is_signed = host->json_kind(reader->body, "from.identity") != HOST_JSON_ABSENT;

	if (host->json_kind(reader->body, "from") != HOST_JSON_OBJECT) {
		complain(reader, "from", "must be an object");
		return;
	}
	message->sender = (struct identifier){
		.kind = "webhook",
		.scope = host->text(reader->arena, host->channel_name(reader->channel)),
		.value = text_at(reader, "from.id", 512, !is_signed),
		.proof = PROOF_CHANNEL,
		.proved_by = "signature",
	};
	message->sender_name = text_at(reader, "from.name", 1024, false);
	if (is_signed)
		read_identity(reader, message);
	else if (settings->identity.required)
		complain(reader, "from.identity",
			 "is missing: this channel wants a signed identity");
	address_add(message, "email", text_at(reader, "from.email", 320, false), proof);
	address_add(message, "phone", text_at(reader, "from.phone", 320, false), proof);
}

/* A member of one attachment: like text_at, named by its place in the list. */
static const char *member_text(struct reader *reader, size_t index, const char *name, size_t max)
{
	struct json_object *item =
		host->json_item(host->json_at(reader->body, "attachments"), index);
	struct reader inner = { .arena = reader->arena, .body = item };
	const char *text = text_at(&inner, name, max, strcmp(name, "url") == 0);

	if (inner.error && !reader->error)
		reader->error =
			host->format(reader->arena, "attachments[%zu].%s", index, inner.error);
	return text;
}

static void read_attachment(struct reader *reader, size_t index, struct attachment *ret)
{
	struct json_object *item =
		host->json_item(host->json_at(reader->body, "attachments"), index);

	if (host->json_kind(item, "") != HOST_JSON_OBJECT) {
		complain(reader, host->format(reader->arena, "attachments[%zu]", index),
			 "must be an object");
		return;
	}
	ret->url = member_text(reader, index, "url", 4096);
	ret->type = member_text(reader, index, "type", 255);
	ret->name = member_text(reader, index, "name", 1024);
	ret->size = -1;
	if (!ret->type[0])
		ret->type = "application/octet-stream";
	if (ret->url[0] && strncmp(ret->url, "https://", 8) != 0 &&
	    strncmp(ret->url, "http://", 7) != 0)
		complain(reader, host->format(reader->arena, "attachments[%zu].url", index),
			 "must be an https or http address");
}

static void read_attachments(struct reader *reader, struct message *message)
{
	enum host_json_kind kind = host->json_kind(reader->body, "attachments");
	size_t count;

	if (kind == HOST_JSON_ABSENT)
		return;
	if (kind != HOST_JSON_ARRAY) {
		complain(reader, "attachments", "must be a list");
		return;
	}
	count = host->json_count(host->json_at(reader->body, "attachments"));
	if (count > ATTACHMENTS_MAX) {
		complain(reader, "attachments", "has more than 50 entries");
		return;
	}
	message->attachments =
		host->alloc(reader->arena, (count + 1) * sizeof(*message->attachments));
	message->attachment_count = count;
	for (size_t i = 0; i < count; i++)
		read_attachment(reader, i, &message->attachments[i]);
}

static void read_sent_at(struct reader *reader, struct message *message)
{
	const char *text = text_at(reader, "sent_at", 64, false);

	if (!text[0])
		return;
	message->sent_ms = host->parse_time(text);
	if (message->sent_ms < 0)
		complain(reader, "sent_at", "must be a time such as 2026-01-02T03:04:05Z");
}

static void read_message(struct reader *reader, struct message *message)
{
	const char *id = text_at(reader, "id", 512, false);

	if (!id[0]) {
		const char *header = standard_webhook_id(host, reader->in);

		id = header ? host->text(reader->arena, header) : "";
	}
	if (!id[0])
		complain(reader, "id", "is missing, and so is the webhook-id header");
	message->kind = MESSAGE_TEXT;
	message->provider_id = id;
	read_from(reader, message);
	message->text = text_at(reader, "text", 256 * 1024, false);
	message->thread = text_at(reader, "thread", 512, false);
	read_attachments(reader, message);
	read_sent_at(reader, message);
	if (!message->text[0] && message->attachment_count == 0)
		complain(reader, "text", "is missing, and there is no attachment");
}

static int webhook_parse(const struct channel *channel, const struct inbound *in,
			 struct arena *arena, struct parsed *ret, const char **ret_error)
{
	struct reader reader = { .channel = channel, .in = in, .arena = arena };
	struct message *message = host->alloc(arena, sizeof(*message));

	reader.body = host->json_read(in->body, in->body_len, arena, ret_error);
	if (!reader.body)
		return -1;
	if (host->json_kind(reader.body, "") != HOST_JSON_OBJECT)
		reader.error = "the body must be a JSON object";
	else
		read_message(&reader, message);
	host->json_free(reader.body);
	if (reader.error) {
		*ret_error = reader.error;
		return -1;
	}
	ret->messages = message;
	ret->message_count = 1;
	return 0;
}

/* ---- the way out ---- */

/* What we hold is fetched by a signed link; the same on every attempt. */
static const char *file_url(struct channel *channel, const struct outbound *message,
			    const struct attachment *item, struct arena *arena)
{
	if (item->url || !item->blob || !host->attachment_url)
		return item->url;
	return host->attachment_url(channel, item, message->created_ms / 1000 + LINK_S, arena);
}

static void attachments_json(struct channel *channel, struct arena *arena,
			     const struct outbound *message, char **ret)
{
	char *list = host->text(arena, "");

	for (size_t i = 0; i < message->attachment_count; i++) {
		const struct attachment *item = &message->attachments[i];
		const char *url = file_url(channel, message, item, arena);

		list = host->format(arena, "%s%s{\"url\":%s,\"type\":%s,\"name\":%s}", list,
				    i ? "," : "", url ? host->json_quote(arena, url) : "null",
				    host->json_quote(arena, item->type ? item->type : ""),
				    host->json_quote(arena, item->name ? item->name : ""));
	}
	*ret = list;
}

static void webhook_media(const struct channel *channel, const struct attachment *attachment,
			  struct arena *arena, struct media_request *ret)
{
	const struct webhook_settings *settings = host->channel_settings(channel);

	(void)attachment;
	(void)arena;
	ret->allow_private = settings->allow_private_urls;
}

static char *outbound_json(struct channel *channel, struct arena *arena,
			   const struct outbound *message)
{
	char *attachments;

	attachments_json(channel, arena, message, &attachments);
	return host->format(
		arena,
		"{\"type\":\"message.outbound\",\"timestamp\":\"%s\",\"data\":{\"id\":%s,"
		"\"conversation\":%s,\"to\":{\"id\":%s,\"name\":%s},\"text\":%s,"
		"\"attachments\":[%s]}}",
		host->format_time(arena, message->created_ms), host->json_quote(arena, message->id),
		host->json_quote(arena, message->conversation),
		host->json_quote(arena, message->to),
		host->json_quote(arena, message->to_name ? message->to_name : ""),
		host->json_quote(arena, message->text ? message->text : ""), attachments);
}

/* The same bytes will not do better next time. */
static bool status_is_final(long status)
{
	return status == 400 || status == 413 || status == 415 || status == 422;
}

static void end_by_status(struct channel *channel, struct delivery *delivery,
			  const struct host_answer *answer)
{
	char code[24];

	snprintf(code, sizeof(code), "http_%ld", answer->status);
	if (answer->status >= 200 && answer->status < 300)
		host->sent(delivery, NULL);
	else if (answer->status == 410)
		host->failed(delivery, SEND_PERMANENT, code, "the receiver is gone (410)", -1);
	else if (status_is_final(answer->status))
		host->failed(delivery, SEND_PERMANENT, code, "the receiver refused it", -1);
	else if (answer->status >= 300 && answer->status < 400)
		host->failed(delivery, SEND_RETRY, code, "redirects are not followed", -1);
	else
		host->failed(delivery, SEND_RETRY, code, "the receiver did not accept it",
			     answer->retry_after_ms);
	if (answer->status == 410)
		host->park(channel, "deliver_url answered 410: it wants no more");
}

static void on_delivered(const struct host_answer *answer, void *context)
{
	struct webhook_send send = *(struct webhook_send *)context;

	free(context);
	/* A receiver drops a repeated webhook-id, so trying again cannot double it. */
	if (answer->error)
		host->failed(send.delivery, SEND_RETRY,
			     answer->maybe_received ? "timeout" : "network", answer->error, -1);
	else
		end_by_status(send.channel, send.delivery, answer);
}

struct post {
	const char *id;
	const char *body;
	host_http_done *done;
	void *context;
};

static void post(struct channel *channel, struct arena *arena, const struct post *post)
{
	const struct webhook_settings *settings = host->channel_settings(channel);
	const char *timestamp = host->format(arena, "%lld", (long long)(host->unix_ms() / 1000));
	const struct webhook_state *state = host->channel_state(channel);
	const struct standard_webhook_post signed_post = { post->id, timestamp, post->body };
	const char *signature = standard_webhook_sign(host, &state->keys, arena, &signed_post);
	const char *const fields[] = {
		"content-type", "application/json",  "webhook-id", post->id, "webhook-timestamp",
		timestamp,      "webhook-signature", signature,    NULL,
	};
	const struct host_http call = {
		.method = "POST",
		.url = settings->deliver_url,
		.fields = fields,
		.body = post->body,
		.body_len = strlen(post->body),
		.timeout_ms = settings->timeout_ms,
		.allow_private = settings->allow_private_urls,
		.answer_max = ANSWER_MAX_BYTES,
	};

	host->http(channel, &call, post->done, post->context);
}

static void webhook_send(struct channel *channel, const struct outbound *message,
			 struct delivery *delivery)
{
	const struct webhook_settings *settings = host->channel_settings(channel);
	struct webhook_send *send;
	struct arena *arena;

	if (!settings->deliver_url || !settings->deliver_url[0]) {
		host->failed(delivery, SEND_PERMANENT, "no_deliver_url",
			     "the channel has no deliver_url", -1);
		return;
	}
	send = calloc(1, sizeof(*send));
	if (!send)
		abort();
	send->channel = channel;
	send->delivery = delivery;
	arena = host->arena_new();
	post(channel, arena,
	     &(struct post){ message->id, outbound_json(channel, arena, message), on_delivered,
			     send });
	host->arena_free(arena);
}

/* ---- a try ---- */

struct webhook_try {
	void (*done)(bool ok, const char *phrase, void *context);
	void *context;
};

static void on_tried(const struct host_answer *answer, void *context)
{
	struct webhook_try try = *(struct webhook_try *)context;
	char phrase[64];

	free(context);
	snprintf(phrase, sizeof(phrase), "deliver_url answered %ld", answer->status);
	try.done(!answer->error && answer->status >= 200 && answer->status < 300,
		 answer->error ? answer->error : phrase, try.context);
}

/* An event of its own type, which receivers that do not know it let pass. */
static void webhook_test(struct channel *channel,
			 void (*done)(bool ok, const char *phrase, void *context), void *context)
{
	const struct webhook_settings *settings = host->channel_settings(channel);
	struct webhook_try *try;
	struct arena *arena;
	int64_t now_ms = host->unix_ms();
	struct post event = { .done = on_tried };

	if (!settings->deliver_url || !settings->deliver_url[0]) {
		done(true, "there is no deliver_url: the channel only receives", context);
		return;
	}
	try = calloc(1, sizeof(*try));
	if (!try)
		abort();
	*try = (struct webhook_try){ done, context };
	arena = host->arena_new();
	event.context = try;
	event.id = host->format(arena, "test_%lld", (long long)now_ms);
	event.body = host->format(
		arena, "{\"type\":\"channel.test\",\"timestamp\":\"%s\",\"data\":{\"channel\":%s}}",
		host->format_time(arena, now_ms),
		host->json_quote(arena, host->channel_name(channel)));
	post(channel, arena, &event);
	host->arena_free(arena);
}

/* ---- life ---- */

static int webhook_open(const struct host *core, struct channel *channel, const char **ret_error)
{
	const struct webhook_settings *settings = core->channel_settings(channel);
	struct webhook_state *state = core->channel_state(channel);

	host = core;
	if (!settings->secret || standard_webhook_add(core, &state->keys, settings->secret) < 0) {
		*ret_error = "secret must be whsec_ and the base64 of 24 to 64 bytes";
		return -1;
	}
	if (settings->secret_previous && settings->secret_previous[0] &&
	    standard_webhook_add(core, &state->keys, settings->secret_previous) < 0) {
		*ret_error = "secret_previous must be whsec_ and the base64 of 24 to 64 bytes";
		return -1;
	}
	if (settings->deliver_url && !settings->allow_private_urls &&
	    strncmp(settings->deliver_url, "http://", 7) == 0) {
		*ret_error = "deliver_url must be https (or set allow_private_urls)";
		return -1;
	}
	return signed_identity_open(core, channel, &settings->identity, &state->identity,
				    ret_error);
}

static void webhook_close(struct channel *channel)
{
	(void)channel;
}

const struct connector webhook_connector = {
	.name = "webhook",
	.abi = CONNECTOR_ABI,
	.abilities = CAN_RECEIVE | CAN_SEND | HAS_MEDIA | IDEMPOTENT_SEND | PROVIDER_RETRIES |
		     REFUSES_UNREADABLE,
	.body_format = BODY_RAW,
	.identifier_kind = "webhook",
	.retry_ms = webhook_retry_ms,
	.settings_size = sizeof(struct webhook_settings),
	.settings = webhook_settings_rows,
	.state_size = sizeof(struct webhook_state),
	.open = webhook_open,
	.close = webhook_close,
	.verify = webhook_verify,
	.parse = webhook_parse,
	.send = webhook_send,
	.media = webhook_media,
	.test = webhook_test,
};
