/* whatsapp: a number of the WhatsApp Business Platform (Cloud API,
 * developers.facebook.com/docs/whatsapp).
 *
 * In: the hub handshake, and POST /in/<channel> with X-Hub-Signature-256 over
 * the body; batches of messages and of delivery states. Only what is for our
 * phone_number_id is read. Out: free text and files within 24 hours of what
 * the customer wrote last, an approved template at any time. No key against
 * doubles; delivery states settle what is uncertain. Limit: 4096 characters. */
#include <stdlib.h>
#include <string.h>

#include "graph.h"
#include "whatsapp_private.h"

enum { TEXT_MAX = 4096, BODY_MAX = 4 * 1024 * 1024 };

static const struct setting whatsapp_settings_rows[] = {
	SETTING_ROW(
		"phone_number_id", TEXT, struct whatsapp_settings, phone_number_id, NULL,
		.flags = SETTING_REQUIRED,
		.text = "App dashboard, WhatsApp, API setup, Phone number ID (not the number)."),
	GRAPH_ROWS(struct whatsapp_settings, graph),
	SETTING_END,
};

/* One per process, given by open(): parse() has only a const channel. */
static const struct host *host;

const struct host *whatsapp_host(void)
{
	return host;
}

static enum verdict whatsapp_verify(struct channel *channel, const struct inbound *in,
				    struct arena *arena, struct parsed *ret)
{
	const struct whatsapp_settings *settings = host->channel_settings(channel);

	return graph_verify(host, &settings->graph, in, arena, ret);
}

/* ---- the way in ---- */

struct reading {
	const struct channel *channel;
	struct arena *arena;
	struct json_object *value; /* of a change */
	struct json_object *item;
	struct message *message;
	struct parsed *ret;
};

static const char *text_at(struct reading *reading, const char *path)
{
	return host->text(reading->arena, provider_text(host, reading->item, path, ""));
}

/* By id, never by place: a batch has the contacts of all its messages. */
static const char *name_of(struct reading *reading, const char *from)
{
	struct json_object *contacts = host->json_at(reading->value, "contacts");

	for (size_t i = 0; i < provider_count(host, contacts); i++) {
		struct json_object *contact = host->json_item(contacts, i);

		if (strcmp(provider_text(host, contact, "wa_id", ""), from) == 0)
			return host->text(reading->arena,
					  provider_text(host, contact, "profile.name", ""));
	}
	return "";
}

/* A person without a number has an id that is no run of digits. */
static void read_person(struct reading *reading, const char *from)
{
	struct message *message = reading->message;
	size_t len = strlen(from);
	bool is_number = len >= 7 && len <= 15 && strspn(from, "0123456789") == len;

	message->sender = (struct identifier){
		.kind = "whatsapp",
		.scope = "",
		.value = from,
		.proof = PROOF_CHANNEL,
		.proved_by = "whatsapp",
	};
	message->sender_name = name_of(reading, from);
	if (is_number)
		message->others[message->other_count++] = (struct identifier){
			.kind = "phone",
			.scope = "",
			.value = host->format(reading->arena, "+%s", from),
			.proof = PROOF_CHANNEL,
			.proved_by = "whatsapp",
		};
}

static void read_file(struct reading *reading, const char *type, enum message_kind kind)
{
	struct attachment *file = host->alloc(reading->arena, sizeof(*file));
	struct message *message = reading->message;
	const char *id = text_at(reading, host->format(reading->arena, "%s.id", type));
	char *mime =
		host->text(reading->arena,
			   text_at(reading, host->format(reading->arena, "%s.mime_type", type)));

	if (!id[0])
		return;
	mime[strcspn(mime, ";")] = 0;
	file->url = host->format(reading->arena, "media:%s", id);
	file->type = mime[0] ? mime : "application/octet-stream";
	file->name = text_at(reading, host->format(reading->arena, "%s.filename", type));
	file->size = -1;
	message->attachments = file;
	message->attachment_count = 1;
	message->kind = kind;
	message->text = text_at(reading, host->format(reading->arena, "%s.caption", type));
}

static void read_location(struct reading *reading)
{
	struct json_object *latitude = host->json_at(reading->item, "location.latitude");
	struct json_object *longitude = host->json_at(reading->item, "location.longitude");
	struct provider_place place = { text_at(reading, "location.name"),
					text_at(reading, "location.address"), NULL, NULL };

	if (host->json_kind(latitude, "") != HOST_JSON_NUMBER ||
	    host->json_kind(longitude, "") != HOST_JSON_NUMBER)
		return;
	place.latitude = host->json_print(latitude, reading->arena);
	place.longitude = host->json_print(longitude, reading->arena);
	provider_location(host, reading->arena, reading->message, &place);
}

