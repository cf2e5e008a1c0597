/* line: an official account of LINE (developers.line.biz, Messaging API).
 *
 * In: POST /in/<channel> with x-line-signature, the base64 HMAC-SHA256 of the
 * body under the channel secret; several events a POST. Out: push messages
 * with X-Line-Retry-Key, so that a repeated send is dropped by LINE. The free
 * reply token is not used: it lives for a minute, works once and has no retry
 * key, so a lost answer could not be told from a lost question. LINE takes no
 * uploads: files go out as signed links. Limit: text of 5000 UTF-16 units. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "converge/connector.h"
#include "provider_call.h"

#define LINE_PROVIDER "https://api.line.me"
#define LINE_CONTENT "https://api-data.line.me"

enum {
	SIGNATURE_BYTES = 32,
	EVENTS_MAX = 500,
	TEXT_MAX = 5000,
	RETRY_KEY_BYTES = 37,
	LINK_S = 7 * 24 * 3600,
};

struct line_settings {
	char *channel_secret;
	char *channel_access_token;
	char *api_base;
};

static const char *const url_schemes[] = { "https", "http", NULL };

static const struct setting line_settings_rows[] = {
	SETTING_ROW("channel_secret", SECRET, struct line_settings, channel_secret, NULL,
		    .flags = SETTING_REQUIRED,
		    .text = "LINE Developers console, Basic settings, Channel secret."),
	SETTING_ROW("channel_access_token", SECRET, struct line_settings, channel_access_token,
		    NULL, .flags = SETTING_REQUIRED,
		    .text = "LINE Developers console, Messaging API, long-lived channel access "
			    "token."),
	SETTING_ROW("api_base", URL, struct line_settings, api_base, LINE_PROVIDER,
		    .choices = url_schemes,
		    .text = "Replaces the provider's address: a proxy, a private cloud or a "
			    "simulator."),
	SETTING_END,
};

/* One per process, given by open(): parse() has only a const channel. */
static const struct host *host;

static bool is_private(const struct channel *channel)
{
	const struct line_settings *settings = host->channel_settings(channel);

	return strcmp(settings->api_base, LINE_PROVIDER) != 0;
}

static const char *content_base(const struct channel *channel)
{
	const struct line_settings *settings = host->channel_settings(channel);

	return is_private(channel) ? settings->api_base : LINE_CONTENT;
}

/* ---- proof ---- */

static enum verdict line_verify(struct channel *channel, const struct inbound *in,
				struct arena *arena, struct parsed *ret)
{
	const struct line_settings *settings = host->channel_settings(channel);
	const char *header = host->field(in, "x-line-signature");
	unsigned char given[SIGNATURE_BYTES], expected[SIGNATURE_BYTES];

	(void)arena;
	(void)ret;
	if (!header || strcmp(in->method, "POST") != 0 ||
	    host->unbase64(header, strlen(header), given, sizeof(given)) != SIGNATURE_BYTES)
		return FORGED;
	host->hmac_sha256(settings->channel_secret, strlen(settings->channel_secret), in->body,
			  in->body_len, expected);
	return host->equal(given, sizeof(given), expected, sizeof(expected)) ? VERIFIED : FORGED;
}

/* ---- the way in ---- */

struct reading {
	const struct channel *channel;
	struct arena *arena;
	struct json_object *event;
	struct message *message;
};

static const char *text_of(struct reading *reading, const char *path)
{
	return host->text(reading->arena, provider_text(host, reading->event, path, ""));
}

static const char *number_of(struct reading *reading, const char *path)
{
	struct json_object *number = host->json_at(reading->event, path);

	return number && host->json_kind(number, "") == HOST_JSON_NUMBER
		       ? host->json_print(number, reading->arena)
		       : "0";
}

static void read_file(struct reading *reading, enum message_kind kind, const char *type)
{
	struct attachment *attachment = host->alloc(reading->arena, sizeof(*attachment));
	const char *external = text_of(reading, "message.contentProvider.originalContentUrl");

	attachment->url = external[0] ? external
				      : host->format(reading->arena, "%s/v2/bot/message/%s/content",
						     content_base(reading->channel),
						     text_of(reading, "message.id"));
	attachment->type = type;
	attachment->name = text_of(reading, "message.fileName");
	attachment->size = host->json_int(reading->event, "message.fileSize", -1);
	reading->message->attachments = attachment;
	reading->message->attachment_count = 1;
	reading->message->kind = kind;
}

static void read_location(struct reading *reading)
{
	const struct provider_place place = {
		text_of(reading, "message.title"),
		text_of(reading, "message.address"),
		number_of(reading, "message.latitude"),
		number_of(reading, "message.longitude"),
	};

	provider_location(host, reading->arena, reading->message, &place);
}

