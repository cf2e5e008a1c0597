#include "api/keep.h"

#include "api/api.h"

void session_put(const struct keeper *keeper, const struct credential *credential, const char *json,
		 int64_t ttl_ms, store_done_fn *done, void *context)
{
	const struct second_factor *factor = credential->factor;
	struct store_call *call = store_script("session_put", keeper->workspace);

	store_key(call, "ses:%s", credential->hash);
	if (factor != NULL)
		store_key(call, "totp:%s", factor->agent);
	store_arg_text(call, credential->key);
	store_arg_text(call, credential->request);
	store_arg_text(call, credential->nonce);
	store_arg_int(call, (ttl_ms + 999) / 1000);
	if (factor != NULL && factor->step >= 0)
		store_arg_int(call, factor->step);
	else
		store_arg_text(call, "");
	store_arg_text(call, factor == NULL ? "" : factor->recovery);
	store_arg_text(call, "j");
	store_arg_text(call, json);
	store_run(keeper->store, call, done, context);
}

void session_delete(const struct keeper *keeper, const char *hash, store_done_fn *done,
		    void *context)
{
	struct store_call *call = store_script("session_delete", keeper->workspace);

	store_key(call, "ses:%s", hash);
	store_run(keeper->store, call, done, context);
}

void token_put(const struct keeper *keeper, const struct credential *credential, const char *json,
	       store_done_fn *done, void *context)
{
	struct store_call *call = store_script("token_put", keeper->workspace);

	store_key(call, "tok");
	store_arg_text(call, credential->key);
	store_arg_text(call, credential->request);
	store_arg_text(call, credential->hash);
	store_arg_text(call, json);
	store_arg_text(call, credential->nonce);
	store_run(keeper->store, call, done, context);
}

const char *kept_nonce(struct api_call *call, const struct store_reply *reply,
		       const struct error *err)
{
	bool repeated = err == NULL && reply_is(reply, "replay");

	if (err != NULL)
		api_fail(call, err);
	else if (reply_is(reply, "conflict"))
		api_key_conflict(call);
	if (err != NULL || reply_is(reply, "conflict"))
		return NULL;
	if (repeated)
		api_replayed(call);
	return arena_text(call->arena, reply_text(reply_item(reply, repeated ? 2 : 1), NULL));
}

void login_put(const struct keeper *keeper, const char *agent, const char *json,
	       store_done_fn *done, void *context)
{
	struct store_call *call = store_script("login_put", keeper->workspace);

	store_key(call, "logins");
	store_arg_text(call, agent);
	store_arg_text(call, json);
	store_run(keeper->store, call, done, context);
}

void token_delete(const struct keeper *keeper, const char *hash, store_done_fn *done, void *context)
{
	struct store_call *call = store_script("token_delete", keeper->workspace);

	store_key(call, "tok");
	store_arg_text(call, hash);
	store_run(keeper->store, call, done, context);
}

void config_put(const struct keeper *keeper, const struct config_write *write, store_done_fn *done,
		void *context)
{
	struct store_call *call = store_script("config_put", keeper->workspace);

	store_key(call, "cfg:%s", write->kind);
	store_key(call, "born:%s", write->kind);
	store_arg_text(call, write->id);
	store_arg_int(call, write->replaces);
	store_arg_text(call, write->json);
	store_run(keeper->store, call, done, context);
}

void config_delete(const struct keeper *keeper, const struct config_write *which,
		   const char *version, store_done_fn *done, void *context)
{
	struct store_call *call = store_script("config_delete", keeper->workspace);

	store_key(call, "cfg:%s", which->kind);
	store_key(call, "born:%s", which->kind);
	store_arg_text(call, which->id);
	store_arg_text(call, version);
	store_run(keeper->store, call, done, context);
}
