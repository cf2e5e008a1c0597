/* x: direct messages of an account on X (developer.x.com, Account Activity API
 * in, DM v2 out). A paid product: the account needs a plan that has both.
 *
 * In: GET with crc_token is answered by its HMAC; POST with
 * x-twitter-webhooks-signature over the body. Out: POST
 * /2/dm_conversations/with/<id>/messages, signed by OAuth 1.0a or with a user's
 * OAuth 2.0 token. No key against doubles. Limit: text of 10,000 characters. */
#include <stdlib.h>
#include <string.h>

#include "x_private.h"

enum { SIGNATURE_BYTES = 32, CRC_MAX = 1024, TEXT_MAX = 10000 };

static const char *const url_schemes[] = { "https", "http", NULL };

static const struct setting x_settings_rows[] = {
	SETTING_ROW("app_key", TEXT, struct x_settings, app_key, NULL,
		    .text = "Developer portal, Keys and tokens, API Key; needed with "
			    "access_token_secret."),
	SETTING_ROW("app_secret", SECRET, struct x_settings, app_secret, NULL,
		    .flags = SETTING_REQUIRED,
		    .text = "Developer portal, Keys and tokens, API Key Secret: signs what comes "
			    "in."),
	SETTING_ROW("access_token", SECRET, struct x_settings, access_token, NULL,
		    .flags = SETTING_REQUIRED, .text = "Access token of the account that answers."),
	SETTING_ROW("access_token_secret", SECRET, struct x_settings, access_token_secret, NULL,
		    .text = "Its secret (OAuth 1.0a, does not expire); none: access_token is an "
			    "OAuth 2.0 user token."),
	SETTING_ROW("api_base", URL, struct x_settings, api_base, X_PROVIDER,
		    .choices = url_schemes,
		    .text = "Replaces the provider's address: a proxy, a private cloud or a "
			    "simulator."),
	SETTING_END,
};

/* One per process, given by open(): parse() has only a const channel. */
static const struct host *host;

const struct host *x_host(void)
{
	return host;
}

bool x_is_private(const struct channel *channel)
{
	const struct x_settings *settings = host->channel_settings(channel);

	return strcmp(settings->api_base, X_PROVIDER) != 0;
}

/* ---- proof ---- */

static void mac_of(const struct channel *channel, const void *bytes, size_t len,
		   unsigned char out[SIGNATURE_BYTES])
{
	const struct x_settings *settings = host->channel_settings(channel);

	host->hmac_sha256(settings->app_secret, strlen(settings->app_secret), bytes, len, out);
}

static enum verdict answer_crc(const struct channel *channel, const struct inbound *in,
			       struct arena *arena, struct parsed *ret)
{
	const char *token = host->query(in, "crc_token");
	unsigned char mac[SIGNATURE_BYTES];

	if (!token || !token[0] || strlen(token) > CRC_MAX)
		return FORGED;
	mac_of(channel, token, strlen(token), mac);
	ret->answer_status = 200;
	ret->answer_type = "application/json";
	ret->answer_body = host->format(arena, "{\"response_token\":\"sha256=%s\"}",
					host->base64(arena, mac, sizeof(mac)));
	return HANDSHAKE;
}

static enum verdict x_verify(struct channel *channel, const struct inbound *in, struct arena *arena,
			     struct parsed *ret)
{
	static const char prefix[] = "sha256=";
	const char *header = host->field(in, "x-twitter-webhooks-signature");
	unsigned char given[SIGNATURE_BYTES], expected[SIGNATURE_BYTES];
	long len;

	if (strcmp(in->method, "GET") == 0)
		return answer_crc(channel, in, arena, ret);
	if (strcmp(in->method, "POST") != 0 || !header ||
	    strncmp(header, prefix, sizeof(prefix) - 1) != 0)
		return FORGED;
	header += sizeof(prefix) - 1;
	len = host->unbase64(header, strlen(header), given, sizeof(given));
	if (len != SIGNATURE_BYTES)
		return FORGED;
	mac_of(channel, in->body, in->body_len, expected);
	return host->equal(given, sizeof(given), expected, sizeof(expected)) ? VERIFIED : FORGED;
}

