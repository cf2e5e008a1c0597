/* Telegram's Bot API: updates by webhook (with a secret_token) or by getUpdates (without). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "provider.h"

enum { TEXT_MAX = 4096, CAPTION_MAX = 1024, UPDATES_MAX = 1000, FIRST_UPDATE = 700000 };

/* Updates that wait for getUpdates, and the poller that waits for them. */
struct telegram {
	char *updates[UPDATES_MAX];
	int64_t ids[UPDATES_MAX];
	size_t count;
	struct ask *waiting;
};

static void error(struct ask *ask, const char *code, const char *detail)
{
	static const struct {
		const char *code;
		int status;
		const char *words;
	} rows[] = {
		{ "401", 401, "Unauthorized" },
		{ "403", 403, "Forbidden: bot was blocked by the user" },
		{ "409", 409,
		  "Conflict: terminated by other getUpdates request; make sure that "
		  "only one bot instance is running" },
		{ "409w", 409,
		  "Conflict: can't use getUpdates method while webhook is active; use "
		  "deleteWebhook to delete the webhook first" },
		{ "not_found", 404, "Not Found" },
		{ "chat", 400, "Bad Request: chat not found" },
		{ "empty", 400, "Bad Request: message text is empty" },
		{ "long", 400, "Bad Request: message is too long" },
		{ "caption", 400, "Bad Request: message caption is too long" },
		{ "file", 400, "Bad Request: wrong file identifier/HTTP URL specified" },
		{ "query", 400,
		  "Bad Request: query is too old and response timeout expired or "
		  "query ID is invalid" },
	};
	(void)detail;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (strcmp(rows[i].code, code) == 0) {
			answer_json(ask, rows[i].status,
				    "{\"ok\":false,\"error_code\":%d,\"description\":%s}",
				    rows[i].status, quote(ask->arena, rows[i].words));
			return;
		}
	answer_json(ask, 400, "{\"ok\":false,\"error_code\":400,\"description\":%s}",
		    quote(ask->arena, arena_format(ask->arena, "Bad Request: %s", code)));
}

static const char *trouble(struct ask *ask, int status, int64_t seconds)
{
	if (status == 429)
		return arena_format(
			ask->arena,
			"{\"ok\":false,\"error_code\":429,\"description\":\"Too Many "
			"Requests: retry after %lld\",\"parameters\":{\"retry_after\":%lld}}",
			(long long)seconds, (long long)seconds);
	return arena_format(
		ask->arena,
		"{\"ok\":false,\"error_code\":%d,\"description\":\"Internal Server Error\"}",
		status);
}

static bool token_is_right(struct ask *ask)
{
	if (strcmp(ask->rest[0], setting(ask->sim, "bot_token")) == 0)
		return true;
	refuse(ask, "401", "wrong bot token in the path");
	return false;
}

/* A parameter, however it came: JSON, form, multipart or query. NULL where absent. */
static const char *parameter(struct ask *ask, const char *name)
{
	struct part part;
	struct json_object *value = json_at(ask_json(ask), name);
	if (json_kind(value) == JSON_TEXT)
		return json_string(value);
	if (value != NULL) {
		struct buf out = { 0 };
		json_append(value, &out);
		const char *text = arena_copy(ask->arena, out.data, out.len);
		buf_clear(&out);
		return text;
	}
	if (ask_part(ask, name, &part))
		return arena_copy(ask->arena, part.bytes, part.len);
	const char *text = ask_form(ask, name);
	return text != NULL ? text : ask_query(ask, name);
}

/* Token, chat and whether we may write there; NULL: refused. */
static const char *chat_of(struct ask *ask)
{
	if (!token_is_right(ask))
		return NULL;
	const char *chat = parameter(ask, "chat_id");
	const struct person *person = person_find(ask->sim, chat);
	if (person == NULL)
		refuse(ask, "chat", "chat_id is missing or nobody who has started the bot");
	else if (person->is_blocked)
		refuse(ask, "403", "the customer has blocked the bot");
	else
		return chat;
	return NULL;
}

