#include "api/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/audit.h"
#include "api/auth.h"
#include "api/chat_stream.h"
#include "api/claims.h"
#include "api/events.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/match.h"
#include "api/names.h"
#include "api/oidc_provider.h"
#include "api/query.h"
#include "api/rate.h"
#include "base/crypto.h"
#include "base/memory.h"
#include "base/text.h"
#include "channel.h"
#include "config.h"
#include "parts.h"
#include "services/loop.h"

enum { KEY_MAX = 255 };

struct api {
	struct parts *parts;
	struct auth *auth;
	struct events *events;
	struct chat_streams *chat_streams;
	struct claims *claims;
	struct rates *rates; /* by credential */
	struct oidc_provider *oidc;
};

struct api *api_new(struct parts *parts)
{
	struct api *api = memory_new(sizeof(*api));

	api->parts = parts;
	api->auth = auth_new(parts);
	api->events = events_new(parts);
	api->chat_streams = chat_streams_new(parts);
	api->claims = claims_new();
	api->rates = rates_new();
	api->oidc = oidc_provider_new(parts);
	return api;
}

void api_free(struct api **api)
{
	if (*api == NULL)
		return;
	oidc_provider_free(&(*api)->oidc);
	rates_free(&(*api)->rates);
	claims_free(&(*api)->claims);
	chat_streams_free(&(*api)->chat_streams);
	events_free(&(*api)->events);
	auth_free(&(*api)->auth);
	free(*api);
	*api = NULL;
}

struct auth *api_auth(struct api *api)
{
	return api->auth;
}

struct events *api_events(struct api *api)
{
	return api->events;
}

struct chat_streams *api_chat_streams(struct api *api)
{
	return api->chat_streams;
}

struct oidc_provider *api_oidc(struct api *api)
{
	return api->oidc;
}

struct claims *api_claims(struct api *api)
{
	return api->claims;
}

void api_drain(struct api *api)
{
	claims_drain(api->claims);
}

bool principal_leads(const struct principal *who)
{
	return (who->role & ROLES_LEAD) != 0;
}

/* ---- what a route says about its request ---- */

/* Parameters such as charset may follow. */
static bool type_is(const char *type, const char *wanted)
{
	size_t len = strlen(wanted);

	return strncasecmp(type, wanted, len) == 0 &&
	       (type[len] == '\0' || type[len] == ';' || type[len] == ' ');
}

static bool body_is_json(struct api_call *call)
{
	const char *type = http_request_field(call->request, "Content-Type");

	if (type == NULL || type_is(type, "application/json") ||
	    type_is(type, "application/merge-patch+json"))
		return true;
	api_problem(call, 415, "wrong_content_type", "the body must be application/json, not %.60s",
		    type);
	return false;
}

static bool body_read(struct api_call *call)
{
	size_t len;
	const char *bytes = http_request_body(call->request, &len);
	const char *pointer = NULL;
	const char *problem = NULL;
	struct error err;

	if (call->route->body == NULL)
		return true;
	if (len > 0) {
		if (!body_is_json(call))
			return false;
		call->body = json_read(bytes, len, &err);
		if (call->body == NULL) {
			api_problem(call, 400, "bad_json", "%s", err.text);
			return false;
		}
	}
	if (fields_check(call->route->body, call->body, call->arena, &pointer, &problem) == 0)
		return true;
	api_invalid(call, pointer, "%s %s", pointer, problem);
	return false;
}

