/* DingTalk: the robot's callback, the sealed event push, the session's webhook and the API. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "provider.h"

enum { USERS_MAX = 20, SESSIONS_MAX = 500 };

struct dingtalk {
	char sessions[SESSIONS_MAX][64];
	char people[SESSIONS_MAX][128];
	int64_t until_ms[SESSIONS_MAX];
	size_t count;
};

/* The new API has words and HTTP statuses, the old one numbers in a 200. */
static void error(struct ask *ask, const char *code, const char *detail)
{
	static const struct {
		const char *code;
		int status;
	} rows[] = {
		{ "InvalidAuthentication", 401 },
		{ "Forbidden.AccessDenied", 403 },
		{ "not_found", 404 },
		{ "ServiceUnavailable", 503 },
		{ "Throttling.Api", 429 },
	};
	int status = 400;
	if (code[strspn(code, "0123456789")] == '\0') {
		answer_json(ask, 200, "{\"errcode\":%s,\"errmsg\":%s}", code,
			    quote(ask->arena, detail));
		return;
	}
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (strcmp(rows[i].code, code) == 0)
			status = rows[i].status;
	answer_json(ask, status, "{\"code\":\"%s\",\"message\":%s,\"requestid\":\"7B1-SIM\"}", code,
		    quote(ask->arena, detail));
}

static bool is_old(struct ask *ask)
{
	return !text_starts(ask->path, "/v1.0/");
}

static const char *trouble(struct ask *ask, int status, int64_t seconds)
{
	(void)seconds;
	if (is_old(ask))
		return status == 429 ? "{\"errcode\":130101,\"errmsg\":\"send too fast\"}"
				     : "{\"errcode\":-1,\"errmsg\":\"system busy\"}";
	return status == 429
		       ? "{\"code\":\"Throttling.Api\",\"message\":\"too fast\",\"requestid\":"
			 "\"7B1-SIM\"}"
		       : "{\"code\":\"ServiceUnavailable\",\"message\":\"try later\","
			 "\"requestid\":\"7B1-SIM\"}";
}

static bool token_is_right(struct ask *ask)
{
	const char *token = is_old(ask) ? ask_query(ask, "access_token")
					: ask_field(ask, "x-acs-dingtalk-access-token");
	if (token_is_good(ask->sim, token))
		return true;
	refuse(ask, is_old(ask) ? "40014" : "InvalidAuthentication",
	       "the access token is not legal");
	return false;
}

static void on_token(struct ask *ask)
{
	struct json_object *json = ask_json(ask);
	if (!text_equal(json_text(json, "appKey"), setting(ask->sim, "app_key")) ||
	    !text_equal(json_text(json, "appSecret"), setting(ask->sim, "app_secret")))
		refuse(ask, "invalidClientIdOrSecret", "invalid clientId or clientSecret");
	else
		answer_json(ask, 200, "{\"accessToken\":\"%s\",\"expireIn\":7200}",
			    token_mint(ask->sim, "dt"));
}

static void on_old_token(struct ask *ask)
{
	if (!text_equal(ask_query(ask, "appkey"), setting(ask->sim, "app_key")) ||
	    !text_equal(ask_query(ask, "appsecret"), setting(ask->sim, "app_secret")))
		refuse(ask, "40089", "invalid appkey or appsecret");
	else
		answer_json(ask, 200,
			    "{\"errcode\":0,\"errmsg\":\"ok\",\"access_token\":\"%s\",\"expires_"
			    "in\":7200}",
			    token_mint(ask->sim, "dt"));
}

/* ---- sends ---- */