static void send_taken(struct ask *ask, const char *chat, const char *kind, const char *text,
		       const char *media)
{
	struct arena *arena = ask->arena;
	const char *id = arena_format(arena, "%lld", (long long)next_number(ask->sim));
	bool is_text = strcmp(kind, "text") == 0;
	accept_send(ask,
		    &(struct accepted){
			    .id = id, .to = chat, .kind = kind, .text = text, .media = media });
	answer_json(
		ask, 200,
		"{\"ok\":true,\"result\":{\"message_id\":%s,\"from\":{\"id\":1,\"is_bot\":true,"
		"\"first_name\":\"Bot\"},\"chat\":{\"id\":%s,\"type\":\"private\"},\"date\":%lld,"
		"%s:%s}}",
		id, chat, (long long)(sim_now_ms() / 1000), is_text ? "\"text\"" : "\"caption\"",
		quote(arena, text != NULL ? text : ""));
}

static void on_message(struct ask *ask)
{
	const char *chat = chat_of(ask);
	if (chat == NULL)
		return;
	const char *text = parameter(ask, "text");
	if (text == NULL || text[0] == '\0')
		refuse(ask, "empty", "text is missing or empty");
	else if (utf16_length(text) > TEXT_MAX)
		refuse(ask, "long", "text is above 4096");
	else
		send_taken(ask, chat, "text", text, NULL);
}

/* sendPhoto and its like: the file is uploaded, is one of ours, or has an address. */
static void on_file(struct ask *ask)
{
	static const char *const kinds[][3] = {
		{ "/sendPhoto", "photo", "image/jpeg" }, { "/sendDocument", "document", "" },
		{ "/sendVoice", "voice", "audio/ogg" },  { "/sendAudio", "audio", "audio/mpeg" },
		{ "/sendVideo", "video", "video/mp4" },
	};
	const char *chat = chat_of(ask);
	const char *method = strrchr(ask->path, '/');
	struct part part;
	size_t at = 0;
	if (chat == NULL)
		return;
	while (at < COUNT_OF(kinds) - 1 && strcmp(kinds[at][0], method) != 0)
		at++;
	const char *caption = parameter(ask, "caption");
	if (caption != NULL && utf16_length(caption) > CAPTION_MAX) {
		refuse(ask, "caption", "caption is above 1024");
		return;
	}
	if (ask_part(ask, kinds[at][1], &part) && part.file != NULL && part.len > 0) {
		const char *id =
			arena_format(ask->arena, "up_%lld", (long long)next_number(ask->sim));
		media_bytes(media_keep(ask->sim, id, part.type, part.file), part.bytes, part.len);
		send_taken(ask, chat, kinds[at][1], caption, id);
		return;
	}
	const char *given = parameter(ask, kinds[at][1]);
	if (given != NULL && (media_find(ask->sim, given) != NULL || text_starts(given, "http")))
		send_taken(ask, chat, kinds[at][1], caption, given);
	else
		refuse(ask, "file", "the file is not there");
}

static void on_location(struct ask *ask)
{
	const char *chat = chat_of(ask);
	if (chat == NULL)
		return;
	const char *latitude = parameter(ask, "latitude");
	const char *longitude = parameter(ask, "longitude");
	if (latitude == NULL || longitude == NULL)
		refuse(ask, "latitude and longitude are needed", "no coordinates");
	else
		send_taken(ask, chat, "location",
			   arena_format(ask->arena, "%s,%s", latitude, longitude), NULL);
}

static void on_action(struct ask *ask)
{
	if (chat_of(ask) != NULL)
		answer_json(ask, 200, "{\"ok\":true,\"result\":true}");
}