/* The key is scoped to who sent it, so nobody can probe another's answers. */
bool api_idempotency(struct api_call *call, const char *whose)
{
	const char *key = http_request_field(call->request, "Idempotency-Key");
	unsigned char hash[SHA256_BYTES];
	struct mac *mac = call->parts->key;
	const char *target = http_request_target(call->request);
	size_t len;
	const char *body = http_request_body(call->request, &len);
	char hex[2 * SHA256_BYTES + 1];

	call->idempotency_key = "";
	call->request_hash = "";
	if (key == NULL || !text_equal(call->route->method, "POST"))
		return true;
	if (*key == '\0' || strlen(key) > KEY_MAX) {
		api_problem(call, 400, "bad_idempotency_key",
			    "Idempotency-Key must have 1 to %d characters", KEY_MAX);
		return false;
	}
	mac_begin(mac);
	mac_add(mac, "idem", 5);
	mac_add(mac, whose, strlen(whose) + 1);
	mac_add(mac, key, strlen(key));
	mac_end(mac, hash);
	text_hex(hash, 16, hex);
	call->idempotency_key = arena_text(call->arena, hex);
	mac_begin(mac);
	mac_add(mac, target, strlen(target) + 1);
	mac_add(mac, body, len);
	mac_end(mac, hash);
	text_hex(hash, 16, hex);
	call->request_hash = arena_text(call->arena, hex);
	return true;
}

/* Only our own ETags can match; anything else is a version that nothing has. */
static bool if_match_read(struct api_call *call)
{
	const char *match = http_request_field(call->request, "If-Match");
	size_t len = match == NULL ? 0 : strlen(match);
	uint64_t version;

	if (match == NULL)
		return true;
	if (text_equal(match, "*")) {
		call->if_match = IF_MATCH_ANY;
		return true;
	}
	if (len > 2 && match[0] == '"' && match[len - 1] == '"' &&
	    text_uint(match + 1, len - 2, &version) && version > 0 && version <= INT64_MAX) {
		call->if_match = (int64_t)version;
		return true;
	}
	api_problem(call, 412, "version", "If-Match must be the ETag of an earlier answer, or *");
	return false;
}

/* A person is the same one in the next session: what was under way when one ended is not done
 * twice. */
static const char *key_owner(const struct api_call *call)
{
	const struct principal *who = &call->who;

	return who->by_cookie ? arena_format(call->arena, "person:%s", who->agent)
			      : who->credential;
}

static void call_run(struct api_call *call)
{
	if ((call->route->roles & ROLE_PUBLIC) == 0 &&
	    (call->route->roles & (unsigned)call->who.role) == 0) {
		api_problem(call, 403, "not_allowed", "this needs another role than yours");
		return;
	}
	if (query_check(call) && api_idempotency(call, key_owner(call)) && if_match_read(call) &&
	    body_read(call))
		audit_run(call);
}

bool api_rate_allows(struct api_call *call)
{
	int64_t wait_ms = rate_take(call->api->rates, call->who.credential,
				    call->parts->config->limits.api_per_second,
				    loop_now_ms(call->parts->loop));

	if (wait_ms == 0)
		return true;
	api_slow_down(call, wait_ms);
	return false;
}

static void on_auth(enum auth_outcome outcome, const struct principal *who, void *context)
{
	struct api_call *call = context;

	switch (outcome) {
	case AUTH_OK:
		call->who = *who;
		if (api_rate_allows(call))
			call_run(call);
		return;
	case AUTH_AWAY:
		http_request_add_field(call->request, "Retry-After", "2");
		api_problem(call, 503, "store_unavailable", "the store cannot be asked right now");
		return;
	case AUTH_CSRF:
		api_problem(call, 403, "csrf", "X-CSRF-Token is missing or wrong");
		return;
	case AUTH_MISSING:
	case AUTH_REFUSED:
		break;
	}
	http_request_add_field(call->request, "WWW-Authenticate", "Bearer");
	api_problem(call, 401, "not_signed_in",
		    outcome == AUTH_MISSING ? "send Authorization: Bearer <token>"
					    : "the token is unknown, expired or revoked");
}

static struct api_call *call_new(struct api *api, struct http_request *request)
{
	struct arena *arena = http_request_arena(request);
	struct api_call *call = arena_alloc(arena, sizeof(*call));

	call->api = api;
	call->parts = api->parts;
	call->request = request;
	call->arena = arena;
	call->who = (struct principal){
		.workspace = "main", .agent = "", .name = "", .credential = ""
	};
	return call;
}

