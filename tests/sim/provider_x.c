/* X direct messages: the Account Activity webhook and the v2 API. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "provider.h"

enum { TEXT_MAX = 10000, CRC_MS = 3000 };

static void error(struct ask *ask, const char *code, const char *detail)
{
	static const struct {
		const char *code;
		int status;
		const char *title;
	} rows[] = {
		{ "400", 400, "Invalid Request" },
		{ "401", 401, "Unauthorized" },
		{ "403", 403, "Forbidden" },
		{ "404", 404, "Not Found Error" },
	};
	size_t at = 0;
	while (at < COUNT_OF(rows) - 1 && strcmp(rows[at].code, code) != 0)
		at++;
	answer_json(ask, rows[at].status,
		    "{\"title\":\"%s\",\"detail\":%s,\"type\":\"about:blank\",\"status\":%d}",
		    rows[at].title, quote(ask->arena, detail), rows[at].status);
}

static const char *trouble(struct ask *ask, int status, int64_t seconds)
{
	if (status == 429)
		answer_field(ask, "x-rate-limit-reset",
			     arena_format(ask->arena, "%lld",
					  (long long)(sim_now_ms() / 1000 + seconds)));
	return arena_format(ask->arena, "{\"title\":\"%s\",\"status\":%d,\"type\":\"about:blank\"}",
			    status == 429 ? "Too Many Requests" : "Service Unavailable", status);
}

/* ---- who asks: OAuth 2.0 (Bearer) or OAuth 1.0a (HMAC-SHA1) ---- */

enum { PAIRS_MAX = 40 };

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *escaped(struct arena *arena, const char *text)
{
	struct buf out = { 0 };
	text_percent(&out, text, strlen(text));
	const char *copy = arena_copy(arena, buf_string(&out), out.len);
	buf_clear(&out);
	return copy;
}

/* name="value" of the field, the value decoded; NULL: it is not there. */
static const char *oauth_value(struct ask *ask, const char *name)
{
	const char *field = ask_field(ask, "Authorization");
	const char *at = strstr(field, arena_format(ask->arena, "%s=\"", name));
	if (at == NULL)
		return NULL;
	at += strlen(name) + 2;
	size_t len = strcspn(at, "\"");
	char *value = arena_copy(ask->arena, at, len);
	return text_unpercent(value, len, false, value, len + 1) >= 0 ? value : NULL;
}

/* The parameters of the query and of the field, as they are signed. */
static const char *oauth_parameters(struct ask *ask)
{
	static const char *const names[] = {
		"oauth_consumer_key", "oauth_nonce", "oauth_signature_method",
		"oauth_timestamp",    "oauth_token", "oauth_version"
	};
	const char *pairs[PAIRS_MAX];
	size_t count = 0;
	struct buf out = { 0 };
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const char *value = oauth_value(ask, names[i]);
		if (value != NULL)
			pairs[count++] = arena_format(ask->arena, "%s=%s", names[i],
						      escaped(ask->arena, value));
	}
	for (const char *at = ask->query; at != NULL && *at != '\0' && count < PAIRS_MAX;) {
		size_t len = strcspn(at, "&");
		pairs[count++] = arena_copy(ask->arena, at, len);
		at += len + (at[len] == '&');
	}
	qsort(pairs, count, sizeof(*pairs), by_bytes);
	for (size_t i = 0; i < count; i++)
		buf_format(&out, "%s%s", i > 0 ? "&" : "", pairs[i]);
	const char *result = arena_copy(ask->arena, buf_string(&out), out.len);
	buf_clear(&out);
	return result;
}