static void on_callback_answer(struct ask *ask)
{
	if (!token_is_right(ask))
		return;
	const char *id = parameter(ask, "callback_query_id");
	if (id == NULL || !text_starts(id, "cb"))
		refuse(ask, "query", "callback_query_id is not one of ours");
	else
		answer_json(ask, 200, "{\"ok\":true,\"result\":true}");
}

static void on_me(struct ask *ask)
{
	if (token_is_right(ask))
		answer_json(ask, 200,
			    "{\"ok\":true,\"result\":{\"id\":1,\"is_bot\":true,\"first_name\":"
			    "\"Sim\",\"username\":\"sim_bot\"}}");
}

static void on_get_file(struct ask *ask)
{
	if (!token_is_right(ask))
		return;
	const char *id = parameter(ask, "file_id");
	const struct media *media = media_find(ask->sim, id);
	if (media == NULL)
		refuse(ask, "file", "no such file_id");
	else
		answer_json(ask, 200,
			    "{\"ok\":true,\"result\":{\"file_id\":%s,\"file_unique_id\":\"u\","
			    "\"file_size\":%zu,\"file_path\":\"files/%s\"}}",
			    quote(ask->arena, id), media->len, id);
}

static void on_download(struct ask *ask)
{
	const struct media *media = media_find(ask->sim, ask->rest[1]);
	if (!token_is_right(ask))
		return;
	if (media == NULL)
		refuse(ask, "not_found", "no such file");
	else
		answer_media(ask, media);
}

/* ---- updates ---- */

static bool is_polled(struct standin *sim)
{
	return setting(sim, "secret_token")[0] == '\0';
}

static void confirm(struct telegram *own, int64_t offset)
{
	size_t kept = 0;
	for (size_t i = 0; i < own->count; i++) {
		if (own->ids[i] < offset) {
			free(own->updates[i]);
			continue;
		}
		own->updates[kept] = own->updates[i];
		own->ids[kept++] = own->ids[i];
	}
	own->count = kept;
}

static void answer_updates(struct ask *ask)
{
	const struct telegram *own = ask->sim->own;
	struct buf out = { 0 };
	buf_text(&out, "{\"ok\":true,\"result\":[");
	for (size_t i = 0; i < own->count && i < 100; i++)
		buf_format(&out, "%s%s", i > 0 ? "," : "", own->updates[i]);
	buf_text(&out, "]}");
	answer(ask, 200, "application/json", out.data, out.len);
	buf_clear(&out);
}

static void on_updates(struct ask *ask)
{
	struct telegram *own = ask->sim->own;
	if (!token_is_right(ask))
		return;
	if (!is_polled(ask->sim)) {
		refuse(ask, "409w", "a webhook is set");
		return;
	}
	const char *offset = parameter(ask, "offset");
	const char *timeout = parameter(ask, "timeout");
	if (offset != NULL)
		confirm(own, strtoll(offset, NULL, 10));
	if (own->waiting != NULL) {
		struct ask *other = own->waiting;
		own->waiting = NULL;
		refuse(other, "409", "another poller came");
	}
	if (own->count > 0 || timeout == NULL || strcmp(timeout, "0") == 0)
		answer_updates(ask);
	else
		own->waiting = ask; /* until somebody writes; the caller has its own patience */
}

static void on_set_webhook(struct ask *ask)
{
	if (!token_is_right(ask))
		return;
	const char *token = parameter(ask, "secret_token");
	const char *url = parameter(ask, "url");
	setting_put(ask->sim, "secret_token",
		    url != NULL && url[0] != '\0' && token != NULL ? token : "");
	answer_json(ask, 200, "{\"ok\":true,\"result\":true,\"description\":\"Webhook was set\"}");
}

static void sign(struct post *post)
{
	post_field(post, "X-Telegram-Bot-Api-Secret-Token", secret(post->sim, "secret_token"));
}

