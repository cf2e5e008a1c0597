/* feishu: a bot of Feishu 飞书 or Lark (open.feishu.cn, im.message events).
 *
 * In: POST /in/<channel>, one event a POST. With an Encrypt Key the body is
 * sealed (AES-256-CBC) and signed (SHA-256 over time, nonce, key and body);
 * without one the Verification Token inside is the whole proof. Out: messages
 * with a uuid, by which Feishu drops doubles for an hour; pictures and files
 * are uploaded first. Limit: 150 kB of text. */
#include <stdlib.h>
#include <string.h>

#include "feishu_private.h"

enum {
	BLOCK = 16,
	SKEW_S = 300,
	TEXT_MAX = 100 * 1024, /* 150 kB of JSON, in which a byte may take two */
	FILES_MAX = 20,
	READ_MAX = 500,
};

static const char *const url_schemes[] = { "https", "http", NULL };

static const struct setting feishu_settings_rows[] = {
	SETTING_ROW("app_id", TEXT, struct feishu_settings, app_id, NULL, .flags = SETTING_REQUIRED,
		    .text = "Developer console, Credentials & Basic Info, App ID (cli_...)."),
	SETTING_ROW("app_secret", SECRET, struct feishu_settings, app_secret, NULL,
		    .flags = SETTING_REQUIRED,
		    .text = "Developer console, Credentials & Basic Info, App Secret."),
	SETTING_ROW("encrypt_key", SECRET, struct feishu_settings, encrypt_key, NULL,
		    .text = "Events & Callbacks, Encryption Strategy, Encrypt Key; without one "
			    "events are neither sealed nor signed."),
	SETTING_ROW("verification_token", SECRET, struct feishu_settings, verification_token, NULL,
		    .text = "Events & Callbacks, Encryption Strategy, Verification Token; needed "
			    "where there is no encrypt_key."),
	SETTING_ROW("api_base", URL, struct feishu_settings, api_base, FEISHU_PROVIDER,
		    .choices = url_schemes,
		    .text = "Replaces the provider's address: a proxy, a private cloud or a "
			    "simulator."),
	SETTING_END,
};

/* One per process, given by open(): parse() has only a const channel. */
static const struct host *host;

const struct host *feishu_host(void)
{
	return host;
}

static bool is_set(const char *text)
{
	return text && text[0];
}

static bool is_same(const char *given, const char *expected)
{
	return given && is_set(expected) &&
	       host->equal(given, strlen(given), expected, strlen(expected));
}

/* ---- proof ---- */

/* The bytes that the envelope holds, NULL where it is none of this key. */
static char *unseal(const char *encrypt_key, const char *sealed, struct arena *arena)
{
	size_t room = strlen(sealed) + 1;
	unsigned char key[32];
	unsigned char *bytes = host->alloc(arena, room);
	unsigned char *plain = host->alloc(arena, room);
	long len = host->unbase64(sealed, room - 1, bytes, room) - BLOCK;
	unsigned char wrong = 0, pad;

	host->sha256(encrypt_key, strlen(encrypt_key), key);
	if (len < BLOCK || len % BLOCK != 0 ||
	    !host->aes256_cbc_decrypt(key, bytes, bytes + BLOCK, (size_t)len, plain))
		return NULL;
	pad = plain[len - 1];
	if (pad == 0 || pad > BLOCK)
		return NULL;
	for (long i = len - pad; i < len; i++)
		wrong |= plain[i] ^ pad;
	return wrong ? NULL : host->copy(arena, plain, (size_t)(len - pad));
}

/* The event as it was before sealing, and whether it was sealed; NULL with a phrase. */
static struct json_object *read_body(const struct channel *channel, const struct inbound *in,
				     struct arena *arena, bool *ret_sealed, const char **ret_error)
{
	const struct feishu_settings *settings = host->channel_settings(channel);
	struct json_object *body = host->json_read(in->body, in->body_len, arena, ret_error);
	const char *sealed = body ? host->json_text(body, "encrypt") : NULL;
	const char *plain;

	*ret_sealed = sealed != NULL;
	if (!sealed)
		return body;
	plain = is_set(settings->encrypt_key) ? unseal(settings->encrypt_key, sealed, arena) : NULL;
	host->json_free(body);
	*ret_error = "encrypt is not sealed with this encrypt_key";
	return plain ? host->json_read(plain, strlen(plain), arena, ret_error) : NULL;
}

/* A plain hash of time, nonce, secret and body: Feishu has no HMAC. Callbacks
 * of old cards are never sealed and have SHA-1 with the Verification Token. */
