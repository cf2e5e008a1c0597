/* Messenger and Instagram messaging. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "provider_graph.h"

enum { TEXT_MAX = 2000, INSTAGRAM_BYTES = 1000, QUICK_REPLIES_MAX = 13 };

static const int64_t HUMAN_AGENT_MS = INT64_C(7) * 86400 * 1000;

static bool is_instagram(const struct standin *sim)
{
	return sim->provider == &instagram_provider;
}

static bool call_is_right(struct ask *ask)
{
	if (!graph_version_is_right(ask) || !graph_token_is_right(ask))
		return false;
	if (strcmp(ask->rest[1], "me") == 0 ||
	    strcmp(ask->rest[1], setting(ask->sim, "page_id")) == 0)
		return true;
	refuse(ask, "not_found", "Object with that ID does not exist");
	return false;
}

static const char *check_text(struct ask *ask, const char *text)
{
	struct json_object *replies = json_at(ask->json, "message.quick_replies");
	if (text[0] == '\0')
		return "100/2018034";
	if (json_count(replies) > QUICK_REPLIES_MAX)
		return "100";
	if (is_instagram(ask->sim))
		return strlen(text) > INSTAGRAM_BYTES ? "100" : NULL;
	return text_characters(text, strlen(text)) > TEXT_MAX ? "100" : NULL;
}

static const char *check_attachment(struct ask *ask)
{
	static const char types[] = "image,video,audio,file,template";
	struct json_object *payload = json_at(ask->json, "message.attachment.payload");
	const char *type = json_text(ask->json, "message.attachment.type");
	const char *url = json_text(payload, "url");
	const char *id = json_text(payload, "attachment_id");
	if (type == NULL || !text_has_word(types, ',', type))
		return "100";
	if (is_instagram(ask->sim) && strcmp(type, "file") == 0)
		return "100";
	if (strcmp(type, "template") == 0)
		return NULL;
	if ((url == NULL) == (id == NULL))
		return "100";
	if (id != NULL && media_find(ask->sim, id) == NULL)
		return "100/2018074";
	return url != NULL && !text_starts(url, "http") ? "100" : NULL;
}

/* Whether we may write to this person now: NULL or the error. */
static const char *check_window(struct ask *ask, struct person *person)
{
	const char *type = said(ask->json, "messaging_type", "");
	const char *tag = said(ask->json, "tag", "");
	if (person->is_blocked)
		return "551/1545041";
	if (strcmp(type, "MESSAGE_TAG") == 0) {
		int64_t last =
			person->window_until_ms - strtoll(setting(ask->sim, "window_ms"), NULL, 10);
		bool is_human = strcmp(tag, "HUMAN_AGENT") == 0;
		return is_human && last + HUMAN_AGENT_MS > sim_now_ms()
			       ? NULL
			       : ask->sim->provider->window_code;
	}
	if (strcmp(type, "RESPONSE") != 0 && strcmp(type, "UPDATE") != 0)
		return "100";
	return window_take(ask->sim, person->id) ? NULL : ask->sim->provider->window_code;
}

static const char *wrong_with(struct ask *ask, const char *to)
{
	const char *text = json_text(ask->json, "message.text");
	bool has_file = json_has(ask->json, "message.attachment");
	struct person *person = person_find(ask->sim, to);
	if (to == NULL)
		return "100";
	if (person == NULL)
		return "100/2018001";
	if (text != NULL && has_file)
		return "100";
	if (text == NULL && !has_file)
		return "100/2018034";
	const char *wrong = text != NULL ? check_text(ask, text) : check_attachment(ask);
	return wrong != NULL ? wrong : check_window(ask, person);
}

static void on_action(struct ask *ask, const char *to)
{
	const char *action = json_text(ask->json, "sender_action");
	if (person_find(ask->sim, to) == NULL)
		refuse(ask, "100/2018001", "No matching user found");
	else if (!text_has_word("mark_seen,typing_on,typing_off,react,unreact", ',', action))
		refuse(ask, "100", "no such sender_action");
	else
		answer_json(ask, 200, "{\"recipient_id\":%s}", quote(ask->arena, to));
}

