/* The HTTP API: a route table (routes.c) with deny as the default, one handler
 * per row, and what handlers share. The table also makes /openapi.json. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "services/http_server.h"

struct api;
struct api_call;
struct auth;
struct chat_streams;
struct claims;
struct events;
struct oidc_provider;
struct parts;
struct problems;
struct store_reply;

/* Who is asking; bits, so that a route names a set. */
enum role {
	ROLE_NONE = 0, /* no credentials: only rows that say PUBLIC */
	ROLE_AGENT = 1,
	ROLE_SUPERVISOR = 2,
	ROLE_ADMIN = 4,
	ROLE_INTEGRATION = 8,
	ROLE_PUBLIC = 128, /* in a row: no credentials needed */
};
enum {
	ROLES_STAFF = ROLE_AGENT | ROLE_SUPERVISOR | ROLE_ADMIN,
	ROLES_WORK = ROLES_STAFF | ROLE_INTEGRATION,
	ROLES_LEAD = ROLE_SUPERVISOR | ROLE_ADMIN,
};

struct principal {
	enum role role;
	const char *workspace;
	const char *agent;      /* agent id; "token:<id>" for an integration or admin without one */
	const char *name;       /* shown on what they write */
	const char *credential; /* hex hash: scopes rate limits, and a token's idempotency keys */
	bool by_cookie;         /* CSRF field was required */
	bool is_bot;            /* a token that sees the bot's subset of customers only */
};

/* ---- request bodies: checked against a table before the handler runs ---- */
enum field_kind {
	FIELD_TEXT,
	FIELD_INT,
	FIELD_BOOL,
	FIELD_TIME,
	FIELD_TEXTS,
	FIELD_OBJECT,
	FIELD_OBJECTS,
	FIELD_ANY
};
struct field {
	const char *name;
	enum field_kind kind;
	bool required;
	int64_t min;         /* of an INT; of the length of a TEXT */
	int64_t max;         /* 0: 1000 for texts, none for numbers */
	const char *choices; /* "online|busy|away|offline"; NULL: any */
	const char *text;    /* what it means, for /openapi.json */
};

typedef void route_fn(struct api_call *call);

struct route {
	const char *method;
	const char *pattern; /* "/v1/work-items/{id}/accept" */
	unsigned roles;
	route_fn *run;
	const struct field *body; /* ended by a nameless row; NULL: no body is read */
	const char *query;        /* "state,queue,agent,limit,after,order"; NULL: none allowed */
	const char *answer;       /* schema name in openapi_schemas.c; NULL: no body */
	int status;               /* of success */
	const char *summary;
	int64_t body_max; /* 0: the server's */
};

enum { IF_MATCH_ANY = -1 };

struct api_call {
	struct api *api;
	struct parts *parts;
	struct http_request *request;
	struct arena *arena; /* the request's */
	const struct route *route;
	struct principal who;
	const char *params[3]; /* path parameters, decoded */
	struct json_object *body;
	const char *request_hash; /* hex over method, path and body: tells a repeated request from
				     another */
	const char *idempotency_key; /* hex of the scoped key; "" without one */
	int64_t if_match;  /* version of If-Match, IF_MATCH_ANY, or 0 where there is none */
	void *state;       /* the handler's own, in the arena */
	const char *audit; /* entry of the act that this is (audit.h); NULL */
};

struct api *api_new(struct parts *parts);
void api_free(struct api **api);
/* The two callbacks of the HTTP server (context is the api). */
int64_t api_body_limit(const struct http_head *head, void *context);
void api_handle(struct http_request *request, void *context);
/* The admin socket: its peers are admins of the workspace they name. */
void api_handle_admin(struct http_request *request, void *context);

struct auth *api_auth(struct api *api);
struct events *api_events(struct api *api);
struct chat_streams *api_chat_streams(struct api *api);
struct claims *api_claims(struct api *api);
struct oidc_provider *api_oidc(struct api *api);
/* SIGTERM came: long polls end. */
void api_drain(struct api *api);

/* ---- answers (each ends the call) ---- */
void api_answer(struct api_call *call, int status, struct buf *json); /* clears json */
void api_answer_text(struct api_call *call, int status, const char *json);
void api_empty(struct api_call *call, int status);
/* problem+json; the code is stable, the detail is for people. */
void api_problem(struct api_call *call, int status, const char *code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* 400 about a parameter's text, with the character (from 1) where what is wrong begins. */
void api_problem_at(struct api_call *call, const char *code, int64_t position, const char *detail);
/* An error of the store or a service: 503 with Retry-After, or 500. */
void api_fail(struct api_call *call, const struct error *err);
/* 429: over a limit, with Retry-After. */
void api_slow_down(struct api_call *call, int64_t wait_ms);
/* The answer is one that was given before under its Idempotency-Key. */
void api_replayed(struct api_call *call);
/* 422: this Idempotency-Key came with another request before. */
void api_key_conflict(struct api_call *call);
/* 409 with the state of what was to be changed, and what that state allows. */
struct conflict {
	const char *code;
	const char *detail;
	const char *state; /* NULL: not known */
	const char *const *allowed;
	size_t allowed_count;
};
void api_conflict(struct api_call *call, const struct conflict *conflict);
/* 404: the first parameter names no conversation. */
void api_no_conversation(struct api_call *call);
/* 400 with all the errors that business_judge() found. */
void api_invalid_object(struct api_call *call, struct problems *problems);
/* 400; pointer: within the body, NULL where the name is not of the body. */
void api_unknown_name(struct api_call *call, const char *pointer, const char *detail);
/* A problem with an "errors" list of one pointer. */
void api_invalid(struct api_call *call, const char *pointer, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- look-ups for handlers ---- */
const char *api_query(struct api_call *call, const char *name); /* NULL if absent */
/* False after having answered 429: this credential is over limits.api_per_second. */
bool api_rate_allows(struct api_call *call);
/* Fills idempotency_key and request_hash from the request, the key scoped to whose it is; false
 * after having answered 400. The API does it before the handler runs: a token is itself, a
 * session is its agent. */
bool api_idempotency(struct api_call *call, const char *whose);
const struct route *api_route(size_t index); /* NULL after the last */
bool api_is_workspace(const char *name);     /* 1 to 40 of a-z, 0-9 and - */
/* Shown name of an agent: of the business configuration, else of the token. */
const char *api_agent_name(struct api_call *call, const char *agent);
/* Who writes, as it is kept beside what is written: "agent:<id>", "integration:<name>". */
const char *api_source(struct api_call *call);
bool principal_leads(const struct principal *who); /* supervisor or admin */
