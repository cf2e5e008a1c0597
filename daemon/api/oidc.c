/* Signing in through a provider (OpenID Connect: authorization code with PKCE). The browser comes
 * and goes by redirects; what went wrong is said by the page, by the word behind #/sign-in/. */
#include <stdio.h>
#include <string.h>

#include "api/auth.h"
#include "api/handlers.h"
#include "api/oidc_attempt.h"
#include "api/oidc_provider.h"
#include "api/session.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "config.h"
#include "parts.h"
#include "services/loop.h"
#include "services/transfer.h"
#include "verify/id_token.h"

enum {
	STATUS_OK = 200,
	STATUS_BROKEN = 500,
	ANSWER_MAX = 256 * 1024,
	EXCHANGE_MS = 10000,
	CODE_MAX = 4096
};

/* A browser that has come back. */
struct returning {
	struct signing signing; /* first: what opens sessions takes the call's state as one */
	struct oidc_attempt attempt;
	const char *code;
	const char *id_token;
	struct id_token_claims claims;
};

static const struct config_oidc *settings(const struct api_call *call)
{
	return &call->parts->config->oidc;
}

static struct oidc_bench bench_of(struct api_call *call)
{
	return (struct oidc_bench){ call->parts->key, settings(call),
				    loop_unix_ms(call->parts->loop) / 1000 };
}

/* public_url without a slash at its end; empty where a reload has just taken it away. */
static const char *base_url(struct api_call *call)
{
	const char *url = call->parts->config->public_url;
	size_t len = url == NULL ? 0 : strlen(url);

	while (len > 0 && url[len - 1] == '/')
		len--;
	return arena_copy(call->arena, url == NULL ? "" : url, len);
}

static const char *redirect_uri(struct api_call *call)
{
	return arena_format(call->arena, "%s/v1/oidc/callback", base_url(call));
}

static void redirect(struct api_call *call, const char *url)
{
	http_request_add_field(call->request, "Location", url);
	http_request_add_field(call->request, "Cache-Control", "no-store");
	http_request_add_field(call->request, "Referrer-Policy", "no-referrer");
	api_empty(call, 303);
}

static void cookie_set(struct api_call *call, const char *value, int age_s)
{
	http_request_add_field(
		call->request, "Set-Cookie",
		arena_format(call->arena,
			     "converge_oidc=%s; Path=/; HttpOnly; SameSite=Lax; Max-Age=%d%s",
			     value, age_s,
			     http_request_is_secure(call->request) ? "; Secure" : ""));
}

/* Back to the page, which has words for the reason. */
static void refuse(struct api_call *call, const char *reason, const char *why)
{
	log_warn(http_request_id(call->request), "event=oidc_sign_in_refused reason=%s error=%s",
		 reason, log_quote(why));
	redirect(call, arena_format(call->arena, "%s/#/sign-in/%s", base_url(call), reason));
}

static bool is_configured(struct api_call *call)
{
	if (settings(call)->issuer != NULL)
		return true;
	api_problem(call, 404, "no_oidc", "no provider to sign in through is configured");
	return false;
}

/* ---- GET /v1/session/ways ---- */

static const char *provider_name(struct api_call *call)
{
	const char *host = strstr(settings(call)->issuer, "://") + 3;

	return settings(call)->name != NULL ? settings(call)->name
					    : arena_copy(call->arena, host, strcspn(host, ":/"));
}

void handle_sign_in_ways(struct api_call *call)
{
	struct buf body = { 0 };
	struct json_out out;

	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_bool(&out, "password", true);
	if (settings(call)->issuer != NULL) {
		jw_object(&out, "oidc");
		jw_text(&out, "name", provider_name(call));
		jw_object_end(&out);
	} else {
		jw_null(&out, "oidc");
	}
	jw_object_end(&out);
	api_answer(call, 200, &body);
}

/* ---- GET /v1/oidc/start ---- */

/* mark: what stands before it, '?' or '&' of a URL, 0 for the first of a form. */
static void pair_write(struct buf *out, char mark, const char *name, const char *value)
{
	if (mark != '\0')
		buf_byte(out, mark);
	buf_text(out, name);
	buf_byte(out, '=');
	text_percent(out, value, strlen(value));
}

static void on_start_facts(struct api_call *call, const struct oidc_facts *facts)
{
	const struct oidc_bench bench = bench_of(call);
	char cookie[OIDC_COOKIE_BYTES];
	char challenge[OIDC_SECRET_TEXT];
	struct oidc_attempt attempt;
	struct buf url = { 0 };

	if (facts == NULL) {
		refuse(call, "away", "the provider did not answer");
		return;
	}
	oidc_attempt_make(&bench, call->state, &attempt, cookie);
	oidc_challenge(attempt.verifier, challenge);
	buf_text(&url, facts->authorization_endpoint);
	pair_write(&url, strchr(facts->authorization_endpoint, '?') == NULL ? '?' : '&',
		   "response_type", "code");
	pair_write(&url, '&', "client_id", bench.oidc->client_id);
	pair_write(&url, '&', "redirect_uri", redirect_uri(call));
	pair_write(&url, '&', "scope", bench.oidc->scope);
	pair_write(&url, '&', "state", attempt.state);
	pair_write(&url, '&', "nonce", attempt.nonce);
	pair_write(&url, '&', "code_challenge", challenge);
	pair_write(&url, '&', "code_challenge_method", "S256");
	cookie_set(call, cookie, OIDC_ATTEMPT_S);
	redirect(call, buf_string(&url));
	buf_clear(&url);
}

