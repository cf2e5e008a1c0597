/* Credentials to a principal. Tokens and sessions are stored as SHA-256 hashes
 * and looked up by hash; a short cache keeps the store out of the usual case,
 * and a revoked one leaves the cache with the log entry of its removal. */
#pragma once

#include "api/api.h"

struct auth;
struct json_object;
struct mac;

enum auth_outcome {
	AUTH_OK,
	AUTH_MISSING, /* no credentials at all */
	AUTH_REFUSED, /* unknown, expired, malformed */
	AUTH_CSRF,    /* a cookie without its CSRF field on a method with an effect */
	AUTH_AWAY,    /* the store could not be asked */
};

typedef void auth_done_fn(enum auth_outcome outcome, const struct principal *who, void *context);

struct auth *auth_new(struct parts *parts);
void auth_free(struct auth **auth);

/* who's texts are in arena. May call done before it returns (cache hit). */
void auth_request(struct auth *auth, struct http_request *request, struct arena *arena,
		  auth_done_fn *done, void *context);
/* Does a credential that was good still stand? who is of that time; only workspace, credential and
 * by_cookie are looked at. */
void auth_again(struct auth *auth, const struct principal *who, struct arena *arena,
		auth_done_fn *done, void *context);
/* Forgets everything cached of a workspace (a token or session ended). */
void auth_forget(struct auth *auth, const char *workspace);

/* A credential is "<kind>_<workspace>_<secret>", and its secret is a MAC of a random nonce under
 * the installation key: a repeated request is answered with the same credential from the nonce that
 * the store keeps for its Idempotency-Key, and the store alone gives nobody a credential. */
enum { AUTH_NONCE_BYTES = 33, AUTH_TOKEN_BYTES = 128 };
void auth_nonce(char nonce[AUTH_NONCE_BYTES]);
/* kind: "cvg", or "cvs" for a session. */
void auth_token_make(struct mac *key, const char *kind, const char *workspace, const char *nonce,
		     char out[AUTH_TOKEN_BYTES]);
void auth_hash(const char *credential, char hex[65]);
/* The CSRF value of a session: what the page sends back as X-CSRF-Token. */
void auth_csrf(struct auth *auth, const char *session, char hex[65]);
/* The same of the session that the request's cookie holds; false without one. */
bool auth_csrf_of(struct auth *auth, struct http_request *request, char hex[65]);
/* NULL where the request has no such cookie. */
char *auth_cookie(struct http_request *request, struct arena *arena, const char *name);
/* The workspace named in a token ("cvg_..."); NULL if it is malformed. */
const char *auth_workspace(const char *token, struct arena *arena);
const char *role_name(enum role role);
enum role role_from_name(const char *name); /* ROLE_NONE if unknown */
/* Of an object of the business configuration; ROLE_AGENT where it says none. */
enum role agent_role(struct json_object *agent);
