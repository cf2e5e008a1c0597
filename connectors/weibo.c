/* weibo: direct messages 私信 to an account of the fans' service (open.weibo.com).
 *
 * In: GET /in/<channel> with echostr proves the address; POST, one JSON message
 * each, with signature, timestamp and nonce in the query. The signature covers
 * neither body nor sender: https only. Messages have no id: sender, time and
 * content are one. Out: the reply call, 48 hours after the person wrote, text
 * or a place of fewer than 300 characters; it takes no files. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "converge/connector.h"
#include "envelope_aes.h"
#include "provider_call.h"

#define WEIBO_PROVIDER "https://m.api.weibo.com"
#define WEIBO_FILES "https://upload.api.weibo.com"
#define WEIBO_ACCOUNT "https://api.weibo.com"

enum {
	SKEW_S = 300,
	TEXT_MAX = 299, /* fewer than 300 */
	LINK_S = 7 * 24 * 3600,
	WINDOW_MS = 48 * 3600 * 1000,
	DIGEST_BYTES = 16,
	SECOND_DIGITS = 11,
};

struct weibo_settings {
	char *app_secret;
	char *access_token;
	char *api_base;
};

static const char *const url_schemes[] = { "https", "http", NULL };

static const struct setting weibo_settings_rows[] = {
	SETTING_ROW("app_secret", SECRET, struct weibo_settings, app_secret, NULL,
		    .flags = SETTING_REQUIRED,
		    .text = "open.weibo.com, your app, App Secret: it signs what comes in."),
	SETTING_ROW("access_token", SECRET, struct weibo_settings, access_token, NULL,
		    .flags = SETTING_REQUIRED,
		    .text = "Fans' service platform 粉丝服务平台, developer mode, access token."),
	SETTING_ROW("api_base", URL, struct weibo_settings, api_base, WEIBO_PROVIDER,
		    .choices = url_schemes,
		    .text = "Replaces the provider's address: a proxy, a private cloud or a "
			    "simulator."),
	SETTING_END,
};

/* One per process, given by open(): parse() has only a const channel. */
static const struct host *host;

static bool is_private(const struct channel *channel)
{
	const struct weibo_settings *settings = host->channel_settings(channel);

	return strcmp(settings->api_base, WEIBO_PROVIDER) != 0 &&
	       strcmp(settings->api_base, "https://c.api.weibo.com") != 0;
}

/* Files and accounts live at hosts of their own; a simulator has all in one. */
static const char *base_of(const struct channel *channel, const char *own)
{
	const struct weibo_settings *settings = host->channel_settings(channel);

	return is_private(channel) ? settings->api_base : own;
}

/* ---- proof ---- */

static enum verdict weibo_verify(struct channel *channel, const struct inbound *in,
				 struct arena *arena, struct parsed *ret)
{
	const struct weibo_settings *settings = host->channel_settings(channel);
	const char *timestamp = host->query(in, "timestamp");
	const char *echo = host->query(in, "echostr");
	/* Milliseconds; the platform's older documents show seconds. */
	int64_t per_second = timestamp && strlen(timestamp) > SECOND_DIGITS ? 1000 : 1;
	const char *const words[] = { settings->app_secret, timestamp, host->query(in, "nonce"),
				      NULL };

	if (!provider_is_fresh(in, timestamp, per_second, SKEW_S) ||
	    !envelope_is_signed(host, arena, host->query(in, "signature"), words, 3))
		return FORGED;
	if (strcmp(in->method, "POST") == 0)
		return VERIFIED;
	if (strcmp(in->method, "GET") != 0 || !echo)
		return FORGED;
	ret->answer_status = 200;
	ret->answer_type = "text/plain";
	ret->answer_body = host->text(arena, echo);
	return HANDSHAKE;
}

/* ---- the way in ---- */

struct reading {
	const struct channel *channel;
	struct arena *arena;
	struct json_object *body;
	struct message *message;
};

static const char *text_of(struct reading *reading, const char *path)
{
	return host->text(reading->arena, provider_text(host, reading->body, path, ""));
}

