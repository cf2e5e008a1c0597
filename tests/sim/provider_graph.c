/* See provider_graph.h. */
#include "provider_graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static int status_of(long code)
{
	static const struct {
		long code;
		int status;
	} rows[] = {
		{ 1, 500 },      { 2, 503 },      { 4, 429 },      { 10, 403 },     { 190, 401 },
		{ 200, 403 },    { 368, 403 },    { 613, 429 },    { 80007, 429 },  { 130429, 429 },
		{ 131000, 500 }, { 131016, 503 }, { 131031, 403 }, { 131056, 429 },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].code == code)
			return rows[i].status;
	return 400;
}

void graph_error(struct ask *ask, const char *code, const char *detail)
{
	long number = strcmp(code, "not_found") == 0 ? 100 : strtol(code, NULL, 10);
	const char *slash = strchr(code, '/');
	long sub = strcmp(code, "not_found") == 0 ? 33
		   : slash != NULL                ? strtol(slash + 1, NULL, 10)
						  : 0;
	struct arena *arena = ask->arena;
	answer_json(ask, status_of(number),
		    "{\"error\":{\"message\":%s,\"type\":\"OAuthException\",\"code\":%ld,%s"
		    "\"error_data\":{\"details\":%s},\"fbtrace_id\":\"A1sim\"}}",
		    quote(arena, arena_format(arena, "(#%ld) %s", number, detail)), number,
		    sub != 0 ? arena_format(arena, "\"error_subcode\":%ld,", sub) : "",
		    quote(arena, detail));
}

const char *graph_trouble(struct ask *ask, int status, int64_t seconds)
{
	(void)seconds;
	return arena_format(ask->arena,
			    "{\"error\":{\"message\":\"An unknown error has occurred.\",\"type\":"
			    "\"OAuthException\",\"code\":%d,\"fbtrace_id\":\"A1sim\"}}",
			    status == 429 ? 4 : 2);
}

bool graph_token_is_right(struct ask *ask)
{
	const char *token = ask_bearer(ask);
	const char *right = setting(ask->sim, "access_token");
	if (token[0] == '\0' && ask_query(ask, "access_token") != NULL)
		token = ask_query(ask, "access_token");
	const char *proof = ask_query(ask, "appsecret_proof");
	if (strcmp(token, right) != 0)
		refuse(ask, "190", "Invalid OAuth access token");
	else if (proof != NULL &&
		 strcmp(proof, hmac256_hex(ask->arena, setting(ask->sim, "app_secret"), token,
					   strlen(token))) != 0)
		refuse(ask, "100", "Invalid appsecret_proof provided in the API argument");
	else
		return true;
	return false;
}

bool graph_version_is_right(struct ask *ask)
{
	char *end;
	long major = strtol(ask->rest[0], &end, 10);
	if (major >= 2 && end[0] == '.' && digits_only(end + 1))
		return true;
	refuse(ask, "100", "Unknown API version");
	return false;
}

bool digits_only(const char *text)
{
	return text != NULL && text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

int64_t graph_time_ms(struct json_object *what)
{
	return json_int(what, "at_ms", sim_now_ms());
}

struct json_object *graph_sent(struct standin *sim, const char *id)
{
	for (size_t i = sim->sent.count; i > 0; i--) {
		const char *text = sim->sent.items[i - 1];
		struct json_object *line = json_read(text, strlen(text), NULL);
		const char *own = json_text(line, "id");
		if (own != NULL && id != NULL && strcmp(own, id) == 0)
			return line;
		json_free(&line);
	}
	return NULL;
}

/* ---- webhooks ---- */

static void escape(struct buf *out, const char *json, size_t len)
{
	while (len > 0) {
		uint32_t codepoint = 0;
		size_t bytes = text_character(json, len, &codepoint);
		if (bytes <= 1)
			buf_byte(out, *json);
		else if (codepoint > 0xffff)
			buf_format(out, "\\u%04x\\u%04x", 0xd7c0 + (codepoint >> 10),
				   0xdc00 + (codepoint & 0x3ff));
		else
			buf_format(out, "\\u%04x", codepoint);
		bytes = bytes > 0 ? bytes : 1;
		json += bytes;
		len -= bytes;
	}
}

static void sign(struct post *post)
{
	const char *mac =
		hmac256_hex(post->arena, secret(post->sim, "app_secret"), post->body, post->len);
	post_field(post, "X-Hub-Signature-256", arena_format(post->arena, "sha256=%s", mac));
}

void graph_post(struct standin *sim, const char *id, struct json_object *what,
		const struct buf *body)
{
	struct post *post = post_new(sim, id, what);
	const char *raw = json_text(what, "raw");
	struct buf out = { 0 };
	if (raw != NULL)
		buf_text(&out, raw);
	else
		escape(&out, body->data, body->len);
	post_body(post, "application/json", out.data, out.len);
	buf_clear(&out);
	post->sign = sign;
	post_start(post);
}

static void hub_sign(struct post *post)
{
	post_query(post, "hub.mode", "subscribe");
	post_query(post, "hub.challenge", post->given_nonce);
	post_query(post, "hub.verify_token", secret(post->sim, "verify_token"));
}

static const char *hub_check(struct post *post, int status, const char *body)
{
	if (status != 200)
		return "not 200";
	return strcmp(body, post->given_nonce) == 0 ? NULL : "not the challenge";
}

const char *graph_handshake(struct standin *sim, struct json_object *what, char ret_id[128])
{
	struct post *post = post_new(sim, "handshake", what);
	struct fault fault;
	snprintf(ret_id, 128, "handshake");
	post->method = "GET";
	post->is_once = true;
	if (post->given_nonce == NULL)
		post->given_nonce = "1158201444";
	post->is_forged = fault_take(sim, "wrong_signature", "post", &fault);
	post->sign = hub_sign;
	post->check = hub_check;
	post_start(post);
	return NULL;
}

/* ---- files ---- */

const char *graph_media_url(struct standin *sim, struct arena *arena, const char *id)
{
	return arena_format(arena, "%s/media/%s", own_base(sim, arena), id);
}

void graph_on_media(struct ask *ask)
{
	const struct media *media = media_find(ask->sim, ask->rest[0]);
	if (strcmp(setting(ask->sim, "media_token"), "yes") == 0 &&
	    strcmp(ask_bearer(ask), setting(ask->sim, "access_token")) != 0)
		refuse(ask, "190", "the file is fetched without the token");
	else if (media == NULL)
		refuse(ask, "not_found", "no such file");
	else
		answer_media(ask, media);
}