/* The text or the file of msgKey and msgParam; false: they do not fit. */
static bool read_message(struct ask *ask, const char **ret_text, const char **ret_media)
{
	static const char *const needs[][2] = {
		{ "sampleText", "content" },       { "sampleMarkdown", "text" },
		{ "sampleImageMsg", "photoURL" },  { "sampleLink", "messageUrl" },
		{ "sampleAudio", "mediaId" },      { "sampleFile", "mediaId" },
		{ "sampleVideo", "videoMediaId" },
	};
	const char *key = said(ask->json, "msgKey", "");
	const char *given = said(ask->json, "msgParam", "");
	struct error err;
	struct json_object *inside = json_read(given, strlen(given), &err);
	size_t at = 0;
	while (at < COUNT_OF(needs) && strcmp(needs[at][0], key) != 0)
		at++;
	const char *value = at < COUNT_OF(needs) ? json_text(inside, needs[at][1]) : NULL;
	bool is_right = value != NULL && value[0] != '\0';
	if (is_right && at < 2)
		*ret_text = arena_text(ask->arena, value);
	else if (is_right)
		*ret_media = arena_text(ask->arena, value);
	if (is_right && strstr(needs[at][1], "ediaId") != NULL)
		is_right = media_find(ask->sim, value) != NULL;
	json_free(&inside);
	return is_right;
}

static bool robot_is_right(struct ask *ask)
{
	if (!token_is_right(ask))
		return false;
	if (text_equal(json_text(ask_json(ask), "robotCode"), setting(ask->sim, "robot_code")))
		return true;
	refuse(ask, "robot.not.exist", "robotCode is not one of yours");
	return false;
}

static void take(struct ask *ask, const char *to, const char *kind, const char *text,
		 const char *media)
{
	accept_send(ask, &(struct accepted){ .id = arena_format(ask->arena, "pqk%lld",
								(long long)next_number(ask->sim)),
					     .to = to,
					     .kind = kind,
					     .text = text,
					     .media = media });
}

static void on_one_to_one(struct ask *ask)
{
	const char *text = NULL, *media = NULL;
	if (!robot_is_right(ask))
		return;
	struct json_object *users = json_at(ask->json, "userIds");
	const char *to = json_string(json_item(users, 0));
	const struct person *person = person_find(ask->sim, to);
	if (json_count(users) < 1 || json_count(users) > USERS_MAX) {
		refuse(ask, "invalidParameter.userIds.size", "1 to 20 userIds");
		return;
	}
	if (!read_message(ask, &text, &media)) {
		refuse(ask, "invalidParameter.msgParam.invalid", "msgKey and msgParam do not fit");
		return;
	}
	if (person == NULL || person->is_blocked) {
		answer_json(ask, 200,
			    "{\"processQueryKey\":\"\",\"invalidStaffIdList\":[%s],"
			    "\"flowControlledStaffIdList\":[]}",
			    quote(ask->arena, to));
		return;
	}
	take(ask, to, json_text(ask->json, "msgKey"), text, media);
	answer_json(ask, 200,
		    "{\"processQueryKey\":\"pqk%lld\",\"invalidStaffIdList\":[],"
		    "\"flowControlledStaffIdList\":[]}",
		    (long long)ask->sim->counter);
}

static void on_group(struct ask *ask)
{
	const char *text = NULL, *media = NULL;
	if (!robot_is_right(ask))
		return;
	const char *to = json_text(ask->json, "openConversationId");
	if (person_find(ask->sim, to) == NULL)
		refuse(ask, "invalidParameter.openConversationId.invalid", "no such group");
	else if (!read_message(ask, &text, &media))
		refuse(ask, "invalidParameter.msgParam.invalid", "msgKey and msgParam do not fit");
	else {
		take(ask, to, json_text(ask->json, "msgKey"), text, media);
		answer_json(ask, 200, "{\"processQueryKey\":\"pqk%lld\"}",
			    (long long)ask->sim->counter);
	}
}

