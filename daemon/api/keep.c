#include "api/keep.h"

void session_put(const struct keeper *keeper, const char *hash, const char *json, int64_t ttl_ms,
		 store_done_fn *done, void *context)
{
	struct store_call *call = store_script("session_put", keeper->workspace);

	store_key(call, "ses:%s", hash);
	store_arg_int(call, (ttl_ms + 999) / 1000);
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

/* A script that stores one field of one hash. */
static void field_put(const struct keeper *keeper, struct store_call *call, const char *field,
		      const char *json, store_done_fn *done, void *context)
{
	store_arg_text(call, field);
	store_arg_text(call, json);
	store_run(keeper->store, call, done, context);
}

void token_put(const struct keeper *keeper, const char *hash, const char *json, store_done_fn *done,
	       void *context)
{
	struct store_call *call = store_script("token_put", keeper->workspace);

	store_key(call, "tok");
	field_put(keeper, call, hash, json, done, context);
}

void login_put(const struct keeper *keeper, const char *agent, const char *json,
	       store_done_fn *done, void *context)
{
	struct store_call *call = store_script("login_put", keeper->workspace);

	store_key(call, "logins");
	field_put(keeper, call, agent, json, done, context);
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
	store_arg_text(call, which->id);
	store_arg_text(call, version);
	store_run(keeper->store, call, done, context);
}
