/* Signing in with a password, and setting one. The password worker does the
 * slow hash; a wrong agent takes as long as a wrong password. */
#include <stdio.h>
#include <string.h>

#include "api/auth.h"
#include "api/handlers.h"
#include "api/keep.h"
#include "api/names.h"
#include "api/session.h"
#include "api/totp.h"
#include "base/memory.h"
#include "base/text.h"
#include "parts.h"
#include "services/loop.h"
#include "services/password.h"

enum { SESSION_MS = 12 * 3600 * 1000, AGENT_ATTEMPTS = 10, SOURCE_ATTEMPTS = 50 };

/* A valid hash of nothing anybody knows: verified where the agent has none. */
static const char nobody[] = "$argon2id$v=19$m=65536,t=2,p=1$bm9ib2R5bm9ib2R5bm9ib2R5$"
			     "mJ2kVxqQ0Y8m8Y3gkq3mB0s2a6yHnZ4m4cHk7r1vD6E";

/* The same words for a code that is wrong and for one that was used. */
static void answer_wrong_code(struct api_call *call)
{
	api_problem(call, 401, "wrong_code", "the code is wrong, or was used before");
}

static void answer_opened(struct api_call *call, const struct signing *signing, const char *csrf)
{
	struct buf body = { 0 };
	struct json_out out;

	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_text(&out, "role", signing->role);
	jw_text(&out, "workspace", signing->workspace);
	jw_text(&out, "agent", signing->agent);
	jw_text(&out, "csrf_token", csrf);
	jw_object_end(&out);
	api_answer(call, 201, &body);
}

static void on_kept(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const struct signing *signing = call->state;
	const char *nonce;
	char session[AUTH_TOKEN_BYTES];
	char cookie[400];
	char csrf[65];

	if (err == NULL && reply_is(reply, "refused")) {
		answer_wrong_code(call);
		return;
	}
	nonce = kept_nonce(call, reply, err);
	if (nonce == NULL)
		return;
	auth_token_make(call->parts->key, "cvs", signing->workspace, nonce, session);
	auth_csrf(api_auth(call->api), session, csrf);
	snprintf(cookie, sizeof(cookie),
		 "converge_session=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%d%s", session,
		 SESSION_MS / 1000, http_request_is_secure(call->request) ? "; Secure" : "");
	http_request_add_field(call->request, "Set-Cookie", cookie);
	signing->opened(call, signing, csrf);
}

static void session_keep(struct api_call *call)
{
	const struct signing *signing = call->state;
	struct buf kept = { 0 };
	struct json_out out;
	char nonce[AUTH_NONCE_BYTES];
	char session[AUTH_TOKEN_BYTES];
	char hash[65];

	auth_nonce(nonce);
	auth_token_make(call->parts->key, "cvs", signing->workspace, nonce, session);
	auth_hash(session, hash);
	jw_start(&out, &kept);
	jw_object(&out, NULL);
	jw_text(&out, "agent", signing->agent);
	jw_text(&out, "name", signing->agent);
	jw_int(&out, "opened", loop_unix_ms(call->parts->loop));
	jw_object_end(&out);
	session_put(&(struct keeper){ call->parts->store, signing->workspace },
		    &(struct credential){ call->idempotency_key, call->request_hash, nonce, hash,
					  signing->factor },
		    buf_string(&kept), SESSION_MS, on_kept, call);
	buf_clear(&kept);
}

/* The role is the agent's of now, and who is none any more does not come in. */
static void on_who(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct signing *signing = call->state;
	OWNED(json_free) struct json_object *agent = NULL;
	const char *text;
	size_t len = 0;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	text = reply_text(reply, &len);
	if (text != NULL)
		agent = json_read(text, len, NULL);
	if (agent == NULL) {
		api_problem(call, 401, "wrong_password", "the agent or the password is wrong");
		return;
	}
	signing->role = role_name(agent_role(agent));
	session_keep(call);
}

void session_open(struct api_call *call, struct signing *signing)
{
	struct store_call *read = store_command("HGET");

	call->state = signing;
	store_arg_key(read, signing->workspace, "cfg:agents");
	store_arg_text(read, signing->agent);
	store_read(call->parts->store, read, on_who, call);
}

static void on_judged(enum totp_verdict verdict, const struct second_factor *factor,
		      const struct error *err, struct api_call *call)
{
	struct signing *signing = call->state;

	signing->factor = factor;
	if (err != NULL)
		api_fail(call, err);
	else if (verdict == TOTP_ASKED)
		api_problem(call, 401, "code_required",
			    "the code of the authenticator app is needed too, as \"code\"");
	else if (verdict == TOTP_WRONG)
		answer_wrong_code(call);
	else
		session_open(call, signing);
}

static void on_verified(bool matches, const struct error *err, void *context)
{
	struct api_call *call = context;
	const struct signing *signing = call->state;

	if (err != NULL)
		api_fail(call, err);
	else if (!matches || !signing->known)
		api_problem(call, 401, "wrong_password", "the agent or the password is wrong");
	else
		totp_judge(call, &(struct keeper){ call->parts->store, signing->workspace },
			   signing->agent, json_text(call->body, "code"), on_judged);
}

/* {"hash"} of an agent's login, in {ws}:logins. */
static void on_login(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct signing *signing = call->state;
	struct json_object *login = NULL;
	const char *hash = nobody;
	const char *text;
	size_t len = 0;
	struct error problem;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	text = reply_text(reply, &len);
	if (text != NULL)
		login = json_read(text, len, NULL);
	if (json_text(login, "hash") != NULL) {
		signing->known = true;
		hash = json_text(login, "hash");
	}
	if (password_verify(call->parts->password, hash, json_text(call->body, "password"),
			    on_verified, call, &problem) != 0)
		api_fail(call, &problem);
	json_free(&login);
}

