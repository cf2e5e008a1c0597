#include <string.h>

#include "provider_call.h"
#include "wecom_private.h"

enum { ORIGIN_CUSTOMER = 3, ORIGIN_SERVICER = 5, SHA1_BYTES = 20 };

struct reading {
	const struct channel *channel;
	struct arena *arena;
	struct json_object *body;
	struct json_object *item;
	struct message *message;
	struct parsed *parsed;
};

static const char *text_of(struct reading *reading, const char *path)
{
	const struct host *host = wecom_host();

	return host->text(reading->arena, provider_text(host, reading->item, path, ""));
}

static const char *quoted(struct reading *reading, const char *path)
{
	return wecom_host()->json_quote(reading->arena, text_of(reading, path));
}

static const char *number_of(struct reading *reading, const char *path)
{
	const struct host *host = wecom_host();
	struct json_object *number = host->json_at(reading->item, path);

	return number && host->json_kind(number, "") == HOST_JSON_NUMBER
		       ? host->json_print(number, reading->arena)
		       : "0";
}

/* ---- messages ---- */

static void read_file(struct reading *reading, enum message_kind kind, const char *type)
{
	const struct host *host = wecom_host();
	struct attachment *attachment = host->alloc(reading->arena, sizeof(*attachment));
	const char *path = host->format(reading->arena, "%s.media_id", text_of(reading, "msgtype"));
	const char *id = text_of(reading, path);

	reading->message->kind = kind;
	if (!id[0])
		return;
	memset(attachment, 0, sizeof(*attachment));
	attachment->url = host->format(reading->arena, "media:%s", id);
	attachment->type = type;
	attachment->name = "";
	attachment->size = -1;
	reading->message->attachments = attachment;
	reading->message->attachment_count = 1;
}

static void read_location(struct reading *reading)
{
	const struct provider_place place = {
		text_of(reading, "location.name"),
		text_of(reading, "location.address"),
		number_of(reading, "location.latitude"),
		number_of(reading, "location.longitude"),
	};

	provider_location(wecom_host(), reading->arena, reading->message, &place);
}

static void read_text(struct reading *reading)
{
	const char *menu = text_of(reading, "text.menu_id");

	reading->message->kind = MESSAGE_TEXT;
	reading->message->text = text_of(reading, "text.content");
	if (menu[0])
		reading->message->extra =
			wecom_host()->format(reading->arena, "{\"postback\":%s}",
					     wecom_host()->json_quote(reading->arena, menu));
}

/* Kinds that are shown by a line of theirs. */
static bool read_line(struct reading *reading, const char *type)
{
	const struct host *host = wecom_host();
	struct arena *arena = reading->arena;
	const char *line = NULL;

	if (strcmp(type, "link") == 0)
		line = host->format(arena, "%s\n%s", text_of(reading, "link.title"),
				    text_of(reading, "link.url"));
	else if (strcmp(type, "miniprogram") == 0)
		line = host->format(arena, "[miniprogram] %s",
				    text_of(reading, "miniprogram.title"));
	else if (strcmp(type, "business_card") == 0)
		line = host->format(arena, "[business_card] %s",
				    text_of(reading, "business_card.userid"));
	else if (strcmp(type, "channels_shop_product") == 0)
		line = host->format(arena, "[product] %s",
				    text_of(reading, "channels_shop_product.title"));
	else if (strcmp(type, "channels_shop_order") == 0)
		line = host->format(arena, "[order] %s",
				    text_of(reading, "channels_shop_order.order_id"));
	if (!line)
		return false;
	reading->message->kind = MESSAGE_TEXT;
	reading->message->text = line;
	return true;
}

static void read_content(struct reading *reading)
{
	const char *type = text_of(reading, "msgtype");

	if (strcmp(type, "text") == 0) {
		read_text(reading);
	} else if (strcmp(type, "image") == 0) {
		read_file(reading, MESSAGE_IMAGE, "image/jpeg");
	} else if (strcmp(type, "voice") == 0) {
		read_file(reading, MESSAGE_VOICE, "audio/amr");
	} else if (strcmp(type, "video") == 0) {
		read_file(reading, MESSAGE_VIDEO, "video/mp4");
	} else if (strcmp(type, "file") == 0) {
		read_file(reading, MESSAGE_FILE, "application/octet-stream");
	} else if (strcmp(type, "location") == 0) {
		read_location(reading);
	} else if (!read_line(reading, type)) {
		reading->message->kind = MESSAGE_UNKNOWN;
		reading->message->text = wecom_host()->format(reading->arena, "[%s]", type);
	}
}

/* ---- events ---- */

static const char *why_failed(int64_t type)
{
	static const char *const reasons[] = {
		[0] = "unknown reason",
		[1] = "the account was deleted",
		[2] = "the app was closed",
		[4] = "more than 48 hours since the customer wrote",
		[5] = "the session was closed",
		[6] = "more than 5 messages since the customer wrote",
		[8] = "the company is not verified",
		[10] = "the customer refuses messages",
		[11] = "no member is logged in to WeCom",
		[12] = "this kind of message is forbidden",
		[13] = "stopped for safety",
	};

	if (type < 0 || type >= (int64_t)(sizeof(reasons) / sizeof(reasons[0])) || !reasons[type])
		return reasons[0];
	return reasons[type];
}

