/* /v1/tokens: API tokens, stored as hashes, shown once. */
#include <stdio.h>
#include <string.h>

#include "api/auth.h"
#include "api/handlers.h"
#include "api/keep.h"
#include "api/names.h"
#include "api/page.h"
#include "base/id.h"
#include "base/text.h"
#include "parts.h"
#include "services/loop.h"

enum { SHOWN_HASH = 16 }; /* hex characters of the hash that name a token in lists */

static void token_of(struct api_call *call, const char *nonce, char token[AUTH_TOKEN_BYTES],
		     char hash[65], char id[80])
{
	auth_token_make(call->parts->key, "cvg", call->who.workspace, nonce, token);
	auth_hash(token, hash);
	snprintf(id, 80, "token:%.*s", SHOWN_HASH, hash);
}

static void on_made(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const char *nonce = kept_nonce(call, reply, err);
	struct buf body = { 0 };
	struct json_out out;
	char token[AUTH_TOKEN_BYTES];
	char hash[65];
	char id[80];

	if (nonce == NULL)
		return;
	token_of(call, nonce, token, hash, id);
	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_text(&out, "token", token);
	jw_text(&out, "id", id);
	jw_text(&out, "role", json_text(call->body, "role"));
	jw_object_end(&out);
	api_answer(call, 201, &body);
}

static void token_make(struct api_call *call)
{
	const char *role = json_text(call->body, "role");
	const char *agent = json_text(call->body, "agent");
	int64_t now = loop_unix_ms(call->parts->loop);
	int64_t expires_s = json_int(call->body, "expires_in_s", 0);
	struct buf kept = { 0 };
	struct json_out out;
	char nonce[AUTH_NONCE_BYTES];
	char token[AUTH_TOKEN_BYTES];
	char hash[65];
	char id[80];

	auth_nonce(nonce);
	token_of(call, nonce, token, hash, id);
	jw_start(&out, &kept);
	jw_object(&out, NULL);
	jw_text(&out, "id", id);
	jw_text(&out, "role", role);
	if (agent != NULL)
		jw_text(&out, "agent", agent);
	jw_text(&out, "name",
		json_text(call->body, "name") == NULL ? (agent == NULL ? role : agent)
						      : json_text(call->body, "name"));
	if (json_text(call->body, "view") != NULL)
		jw_text(&out, "view", json_text(call->body, "view"));
	jw_int(&out, "created", now);
	jw_int(&out, "expires", expires_s == 0 ? 0 : now + expires_s * 1000);
	jw_object_end(&out);
	token_put(&(struct keeper){ call->parts->store, call->who.workspace },
		  &(struct credential){ call->idempotency_key, call->request_hash, nonce, hash,
					NULL },
		  buf_string(&kept), on_made, call);
	buf_clear(&kept);
}

void handle_token_make(struct api_call *call)
{
	const char *role = json_text(call->body, "role");
	const char *agent = json_text(call->body, "agent");

	if (json_text(call->body, "view") != NULL && !text_equal(role, "integration"))
		api_invalid(call, "#/body/view", "only a token of role integration has a view");
	else if (agent == NULL && (text_equal(role, "agent") || text_equal(role, "supervisor")))
		api_invalid(call, "#/body/agent", "a token of role %s needs an agent", role);
	else
		name_check(call, NAME_AGENT, agent, "agent", token_make);
}

struct token_row {
	const char *id;
	const char *role;
	const char *agent;
	const char *name;
	int64_t created_ms;
	int64_t expires_ms;
};

static void write_token(struct json_out *out, const struct page_row *row)
{
	const struct token_row *token = row->what;

	jw_object(out, NULL);
	jw_text(out, "id", token->id);
	jw_text(out, "role", token->role);
	jw_text(out, "agent", token->agent);
	jw_text(out, "name", token->name);
	jw_time(out, "created_at", token->created_ms);
	jw_time(out, "expires_at", token->expires_ms);
	jw_object_end(out);
}

static bool token_read(struct arena *arena, const char *hash, const struct store_reply *value,
		       struct page_row *row)
{
	struct token_row *token = arena_alloc(arena, sizeof(*token));
	size_t len = 0;
	const char *text = reply_text(value, &len);
	struct json_object *kept = json_read(text, len, NULL);

	if (kept == NULL)
		return false;
	token->id = arena_format(arena, "token:%.*s", SHOWN_HASH, hash);
	token->role = json_text_copy(kept, "role", arena);
	token->agent = json_text_copy(kept, "agent", arena);
	token->name = json_text_copy(kept, "name", arena);
	token->created_ms = json_int(kept, "created", 0);
	token->expires_ms = json_int(kept, "expires", 0);
	json_free(&kept);
	*row = (struct page_row){ token->id, token->created_ms, token };
	return true;
}

static void on_listed(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct page_row *rows;
	size_t count = 0;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	rows = arena_alloc(call->arena, (reply_count(reply) / 2 + 1) * sizeof(*rows));
	for (size_t i = 0; i + 1 < reply_count(reply); i += 2)
		if (token_read(call->arena, reply_text(reply_item(reply, i), NULL),
			       reply_item(reply, i + 1), &rows[count]))
			count++;
	page_answer(call, rows, count, write_token);
}

static void read_all(struct api_call *call, store_done_fn *done)
{
	struct store_call *read = store_command("HGETALL");

	store_arg_key(read, call->who.workspace, "tok");
	store_read(call->parts->store, read, done, call);
}

void handle_token_list(struct api_call *call)
{
	read_all(call, on_listed);
}

static void on_deleted(const struct store_reply *reply, const struct error *err, void *context)
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

static void on_found(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const char *wanted = call->params[0];

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (text_starts(wanted, "token:"))
		wanted += strlen("token:");
	for (size_t i = 0; i + 1 < reply_count(reply) && strlen(wanted) >= SHOWN_HASH; i += 2) {
		const char *hash = reply_text(reply_item(reply, i), NULL);

		if (text_starts(hash, wanted)) {
			token_delete(&(struct keeper){ call->parts->store, call->who.workspace },
				     hash, on_deleted, call);
			return;
		}
	}
	api_problem(call, 404, "no_such_token", "there is no token \"%s\"", call->params[0]);
}

void handle_token_delete(struct api_call *call)
{
	read_all(call, on_found);
}
