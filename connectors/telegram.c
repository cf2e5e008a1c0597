/* telegram: a bot of the Telegram Bot API (core.telegram.org/bots/api).
 *
 * In: with secret_token by webhook (one update a POST, the header
 * X-Telegram-Bot-Api-Secret-Token), without it by long poll under the channel's
 * lease; an offset confirms what is below it, so it moves once all is stored.
 * Out: sendMessage and one send<Kind> for each attachment. Telegram has no
 * idempotency key, no receipts and no reply window. Limits: text of 4096
 * characters, files of 20 MB in and 50 MB out. */
#include <string.h>

#include "telegram_private.h"

enum { SECRET_MAX = 256, TEXT_MAX = 4096 };

static const char *const url_schemes[] = { "https", "http", NULL };

static const char *check_secret_token(const char *text)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789_-";
	size_t len = strlen(text);

	if (len < 1 || len > SECRET_MAX || strspn(text, allowed) != len)
		return "must be 1 to 256 letters, digits, _ or -";
	return NULL;
}

static const struct setting telegram_settings_rows[] = {
	SETTING_ROW("bot_token", SECRET, struct telegram_settings, bot_token, NULL,
		    .flags = SETTING_REQUIRED, .text = "The token that @BotFather gave the bot."),
	SETTING_ROW("secret_token", SECRET, struct telegram_settings, secret_token, NULL,
		    .check = check_secret_token,
		    .text = "What setWebhook was told as secret_token; none: messages are fetched "
			    "by long poll."),
	SETTING_ROW("api_base", URL, struct telegram_settings, api_base, TELEGRAM_PROVIDER,
		    .choices = url_schemes,
		    .text = "Replaces the provider's address: a proxy, a private cloud or a "
			    "simulator."),
	SETTING_END,
};

/* One per process, given by open(): parse() has only a const channel. */
static const struct host *host;

const struct host *telegram_host(void)
{
	return host;
}

bool telegram_is_webhook(const struct channel *channel)
{
	const struct telegram_settings *settings = host->channel_settings(channel);

	return settings->secret_token && settings->secret_token[0];
}

const char *telegram_number(struct json_object *value, struct arena *arena, const char *path)
{
	struct json_object *number = value ? host->json_at(value, path) : NULL;

	return number && host->json_kind(number, "") == HOST_JSON_NUMBER
		       ? host->json_print(number, arena)
		       : "0";
}

/* ---- proof ---- */

static enum verdict telegram_verify(struct channel *channel, const struct inbound *in,
				    struct arena *arena, struct parsed *ret)
{
	const struct telegram_settings *settings = host->channel_settings(channel);
	const char *token = host->field(in, "x-telegram-bot-api-secret-token");

	(void)arena;
	(void)ret;
	if (!telegram_is_webhook(channel) || !token || strcmp(in->method, "POST") != 0)
		return FORGED;
	return host->equal(token, strlen(token), settings->secret_token,
			   strlen(settings->secret_token))
		       ? VERIFIED
		       : FORGED;
}

/* ---- the way in ---- */

struct reading {
	struct arena *arena;
	struct json_object *update;
	struct json_object *body; /* the message in it */
	struct message *message;
	struct parsed *ret;
	const char *error;
};

/* Members of an update that hold a message. */
static const struct {
	const char *name;
	bool is_edit;
} carriers[] = {
	{ "message", false },
	{ "business_message", false },
	{ "edited_message", true },
	{ "edited_business_message", true },
};

/* Kinds of content; the member's own name says which it is. */
static const struct {
	const char *name;
	enum message_kind kind;
	const char *type; /* where the update names none */
} contents[] = {
	{ "photo", MESSAGE_IMAGE, "image/jpeg" },
	{ "voice", MESSAGE_VOICE, "audio/ogg" },
	{ "audio", MESSAGE_VOICE, "audio/mpeg" },
	{ "video", MESSAGE_VIDEO, "video/mp4" },
	{ "video_note", MESSAGE_VIDEO, "video/mp4" },
	{ "animation", MESSAGE_VIDEO, "video/mp4" },
	{ "sticker", MESSAGE_IMAGE, "image/webp" },
	{ "document", MESSAGE_FILE, "application/octet-stream" },
};

static const char *text_or(struct json_object *value, const char *path, const char *fallback)
{
	return provider_text(host, value, path, fallback);
}

static const char *number_text(struct reading *reading, struct json_object *value, const char *path)
{
	return host->format(reading->arena, "%lld", (long long)host->json_int(value, path, 0));
}

static void read_person(struct reading *reading, struct json_object *from)
{
	struct message *message = reading->message;
	const char *first = text_or(from, "first_name", "");
	const char *last = text_or(from, "last_name", "");

	message->sender = (struct identifier){
		.kind = "telegram",
		.scope = "",
		.value = number_text(reading, from, "id"),
		.proof = PROOF_CHANNEL,
		.proved_by = "telegram",
	};
	message->sender_name =
		host->format(reading->arena, "%s%s%s", first, first[0] && last[0] ? " " : "", last);
}