static bool signature_fits(const struct inbound *in, struct arena *arena, const char *secret,
			   bool is_old_card)
{
	const char *timestamp = host->field(in, "x-lark-request-timestamp");
	const char *nonce = host->field(in, "x-lark-request-nonce");
	const char *signature = host->field(in, "x-lark-signature");
	unsigned char hash[32];
	const char *head;
	size_t head_len;
	char *all;

	if (!is_set(secret) || !timestamp || !nonce || !signature ||
	    !provider_is_fresh(in, timestamp, 1, SKEW_S))
		return false;
	head = host->format(arena, "%s%s%s", timestamp, nonce, secret);
	head_len = strlen(head);
	all = host->alloc(arena, head_len + in->body_len + 1);
	memcpy(all, head, head_len);
	if (in->body_len)
		memcpy(all + head_len, in->body, in->body_len);
	if (is_old_card)
		host->sha1(all, head_len + in->body_len, hash);
	else
		host->sha256(all, head_len + in->body_len, hash);
	return is_same(signature, host->hex(arena, hash, is_old_card ? 20 : 32));
}

static bool is_old_card(struct json_object *event)
{
	return host->json_kind(event, "schema") == HOST_JSON_ABSENT &&
	       host->json_kind(event, "event") == HOST_JSON_ABSENT &&
	       host->json_kind(event, "action") == HOST_JSON_OBJECT;
}

static const char *token_in(struct json_object *event)
{
	const char *token = host->json_text(event, "header.token");

	return token ? token : host->json_text(event, "token");
}

/* The challenge may come without a signature: then the seal or the token is the proof. */
static enum verdict answer_challenge(const struct feishu_settings *settings,
				     struct json_object *event, struct arena *arena,
				     struct parsed *ret)
{
	const char *challenge = provider_text(host, event, "challenge", "");

	if (is_set(settings->verification_token) &&
	    !is_same(token_in(event), settings->verification_token))
		return FORGED;
	ret->answer_status = 200;
	ret->answer_type = "application/json";
	ret->answer_body =
		host->format(arena, "{\"challenge\":%s}", host->json_quote(arena, challenge));
	return HANDSHAKE;
}

static bool is_for_us(const struct feishu_settings *settings, struct json_object *event)
{
	const char *app = provider_text(host, event, "header.app_id", NULL);

	if (!app)
		app = provider_text(host, event, "event.app_id", settings->app_id);
	return strcmp(app, settings->app_id) == 0;
}

static enum verdict judge(const struct channel *channel, const struct inbound *in,
			  struct json_object *event, bool is_sealed, struct arena *arena)
{
	const struct feishu_settings *settings = host->channel_settings(channel);
	bool is_proved;

	if (is_old_card(event) && !is_sealed)
		is_proved = signature_fits(in, arena, settings->verification_token, true);
	else if (is_set(settings->encrypt_key))
		is_proved = is_sealed && signature_fits(in, arena, settings->encrypt_key, false);
	else
		is_proved = is_same(token_in(event), settings->verification_token);
	return is_proved && is_for_us(settings, event) ? VERIFIED : FORGED;
}

static enum verdict feishu_verify(struct channel *channel, const struct inbound *in,
				  struct arena *arena, struct parsed *ret)
{
	const struct feishu_settings *settings = host->channel_settings(channel);
	const char *error = NULL;
	struct json_object *event;
	enum verdict verdict;
	bool is_sealed;

	if (strcmp(in->method, "POST") != 0)
		return FORGED;
	event = read_body(channel, in, arena, &is_sealed, &error);
	if (!event) /* Feishu's own bytes that nobody can read are kept */
		return signature_fits(in, arena, settings->encrypt_key, false) ? VERIFIED : FORGED;
	if (strcmp(provider_text(host, event, "type", ""), "url_verification") == 0 &&
	    is_sealed == is_set(settings->encrypt_key))
		verdict = answer_challenge(settings, event, arena, ret);
	else
		verdict = judge(channel, in, event, is_sealed, arena);
	host->json_free(event);
	return verdict;
}

/* ---- the way in ---- */

struct reading {
	const struct channel *channel;
	struct arena *arena;
	struct json_object *event;   /* what happened, without its envelope */
	struct json_object *content; /* of a message, or NULL */
	struct message *message;
	const char *id; /* of the event */
};

static const char *text_of(struct reading *reading, struct json_object *from, const char *path)
{
	return host->text(reading->arena, provider_text(host, from, path, ""));
}

static int64_t time_of(struct json_object *from, const char *path)
{
	return strtoll(provider_text(host, from, path, "0"), NULL, 10);
}

