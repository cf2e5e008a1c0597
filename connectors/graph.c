#include "graph.h"

#include <string.h>

enum { MAC_BYTES = 32, PAIR_WAIT_MS = 6000 };

const char *const graph_url_schemes[] = { "https", "http", NULL };

bool graph_is_private(const struct graph_settings *settings)
{
	return strcmp(settings->api_base, GRAPH_PROVIDER) != 0;
}

int graph_check(const struct graph_settings *settings, const char **ret_error)
{
	static const char version[] = "v0123456789.";

	if (!settings->app_secret || !settings->app_secret[0])
		*ret_error = "app_secret must not be empty";
	else if (!settings->verify_token || !settings->verify_token[0])
		*ret_error = "verify_token must not be empty";
	else if (!settings->access_token || !settings->access_token[0])
		*ret_error = "access_token must not be empty";
	else if (strspn(settings->api_version, version) != strlen(settings->api_version))
		*ret_error = "api_version must look like v25.0";
	else
		return 0;
	return -1;
}

/* ---- proof ---- */

static enum verdict answer_challenge(const struct host *host, const struct graph_settings *settings,
				     const struct inbound *in, struct arena *arena,
				     struct parsed *ret)
{
	const char *mode = host->query(in, "hub.mode");
	const char *token = host->query(in, "hub.verify_token");
	const char *challenge = host->query(in, "hub.challenge");

	if (!mode || strcmp(mode, "subscribe") != 0 || !token || !challenge ||
	    !host->equal(token, strlen(token), settings->verify_token,
			 strlen(settings->verify_token)))
		return FORGED;
	ret->answer_status = 200;
	ret->answer_type = "text/plain";
	ret->answer_body = host->text(arena, challenge);
	return HANDSHAKE;
}

enum verdict graph_verify(const struct host *host, const struct graph_settings *settings,
			  const struct inbound *in, struct arena *arena, struct parsed *ret)
{
	const char *header = host->field(in, "x-hub-signature-256");
	unsigned char mac[MAC_BYTES];
	const char *expected;

	if (strcmp(in->method, "GET") == 0)
		return answer_challenge(host, settings, in, arena, ret);
	if (strcmp(in->method, "POST") != 0 || !header)
		return FORGED;
	host->hmac_sha256(settings->app_secret, strlen(settings->app_secret), in->body,
			  in->body_len, mac);
	expected = host->format(arena, "sha256=%s", host->hex(arena, mac, sizeof(mac)));
	return host->equal(header, strlen(header), expected, strlen(expected)) ? VERIFIED : FORGED;
}

/* ---- calls ---- */

const char *graph_bearer(const struct host *host, const struct graph_settings *settings,
			 struct arena *arena)
{
	return host->format(arena, "Bearer %s", settings->access_token);
}

/* Shows that whoever has the token has the app's secret as well. */
static const char *secret_proof(const struct host *host, const struct graph_settings *settings,
				struct arena *arena)
{
	unsigned char mac[MAC_BYTES];

	host->hmac_sha256(settings->app_secret, strlen(settings->app_secret),
			  settings->access_token, strlen(settings->access_token), mac);
	return host->hex(arena, mac, sizeof(mac));
}

void graph_call(const struct host *host, const struct graph_call *call)
{
	const struct graph_settings *settings = call->settings;
	struct arena *arena = host->arena_new();
	const char *const fields[] = { "content-type", call->type ? call->type : "application/json",
				       "authorization", graph_bearer(host, settings, arena), NULL };
	const struct host_http http = {
		.method = call->method ? call->method : "POST",
		.url = host->format(arena, "%s/%s/%s?appsecret_proof=%s", settings->api_base,
				    settings->api_version, call->path,
				    secret_proof(host, settings, arena)),
		.fields = call->body ? fields : fields + 2,
		.body = call->body,
		.body_len = call->type ? call->len : (call->body ? strlen(call->body) : 0),
		.timeout_ms = call->timeout_ms,
		.allow_private = graph_is_private(settings),
	};

	provider_call(host, call->channel, &http, call->done, call->context);
	host->arena_free(arena);
}