static void read_file(struct reading *reading, size_t which)
{
	struct json_object *file = host->json_at(reading->body, contents[which].name);
	struct attachment *attachment;

	if (host->json_kind(file, "") == HOST_JSON_ARRAY) /* sizes of a photo, smallest first */
		file = host->json_item(file, host->json_count(file) - 1);
	if (!text_or(file, "file_id", NULL))
		return;
	attachment = host->alloc(reading->arena, sizeof(*attachment));
	attachment->url =
		host->format(reading->arena, "media:%s", host->json_text(file, "file_id"));
	attachment->type =
		host->text(reading->arena, text_or(file, "mime_type", contents[which].type));
	attachment->name = host->text(reading->arena, text_or(file, "file_name", ""));
	attachment->size = host->json_int(file, "file_size", -1);
	reading->message->attachments = attachment;
	reading->message->attachment_count = 1;
	reading->message->kind = contents[which].kind;
}

static void read_location(struct reading *reading)
{
	struct json_object *venue = host->json_at(reading->body, "venue");
	struct json_object *point = host->json_at(reading->body, "location");
	const struct provider_place place = {
		text_or(venue, "title", ""),
		text_or(venue, "address", ""),
		telegram_number(point, reading->arena, "latitude"),
		telegram_number(point, reading->arena, "longitude"),
	};

	provider_location(host, reading->arena, reading->message, &place);
}

static void read_content(struct reading *reading)
{
	struct message *message = reading->message;
	const char *text = text_or(reading->body, "text", NULL);

	message->kind = text ? MESSAGE_TEXT : MESSAGE_UNKNOWN;
	message->text =
		host->text(reading->arena, text ? text : text_or(reading->body, "caption", ""));
	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		if (host->json_kind(reading->body, contents[i].name) == HOST_JSON_ABSENT)
			continue;
		read_file(reading, i);
		break;
	}
	if (host->json_kind(reading->body, "location") == HOST_JSON_OBJECT)
		read_location(reading);
	if (host->json_kind(reading->body, "contact") == HOST_JSON_OBJECT) {
		message->kind = MESSAGE_TEXT;
		message->text = host->format(reading->arena, "%s %s %s",
					     text_or(reading->body, "contact.first_name", ""),
					     text_or(reading->body, "contact.last_name", ""),
					     text_or(reading->body, "contact.phone_number", ""));
	}
}

/* The conversation of a group is the group's, of everybody else the person's. */
static void read_chat(struct reading *reading, struct json_object *chat)
{
	bool is_private = strcmp(text_or(chat, "type", "private"), "private") == 0;

	reading->message->thread = is_private ? "" : number_text(reading, chat, "id");
}

static void read_message(struct reading *reading, bool is_edit)
{
	struct message *message = reading->message;
	struct json_object *body = reading->body;
	struct json_object *from = host->json_at(body, "from");
	const char *id;

	if (host->json_kind(from, "") != HOST_JSON_OBJECT ||
	    host->json_kind(body, "chat.id") != HOST_JSON_NUMBER) {
		reading->error = "message: from and chat are missing";
		return;
	}
	if (host->json_bool(from, "is_bot", false))
		return; /* what bots say among themselves, our own words included */
	id = host->format(reading->arena, "%s:%s", number_text(reading, body, "chat.id"),
			  number_text(reading, body, "message_id"));
	read_person(reading, from);
	read_chat(reading, host->json_at(body, "chat"));
	read_content(reading);
	message->sent_ms = provider_time(host->json_int(body, is_edit ? "edit_date" : "date", 0));
	message->provider_id = id;
	if (is_edit) {
		message->provider_id = host->format(reading->arena, "%s:%s", id,
						    number_text(reading, body, "edit_date"));
		message->kind = MESSAGE_EVENT;
		message->extra = host->format(reading->arena, "{\"edits\":%s}",
					      host->json_quote(reading->arena, id));
	}
	reading->ret->message_count = 1;
}

/* A pressed button. The answer to the POST is the call that stops the button's
 * spinning; its outcome does not matter. */
static void read_button(struct reading *reading, struct json_object *query)
{
	const char *data = text_or(query, "data", "");
	const char *id = text_or(query, "id", "");
	struct message *message = reading->message;

	if (host->json_kind(query, "from.id") != HOST_JSON_NUMBER || !id[0]) {
		reading->error = "callback_query: id and from are missing";
		return;
	}
	read_person(reading, host->json_at(query, "from"));
	message->kind = MESSAGE_EVENT;
	message->provider_id = host->format(reading->arena, "callback:%s", id);
	message->text = host->text(reading->arena, data);
	message->thread = "";
	if (host->json_kind(query, "message.chat") == HOST_JSON_OBJECT)
		read_chat(reading, host->json_at(query, "message.chat"));
	message->extra = host->format(reading->arena, "{\"postback\":%s}",
				      host->json_quote(reading->arena, data));
	reading->ret->message_count = 1;
	reading->ret->answer_status = 200;
	reading->ret->answer_type = "application/json";
	reading->ret->answer_body = host->format(
		reading->arena, "{\"method\":\"answerCallbackQuery\",\"callback_query_id\":%s}",
		host->json_quote(reading->arena, id));
}