/* Ids are whole numbers above 2^53, or texts: never through a double. */
static const char *id_of(struct reading *reading, const char *path)
{
	struct json_object *id = host->json_at(reading->body, path);

	if (id && host->json_kind(id, "") == HOST_JSON_NUMBER)
		return host->json_print(id, reading->arena);
	return text_of(reading, path);
}

/* "Fri Jan 02 10:55:45 +0800 2026"; 0: it is no such time. */
static int64_t time_of(const char *text)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm parts = { 0 };
	const char *at = strlen(text) == 30 ? text : NULL;
	const char *month;
	char name[4] = { 0 };
	int64_t zone_s;

	if (!at)
		return 0;
	memcpy(name, at + 4, 3);
	month = strstr(months, name);
	if (!month || (month - months) % 3 != 0 || (at[20] != '+' && at[20] != '-'))
		return 0;
	parts.tm_mon = (int)(month - months) / 3;
	parts.tm_mday = (int)strtol(at + 8, NULL, 10);
	parts.tm_hour = (int)strtol(at + 11, NULL, 10);
	parts.tm_min = (int)strtol(at + 14, NULL, 10);
	parts.tm_sec = (int)strtol(at + 17, NULL, 10);
	parts.tm_year = (int)strtol(at + 26, NULL, 10) - 1900;
	zone_s = strtol(at + 21, NULL, 10);
	zone_s = zone_s / 100 * 3600 + zone_s % 100 * 60;
	if (at[20] == '-')
		zone_s = -zone_s;
	return ((int64_t)timegm(&parts) - zone_s) * 1000;
}

/* The message has no id: the same person, second and content are the same message. */
static const char *digest_of(struct reading *reading)
{
	struct json_object *data = host->json_at(reading->body, "data");
	const char *all = host->format(reading->arena, "%s|%s|%s|%s", text_of(reading, "type"),
				       text_of(reading, "created_at"), text_of(reading, "text"),
				       data ? host->json_print(data, reading->arena) : "");
	unsigned char hash[32];

	host->sha256(all, strlen(all), hash);
	return host->format(reading->arena, "%s-%s", reading->message->sender.value,
			    host->hex(reading->arena, hash, DIGEST_BYTES));
}

/* tovfid is the receiver's copy: the sender's cannot be fetched with our token. */
static void read_file(struct reading *reading, enum message_kind kind, const char *type)
{
	struct attachment *attachment = host->alloc(reading->arena, sizeof(*attachment));
	const char *id = id_of(reading, "data.tovfid");

	reading->message->kind = kind;
	reading->message->text = "";
	if (!id[0])
		return;
	memset(attachment, 0, sizeof(*attachment));
	attachment->name = "";
	attachment->type = type;
	attachment->size = -1;
	attachment->url =
		host->format(reading->arena, "media:%s", host->url_escape(reading->arena, id));
	reading->message->attachments = attachment;
	reading->message->attachment_count = 1;
}

static void read_position(struct reading *reading)
{
	const struct provider_place place = {
		text_of(reading, "text"),
		"",
		provider_degrees(id_of(reading, "data.latitude")),
		provider_degrees(id_of(reading, "data.longitude")),
	};

	provider_location(host, reading->arena, reading->message, &place);
}

/* Following, menus and codes open the window as a message does; leaving does not. */
static void read_happening(struct reading *reading)
{
	struct message *message = reading->message;
	const char *subtype = text_of(reading, "data.subtype");
	const char *key = text_of(reading, "data.key");

	message->kind = MESSAGE_EVENT;
	message->text = host->format(reading->arena, "[%s]", subtype);
	if (strcmp(subtype, "click") == 0 && key[0])
		message->text = key;
	if (key[0])
		message->extra = host->format(reading->arena, "{\"postback\":%s}",
					      host->json_quote(reading->arena, key));
	if (strcmp(subtype, "follow") != 0 && strcmp(subtype, "subscribe") != 0 &&
	    strcmp(subtype, "click") != 0 && strcmp(subtype, "scan") != 0 &&
	    strcmp(subtype, "scan_follow") != 0)
		message->window_ms = WINDOW_NONE;
}