static bool oauth_is_right(struct ask *ask)
{
	struct standin *sim = ask->sim;
	struct arena *arena = ask->arena;
	const char *given = oauth_value(ask, "oauth_signature");
	const char *stamp = oauth_value(ask, "oauth_timestamp");
	const char *url = arena_format(arena, "%s%s", own_base(sim, arena), ask->path);
	const char *text = arena_format(arena, "%s&%s&%s", ask->method, escaped(arena, url),
					escaped(arena, oauth_parameters(ask)));
	const char *key = arena_format(arena, "%s&%s", escaped(arena, setting(sim, "app_secret")),
				       escaped(arena, setting(sim, "access_token_secret")));
	return given != NULL && stamp != NULL &&
	       llabs(strtoll(stamp, NULL, 10) - (long long)(sim_now_ms() / 1000)) <= 300 &&
	       text_equal(oauth_value(ask, "oauth_consumer_key"), setting(sim, "app_key")) &&
	       text_equal(oauth_value(ask, "oauth_token"), setting(sim, "access_token")) &&
	       text_equal(oauth_value(ask, "oauth_signature_method"), "HMAC-SHA1") &&
	       oauth_value(ask, "oauth_nonce") != NULL &&
	       strcmp(given, hmac1_base64(arena, key, text, strlen(text))) == 0;
}

static bool token_is_right(struct ask *ask)
{
	const char *field = ask_field(ask, "Authorization");
	const char *token = ask_bearer(ask);
	bool is_right = field != NULL && text_starts(field, "OAuth ")
				? oauth_is_right(ask)
				: strcmp(token, setting(ask->sim, "access_token")) == 0 ||
					  token_is_good(ask->sim, token);
	if (!is_right)
		refuse(ask, "401", "Unauthorized");
	return is_right;
}

/* A refresh token is used once: the answer has the next. */
static void on_token(struct ask *ask)
{
	struct standin *sim = ask->sim;
	if (!text_equal(ask_form(ask, "grant_type"), "refresh_token") ||
	    !text_equal(ask_form(ask, "refresh_token"), setting(sim, "refresh_token"))) {
		answer_json(
			ask, 400,
			"{\"error\":\"invalid_request\",\"error_description\":\"Value passed for "
			"the token was invalid.\"}");
		return;
	}
	sim->token[0] = '\0';
	setting_put(sim, "refresh_token",
		    arena_format(ask->arena, "refresh-%lld", (long long)next_number(sim)));
	answer_json(
		ask, 200,
		"{\"token_type\":\"bearer\",\"expires_in\":7200,\"access_token\":\"%s\",\"scope\":"
		"\"dm.read dm.write\",\"refresh_token\":\"%s\"}",
		token_mint(sim, "xt-"), setting(sim, "refresh_token"));
}

static void on_message(struct ask *ask)
{
	if (!token_is_right(ask))
		return;
	const char *to = ask->rest[0];
	const struct person *person = person_find(ask->sim, to);
	const char *text = json_text(ask_json(ask), "text");
	struct json_object *files = json_at(ask->json, "attachments");
	const char *file = json_text(json_item(files, 0), "media_id");
	if (ask->json == NULL || (text == NULL && file == NULL)) {
		refuse(ask, "400", "text or attachments are needed");
	} else if (text != NULL && text_characters(text, strlen(text)) > TEXT_MAX) {
		refuse(ask, "400", "text is above 10,000");
	} else if (json_count(files) > 1) {
		refuse(ask, "400", "one attachment at most");
	} else if (file != NULL && media_find(ask->sim, file) == NULL) {
		refuse(ask, "400", "no such media_id");
	} else if (person == NULL || person->is_blocked) {
		refuse(ask, "403", "You cannot send messages to this user.");
	} else {
		const char *id =
			arena_format(ask->arena, "15820%06lld", (long long)next_number(ask->sim));
		accept_send(ask, &(struct accepted){ .id = id,
						     .to = to,
						     .kind = file != NULL ? "media" : "text",
						     .text = text,
						     .media = file });
		answer_json(ask, 201,
			    "{\"data\":{\"dm_conversation_id\":\"%s-%s\",\"dm_event_id\":\"%s\"}}",
			    to, setting(ask->sim, "user_id"), id);
	}
}

static void on_upload(struct ask *ask)
{
	struct part file, category;
	if (!token_is_right(ask))
		return;
	if (!ask_part(ask, "media", &file) || file.len == 0 ||
	    !ask_part(ask, "media_category", &category) ||
	    !text_starts(arena_copy(ask->arena, category.bytes, category.len), "dm_")) {
		refuse(ask, "400", "media and media_category (dm_image ...) are needed");
		return;
	}
	const char *id = arena_format(ask->arena, "14550%06lld", (long long)next_number(ask->sim));
	media_bytes(media_keep(ask->sim, id, file.type, file.file), file.bytes, file.len);
	answer_json(ask, 200,
		    "{\"data\":{\"id\":\"%s\",\"media_key\":\"3_%s\",\"size\":%zu,"
		    "\"expires_after_secs\":86400}}",
		    id, id, file.len);
}