static void give(struct standin *sim, struct json_object *what, const char *message_id,
		 const struct buf *body)
{
	struct telegram *own = sim->own;
	if (!is_polled(sim)) {
		struct post *post = post_new(sim, message_id, what);
		post_body(post, "application/json", body->data, body->len);
		post->sign = sign;
		post_start(post);
		return;
	}
	if (own->count == UPDATES_MAX)
		confirm(own, own->ids[0] + 1);
	own->ids[own->count] = FIRST_UPDATE + strtoll(message_id, NULL, 10);
	own->updates[own->count++] = memory_copy(body->data, body->len);
	if (own->waiting != NULL) {
		struct ask *waiting = own->waiting;
		own->waiting = NULL;
		answer_updates(waiting);
	}
}

/* "text":..., or the members of a file or a place. */
static const char *content(struct standin *sim, struct json_object *what, struct arena *arena)
{
	const char *kind = said(what, "kind", "text");
	const char *text = said(what, "text", "");
	struct buf out = { 0 };
	if (strcmp(kind, "text") == 0) {
		buf_format(&out, "\"text\":%s", quote(arena, text));
	} else if (strcmp(kind, "location") == 0) {
		buf_format(&out, "\"location\":{\"latitude\":%s,\"longitude\":%s}",
			   said(what, "latitude", "31.2304"), said(what, "longitude", "121.4737"));
	} else {
		const char *id = arena_format(arena, "file_%lld", (long long)next_number(sim));
		const struct media *media = media_said(sim, what, id);
		if (media == NULL)
			return NULL;
		const char *file = arena_format(
			arena,
			"{\"file_id\":\"%s\",\"file_unique_id\":\"u%s\",\"file_size\":%zu,"
			"\"mime_type\":%s,\"file_name\":%s}",
			id, id, media->len, quote(arena, media->type), quote(arena, media->name));
		if (strcmp(kind, "image") == 0)
			buf_format(&out,
				   "\"photo\":[{\"file_id\":\"small\",\"file_unique_id\":\"s\","
				   "\"width\":9,\"height\":9},{\"file_id\":\"%s\","
				   "\"file_unique_id\":\"u%s\",\"width\":90,\"height\":90,"
				   "\"file_size\":%zu}]",
				   id, id, media->len);
		else
			buf_format(&out, "\"%s\":%s", strcmp(kind, "file") == 0 ? "document" : kind,
				   file);
		if (text[0] != '\0')
			buf_format(&out, ",\"caption\":%s", quote(arena, text));
	}
	const char *result = arena_copy(arena, out.data, out.len);
	buf_clear(&out);
	return result;
}

/* The member of the update that this kind of news is; NULL: cannot be said. */
static const char *news(struct standin *sim, struct json_object *what, struct arena *arena,
			const char ret_id[128])
{
	const char *kind = said(what, "kind", "text");
	const char *from = said(what, "from", "5001");
	const char *name = quote(arena, said(what, "name", "Ana"));
	const char *who = arena_format(
		arena, "{\"id\":%s,\"is_bot\":false,\"first_name\":%s,\"language_code\":\"es\"}",
		from, name);
	const char *chat = arena_format(arena, "{\"id\":%s,\"first_name\":%s,\"type\":\"private\"}",
					from, name);
	long long now = (long long)(sim_now_ms() / 1000);
	if (strcmp(kind, "postback") == 0)
		return arena_format(arena,
				    "\"callback_query\":{\"id\":\"cb%s\",\"from\":%s,\"message\":{"
				    "\"message_id\":1,\"chat\":%s,\"date\":%lld,\"text\":\"?\"},"
				    "\"chat_instance\":\"1\",\"data\":%s}",
				    ret_id, who, chat, now,
				    quote(arena, said(what, "text", "yes")));
	if (strcmp(kind, "block") == 0 || strcmp(kind, "unblock") == 0) {
		bool is_blocked = strcmp(kind, "block") == 0;
		person_of(sim, from)->is_blocked = is_blocked;
		return arena_format(arena,
				    "\"my_chat_member\":{\"chat\":%s,\"from\":%s,\"date\":%lld,"
				    "\"old_chat_member\":{\"status\":\"member\"},"
				    "\"new_chat_member\":{\"status\":\"%s\"}}",
				    chat, who, now, is_blocked ? "kicked" : "member");
	}
	const char *inside = content(sim, what, arena);
	if (inside == NULL)
		return NULL;
	bool is_edit = json_has(what, "edits");
	const char *message = is_edit ? said(what, "edits", "1") : ret_id;
	return arena_format(
		arena, "\"%s\":{\"message_id\":%s,\"from\":%s,\"chat\":%s,\"date\":%lld,%s%s%s}",
		is_edit ? "edited_message" : "message", message, who, chat, now,
		is_edit ? arena_format(arena, "\"edit_date\":%lld,", now) : "",
		json_has(what, "reply_to")
			? arena_format(arena,
				       "\"reply_to_message\":{\"message_id\":%s,\"chat\":%s,"
				       "\"date\":%lld},",
				       said(what, "reply_to", "1"), chat, now)
			: "",
		inside);
}

