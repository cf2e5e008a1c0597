/* An SMS gateway of no name, as there are hundreds: JSON with a key in a header, or a form with
 * user and password and an answer in plain text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "provider.h"

enum { TEXT_MAX = 1000 };

static void error(struct ask *ask, const char *code, const char *detail)
{
	static const struct {
		const char *code;
		int status;
	} rows[] = {
		{ "unauthorized", 401 }, { "forbidden", 403 }, { "not_found", 404 },
		{ "too_many", 429 },     { "busy", 503 },
	};
	int status = 400;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (strcmp(rows[i].code, code) == 0)
			status = rows[i].status;
	if (strcmp(ask->path, "/send") == 0) {
		const char *line = arena_format(ask->arena, "ERR %s", code);
		answer(ask, status == 400 ? 200 : status, "text/plain", line, strlen(line));
		return;
	}
	answer_json(ask, status,
		    "{\"status\":\"error\",\"error\":{\"code\":\"%s\",\"message\":%s}}", code,
		    quote(ask->arena, detail));
}

static const char *trouble(struct ask *ask, int status, int64_t seconds)
{
	(void)ask;
	(void)seconds;
	return status == 429 ? "{\"status\":\"error\",\"error\":{\"code\":\"too_many\"}}"
			     : "{\"status\":\"error\",\"error\":{\"code\":\"busy\"}}";
}

static const char *wrong_with(struct ask *ask, const char *to, const char *text)
{
	const struct person *person = person_find(ask->sim, to);
	size_t digits = to == NULL ? 0 : strspn(to + (to[0] == '+'), "0123456789");
	if (digits < 7 || digits > 15 || to[(to[0] == '+') + digits] != '\0')
		return "invalid_recipient";
	if (text == NULL || text[0] == '\0')
		return "empty_text";
	if (text_characters(text, strlen(text)) > TEXT_MAX)
		return "text_too_long";
	return person != NULL && person->is_blocked ? "opted_out" : NULL;
}

static const char *take(struct ask *ask, const char *to, const char *text, const char *key)
{
	const char *wrong = wrong_with(ask, to, text);
	if (wrong != NULL) {
		refuse(ask, wrong, "the message cannot be sent");
		return NULL;
	}
	const char *id = arena_format(ask->arena, "g-%lld", (long long)next_number(ask->sim));
	accept_send(ask, &(struct accepted){
				 .id = id, .to = to, .kind = "text", .text = text, .key = key });
	return id;
}

static void on_message(struct ask *ask)
{
	const char *key = ask_field(ask, "X-Api-Key");
	struct json_object *json = ask_json(ask);
	if (!text_equal(key, setting(ask->sim, "api_key")) &&
	    strcmp(ask_bearer(ask), setting(ask->sim, "api_key")) != 0) {
		refuse(ask, "unauthorized", "X-Api-Key is wrong");
		return;
	}
	if (json == NULL || !text_equal(json_text(json, "from"), setting(ask->sim, "number"))) {
		refuse(ask, "invalid_sender", "no JSON, or a from that is not yours");
		return;
	}
	const char *id = take(ask, json_text(json, "to"), json_text(json, "text"),
			      json_text(json, "reference"));
	if (id != NULL)
		answer_json(ask, 202,
			    "{\"status\":\"queued\",\"message\":{\"id\":\"%s\",\"parts\":1}}", id);
}

static const char *argument(struct ask *ask, const char *name)
{
	const char *value = ask_form(ask, name);
	return value != NULL ? value : ask_query(ask, name);
}

static void on_send(struct ask *ask)
{
	if (!text_equal(argument(ask, "user"), setting(ask->sim, "user")) ||
	    !text_equal(argument(ask, "password"), setting(ask->sim, "password"))) {
		refuse(ask, "unauthorized", "user or password is wrong");
		return;
	}
	const char *id =
		take(ask, argument(ask, "to"), argument(ask, "text"), argument(ask, "reference"));
	if (id != NULL) {
		const char *line = arena_format(ask->arena, "OK %s", id);
		answer(ask, 200, "text/plain", line, strlen(line));
	}
}

static void on_account(struct ask *ask)
{
	if (text_equal(ask_field(ask, "X-Api-Key"), setting(ask->sim, "api_key")))
		answer_json(ask, 200, "{\"status\":\"ok\",\"balance\":\"12.50\"}");
	else
		refuse(ask, "unauthorized", "X-Api-Key is wrong");
}

/* ---- what is posted: signed, or with a token in a header ---- */

static void sign(struct post *post)
{
	const char *mac =
		hmac256_hex(post->arena, secret(post->sim, "secret"), post->body, post->len);
	post_field(post, "X-Signature", arena_format(post->arena, "sha256=%s", mac));
	post_field(post, "X-Token", secret(post->sim, "token"));
	post_field(post, "X-Event-Id", post->id);
}

static void post_json(struct standin *sim, const char *id, struct json_object *what,
		      const char *json)
{
	struct post *post = post_new(sim, id, what);
	const char *raw = json_text(what, "raw");
	const char *body = raw != NULL ? raw : json;
	post_body(post, "application/json", body, strlen(body));
	post->sign = sign;
	post_start(post);
}

static const char *say(struct standin *sim, struct json_object *what, char ret_id[128])
{
	struct arena *arena = arena_new(0);
	char at[32];
	snprintf(ret_id, 128, "mo-%lld", (long long)next_number(sim));
	text_format_time(sim_now_ms(), at);
	person_of(sim, said(what, "from", "+8613900000000"));
	post_json(sim, ret_id, what,
		  arena_format(
			  arena,
			  "{\"type\":\"message\",\"id\":\"%s\",\"from\":%s,\"to\":\"%s\",\"text\":"
			  "%s,\"received_at\":\"%s\"}",
			  ret_id, quote(arena, said(what, "from", "+8613900000000")),
			  setting(sim, "number"), quote(arena, said(what, "text", "")), at));
	arena_free(&arena);
	return NULL;
}

static const char *receipt(struct standin *sim, struct json_object *what, char ret_id[128])
{
	struct arena *arena = arena_new(0);
	char at[32];
	snprintf(ret_id, 128, "%s", said(what, "id", ""));
	text_format_time(sim_now_ms(), at);
	post_json(sim, ret_id, what,
		  arena_format(arena,
			       "{\"type\":\"report\",\"id\":%s,\"status\":\"%s\",\"error\":%s,"
			       "\"at\":\"%s\"}",
			       quote(arena, ret_id), said(what, "status", "delivered"),
			       quote(arena, json_text(what, "code")), at));
	arena_free(&arena);
	return NULL;
}

static const struct setting_default settings[] = {
	{ "api_key", "simulated-api-key" },
	{ "user", "shop" },
	{ "password", "simulated-password" },
	{ "number", "10690000" },
	{ "secret", "simulated-gateway-secret" },
	{ "token", "simulated-gateway-token" },
	{ NULL, NULL },
};

static const struct route routes[] = {
	{ "POST", "/v1/messages", "send", on_message },
	{ "*", "/send", "send", on_send },
	{ "GET", "/v1/account", "other", on_account },
	{ NULL, NULL, NULL, NULL },
};

static const int64_t retry_ms[] = { 10000, 60000, 600000, -1 };

const struct provider http_sms_provider = {
	.name = "http_sms",
	.settings = settings,
	.routes = routes,
	.answer_ms = 10000,
	.retry_ms = retry_ms,
	.token_code = "unauthorized",
	.error = error,
	.trouble = trouble,
	.say = say,
	.receipt = receipt,
};