void session_too_many(struct api_call *call)
{
	http_request_add_field(call->request, "Retry-After", "30");
	api_problem(call, 429, "too_many_attempts", "too many attempts; wait a little");
}

/* Guessing is held back per agent and per source; both buckets are in the store, so that a fleet
 * counts together. */
static void on_allowed(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const struct signing *signing = call->state;
	struct store_call *read;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (!reply_is(reply, "ok")) {
		session_too_many(call);
		return;
	}
	read = store_command("HGET");
	store_arg_key(read, signing->workspace, "logins");
	store_arg_text(read, signing->agent);
	store_read(call->parts->store, read, on_login, call);
}

struct attempts {
	const char *workspace;
	const char *what;
	const char *whose;
	int size;
};

static void attempt_count(struct api_call *call, const struct attempts *attempts,
			  store_done_fn *done)
{
	struct store_call *rate = store_script("rate", attempts->workspace);
	char hash[65];

	auth_hash(attempts->whose, hash);
	store_key(rate, "rate:%s:%.16s", attempts->what, hash);
	store_arg_int(rate, attempts->size);
	store_arg_text(rate, "0.05");
	store_arg_int(rate, 1);
	store_run(call->parts->store, rate, done, call);
}

void session_source_count(struct api_call *call, struct signing *signing, store_done_fn *done)
{
	/* Of one place, or each name of a workspace that somebody makes up would be a new start. */
	const struct attempts attempts = { "main", "source", http_request_source(call->request),
					   SOURCE_ATTEMPTS };

	call->state = signing;
	attempt_count(call, &attempts, done);
}

void session_guess_count(struct api_call *call, store_done_fn *done)
{
	const struct attempts attempts = { call->who.workspace, "guess", call->who.agent,
					   AGENT_ATTEMPTS };

	attempt_count(call, &attempts, done);
}

static void on_source_allowed(const struct store_reply *reply, const struct error *err,
			      void *context)
{
	struct api_call *call = context;
	const struct signing *signing = call->state;

	if (err != NULL || !reply_is(reply, "ok"))
		on_allowed(reply, err, context);
	else
		attempt_count(call,
			      &(struct attempts){ signing->workspace, "login", signing->agent,
						  AGENT_ATTEMPTS },
			      on_allowed);
}

void handle_session_start(struct api_call *call)
{
	struct signing *signing = arena_alloc(call->arena, sizeof(*signing));
	const char *workspace = json_text_copy(call->body, "workspace", call->arena);

	if (workspace != NULL && !api_is_workspace(workspace)) {
		api_invalid(call, "#/body/workspace", "a workspace is 1 to 40 of a-z, 0-9 and -");
		return;
	}
	signing->workspace = workspace == NULL ? "main" : workspace;
	signing->agent = json_text_copy(call->body, "agent", call->arena);
	signing->opened = answer_opened;
	/* Nobody is signed in yet: a key belongs to whom the request names. */
	if (api_idempotency(call, arena_format(call->arena, "agent:%s", signing->agent)))
		session_source_count(call, signing, on_source_allowed);
}

static void on_gone(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;

	(void)reply;
	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	auth_forget(api_auth(call->api), call->who.workspace);
	http_request_add_field(call->request, "Set-Cookie",
			       "converge_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
	api_empty(call, 204);
}

/* For a page that came to its session by a way that could not tell it the CSRF value. */
void handle_session_get(struct api_call *call)
{
	struct buf body = { 0 };
	struct json_out out;
	char csrf[65];

	if (!call->who.by_cookie || !auth_csrf_of(api_auth(call->api), call->request, csrf)) {
		api_problem(call, 400, "no_session",
			    "this request came with a token, not a session");
		return;
	}
	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_text(&out, "role", role_name(call->who.role));
	jw_text(&out, "workspace", call->who.workspace);
	jw_text(&out, "agent", call->who.agent);
	jw_text(&out, "csrf_token", csrf);
	jw_object_end(&out);
	api_answer(call, 200, &body);
}

void handle_session_end(struct api_call *call)
{
	if (!call->who.by_cookie) {
		api_problem(call, 400, "no_session",
			    "this request came with a token, not a session");
		return;
	}
	session_delete(&(struct keeper){ call->parts->store, call->who.workspace },
		       call->who.credential, on_gone, call);
}

/* ---- PUT /v1/agents/{id}/password ---- */

static void on_stored(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;

	(void)reply;
	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	auth_forget(api_auth(call->api), call->who.workspace);
	api_empty(call, 204);
}

static void on_hashed(const char *hash, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct buf kept = { 0 };
	struct json_out out;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	jw_start(&out, &kept);
	jw_object(&out, NULL);
	jw_text(&out, "hash", hash);
	jw_int(&out, "since", loop_unix_ms(call->parts->loop));
	jw_object_end(&out);
	login_put(&(struct keeper){ call->parts->store, call->who.workspace }, call->params[0],
		  buf_string(&kept), on_stored, call);
	buf_clear(&kept);
}

static void on_agent(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct error problem;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (reply_text(reply, NULL) == NULL) {
		api_problem(call, 404, "no_such_agent", "there is no agent \"%s\"",
			    call->params[0]);
		return;
	}
	if (password_hash(call->parts->password, json_text(call->body, "password"), on_hashed, call,
			  &problem) != 0)
		api_fail(call, &problem);
}

static void password_set(struct api_call *call)
{
	struct store_call *read = store_command("HGET");

	store_arg_key(read, call->who.workspace, "cfg:agents");
	store_arg_text(read, call->params[0]);
	store_read(call->parts->store, read, on_agent, call);
}

void handle_agent_password(struct api_call *call)
{
	name_check(call, NAME_AGENT, call->params[0], "agent", password_set);
}