/* The person stopped the bot, or started it again. */
static void read_membership(struct reading *reading, struct json_object *member)
{
	struct message *message = reading->message;
	const char *status = text_or(member, "new_chat_member.status", "");

	if (host->json_kind(member, "from.id") != HOST_JSON_NUMBER) {
		reading->error = "my_chat_member: from is missing";
		return;
	}
	read_person(reading, host->json_at(member, "from"));
	read_chat(reading, host->json_at(member, "chat"));
	message->kind = MESSAGE_EVENT;
	message->text = host->text(reading->arena, status);
	message->provider_id = host->format(reading->arena, "update:%s",
					    number_text(reading, reading->update, "update_id"));
	message->sent_ms = provider_time(host->json_int(member, "date", 0));
	message->window_ms = WINDOW_NONE;
	message->extra = host->format(reading->arena, "{\"membership\":%s}",
				      host->json_quote(reading->arena, status));
	reading->ret->message_count = 1;
}

/* A kind of update that we do not know, of a person whom it names. */
static void read_unknown(struct reading *reading)
{
	static const char *const kinds[] = { "message_reaction",  "poll_answer",
					     "chat_join_request", "business_connection",
					     "inline_query",      "pre_checkout_query",
					     "shipping_query" };
	struct message *message = reading->message;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct json_object *member = host->json_at(reading->update, kinds[i]);
		struct json_object *from = member ? host->json_at(member, "user") : NULL;

		if (member && host->json_kind(from, "") != HOST_JSON_OBJECT)
			from = host->json_at(member, "from");
		if (host->json_kind(from, "id") != HOST_JSON_NUMBER)
			continue;
		read_person(reading, from);
		message->kind = MESSAGE_UNKNOWN;
		message->thread = "";
		message->text = kinds[i];
		message->provider_id =
			host->format(reading->arena, "update:%s",
				     number_text(reading, reading->update, "update_id"));
		message->window_ms = WINDOW_NONE;
		reading->ret->message_count = 1;
		return;
	}
}

static void read_update(struct reading *reading)
{
	struct json_object *update = reading->update;

	if (host->json_kind(update, "update_id") != HOST_JSON_NUMBER) {
		reading->error = "update_id must be a number";
		return;
	}
	reading->message->dedupe = host->format(reading->arena, "update:%s",
						number_text(reading, update, "update_id"));
	for (size_t i = 0; i < sizeof(carriers) / sizeof(carriers[0]); i++) {
		reading->body = host->json_at(update, carriers[i].name);
		if (host->json_kind(reading->body, "") == HOST_JSON_OBJECT) {
			read_message(reading, carriers[i].is_edit);
			return;
		}
	}
	if (host->json_kind(update, "callback_query") == HOST_JSON_OBJECT)
		read_button(reading, host->json_at(update, "callback_query"));
	else if (host->json_kind(update, "my_chat_member") == HOST_JSON_OBJECT)
		read_membership(reading, host->json_at(update, "my_chat_member"));
	else
		read_unknown(reading);
}

static int telegram_parse(const struct channel *channel, const struct inbound *in,
			  struct arena *arena, struct parsed *ret, const char **ret_error)
{
	struct reading reading = { .arena = arena, .ret = ret };

	(void)channel;
	reading.update = host->json_read(in->body, in->body_len, arena, ret_error);
	if (!reading.update)
		return -1;
	reading.message = host->alloc(arena, sizeof(*reading.message));
	ret->messages = reading.message;
	read_update(&reading);
	host->json_free(reading.update);
	if (reading.error)
		*ret_error = reading.error;
	return reading.error ? -1 : 0;
}

/* ---- life ---- */

static int telegram_open(const struct host *core, struct channel *channel, const char **ret_error)
{
	const struct telegram_settings *settings = core->channel_settings(channel);
	const char *token = settings->bot_token;

	host = core;
	/* It becomes part of an address. */
	if (!token || !token[0] ||
	    strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-:") !=
		    strlen(token)) {
		*ret_error = "bot_token must look like 123456:ABC-DEF1234";
		return -1;
	}
	return 0;
}

static void telegram_close(struct channel *channel)
{
	struct telegram_state *state = host->channel_state(channel);

	state->is_mine = false;
}

const struct connector telegram_connector = {
	.name = "telegram",
	.abi = CONNECTOR_ABI,
	.abilities = CAN_RECEIVE | CAN_SEND | HAS_MEDIA | PROVIDER_RETRIES | SENDS_ONE_THING,
	.body_format = BODY_RAW,
	.max_text = TEXT_MAX,
	.text_unit = TEXT_UTF16,
	.identifier_kind = "telegram",
	.settings_size = sizeof(struct telegram_settings),
	.settings = telegram_settings_rows,
	.state_size = sizeof(struct telegram_state),
	.open = telegram_open,
	.close = telegram_close,
	.verify = telegram_verify,
	.parse = telegram_parse,
	.send = telegram_send,
	.poll = telegram_poll,
	.find_media = telegram_find_media,
	.test = telegram_test,
};
