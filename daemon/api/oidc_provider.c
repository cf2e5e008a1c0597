#include "api/oidc_provider.h"

#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "config.h"
#include "parts.h"
#include "services/loop.h"
#include "services/transfer.h"
#include "verify/jwks.h"

enum {
	KEPT_MS = 3600 * 1000,
	FAILED_AGAIN_MS = 3000,
	NEW_KEYS_AGAIN_MS = 60 * 1000,
	FETCH_MS = 10 * 1000,
	STATUS_OK = 200,
	WAITING_MAX = 1000,
};

struct waiting {
	struct api_call *call;
	oidc_facts_fn *done;
};

struct oidc_provider {
	struct parts *parts;
	struct arena *arena; /* of what is known; NULL: nothing */
	const char *issuer;  /* whose it is */
	struct oidc_facts facts;
	struct jwks *keys;
	int64_t known_ms;    /* since when */
	int64_t failed_ms;   /* 0: it did not */
	int64_t new_keys_ms; /* when keys were last asked for before their time */
	/* The fetch under way. */
	bool is_fetching;
	struct arena *next_arena;
	const char *next_issuer;
	struct oidc_facts next;
	struct waiting *waiting;
	size_t waiting_count;
};

struct oidc_provider *oidc_provider_new(struct parts *parts)
{
	struct oidc_provider *provider = memory_new(sizeof(*provider));

	provider->parts = parts;
	return provider;
}

static void forget(struct oidc_provider *provider)
{
	arena_free(&provider->arena);
	jwks_free(&provider->keys);
	provider->issuer = NULL;
}

void oidc_provider_free(struct oidc_provider **provider)
{
	if (*provider == NULL)
		return;
	forget(*provider);
	arena_free(&(*provider)->next_arena);
	free((*provider)->waiting);
	free(*provider);
	*provider = NULL;
}

bool oidc_url_is_fine(const struct parts *parts, const char *url)
{
	return url != NULL && (text_starts(url, "https://") ||
			       (parts->config->oidc.allow_private && text_starts(url, "http://")));
}

/* The configuration may have changed since the provider was asked. */
static bool is_configured_one(const struct oidc_provider *provider)
{
	const char *issuer = provider->parts->config->oidc.issuer;

	return issuer != NULL && text_equal(issuer, provider->issuer);
}

/* Everybody who waits is told; the list is emptied first, for one of them may ask again. */
static void fetch_end(struct oidc_provider *provider)
{
	struct waiting *waiting = provider->waiting;
	size_t count = provider->waiting_count;

	provider->is_fetching = false;
	provider->waiting = NULL;
	provider->waiting_count = 0;
	arena_free(&provider->next_arena);
	for (size_t i = 0; i < count; i++)
		waiting[i].done(waiting[i].call,
				provider->failed_ms == 0 && is_configured_one(provider)
					? &provider->facts
					: NULL);
	free(waiting);
}

static void fetch_failed(struct oidc_provider *provider, const char *what, const struct error *err)
{
	log_warn("oidc", "event=oidc_provider_failed what=%s error=%s", what, log_quote(err->text));
	provider->failed_ms = loop_now_ms(provider->parts->loop);
	fetch_end(provider);
}

static void fetch(struct oidc_provider *provider, const char *url, transfer_done_fn *done)
{
	const struct transfer_field accept = { "Accept", "application/json" };
	const struct transfer_options options = {
		.url = url,
		.method = "GET",
		.fields = &accept,
		.field_count = 1,
		.allow_private = provider->parts->config->oidc.allow_private,
		.timeout_ms = FETCH_MS,
		.connect_ms = FETCH_MS,
		.answer_max = JWKS_MAX_BYTES,
	};

	transfer_start(provider->parts->transfers, &options, NULL, done, provider);
}

/* 0 where a whole answer came. */
static int answer_check(const struct transfer_answer *answer, struct error *err)
{
	if (answer->error != NULL) {
		*err = *answer->error;
		return -1;
	}
	return answer->status == STATUS_OK
		       ? 0
		       : error_set(err, ERROR_TEMPORARY, "HTTP %ld", answer->status);
}

static void on_keys(const struct transfer_answer *answer, void *context)
{
	struct oidc_provider *provider = context;
	struct error err = { 0 };
	struct jwks *keys = answer_check(answer, &err) == 0
				    ? jwks_parse(answer->body, answer->body_len, &err)
				    : NULL;

	if (keys == NULL) {
		fetch_failed(provider, "keys", &err);
		return;
	}
	forget(provider);
	provider->arena = provider->next_arena;
	provider->next_arena = NULL;
	provider->issuer = provider->next_issuer;
	provider->facts = provider->next;
	provider->facts.keys = provider->keys = keys;
	provider->known_ms = loop_now_ms(provider->parts->loop);
	provider->failed_ms = 0;
	fetch_end(provider);
}

