/* One access token of a channel, for providers that give one out for some
 * hours: fetched when first asked for, kept until shortly before it ends,
 * forgotten when the provider refuses it. Who asks while it is being fetched
 * waits for the same fetch. */
#pragma once

#include "converge/connector.h"

/* What a provider said when it was asked for a token, or why a call cannot be made. */
struct access_token_answer {
	const char *token; /* NULL: there is none, because: */
	int64_t life_s;    /* with a token */
	enum send_failure failure;
	const char *code;
	const char *why;
	int64_t retry_after_ms; /* -1: the core's schedule */
};

struct access_token_source {
	/* The call that asks for a token; all it points at lives in the arena. */
	void (*request)(struct channel *channel, struct arena *arena, struct host_http *ret);
	/* A readable answer below status 500 that is no 429: a token, or failure, code and why. */
	void (*read)(struct json_object *body, struct arena *arena,
		     struct access_token_answer *ret);
};

struct access_token_wait;

/* In the channel's state. */
struct access_token {
	const struct host *host;
	struct channel *channel;
	const struct access_token_source *source;
	char *value;
	int64_t renew_ms;
	struct access_token_wait *first; /* who waits for the fetch under way; NULL: none is */
};

void access_token_open(struct access_token *token, const struct host *host, struct channel *channel,
		       const struct access_token_source *source);
void access_token_close(struct access_token *token);

/* done once, at once where a good token is kept; the answer lives until it returns. */
typedef void access_token_done(const struct access_token_answer *answer, void *context);
void access_token_get(struct access_token *token, access_token_done *done, void *context);
/* The provider refused this value: it is forgotten, unless a newer one has replaced it. */
void access_token_drop(struct access_token *token, const char *value);

/* ---- a call that carries the token ---- */

/* The end of a call. answer is NULL where no token could be had (failure, code, why); body is NULL
 * where the answer is no JSON. All of it is gone after the call. */
struct token_call_end {
	const struct host_answer *answer;
	struct json_object *body;
	struct arena *arena;
	const struct access_token_answer *no_token; /* with answer NULL */
};
struct token_call {
	/* The call with this token; what it points at lives in the arena or longer. */
	void (*request)(const char *token, struct arena *arena, struct host_http *ret,
			void *context);
	/* Does the provider refuse the token? body may be NULL. */
	bool (*is_refused)(const struct host_answer *answer, struct json_object *body,
			   void *context);
	void (*done)(const struct token_call_end *end, void *context);
	void *context;
};
/* A refused token is fetched anew and the call made once more; what comes then is the end. */
void token_call(struct access_token *token, const struct token_call *call);
/* Ends a send whose call brought no HTTP answer. */
void token_call_unreached(const struct host *host, struct delivery *delivery,
			  const struct token_call_end *end, bool is_idempotent);
