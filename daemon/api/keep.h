/* Typed calls of the bookkeeping scripts that the API uses: configuration
 * objects, tokens, sessions. */
#pragma once

#include <stdint.h>

#include "store/store.h"

void session_put(struct store *store, const char *workspace, const char *hash, const char *json,
		 int64_t ttl_ms, store_done_fn *done, void *context);
void session_delete(struct store *store, const char *workspace, const char *hash,
		    store_done_fn *done, void *context);
void token_put(struct store *store, const char *workspace, const char *hash, const char *json,
	       store_done_fn *done, void *context);
void token_delete(struct store *store, const char *workspace, const char *hash, store_done_fn *done,
		  void *context);
void login_put(struct store *store, const char *workspace, const char *agent, const char *json,
	       store_done_fn *done, void *context);
/* json starts with {"version":N and N is replaces + 1 (0: there is none yet). Answers {'ok',
 * version}, or refused version with what is stored. */
void config_put(struct store *store, const char *workspace, const char *kind, const char *id,
		const char *json, int64_t replaces, store_done_fn *done, void *context);
void config_delete(struct store *store, const char *workspace, const char *kind, const char *id,
		   const char *version, store_done_fn *done, void *context);