static void read_choice(struct reading *reading, const char *text, const char *chosen)
{
	reading->message->kind = MESSAGE_TEXT;
	reading->message->text = text;
	reading->message->extra = host->format(reading->arena, "{\"postback\":%s}",
					       host->json_quote(reading->arena, chosen));
}

static void read_interactive(struct reading *reading)
{
	const char *kind = text_at(reading, "interactive.type");

	if (strcmp(kind, "button_reply") == 0)
		read_choice(reading, text_at(reading, "interactive.button_reply.title"),
			    text_at(reading, "interactive.button_reply.id"));
	else if (strcmp(kind, "list_reply") == 0)
		read_choice(reading, text_at(reading, "interactive.list_reply.title"),
			    text_at(reading, "interactive.list_reply.id"));
	else if (strcmp(kind, "nfm_reply") == 0)
		read_choice(reading, text_at(reading, "interactive.nfm_reply.body"),
			    text_at(reading, "interactive.nfm_reply.response_json"));
}

static void read_happening(struct reading *reading, const char *text, const char *about)
{
	reading->message->kind = MESSAGE_EVENT;
	reading->message->text = text;
	if (about[0])
		reading->message->extra = host->format(reading->arena, "{\"about\":%s}",
						       host->json_quote(reading->arena, about));
}

static void read_content(struct reading *reading, const char *type)
{
	static const struct {
		const char *type;
		enum message_kind kind;
	} files[] = {
		{ "image", MESSAGE_IMAGE },   { "video", MESSAGE_VIDEO },
		{ "audio", MESSAGE_VOICE },   { "document", MESSAGE_FILE },
		{ "sticker", MESSAGE_IMAGE },
	};
	struct message *message = reading->message;

	message->kind = MESSAGE_UNKNOWN;
	message->text = host->format(reading->arena, "[%s]", type);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (strcmp(files[i].type, type) == 0)
			read_file(reading, type, files[i].kind);
	if (strcmp(type, "text") == 0) {
		message->kind = MESSAGE_TEXT;
		message->text = text_at(reading, "text.body");
	} else if (strcmp(type, "location") == 0) {
		read_location(reading);
	} else if (strcmp(type, "interactive") == 0) {
		read_interactive(reading);
	} else if (strcmp(type, "button") == 0) {
		read_choice(reading, text_at(reading, "button.text"),
			    text_at(reading, "button.payload"));
	} else if (strcmp(type, "reaction") == 0) {
		read_happening(reading, text_at(reading, "reaction.emoji"),
			       text_at(reading, "reaction.message_id"));
	} else if (strcmp(type, "system") == 0) {
		read_happening(reading, text_at(reading, "system.body"),
			       text_at(reading, "system.wa_id"));
	}
}

static void read_message(struct reading *reading)
{
	struct message *message = &reading->ret->messages[reading->ret->message_count];
	const char *from = text_at(reading, "from");
	const char *id = text_at(reading, "id");

	memset(message, 0, sizeof(*message));
	reading->message = message;
	if (!from[0] || !id[0])
		return;
	message->provider_id = id;
	message->thread = "";
	message->sent_ms = provider_time(strtoll(text_at(reading, "timestamp"), NULL, 10));
	read_person(reading, from);
	read_content(reading, text_at(reading, "type"));
	reading->ret->message_count++;
}

static void read_status(struct reading *reading)
{
	static const struct {
		const char *status;
		enum receipt_state state;
	} known[] = {
		{ "sent", RECEIPT_SENT },     { "delivered", RECEIPT_DELIVERED },
		{ "read", RECEIPT_READ },     { "played", RECEIPT_READ },
		{ "failed", RECEIPT_FAILED },
	};
	struct receipt *receipt = &reading->ret->receipts[reading->ret->receipt_count];
	const char *status = text_at(reading, "status");
	struct json_object *errors = host->json_at(reading->item, "errors");
	struct json_object *error =
		provider_count(host, errors) ? host->json_item(errors, 0) : NULL;

	*receipt = (struct receipt){ .provider_id = text_at(reading, "id") };
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].status, status) != 0 || !receipt->provider_id[0])
			continue;
		receipt->state = known[i].state;
		if (receipt->state == RECEIPT_FAILED)
			receipt->error = host->format(
				reading->arena, "%lld %s",
				(long long)(error ? host->json_int(error, "code", 0) : 0),
				provider_text(host, error, "title", ""));
		reading->ret->receipt_count++;
		return;
	}
}

