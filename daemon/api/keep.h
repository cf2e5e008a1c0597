/* Typed calls of the bookkeeping scripts that the API uses: configuration
 * objects, tokens, sessions. */
#pragma once

#include <stdint.h>

#include "store/store.h"

struct api_call;

struct keeper {
	struct store *store;
	const char *workspace;
};

/* What a session's opening uses up: a code of an authenticator app, or a recovery code. */
struct second_factor {
	const char *agent;
	int64_t step;         /* of the code; -1: it was none */
	const char *recovery; /* hash; "": it was none */
};

/* A credential that is made: what tells a repeated request (both "" without a key), the nonce it
 * was derived from (api/auth.h), and its hash. */
struct credential {
	const char *key;
	const char *request;
	const char *nonce;
	const char *hash;
	const struct second_factor *factor; /* of a session; NULL: none was asked for */
};
/* Both answer what kept_nonce() reads. */
void session_put(const struct keeper *keeper, const struct credential *credential, const char *json,
		 int64_t ttl_ms, store_done_fn *done, void *context);
void session_delete(const struct keeper *keeper, const char *hash, store_done_fn *done,
		    void *context);
void token_put(const struct keeper *keeper, const struct credential *credential, const char *json,
	       store_done_fn *done, void *context);
/* The nonce that counts, in the call's arena: this request's, or the first one's where this one
 * repeats it. NULL after having answered. */
const char *kept_nonce(struct api_call *call, const struct store_reply *reply,
		       const struct error *err);
void token_delete(const struct keeper *keeper, const char *hash, store_done_fn *done,
		  void *context);
void login_put(const struct keeper *keeper, const char *agent, const char *json,
	       store_done_fn *done, void *context);

struct config_write {
	const char *kind;
	const char *id;
	const char *json; /* starts with {"version":N, and N is replaces + 1 */
	int64_t replaces; /* 0: there is none yet */
};
/* Answers {'ok', version}, or refused version with what is stored. */
void config_put(const struct keeper *keeper, const struct config_write *write, store_done_fn *done,
		void *context);
/* version "": whichever there is. */
void config_delete(const struct keeper *keeper, const struct config_write *which,
		   const char *version, store_done_fn *done, void *context);
