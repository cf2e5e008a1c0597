/* Signing in with a second thing: an authenticator app, and ten recovery codes for the day when
 * the phone is lost. The store keeps the nonce that the app's secret is derived from under the
 * installation key, and hashes of the recovery codes: by itself it opens nothing. */
#include "api/totp.h"

#include <stdio.h>
#include <string.h>

#include "api/auth.h"
#include "api/handlers.h"
#include "api/keep.h"
#include "api/session.h"
#include "api/totp_code.h"
#include "base/crypto.h"
#include "base/text.h"
#include "parts.h"
#include "services/loop.h"
#include "services/password.h"

enum { RECOVERY_CODES = 10, RECOVERY_LETTERS = 10 };

struct judging {
	struct keeper keeper;
	const char *agent;
	const char *code;
	totp_judged *done;
	void *state; /* the call's, meanwhile */
};

struct owner {
	const char *workspace;
	const char *agent;
	const char *nonce;
};

/* what: "totp" or the name of a recovery code. */
static void derive(struct mac *key, const char *what, const struct owner *owner,
		   unsigned char out[SHA256_BYTES])
{
	mac_begin(key);
	mac_add(key, what, strlen(what) + 1);
	mac_add(key, owner->workspace, strlen(owner->workspace) + 1);
	mac_add(key, owner->agent, strlen(owner->agent) + 1);
	mac_add(key, owner->nonce, strlen(owner->nonce));
	mac_end(key, out);
}

/* 50 bits in letters and digits that are not taken for each other. */
static void recovery_code(struct mac *key, int number, const struct owner *owner,
			  char out[RECOVERY_LETTERS + 2])
{
	static const char letters[] = "23456789abcdefghjkmnpqrstuvwxyz";
	unsigned char bytes[SHA256_BYTES];
	char what[24];
	size_t len = 0;

	snprintf(what, sizeof(what), "recovery %d", number);
	derive(key, what, owner, bytes);
	for (size_t i = 0; i < RECOVERY_LETTERS; i++) {
		if (i == RECOVERY_LETTERS / 2)
			out[len++] = '-';
		out[len++] = letters[bytes[i] % (sizeof(letters) - 1)];
	}
	out[len] = '\0';
	explicit_bzero(bytes, sizeof(bytes));
}

/* Typed in any case, with or without the hyphen. */
static const char *recovery_hash(struct arena *arena, const char *typed)
{
	char *plain = arena_alloc(arena, strlen(typed) + 1);
	char *hash = arena_alloc(arena, 65);
	size_t len = 0;

	for (; *typed != '\0'; typed++)
		if (*typed != '-' && *typed != ' ')
			plain[len++] =
				(char)(*typed >= 'A' && *typed <= 'Z' ? *typed + 32 : *typed);
	auth_hash(plain, hash);
	return hash;
}

/* ---- judging a code ---- */

static void on_factor(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const struct judging *judging = call->state;
	const char *state = err == NULL ? reply_text_at(reply, 0) : NULL;
	struct second_factor *factor;
	unsigned char secret[SHA256_BYTES];
	struct owner owner;

	call->state = judging->state;
	if (err != NULL || state == NULL || !text_equal(state, "active")) {
		judging->done(TOTP_NONE, NULL, err, call);
		return;
	}
	if (judging->code == NULL) {
		judging->done(TOTP_ASKED, NULL, NULL, call);
		return;
	}
	factor = arena_alloc(call->arena, sizeof(*factor));
	factor->agent = judging->agent;
	factor->recovery = "";
	owner = (struct owner){ judging->keeper.workspace, judging->agent,
				reply_text_at(reply, 1) };
	derive(call->parts->key, "totp", &owner, secret);
	factor->step = totp_step(secret, judging->code, loop_unix_ms(call->parts->loop) / 1000);
	explicit_bzero(secret, sizeof(secret));
	/* What is no code of now may be a recovery code; the store knows. */
	if (factor->step < 0 && strlen(judging->code) >= RECOVERY_LETTERS)
		factor->recovery = recovery_hash(call->arena, judging->code);
	judging->done(factor->step < 0 && factor->recovery[0] == '\0' ? TOTP_WRONG : TOTP_RIGHT,
		      factor, NULL, call);
}

static void factor_read(struct api_call *call)
{
	const struct judging *judging = call->state;
	struct store_call *read = store_command("HMGET");

	store_arg_key(read, judging->keeper.workspace, "totp:%s", judging->agent);
	store_arg_text(read, "s");
	store_arg_text(read, "n");
	store_read(judging->keeper.store, read, on_factor, call);
}

