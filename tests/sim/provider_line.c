/* LINE Messaging API. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "provider.h"

enum { TEXT_MAX = 5000, MESSAGES_MAX = 5, TOKENS_MAX = 500, KEY_LENGTH = 36 };

struct line {
	char reply_tokens[TOKENS_MAX][64]; /* not used yet */
	char people[TOKENS_MAX][128];
	int64_t until_ms[TOKENS_MAX];
	size_t count;
	char keys[TOKENS_MAX][KEY_LENGTH + 1]; /* of accepted pushes */
	char answers[TOKENS_MAX][64];          /* and the request id of each */
	size_t key_count;
};

static void error(struct ask *ask, const char *code, const char *detail)
{
	static const struct {
		const char *code;
		int status;
		const char *words;
	} rows[] = {
		{ "401", 401,
		  "Authentication failed. Confirm that the access token in the "
		  "authorization header is valid." },
		{ "token", 400, "Invalid reply token" },
		{ "monthly", 429, "You have reached your monthly limit." },
		{ "key", 400, "The retry key is invalid." },
		{ "not_found", 404, "Not found" },
		{ "403", 403, "This operation is not permitted for your plan." },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (strcmp(rows[i].code, code) == 0) {
			answer_json(ask, rows[i].status, "{\"message\":%s}",
				    quote(ask->arena, rows[i].words));
			return;
		}
	answer_json(ask, 400,
		    "{\"message\":\"The request body has 1 error(s)\",\"details\":[{\"message\":%s,"
		    "\"property\":%s}]}",
		    quote(ask->arena, detail), quote(ask->arena, code));
}

static const char *trouble(struct ask *ask, int status, int64_t seconds)
{
	(void)ask;
	(void)seconds;
	return status == 429 ? "{\"message\":\"The API rate limit has been exceeded. Try again "
			       "later.\"}"
			     : "{\"message\":\"Internal server error\"}";
}

static bool token_is_right(struct ask *ask)
{
	const char *token = ask_bearer(ask);
	const char *right = setting(ask->sim, "channel_access_token");
	if ((right[0] != '\0' && strcmp(token, right) == 0) || token_is_good(ask->sim, token))
		return true;
	refuse(ask, "401", "the access token is wrong");
	return false;
}

/* Stateless tokens. */
static void on_token(struct ask *ask)
{
	if (!text_equal(ask_form(ask, "grant_type"), "client_credentials") ||
	    !text_equal(ask_form(ask, "client_id"), setting(ask->sim, "channel_id")) ||
	    !text_equal(ask_form(ask, "client_secret"), setting(ask->sim, "channel_secret"))) {
		answer_json(ask, 400,
			    "{\"error\":\"invalid_client\",\"error_description\":\"no\"}");
		return;
	}
	answer_json(ask, 200,
		    "{\"token_type\":\"Bearer\",\"access_token\":\"%s\",\"expires_in\":900}",
		    token_mint(ask->sim, "stateless-"));
}

/* ---- sends ---- */

/* The property that is wrong; NULL: none. */
static const char *wrong_with_message(struct json_object *message)
{
	const char *type = said(message, "type", "");
	const char *text = said(message, "text", "");
	const char *original = said(message, "originalContentUrl", "");
	if (strcmp(type, "text") == 0)
		return text[0] == '\0' || utf16_length(text) > TEXT_MAX ? "messages[0].text" : NULL;
	if (text_has_word("image,video,audio", ',', type)) {
		if (!text_starts(original, "https://"))
			return "messages[0].originalContentUrl";
		if (strcmp(type, "audio") == 0)
			return json_has(message, "duration") ? NULL : "messages[0].duration";
		return text_starts(said(message, "previewImageUrl", ""), "https://")
			       ? NULL
			       : "messages[0].previewImageUrl";
	}
	if (strcmp(type, "location") == 0)
		return json_has(message, "title") && json_has(message, "address") &&
				       json_has(message, "latitude") &&
				       json_has(message, "longitude")
			       ? NULL
			       : "messages[0].address";
	return text_has_word("sticker,template,flex,imagemap", ',', type) ? NULL
									  : "messages[0].type";
}

static const char *wrong_with_messages(struct ask *ask)
{
	struct json_object *messages = json_at(ask->json, "messages");
	if (json_count(messages) < 1 || json_count(messages) > MESSAGES_MAX)
		return "messages";
	for (size_t i = 0; i < json_count(messages); i++) {
		const char *wrong = wrong_with_message(json_item(messages, i));
		if (wrong != NULL)
			return wrong;
	}
	return NULL;
}

static void take(struct ask *ask, const char *to, const char *key)
{
	struct json_object *messages = json_at(ask->json, "messages");
	struct buf sent = { 0 };
	for (size_t i = 0; i < json_count(messages); i++) {
		struct json_object *message = json_item(messages, i);
		const char *text = json_text(message, "text");
		const char *id =
			arena_format(ask->arena, "4612%06lld", (long long)next_number(ask->sim));
		accept_send(ask, &(struct accepted){
					 .id = id,
					 .to = to,
					 .kind = json_text(message, "type"),
					 .text = text != NULL ? text : json_text(message, "title"),
					 .media = json_text(message, "originalContentUrl"),
					 .key = key });
		buf_format(&sent, "%s{\"id\":\"%s\",\"quoteToken\":\"q%s\"}", i > 0 ? "," : "", id,
			   id);
	}
	answer_json(ask, 200, "{\"sentMessages\":[%s]}", buf_string(&sent));
	buf_clear(&sent);
}

/* Whose it is, once and not for long; NULL: none. */
static const char *use_reply_token(struct line *own, const char *token)
{
	for (size_t i = 0; token != NULL && i < own->count; i++) {
		if (strcmp(own->reply_tokens[i], token) != 0)
			continue;
		own->reply_tokens[i][0] = '\0';
		return own->until_ms[i] > sim_now_ms() ? own->people[i] : NULL;
	}
	return NULL;
}

static void on_reply(struct ask *ask)
{
	if (!token_is_right(ask))
		return;
	ask_json(ask);
	answer_field(ask, "x-line-request-id", "r-1");
	if (ask_field(ask, "X-Line-Retry-Key") != NULL) {
		refuse(ask, "key", "a retry key is not for replies");
		return;
	}
	const char *wrong = wrong_with_messages(ask);
	if (wrong != NULL) {
		refuse(ask, wrong, "May not be empty");
		return;
	}
	const char *to = use_reply_token(ask->sim->own, json_text(ask->json, "replyToken"));
	if (to == NULL)
		refuse(ask, "token", "the reply token is unknown, used or too old");
	else
		take(ask, to, NULL);
}

static bool is_uuid(const char *key)
{
	for (size_t i = 0; i < KEY_LENGTH; i++) {
		bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (is_dash ? key[i] != '-' : !isxdigit((unsigned char)key[i]))
			return false;
	}
	return key[KEY_LENGTH] == '\0';
}

/* The request id of the push that had this key; NULL: it is new, and kept. */
static const char *known_key(struct line *own, const char *key, const char *request)
{
	for (size_t i = 0; i < own->key_count; i++)
		if (strcmp(own->keys[i], key) == 0)
			return own->answers[i];
	if (own->key_count < TOKENS_MAX) {
		snprintf(own->keys[own->key_count], sizeof(own->keys[0]), "%s", key);
		snprintf(own->answers[own->key_count++], sizeof(own->answers[0]), "%s", request);
	}
	return NULL;
}

static void on_push(struct ask *ask)
{
	if (!token_is_right(ask))
		return;
	const char *to = json_text(ask_json(ask), "to");
	const char *key = ask_field(ask, "X-Line-Retry-Key");
	const char *request =
		arena_format(ask->arena, "req-%lld", (long long)next_number(ask->sim));
	const char *wrong = wrong_with_messages(ask);
	answer_field(ask, "x-line-request-id", request);
	if (wrong != NULL) {
		refuse(ask, wrong, "May not be empty");
		return;
	}
	const struct person *person = person_find(ask->sim, to);
	if (person == NULL) {
		refuse(ask, "to", "The property, 'to', in the request body is invalid");
		return;
	}
	if (key != NULL && !is_uuid(key)) {
		refuse(ask, "key", "the retry key is no UUID");
		return;
	}
	const char *known = key != NULL ? known_key(ask->sim->own, key, request) : NULL;
	if (known != NULL) {
		answer_field(ask, "x-line-accepted-request-id", known);
		answer_json(ask, 409,
			    "{\"message\":\"The retry key is already accepted\","
			    "\"sentMessages\":[{\"id\":\"46120\",\"quoteToken\":\"q\"}]}");
		return;
	}
	/* A customer who has blocked the account gets nothing, and nobody says so. */
	take(ask, person->is_blocked ? "nobody" : to, key);
}

static void on_content(struct ask *ask)
{
	if (!token_is_right(ask))
		return;
	const struct media *media = media_find(ask->sim, ask->rest[0]);
	if (media == NULL)
		refuse(ask, "not_found", "no such content");
	else
		answer(ask, 200, media->type, media->bytes, media->len);
}

static void on_profile(struct ask *ask)
{
	if (!token_is_right(ask))
		return;
	const struct person *person = person_find(ask->sim, ask->rest[0]);
	if (person == NULL || person->is_blocked)
		refuse(ask, "not_found", "no such user, or not a friend");
	else
		answer_json(ask, 200,
			    "{\"userId\":\"%s\",\"displayName\":\"Taro\",\"language\":\"ja\"}",
			    ask->rest[0]);
}

static void on_info(struct ask *ask)
{
	if (token_is_right(ask))
		answer_json(ask, 200,
			    "{\"userId\":\"%s\",\"basicId\":\"@sim\",\"displayName\":\"Sim\","
			    "\"chatMode\":\"bot\",\"markAsReadMode\":\"auto\"}",
			    setting(ask->sim, "bot_user_id"));
}

static void on_loading(struct ask *ask)
{
	if (!token_is_right(ask))
		return;
	int64_t seconds = json_int(ask_json(ask), "loadingSeconds", 20);
	if (json_text(ask->json, "chatId") == NULL || seconds < 5 || seconds > 60 ||
	    seconds % 5 != 0)
		refuse(ask, "loadingSeconds", "must be 5 to 60");
	else
		answer_json(ask, 202, "{}");
}

/* ---- customers ---- */

static void sign(struct post *post)
{
	/* A redelivery says so: the same id, another body. */
	char *mark = post->attempts > 1 ? strstr(post->body, "\"isRedelivery\":false") : NULL;
	if (mark != NULL)
		memcpy(mark, "\"isRedelivery\":true ", strlen("\"isRedelivery\":false"));
	post_field(post, "x-line-signature",
		   hmac256_base64(post->arena, secret(post->sim, "channel_secret"), post->body,
				  post->len));
}

static const char *content(struct standin *sim, struct json_object *what, struct arena *arena,
			   const char *id)
{
	const char *kind = said(what, "kind", "text");
	const char *text = quote(arena, said(what, "text", ""));
	const char *quoted = json_text(what, "reply_to");
	if (strcmp(kind, "text") == 0)
		return arena_format(
			arena,
			"{\"type\":\"text\",\"id\":\"%s\",\"text\":%s,\"quoteToken\":\"q%s\"%s%s}",
			id, text, id, quoted != NULL ? ",\"quotedMessageId\":" : "",
			quoted != NULL ? quote(arena, quoted) : "");
	if (strcmp(kind, "location") == 0)
		return arena_format(
			arena,
			"{\"type\":\"location\",\"id\":\"%s\",\"title\":%s,\"address\":%s,"
			"\"latitude\":%s,\"longitude\":%s}",
			id, text, quote(arena, said(what, "address", "Tokyo")),
			said(what, "latitude", "35.68"), said(what, "longitude", "139.76"));
	if (strcmp(kind, "sticker") == 0)
		return arena_format(arena,
				    "{\"type\":\"sticker\",\"id\":\"%s\",\"packageId\":\"1\","
				    "\"stickerId\":\"2\",\"stickerResourceType\":\"STATIC\","
				    "\"keywords\":[\"ok\"]}",
				    id);
	const struct media *media = media_said(sim, what, id);
	if (media == NULL)
		return NULL;
	if (strcmp(kind, "file") == 0)
		return arena_format(
			arena, "{\"type\":\"file\",\"id\":\"%s\",\"fileName\":%s,\"fileSize\":%zu}",
			id, quote(arena, media->name), media->len);
	return arena_format(
		arena, "{\"type\":\"%s\",\"id\":\"%s\",%s\"contentProvider\":{\"type\":\"line\"}}",
		strcmp(kind, "voice") == 0 ? "audio" : kind, id,
		strcmp(kind, "image") == 0 ? "" : "\"duration\":2000,");
}

/* "type" and its member. NULL: cannot be said. */
static const char *event_of(struct standin *sim, struct json_object *what, struct arena *arena,
			    const char *id)
{
	const char *kind = said(what, "kind", "text");
	if (strcmp(kind, "postback") == 0)
		return arena_format(arena, "\"type\":\"postback\",\"postback\":{\"data\":%s}",
				    quote(arena, said(what, "payload", "action=yes")));
	if (strcmp(kind, "unsend") == 0)
		return arena_format(arena, "\"type\":\"unsend\",\"unsend\":{\"messageId\":%s}",
				    quote(arena, said(what, "reply_to", "")));
	if (strcmp(kind, "event") == 0) {
		const char *event = said(what, "event", "follow");
		person_of(sim, said(what, "from", "Ucust"))->is_blocked =
			strcmp(event, "unfollow") == 0;
		if (strcmp(event, "follow") == 0)
			return "\"type\":\"follow\",\"follow\":{\"isUnblocked\":false}";
		return arena_format(arena, "\"type\":\"%s\"", event);
	}
	const char *inside = content(sim, what, arena, id);
	return inside == NULL ? NULL
			      : arena_format(arena, "\"type\":\"message\",\"message\":%s", inside);
}

static void add_event(struct standin *sim, struct json_object *what, const char *inside,
		      struct buf *out)
{
	struct line *own = sim->own;
	struct arena *arena = arena_new(0);
	const char *from = said(what, "from", "Ucust");
	const char *group = json_text(what, "chat");
	size_t at = own->count < TOKENS_MAX ? own->count++ : 0;
	bool has_token =
		strstr(inside, "\"unfollow\"") == NULL && strstr(inside, "\"unsend\"") == NULL;
	snprintf(own->reply_tokens[at], sizeof(own->reply_tokens[0]), "rt%lld",
		 (long long)next_number(sim));
	snprintf(own->people[at], sizeof(own->people[0]), "%s", group != NULL ? group : from);
	own->until_ms[at] = sim_now_ms() + strtoll(setting(sim, "reply_ms"), NULL, 10);
	buf_format(
		out,
		"%s{%s,\"webhookEventId\":\"01JSIM%020lld\",\"deliveryContext\":{\"isRedelivery\":"
		"false},\"timestamp\":%lld,\"source\":{\"type\":\"%s\",%s%s%s\"userId\":%s},%s%s%s"
		"\"mode\":\"%s\"}",
		out->data[out->len - 1] == '}' ? "," : "", inside, (long long)next_number(sim),
		(long long)sim_now_ms(), group != NULL ? "group" : "user",
		group != NULL ? "\"groupId\":" : "", group != NULL ? quote(arena, group) : "",
		group != NULL ? "," : "", quote(arena, from), has_token ? "\"replyToken\":\"" : "",
		has_token ? own->reply_tokens[at] : "", has_token ? "\"," : "",
		said(what, "mode", "active"));
	arena_free(&arena);
}

static void post_events(struct standin *sim, const char *id, struct json_object *what,
			const struct buf *body)
{
	struct post *post = post_new(sim, id, what);
	post_body(post, "application/json; charset=utf-8", body->data, body->len);
	post->sign = sign;
	/* Off at the console unless somebody turns it on. */
	post->is_last = strcmp(setting(sim, "redelivery"), "yes") != 0;
	post_start(post);
}

static const char *say(struct standin *sim, struct json_object *what, char ret_id[128])
{
	struct arena *arena = arena_new(0);
	struct buf body = { 0 };
	struct json_object *texts = json_at(what, "texts");
	const char *raw = json_text(what, "raw");
	snprintf(ret_id, 128, "5001%06lld", (long long)next_number(sim));
	person_of(sim, said(what, "from", "Ucust"));
	if (json_has(what, "chat"))
		person_of(sim, said(what, "chat", ""));
	const char *inside = event_of(sim, what, arena, ret_id);
	buf_format(&body, "{\"destination\":\"%s\",\"events\":[", setting(sim, "bot_user_id"));
	for (size_t i = 0; i < json_count(texts); i++)
		add_event(sim, what,
			  arena_format(arena,
				       "\"type\":\"message\",\"message\":{\"type\":\"text\",\"id\":"
				       "\"%s%zu\",\"text\":%s,\"quoteToken\":\"q\"}",
				       ret_id, i, quote(arena, json_string(json_item(texts, i)))),
			  &body);
	if (json_count(texts) == 0 && inside != NULL)
		add_event(sim, what, inside, &body);
	buf_text(&body, "]}");
	if (raw != NULL) {
		buf_reset(&body);
		buf_text(&body, raw);
	}
	if (inside != NULL)
		post_events(sim, ret_id, what, &body);
	buf_clear(&body);
	arena_free(&arena);
	return inside != NULL ? NULL : "media.base64 is missing or unreadable";
}

/* The console's button "Verify": no events. */
static const char *handshake(struct standin *sim, struct json_object *what, char ret_id[128])
{
	struct buf body = { 0 };
	struct fault fault;
	struct post *post = post_new(sim, "verify", what);
	snprintf(ret_id, 128, "verify");
	buf_format(&body, "{\"destination\":\"%s\",\"events\":[]}", setting(sim, "bot_user_id"));
	post_body(post, "application/json; charset=utf-8", body.data, body.len);
	post->sign = sign;
	post->is_once = true;
	post->is_forged = fault_take(sim, "wrong_signature", "post", &fault);
	post_start(post);
	buf_clear(&body);
	return NULL;
}

static const struct setting_default settings[] = {
	{ "channel_secret", "8c570fa6dd201bb328f1c1eac23a96d8" },
	{ "channel_access_token", "simulated-line-token" },
	{ "channel_id", "1234567890" },
	{ "bot_user_id", "U8e742f61d673b39c7fff3cecb7536ef0" },
	{ "reply_ms", "60000" },
	{ "redelivery", "yes" },
	{ NULL, NULL },
};

static const struct route routes[] = {
	{ "POST", "/oauth2/v3/token", "token", on_token },
	{ "POST", "/v2/bot/message/reply", "send", on_reply },
	{ "POST", "/v2/bot/message/push", "send", on_push },
	{ "GET", "/v2/bot/message/*/content", "media", on_content },
	{ "GET", "/v2/bot/profile/*", "other", on_profile },
	{ "GET", "/v2/bot/info", "other", on_info },
	{ "POST", "/v2/bot/chat/loading/start", "other", on_loading },
	{ NULL, NULL, NULL, NULL },
};

static const int64_t retry_ms[] = { 10000, 60000, 300000, 600000, -1 };

const struct provider line_provider = {
	.name = "line",
	.settings = settings,
	.routes = routes,
	.answer_ms = 2000,
	.retry_ms = retry_ms,
	.rate = 2000,
	.token_code = "401",
	.own_size = sizeof(struct line),
	.error = error,
	.trouble = trouble,
	.say = say,
	.handshake = handshake,
};