static const char *say(struct standin *sim, struct json_object *what, char ret_id[128])
{
	struct arena *arena = arena_new(0);
	struct buf body = { 0 };
	int64_t number = next_number(sim);
	const char *raw = json_text(what, "raw");
	const char *wrong = NULL;
	person_of(sim, said(what, "from", "5001"));
	snprintf(ret_id, 128, "%lld", (long long)number);
	const char *inside = raw == NULL ? news(sim, what, arena, ret_id) : NULL;
	if (raw != NULL)
		buf_text(&body, raw);
	else if (inside != NULL)
		buf_format(&body, "{\"update_id\":%lld,%s}", (long long)(FIRST_UPDATE + number),
			   inside);
	else
		wrong = "media.base64 is missing or unreadable";
	if (wrong == NULL)
		give(sim, what, ret_id, &body);
	buf_clear(&body);
	arena_free(&arena);
	return wrong;
}

static void end(struct standin *sim)
{
	struct telegram *own = sim->own;
	confirm(own, INT64_MAX);
	if (own->waiting != NULL)
		refuse(own->waiting, "not_found", "the stand-in ends");
}

static const struct setting_default settings[] = {
	{ "bot_token", "123456:AAsimulated-bot-token" },
	{ "secret_token", "s3cr3t-Token_01" },
	{ NULL, NULL },
};

static const struct route routes[] = {
	{ "*", "/bot*/sendMessage", "send", on_message },
	{ "POST", "/bot*/sendPhoto", "send", on_file },
	{ "POST", "/bot*/sendDocument", "send", on_file },
	{ "POST", "/bot*/sendVoice", "send", on_file },
	{ "POST", "/bot*/sendAudio", "send", on_file },
	{ "POST", "/bot*/sendVideo", "send", on_file },
	{ "*", "/bot*/sendLocation", "send", on_location },
	{ "*", "/bot*/sendChatAction", "other", on_action },
	{ "*", "/bot*/answerCallbackQuery", "other", on_callback_answer },
	{ "*", "/bot*/getMe", "other", on_me },
	{ "*", "/bot*/getFile", "media", on_get_file },
	{ "GET", "/file/bot*/files/*", "media", on_download },
	{ "*", "/bot*/getUpdates", "poll", on_updates },
	{ "*", "/bot*/setWebhook", "other", on_set_webhook },
	{ "*", "/bot*/deleteWebhook", "other", on_set_webhook },
	{ NULL, NULL, NULL, NULL },
};

static const int64_t retry_ms[] = { 1000, 5000, 30000, 60000, 60000, -1 };

const struct provider telegram_provider = {
	.name = "telegram",
	.settings = settings,
	.routes = routes,
	.answer_ms = 60000,
	.retry_ms = retry_ms,
	.rate = 30,
	.token_code = "401",
	.own_size = sizeof(struct telegram),
	.error = error,
	.trouble = trouble,
	.say = say,
	.end = end,
};