static bool has_word(struct json_object *list, const char *word)
{
	for (size_t i = 0; i < json_count(list); i++)
		if (text_equal(json_string(json_item(list, i)), word))
			return true;
	return false;
}

/* The document, judged: 0, or -1 with what is wrong with it. */
static int facts_read(struct oidc_provider *provider, struct json_object *document,
		      const char **ret_keys_url, struct error *err)
{
	struct arena *arena = provider->next_arena;
	struct oidc_facts *facts = &provider->next;
	struct json_object *ways = json_at(document, "token_endpoint_auth_methods_supported");
	const char *issuer = json_text(document, "issuer");

	if (!text_equal(issuer, provider->next_issuer))
		return error_set(err, ERROR_PERMANENT,
				 "it calls itself %s, which is not oidc.issuer",
				 issuer == NULL ? "nothing" : issuer);
	facts->authorization_endpoint = json_text_copy(document, "authorization_endpoint", arena);
	facts->token_endpoint = json_text_copy(document, "token_endpoint", arena);
	facts->secret_in_body =
		has_word(ways, "client_secret_post") && !has_word(ways, "client_secret_basic");
	facts->names_issuer =
		json_bool(document, "authorization_response_iss_parameter_supported", false);
	*ret_keys_url = json_text_copy(document, "jwks_uri", arena);
	if (!oidc_url_is_fine(provider->parts, facts->authorization_endpoint) ||
	    !oidc_url_is_fine(provider->parts, facts->token_endpoint) ||
	    !oidc_url_is_fine(provider->parts, *ret_keys_url))
		return error_set(err, ERROR_PERMANENT,
				 "an endpoint is missing from it, or without TLS");
	return 0;
}

static void on_document(const struct transfer_answer *answer, void *context)
{
	struct oidc_provider *provider = context;
	OWNED(json_free) struct json_object *document = NULL;
	const char *keys_url = NULL;
	struct error err = { 0 };

	if (answer_check(answer, &err) == 0)
		document = json_read(answer->body, answer->body_len, &err);
	if (document == NULL || facts_read(provider, document, &keys_url, &err) != 0)
		fetch_failed(provider, "discovery", &err);
	else
		fetch(provider, keys_url, on_keys);
}

static void fetch_begin(struct oidc_provider *provider)
{
	const char *issuer = provider->parts->config->oidc.issuer;
	size_t len = strlen(issuer);

	while (len > 0 && issuer[len - 1] == '/')
		len--;
	provider->is_fetching = true;
	provider->next = (struct oidc_facts){ 0 };
	provider->next_arena = arena_new(0);
	provider->next_issuer = arena_text(provider->next_arena, issuer);
	fetch(provider,
	      arena_format(provider->next_arena, "%.*s/.well-known/openid-configuration", (int)len,
			   issuer),
	      on_document);
}

/* Is what is known of no use for this question? */
static bool is_fetch_due(struct oidc_provider *provider, enum oidc_freshness freshness)
{
	int64_t now = loop_now_ms(provider->parts->loop);

	if (!is_configured_one(provider) || now - provider->known_ms > KEPT_MS)
		return true;
	if (freshness == OIDC_KNOWN ||
	    (provider->new_keys_ms != 0 && now - provider->new_keys_ms < NEW_KEYS_AGAIN_MS))
		return false;
	provider->new_keys_ms = now;
	return true;
}

void oidc_provider_ask(struct oidc_provider *provider, struct api_call *call,
		       enum oidc_freshness freshness, oidc_facts_fn *done)
{
	int64_t now = loop_now_ms(provider->parts->loop);

	if (provider->parts->config->oidc.issuer == NULL) {
		done(call, NULL);
		return;
	}
	if (!provider->is_fetching) {
		if (!is_fetch_due(provider, freshness)) {
			done(call, &provider->facts);
			return;
		}
		if (provider->failed_ms != 0 && now - provider->failed_ms < FAILED_AGAIN_MS) {
			done(call, NULL);
			return;
		}
		fetch_begin(provider);
	}
	if (provider->waiting_count == WAITING_MAX) {
		done(call, NULL);
		return;
	}
	provider->waiting = memory_grow(provider->waiting, provider->waiting_count + 1,
					sizeof(*provider->waiting));
	provider->waiting[provider->waiting_count++] = (struct waiting){ call, done };
}