static void read_content(struct reading *reading, const char *type)
{
	struct message *message = reading->message;

	message->kind = MESSAGE_TEXT;
	message->text = text_of(reading, "text");
	if (strcmp(type, "text") == 0)
		return;
	if (strcmp(type, "mention") == 0) {
		message->window_ms = WINDOW_MS;
		message->window_count = 1;
	} else if (strcmp(type, "image") == 0) {
		read_file(reading, MESSAGE_IMAGE, "image/jpeg");
	} else if (strcmp(type, "voice") == 0) {
		read_file(reading, MESSAGE_VOICE, "audio/amr");
	} else if (strcmp(type, "position") == 0) {
		read_position(reading);
	} else if (strcmp(type, "event") == 0) {
		read_happening(reading);
	} else {
		message->kind = MESSAGE_UNKNOWN;
		if (!message->text[0])
			message->text = host->format(reading->arena, "[%s]", type);
	}
}

static int weibo_parse(const struct channel *channel, const struct inbound *in, struct arena *arena,
		       struct parsed *ret, const char **ret_error)
{
	struct message *message = host->alloc(arena, sizeof(*message));
	struct reading reading = { .channel = channel, .arena = arena, .message = message };
	const char *person;

	/* Nothing in the answer: words in it would be shown to the customer. */
	ret->answer_status = 200;
	ret->answer_type = "text/plain";
	ret->answer_body = "";
	reading.body = host->json_read(in->body, in->body_len, arena, ret_error);
	if (!reading.body)
		return -1;
	memset(message, 0, sizeof(*message));
	person = id_of(&reading, "sender_id");
	message->sender_name = "";
	message->thread = "";
	message->sender = (struct identifier){
		.kind = "weibo",
		.scope = host->text(arena, host->channel_name(channel)),
		.value = person,
		.proof = PROOF_CHANNEL,
		.proved_by = "weibo",
	};
	message->sent_ms = time_of(text_of(&reading, "created_at"));
	message->provider_id = digest_of(&reading);
	read_content(&reading, text_of(&reading, "type"));
	host->json_free(reading.body);
	ret->messages = message;
	ret->message_count = 1;
	if (!person[0])
		*ret_error = "sender_id is missing";
	return person[0] ? 0 : -1;
}

static void weibo_media(const struct channel *channel, const struct attachment *attachment,
			struct arena *arena, struct media_request *ret)
{
	const struct weibo_settings *settings = host->channel_settings(channel);

	ret->url = attachment->url;
	ret->allow_private = is_private(channel);
	if (strncmp(attachment->url, "media:", 6) == 0)
		ret->url = host->format(arena, "%s/2/mss/msget?access_token=%s&fid=%s",
					base_of(channel, WEIBO_FILES),
					host->url_escape(arena, settings->access_token),
					attachment->url + 6);
}

/* ---- the way out ---- */

static enum send_failure failure_of(const struct host_answer *answer, int64_t code)
{
	if (answer->status == 401 || (code >= 21314 && code <= 21317) || code == 21327 ||
	    code == 21332)
		return SEND_REAUTH;
	if (code == 26401)
		return SEND_WINDOW;
	if (answer->status == 429 || answer->status >= 500 || code == 10001 || code == 10002 ||
	    code == 10009 || (code >= 10022 && code <= 10024))
		return SEND_RETRY;
	return SEND_PERMANENT;
}

static void on_replied(const struct host_answer *answer, struct json_object *body,
		       struct arena *arena, void *context)
{
	struct delivery *delivery = context;
	int64_t code = body ? host->json_int(body, "error_code", 0) : 0;
	enum send_failure failure;

	if (answer->error) {
		provider_unreached(host, delivery, answer, false);
	} else if (answer->status == 200 && code == 0 && host->json_bool(body, "result", false)) {
		host->sent(delivery, NULL);
	} else {
		/* A page that is not Weibo's may stand before an answer that was. */
		failure = !body && answer->status == 200 ? SEND_UNKNOWN : failure_of(answer, code);
		host->failed(delivery, failure,
			     failure == SEND_WINDOW ? "window_closed"
			     : code                 ? host->format(arena, "%lld", (long long)code)
				    : host->format(arena, "http_%ld", answer->status),
			     provider_text(host, body, "error", "refused"), answer->retry_after_ms);
	}
}