static void read_failure(struct reading *reading)
{
	const struct host *host = wecom_host();
	struct receipt *receipt = host->alloc(reading->arena, sizeof(*receipt));

	memset(receipt, 0, sizeof(*receipt));
	receipt->provider_id = text_of(reading, "event.fail_msgid");
	receipt->state = RECEIPT_FAILED;
	receipt->error = why_failed(host->json_int(reading->item, "event.fail_type", 0));
	reading->parsed->receipts = receipt;
	reading->parsed->receipt_count = receipt->provider_id[0] ? 1 : 0;
}

static void read_event(struct reading *reading, const char *type)
{
	const struct host *host = wecom_host();
	struct arena *arena = reading->arena;
	struct message *message = reading->message;

	message->kind = MESSAGE_EVENT;
	message->window_ms = WINDOW_NONE;
	message->text = host->format(arena, "[%s]", type);
	if (strcmp(type, "user_recall_msg") == 0)
		message->extra = host->format(arena, "{\"unsends\":%s}",
					      quoted(reading, "event.recall_msgid"));
	else if (strcmp(type, "enter_session") == 0)
		message->extra = host->format(
			arena, "{\"event\":\"enter_session\",\"scene\":%s,\"scene_param\":%s}",
			quoted(reading, "event.scene"), quoted(reading, "event.scene_param"));
	else if (strcmp(type, "session_status_change") == 0)
		message->extra =
			host->format(arena,
				     "{\"event\":\"session_status_change\",\"change_type\":%s,"
				     "\"from\":%s,\"to\":%s}",
				     number_of(reading, "event.change_type"),
				     quoted(reading, "event.old_servicer_userid"),
				     quoted(reading, "event.new_servicer_userid"));
	else
		message->extra =
			host->format(arena, "{\"event\":%s}", host->json_quote(arena, type));
}

/* ---- who, where and when ---- */

/* Events may come without an id: the whole item stands for it. */
static const char *item_id(struct reading *reading)
{
	const struct host *host = wecom_host();
	const char *id = text_of(reading, "msgid");
	unsigned char hash[SHA1_BYTES];
	const char *all;

	if (id[0])
		return id;
	all = host->json_print(reading->item, reading->arena);
	host->sha1(all, strlen(all), hash);
	return host->format(reading->arena, "event-%s",
			    host->hex(reading->arena, hash, sizeof(hash)));
}

/* Of the message or, where it has none, of its event. */
static const char *either(struct reading *reading, const char *name)
{
	const char *text = text_of(reading, name);

	return text[0] ? text
		       : text_of(reading, wecom_host()->format(reading->arena, "event.%s", name));
}

static bool read_head(struct reading *reading)
{
	const struct host *host = wecom_host();
	const struct wecom_settings *settings = host->channel_settings(reading->channel);
	struct message *message = reading->message;
	const char *union_id = provider_text(host, reading->body, "unionid", "");

	message->provider_id = item_id(reading);
	message->text = "";
	message->thread = either(reading, "open_kfid");
	message->sent_ms = provider_time(host->json_int(reading->item, "send_time", 0));
	message->sender_name =
		host->text(reading->arena, provider_text(host, reading->body, "nickname", ""));
	message->sender = (struct identifier){
		.kind = "wecom",
		.scope = host->text(reading->arena, settings->corp_id),
		.value = either(reading, "external_userid"),
		.proof = PROOF_CHANNEL,
		.proved_by = "wecom",
	};
	if (union_id[0])
		message->others[message->other_count++] = (struct identifier){
			.kind = "unionid",
			.scope = "",
			.value = host->text(reading->arena, union_id),
			.proof = PROOF_CHANNEL,
			.proved_by = "wecom",
		};
	return message->sender.value[0];
}

/* What a servicer wrote in WeCom itself, or what concerns no customer, is nothing for us. */
static void read_item(struct reading *reading)
{
	const struct host *host = wecom_host();
	const char *event = text_of(reading, "event.event_type");
	bool is_event = strcmp(text_of(reading, "msgtype"), "event") == 0;
	int64_t origin = host->json_int(reading->item, "origin", ORIGIN_CUSTOMER);

	if (is_event && strcmp(event, "msg_send_fail") == 0) {
		read_failure(reading);
		return;
	}
	if (!read_head(reading) || (!is_event && origin == ORIGIN_SERVICER))
		return;
	if (is_event)
		read_event(reading, event);
	else
		read_content(reading);
	reading->parsed->messages = reading->message;
	reading->parsed->message_count = 1;
}

int wecom_read_item(const struct channel *channel, const struct inbound *in, struct arena *arena,
		    struct parsed *ret, const char **ret_error)
{
	const struct host *host = wecom_host();
	struct reading reading = { .channel = channel, .arena = arena, .parsed = ret };
	bool is_item;

	reading.body = host->json_read(in->body, in->body_len, arena, ret_error);
	if (!reading.body)
		return -1;
	reading.item = host->json_at(reading.body, "item");
	is_item = reading.item && host->json_kind(reading.item, "") == HOST_JSON_OBJECT;
	if (is_item) {
		reading.message = host->alloc(arena, sizeof(*reading.message));
		memset(reading.message, 0, sizeof(*reading.message));
		read_item(&reading);
	} else {
		*ret_error = "item: must be an object";
	}
	host->json_free(reading.body);
	return is_item ? 0 : -1;
}
