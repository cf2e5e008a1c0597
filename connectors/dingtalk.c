/* dingtalk: a robot of DingTalk 钉钉 (open.dingtalk.com, HTTP mode).
 *
 * In: POST /in/<channel>, one message a POST, with timestamp and sign in the
 * header fields: the HMAC covers no byte of the body, https only. At the same
 * address the event push, sealed and signed, every event answered with the
 * sealed word success. Out: the session's webhook until the time that came with
 * the message, then the robot's API; DingTalk has no key against doubles. */
#include <stdlib.h>
#include <string.h>

#include "dingtalk_private.h"

enum {
	SIGNATURE_BYTES = 32,
	SKEW_S = 3600,
	TEXT_MAX = 6000,
	FILES_MAX = 20,
	PIECES_MAX = 500,
	RANDOM_BYTES = 16,
	CONTEXT_MAX = 1000,
};

static const char *const url_schemes[] = { "https", "http", NULL };

static const struct setting dingtalk_settings_rows[] = {
	SETTING_ROW("app_key", TEXT, struct dingtalk_settings, app_key, NULL,
		    .flags = SETTING_REQUIRED,
		    .text = "Developer console, Credentials, Client ID (AppKey)."),
	SETTING_ROW("app_secret", SECRET, struct dingtalk_settings, app_secret, NULL,
		    .flags = SETTING_REQUIRED,
		    .text = "Developer console, Credentials, Client Secret (AppSecret)."),
	SETTING_ROW("robot_code", TEXT, struct dingtalk_settings, robot_code, NULL,
		    .text = "Robot, RobotCode; as app_key where it is not set."),
	SETTING_ROW("token", SECRET, struct dingtalk_settings, token, NULL,
		    .text = "Event subscription, HTTP push, signing token; only for events."),
	SETTING_ROW("encoding_aes_key", SECRET, struct dingtalk_settings, encoding_aes_key, NULL,
		    .text = "Event subscription, HTTP push, aes_key (43 characters); only for "
			    "events."),
	SETTING_ROW("api_base", URL, struct dingtalk_settings, api_base, DINGTALK_PROVIDER,
		    .choices = url_schemes,
		    .text = "Replaces the provider's address: a proxy, a private cloud or a "
			    "simulator."),
	SETTING_END,
};

/* One per process, given by open(): parse() has only a const channel. */
static const struct host *host;

const struct host *dingtalk_host(void)
{
	return host;
}

bool dingtalk_is_private(const struct channel *channel)
{
	const struct dingtalk_settings *settings = host->channel_settings(channel);

	return strcmp(settings->api_base, DINGTALK_PROVIDER) != 0;
}

const char *dingtalk_old_base(const struct channel *channel)
{
	const struct dingtalk_settings *settings = host->channel_settings(channel);

	return dingtalk_is_private(channel) ? settings->api_base : DINGTALK_OLD;
}

static bool is_set(const char *text)
{
	return text && text[0];
}

/* ---- proof ---- */

static bool is_of_robot(const struct channel *channel, const struct inbound *in,
			struct arena *arena)
{
	const struct dingtalk_settings *settings = host->channel_settings(channel);
	const char *timestamp = host->field(in, "timestamp");
	const char *sign = host->field(in, "sign");
	unsigned char given[SIGNATURE_BYTES], expected[SIGNATURE_BYTES];
	const char *all;

	if (!sign || !provider_is_fresh(in, timestamp, 1000, SKEW_S) ||
	    host->unbase64(sign, strlen(sign), given, sizeof(given)) != SIGNATURE_BYTES)
		return false;
	all = host->format(arena, "%s\n%s", timestamp, settings->app_secret);
	host->hmac_sha256(settings->app_secret, strlen(settings->app_secret), all, strlen(all),
			  expected);
	return host->equal(given, sizeof(given), expected, sizeof(expected));
}

