/* wechat: a WeChat Official Account (微信公众号), developers.weixin.qq.com.
 *
 * In: GET (the console's check of the address) and POST of one XML message,
 * plain or, with encoding_aes_key, sealed (safe and compatible mode). Answered
 * at once with "success"; agents answer by customer-service messages. Limits:
 * text 2048 bytes; 48 h and 5 messages after the customer wrote. */
#include "converge/connector.h"

#include <stdlib.h>
#include <string.h>

#include "provider_call.h"
#include "wechat_private.h"

enum {
	SKEW_S = 300,
	TEXT_MAX = 2048,
	BODY_MAX = 64 * 1024,
	DAY_MS = 24 * 3600 * 1000,
	SHA1_BYTES = 20,
};

static const char *const url_schemes[] = { "https", "http", NULL };

static const struct setting wechat_settings_rows[] = {
	SETTING_ROW("app_id", TEXT, struct wechat_settings, app_id, NULL, .flags = SETTING_REQUIRED,
		    .text = "Developer ID (AppID) of the account."),
	SETTING_ROW("app_secret", SECRET, struct wechat_settings, app_secret, NULL,
		    .flags = SETTING_REQUIRED, .text = "Developer password (AppSecret)."),
	SETTING_ROW("token", SECRET, struct wechat_settings, token, NULL, .flags = SETTING_REQUIRED,
		    .text = "Token of the server configuration."),
	SETTING_ROW("encoding_aes_key", SECRET, struct wechat_settings, encoding_aes_key, NULL,
		    .text = "EncodingAESKey of the server configuration: messages must be sealed; "
			    "none: plain mode."),
	SETTING_ROW("api_base", URL, struct wechat_settings, api_base, WECHAT_PROVIDER,
		    .choices = url_schemes,
		    .text = "Replaces the provider's address: a proxy, a private cloud or a "
			    "simulator."),
	SETTING_ROW("reply_window", TIME, struct wechat_settings, reply_window_ms, "48h",
		    .min = 60000, .max = (int64_t)30 * DAY_MS,
		    .text = "How long after a message of the customer WeChat takes ours."),
	SETTING_ROW("reply_count", COUNT, struct wechat_settings, reply_count, "5", .min = 1,
		    .max = 1000, .text = "How many of ours after a message of the customer."),
	SETTING_ROW("click_window", TIME, struct wechat_settings, click_window_ms, "1m",
		    .min = 1000, .max = (int64_t)30 * DAY_MS,
		    .text = "The same after a menu click, a follow or a scan."),
	SETTING_ROW("click_count", COUNT, struct wechat_settings, click_count, "3", .min = 1,
		    .max = 1000,
		    .text = "How many of ours after a menu click, a follow or a scan."),
	SETTING_END,
};

/* One per process, given by open(): parse() has only a const channel. */
static const struct host *host;

const struct host *wechat_host(void)
{
	return host;
}

static bool is_sealed(const struct channel *channel)
{
	const struct wechat_settings *settings = host->channel_settings(channel);

	return settings->encoding_aes_key && settings->encoding_aes_key[0];
}

/* ---- the proof ---- */

/* With a key only sealed messages count: the plain signature covers no body. */
static bool seal_is_right(const struct channel *channel, const struct inbound *in,
			  struct arena *arena)
{
	const struct wechat_settings *settings = host->channel_settings(channel);
	const struct wechat_state *state = host->channel_state(channel);
	const char *sealed = envelope_sealed(host, in, arena);
	const char *const texts[] = { settings->token, host->query(in, "timestamp"),
				      host->query(in, "nonce"), sealed, NULL };
	const char *error;

	return envelope_is_signed(host, arena, host->query(in, "msg_signature"), texts, 4) &&
	       envelope_open(&state->seal, arena, sealed, &error);
}

static enum verdict wechat_verify(struct channel *channel, const struct inbound *in,
				  struct arena *arena, struct parsed *ret)
{
	const struct wechat_settings *settings = host->channel_settings(channel);
	const char *timestamp = host->query(in, "timestamp");
	const char *echo = host->query(in, "echostr");
	const char *const texts[] = { settings->token, timestamp, host->query(in, "nonce"), NULL };