void totp_judge(struct api_call *call, const struct keeper *keeper, const char *agent,
		const char *code, totp_judged *done)
{
	struct judging *judging = arena_alloc(call->arena, sizeof(*judging));

	*judging = (struct judging){ *keeper, agent, code, done, call->state };
	call->state = judging;
	factor_read(call);
}

/* ---- setting one up ---- */

static struct keeper keeper_of(struct api_call *call)
{
	return (struct keeper){ call->parts->store, call->who.workspace };
}

/* Tokens of programs and of admins without an agent sign in nowhere. */
static bool is_person(struct api_call *call)
{
	if (strncmp(call->who.agent, "token:", 6) != 0)
		return true;
	api_problem(call, 409, "no_agent", "this token stands for no agent, who could sign in");
	return false;
}

struct guessing {
	route_fn *go_on;
};

static void on_guess_counted(const struct store_reply *reply, const struct error *err,
			     void *context)
{
	struct api_call *call = context;
	const struct guessing *guessing = call->state;

	if (err != NULL)
		api_fail(call, err);
	else if (!reply_is(reply, "ok"))
		session_too_many(call);
	else
		guessing->go_on(call);
}

/* Who has a session only, of a desk left open, must not find out the password or a code. */
static void guess(struct api_call *call, route_fn *go_on)
{
	struct guessing *guessing = arena_alloc(call->arena, sizeof(*guessing));

	guessing->go_on = go_on;
	call->state = guessing;
	session_guess_count(call, on_guess_counted);
}

static void answer_secret(struct api_call *call, const struct owner *owner)
{
	unsigned char secret[SHA256_BYTES];
	char text[TOTP_SECRET_TEXT];
	struct buf body = { 0 };
	struct json_out out;

	derive(call->parts->key, "totp", owner, secret);
	totp_secret_text(secret, text);
	explicit_bzero(secret, sizeof(secret));
	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_text(&out, "secret", text);
	jw_text(&out, "uri",
		arena_format(
			call->arena,
			"otpauth://totp/Converge:%s?secret=%s&issuer=Converge&digits=%d&period=%d",
			owner->agent, text, TOTP_DIGITS, TOTP_STEP_S));
	jw_array(&out, "recovery_codes");
	for (int i = 0; i < RECOVERY_CODES; i++) {
		char code[RECOVERY_LETTERS + 2];

		recovery_code(call->parts->key, i, owner, code);
		jw_text(&out, NULL, code);
	}
	jw_array_end(&out);
	jw_object_end(&out);
	api_answer(call, 201, &body);
}

static void on_begun(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct owner owner = { call->who.workspace, call->who.agent, NULL };

	if (err == NULL && reply_is(reply, "refused")) {
		api_problem(call, 409, "totp_active", "there is one already: remove it first");
		return;
	}
	owner.nonce = kept_nonce(call, reply, err);
	if (owner.nonce != NULL)
		answer_secret(call, &owner);
}

static void on_password(bool matches, const struct error *err, void *context)
{
	struct api_call *call = context;
	char nonce[AUTH_NONCE_BYTES];
	struct owner owner = { call->who.workspace, call->who.agent, nonce };
	struct store_call *put;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (!matches) {
		api_problem(call, 403, "wrong_password", "the password is wrong");
		return;
	}
	auth_nonce(nonce);
	put = store_script("totp_put", call->who.workspace);
	store_key(put, "totp:%s", call->who.agent);
	store_arg_text(put, call->idempotency_key);
	store_arg_text(put, call->request_hash);
	store_arg_text(put, nonce);
	for (int i = 0; i < RECOVERY_CODES; i++) {
		char code[RECOVERY_LETTERS + 2];

		recovery_code(call->parts->key, i, &owner, code);
		store_arg_text(put, recovery_hash(call->arena, code));
	}
	store_run(call->parts->store, put, on_begun, call);
}

static void on_own_login(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct json_object *login = NULL;
	struct error problem;
	const char *text;
	size_t len = 0;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	text = reply_text(reply, &len);
	if (text != NULL)
		login = json_read(text, len, NULL);
	if (json_text(login, "hash") == NULL)
		api_problem(call, 409, "no_password", "you have no password to sign in with");
	else if (password_verify(call->parts->password, json_text(login, "hash"),
				 json_text(call->body, "password"), on_password, call,
				 &problem) != 0)
		api_fail(call, &problem);
	json_free(&login);
}

