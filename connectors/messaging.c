#include "messaging.h"

#include <string.h>

enum { ATTACHMENTS_MAX = 20 };

static const int64_t day_ms = (int64_t)24 * 3600 * 1000;

static const struct host *host;

const struct host *messaging_host(void)
{
	return host;
}

int messaging_open(const struct host *core, struct channel *channel,
		   const struct messaging_kind *kind, const char **ret_error)
{
	const struct messaging_settings *settings = core->channel_settings(channel);
	struct messaging_state *state = core->channel_state(channel);
	const char *id = settings->page_id;

	host = core;
	state->kind = kind;
	if (!id || !id[0] || strspn(id, "0123456789") != strlen(id)) {
		*ret_error = "page_id must be the digits of the page's or the account's id";
		return -1;
	}
	return graph_check(&settings->graph, ret_error);
}

void messaging_close(struct channel *channel)
{
	(void)channel;
}

enum verdict messaging_verify(struct channel *channel, const struct inbound *in,
			      struct arena *arena, struct parsed *ret)
{
	const struct messaging_settings *settings = host->channel_settings(channel);

	return graph_verify(host, &settings->graph, in, arena, ret);
}

void messaging_window(const struct channel *channel, struct window_rules *ret)
{
	const struct messaging_settings *settings = host->channel_settings(channel);

	ret->open_ms = settings->human_agent ? 7 * day_ms : day_ms;
}

void messaging_media(const struct channel *channel, const struct attachment *attachment,
		     struct arena *arena, struct media_request *ret)
{
	const struct messaging_settings *settings = host->channel_settings(channel);

	(void)arena;
	ret->url = attachment->url; /* signed for anybody who has it */
	ret->allow_private = graph_is_private(&settings->graph);
}

/* ---- the way in ---- */

struct reading {
	const struct channel *channel;
	struct arena *arena;
	struct json_object *event;
	const char *person;
	struct message *message;
	struct parsed *ret;
};

static const char *text_at(struct reading *reading, const char *path)
{
	return host->text(reading->arena, provider_text(host, reading->event, path, ""));
}

static bool has(struct reading *reading, const char *path)
{
	return host->json_kind(reading->event, path) == HOST_JSON_OBJECT;
}

static void read_location(struct reading *reading, struct json_object *payload)
{
	struct json_object *latitude = host->json_at(payload, "coordinates.lat");
	struct json_object *longitude = host->json_at(payload, "coordinates.long");
	struct provider_place place = { .name = "", .address = "" };

	if (host->json_kind(latitude, "") != HOST_JSON_NUMBER ||
	    host->json_kind(longitude, "") != HOST_JSON_NUMBER)
		return;
	place.latitude = host->json_print(latitude, reading->arena);
	place.longitude = host->json_print(longitude, reading->arena);
	provider_location(host, reading->arena, reading->message, &place);
}

static void read_attachment(struct reading *reading, struct json_object *item)
{
	static const struct {
		const char *type;
		enum message_kind kind;
		const char *media;
	} known[] = {
		{ "image", MESSAGE_IMAGE, "image/jpeg" },
		{ "video", MESSAGE_VIDEO, "video/mp4" },
		{ "audio", MESSAGE_VOICE, "audio/mp4" },
		{ "file", MESSAGE_FILE, "application/octet-stream" },
		{ "ig_reel", MESSAGE_VIDEO, "video/mp4" },
		{ "reel", MESSAGE_VIDEO, "video/mp4" },
		{ "story_mention", MESSAGE_IMAGE, "application/octet-stream" },
	};
	struct message *message = reading->message;
	const char *type = provider_text(host, item, "type", "");
	const char *url = provider_text(host, item, "payload.url", "");

	if (strcmp(type, "location") == 0) {
		read_location(reading, host->json_at(item, "payload"));
		return;
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].type, type) != 0 || !url[0])
			continue;
		message->kind = known[i].kind;
		message->attachments[message->attachment_count++] =
			(struct attachment){ .name = "",
					     .type = known[i].media,
					     .url = host->text(reading->arena, url),
					     .size = -1 };
		return;
	}
	/* A shared post, a template: what it leads to is all there is. */
	message->text = host->format(reading->arena, "%s%s[%s] %s", message->text,
				     message->text[0] ? "\n" : "", type, url);
}