/* ---- the way in ---- */

struct reading {
	const struct channel *channel;
	struct arena *arena;
	struct json_object *body;
	const char *self; /* the account's own id */
	struct parsed *ret;
};

static const char *text_of(struct reading *reading, struct json_object *value, const char *path)
{
	return host->text(reading->arena, provider_text(host, value, path, ""));
}

/* X writes its times as texts of milliseconds. */
static int64_t time_of(struct json_object *value, const char *path)
{
	const char *text = provider_text(host, value, path, "");

	return strlen(text) < 15 ? strtoll(text, NULL, 10) : 0;
}

static struct message *message_new(struct reading *reading, const char *user)
{
	struct message *message = &reading->ret->messages[reading->ret->message_count];
	struct json_object *person =
		host->json_at(reading->body, host->format(reading->arena, "users.%s", user));

	memset(message, 0, sizeof(*message));
	message->text = message->thread = "";
	message->sender_name = text_of(reading, person, "name");
	message->sender = (struct identifier){
		.kind = "x", .scope = "", .value = user, .proof = PROOF_CHANNEL, .proved_by = "x"
	};
	return message;
}

static void read_attachment(struct reading *reading, struct json_object *data,
			    struct message *message)
{
	static const char path[] = "attachment.media";
	struct json_object *media = host->json_at(data, path);
	const char *url = text_of(reading, media, "media_url_https");
	const char *type = text_of(reading, media, "type");

	if (!url[0])
		return;
	message->kind = strcmp(type, "photo") == 0 ? MESSAGE_IMAGE : MESSAGE_VIDEO;
	message->attachments = host->alloc(reading->arena, sizeof(*message->attachments));
	message->attachment_count = 1;
	message->attachments[0] = (struct attachment){
		.name = "",
		.type = message->kind == MESSAGE_IMAGE ? "image/jpeg" : "video/mp4",
		.url = url,
		.size = -1,
	};
}

static void read_direct(struct reading *reading, struct json_object *event)
{
	struct json_object *made = host->json_at(event, "message_create");
	struct json_object *data = made ? host->json_at(made, "message_data") : NULL;
	const char *user = text_of(reading, made, "sender_id");
	const char *id = text_of(reading, event, "id");
	const char *chosen = text_of(reading, data, "quick_reply_response.metadata");
	struct message *message;

	/* What we sent ourselves comes back too. */
	if (!user[0] || !id[0] || strcmp(user, reading->self) == 0)
		return;
	message = message_new(reading, user);
	message->provider_id = id;
	message->sent_ms = time_of(event, "created_timestamp");
	message->kind = MESSAGE_TEXT;
	message->text = text_of(reading, data, "text");
	if (chosen[0])
		message->extra = host->format(reading->arena, "{\"postback\":%s}",
					      host->json_quote(reading->arena, chosen));
	read_attachment(reading, data, message);
	reading->ret->message_count++;
}

static void read_follow(struct reading *reading, struct json_object *event)
{
	const char *user = text_of(reading, event, "source.id");
	const char *type = text_of(reading, event, "type");
	const char *at = text_of(reading, event, "created_timestamp");
	struct message *message;

	if (!user[0] || strcmp(user, reading->self) == 0)
		return;
	message = message_new(reading, user);
	message->kind = MESSAGE_EVENT;
	message->window_ms = WINDOW_NONE;
	message->sender_name = text_of(reading, event, "source.name");
	message->sent_ms = time_of(event, "created_timestamp");
	message->text = host->format(reading->arena, "[%s]", type);
	message->provider_id = host->format(reading->arena, "%s:%s:%s", type, user, at);
	reading->ret->message_count++;
}

/* All that we sent to this person until then was read. */
static void read_mark(struct reading *reading, struct json_object *event)
{
	const char *user = text_of(reading, event, "sender_id");

	if (!user[0] || strcmp(user, reading->self) == 0)
		return;
	reading->ret->receipts[reading->ret->receipt_count++] = (struct receipt){
		.state = RECEIPT_READ, .to = user, .until_ms = time_of(event, "created_timestamp")
	};
}