/* The JSON inside the envelope; NULL: it is no envelope of ours. */
static struct json_object *open_event(const struct channel *channel, const struct inbound *in,
				      struct arena *arena, const char **ret_sealed,
				      const char **ret_error)
{
	const struct dingtalk_state *state = host->channel_state(channel);
	struct json_object *body;
	const char *plain;

	*ret_error = "the event push has no token and encoding_aes_key";
	if (!state->seal.host)
		return NULL;
	body = host->json_read(in->body, in->body_len, arena, ret_error);
	if (!body)
		return NULL;
	*ret_sealed = host->text(arena, provider_text(host, body, "encrypt", ""));
	host->json_free(body);
	plain = envelope_open(&state->seal, arena, *ret_sealed, ret_error);
	return plain ? host->json_read(plain, strlen(plain), arena, ret_error) : NULL;
}

/* DingTalk takes an event for delivered only when the word success comes back,
 * sealed. What is random in it comes from the request: parse() must be pure. */
static void answer_success(const struct channel *channel, const struct inbound *in,
			   struct arena *arena, struct parsed *ret)
{
	const struct dingtalk_settings *settings = host->channel_settings(channel);
	const struct dingtalk_state *state = host->channel_state(channel);
	const char *timestamp = host->format(arena, "%lld000", (long long)in->now_s);
	unsigned char hash[32];
	const char *words[5] = { settings->token, timestamp, NULL, NULL, NULL };

	host->hmac_sha256(state->seal.key.bytes, sizeof(state->seal.key.bytes), in->body,
			  in->body_len, hash);
	words[2] = host->hex(arena, hash + RANDOM_BYTES, 8);
	words[3] = envelope_close(&state->seal, arena, "success", hash);
	ret->answer_status = 200;
	ret->answer_type = "application/json";
	ret->answer_body =
		host->format(arena,
			     "{\"msg_signature\":\"%s\",\"timeStamp\":\"%s\","
			     "\"nonce\":\"%s\",\"encrypt\":\"%s\"}",
			     envelope_sign(host, arena, words), timestamp, words[2], words[3]);
}

static enum verdict judge_event(const struct channel *channel, const struct inbound *in,
				struct arena *arena, struct parsed *ret)
{
	const struct dingtalk_settings *settings = host->channel_settings(channel);
	const char *timestamp = host->query(in, "timestamp");
	const char *signature = host->query(in, "msg_signature");
	const char *words[5] = { settings->token, timestamp, host->query(in, "nonce"), NULL, NULL };
	const char *error;
	struct json_object *event = open_event(channel, in, arena, &words[3], &error);
	enum verdict verdict = FORGED;

	if (!event)
		return FORGED;
	if (!signature)
		signature = host->query(in, "signature");
	if (provider_is_fresh(in, timestamp, 1000, SKEW_S) &&
	    envelope_is_signed(host, arena, signature, words, 4))
		verdict = VERIFIED;
	if (verdict == VERIFIED &&
	    strcmp(provider_text(host, event, "EventType", ""), "check_url") == 0) {
		answer_success(channel, in, arena, ret);
		verdict = HANDSHAKE;
	}
	host->json_free(event);
	return verdict;
}

static enum verdict dingtalk_verify(struct channel *channel, const struct inbound *in,
				    struct arena *arena, struct parsed *ret)
{
	if (strcmp(in->method, "POST") != 0)
		return FORGED;
	if (host->field(in, "sign"))
		return is_of_robot(channel, in, arena) ? VERIFIED : FORGED;
	return judge_event(channel, in, arena, ret);
}

/* ---- the way in ---- */

struct reading {
	const struct channel *channel;
	struct arena *arena;
	struct json_object *body;
	struct message *message;
};

static const char *text_of(struct reading *reading, struct json_object *from, const char *path)
{
	return host->text(reading->arena, provider_text(host, from, path, ""));
}

static void read_person(struct reading *reading, const char *person)
{
	const struct dingtalk_settings *settings = host->channel_settings(reading->channel);

	reading->message->sender_name = text_of(reading, reading->body, "senderNick");
	reading->message->sender = (struct identifier){ .kind = "dingtalk",
							.scope = settings->app_key,
							.value = person,
							.proof = PROOF_CHANNEL,
							.proved_by = "dingtalk" };
}