static void read_list(struct reading *reading, const char *name,
		      void (*read)(struct reading *reading))
{
	struct json_object *list = host->json_at(reading->value, name);

	for (size_t i = 0; i < provider_count(host, list); i++) {
		reading->item = host->json_item(list, i);
		read(reading);
	}
}

/* One app serves several numbers: each channel reads its own. */
static void read_change(struct reading *reading, struct json_object *change)
{
	const struct whatsapp_settings *settings = host->channel_settings(reading->channel);
	const char *field = provider_text(host, change, "field", "");

	reading->value = host->json_at(change, "value");
	if (host->json_kind(reading->value, "") != HOST_JSON_OBJECT ||
	    strcmp(provider_text(host, reading->value, "metadata.phone_number_id", ""),
		   settings->phone_number_id) != 0)
		return;
	if (strcmp(field, "messages") != 0) {
		host->log(reading->channel, 2, "event=told field=%s",
			  host->json_quote(reading->arena, field));
		return;
	}
	read_list(reading, "messages", read_message);
	read_list(reading, "statuses", read_status);
}

/* For all that the entries hold: one batch brings a thousand of them, most bring one. */
static void make_room(struct reading *reading, struct json_object *entries)
{
	size_t messages = 1;
	size_t statuses = 1;

	for (size_t i = 0; i < provider_count(host, entries); i++) {
		struct json_object *changes = host->json_at(host->json_item(entries, i), "changes");

		for (size_t j = 0; j < provider_count(host, changes); j++) {
			struct json_object *change = host->json_item(changes, j);

			messages += provider_count(host, host->json_at(change, "value.messages"));
			statuses += provider_count(host, host->json_at(change, "value.statuses"));
		}
	}
	reading->ret->messages =
		host->alloc(reading->arena, messages * sizeof(*reading->ret->messages));
	reading->ret->receipts =
		host->alloc(reading->arena, statuses * sizeof(*reading->ret->receipts));
}

static int whatsapp_parse(const struct channel *channel, const struct inbound *in,
			  struct arena *arena, struct parsed *ret, const char **ret_error)
{
	struct reading reading = { .channel = channel, .arena = arena, .ret = ret };
	struct json_object *body = host->json_read(in->body, in->body_len, arena, ret_error);
	struct json_object *entries;

	if (!body)
		return -1;
	entries = host->json_at(body, "entry");
	if (host->json_kind(entries, "") != HOST_JSON_ARRAY) {
		host->json_free(body);
		*ret_error = "entry must be a list";
		return -1;
	}
	make_room(&reading, entries);
	for (size_t i = 0; i < provider_count(host, entries); i++) {
		struct json_object *changes = host->json_at(host->json_item(entries, i), "changes");

		for (size_t j = 0; j < provider_count(host, changes); j++)
			read_change(&reading, host->json_item(changes, j));
	}
	host->json_free(body);
	return 0;
}

static void whatsapp_window(const struct channel *channel, struct window_rules *ret)
{
	(void)channel;
	ret->open_ms = (int64_t)24 * 3600 * 1000;
	ret->after = AFTER_TEMPLATE;
}

/* ---- life ---- */

static int whatsapp_open(const struct host *core, struct channel *channel, const char **ret_error)
{
	const struct whatsapp_settings *settings = core->channel_settings(channel);
	const char *id = settings->phone_number_id;

	host = core;
	if (!id || !id[0] || strspn(id, "0123456789") != strlen(id)) {
		*ret_error = "phone_number_id must be the digits of the number's id";
		return -1;
	}
	return graph_check(&settings->graph, ret_error);
}

static void whatsapp_close(struct channel *channel)
{
	(void)channel;
}

const struct connector whatsapp_connector = {
	.name = "whatsapp",
	.abi = CONNECTOR_ABI,
	.abilities = CAN_RECEIVE | CAN_SEND | HAS_MEDIA | HAS_RECEIPTS | PROVIDER_RETRIES |
		     SENDS_ONE_THING,
	.body_format = BODY_RAW,
	.max_text = TEXT_MAX,
	.text_unit = TEXT_CHARACTERS,
	.body_limit = BODY_MAX,
	.identifier_kind = "whatsapp",
	.settings_size = sizeof(struct whatsapp_settings),
	.settings = whatsapp_settings_rows,
	.open = whatsapp_open,
	.close = whatsapp_close,
	.verify = whatsapp_verify,
	.parse = whatsapp_parse,
	.send = whatsapp_send,
	.find_media = whatsapp_find_media,
	.test = whatsapp_test,
	.window = whatsapp_window,
};
