/* Weibo fans' service. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/text.h"
#include "provider.h"

enum { TEXT_MAX = 300, CHINA_S = 8 * 3600 };

static void error(struct ask *ask, const char *code, const char *detail)
{
	int status = text_starts(code, "213") ? 401 : text_starts(code, "1002") ? 403 : 400;
	if (strcmp(code, "not_found") == 0) {
		status = 404;
		code = "10020";
	}
	answer_json(ask, status, "{\"error\":%s,\"error_code\":%s,\"request\":\"%s\"}",
		    quote(ask->arena, detail), code, ask->path);
}

static const char *trouble(struct ask *ask, int status, int64_t seconds)
{
	(void)seconds;
	return arena_format(ask->arena, "{\"error\":\"%s\",\"error_code\":%s,\"request\":\"%s\"}",
			    status == 429 ? "User requests out of rate limit!" : "System error",
			    status == 429 ? "10023" : "10001", ask->path);
}

static bool token_is_right(struct ask *ask)
{
	const char *token = ask_form(ask, "access_token");
	if (token == NULL)
		token = ask_query(ask, "access_token");
	if (text_equal(token, setting(ask->sim, "access_token")))
		return true;
	refuse(ask, "21332", "invalid_access_token");
	return false;
}

/* The JSON of the field data; some clients escape it once more. NULL: it is none. */
static struct json_object *data_of(struct ask *ask)
{
	const char *data = ask_form(ask, "data");
	struct error err;
	if (data == NULL)
		return NULL;
	if (data[0] == '%') {
		char *plain = arena_text(ask->arena, data);
		if (text_unpercent(data, strlen(data), true, plain, strlen(data) + 1) >= 0)
			data = plain;
	}
	return json_read(data, strlen(data), &err);
}

static const char *wrong_with_data(const char *type, struct json_object *data)
{
	if (text_equal(type, "text")) {
		const char *text = said(data, "text", "");
		return text[0] == '\0' || text_characters(text, strlen(text)) > TEXT_MAX ? "10017"
											 : NULL;
	}
	if (text_equal(type, "articles"))
		return json_count(json_at(data, "articles")) > 0 ? NULL : "10017";
	if (text_equal(type, "position"))
		return json_has(data, "longitude") && json_has(data, "latitude") ? NULL : "10017";
	return "10017";
}

static void on_reply(struct ask *ask)
{
	if (!token_is_right(ask))
		return;
	const char *to = ask_form(ask, "receiver_id");
	const char *type = ask_form(ask, "type");
	const char *box = ask_form(ask, "save_sender_box");
	const struct person *person = person_find(ask->sim, to);
	struct json_object *data = data_of(ask);
	const char *wrong = data != NULL ? wrong_with_data(type, data) : "10017";
	if (box != NULL && strcmp(box, "0") != 0 && strcmp(box, "1") != 0)
		wrong = "10017";
	if (wrong == NULL && person == NULL)
		wrong = "10016";
	else if (wrong == NULL && (person->is_blocked || !window_take(ask->sim, to)))
		wrong = "26401";
	if (wrong != NULL) {
		refuse(ask, wrong, "param error or no quota");
	} else {
		accept_send(ask, &(struct accepted){
					 .to = to, .kind = type, .text = json_text(data, "text") });
		answer_json(ask, 200,
			    "{\"result\":true,\"receiver_id\":%s,\"sender_id\":%s,\"type\":\"%s\","
			    "\"data\":\"{}\"}",
			    to, setting(ask->sim, "uid"), type);
	}
	json_free(&data);
}

static void on_media(struct ask *ask)
{
	if (!token_is_right(ask))
		return;
	const struct media *media = media_find(ask->sim, ask_query(ask, "fid"));
	if (media == NULL)
		refuse(ask, "10017", "no such fid");
	else
		answer_media(ask, media);
}

static void on_uid(struct ask *ask)
{
	if (token_is_right(ask))
		answer_json(ask, 200, "{\"uid\":%s,\"expire_in\":31536000}",
			    setting(ask->sim, "uid"));
}

/* ---- customers ---- */

static void sign(struct post *post)
{
	const char *stamp = post_stamp(post, true);
	if (post->given_nonce == NULL)
		post->given_nonce =
			arena_format(post->arena, "%lld", (long long)(sim_now_ms() % 100000000));
	const char *const words[] = { secret(post->sim, "app_secret"), stamp, post->given_nonce,
				      NULL };
	post_query(post, "signature", sha1_sorted(post->arena, words));
	post_query(post, "timestamp", stamp);
	post_query(post, "nonce", post->given_nonce);
	if (strcmp(post->method, "GET") == 0)
		post_query(post, "echostr", post->id);
}

static const char *check(struct post *post, int status, const char *body)
{
	(void)post;
	if (status != 200)
		return status == 0 ? "no answer in 5 s" : "not 200";
	return body[0] == '\0' || text_starts(body, "{\"result\"") ? NULL
								   : "neither empty nor a reply";
}

static const char *check_echo(struct post *post, int status, const char *body)
{
	return status == 200 && strcmp(body, post->id) == 0 ? NULL : "not 200 and the echostr";
}