/* ---- what an error means ---- */

struct meaning {
	int64_t code;
	int64_t subcode; /* 0: any */
	enum send_failure failure;
};

static const struct meaning meanings[] = {
	/* the window is closed */
	{ 131047, 0, SEND_WINDOW },
	{ 470, 0, SEND_WINDOW },
	{ 10, 2018278, SEND_WINDOW },
	{ 10, 2534022, SEND_WINDOW },
	/* the token */
	{ 0, 0, SEND_REAUTH },
	{ 190, 0, SEND_REAUTH },
	{ 3, 0, SEND_REAUTH },
	{ 10, 0, SEND_REAUTH },
	/* later */
	{ 1, 0, SEND_RETRY },
	{ 2, 0, SEND_RETRY },
	{ 4, 0, SEND_RETRY },
	{ 17, 0, SEND_RETRY },
	{ 32, 0, SEND_RETRY },
	{ 613, 0, SEND_RETRY },
	{ 1200, 0, SEND_RETRY },
	{ 80006, 0, SEND_RETRY },
	{ 80007, 0, SEND_RETRY },
	{ 130429, 0, SEND_RETRY },
	{ 131000, 0, SEND_RETRY },
	{ 131016, 0, SEND_RETRY },
	{ 131048, 0, SEND_RETRY },
	{ 131056, 0, SEND_RETRY },
	{ 133004, 0, SEND_RETRY },
	{ 133016, 0, SEND_RETRY },
};

static enum send_failure failure_of(long status, int64_t code, int64_t subcode)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (meanings[i].code == code &&
		    (!meanings[i].subcode || meanings[i].subcode == subcode))
			return meanings[i].failure;
	if (code >= 200 && code < 300)
		return SEND_REAUTH;
	if (code < 0 && status == 401)
		return SEND_REAUTH;
	if (status == 429 || status >= 500)
		return SEND_RETRY;
	return SEND_PERMANENT;
}

static int64_t wait_of(const struct host_answer *answer, int64_t code)
{
	bool is_pair = code == 131056; /* too much to one person: at least six seconds */

	if (is_pair && answer->retry_after_ms < PAIR_WAIT_MS)
		return PAIR_WAIT_MS;
	return answer->retry_after_ms;
}

void graph_end(const struct host *host, struct delivery *delivery, const struct host_answer *answer,
	       struct json_object *body, const char *id)
{
	bool is_ok = !answer->error && answer->status >= 200 && answer->status < 300;
	int64_t code = body ? host->json_int(body, "error.code", -1) : -1;
	int64_t subcode = body ? host->json_int(body, "error.error_subcode", 0) : 0;
	struct arena *arena;

	if (answer->error) {
		provider_unreached(host, delivery, answer, false);
		return;
	}
	if (is_ok && id) {
		host->sent(delivery, id);
		return;
	}
	if (is_ok) {
		host->failed(delivery, SEND_UNKNOWN, "unreadable", "the answer cannot be read", -1);
		return;
	}
	arena = host->arena_new();
	host->failed(delivery, failure_of(answer->status, code, subcode),
		     host->format(arena, "%lld", code < 0 ? (long long)answer->status : code),
		     provider_text(host, body, "error.message", "refused"), wait_of(answer, code));
	host->arena_free(arena);
}

void graph_tried(const struct host *host, const struct host_answer *answer,
		 struct json_object *body, const char *name_path, struct provider_trial *trial)
{
	bool is_ok = !answer->error && answer->status == 200;
	const char *phrase = answer->error ? answer->error
					   : provider_text(host, body, "error.message", "refused");
	struct arena *arena = host->arena_new();

	if (is_ok)
		phrase = host->format(arena, "the account is %s",
				      provider_text(host, body, name_path, "there"));
	provider_tried(trial, is_ok, phrase);
	host->arena_free(arena);
}