/* By the id that is the app's own; the union id is the same in all apps of a developer. */
static bool read_person(struct reading *reading, struct json_object *ids)
{
	const struct feishu_settings *settings = host->channel_settings(reading->channel);
	const char *person = text_of(reading, ids, "open_id");
	const char *everywhere = text_of(reading, ids, "union_id");
	struct message *message = reading->message;

	message->sender_name = "";
	message->sender = (struct identifier){ .kind = "feishu",
					       .scope = settings->app_id,
					       .value = person,
					       .proof = PROOF_CHANNEL,
					       .proved_by = "feishu" };
	if (everywhere[0])
		message->others[message->other_count++] =
			(struct identifier){ .kind = "feishu_union",
					     .scope = "",
					     .value = everywhere,
					     .proof = PROOF_CHANNEL,
					     .proved_by = "feishu" };
	return person[0];
}

static void add_file(struct reading *reading, const char *key, const char *type, const char *name)
{
	struct message *message = reading->message;
	bool is_image = strncmp(type, "image/", 6) == 0;

	if (!key[0] || message->attachment_count == FILES_MAX)
		return;
	if (!message->attachments)
		message->attachments =
			host->alloc(reading->arena, FILES_MAX * sizeof(*message->attachments));
	message->attachments[message->attachment_count++] = (struct attachment){
		.name = name,
		.type = type,
		.url = host->format(reading->arena, "media:%s/resources/%s?type=%s",
				    host->url_escape(reading->arena, message->provider_id),
				    host->url_escape(reading->arena, key),
				    is_image ? "image" : "file"),
		.size = -1,
	};
}

/* @_user_1 stands for who was mentioned. */
static const char *with_names(struct reading *reading, const char *text)
{
	struct json_object *mentions = host->json_at(reading->event, "message.mentions");
	size_t count = provider_count(host, mentions);

	/* From the last, so that @_user_1 is not found in @_user_10. */
	for (size_t i = count < FILES_MAX ? count : FILES_MAX; i-- > 0;) {
		struct json_object *mention = host->json_item(mentions, i);
		const char *key = provider_text(host, mention, "key", "");
		const char *at = key[0] ? strstr(text, key) : NULL;

		if (at)
			text = host->format(reading->arena, "%.*s@%s%s", (int)(at - text), text,
					    provider_text(host, mention, "name", ""),
					    at + strlen(key));
	}
	return text;
}

/* One piece of a line of rich text. */
static const char *post_piece(struct reading *reading, struct json_object *piece)
{
	const char *tag = provider_text(host, piece, "tag", "");
	const char *text = text_of(reading, piece, "text");

	if (strcmp(tag, "a") == 0)
		return host->format(reading->arena, "%s (%s)", text,
				    provider_text(host, piece, "href", ""));
	if (strcmp(tag, "at") == 0)
		return host->format(reading->arena, "@%s",
				    provider_text(host, piece, "user_name", ""));
	if (strcmp(tag, "img") == 0)
		add_file(reading, text_of(reading, piece, "image_key"), "image/jpeg", "");
	else if (strcmp(tag, "media") == 0)
		add_file(reading, text_of(reading, piece, "file_key"), "video/mp4", "");
	else if (strcmp(tag, "emotion") == 0)
		return host->format(reading->arena, "[%s]",
				    provider_text(host, piece, "emoji_type", "emotion"));
	return text;
}

static void read_post(struct reading *reading)
{
	struct json_object *lines = host->json_at(reading->content, "content");
	const char *text = text_of(reading, reading->content, "title");
	size_t count =
		provider_count(host, lines) < READ_MAX ? provider_count(host, lines) : READ_MAX;

	for (size_t i = 0; i < count; i++) {
		struct json_object *line = host->json_item(lines, i);
		size_t pieces = provider_count(host, line) < READ_MAX ? provider_count(host, line)
								      : READ_MAX;

		if (text[0])
			text = host->format(reading->arena, "%s\n", text);
		for (size_t j = 0; j < pieces; j++)
			text = host->format(reading->arena, "%s%s", text,
					    post_piece(reading, host->json_item(line, j)));
	}
	reading->message->kind = MESSAGE_TEXT;
	reading->message->text = with_names(reading, text);
}

/* Feishu writes numbers as texts here. */
static void read_location(struct reading *reading)
{
	struct json_object *content = reading->content;
	const struct provider_place place = {
		text_of(reading, content, "name"),
		"",
		provider_degrees(text_of(reading, content, "latitude")),
		provider_degrees(text_of(reading, content, "longitude")),
	};

	provider_location(host, reading->arena, reading->message, &place);
}