/* "Fri Jan 02 10:55:45 +0800 2026" */
static const char *china_time(struct arena *arena, int64_t unix_s)
{
	char text[64];
	struct tm parts;
	time_t when = (time_t)(unix_s + CHINA_S);
	gmtime_r(&when, &parts);
	strftime(text, sizeof(text), "%a %b %d %H:%M:%S +0800 %Y", &parts);
	return arena_text(arena, text);
}

/* type, text and data; NULL: cannot be said. */
static const char *content(struct standin *sim, struct json_object *what, struct arena *arena)
{
	const char *kind = said(what, "kind", "text");
	const char *text = quote(arena, said(what, "text", ""));
	if (strcmp(kind, "text") == 0 || strcmp(kind, "mention") == 0)
		return arena_format(arena, "\"type\":\"%s\",\"text\":%s,\"data\":{}", kind, text);
	if (strcmp(kind, "location") == 0)
		return arena_format(arena,
				    "\"type\":\"position\",\"text\":\"我在这里: 位置\",\"data\":{"
				    "\"longitude\":\"%s\",\"latitude\":\"%s\"}",
				    said(what, "longitude", "121.4737"),
				    said(what, "latitude", "31.2304"));
	if (strcmp(kind, "postback") == 0)
		return arena_format(
			arena,
			"\"type\":\"event\",\"text\":\"事件消息\",\"data\":{\"subtype\":"
			"\"click\",\"key\":%s}",
			quote(arena, said(what, "payload", "yes")));
	if (strcmp(kind, "event") == 0)
		return arena_format(
			arena,
			"\"type\":\"event\",\"text\":\"事件消息\",\"data\":{\"subtype\":"
			"\"%s\",\"key\":\"\"}",
			said(what, "event", "follow"));
	int64_t fid = 1700000000000000 + next_number(sim) * 2;
	const char *id = arena_format(arena, "%lld", (long long)fid + 1);
	if (media_said(sim, what, id) == NULL)
		return NULL;
	return arena_format(arena,
			    "\"type\":\"%s\",\"text\":%s,\"data\":{\"vfid\":%lld,\"tovfid\":%s}",
			    kind, text, (long long)fid, id);
}

static void open_window(struct standin *sim, struct json_object *what, const char *from)
{
	const char *event = said(what, "event", "");
	int64_t ms = strtoll(setting(sim, "window_ms"), NULL, 10);
	struct person *person = person_of(sim, from);
	bool leaves = text_has_word("unfollow,unsubscribe", ',', event);
	if (leaves || strcmp(event, "follow") == 0)
		person->is_blocked = leaves;
	if (!leaves)
		window_open(sim, from, ms, strcmp(said(what, "kind", ""), "mention") == 0 ? 1 : 0);
}

static const char *say(struct standin *sim, struct json_object *what, char ret_id[128])
{
	struct arena *arena = arena_new(0);
	const char *from = said(what, "from", "2489000002");
	const char *raw = json_text(what, "raw");
	const char *inside = content(sim, what, arena);
	snprintf(ret_id, 128, "wb%lld", (long long)next_number(sim));
	if (inside != NULL || raw != NULL) {
		struct post *post = post_new(sim, ret_id, what);
		const char *body =
			raw != NULL ? raw
				    : arena_format(
					      arena,
					      "{\"receiver_id\":%s,\"sender_id\":%s,\"created_at\":"
					      "\"%s\",%s}",
					      setting(sim, "uid"), from,
					      china_time(arena, json_int(what, "at_s",
									 sim_now_ms() / 1000)),
					      inside);
		open_window(sim, what, from);
		post_body(post, "application/json", body, strlen(body));
		post->sign = sign;
		post->check = check;
		post_start(post);
	}
	arena_free(&arena);
	return inside != NULL || raw != NULL ? NULL : "media.base64 is missing or unreadable";
}

static const char *handshake(struct standin *sim, struct json_object *what, char ret_id[128])
{
	struct fault fault;
	struct post *post = post_new(sim, said(what, "echostr", "echo-4711"), what);
	snprintf(ret_id, 128, "handshake");
	post->method = "GET";
	post->is_once = true;
	post->is_forged = fault_take(sim, "wrong_signature", "post", &fault);
	post->sign = sign;
	post->check = check_echo;
	post_start(post);
	return NULL;
}

static const struct setting_default settings[] = {
	{ "app_key", "1234567890" },         { "app_secret", "xyz123xyz" },
	{ "access_token", "2.00simulated" }, { "uid", "1902000001" },
	{ "window_ms", "172800000" },        { NULL, NULL },
};

static const struct route routes[] = {
	{ "POST", "/2/messages/reply.json", "send", on_reply },
	{ "POST", "/2/messages/reply/biz.json", "send", on_reply },
	{ "GET", "/2/mss/msget", "media", on_media },
	{ "GET", "/2/account/get_uid.json", "other", on_uid },
	{ "POST", "/oauth2/get_token_info", "other", on_uid },
	{ NULL, NULL, NULL, NULL },
};

static const int64_t retry_ms[] = { 0, 0, -1 };

const struct provider weibo_provider = {
	.name = "weibo",
	.settings = settings,
	.routes = routes,
	.answer_ms = 5000,
	.retry_ms = retry_ms,
	.window_code = "26401",
	.token_code = "21327",
	.error = error,
	.trouble = trouble,
	.say = say,
	.handshake = handshake,
};