static void on_me(struct ask *ask)
{
	if (token_is_right(ask))
		answer_json(ask, 200,
			    "{\"data\":{\"id\":\"%s\",\"name\":\"Sim\",\"username\":\"sim\"}}",
			    setting(ask->sim, "user_id"));
}

static void on_file(struct ask *ask)
{
	const struct media *media = media_find(ask->sim, ask->rest[0]);
	if (media == NULL)
		refuse(ask, "404", "no such file");
	else
		answer_media(ask, media);
}

/* ---- customers ---- */

static void sign(struct post *post)
{
	const char *key = secret(post->sim, "app_secret");
	if (strcmp(post->method, "GET") == 0) {
		post_query(post, "crc_token", post->id);
		return;
	}
	post_field(post, "x-twitter-webhooks-signature",
		   arena_format(post->arena, "sha256=%s",
				hmac256_base64(post->arena, key, post->body, post->len)));
}

static const char *check_crc(struct post *post, int status, const char *body)
{
	struct error err;
	struct json_object *json = json_read(body, strlen(body), &err);
	const char *got = said(json, "response_token", "");
	const char *right =
		arena_format(post->arena, "sha256=%s",
			     hmac256_base64(post->arena, setting(post->sim, "app_secret"), post->id,
					    strlen(post->id)));
	const char *wrong = NULL;
	if (status != 200)
		wrong = "not 200";
	else if (post->took_ms > CRC_MS)
		wrong = "later than 3 s";
	else if (strcmp(got, right) != 0)
		wrong = "response_token is wrong";
	json_free(&json);
	return wrong;
}

static const char *message_data(struct standin *sim, struct json_object *what, struct arena *arena)
{
	const char *kind = said(what, "kind", "text");
	const char *text = quote(arena, said(what, "text", ""));
	if (strcmp(kind, "postback") == 0)
		return arena_format(
			arena,
			"{\"text\":%s,\"entities\":{},\"quick_reply_response\":{\"type\":"
			"\"options\",\"metadata\":%s}}",
			text, quote(arena, said(what, "payload", "yes")));
	if (strcmp(kind, "text") == 0 || strcmp(kind, "echo") == 0)
		return arena_format(arena, "{\"text\":%s,\"entities\":{}}", text);
	const char *id = arena_format(arena, "77%lld", (long long)next_number(sim));
	if (media_said(sim, what, id) == NULL)
		return NULL;
	return arena_format(
		arena,
		"{\"text\":%s,\"entities\":{},\"attachment\":{\"type\":\"media\",\"media\":{"
		"\"id\":%s,\"id_str\":\"%s\",\"type\":\"%s\",\"media_url_https\":"
		"\"%s/files/%s\"}}}",
		text, id, id, strcmp(kind, "image") == 0 ? "photo" : "video", own_base(sim, arena),
		id);
}

/* What stands beside for_user_id and users; NULL: cannot be said. */
static const char *event_of(struct standin *sim, struct json_object *what, struct arena *arena,
			    const char *id)
{
	const char *kind = said(what, "kind", "text");
	const char *us = setting(sim, "user_id");
	const char *from = said(what, "from", "300");
	bool is_echo = strcmp(kind, "echo") == 0;
	if (strcmp(kind, "typing") == 0)
		return arena_format(
			arena,
			"\"direct_message_indicate_typing_events\":[{\"created_timestamp\":"
			"\"%lld\",\"sender_id\":\"%s\",\"target\":{\"recipient_id\":\"%s\"}}]",
			(long long)sim_now_ms(), from, us);
	if (strcmp(kind, "event") == 0)
		return arena_format(arena,
				    "\"%s\":[{\"type\":\"follow\",\"created_timestamp\":\"%lld\","
				    "\"target\":{\"id\":\"%s\"},\"source\":{\"id\":\"%s\"}}]",
				    said(what, "event", "follow_events"), (long long)sim_now_ms(),
				    us, from);
	const char *data = message_data(sim, what, arena);
	if (data == NULL)
		return NULL;
	return arena_format(arena,
			    "\"direct_message_events\":[{\"type\":\"message_create\",\"id\":\"%s\","
			    "\"created_timestamp\":\"%lld\",\"message_create\":{\"target\":{"
			    "\"recipient_id\":\"%s\"},\"sender_id\":\"%s\",\"message_data\":%s}}]",
			    id, (long long)sim_now_ms(), is_echo ? from : us, is_echo ? us : from,
			    data);
}