static size_t list_count(struct reading *reading, const char *name)
{
	return provider_count(host, host->json_at(reading->body, name));
}

static void read_list(struct reading *reading, const char *name,
		      void (*read)(struct reading *reading, struct json_object *event))
{
	size_t count = list_count(reading, name);

	for (size_t i = 0; i < count; i++)
		read(reading, host->json_item(host->json_at(reading->body, name), i));
}

static int x_parse(const struct channel *channel, const struct inbound *in, struct arena *arena,
		   struct parsed *ret, const char **ret_error)
{
	struct reading reading = { .channel = channel, .arena = arena, .ret = ret };
	size_t messages, receipts;

	reading.body = host->json_read(in->body, in->body_len, arena, ret_error);
	if (!reading.body)
		return -1;
	reading.self = text_of(&reading, reading.body, "for_user_id");
	if (!reading.self[0]) {
		host->json_free(reading.body);
		*ret_error = "for_user_id is missing";
		return -1;
	}
	messages = list_count(&reading, "direct_message_events") +
		   list_count(&reading, "follow_events");
	receipts = list_count(&reading, "direct_message_mark_read_events");
	ret->messages = host->alloc(arena, (messages + 1) * sizeof(*ret->messages));
	ret->receipts = host->alloc(arena, (receipts + 1) * sizeof(*ret->receipts));
	read_list(&reading, "direct_message_events", read_direct);
	read_list(&reading, "follow_events", read_follow);
	read_list(&reading, "direct_message_mark_read_events", read_mark);
	if (messages + receipts == 0)
		host->log(channel, 2, "event=told_nothing_we_know");
	host->json_free(reading.body);
	return 0;
}

/* Files of direct messages are shown only to who may read them. */
static void x_media(const struct channel *channel, const struct attachment *attachment,
		    struct arena *arena, struct media_request *ret)
{
	const struct x_settings *settings = host->channel_settings(channel);
	const char *base = x_is_private(channel) ? settings->api_base : "https://ton.twitter.com";
	const char **fields;

	ret->url = attachment->url;
	ret->allow_private = x_is_private(channel);
	if (strncmp(attachment->url, base, strlen(base)) != 0 ||
	    attachment->url[strlen(base)] != '/')
		return;
	fields = host->alloc(arena, 3 * sizeof(*fields));
	fields[0] = "authorization";
	fields[1] = x_authorization(channel, arena, "GET", attachment->url);
	ret->fields = fields;
}

/* ---- life ---- */

static int x_open(const struct host *core, struct channel *channel, const char **ret_error)
{
	const struct x_settings *settings = core->channel_settings(channel);

	host = core;
	if (!settings->app_secret || !settings->app_secret[0])
		*ret_error = "app_secret must not be empty";
	else if (!settings->access_token || !settings->access_token[0])
		*ret_error = "access_token must not be empty";
	else if (settings->access_token_secret && settings->access_token_secret[0] &&
		 (!settings->app_key || !settings->app_key[0]))
		*ret_error = "access_token_secret needs app_key beside it";
	else
		return 0;
	return -1;
}

static void x_close(struct channel *channel)
{
	(void)channel;
}

const struct connector x_connector = {
	.name = "x",
	.abi = CONNECTOR_ABI,
	.abilities = CAN_RECEIVE | CAN_SEND | HAS_MEDIA | HAS_RECEIPTS | PROVIDER_RETRIES |
		     SENDS_ONE_THING,
	.body_format = BODY_RAW,
	.max_text = TEXT_MAX,
	.text_unit = TEXT_CHARACTERS,
	.identifier_kind = "x",
	.settings_size = sizeof(struct x_settings),
	.settings = x_settings_rows,
	.open = x_open,
	.close = x_close,
	.verify = x_verify,
	.parse = x_parse,
	.send = x_send,
	.media = x_media,
	.test = x_test,
};