static void on_session(struct ask *ask)
{
	const struct dingtalk *own = ask->sim->own;
	const char *session = ask_query(ask, "session");
	const char *type = said(ask_json(ask), "msgtype", "");
	const char *text = strcmp(type, "text") == 0 ? json_text(ask->json, "text.content")
						     : json_text(ask->json, "markdown.text");
	size_t at = 0;
	while (at < own->count && !text_equal(own->sessions[at], session))
		at++;
	if (at == own->count || own->until_ms[at] < sim_now_ms())
		refuse(ask, "300001", "session is not exist or expired");
	else if (!text_has_word("text,markdown,actionCard,link", ',', type))
		refuse(ask, "40035", "msgtype is not supported");
	else if (text_has_word("text,markdown", ',', type) && (text == NULL || text[0] == '\0'))
		refuse(ask, "40035", "the content is empty");
	else {
		take(ask, own->people[at], type, text, NULL);
		answer_json(ask, 200, "{\"errcode\":0,\"errmsg\":\"ok\"}");
	}
}

/* ---- files ---- */

static void on_download(struct ask *ask)
{
	if (!robot_is_right(ask))
		return;
	const char *code = json_text(ask->json, "downloadCode");
	if (media_find(ask->sim, code) == NULL)
		refuse(ask, "unknownError", "downloadCode is invalid");
	else
		answer_json(ask, 200, "{\"downloadUrl\":%s}",
			    quote(ask->arena, arena_format(ask->arena, "%s/files/%s",
							   own_base(ask->sim, ask->arena), code)));
}

static void on_file(struct ask *ask)
{
	const struct media *media = media_find(ask->sim, ask->rest[0]);
	if (media == NULL)
		refuse(ask, "not_found", "no such file");
	else
		answer_media(ask, media);
}

static void on_upload(struct ask *ask)
{
	struct part file;
	if (!token_is_right(ask))
		return;
	const char *type = ask_query(ask, "type");
	if (type == NULL || !text_has_word("image,voice,video,file", ',', type) ||
	    !ask_part(ask, "media", &file) || file.file == NULL || file.len == 0) {
		refuse(ask, "40035", "type or media is missing");
		return;
	}
	const char *id = arena_format(ask->arena, "@lAD%lld", (long long)next_number(ask->sim));
	media_bytes(media_keep(ask->sim, id, file.type, file.file), file.bytes, file.len);
	answer_json(ask, 200,
		    "{\"errcode\":0,\"errmsg\":\"ok\",\"type\":\"%s\",\"media_id\":\"%s\","
		    "\"created_at\":%lld}",
		    type, id, (long long)sim_now_ms());
}

/* ---- customers ---- */

static void sign(struct post *post)
{
	const char *stamp = post_stamp(post, true);
	const char *key = secret(post->sim, "app_secret");
	const char *text = arena_format(post->arena, "%s\n%s", stamp, key);
	post_field(post, "timestamp", stamp);
	post_field(post, "sign", hmac256_base64(post->arena, key, text, strlen(text)));
}

static const char *content(struct standin *sim, struct json_object *what, struct arena *arena)
{
	const char *kind = said(what, "kind", "text");
	const char *text = quote(arena, said(what, "text", ""));
	const char *id = arena_format(arena, "dl%lld", (long long)next_number(sim));
	if (strcmp(kind, "text") == 0)
		return arena_format(arena, "\"msgtype\":\"text\",\"text\":{\"content\":%s}", text);
	if (media_said(sim, what, id) == NULL)
		return NULL;
	if (strcmp(kind, "image") == 0)
		return arena_format(arena,
				    "\"msgtype\":\"picture\",\"content\":{\"downloadCode\":\"%s\","
				    "\"pictureDownloadCode\":\"p%s\"}",
				    id, id);
	if (strcmp(kind, "rich") == 0)
		return arena_format(
			arena,
			"\"msgtype\":\"richText\",\"content\":{\"richText\":[{\"text\":%s},"
			"{\"type\":\"picture\",\"downloadCode\":\"%s\"}]}",
			text, id);
	if (strcmp(kind, "voice") == 0)
		return arena_format(arena,
				    "\"msgtype\":\"audio\",\"content\":{\"downloadCode\":\"%s\","
				    "\"duration\":2000,\"recognition\":%s}",
				    id, text);
	if (strcmp(kind, "video") == 0)
		return arena_format(arena,
				    "\"msgtype\":\"video\",\"content\":{\"downloadCode\":\"%s\","
				    "\"duration\":2,\"videoType\":\"mp4\"}",
				    id);
	return arena_format(
		arena, "\"msgtype\":\"file\",\"content\":{\"downloadCode\":\"%s\",\"fileName\":%s}",
		id, quote(arena, said(what, "media.name", "file")));
}