static void on_message(struct ask *ask)
{
	if (!call_is_right(ask))
		return;
	if (ask_json(ask) == NULL) {
		refuse(ask, "100", "The body is no JSON");
		return;
	}
	const char *to = json_text(ask->json, "recipient.id");
	if (json_has(ask->json, "sender_action")) {
		on_action(ask, to);
		return;
	}
	const char *wrong = wrong_with(ask, to);
	if (wrong != NULL) {
		refuse(ask, wrong, "The message is not what the API asks for");
		return;
	}
	const char *id = arena_format(ask->arena, "m_SIM%06lld", (long long)next_number(ask->sim));
	const char *text = json_text(ask->json, "message.text");
	const char *upload = json_text(ask->json, "message.attachment.payload.attachment_id");
	const char *url = json_text(ask->json, "message.attachment.payload.url");
	accept_send(ask,
		    &(struct accepted){
			    .id = id,
			    .to = to,
			    .kind = text != NULL ? "text"
						 : json_text(ask->json, "message.attachment.type"),
			    .text = text,
			    .media = upload != NULL ? upload : url });
	answer_json(ask, 200, "{\"recipient_id\":%s,\"message_id\":\"%s\"}", quote(ask->arena, to),
		    id);
}

/* message: {"attachment":{"type","payload":{"is_reusable"}}}, and the file in filedata. */
static void on_upload(struct ask *ask)
{
	struct part message, file;
	struct error err;
	if (!call_is_right(ask))
		return;
	if (!ask_part(ask, "message", &message) || !ask_part(ask, "filedata", &file) ||
	    file.file == NULL || file.len == 0) {
		refuse(ask, "100", "message or filedata is missing");
		return;
	}
	struct json_object *json = json_read(message.bytes, message.len, &err);
	const char *type = json_text(json, "attachment.type");
	bool is_right = type != NULL && text_has_word("image,video,audio,file", ',', type);
	size_t limit = is_right && strcmp(type, "image") == 0 ? 8u << 20 : 25u << 20;
	json_free(&json);
	if (!is_right || file.len > limit) {
		refuse(ask, "100/2018047", "the attachment's type or size is not supported");
		return;
	}
	const char *id = arena_format(ask->arena, "18%010lld", (long long)next_number(ask->sim));
	media_bytes(media_keep(ask->sim, id, file.type, file.file), file.bytes, file.len);
	answer_json(ask, 200, "{\"attachment_id\":\"%s\"}", id);
}

/* A customer's profile, or the page itself. */
static void on_object(struct ask *ask)
{
	if (!graph_version_is_right(ask) || !graph_token_is_right(ask))
		return;
	const struct person *person = person_find(ask->sim, ask->rest[1]);
	if (person != NULL)
		answer_json(
			ask, 200,
			"{\"id\":\"%s\",\"name\":\"Ana Sim\",\"first_name\":\"Ana\",\"last_name\":"
			"\"Sim\"}",
			ask->rest[1]);
	else if (strcmp(ask->rest[1], "me") == 0 ||
		 strcmp(ask->rest[1], setting(ask->sim, "page_id")) == 0)
		answer_json(ask, 200, "{\"id\":\"%s\",\"name\":\"Sim\"}",
			    setting(ask->sim, "page_id"));
	else
		refuse(ask, "not_found", "Object with that ID does not exist");
}

/* ---- customers ---- */

static const char *attachment(struct standin *sim, struct json_object *what, struct arena *arena)
{
	const char *kind = said(what, "kind", "text");
	const char *id = arena_format(arena, "cdn%lld", (long long)next_number(sim));
	if (strcmp(kind, "location") == 0)
		return arena_format(
			arena,
			"\"attachments\":[{\"type\":\"location\",\"title\":%s,\"payload\":{"
			"\"coordinates\":{\"lat\":%s,\"long\":%s}}}]",
			quote(arena, said(what, "text", "")), said(what, "latitude", "31.2304"),
			said(what, "longitude", "121.4737"));
	if (media_said(sim, what, id) == NULL)
		return NULL;
	return arena_format(arena, "\"attachments\":[{\"type\":\"%s\",\"payload\":{\"url\":%s}}]",
			    strcmp(kind, "voice") == 0 ? "audio" : kind,
			    quote(arena, graph_media_url(sim, arena, id)));
}

