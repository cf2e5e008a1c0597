/* Slack: the Events API, buttons, and the Web API. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "provider.h"

enum { TEXT_MAX = 40000 };

static void error(struct ask *ask, const char *code, const char *detail)
{
	(void)detail;
	if (strcmp(code, "not_found") == 0)
		answer_json(ask, 200, "{\"ok\":false,\"error\":\"unknown_method\"}");
	else
		answer_json(ask, 200, "{\"ok\":false,\"error\":\"%s\"}", code);
}

static const char *trouble(struct ask *ask, int status, int64_t seconds)
{
	(void)ask;
	(void)seconds;
	return status == 429 ? "{\"ok\":false,\"error\":\"ratelimited\"}"
			     : "{\"ok\":false,\"error\":\"internal_error\"}";
}

static bool token_is_right(struct ask *ask)
{
	const char *token = ask_bearer(ask);
	if (strcmp(token, setting(ask->sim, "bot_token")) == 0)
		return true;
	refuse(ask, token[0] == '\0' ? "not_authed" : "invalid_auth", "the token is wrong");
	return false;
}

/* Of a JSON or urlencoded body, or the query. */
static const char *argument(struct ask *ask, const char *name)
{
	struct json_object *value = json_at(ask_json(ask), name);
	if (json_kind(value) == JSON_TEXT)
		return json_string(value);
	if (json_kind(value) == JSON_NUMBER)
		return arena_format(ask->arena, "%lld", (long long)json_int(ask->json, name, 0));
	const char *text = ask_form(ask, name);
	return text != NULL ? text : ask_query(ask, name);
}

static const char *next_stamp(struct standin *sim, struct arena *arena)
{
	return arena_format(arena, "%lld.%06lld", (long long)(sim_now_ms() / 1000),
			    (long long)(next_number(sim) % 1000000));
}

/* Where we may write: D..., C... that is known; NULL: refused. */
static const char *channel_of(struct ask *ask)
{
	const char *channel = argument(ask, "channel");
	const struct person *person = person_find(ask->sim, channel);
	if (channel == NULL || person == NULL)
		refuse(ask, "channel_not_found", "no such channel");
	else if (person->is_blocked)
		refuse(ask, "is_archived", "the channel is archived");
	else
		return channel;
	return NULL;
}

static void on_message(struct ask *ask)
{
	if (!token_is_right(ask))
		return;
	const char *channel = channel_of(ask);
	if (channel == NULL)
		return;
	const char *text = argument(ask, "text");
	const char *thread = argument(ask, "thread_ts");
	if ((text == NULL || text[0] == '\0') && !json_has(ask->json, "blocks")) {
		refuse(ask, "no_text", "text is missing");
		return;
	}
	if (text != NULL && text_characters(text, strlen(text)) > TEXT_MAX) {
		refuse(ask, "msg_too_long", "text is above 40,000");
		return;
	}
	if (thread != NULL && strchr(thread, '.') == NULL) {
		refuse(ask, "invalid_arguments", "thread_ts is none");
		return;
	}
	const char *stamp = next_stamp(ask->sim, ask->arena);
	accept_send(ask, &(struct accepted){ .id = stamp,
					     .to = channel,
					     .kind = "text",
					     .text = text,
					     .key = argument(ask, "client_msg_id") });
	answer_json(
		ask, 200,
		"{\"ok\":true,\"channel\":\"%s\",\"ts\":\"%s\",\"message\":{\"type\":\"message\","
		"\"bot_id\":\"%s\",\"user\":\"%s\",\"text\":%s,\"ts\":\"%s\"}}",
		channel, stamp, setting(ask->sim, "bot_id"), setting(ask->sim, "bot_user_id"),
		quote(ask->arena, text), stamp);
}

static void on_open(struct ask *ask)
{
	if (!token_is_right(ask))
		return;
	const char *user = argument(ask, "users");
	if (user == NULL || person_find(ask->sim, user) == NULL) {
		refuse(ask, "user_not_found", "no such user");
		return;
	}
	const char *channel = arena_format(ask->arena, "D%s", user);
	person_of(ask->sim, channel);
	answer_json(ask, 200, "{\"ok\":true,\"channel\":{\"id\":\"%s\"}}", channel);
}

static void on_auth(struct ask *ask)
{
	if (token_is_right(ask))
		answer_json(
			ask, 200,
			"{\"ok\":true,\"url\":\"https://sim.slack.com/\",\"team\":\"Sim\",\"user\":"
			"\"bot\",\"team_id\":\"T1\",\"user_id\":\"%s\",\"bot_id\":\"%s\"}",
			setting(ask->sim, "bot_user_id"), setting(ask->sim, "bot_id"));
}