static void add_file(struct reading *reading, struct json_object *from, const char *type,
		     const char *name)
{
	struct message *message = reading->message;
	const char *code = text_of(reading, from, "downloadCode");

	if (!code[0] || message->attachment_count == FILES_MAX)
		return;
	if (!message->attachments)
		message->attachments =
			host->alloc(reading->arena, FILES_MAX * sizeof(*message->attachments));
	message->attachments[message->attachment_count++] = (struct attachment){
		.name = name,
		.type = type,
		.url = host->format(reading->arena, "media:%s", code),
		.size = -1,
	};
}

static void read_rich(struct reading *reading)
{
	struct json_object *pieces = host->json_at(reading->body, "content.richText");
	size_t count = provider_count(host, pieces);
	const char *text = "";

	for (size_t i = 0; i < count && i < PIECES_MAX; i++) {
		struct json_object *piece = host->json_item(pieces, i);

		text = host->format(reading->arena, "%s%s", text,
				    provider_text(host, piece, "text", ""));
		add_file(reading, piece, "image/jpeg", "");
	}
	reading->message->kind = MESSAGE_TEXT;
	reading->message->text = text;
}

static void read_content(struct reading *reading, const char *type)
{
	struct json_object *content = host->json_at(reading->body, "content");
	struct message *message = reading->message;

	message->text = "";
	if (strcmp(type, "text") == 0) {
		/* In groups a space is left where the robot's name was. */
		const char *text = text_of(reading, reading->body, "text.content");

		message->kind = MESSAGE_TEXT;
		message->text = text + strspn(text, " ");
	} else if (strcmp(type, "richText") == 0) {
		read_rich(reading);
	} else if (strcmp(type, "picture") == 0) {
		message->kind = MESSAGE_IMAGE;
		add_file(reading, content, "image/jpeg", "");
	} else if (strcmp(type, "audio") == 0) {
		message->kind = MESSAGE_VOICE;
		message->text = text_of(reading, content, "recognition");
		add_file(reading, content, "audio/amr", "");
	} else if (strcmp(type, "video") == 0) {
		message->kind = MESSAGE_VIDEO;
		add_file(reading, content, "video/mp4", "");
	} else if (strcmp(type, "file") == 0) {
		message->kind = MESSAGE_FILE;
		add_file(reading, content, "application/octet-stream",
			 text_of(reading, content, "fileName"));
	} else {
		message->kind = MESSAGE_UNKNOWN;
		message->text = host->format(reading->arena, "[%s]", type);
	}
}

/* The signature does not cover the body: an address for answers that is not
 * DingTalk's own is not used. */
static const char *session_of(struct reading *reading)
{
	const char *url = text_of(reading, reading->body, "sessionWebhook");
	const char *base = dingtalk_old_base(reading->channel);
	size_t len = strlen(base);
	int64_t until = host->json_int(reading->body, "sessionWebhookExpiredTime", 0);

	if (strncmp(url, base, len) != 0 || url[len] != '/' || strlen(url) > CONTEXT_MAX - 32)
		return NULL;
	return host->format(reading->arena, "%lld %s", (long long)until, url);
}

static void read_message(struct reading *reading)
{
	struct message *message = reading->message;
	bool is_group = strcmp(text_of(reading, reading->body, "conversationType"), "2") == 0;
	const char *person = text_of(reading, reading->body, "senderStaffId");

	if (!person[0])
		person = text_of(reading, reading->body, "senderId");
	message->provider_id = text_of(reading, reading->body, "msgId");
	message->thread = is_group ? text_of(reading, reading->body, "conversationId") : "";
	message->sent_ms = host->json_int(reading->body, "createAt", 0);
	message->reply_context = session_of(reading);
	read_person(reading, person);
	read_content(reading, text_of(reading, reading->body, "msgtype"));
}