static void read_sticker(struct reading *reading)
{
	const char *words = text_of(reading, "message.text");

	reading->message->kind = MESSAGE_TEXT;
	reading->message->text = words[0] ? words
					  : host->format(reading->arena, "[sticker %s/%s]",
							 text_of(reading, "message.packageId"),
							 text_of(reading, "message.stickerId"));
}

static void read_content(struct reading *reading)
{
	const char *type = text_of(reading, "message.type");

	reading->message->provider_id = text_of(reading, "message.id");
	reading->message->kind = MESSAGE_UNKNOWN;
	if (strcmp(type, "text") == 0) {
		reading->message->kind = MESSAGE_TEXT;
		reading->message->text = text_of(reading, "message.text");
	} else if (strcmp(type, "image") == 0) {
		read_file(reading, MESSAGE_IMAGE, "image/jpeg");
	} else if (strcmp(type, "video") == 0) {
		read_file(reading, MESSAGE_VIDEO, "video/mp4");
	} else if (strcmp(type, "audio") == 0) {
		read_file(reading, MESSAGE_VOICE, "audio/x-m4a");
	} else if (strcmp(type, "file") == 0) {
		read_file(reading, MESSAGE_FILE, "application/octet-stream");
	} else if (strcmp(type, "location") == 0) {
		read_location(reading);
	} else if (strcmp(type, "sticker") == 0) {
		read_sticker(reading);
	} else {
		reading->message->text = host->format(reading->arena, "[%s]", type);
	}
}

/* Anything but a message: kept as something that happened. */
static void read_happening(struct reading *reading, const char *type)
{
	struct message *message = reading->message;

	message->kind = MESSAGE_EVENT;
	message->provider_id = text_of(reading, "webhookEventId");
	if (strcmp(type, "postback") == 0) {
		message->text = text_of(reading, "postback.data");
		message->extra = host->format(reading->arena, "{\"postback\":%s}",
					      host->json_quote(reading->arena, message->text));
		return;
	}
	message->text = host->format(reading->arena, "[%s]", type);
	message->window_ms = WINDOW_NONE;
	if (strcmp(type, "unsend") == 0)
		message->extra = host->format(
			reading->arena, "{\"unsends\":%s}",
			host->json_quote(reading->arena, text_of(reading, "unsend.messageId")));
}

/* The conversation of a group is its member's in that group; a member who did
 * not agree to be known is the group itself. */
static bool read_source(struct reading *reading)
{
	const char *user = text_of(reading, "source.userId");
	const char *group = text_of(reading, "source.groupId");

	if (!group[0])
		group = text_of(reading, "source.roomId");
	reading->message->thread = group;
	reading->message->sender_name = "";
	reading->message->sender = (struct identifier){
		.kind = "line",
		.scope = host->text(reading->arena, host->channel_name(reading->channel)),
		.value = user[0] ? user : group,
		.proof = PROOF_CHANNEL,
		.proved_by = "line",
	};
	return reading->message->sender.value[0];
}

/* False: of nobody, or of an account that another module answers. */
static bool read_event(struct reading *reading)
{
	const char *type = text_of(reading, "type");
	const char *id = text_of(reading, "webhookEventId");

	if (strcmp(text_of(reading, "mode"), "standby") == 0 || !read_source(reading))
		return false;
	reading->message->text = "";
	reading->message->sent_ms = host->json_int(reading->event, "timestamp", 0);
	if (strcmp(type, "message") == 0)
		read_content(reading);
	else
		read_happening(reading, type);
	if (id[0])
		reading->message->dedupe = id;
	return reading->message->provider_id[0];
}

static int line_parse(const struct channel *channel, const struct inbound *in, struct arena *arena,
		      struct parsed *ret, const char **ret_error)
{
	struct json_object *body = host->json_read(in->body, in->body_len, arena, ret_error);
	struct json_object *events = body ? host->json_at(body, "events") : NULL;
	size_t count;

	if (!body)
		return -1;
	count = host->json_kind(events, "") == HOST_JSON_ARRAY ? host->json_count(events)
							       : EVENTS_MAX + 1;
	if (count > EVENTS_MAX) {
		host->json_free(body);
		*ret_error = "events must be a list of at most 500";
		return -1;
	}
	ret->messages = host->alloc(arena, (count + 1) * sizeof(*ret->messages));
	for (size_t i = 0; i < count; i++) {
		struct reading reading = { .channel = channel,
					   .arena = arena,
					   .event = host->json_item(events, i),
					   .message = &ret->messages[ret->message_count] };

		memset(reading.message, 0, sizeof(*reading.message));
		if (read_event(&reading))
			ret->message_count++;
	}
	host->json_free(body);
	return 0;
}

static void line_media(const struct channel *channel, const struct attachment *attachment,
		       struct arena *arena, struct media_request *ret)
{
	const struct line_settings *settings = host->channel_settings(channel);
	const char *base = content_base(channel);
	const char **fields;