	if (!provider_is_fresh(in, timestamp, 1, SKEW_S))
		return FORGED;
	if (!envelope_is_signed(host, arena, host->query(in, "signature"), texts, 3))
		return FORGED;
	if (strcmp(in->method, "GET") == 0) {
		if (!echo)
			return FORGED;
		ret->answer_status = 200;
		ret->answer_type = "text/plain";
		ret->answer_body = host->text(arena, echo);
		return HANDSHAKE;
	}
	return !is_sealed(channel) || seal_is_right(channel, in, arena) ? VERIFIED : FORGED;
}

/* ---- the way in ---- */

struct reading {
	const struct channel *channel;
	struct arena *arena;
	struct json_object *xml;
	struct message *message;
	struct parsed *parsed;
};

static const char *text_of(struct reading *reading, const char *name)
{
	return host->text(reading->arena, provider_text(host, reading->xml, name, ""));
}

static const char *quoted(struct reading *reading, const char *name)
{
	return host->json_quote(reading->arena, text_of(reading, name));
}

static int64_t number_of(struct reading *reading, const char *name)
{
	return strtoll(text_of(reading, name), NULL, 10);
}

/* "31.2304" as a JSON number; "0" where it is none. */
static const char *coordinate(struct reading *reading, const char *name)
{
	const char *text = text_of(reading, name);
	char *end;
	double value = strtod(text, &end);

	if (!text[0] || *end || strspn(text, "-.0123456789") != strlen(text) || value < -180 ||
	    value > 180)
		return "0";
	return host->format(reading->arena, "%.8g", value);
}

static void short_window(struct reading *reading)
{
	const struct wechat_settings *settings = host->channel_settings(reading->channel);

	reading->message->window_ms = settings->click_window_ms;
	reading->message->window_count = settings->click_count;
}

static void read_file(struct reading *reading, enum message_kind kind, const char *type)
{
	struct attachment *attachment = host->alloc(reading->arena, sizeof(*attachment));
	const char *id = text_of(reading, "MediaId");

	reading->message->kind = kind;
	if (!id[0])
		return;
	memset(attachment, 0, sizeof(*attachment));
	attachment->url = host->format(reading->arena, "media:%s", id);
	attachment->type = type;
	attachment->name = kind == MESSAGE_FILE ? text_of(reading, "Title") : "";
	attachment->size = -1;
	reading->message->attachments = attachment;
	reading->message->attachment_count = 1;
}

static void read_location(struct reading *reading)
{
	const struct provider_place place = { "", text_of(reading, "Label"),
					      coordinate(reading, "Location_X"),
					      coordinate(reading, "Location_Y") };

	provider_location(host, reading->arena, reading->message, &place);
}

static void read_link(struct reading *reading)
{
	const char *about = text_of(reading, "Description");

	reading->message->kind = MESSAGE_TEXT;
	reading->message->text =
		host->format(reading->arena, "%s%s%s\n%s", text_of(reading, "Title"),
			     about[0] ? "\n" : "", about, text_of(reading, "Url"));
}

/* A tap on a line of a menu message counts as a click, not as a message. */
static void read_text(struct reading *reading)
{
	const char *menu = text_of(reading, "bizmsgmenuid");

	reading->message->kind = MESSAGE_TEXT;
	reading->message->text = text_of(reading, "Content");
	if (!menu[0])
		return;
	reading->message->extra = host->format(reading->arena, "{\"postback\":%s}",
					       host->json_quote(reading->arena, menu));
	short_window(reading);
}

static void read_voice(struct reading *reading)
{
	const char *format = text_of(reading, "Format");
	const char *type = strcmp(format, "speex") == 0 ? "audio/speex"
			   : strcmp(format, "mp3") == 0 ? "audio/mpeg"
							: "audio/amr";

	read_file(reading, MESSAGE_VOICE, type);
	reading->message->text = text_of(reading, "Recognition");
}

static void read_content(struct reading *reading, const char *type)
{
	if (strcmp(type, "text") == 0) {
		read_text(reading);
	} else if (strcmp(type, "image") == 0) {
		read_file(reading, MESSAGE_IMAGE, "image/jpeg");
	} else if (strcmp(type, "voice") == 0) {
		read_voice(reading);
	} else if (strcmp(type, "video") == 0 || strcmp(type, "shortvideo") == 0) {
		read_file(reading, MESSAGE_VIDEO, "video/mp4");
	} else if (strcmp(type, "location") == 0) {
		read_location(reading);
	} else if (strcmp(type, "link") == 0) {
		read_link(reading);
	} else if (strcmp(type, "file") == 0) {
		read_file(reading, MESSAGE_FILE, "application/octet-stream");
		reading->message->text = text_of(reading, "Title");
	} else {
		reading->message->kind = MESSAGE_UNKNOWN;
		reading->message->text = host->format(reading->arena, "[%s]", type);
	}
}