void handle_oidc_start(struct api_call *call)
{
	const char *workspace = api_query(call, "workspace");

	if (!is_configured(call))
		return;
	if (workspace != NULL && !api_is_workspace(workspace)) {
		api_invalid(call, "#/query/workspace", "a workspace is 1 to 40 of a-z, 0-9 and -");
		return;
	}
	call->state = arena_text(call->arena, workspace == NULL ? "main" : workspace);
	oidc_provider_ask(api_oidc(call->api), call, OIDC_KNOWN, on_start_facts);
}

/* ---- GET /v1/oidc/callback ---- */

/* The desk asks for its session by itself. */
static void on_opened(struct api_call *call, const struct signing *signing, const char *csrf)
{
	(void)signing;
	(void)csrf;
	redirect(call, arena_format(call->arena, "%s/#/signed-in", base_url(call)));
}

static bool is_meant(struct json_object *agent, const struct id_token_claims *claims)
{
	const char *subject = json_text(agent, "oidc_subject");
	const char *email = json_text(agent, "email");

	if (subject != NULL)
		return text_equal(subject, claims->subject);
	return email != NULL && claims->email != NULL && text_equal_nocase(email, claims->email);
}

/* The one agent that is meant; NULL where none is, or where that is not sure. */
static const char *agent_find(struct api_call *call, const struct store_reply *agents,
			      const struct id_token_claims *claims)
{
	const char *found = NULL;

	for (size_t i = 0; i < reply_count(agents); i++) {
		OWNED(json_free) struct json_object *agent = NULL;
		size_t len = 0;
		const char *text = reply_text(reply_item(agents, i), &len);

		if (text != NULL)
			agent = json_read(text, len, NULL);
		if (agent == NULL || !is_meant(agent, claims))
			continue;
		if (found != NULL)
			return NULL;
		found = json_text_copy(agent, "id", call->arena);
	}
	return found;
}

static void on_agents(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct returning *returning = call->state;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	returning->signing.agent = agent_find(call, reply, &returning->claims);
	if (returning->signing.agent != NULL)
		session_open(call, &returning->signing);
	else if (returning->claims.email_unproved)
		refuse(call, "unproved", "the provider has not checked the e-mail address");
	else
		refuse(call, "unknown", "no agent, or more than one, has that subject or address");
}

static void agents_read(struct api_call *call)
{
	const struct returning *returning = call->state;
	struct store_call *read = store_command("HVALS");

	store_arg_key(read, returning->signing.workspace, "cfg:agents");
	store_read(call->parts->store, read, on_agents, call);
}

static enum id_token_verdict judge(struct api_call *call, const struct oidc_facts *facts,
				   struct error *err)
{
	struct returning *returning = call->state;
	const struct id_token_check check = {
		.token = returning->id_token,
		.issuer = settings(call)->issuer,
		.client_id = settings(call)->client_id,
		.nonce = returning->attempt.nonce,
		.now_s = loop_unix_ms(call->parts->loop) / 1000,
	};

	return id_token_check(&check, facts->keys, call->arena, &returning->claims, err);
}

static void on_new_keys(struct api_call *call, const struct oidc_facts *facts)
{
	struct error err = { 0 };

	if (facts == NULL)
		refuse(call, "away", "the provider did not answer");
	else if (judge(call, facts, &err) == ID_TOKEN_RIGHT)
		agents_read(call);
	else
		refuse(call, "token", err.text);
}

static void on_token_facts(struct api_call *call, const struct oidc_facts *facts)
{
	struct error err = { 0 };

	if (facts == NULL) {
		refuse(call, "away", "the provider did not answer");
		return;
	}
	switch (judge(call, facts, &err)) {
	case ID_TOKEN_RIGHT:
		agents_read(call);
		break;
	case ID_TOKEN_UNKNOWN_KEY:
		oidc_provider_ask(api_oidc(call->api), call, OIDC_NEW_KEYS, on_new_keys);
		break;
	case ID_TOKEN_WRONG:
	default:
		refuse(call, "token", err.text);
	}
}