/* Events have no id: their own bytes are one. */
static void read_event(struct reading *reading, const char *sealed)
{
	struct message *message = reading->message;
	struct json_object *people = host->json_at(reading->body, "UserId");
	const char *type = text_of(reading, reading->body, "EventType");
	unsigned char hash[32];

	if (people && host->json_kind(people, "") == HOST_JSON_ARRAY)
		people = host->json_count(people) > 0 ? host->json_item(people, 0) : NULL;
	host->sha256(sealed, strlen(sealed), hash);
	message->kind = MESSAGE_EVENT;
	message->provider_id = host->format(reading->arena, "event-%s",
					    host->hex(reading->arena, hash, RANDOM_BYTES));
	message->thread = "";
	message->text = host->format(reading->arena, "[%s]", type);
	message->sent_ms = strtoll(provider_text(host, reading->body, "TimeStamp", "0"), NULL, 10);
	message->window_ms = WINDOW_NONE;
	read_person(reading, people ? text_of(reading, people, "") : "");
	if (!message->sender.value[0])
		host->log(reading->channel, 2, "event=told type=%s",
			  host->json_quote(reading->arena, type));
}

static int dingtalk_parse(const struct channel *channel, const struct inbound *in,
			  struct arena *arena, struct parsed *ret, const char **ret_error)
{
	struct reading reading = { .channel = channel, .arena = arena };
	const char *sealed = NULL;

	ret->messages = host->alloc(arena, sizeof(*ret->messages));
	memset(ret->messages, 0, sizeof(*ret->messages));
	reading.message = ret->messages;
	if (host->field(in, "sign")) {
		reading.body = host->json_read(in->body, in->body_len, arena, ret_error);
		if (!reading.body)
			return -1;
		read_message(&reading);
		if (!reading.message->provider_id[0] || !reading.message->sender.value[0]) {
			host->json_free(reading.body);
			*ret_error = "msgId, and senderStaffId or senderId, must be there";
			return -1;
		}
	} else {
		answer_success(channel, in, arena, ret);
		reading.body = open_event(channel, in, arena, &sealed, ret_error);
		if (!reading.body)
			return -1;
		read_event(&reading, sealed);
	}
	ret->message_count = reading.message->sender.value[0] ? 1 : 0;
	host->json_free(reading.body);
	return 0;
}

/* ---- life ---- */

static int dingtalk_open(const struct host *core, struct channel *channel, const char **ret_error)
{
	const struct dingtalk_settings *settings = core->channel_settings(channel);
	struct dingtalk_state *state = core->channel_state(channel);

	host = core;
	if (!is_set(settings->app_key) || !is_set(settings->app_secret)) {
		*ret_error = "app_key and app_secret must not be empty";
		return -1;
	}
	if (is_set(settings->token) != is_set(settings->encoding_aes_key)) {
		*ret_error = "token and encoding_aes_key must be set together";
		return -1;
	}
	if (is_set(settings->token)) {
		if (!envelope_key_read(core, settings->encoding_aes_key, &state->seal.key)) {
			*ret_error = "encoding_aes_key must be the 43 characters of the console";
			return -1;
		}
		state->seal.receive_id = settings->app_key;
		state->seal.host = core;
	}
	dingtalk_start(channel);
	return 0;
}

static void dingtalk_close(struct channel *channel)
{
	const struct dingtalk_state *state = host->channel_state(channel);

	if (state->token.host)
		dingtalk_stop(channel);
}

const struct connector dingtalk_connector = {
	.name = "dingtalk",
	.abi = CONNECTOR_ABI,
	.abilities = CAN_RECEIVE | CAN_SEND | HAS_MEDIA | SENDS_ONE_THING,
	.body_format = BODY_RAW,
	.max_text = TEXT_MAX,
	.text_unit = TEXT_BYTES,
	.identifier_kind = "dingtalk",
	.settings_size = sizeof(struct dingtalk_settings),
	.settings = dingtalk_settings_rows,
	.state_size = sizeof(struct dingtalk_state),
	.open = dingtalk_open,
	.close = dingtalk_close,
	.verify = dingtalk_verify,
	.parse = dingtalk_parse,
	.send = dingtalk_send,
	.find_media = dingtalk_find_media,
	.test = dingtalk_test,
};
