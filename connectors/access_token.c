#include <stdlib.h>
#include <string.h>

#include "access_token.h"
#include "provider_call.h"

enum { EARLY_MAX_S = 300, EARLY_SHARE = 10, LIFE_MAX_S = 86400 };

struct access_token_wait {
	struct access_token_wait *next;
	access_token_done *done;
	void *context;
};

void access_token_open(struct access_token *token, const struct host *host, struct channel *channel,
		       const struct access_token_source *source)
{
	*token = (struct access_token){ .host = host, .channel = channel, .source = source };
}

static void forget(struct access_token *token)
{
	free(token->value);
	token->value = NULL;
	token->renew_ms = 0;
}

void access_token_close(struct access_token *token)
{
	forget(token);
}

void access_token_drop(struct access_token *token, const char *value)
{
	if (token->value && strcmp(token->value, value) == 0)
		forget(token);
}

static void keep(struct access_token *token, const struct access_token_answer *answer)
{
	int64_t life_s = answer->life_s < 0 ? 0 : answer->life_s;
	int64_t early_s;

	if (life_s > LIFE_MAX_S)
		life_s = LIFE_MAX_S;
	early_s = life_s / EARLY_SHARE < EARLY_MAX_S ? life_s / EARLY_SHARE : EARLY_MAX_S;
	forget(token);
	token->value = strdup(answer->token);
	if (!token->value)
		abort();
	token->renew_ms = token->host->unix_ms() + (life_s - early_s) * 1000;
}

static void tell_all(struct access_token *token, const struct access_token_answer *answer)
{
	struct access_token_wait *wait = token->first;

	/* Who is told may ask again: that is a fetch of its own. */
	token->first = NULL;
	while (wait) {
		struct access_token_wait *next = wait->next;

		wait->done(answer, wait->context);
		free(wait);
		wait = next;
	}
}

static void on_fetched(const struct host_answer *http, struct json_object *body,
		       struct arena *arena, void *context)
{
	struct access_token *token = context;
	struct access_token_answer answer = {
		.failure = SEND_RETRY, .code = "token", .why = http->error, .retry_after_ms = -1
	};

	if (!http->error && (http->status >= 500 || http->status == 429 || !body)) {
		answer.code = token->host->format(arena, "token_http_%ld", http->status);
		answer.why = "the provider gives no token now";
		answer.retry_after_ms = http->retry_after_ms;
	} else if (!http->error) {
		token->source->read(body, arena, &answer);
	}
	if (answer.token)
		keep(token, &answer);
	else
		token->host->log(token->channel, 1, "event=no_token code=%s", answer.code);
	tell_all(token, &answer);
}

void access_token_get(struct access_token *token, access_token_done *done, void *context)
{
	const struct access_token_answer kept = { .token = token->value };
	bool is_fetching = token->first != NULL;
	struct access_token_wait **link = &token->first;
	struct host_http call = { 0 };
	struct arena *arena;

	if (token->value && token->host->unix_ms() < token->renew_ms) {
		done(&kept, context);
		return;
	}
	while (*link)
		link = &(*link)->next;
	*link = malloc(sizeof(**link));
	if (!*link)
		abort();
	**link = (struct access_token_wait){ NULL, done, context };
	if (is_fetching)
		return;
	arena = token->host->arena_new();
	token->source->request(token->channel, arena, &call);
	provider_call(token->host, token->channel, &call, on_fetched, token);
	token->host->arena_free(arena);
}

/* ---- a call that carries the token ---- */

struct under_way {
	struct access_token *token;
	struct token_call call;
	char *value;              /* the token it was made with */
	access_token_done *begin; /* with a token */
	bool is_repeated;
};

static void under_way_free(struct under_way *way)
{
	free(way->value);
	free(way);
}

static void on_called(const struct host_answer *answer, struct json_object *body,
		      struct arena *arena, void *context)
{
	struct under_way *way = context;
	const struct token_call_end end = { .answer = answer, .body = body, .arena = arena };

	if (!answer->error && way->call.is_refused(answer, body, way->call.context)) {
		access_token_drop(way->token, way->value);
		if (!way->is_repeated) {
			way->is_repeated = true;
			access_token_get(way->token, way->begin, way);
			return;
		}
	}
	way->call.done(&end, way->call.context);
	under_way_free(way);
}

static void on_token(const struct access_token_answer *answer, void *context)
{
	struct under_way *way = context;
	const struct host *host = way->token->host;
	struct arena *arena = host->arena_new();
	const struct token_call_end end = { .arena = arena, .no_token = answer };
	struct host_http http = { 0 };

	if (answer->token) {
		free(way->value);
		way->value = strdup(answer->token);
		if (!way->value)
			abort();
		way->call.request(way->value, arena, &http, way->call.context);
		provider_call(host, way->token->channel, &http, on_called, way);
	} else {
		way->call.done(&end, way->call.context);
		under_way_free(way);
	}
	host->arena_free(arena);
}

void token_call(struct access_token *token, const struct token_call *call)
{
	struct under_way *way = calloc(1, sizeof(*way));

	if (!way)
		abort();
	way->token = token;
	way->call = *call;
	way->begin = on_token;
	access_token_get(token, on_token, way);
}

void token_call_unreached(const struct host *host, struct delivery *delivery,
			  const struct token_call_end *end, bool is_idempotent)
{
	if (end->answer)
		provider_unreached(host, delivery, end->answer, is_idempotent);
	else
		host->failed(delivery, end->no_token->failure, end->no_token->code,
			     end->no_token->why, end->no_token->retry_after_ms);
}
