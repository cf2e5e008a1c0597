/* Access tokens by the refresh token or by client credentials (RFC 6749),
 * kept until a minute before they expire. */
#include <stdlib.h>
#include <string.h>

#include "email_private.h"

enum { EARLY_MS = 60 * 1000, FALLBACK_LIFE_S = 300, LIFE_MAX_S = 86400 };

struct token_call {
	struct channel *channel;
	struct email_oauth *oauth;
	void (*done)(struct channel *channel, const char *error, void *context);
	void *context;
};

bool email_has_oauth(const struct email_settings *settings)
{
	return settings->oauth.token_url && settings->oauth.token_url[0];
}

void email_token_forget(struct email_oauth *oauth)
{
	free(oauth->token);
	oauth->token = NULL;
	oauth->expires_ms = 0;
}

static void form_add(struct email_text *form, const char *name, const char *value)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";

	if (!value || !value[0])
		return;
	email_text_format(form, "%s%s=", form->len ? "&" : "", name);
	for (const char *p = value; *p; p++) {
		if (strchr(plain, *p))
			email_text_add(form, p, 1);
		else
			email_text_format(form, "%%%02X", (unsigned char)*p);
	}
}

static const char *take_token(struct email_oauth *oauth, const struct host_answer *answer,
			      struct arena *arena)
{
	const char *error = NULL;
	struct json_object *body =
		email_host()->json_read(answer->body, answer->body_len, arena, &error);
	const char *token = body ? email_host()->json_text(body, "access_token") : NULL;
	int64_t life_s = body ? email_host()->json_int(body, "expires_in", FALLBACK_LIFE_S) : 0;

	if (life_s < 0 || life_s > LIFE_MAX_S)
		life_s = LIFE_MAX_S;
	if (token) {
		email_token_forget(oauth);
		oauth->token = strdup(token);
		oauth->expires_ms = email_host()->unix_ms() + life_s * 1000 - EARLY_MS;
	}
	if (body)
		email_host()->json_free(body);
	return oauth->token ? NULL : "token_url answered without an access_token";
}

static void on_token(const struct host_answer *answer, void *context)
{
	struct token_call call = *(struct token_call *)context;
	struct arena *arena = email_host()->arena_new();
	const char *error;

	free(context);
	if (answer->error)
		error = email_host()->format(arena, "asking for a token: %s", answer->error);
	else if (answer->status == 400 || answer->status == 401)
		error = "token_url refused the refresh token or the client";
	else if (answer->status != 200)
		error = email_host()->format(arena, "token_url answered %ld", answer->status);
	else
		error = take_token(call.oauth, answer, arena);
	call.done(call.channel, error, call.context);
	email_host()->arena_free(arena);
}

static void ask(struct channel *channel, struct token_call *call)
{
	const struct email_settings *settings = email_host()->channel_settings(channel);
	const struct email_oauth_settings *oauth = &settings->oauth;
	bool refresh = oauth->refresh_token && oauth->refresh_token[0];
	struct email_text form = { 0 };
	static const char *const fields[] = { "content-type", "application/x-www-form-urlencoded",
					      "accept", "application/json", NULL };
	struct host_http http = {
		.method = "POST", .url = oauth->token_url, .fields = fields, .allow_private = true
	};

	form_add(&form, "grant_type", refresh ? "refresh_token" : "client_credentials");
	form_add(&form, "refresh_token", oauth->refresh_token);
	form_add(&form, "client_id", oauth->client_id);
	form_add(&form, "client_secret", oauth->client_secret);
	form_add(&form, "scope", oauth->scope);
	http.body = form.data;
	http.body_len = form.len;
	email_host()->http(channel, &http, on_token, call);
	email_text_clear(&form);
}

void email_token_get(struct channel *channel, struct email_oauth *oauth,
		     void (*done)(struct channel *channel, const char *error, void *context),
		     void *context)
{
	struct token_call *call;

	if (oauth->token && email_host()->unix_ms() < oauth->expires_ms) {
		done(channel, NULL, context);
		return;
	}
	email_token_forget(oauth);
	call = calloc(1, sizeof(*call));
	if (!call)
		abort();
	*call = (struct token_call){ channel, oauth, done, context };
	ask(channel, call);
}