static void read_content(struct reading *reading)
{
	struct json_object *list = host->json_at(reading->event, "message.attachments");
	const char *chosen = text_at(reading, "message.quick_reply.payload");
	struct message *message = reading->message;
	size_t count = provider_count(host, list);

	message->kind = MESSAGE_TEXT;
	message->text = text_at(reading, "message.text");
	if (count > ATTACHMENTS_MAX)
		count = ATTACHMENTS_MAX;
	message->attachments =
		host->alloc(reading->arena, (count + 1) * sizeof(*message->attachments));
	for (size_t i = 0; i < count; i++)
		read_attachment(reading, host->json_item(list, i));
	if (chosen[0])
		message->extra = host->format(reading->arena, "{\"postback\":%s}",
					      host->json_quote(reading->arena, chosen));
	if (!message->text[0] && message->attachment_count == 0)
		message->kind = MESSAGE_UNKNOWN;
}

static void read_happening(struct reading *reading, const char *text, const char *name,
			   const char *value)
{

	reading->message->kind = MESSAGE_EVENT;
	reading->message->text = text;
	if (value[0])
		reading->message->extra = host->format(reading->arena, "{\"%s\":%s}", name,
						       host->json_quote(reading->arena, value));
}

/* Events without an id of their own are known by who and when. */
static const char *own_id(struct reading *reading, const char *kind)
{
	return host->format(reading->arena, "%s:%s:%lld", kind, reading->person,
			    (long long)host->json_int(reading->event, "timestamp", 0));
}

/* What page, inbox or app wrote itself is not a customer's. */
static void read_message(struct reading *reading)
{
	struct message *message = reading->message;
	const char *mid = text_at(reading, "message.mid");

	if (host->json_bool(reading->event, "message.is_echo", false))
		return;
	message->provider_id = mid[0] ? mid : own_id(reading, "message");
	if (host->json_bool(reading->event, "message.is_deleted", false)) {
		message->provider_id =
			host->format(reading->arena, "unsent:%s", message->provider_id);
		read_happening(reading, "[unsent]", "unsends", mid);
		message->window_ms = WINDOW_NONE;
	} else {
		read_content(reading);
	}
	reading->ret->message_count++;
}

static void read_postback(struct reading *reading)
{
	const char *mid = text_at(reading, "postback.mid");
	const char *title = text_at(reading, "postback.title");
	const char *payload = text_at(reading, "postback.payload");

	reading->message->provider_id = mid[0] ? mid : own_id(reading, "postback");
	read_happening(reading, title[0] ? title : payload, "postback", payload);
	reading->ret->message_count++;
}

static void read_reaction(struct reading *reading)
{
	const char *emoji = text_at(reading, "reaction.emoji");
	const char *action = text_at(reading, "reaction.action");

	reading->message->provider_id = own_id(reading, "reaction");
	reading->message->window_ms = WINDOW_NONE;
	read_happening(reading, strcmp(action, "unreact") == 0 ? "[unreact]" : emoji, "about",
		       text_at(reading, "reaction.mid"));
	reading->ret->message_count++;
}

/* Message by message where they are named, else all until then. */
static void read_mark(struct reading *reading, const char *name, enum receipt_state state)
{
	const struct messaging_settings *settings = host->channel_settings(reading->channel);
	struct json_object *mark = host->json_at(reading->event, name);
	struct json_object *mids = host->json_at(mark, "mids");
	const char *mid = provider_text(host, mark, "mid", "");
	struct parsed *ret = reading->ret;

	for (size_t i = 0; i < provider_count(host, mids); i++)
		ret->receipts[ret->receipt_count++] = (struct receipt){
			.provider_id =
				host->text(reading->arena,
					   provider_text(host, host->json_item(mids, i), "", "-")),
			.state = state
		};
	if (provider_count(host, mids) > 0)
		return;
	if (mid[0])
		ret->receipts[ret->receipt_count++] =
			(struct receipt){ .provider_id = host->text(reading->arena, mid),
					  .state = state };
	else if (host->json_int(mark, "watermark", 0) > 0)
		ret->receipts[ret->receipt_count++] =
			(struct receipt){ .state = state,
					  .to = reading->person,
					  .scope = settings->page_id,
					  .until_ms = host->json_int(mark, "watermark", 0) };
}