/* ---- events ---- */

/* The only receipt there is, of template messages. */
static void read_receipt(struct reading *reading)
{
	struct receipt *receipt = host->alloc(reading->arena, sizeof(*receipt));
	const char *status = text_of(reading, "Status");
	bool is_good = strcmp(status, "success") == 0;

	memset(receipt, 0, sizeof(*receipt));
	receipt->provider_id = text_of(reading, "MsgID");
	receipt->state = is_good ? RECEIPT_DELIVERED : RECEIPT_FAILED;
	receipt->error = is_good ? NULL : status;
	reading->parsed->receipts = receipt;
	reading->parsed->receipt_count = receipt->provider_id[0] ? 1 : 0;
}

static void event_facts(struct reading *reading, const char *event)
{
	reading->message->extra =
		host->format(reading->arena, "{\"event\":%s,\"key\":%s,\"ticket\":%s,\"agent\":%s}",
			     host->json_quote(reading->arena, event), quoted(reading, "EventKey"),
			     quoted(reading, "Ticket"), quoted(reading, "KfAccount"));
}

static void read_report(struct reading *reading)
{
	const char *latitude = coordinate(reading, "Latitude");
	const char *longitude = coordinate(reading, "Longitude");

	reading->message->text =
		host->format(reading->arena, "[LOCATION] (%s, %s)", latitude, longitude);
	reading->message->extra = host->format(
		reading->arena,
		"{\"event\":\"LOCATION\",\"location\":{\"latitude\":%s,\"longitude\":%s,"
		"\"name\":\"\",\"address\":\"\"}}",
		latitude, longitude);
}

static void read_event(struct reading *reading, const char *event)
{
	struct message *message = reading->message;
	const char *key = text_of(reading, "EventKey");

	message->kind = MESSAGE_EVENT;
	message->window_ms = WINDOW_NONE;
	message->text = host->format(reading->arena, key[0] ? "[%s] %s" : "[%s]", event, key);
	event_facts(reading, event);
	if (strcmp(event, "CLICK") == 0) {
		message->text = key;
		message->extra = host->format(reading->arena, "{\"postback\":%s}",
					      host->json_quote(reading->arena, key));
		short_window(reading);
	} else if (strcmp(event, "subscribe") == 0 || strcmp(event, "SCAN") == 0) {
		short_window(reading);
	} else if (strcmp(event, "LOCATION") == 0) {
		read_report(reading);
	}
}

/* Events have no id: the same one in a repetition is of the same second. */
static const char *event_id(struct reading *reading)
{
	const char *facts =
		host->format(reading->arena, "%s|%s|%s|%s", text_of(reading, "FromUserName"),
			     text_of(reading, "CreateTime"), text_of(reading, "Event"),
			     text_of(reading, "EventKey"));
	unsigned char hash[SHA1_BYTES];

	host->sha1(facts, strlen(facts), hash);
	return host->format(reading->arena, "event-%s",
			    host->hex(reading->arena, hash, sizeof(hash)));
}

static void read_head(struct reading *reading)
{
	const struct wechat_settings *settings = host->channel_settings(reading->channel);
	struct message *message = reading->message;
	const char *id = text_of(reading, "MsgId");

	message->provider_id = id[0] ? id : event_id(reading);
	message->text = "";
	message->thread = "";
	message->sender_name = "";
	message->sent_ms = provider_time(number_of(reading, "CreateTime"));
	message->sender = (struct identifier){
		.kind = "wechat",
		.scope = host->text(reading->arena, settings->app_id),
		.value = text_of(reading, "FromUserName"),
		.proof = PROOF_CHANNEL,
		.proved_by = "wechat",
	};
}

static void read_message(struct reading *reading)
{
	const char *type = text_of(reading, "MsgType");
	const char *event = text_of(reading, "Event");

	if (strcmp(type, "event") == 0 && strcmp(event, "TEMPLATESENDJOBFINISH") == 0) {
		read_receipt(reading);
		return;
	}
	read_head(reading);
	if (strcmp(type, "event") == 0)
		read_event(reading, event);
	else
		read_content(reading, type);
	reading->parsed->messages = reading->message;
	reading->parsed->message_count = 1;
}