static void own_login_read(struct api_call *call)
{
	struct store_call *read = store_command("HGET");

	store_arg_key(read, call->who.workspace, "logins");
	store_arg_text(read, call->who.agent);
	store_read(call->parts->store, read, on_own_login, call);
}

void handle_totp_begin(struct api_call *call)
{
	if (is_person(call))
		guess(call, own_login_read);
}

static void on_confirmed(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;

	if (err != NULL)
		api_fail(call, err);
	else if (reply_is(reply, "conflict"))
		api_key_conflict(call);
	else if (reply_is(reply, "refused"))
		api_problem(call, 409, "totp_active", "there is one already");
	else
		api_empty(call, 204);
}

static void confirm(struct api_call *call, int64_t step)
{
	struct store_call *use = store_script("totp_use", call->who.workspace);

	store_key(use, "totp:%s", call->who.agent);
	store_arg_text(use, call->idempotency_key);
	store_arg_text(use, call->request_hash);
	store_arg_int(use, step);
	store_run(call->parts->store, use, on_confirmed, call);
}

static void on_pending(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const char *state = err == NULL ? reply_text_at(reply, 0) : NULL;
	struct owner owner = { call->who.workspace, call->who.agent, NULL };
	unsigned char secret[SHA256_BYTES];
	int64_t step;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (state == NULL) {
		api_problem(call, 409, "totp_not_begun", "POST /v1/me/totp comes first");
		return;
	}
	owner.nonce = reply_text_at(reply, 1);
	derive(call->parts->key, "totp", &owner, secret);
	step = totp_step(secret, json_text(call->body, "code"),
			 loop_unix_ms(call->parts->loop) / 1000);
	explicit_bzero(secret, sizeof(secret));
	/* One that is active may be a repetition: the script knows. */
	if (step < 0 && text_equal(state, "pending"))
		api_problem(call, 422, "wrong_code",
			    "the code is not the app's of now; is the phone's clock right?");
	else
		confirm(call, step);
}

void handle_totp_confirm(struct api_call *call)
{
	struct store_call *read;

	if (!is_person(call))
		return;
	read = store_command("HMGET");
	store_arg_key(read, call->who.workspace, "totp:%s", call->who.agent);
	store_arg_text(read, "s");
	store_arg_text(read, "n");
	store_read(call->parts->store, read, on_pending, call);
}

static void on_shown(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const char *state = err == NULL ? reply_text_at(reply, 0) : NULL;
	struct buf body = { 0 };
	struct json_out out;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_bool(&out, "active", state != NULL && text_equal(state, "active"));
	jw_object_end(&out);
	api_answer(call, 200, &body);
}

void handle_totp_get(struct api_call *call)
{
	struct store_call *read = store_command("HMGET");

	store_arg_key(read, call->who.workspace, "totp:%s", call->who.agent);
	store_arg_text(read, "s");
	store_read(call->parts->store, read, on_shown, call);
}

/* ---- removing one ---- */

static void on_removed(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;

	(void)reply;
	if (err != NULL)
		api_fail(call, err);
	else
		api_empty(call, 204);
}

static void factor_remove(struct api_call *call, const char *agent)
{
	struct store_call *gone = store_script("totp_delete", call->who.workspace);

	store_key(gone, "totp:%s", agent);
	store_run(call->parts->store, gone, on_removed, call);
}

static void on_own_code(enum totp_verdict verdict, const struct second_factor *factor,
			const struct error *err, struct api_call *call)
{
	if (err != NULL)
		api_fail(call, err);
	else if (verdict == TOTP_NONE)
		api_empty(call, 204);
	else if (verdict != TOTP_RIGHT || factor->recovery[0] != '\0')
		api_problem(call, 403, "wrong_code", "the code is not the app's of now");
	else
		factor_remove(call, call->who.agent);
}

static void own_code_judge(struct api_call *call)
{
	const struct keeper keeper = keeper_of(call);

	totp_judge(call, &keeper, call->who.agent, json_text(call->body, "code"), on_own_code);
}

void handle_totp_remove(struct api_call *call)
{
	if (is_person(call))
		guess(call, own_code_judge);
}

void handle_agent_totp_remove(struct api_call *call)
{
	factor_remove(call, call->params[0]);
}