	ret->url = attachment->url;
	ret->allow_private = is_private(channel);
	/* What a person links to elsewhere must not see the token. */
	if (strncmp(attachment->url, base, strlen(base)) != 0 ||
	    attachment->url[strlen(base)] != '/')
		return;
	fields = host->alloc(arena, 3 * sizeof(*fields));
	fields[0] = "authorization";
	fields[1] = host->format(arena, "Bearer %s", settings->channel_access_token);
	ret->fields = fields;
}

/* ---- the way out ---- */

/* The same UUID on every attempt, another one for every message. */
static void retry_key(const char *id, char out[RETRY_KEY_BYTES])
{
	unsigned char hash[32];

	host->sha256(id, strlen(id), hash);
	hash[6] = (unsigned char)((hash[6] & 0x0f) | 0x40);
	hash[8] = (unsigned char)((hash[8] & 0x3f) | 0x80);
	snprintf(out, RETRY_KEY_BYTES,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", hash[0],
		 hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7], hash[8], hash[9],
		 hash[10], hash[11], hash[12], hash[13], hash[14], hash[15]);
}

static const char *location_json(struct arena *arena, struct json_object *place)
{
	const char *name = provider_text(host, place, "name", "");
	const char *address = provider_text(host, place, "address", "");
	struct json_object *latitude = host->json_at(place, "latitude");
	struct json_object *longitude = host->json_at(place, "longitude");

	return host->format(arena,
			    "{\"type\":\"location\",\"title\":%s,\"address\":%s,\"latitude\":%s,"
			    "\"longitude\":%s}",
			    host->json_quote(arena, name[0] ? name : "-"),
			    host->json_quote(arena, address[0] ? address : "-"),
			    latitude ? host->json_print(latitude, arena) : "0",
			    longitude ? host->json_print(longitude, arena) : "0");
}

static const char *words_json(struct arena *arena, const struct outbound *message)
{
	struct json_object *extra =
		message->extra
			? host->json_read(message->extra, strlen(message->extra), arena, NULL)
			: NULL;
	const char *json;

	if (extra && host->json_kind(extra, "location") == HOST_JSON_OBJECT)
		json = location_json(arena, host->json_at(extra, "location"));
	else
		json = host->format(arena, "{\"type\":\"text\",\"text\":%s}",
				    host->json_quote(arena, message->text));
	if (extra)
		host->json_free(extra);
	return json;
}

/* LINE shows JPEG and PNG; of anything else the customer gets the link. NULL:
 * there is no link, because public_url is not set to an https address. */
static const char *file_json(struct channel *channel, struct arena *arena,
			     const struct outbound *message)
{
	const struct attachment *file = &message->attachments[0];
	const char *url =
		host->attachment_url(channel, file, message->created_ms / 1000 + LINK_S, arena);
	bool is_image =
		strcmp(file->type, "image/jpeg") == 0 || strcmp(file->type, "image/png") == 0;

	if (!url || (strncmp(url, "https://", 8) != 0 && !is_private(channel)))
		return NULL;
	url = host->json_quote(arena, url);
	if (is_image)
		return host->format(arena,
				    "{\"type\":\"image\",\"originalContentUrl\":%s,"
				    "\"previewImageUrl\":%s}",
				    url, url);
	return host->format(arena, "{\"type\":\"text\",\"text\":%s}",
			    host->json_quote(arena, host->format(arena, "%s %.*s", file->name,
								 (int)strlen(url) - 2, url + 1)));
}

static enum send_failure failure_of(long status, const char *why)
{
	if (status == 401)
		return SEND_REAUTH;
	if (status >= 500)
		return SEND_RETRY;
	/* The month's quota is not a rate: it will not do in a minute. */
	if (status == 429 && !strstr(why, "monthly limit"))
		return SEND_RETRY;
	return SEND_PERMANENT;
}

static void on_pushed(const struct host_answer *answer, struct json_object *body,
		      struct arena *arena, void *context)
{
	struct delivery *delivery = context;
	const char *why = provider_text(host, body, "message", "refused");
	struct json_object *sent = body ? host->json_at(body, "sentMessages") : NULL;
	const char *id = host->json_kind(sent, "") == HOST_JSON_ARRAY && host->json_count(sent) > 0
				 ? provider_text(host, host->json_item(sent, 0), "id", NULL)
				 : NULL;

	if (answer->error)
		provider_unreached(host, delivery, answer, true);
	else if ((answer->status == 200 && body) || answer->status == 409) /* 409: taken before */
		host->sent(delivery, id);
	else if (answer->status == 200) /* not LINE's answer: asking again does no harm */
		host->failed(delivery, SEND_RETRY, "unreadable", "no readable answer", -1);
	else
		host->failed(delivery, failure_of(answer->status, why),
			     host->format(arena, "http_%ld", answer->status), why,
			     answer->retry_after_ms);
}