static void read_content(struct reading *reading, const char *type)
{
	static const struct {
		const char *type;
		const char *key;
		enum message_kind kind;
		const char *media;
	} files[] = {
		{ "image", "image_key", MESSAGE_IMAGE, "image/jpeg" },
		{ "file", "file_key", MESSAGE_FILE, "application/octet-stream" },
		{ "audio", "file_key", MESSAGE_VOICE, "audio/ogg" },
		{ "media", "file_key", MESSAGE_VIDEO, "video/mp4" },
	};
	struct message *message = reading->message;

	message->kind = MESSAGE_UNKNOWN;
	message->text = host->format(reading->arena, "[%s]", type);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (strcmp(type, files[i].type) != 0)
			continue;
		message->kind = files[i].kind;
		message->text = "";
		add_file(reading, text_of(reading, reading->content, files[i].key), files[i].media,
			 text_of(reading, reading->content, "file_name"));
	}
	if (strcmp(type, "text") == 0) {
		message->kind = MESSAGE_TEXT;
		message->text = with_names(reading, text_of(reading, reading->content, "text"));
	} else if (strcmp(type, "post") == 0) {
		read_post(reading);
	} else if (strcmp(type, "location") == 0) {
		read_location(reading);
	} else if (strcmp(type, "sticker") == 0) {
		message->kind = MESSAGE_TEXT;
	}
}

static bool read_message(struct reading *reading)
{
	struct json_object *from = host->json_at(reading->event, "message");
	const char *given = provider_text(host, from, "content", "");
	struct message *message = reading->message;

	/* Our own words, and those of other machines. */
	if (strcmp(provider_text(host, reading->event, "sender.sender_type", ""), "app") == 0)
		return false;
	message->provider_id = text_of(reading, from, "message_id");
	message->sent_ms = time_of(from, "create_time");
	message->thread = strcmp(provider_text(host, from, "chat_type", ""), "group") == 0
				  ? text_of(reading, from, "chat_id")
				  : "";
	reading->content = host->json_read(given, strlen(given), reading->arena, NULL);
	if (reading->content) {
		read_content(reading, text_of(reading, from, "message_type"));
		host->json_free(reading->content);
	} else {
		message->kind = MESSAGE_UNKNOWN;
		message->text = host->text(reading->arena, given);
	}
	return read_person(reading, host->json_at(reading->event, "sender.sender_id"));
}

/* The first version's event of a message has all in one place. */
static bool read_old_message(struct reading *reading)
{
	struct message *message = reading->message;

	message->provider_id = text_of(reading, reading->event, "open_message_id");
	message->thread = strcmp(provider_text(host, reading->event, "chat_type", ""), "group") == 0
				  ? text_of(reading, reading->event, "open_chat_id")
				  : "";
	reading->content = reading->event;
	read_content(reading, text_of(reading, reading->event, "msg_type"));
	return read_person(reading, reading->event);
}

/* Where the kinds of event say whom they are of. */
static bool read_actor(struct reading *reading)
{
	static const char *const places[] = { "operator", "operator_id", "operator.operator_id",
					      "user_id",  "reader_id",   "sender.sender_id",
					      "" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct json_object *ids =
			places[i][0] ? host->json_at(reading->event, places[i]) : reading->event;

		reading->message->other_count = 0;
		if (ids && host->json_kind(ids, "") == HOST_JSON_OBJECT &&
		    read_person(reading, ids))
			return true;
	}
	return false;
}

static const char *button_value(struct reading *reading)
{
	struct json_object *value = host->json_at(reading->event, "action.value");

	if (!value)
		return text_of(reading, reading->event, "action.tag");
	return host->json_kind(value, "") == HOST_JSON_TEXT
		       ? text_of(reading, value, "")
		       : host->json_print(value, reading->arena);
}

static bool read_happening(struct reading *reading, const char *type)
{
	struct message *message = reading->message;

	message->kind = MESSAGE_EVENT;
	message->thread = "";
	message->provider_id = reading->id;
	message->text = host->format(reading->arena, "[%s]", type);
	if (host->json_kind(reading->event, "action") == HOST_JSON_OBJECT) {
		const char *label = text_of(reading, reading->event, "action.name");
		const char *value = button_value(reading);

		message->text = label[0] ? label : value;
		message->extra = host->format(reading->arena, "{\"postback\":%s}",
					      host->json_quote(reading->arena, value));
	}
	if (read_actor(reading))
		return message->provider_id[0];
	/* of nobody we could answer: a recalled message names none */
	host->log(reading->channel, 2, "event=told type=%s",
		  host->json_quote(reading->arena, type));
	return false;
}