static void read_unknown(struct reading *reading)
{
	static const char *const kinds[] = { "optin",
					     "referral",
					     "account_linking",
					     "pass_thread_control",
					     "take_thread_control",
					     "request_thread_control",
					     "app_roles",
					     "policy_enforcement",
					     "message_edit" };
	const char *kind = "event";

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (has(reading, kinds[i]))
			kind = kinds[i];
	reading->message->provider_id = own_id(reading, kind);
	reading->message->window_ms = WINDOW_NONE;
	read_happening(reading, host->format(reading->arena, "[%s]", kind), "", "");
	reading->ret->message_count++;
}

static void read_event(struct reading *reading)
{
	const struct messaging_state *state = host->channel_state(reading->channel);
	const struct messaging_settings *settings = host->channel_settings(reading->channel);
	struct message *message = &reading->ret->messages[reading->ret->message_count];

	reading->person = text_at(reading, "sender.id");
	memset(message, 0, sizeof(*message));
	reading->message = message;
	if (!reading->person[0] || strcmp(reading->person, settings->page_id) == 0)
		return;
	message->text = message->thread = message->sender_name = "";
	message->sent_ms = host->json_int(reading->event, "timestamp", 0);
	message->sender = (struct identifier){
		.kind = state->kind->identifier,
		.scope = host->text(reading->arena, settings->page_id),
		.value = reading->person,
		.proof = PROOF_CHANNEL,
		.proved_by = state->kind->identifier,
	};
	if (has(reading, "message"))
		read_message(reading);
	else if (has(reading, "postback"))
		read_postback(reading);
	else if (has(reading, "reaction"))
		read_reaction(reading);
	else if (has(reading, "delivery"))
		read_mark(reading, "delivery", RECEIPT_DELIVERED);
	else if (has(reading, "read"))
		read_mark(reading, "read", RECEIPT_READ);
	else
		read_unknown(reading);
}

static void read_entry(struct reading *reading, struct json_object *entry)
{
	const struct messaging_settings *settings = host->channel_settings(reading->channel);
	struct json_object *events = host->json_at(entry, "messaging");

	/* One app serves several pages: each channel reads its own. */
	if (strcmp(provider_text(host, entry, "id", ""), settings->page_id) != 0)
		return;
	for (size_t i = 0; i < provider_count(host, events); i++) {
		reading->event = host->json_item(events, i);
		read_event(reading);
	}
}

/* For all that the entries hold: one batch brings a thousand of them, most bring one. */
static void make_room(struct reading *reading, struct json_object *entries)
{
	size_t messages = 1;
	size_t receipts = 1;

	for (size_t i = 0; i < provider_count(host, entries); i++) {
		struct json_object *events =
			host->json_at(host->json_item(entries, i), "messaging");
		size_t count = provider_count(host, events);

		messages += count;
		receipts += count;
		for (size_t j = 0; j < count; j++) {
			struct json_object *event = host->json_item(events, j);

			receipts += provider_count(host, host->json_at(event, "delivery.mids"));
			receipts += provider_count(host, host->json_at(event, "read.mids"));
		}
	}
	reading->ret->messages =
		host->alloc(reading->arena, messages * sizeof(*reading->ret->messages));
	reading->ret->receipts =
		host->alloc(reading->arena, receipts * sizeof(*reading->ret->receipts));
}

int messaging_parse(const struct channel *channel, const struct inbound *in, struct arena *arena,
		    struct parsed *ret, const char **ret_error)
{
	const struct messaging_state *state = host->channel_state(channel);
	struct reading reading = { .channel = channel, .arena = arena, .ret = ret };
	struct json_object *body = host->json_read(in->body, in->body_len, arena, ret_error);
	struct json_object *entries;

	if (!body)
		return -1;
	entries = host->json_at(body, "entry");
	if (host->json_kind(entries, "") != HOST_JSON_ARRAY ||
	    strcmp(provider_text(host, body, "object", ""), state->kind->object) != 0) {
		*ret_error = host->format(arena, "object must be \"%s\", and entry a list",
					  state->kind->object);
		host->json_free(body);
		return -1;
	}
	make_room(&reading, entries);
	for (size_t i = 0; i < provider_count(host, entries); i++)
		read_entry(&reading, host->json_item(entries, i));
	host->json_free(body);
	return 0;
}