/* What stands in the event beside sender, recipient and timestamp; NULL: cannot be said. */
static const char *content(struct standin *sim, struct json_object *what, struct arena *arena,
			   const char *mid)
{
	const char *kind = said(what, "kind", "text");
	const char *text = quote(arena, said(what, "text", ""));
	const char *reply_to = json_text(what, "reply_to");
	const char *reply = reply_to == NULL ? ""
					     : arena_format(arena, ",\"reply_to\":{\"mid\":%s}",
							    quote(arena, reply_to));
	if (strcmp(kind, "text") == 0)
		return arena_format(arena, "\"message\":{\"mid\":\"%s\",\"text\":%s%s}", mid, text,
				    reply);
	if (strcmp(kind, "quick_reply") == 0)
		return arena_format(
			arena,
			"\"message\":{\"mid\":\"%s\",\"text\":%s,\"quick_reply\":{\"payload\":%s}}",
			mid, text, quote(arena, said(what, "payload", "yes")));
	if (strcmp(kind, "postback") == 0)
		return arena_format(arena,
				    "\"postback\":{\"mid\":\"%s\",\"title\":%s,\"payload\":%s}",
				    mid, text, quote(arena, said(what, "payload", "yes")));
	if (strcmp(kind, "echo") == 0)
		return arena_format(
			arena,
			"\"message\":{\"mid\":\"%s\",\"text\":%s,\"is_echo\":true,\"app_id\":%s}",
			mid, text, said(what, "app_id", "263902037430900"));
	if (strcmp(kind, "unsend") == 0)
		return arena_format(arena, "\"message\":{\"mid\":%s,\"is_deleted\":true}",
				    quote(arena, reply_to != NULL ? reply_to : ""));
	if (strcmp(kind, "unsupported") == 0)
		return arena_format(arena, "\"message\":{\"mid\":\"%s\",\"is_unsupported\":true}",
				    mid);
	if (strcmp(kind, "reaction") == 0)
		return arena_format(arena,
				    "\"reaction\":{\"mid\":%s,\"action\":\"react\",\"reaction\":"
				    "\"love\",\"emoji\":%s}",
				    quote(arena, reply_to != NULL ? reply_to : ""), text);
	const char *file = attachment(sim, what, arena);
	return file == NULL
		       ? NULL
		       : arena_format(arena, "\"message\":{\"mid\":\"%s\",%s%s}", mid, file, reply);
}

static void add_event(struct standin *sim, struct json_object *what, const char *inside,
		      struct buf *out)
{
	struct arena *arena = arena_new(0);
	const char *customer = quote(arena, said(what, "from", "9009"));
	const char *page = quote(arena, setting(sim, "page_id"));
	bool is_echo = strcmp(said(what, "kind", "text"), "echo") == 0;
	buf_format(out,
		   "%s{\"sender\":{\"id\":%s},\"recipient\":{\"id\":%s},\"timestamp\":%lld,%s}",
		   out->data[out->len - 1] == '}' ? "," : "", is_echo ? page : customer,
		   is_echo ? customer : page, (long long)graph_time_ms(what), inside);
	arena_free(&arena);
}

static void open_body(struct standin *sim, const char *member, struct buf *out)
{
	buf_format(out, "{\"object\":\"%s\",\"entry\":[{\"id\":\"%s\",\"time\":%lld,\"%s\":[",
		   is_instagram(sim) ? "instagram" : "page", setting(sim, "page_id"),
		   (long long)sim_now_ms(), member);
}

static const char *say(struct standin *sim, struct json_object *what, char ret_id[128])
{
	struct arena *arena = arena_new(0);
	struct buf body = { 0 };
	const char *from = said(what, "from", "9009");
	struct json_object *texts = json_at(what, "texts");
	snprintf(ret_id, 128, "m_CUST%06lld", (long long)next_number(sim));
	const char *inside = content(sim, what, arena, ret_id);
	open_body(sim, json_bool(what, "standby", false) ? "standby" : "messaging", &body);
	for (size_t i = 0; i < json_count(texts); i++)
		add_event(sim, what,
			  arena_format(arena, "\"message\":{\"mid\":\"%s-%zu\",\"text\":%s}",
				       ret_id, i, quote(arena, json_string(json_item(texts, i)))),
			  &body);
	if (json_count(texts) == 0 && inside != NULL)
		add_event(sim, what, inside, &body);
	buf_text(&body, "]}]}");
	if (inside != NULL) {
		window_open(sim, from, strtoll(setting(sim, "window_ms"), NULL, 10), 0);
		graph_post(sim, ret_id, what, &body);
	}
	buf_clear(&body);
	arena_free(&arena);
	return inside != NULL ? NULL : "media.base64 is missing or unreadable";
}

