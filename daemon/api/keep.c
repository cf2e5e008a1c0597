#include "api/keep.h"

void session_put(struct store *store, const char *workspace, const char *hash, const char *json,
		 int64_t ttl_ms, store_done_fn *done, void *context)
{
	struct store_call *call = store_script("session_put", workspace);

	store_key(call, "ses:%s", hash);
	store_arg_int(call, (ttl_ms + 999) / 1000);
	store_arg_text(call, "j");
	store_arg_text(call, json);
	store_run(store, call, done, context);
}

void session_delete(struct store *store, const char *workspace, const char *hash,
		    store_done_fn *done, void *context)
{
	struct store_call *call = store_script("session_delete", workspace);

	store_key(call, "ses:%s", hash);
	store_run(store, call, done, context);
}

void token_put(struct store *store, const char *workspace, const char *hash, const char *json,
	       store_done_fn *done, void *context)
{
	struct store_call *call = store_script("token_put", workspace);

	store_key(call, "tok");
	store_arg_text(call, hash);
	store_arg_text(call, json);
	store_run(store, call, done, context);
}

void token_delete(struct store *store, const char *workspace, const char *hash, store_done_fn *done,
		  void *context)
{
	struct store_call *call = store_script("token_delete", workspace);

	store_key(call, "tok");
	store_arg_text(call, hash);
	store_run(store, call, done, context);
}

void login_put(struct store *store, const char *workspace, const char *agent, const char *json,
	       store_done_fn *done, void *context)
{
	struct store_call *call = store_script("login_put", workspace);

	store_key(call, "logins");
	store_arg_text(call, agent);
	store_arg_text(call, json);
	store_run(store, call, done, context);
}

void config_put(struct store *store, const char *workspace, const char *kind, const char *id,
		const char *json, int64_t replaces, store_done_fn *done, void *context)
{
	struct store_call *call = store_script("config_put", workspace);

	store_key(call, "cfg:%s", kind);
	store_arg_text(call, id);
	store_arg_int(call, replaces);
	store_arg_text(call, json);
	store_run(store, call, done, context);
}

void config_delete(struct store *store, const char *workspace, const char *kind, const char *id,
		   const char *version, store_done_fn *done, void *context)
{
	struct store_call *call = store_script("config_delete", workspace);

	store_key(call, "cfg:%s", kind);
	store_arg_text(call, id);
	store_arg_text(call, version);
	store_run(store, call, done, context);
}