static void read_receipts(struct reading *reading, struct parsed *ret)
{
	struct json_object *ids = host->json_at(reading->event, "message_id_list");
	size_t count = provider_count(host, ids) < READ_MAX ? provider_count(host, ids) : READ_MAX;

	ret->receipts = host->alloc(reading->arena, (count + 1) * sizeof(*ret->receipts));
	for (size_t i = 0; i < count; i++) {
		const char *id = text_of(reading, host->json_item(ids, i), "");

		if (id[0])
			ret->receipts[ret->receipt_count++] =
				(struct receipt){ .provider_id = id, .state = RECEIPT_READ };
	}
}

static void read_event(struct reading *reading, const char *type, struct parsed *ret)
{
	bool is_kept = false;

	if (strcmp(type, "im.message.message_read_v1") == 0)
		read_receipts(reading, ret);
	else if (strcmp(type, "im.message.receive_v1") == 0)
		is_kept = read_message(reading);
	else if (strcmp(type, "message") == 0)
		is_kept = read_old_message(reading);
	else
		is_kept = read_happening(reading, type);
	if (is_kept && reading->message->provider_id[0])
		ret->message_count = 1;
}

/* A click on an old card has no id: its own bytes are one. */
static const char *hash_of(const struct inbound *in, struct arena *arena)
{
	unsigned char hash[32];

	host->sha256(in->body, in->body_len, hash);
	return host->format(arena, "card-%s", host->hex(arena, hash, BLOCK));
}

static int feishu_parse(const struct channel *channel, const struct inbound *in,
			struct arena *arena, struct parsed *ret, const char **ret_error)
{
	bool is_sealed;
	struct json_object *body = read_body(channel, in, arena, &is_sealed, ret_error);
	struct reading reading = { .channel = channel, .arena = arena };
	const char *type;

	if (!body)
		return -1;
	ret->messages = host->alloc(arena, sizeof(*ret->messages));
	memset(ret->messages, 0, sizeof(*ret->messages));
	reading.message = ret->messages;
	reading.event = host->json_at(body, "event");
	type = text_of(&reading, body, "header.event_type");
	reading.id = text_of(&reading, body, "header.event_id");
	if (!type[0]) {
		type = text_of(&reading, body, "event.type");
		reading.id = text_of(&reading, body, "uuid");
		reading.message->sent_ms = provider_time(time_of(body, "ts"));
	} else {
		reading.message->sent_ms = time_of(body, "header.create_time");
	}
	if (!reading.event && is_old_card(body)) {
		reading.event = body;
		reading.id = hash_of(in, arena);
	}
	if (reading.event)
		read_event(&reading, type, ret);
	else
		*ret_error = "the event has no member event";
	ret->answer_status = 200;
	ret->answer_type = "application/json";
	ret->answer_body = "{}";
	host->json_free(body);
	return reading.event ? 0 : -1;
}

/* ---- life ---- */

static int feishu_open(const struct host *core, struct channel *channel, const char **ret_error)
{
	const struct feishu_settings *settings = core->channel_settings(channel);

	host = core;
	if (!is_set(settings->app_id) || !is_set(settings->app_secret)) {
		*ret_error = "app_id and app_secret must not be empty";
		return -1;
	}
	if (!is_set(settings->encrypt_key) && !is_set(settings->verification_token)) {
		*ret_error = "encrypt_key or verification_token must be set: without both nobody "
			     "could tell who writes";
		return -1;
	}
	feishu_start(channel);
	return 0;
}

static void feishu_close(struct channel *channel)
{
	const struct feishu_state *state = host->channel_state(channel);

	if (state->token.host)
		feishu_stop(channel);
}

const struct connector feishu_connector = {
	.name = "feishu",
	.abi = CONNECTOR_ABI,
	.abilities = CAN_RECEIVE | CAN_SEND | HAS_MEDIA | HAS_RECEIPTS | IDEMPOTENT_SEND |
		     PROVIDER_RETRIES | SENDS_ONE_THING,
	.body_format = BODY_RAW,
	.max_text = TEXT_MAX,
	.text_unit = TEXT_BYTES,
	.identifier_kind = "feishu",
	.settings_size = sizeof(struct feishu_settings),
	.settings = feishu_settings_rows,
	.state_size = sizeof(struct feishu_state),
	.open = feishu_open,
	.close = feishu_close,
	.verify = feishu_verify,
	.parse = feishu_parse,
	.send = feishu_send,
	.find_media = feishu_find_media,
	.test = feishu_test,
};