/* The document itself: opened where the channel's messages are sealed. */
static struct json_object *document(const struct channel *channel, const struct inbound *in,
				    struct arena *arena, const char **ret_error)
{
	const struct wechat_state *state = host->channel_state(channel);
	const char *sealed, *plain;

	if (!is_sealed(channel))
		return host->xml_read(in->body, in->body_len, arena, ret_error);
	sealed = envelope_sealed(host, in, arena);
	*ret_error = "Encrypt: is missing";
	plain = sealed ? envelope_open(&state->seal, arena, sealed, ret_error) : NULL;
	return plain ? host->xml_read(plain, strlen(plain), arena, ret_error) : NULL;
}

static int wechat_parse(const struct channel *channel, const struct inbound *in,
			struct arena *arena, struct parsed *ret, const char **ret_error)
{
	struct reading reading = { .channel = channel, .arena = arena, .parsed = ret };
	const char *from, *type;

	ret->answer_status = 200;
	ret->answer_type = "text/plain";
	ret->answer_body = "success"; /* else the customer is told that we are out of service */
	reading.xml = document(channel, in, arena, ret_error);
	if (!reading.xml)
		return -1;
	from = text_of(&reading, "FromUserName");
	type = text_of(&reading, "MsgType");
	*ret_error = from[0] ? "MsgType: is missing" : "FromUserName: is missing";
	if (from[0] && type[0]) {
		reading.message = host->alloc(arena, sizeof(*reading.message));
		memset(reading.message, 0, sizeof(*reading.message));
		read_message(&reading);
	}
	host->json_free(reading.xml);
	return from[0] && type[0] ? 0 : -1;
}

static void wechat_find_media(struct channel *channel, const struct attachment *attachment,
			      struct media_search *search)
{
	struct wechat_state *state = host->channel_state(channel);

	weixin_find_media(&state->api, attachment, search);
}

static void wechat_window(const struct channel *channel, struct window_rules *ret)
{
	const struct wechat_settings *settings = host->channel_settings(channel);

	ret->open_ms = settings->reply_window_ms;
	ret->count = settings->reply_count;
	ret->after = AFTER_TEMPLATE;
}

/* ---- life ---- */

static int wechat_open(const struct host *core, struct channel *channel, const char **ret_error)
{
	const struct wechat_settings *settings = core->channel_settings(channel);
	struct wechat_state *state = core->channel_state(channel);

	host = core;
	if (!settings->app_id || !settings->app_id[0] || !settings->app_secret ||
	    !settings->app_secret[0] || !settings->token || !settings->token[0]) {
		*ret_error = "app_id, app_secret and token must not be empty";
		return -1;
	}
	state->seal.host = core;
	state->seal.receive_id = settings->app_id;
	if (is_sealed(channel) &&
	    !envelope_key_read(core, settings->encoding_aes_key, &state->seal.key)) {
		*ret_error = "encoding_aes_key must be 43 letters and digits";
		return -1;
	}
	wechat_api_open(channel);
	return 0;
}

static void wechat_close(struct channel *channel)
{
	struct wechat_state *state = host->channel_state(channel);

	access_token_close(&state->api.token);
}

const struct connector wechat_connector = {
	.name = "wechat",
	.abi = CONNECTOR_ABI,
	.abilities = CAN_RECEIVE | CAN_SEND | HAS_MEDIA | HAS_RECEIPTS | PROVIDER_RETRIES |
		     SENDS_ONE_THING,
	.body_format = BODY_RAW,
	.max_text = TEXT_MAX,
	.text_unit = TEXT_BYTES,
	.body_limit = BODY_MAX,
	.window_ms = (int64_t)2 * DAY_MS,
	.identifier_kind = "wechat",
	.settings_size = sizeof(struct wechat_settings),
	.settings = wechat_settings_rows,
	.state_size = sizeof(struct wechat_state),
	.open = wechat_open,
	.close = wechat_close,
	.verify = wechat_verify,
	.parse = wechat_parse,
	.send = wechat_send,
	.find_media = wechat_find_media,
	.window = wechat_window,
	.test = wechat_test,
};