/* False after having answered 404 or 405. */
static bool call_find_route(struct api_call *call)
{
	struct route_found found = { 0 };

	switch (route_match(http_request_method(call->request), http_request_path(call->request),
			    call->arena, &found)) {
	case MATCH_FOUND:
		call->route = found.route;
		memcpy(call->params, found.params, sizeof(call->params));
		return true;
	case MATCH_NO_METHOD:
		http_request_add_field(call->request, "Allow", found.allowed);
		api_problem(call, 405, "method_not_allowed", "allowed here: %s", found.allowed);
		return false;
	case MATCH_NO_PATH:
		break;
	}
	api_problem(call, 404, "no_such_path", "nothing is served at this path");
	return false;
}

void api_handle(struct http_request *request, void *context)
{
	struct api *api = context;
	struct api_call *call = call_new(api, request);

	if (!call_find_route(call))
		return;
	if (!api_origin_is_right(call)) {
		api_problem(call, 404, "no_such_path", "nothing is served at this path");
		return;
	}
	if ((call->route->roles & ROLE_PUBLIC) != 0) {
		call_run(call);
		return;
	}
	auth_request(api->auth, request, call->arena, on_auth, call);
}

bool api_is_workspace(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return len > 0 && len <= 40 && name[len] == '\0';
}

void api_handle_admin(struct http_request *request, void *context)
{
	struct api_call *call = call_new(context, request);
	const char *workspace = http_request_field(request, "X-Converge-Workspace");

	if (workspace != NULL && !api_is_workspace(workspace)) {
		api_problem(call, 400, "bad_workspace",
			    "a workspace name is 1 to 40 of a-z, 0-9 and -");
		return;
	}
	call->who.role = ROLE_ADMIN;
	call->who.workspace = workspace == NULL ? "main" : workspace;
	call->who.agent = "token:admin-socket";
	call->who.name = "admin";
	call->who.credential = "admin-socket";
	if (!call_find_route(call))
		return;
	/* A typing error must not look like an empty workspace; making one is said aloud. */
	if (http_request_field(request, "X-Converge-New-Workspace") != NULL)
		call_run(call);
	else
		workspace_check(call, call_run);
}

/* "/in/<channel>": the connector's own limit where it has one. */
static int64_t channel_body_limit(struct api *api, const struct http_head *head)
{
	int64_t limit = api->parts->config->limits.body;
	const struct channel *channel;
	char name[100];
	char *dot;

	if (head->path_len <= 4 || head->path_len - 4 >= sizeof(name) ||
	    memcmp(head->path, "/in/", 4) != 0)
		return limit;
	memcpy(name, head->path + 4, head->path_len - 4);
	name[head->path_len - 4] = '\0';
	dot = strchr(name, '.');
	if (dot != NULL)
		*dot = '\0';
	channel = dot == NULL ? channel_find(api->parts->channels, "main", name)
			      : channel_find(api->parts->channels, name, dot + 1);
	if (channel == NULL || channel_connector(channel)->body_limit == 0)
		return limit;
	return (int64_t)channel_connector(channel)->body_limit;
}

/* Undecoded: a parameter is whatever stands up to the next slash. */
static bool path_has_shape(const char *pattern, const char *path, size_t len)
{
	const char *end = path + len;

	while (*pattern != '\0') {
		if (*pattern == '{') {
			const char *slash = memchr(path, '/', (size_t)(end - path));

			path = slash == NULL ? end : slash;
			pattern = strchr(pattern, '}') + 1;
		} else if (path == end || *pattern++ != *path++) {
			return false;
		}
	}
	return path == end;
}

int64_t api_body_limit(const struct http_head *head, void *context)
{
	struct api *api = context;
	const struct route *route;

	for (size_t i = 0; (route = api_route(i)) != NULL; i++) {
		if (route->body_max != 0 &&
		    path_has_shape(route->pattern, head->path, head->path_len) &&
		    strlen(route->method) == head->method_len &&
		    memcmp(head->method, route->method, head->method_len) == 0)
			return route->body_max;
	}
	return channel_body_limit(api, head);
}

/* ---- for handlers ---- */

const char *api_query(struct api_call *call, const char *name)
{
	return http_request_query(call->request, name);
}