/* A session's webhook for this message, and until when. */
static const char *session_of(struct standin *sim, struct arena *arena, const char *who)
{
	struct dingtalk *own = sim->own;
	size_t at = own->count < SESSIONS_MAX ? own->count++ : 0;
	int64_t until = sim_now_ms() + strtoll(setting(sim, "session_ms"), NULL, 10);
	snprintf(own->sessions[at], sizeof(own->sessions[0]), "s%lld", (long long)next_number(sim));
	snprintf(own->people[at], sizeof(own->people[0]), "%s", who);
	own->until_ms[at] = until;
	return arena_format(arena,
			    "\"sessionWebhook\":\"%s/robot/sendBySession?session=%s\","
			    "\"sessionWebhookExpiredTime\":%lld",
			    own_base(sim, arena), own->sessions[at], (long long)until);
}

static const char *robot_body(struct standin *sim, struct json_object *what, struct arena *arena,
			      const char *id)
{
	const char *from = said(what, "from", "staff01");
	const char *group = json_text(what, "chat");
	const char *inside = content(sim, what, arena);
	if (inside == NULL)
		return NULL;
	person_of(sim, group != NULL ? group : from);
	return arena_format(
		arena,
		"{\"conversationId\":%s,\"conversationType\":\"%s\",\"msgId\":\"%s\",\"createAt\":%"
		"lld,"
		"\"senderId\":\"$:LWCP_v1:$%s\",%s%s%s\"senderNick\":%s,\"robotCode\":\"%s\","
		"\"chatbotUserId\":\"$:LWCP_v1:$bot\",\"isInAtList\":%s,%s,%s}",
		quote(arena, group != NULL ? group : arena_format(arena, "cid%s==", from)),
		group != NULL ? "2" : "1", id, (long long)sim_now_ms(), from,
		json_bool(what, "outsider", false) ? "" : "\"senderStaffId\":",
		json_bool(what, "outsider", false) ? "" : quote(arena, from),
		json_bool(what, "outsider", false) ? "" : ",",
		quote(arena, said(what, "name", "李雷")), setting(sim, "robot_code"),
		group != NULL ? "true" : "false",
		session_of(sim, arena, group != NULL ? group : from), inside);
}

/* ---- the sealed event push ---- */

static void sign_event(struct post *post)
{
	struct error err;
	struct json_object *json = json_read(post->body, post->len, &err);
	const char *stamp = post_stamp(post, true);
	if (post->given_nonce == NULL)
		post->given_nonce = arena_format(post->arena, "n%lld", (long long)sim_now_ms());
	const char *const words[] = { secret(post->sim, "token"), stamp, post->given_nonce,
				      said(json, "encrypt", ""), NULL };
	const char *mac = sha1_sorted(post->arena, words);
	post_query(post, "signature", mac);
	post_query(post, "msg_signature", mac);
	post_query(post, "timestamp", stamp);
	post_query(post, "nonce", post->given_nonce);
	json_free(&json);
}

/* Every event is answered with the sealed word success. */
static const char *check_event(struct post *post, int status, const char *body)
{
	struct error err;
	struct json_object *json = json_read(body, strlen(body), &err);
	const char *sealed = said(json, "encrypt", "");
	const char *const words[] = { setting(post->sim, "token"), said(json, "timeStamp", ""),
				      said(json, "nonce", ""), sealed, NULL };
	const char *plain = envelope_open(post->arena, setting(post->sim, "aes_key"), sealed,
					  setting(post->sim, "app_key"));
	const char *wrong = NULL;
	if (status != 200)
		wrong = status == 0 ? "no answer in time" : "not 200";
	else if (post->took_ms > 1500)
		wrong = "later than 1.5 s";
	else if (!text_equal(plain, "success"))
		wrong = "not the sealed word success";
	else if (strcmp(sha1_sorted(post->arena, words), said(json, "msg_signature", "")) != 0)
		wrong = "msg_signature is wrong";
	json_free(&json);
	return wrong;
}