static void on_user(struct ask *ask)
{
	if (!token_is_right(ask))
		return;
	const char *user = argument(ask, "user");
	if (person_find(ask->sim, user) == NULL)
		refuse(ask, "user_not_found", "no such user");
	else
		answer_json(
			ask, 200,
			"{\"ok\":true,\"user\":{\"id\":\"%s\",\"name\":\"ana\",\"real_name\":"
			"\"Ana\",\"profile\":{\"real_name\":\"Ana\",\"display_name\":\"Ana\"}}}",
			user);
}

/* ---- files: an address, the bytes, the end ---- */

static void on_upload_address(struct ask *ask)
{
	if (!token_is_right(ask))
		return;
	const char *name = argument(ask, "filename");
	const char *length = argument(ask, "length");
	if (name == NULL || length == NULL || strtol(length, NULL, 10) <= 0) {
		refuse(ask, "invalid_arguments", "filename and length are needed");
		return;
	}
	const char *id = arena_format(ask->arena, "F%lld", (long long)next_number(ask->sim));
	media_keep(ask->sim, id, "waiting", name)->len = strtoul(length, NULL, 10);
	answer_json(ask, 200, "{\"ok\":true,\"upload_url\":\"%s/upload/%s\",\"file_id\":\"%s\"}",
		    own_base(ask->sim, ask->arena), id, id);
}

static void on_upload(struct ask *ask)
{
	struct media *media = media_find(ask->sim, ask->rest[0]);
	struct part part;
	const char *bytes = ask->body;
	size_t len = ask->len;
	if (ask_part(ask, "file", &part) || ask_part(ask, "filename", &part)) {
		bytes = part.bytes;
		len = part.len;
	}
	if (media == NULL || media->len != len) {
		answer(ask, 400, "text/plain", "length mismatch", 15);
		return;
	}
	media_bytes(media, bytes, len);
	snprintf(media->type, sizeof(media->type), "application/octet-stream");
	answer(ask, 200, "text/plain", "OK", 2);
}

static void on_upload_end(struct ask *ask)
{
	struct error err;
	if (!token_is_right(ask))
		return;
	/* A form carries the files as JSON in a text. */
	const char *form = ask_form(ask, "files");
	struct json_object *read = form != NULL ? json_read(form, strlen(form), &err) : NULL;
	struct json_object *files = read != NULL ? read : json_at(ask_json(ask), "files");
	const char *id = json_text_copy(json_item(files, 0), "id", ask->arena);
	const struct media *media = media_find(ask->sim, id);
	const char *channel = argument(ask, "channel_id");
	json_free(&read);
	if (media == NULL || strcmp(media->type, "waiting") == 0)
		refuse(ask, "file_not_found", "nothing was uploaded");
	else if (channel != NULL && person_find(ask->sim, channel) == NULL)
		refuse(ask, "channel_not_found", "no such channel");
	else {
		accept_send(ask, &(struct accepted){ .id = id,
						     .to = channel,
						     .kind = "file",
						     .text = argument(ask, "initial_comment"),
						     .media = id });
		answer_json(ask, 200, "{\"ok\":true,\"files\":[{\"id\":\"%s\",\"title\":%s}]}", id,
			    quote(ask->arena, media->name));
	}
}

static void on_file(struct ask *ask)
{
	const struct media *media = media_find(ask->sim, ask->rest[0]);
	if (strcmp(ask_bearer(ask), setting(ask->sim, "bot_token")) != 0)
		/* A page to sign in, as Slack gives it. */
		answer(ask, 200, "text/html", "<html>Sign in</html>", 20);
	else if (media == NULL)
		refuse(ask, "file_not_found", "no such file");
	else
		answer_media(ask, media);
}

/* ---- customers ---- */

static void sign(struct post *post)
{
	const char *stamp = post_stamp(post, false);
	struct buf text = { 0 };
	buf_format(&text, "v0:%s:", stamp);
	buf_add(&text, post->body, post->len);
	const char *mac =
		hmac256_hex(post->arena, secret(post->sim, "signing_secret"), text.data, text.len);
	buf_clear(&text);
	post_field(post, "X-Slack-Request-Timestamp", stamp);
	post_field(post, "X-Slack-Signature", arena_format(post->arena, "v0=%s", mac));
	if (post->attempts < 2)
		return;
	post_field(post, "X-Slack-Retry-Num",
		   arena_format(post->arena, "%lld", (long long)post->attempts - 1));
	post_field(post, "X-Slack-Retry-Reason", post->status == 0 ? "http_timeout" : "http_error");
}

static const char *check(struct post *post, int status, const char *body)
{
	(void)body;
	if (status >= 200 && status <= 299)
		return NULL;
	if (status != 0 && post_answer_field(post, "X-Slack-No-Retry") != NULL)
		post->is_last = true;
	return status == 0 ? "no answer in 3 s" : "not 2xx";
}