static const char *receipt_event(struct standin *sim, struct json_object *what, const char *status,
				 struct arena *arena)
{
	const char *id = quote(arena, said(what, "id", ""));
	long long until = (long long)json_int(what, "until_ms", sim_now_ms());
	if (strcmp(status, "delivered") == 0)
		return arena_format(arena, "\"delivery\":{%s%s%s\"watermark\":%lld}",
				    json_bool(what, "without_ids", false) ? "" : "\"mids\":[",
				    json_bool(what, "without_ids", false) ? "" : id,
				    json_bool(what, "without_ids", false) ? "" : "],", until);
	if (is_instagram(sim))
		return arena_format(arena, "\"read\":{\"mid\":%s}", id);
	return arena_format(arena, "\"read\":{\"watermark\":%lld}", until);
}

static const char *receipt(struct standin *sim, struct json_object *what, char ret_id[128])
{
	const char *status = said(what, "status", "delivered");
	struct json_object *line = graph_sent(sim, json_text(what, "id"));
	struct arena *arena = arena_new(0);
	struct buf body = { 0 };
	const char *to = said(line, "to", said(what, "from", "9009"));
	bool is_known = line != NULL && strcmp(status, "failed") != 0;
	snprintf(ret_id, 128, "%s", said(what, "id", ""));
	open_body(sim, "messaging", &body);
	buf_format(
		&body,
		"{\"sender\":{\"id\":%s},\"recipient\":{\"id\":\"%s\"},\"timestamp\":%lld,%s}]}]}",
		quote(arena, to), setting(sim, "page_id"), (long long)sim_now_ms(),
		receipt_event(sim, what, status, arena));
	if (is_known)
		graph_post(sim, ret_id, NULL, &body);
	buf_clear(&body);
	arena_free(&arena);
	json_free(&line);
	return is_known ? NULL : "nothing was sent as that id, or the provider does not say so";
}

static const struct setting_default messenger_settings[] = {
	{ "access_token", "EAABtoken0001" }, { "app_secret", "0123456789abcdef0123456789abcdef" },
	{ "verify_token", "mytoken" },       { "page_id", "1001" },
	{ "window_ms", "86400000" },         { NULL, NULL },
};

static const struct setting_default instagram_settings[] = {
	{ "access_token", "IGAAtoken0001" }, { "app_secret", "0123456789abcdef0123456789abcdef" },
	{ "verify_token", "mytoken" },       { "page_id", "17841400000000001" },
	{ "window_ms", "86400000" },         { NULL, NULL },
};

static const struct route routes[] = {
	{ "POST", "/v*/*/messages", "send", on_message },
	{ "POST", "/v*/*/message_attachments", "media", on_upload },
	{ "GET", "/v*/*", "other", on_object },
	{ "GET", "/media/*", "media", graph_on_media },
	{ NULL, NULL, NULL, NULL },
};

static const int64_t retry_ms[] = { 2000, 10000, 60000, 300000, 3600000, -1 };

const struct provider messenger_provider = {
	.name = "messenger",
	.settings = messenger_settings,
	.routes = routes,
	.answer_ms = 5000,
	.retry_ms = retry_ms,
	.rate = 300,
	.window_code = "10/2018278",
	.token_code = "190",
	.error = graph_error,
	.trouble = graph_trouble,
	.say = say,
	.receipt = receipt,
	.handshake = graph_handshake,
};

const struct provider instagram_provider = {
	.name = "instagram",
	.settings = instagram_settings,
	.routes = routes,
	.answer_ms = 5000,
	.retry_ms = retry_ms,
	.rate = 300,
	.window_code = "10/2534022",
	.token_code = "190",
	.error = graph_error,
	.trouble = graph_trouble,
	.say = say,
	.receipt = receipt,
	.handshake = graph_handshake,
};