static void line_send(struct channel *channel, const struct outbound *message,
		      struct delivery *delivery)
{
	const struct line_settings *settings = host->channel_settings(channel);
	struct arena *arena = host->arena_new();
	bool is_group = message->thread && message->thread[0];
	const char *content = message->attachment_count ? file_json(channel, arena, message)
							: words_json(arena, message);
	struct host_http call = { .method = "POST", .allow_private = is_private(channel) };
	char key[RETRY_KEY_BYTES];
	const char *const fields[] = {
		"content-type",
		"application/json",
		"authorization",
		host->format(arena, "Bearer %s", settings->channel_access_token),
		"x-line-retry-key",
		key,
		NULL,
	};

	retry_key(message->id, key);
	if (content) {
		call.url = host->format(arena, "%s/v2/bot/message/push", settings->api_base);
		call.fields = fields;
		call.body = host->format(
			arena, "{\"to\":%s,\"messages\":[%s]}",
			host->json_quote(arena, is_group ? message->thread : message->to), content);
		call.body_len = strlen(call.body);
		provider_call(host, channel, &call, on_pushed, delivery);
	} else {
		host->failed(delivery, SEND_PERMANENT, "no_public_url",
			     "LINE fetches files by https: set public_url of the channel", -1);
	}
	host->arena_free(arena);
}

/* ---- a try ---- */

static void on_tried(const struct host_answer *answer, struct json_object *body,
		     struct arena *arena, void *context)
{
	struct provider_trial *trial = context;
	const char *phrase =
		answer->error ? answer->error : provider_text(host, body, "message", "refused");
	bool is_ok = !answer->error && answer->status == 200;

	if (is_ok)
		phrase = host->format(arena, "the account is %s",
				      provider_text(host, body, "displayName", "?"));
	provider_tried(trial, is_ok, phrase);
}

static void line_test(struct channel *channel,
		      void (*done)(bool ok, const char *phrase, void *context), void *context)
{
	const struct line_settings *settings = host->channel_settings(channel);
	struct arena *arena = host->arena_new();
	struct provider_trial *trial = provider_trial_new(done, context);
	const char *const fields[] = {
		"authorization", host->format(arena, "Bearer %s", settings->channel_access_token),
		NULL
	};
	const struct host_http call = { .method = "GET",
					.url = host->format(arena, "%s/v2/bot/info",
							    settings->api_base),
					.fields = fields,
					.allow_private = is_private(channel) };

	provider_call(host, channel, &call, on_tried, trial);
	host->arena_free(arena);
}

static void line_find_name(struct channel *channel, const char *who,
			   void (*done)(const char *name, void *context), void *context)
{
	static const char *const paths[] = { "displayName", NULL };
	const struct line_settings *settings = host->channel_settings(channel);
	struct arena *arena = host->arena_new();
	const char *const fields[] = {
		"authorization", host->format(arena, "Bearer %s", settings->channel_access_token),
		NULL
	};
	const struct host_http call = { .method = "GET",
					.url = host->format(arena, "%s/v2/bot/profile/%s",
							    settings->api_base,
							    host->url_escape(arena, who)),
					.fields = fields,
					.allow_private = is_private(channel) };

	provider_find_name(host, channel, &call, paths, &(struct provider_named){ done, context });
	host->arena_free(arena);
}

/* ---- life ---- */

static int line_open(const struct host *core, struct channel *channel, const char **ret_error)
{
	const struct line_settings *settings = core->channel_settings(channel);

	host = core;
	if (!settings->channel_secret || !settings->channel_secret[0]) {
		*ret_error = "channel_secret must not be empty";
		return -1;
	}
	if (!settings->channel_access_token || !settings->channel_access_token[0]) {
		*ret_error = "channel_access_token must not be empty";
		return -1;
	}
	return 0;
}

static void line_close(struct channel *channel)
{
	(void)channel;
}

const struct connector line_connector = {
	.name = "line",
	.abi = CONNECTOR_ABI,
	.abilities = CAN_RECEIVE | CAN_SEND | HAS_MEDIA | IDEMPOTENT_SEND | PROVIDER_RETRIES |
		     SENDS_ONE_THING,
	.body_format = BODY_RAW,
	.max_text = TEXT_MAX,
	.text_unit = TEXT_UTF16,
	.identifier_kind = "line",
	.settings_size = sizeof(struct line_settings),
	.settings = line_settings_rows,
	.open = line_open,
	.close = line_close,
	.verify = line_verify,
	.parse = line_parse,
	.send = line_send,
	.media = line_media,
	.test = line_test,
	.find_name = line_find_name,
};