static void post_activity(struct standin *sim, const char *id, struct json_object *what,
			  const char *inside)
{
	struct post *post = post_new(sim, id, what);
	const char *from = said(what, "from", "300");
	const char *raw = json_text(what, "raw");
	const char *body =
		raw != NULL ? raw
			    : arena_format(
				      post->arena,
				      "{\"for_user_id\":\"%s\",%s,\"users\":{\"%s\":{\"id\":\"%s\","
				      "\"name\":%s,\"screen_name\":\"bo\"}}}",
				      setting(sim, "user_id"), inside, from, from,
				      quote(post->arena, said(what, "name", "Bo")));
	post_body(post, "application/json", body, strlen(body));
	post->sign = sign;
	post_start(post);
}

static const char *say(struct standin *sim, struct json_object *what, char ret_id[128])
{
	struct arena *arena = arena_new(0);
	snprintf(ret_id, 128, "90010%06lld", (long long)next_number(sim));
	const char *inside = event_of(sim, what, arena, ret_id);
	person_of(sim, said(what, "from", "300"));
	if (inside != NULL)
		post_activity(sim, ret_id, what, inside);
	arena_free(&arena);
	return inside != NULL ? NULL : "media.base64 is missing or unreadable";
}

static const char *receipt(struct standin *sim, struct json_object *what, char ret_id[128])
{
	struct arena *arena = arena_new(0);
	bool is_read = strcmp(said(what, "status", "read"), "read") == 0;
	snprintf(ret_id, 128, "%s", said(what, "id", ""));
	if (is_read)
		post_activity(
			sim, ret_id, what,
			arena_format(arena,
				     "\"direct_message_mark_read_events\":[{\"created_timestamp\":"
				     "\"%lld\",\"sender_id\":\"%s\",\"target\":{\"recipient_id\":"
				     "\"%s\"},\"last_read_event_id\":%s}]",
				     (long long)sim_now_ms(), said(what, "from", "300"),
				     setting(sim, "user_id"), quote(arena, ret_id)));
	arena_free(&arena);
	return is_read ? NULL : "X tells only that a message was read";
}

static const char *handshake(struct standin *sim, struct json_object *what, char ret_id[128])
{
	struct post *post = post_new(sim, said(what, "crc_token", "a7b8c9d0-crc-token"), what);
	snprintf(ret_id, 128, "crc");
	post->method = "GET";
	post->is_once = true;
	post->sign = sign;
	post->check = check_crc;
	post_start(post);
	return NULL;
}

static const struct setting_default settings[] = {
	{ "app_key", "consumer_key_0123456789" },
	{ "app_secret", "consumer_secret_0123456789" },
	{ "access_token", "simulated-x-token" },
	{ "access_token_secret", "simulated-x-token-secret" },
	{ "refresh_token", "refresh-0" },
	{ "user_id", "433" },
	{ NULL, NULL },
};

static const struct route routes[] = {
	{ "POST", "/2/dm_conversations/with/*/messages", "send", on_message },
	{ "POST", "/2/oauth2/token", "token", on_token },
	{ "POST", "/2/media/upload", "media", on_upload },
	{ "GET", "/2/users/me", "other", on_me },
	{ "GET", "/files/*", "media", on_file },
	{ NULL, NULL, NULL, NULL },
};

static const int64_t retry_ms[] = { 5000, 30000, 300000, -1 };

const struct provider x_provider = {
	.name = "x",
	.settings = settings,
	.routes = routes,
	.answer_ms = 10000,
	.retry_ms = retry_ms,
	.token_code = "401",
	.error = error,
	.trouble = trouble,
	.say = say,
	.receipt = receipt,
	.handshake = handshake,
};