static void on_exchanged(const struct transfer_answer *answer, void *context)
{
	struct api_call *call = context;
	struct returning *returning = call->state;
	OWNED(json_free) struct json_object *json = NULL;
	const char *code;

	if (answer->error != NULL) {
		refuse(call, "away", answer->error->text);
		return;
	}
	json = json_read(answer->body, answer->body_len, NULL);
	code = json_text(json, "error");
	returning->id_token = json_text_copy(json, "id_token", call->arena);
	if (answer->status != STATUS_OK)
		refuse(call, answer->status >= STATUS_BROKEN ? "away" : "token",
		       arena_format(call->arena, "the code: HTTP %ld %s", answer->status,
				    code == NULL ? "" : code));
	else if (returning->id_token == NULL)
		refuse(call, "token", "there is no id_token in the answer");
	else
		oidc_provider_ask(api_oidc(call->api), call, OIDC_KNOWN, on_token_facts);
}

/* RFC 6749, 2.3.1: both are form-encoded before they are joined. */
static const char *basic_of(struct api_call *call)
{
	const struct config_oidc *oidc = settings(call);
	struct buf plain = { 0 };
	char *out;

	text_percent(&plain, oidc->client_id, strlen(oidc->client_id));
	buf_byte(&plain, ':');
	text_percent(&plain, oidc->client_secret, strlen(oidc->client_secret));
	out = arena_alloc(call->arena, 4 * (plain.len / 3 + 1) + 1);
	text_base64(plain.data, plain.len, out);
	buf_clear(&plain);
	return arena_format(call->arena, "Basic %s", out);
}

static void exchange(struct api_call *call, const struct oidc_facts *facts)
{
	const struct returning *returning = call->state;
	const struct config_oidc *oidc = settings(call);
	bool is_basic = oidc->client_secret != NULL && !facts->secret_in_body;
	const struct transfer_field fields[] = {
		{ "Content-Type", "application/x-www-form-urlencoded" },
		{ "Accept", "application/json" },
		{ "Authorization", is_basic ? basic_of(call) : "" },
	};
	struct transfer_options options = {
		.url = facts->token_endpoint,
		.method = "POST",
		.fields = fields,
		.field_count = is_basic ? 3 : 2,
		.allow_private = oidc->allow_private,
		.timeout_ms = EXCHANGE_MS,
		.connect_ms = EXCHANGE_MS,
		.answer_max = ANSWER_MAX,
	};
	struct buf form = { 0 };

	pair_write(&form, '\0', "grant_type", "authorization_code");
	pair_write(&form, '&', "code", returning->code);
	pair_write(&form, '&', "redirect_uri", redirect_uri(call));
	pair_write(&form, '&', "code_verifier", returning->attempt.verifier);
	if (!is_basic)
		pair_write(&form, '&', "client_id", oidc->client_id);
	if (!is_basic && oidc->client_secret != NULL)
		pair_write(&form, '&', "client_secret", oidc->client_secret);
	options.body = form.data;
	options.body_len = form.len;
	transfer_start(call->parts->transfers, &options, NULL, on_exchanged, call);
	buf_clear(&form);
}

/* RFC 9207: an answer that another provider made is not taken to this one. */
static void on_return_facts(struct api_call *call, const struct oidc_facts *facts)
{
	const char *issuer = api_query(call, "iss");

	if (facts == NULL)
		refuse(call, "away", "the provider did not answer");
	else if (issuer == NULL ? facts->names_issuer : !text_equal(issuer, settings(call)->issuer))
		refuse(call, "token", "the answer names another provider");
	else
		exchange(call, facts);
}

static void on_allowed(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;

	if (err != NULL)
		api_fail(call, err);
	else if (!reply_is(reply, "ok"))
		refuse(call, "too_many", "too many attempts from one source");
	else
		oidc_provider_ask(api_oidc(call->api), call, OIDC_KNOWN, on_return_facts);
}

/* NULL after having answered: this browser did not leave for the provider, or comes without a
 * code. */
static struct returning *return_read(struct api_call *call)
{
	struct returning *returning = arena_alloc(call->arena, sizeof(*returning));
	const struct oidc_bench bench = bench_of(call);
	const char *state = api_query(call, "state");
	const char *error = api_query(call, "error");

	if (state == NULL ||
	    !oidc_attempt_read(&bench, auth_cookie(call->request, call->arena, "converge_oidc"),
			       call->arena, &returning->attempt) ||
	    !crypto_equal(state, strlen(state), returning->attempt.state,
			  strlen(returning->attempt.state))) {
		refuse(call, "stale", "its state is not that of this browser's attempt");
		return NULL;
	}
	returning->code = api_query(call, "code");
	if (error != NULL || returning->code == NULL || strlen(returning->code) > CODE_MAX) {
		refuse(call, "denied", error == NULL ? "there is no code" : error);
		return NULL;
	}
	returning->signing.workspace = returning->attempt.workspace;
	returning->signing.opened = on_opened;
	return returning;
}

void handle_oidc_callback(struct api_call *call)
{
	struct returning *returning;

	if (!is_configured(call))
		return;
	cookie_set(call, "", 0);
	returning = return_read(call);
	if (returning == NULL)
		return;
	session_source_count(call, &returning->signing, on_allowed);
}