static void post_to_broker(struct standin *sim, const char *id, struct json_object *what,
			   const char *type, const char *body)
{
	struct post *post = post_new(sim, id, what);
	post_body(post, type, body, strlen(body));
	post->sign = sign;
	post->check = check;
	post_start(post);
}

/* The members of "event" beside type, channel and event_ts; NULL: cannot be said. */
static const char *message_of(struct standin *sim, struct json_object *what, struct arena *arena,
			      const char *stamp)
{
	const char *kind = said(what, "kind", "text");
	const char *user = quote(arena, said(what, "from", "U1"));
	const char *text = quote(arena, said(what, "text", ""));
	const char *about = quote(arena, said(what, "reply_to", "1.000001"));
	const char *thread = json_text(what, "thread");
	if (strcmp(kind, "edit") == 0)
		return arena_format(arena,
				    "\"subtype\":\"message_changed\",\"hidden\":true,\"ts\":\"%s\","
				    "\"message\":{"
				    "\"type\":\"message\",\"user\":%s,\"text\":%s,\"ts\":%s,"
				    "\"edited\":{\"user\":%s,"
				    "\"ts\":\"%s\"}},\"previous_message\":{\"type\":\"message\","
				    "\"user\":%s,\"text\":"
				    "\"?\",\"ts\":%s}",
				    stamp, user, text, about, user, stamp, user, about);
	if (strcmp(kind, "unsend") == 0)
		return arena_format(arena,
				    "\"subtype\":\"message_deleted\",\"hidden\":true,\"ts\":\"%s\","
				    "\"deleted_ts\":%s,\"previous_message\":{\"type\":\"message\","
				    "\"user\":%s,\"text\":\"?\",\"ts\":%s}",
				    stamp, about, user, about);
	if (strcmp(kind, "bot") == 0)
		return arena_format(arena,
				    "\"subtype\":\"bot_message\",\"bot_id\":\"%s\",\"text\":%s,"
				    "\"ts\":\"%s\"",
				    setting(sim, "bot_id"), text, stamp);
	const char *in_thread =
		thread != NULL ? arena_format(arena, ",\"thread_ts\":\"%s\"", thread) : "";
	if (strcmp(kind, "text") == 0)
		return arena_format(arena,
				    "\"user\":%s,\"text\":%s,\"ts\":\"%s\",\"team\":\"T1\","
				    "\"client_msg_id\":\"c-%s\"%s",
				    user, text, stamp, stamp, in_thread);
	const char *id = arena_format(arena, "Fin%lld", (long long)next_number(sim));
	const struct media *media = media_said(sim, what, id);
	if (media == NULL)
		return NULL;
	const char *url = arena_format(arena, "%s/files/%s", own_base(sim, arena), id);
	return arena_format(
		arena,
		"\"subtype\":\"file_share\",\"user\":%s,\"text\":%s,\"ts\":\"%s\",\"upload\":false,"
		"\"files\":[{\"id\":\"%s\",\"name\":%s,\"title\":%s,\"mimetype\":%s,\"filetype\":"
		"\"png\","
		"\"size\":%zu,\"mode\":\"hosted\",\"url_private\":\"%s\","
		"\"url_private_download\":\"%s\"}]%s",
		user, text, stamp, id, quote(arena, media->name), quote(arena, media->name),
		quote(arena, media->type), media->len, url, url, in_thread);
}

static const char *button(struct standin *sim, struct json_object *what, struct arena *arena,
			  const char *channel)
{
	struct buf out = { 0 };
	const char *json = arena_format(
		arena,
		"{\"type\":\"block_actions\",\"user\":{\"id\":%s,\"name\":\"ana\",\"team_id\":"
		"\"T1\"},"
		"\"channel\":{\"id\":\"%s\"},\"message\":{\"ts\":%s,\"text\":\"?\"},\"actions\":[{"
		"\"action_id\":\"a1\",\"block_id\":\"b1\",\"type\":\"button\",\"value\":%s,"
		"\"text\":{"
		"\"type\":\"plain_text\",\"text\":%s},\"action_ts\":\"%s\"}],\"response_url\":"
		"\"%s/response\",\"trigger_id\":\"1.2.3\"}",
		quote(arena, said(what, "from", "U1")), channel,
		quote(arena, said(what, "reply_to", "1.000001")),
		quote(arena, said(what, "payload", "yes")), quote(arena, said(what, "text", "Yes")),
		next_stamp(sim, arena), own_base(sim, arena));
	buf_text(&out, "payload=");
	text_percent(&out, json, strlen(json));
	const char *result = arena_copy(arena, out.data, out.len);
	buf_clear(&out);
	return result;
}