static void post_event(struct standin *sim, const char *id, struct json_object *what,
		       const char *json)
{
	struct post *post = post_new(sim, id, what);
	const char *body =
		arena_format(post->arena, "{\"encrypt\":\"%s\"}",
			     envelope_seal(post->arena, setting(sim, "aes_key"), json,
					   setting(sim, "app_key"), json_text(what, "random")));
	post_body(post, "application/json", body, strlen(body));
	post->sign = sign_event;
	post->check = check_event;
	post->is_once = strcmp(id, "check_url") == 0;
	post_start(post);
}

static const char *say(struct standin *sim, struct json_object *what, char ret_id[128])
{
	struct arena *arena = arena_new(0);
	const char *raw = json_text(what, "raw");
	const char *wrong = NULL;
	snprintf(ret_id, 128, "msg%lld==", (long long)next_number(sim));
	if (strcmp(said(what, "kind", "text"), "event") == 0) {
		post_event(sim, ret_id, what,
			   raw != NULL ? raw
				       : arena_format(arena,
						      "{\"EventType\":\"%s\",\"CorpId\":\"ding1\","
						      "\"TimeStamp\":\"%lld\",\"UserId\":[%s]}",
						      said(what, "event", "user_add_org"),
						      (long long)sim_now_ms(),
						      quote(arena, said(what, "from", "staff01"))));
	} else {
		const char *body = raw != NULL ? raw : robot_body(sim, what, arena, ret_id);
		struct post *post = post_new(sim, ret_id, what);
		wrong = body == NULL ? "media.base64 is missing or unreadable" : NULL;
		if (body != NULL) {
			post_body(post, "application/json; charset=utf-8", body, strlen(body));
			post->sign = sign;
			post_start(post);
		} else {
			post_free(post);
		}
	}
	arena_free(&arena);
	return wrong;
}

static const char *handshake(struct standin *sim, struct json_object *what, char ret_id[128])
{
	snprintf(ret_id, 128, "check_url");
	post_event(sim, "check_url", what, "{\"EventType\":\"check_url\"}");
	return NULL;
}

static const struct setting_default settings[] = {
	{ "app_key", "ding12345678901234567890123456789012" },
	{ "app_secret", "this-is-an-app-secret" },
	{ "robot_code", "dingdemo" },
	{ "token", "666666" },
	{ "aes_key", "TXpRMU5qYzRPVEF4TWpNME5UWTNPRGt3TVRJek5EVTI" },
	{ "session_ms", "5400000" },
	{ NULL, NULL },
};

static const struct route routes[] = {
	{ "POST", "/v1.0/oauth2/accessToken", "token", on_token },
	{ "GET", "/gettoken", "token", on_old_token },
	{ "POST", "/v1.0/robot/oToMessages/batchSend", "send", on_one_to_one },
	{ "POST", "/v1.0/robot/groupMessages/send", "send", on_group },
	{ "POST", "/robot/sendBySession", "send", on_session },
	{ "POST", "/v1.0/robot/messageFiles/download", "media", on_download },
	{ "POST", "/media/upload", "media", on_upload },
	{ "GET", "/files/*", "media", on_file },
	{ NULL, NULL, NULL, NULL },
};

static const int64_t retry_ms[] = { 1000, 5000, -1 };

const struct provider dingtalk_provider = {
	.name = "dingtalk",
	.settings = settings,
	.routes = routes,
	.answer_ms = 3000,
	.retry_ms = retry_ms,
	.mints_tokens = true,
	.token_code = "InvalidAuthentication",
	.own_size = sizeof(struct dingtalk),
	.error = error,
	.trouble = trouble,
	.say = say,
	.handshake = handshake,
};