/* type and data of what is to be said; a file is said by its link, NULL where there is none. */
static const char *data_of(struct channel *channel, struct arena *arena,
			   const struct outbound *message)
{
	const struct attachment *file = message->attachments;
	const char *text = message->text;

	if (message->attachment_count) {
		text = host->attachment_url(channel, file, message->created_ms / 1000 + LINK_S,
					    arena);
		if (!text || strncmp(text, "http", 4) != 0)
			return NULL;
		text = host->format(arena, "%s %s", file->name, text);
	}
	return host->format(arena, "{\"text\":%s}", host->json_quote(arena, text));
}

static void weibo_send(struct channel *channel, const struct outbound *message,
		       struct delivery *delivery)
{
	static const char *const fields[] = { "content-type", "application/x-www-form-urlencoded",
					      NULL };
	const struct weibo_settings *settings = host->channel_settings(channel);
	struct arena *arena = host->arena_new();
	const char *data = data_of(channel, arena, message);
	struct host_http call = { .method = "POST",
				  .fields = fields,
				  .allow_private = is_private(channel) };

	if (data) {
		call.url = host->format(arena, "%s/2/messages/reply.json", settings->api_base);
		call.body = host->format(
			arena, "access_token=%s&type=text&data=%s&receiver_id=%s&save_sender_box=1",
			host->url_escape(arena, settings->access_token),
			host->url_escape(arena, data), host->url_escape(arena, message->to));
		call.body_len = strlen(call.body);
		provider_call(host, channel, &call, on_replied, delivery);
	} else {
		host->failed(delivery, SEND_PERMANENT, "no_public_url",
			     "Weibo takes no files, only links: set public_url of the channel", -1);
	}
	host->arena_free(arena);
}

/* ---- a try ---- */

static void on_tried(const struct host_answer *answer, struct json_object *body,
		     struct arena *arena, void *context)
{
	struct provider_trial *trial = context;
	struct json_object *uid = body ? host->json_at(body, "uid") : NULL;
	const char *phrase =
		answer->error ? answer->error : provider_text(host, body, "error", "refused");
	bool is_ok = !answer->error && answer->status == 200 && uid;

	if (is_ok)
		phrase = host->format(arena, "the account is %s", host->json_print(uid, arena));
	provider_tried(trial, is_ok, phrase);
}

static void weibo_test(struct channel *channel,
		       void (*done)(bool ok, const char *phrase, void *context), void *context)
{
	const struct weibo_settings *settings = host->channel_settings(channel);
	struct arena *arena = host->arena_new();
	struct provider_trial *trial = provider_trial_new(done, context);
	const struct host_http call = {
		.method = "GET",
		.url = host->format(arena, "%s/2/account/get_uid.json?access_token=%s",
				    base_of(channel, WEIBO_ACCOUNT),
				    host->url_escape(arena, settings->access_token)),
		.allow_private = is_private(channel),
	};

	provider_call(host, channel, &call, on_tried, trial);
	host->arena_free(arena);
}

/* ---- life ---- */

static int weibo_open(const struct host *core, struct channel *channel, const char **ret_error)
{
	const struct weibo_settings *settings = core->channel_settings(channel);

	host = core;
	if (settings->app_secret && settings->app_secret[0] && settings->access_token &&
	    settings->access_token[0])
		return 0;
	*ret_error = "app_secret and access_token must not be empty";
	return -1;
}

static void weibo_close(struct channel *channel)
{
	(void)channel;
}

const struct connector weibo_connector = {
	.name = "weibo",
	.abi = CONNECTOR_ABI,
	.abilities = CAN_RECEIVE | CAN_SEND | HAS_MEDIA | PROVIDER_RETRIES | SENDS_ONE_THING,
	.body_format = BODY_RAW,
	.max_text = TEXT_MAX,
	.text_unit = TEXT_CHARACTERS,
	.window_ms = WINDOW_MS,
	.identifier_kind = "weibo",
	.settings_size = sizeof(struct weibo_settings),
	.settings = weibo_settings_rows,
	.open = weibo_open,
	.close = weibo_close,
	.verify = weibo_verify,
	.parse = weibo_parse,
	.send = weibo_send,
	.media = weibo_media,
	.test = weibo_test,
};