static const char *say(struct standin *sim, struct json_object *what, char ret_id[128])
{
	struct arena *arena = arena_new(0);
	const char *raw = json_text(what, "raw");
	const char *kind = said(what, "kind", "text");
	const char *from = said(what, "from", "U1");
	const char *channel = said(what, "chat", arena_format(arena, "D%s", from));
	const char *stamp = next_stamp(sim, arena);
	const char *wrong = NULL;
	person_of(sim, from);
	person_of(sim, channel);
	snprintf(ret_id, 128, "%s", stamp);
	if (raw != NULL) {
		post_to_broker(sim, ret_id, what,
			       raw[0] == '{' ? "application/json"
					     : "application/x-www-form-urlencoded",
			       raw);
	} else if (strcmp(kind, "postback") == 0) {
		post_to_broker(sim, ret_id, what, "application/x-www-form-urlencoded",
			       button(sim, what, arena, channel));
	} else {
		const char *inside = strcmp(kind, "event") == 0
					     ? arena_format(arena, "\"user\":\"%s\"", from)
					     : message_of(sim, what, arena, stamp);
		const char *type = said(what, "event", "message");
		wrong = inside == NULL ? "media.base64 is missing or unreadable" : NULL;
		if (inside != NULL)
			post_to_broker(
				sim, ret_id, what, "application/json",
				arena_format(
					arena,
					"{\"token\":\"x\",\"team_id\":\"T1\",\"api_app_id\":\"A1\","
					"\"event\":{\"type\":\"%s\",\"channel\":\"%s\","
					"\"channel_type\":\"%s\",\"event_ts\":\"%s\",%s},\"type\":"
					"\"event_callback\",\"event_id\":\"Ev%lld\",\"event_time\":"
					"%lld,\"authorizations\":[{\"team_id\":\"T1\",\"user_id\":"
					"\"%s\",\"is_bot\":true}]}",
					type, channel, channel[0] == 'D' ? "im" : "channel", stamp,
					inside, (long long)next_number(sim),
					(long long)(sim_now_ms() / 1000),
					setting(sim, "bot_user_id")));
	}
	arena_free(&arena);
	return wrong;
}

static const char *check_challenge(struct post *post, int status, const char *body)
{
	struct error err;
	struct json_object *json = json_read(body, strlen(body), &err);
	const char *got =
		json != NULL && json_has(json, "challenge") ? json_text(json, "challenge") : body;
	const char *wrong = NULL;
	if (status != 200)
		wrong = "not 200";
	else if (!text_equal(got, post->id))
		wrong = "not the challenge";
	json_free(&json);
	return wrong;
}

static const char *handshake(struct standin *sim, struct json_object *what, char ret_id[128])
{
	struct fault fault;
	const char *challenge =
		said(what, "challenge", "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7");
	struct post *post = post_new(sim, challenge, what);
	const char *body = arena_format(
		post->arena, "{\"token\":\"x\",\"challenge\":%s,\"type\":\"url_verification\"}",
		quote(post->arena, challenge));
	snprintf(ret_id, 128, "%s", challenge);
	post_body(post, "application/json", body, strlen(body));
	post->sign = sign;
	post->check = check_challenge;
	post->is_once = true;
	post->is_forged = fault_take(sim, "wrong_signature", "post", &fault);
	post_start(post);
	return NULL;
}

static const struct setting_default settings[] = {
	{ "signing_secret", "8f742231b10e8888abcd99yyyzzz85a5" },
	{ "bot_token", "xoxb-simulated-token" },
	{ "bot_user_id", "UBOT" },
	{ "bot_id", "BBOT" },
	{ NULL, NULL },
};

static const struct route routes[] = {
	{ "POST", "/api/chat.postMessage", "send", on_message },
	{ "POST", "/api/conversations.open", "other", on_open },
	{ "*", "/api/auth.test", "other", on_auth },
	{ "*", "/api/users.info", "other", on_user },
	{ "*", "/api/files.getUploadURLExternal", "media", on_upload_address },
	{ "POST", "/upload/*", "media", on_upload },
	{ "POST", "/api/files.completeUploadExternal", "send", on_upload_end },
	{ "GET", "/files/*", "media", on_file },
	{ NULL, NULL, NULL, NULL },
};

static const int64_t retry_ms[] = { 0, 60000, 300000, -1 };

const struct provider slack_provider = {
	.name = "slack",
	.settings = settings,
	.routes = routes,
	.answer_ms = 3000,
	.retry_ms = retry_ms,
	.token_code = "invalid_auth",
	.error = error,
	.trouble = trouble,
	.say = say,
	.handshake = handshake,
};
