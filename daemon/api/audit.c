#include "api/audit.h"

#include <stdio.h>
#include <string.h>

#include "api/handlers.h"
#include "base/id.h"
#include "base/memory.h"
#include "base/text.h"
#include "business/business.h"
#include "parts.h"
#include "store/store.h"

enum { OBJECT_MAX = 64 * 1024 };

/* ---- what is audited ---- */

/* Of what agents may do: acts that decide for good whose something is, or what became of it. */
static const char *const of_agents[] = {
	"/v1/customers/{id}/merge",
	"/v1/customers/{id}/split",
	"/v1/customers/{id}/merges/{merge}/revert",
	"/v1/customers/merges/{id}/revert",
	"/v1/customers/{id}/identifiers/{identifier}",
	"/v1/customers/{id}/suggestions/{other}/accept",
	"/v1/customers/{id}/suggestions/{other}/dismiss",
	"/v1/messages/{id}/decide",
};

static bool changes(const struct route *route)
{
	return !text_equal(route->method, "GET") && !text_equal(route->method, "OPTIONS");
}

bool audit_is_wanted(const struct route *route)
{
	if ((route->roles & ROLE_PUBLIC) != 0)
		return false;
	if (text_starts(route->pattern, "/v1/export/"))
		return true;
	if (changes(route) && (route->roles & ROLE_AGENT) == 0)
		return true;
	for (size_t i = 0; changes(route) && i < COUNT_OF(of_agents); i++)
		if (text_equal(route->pattern, of_agents[i]))
			return true;
	return false;
}

void audit_type(const struct route *route, char ret_type[AUDIT_TYPE_BYTES])
{
	const char *at = route->pattern + strlen("/v1");
	size_t used = 0;

	ret_type[0] = '\0';
	while (*at == '/') {
		size_t len = strcspn(++at, "/");

		if (*at != '{')
			used += (size_t)snprintf(ret_type + used, AUDIT_TYPE_BYTES - used, "%s%.*s",
						 used == 0 ? "" : ".", (int)len, at);
		at += len;
	}
	if (text_equal(route->method, "PUT"))
		snprintf(ret_type + used, AUDIT_TYPE_BYTES - used, ".put");
	else if (text_equal(route->method, "DELETE"))
		snprintf(ret_type + used, AUDIT_TYPE_BYTES - used, ".delete");
}

/* ---- the entry ---- */

static void write_member(struct json_out *out, const char *name, struct json_object *value)
{
	struct buf text = { 0 };

	json_append(value, &text);
	jw_raw(out, name, text.data, text.len);
	buf_clear(&text);
}

/* Members of bodies that say what was asked and hold neither secrets nor anything of a person. */
static void write_safe(const char *name, struct json_object *value, void *context)
{
	static const char *const safe[] = {
		"role",   "agent",   "view",     "expires_in_s", "outcome", "status", "routable",
		"shared", "dry_run", "versions", "target",       "trusted", "from",
	};

	for (size_t i = 0; i < COUNT_OF(safe); i++)
		if (text_equal(safe[i], name))
			write_member(context, name, value);
}

static const char *detail_of(struct api_call *call)
{
	struct buf text = { 0 };
	struct json_out out;
	const char *copy;

	jw_start(&out, &text);
	jw_object(&out, NULL);
	if (call->body != NULL)
		json_each_field(call->body, write_safe, &out);
	jw_object_end(&out);
	copy = arena_text(call->arena, buf_string(&text));
	buf_clear(&text);
	return copy;
}

static void on_kept(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;

	(void)reply;
	if (err != NULL) {
		call->audit = NULL;
		api_fail(call, err);
		return;
	}
	call->route->run(call);
}

static const char *role_name(enum role role)
{
	switch (role) {
	case ROLE_ADMIN:
		return "admin";
	case ROLE_SUPERVISOR:
		return "supervisor";
	case ROLE_INTEGRATION:
		return "integration";
	default:
		return "agent";
	}
}

/* before: the object as it was, without secrets; NULL. */
static void entry_keep(struct api_call *call, const char *detail, const char *before)
{
	struct store_call *put = store_script("audit_put", call->who.workspace);
	char type[AUDIT_TYPE_BYTES], id[ID_BYTES];

	audit_type(call->route, type);
	id_new("aud_", id);
	call->audit = arena_text(call->arena, id);
	store_key(put, "audit");
	store_key(put, "au:%s", id);
	store_arg_text(put, id);
	const char *const fields[][2] = {
		{ "actor", call->who.agent },
		{ "name", call->who.name },
		{ "role", role_name(call->who.role) },
		{ "type", type },
		/* The first parameter is an id of ours; others may be a person's address. */
		{ "target", call->params[0] },
		{ "request", http_request_id(call->request) },
		{ "address", http_request_source(call->request) },
		{ "detail", detail },
		{ "before", before },
	};
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		if (fields[i][1] == NULL || *fields[i][1] == '\0')
			continue;
		store_arg_text(put, fields[i][0]);
		store_arg_text(put, fields[i][1]);
	}
	store_run(call->parts->store, put, on_kept, call);
}

/* ---- what an object of the configuration was ---- */

/* "queues" of "/v1/queues/{id}" and "/v1/queues/{id}/pause"; NULL where the route changes none. */
static const char *kind_of(const struct api_call *call)
{
	const char *start = call->route->pattern + strlen("/v1/");
	size_t len = strcspn(start, "/");
	const char *rest = start + len;
	const char *kind = arena_copy(call->arena, start, len);

	if (!text_equal(rest, "/{id}") && !text_equal(rest, "/{id}/pause") &&
	    !text_equal(rest, "/{id}/resume"))
		return NULL;
	return business_kind(kind) == NULL ? NULL : kind;
}

static void keep_change(struct api_call *call, const char *detail)
{
	entry_keep(call, detail, NULL);
}

static void on_before(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const char *stored = reply_text(reply, NULL);
	struct buf shown = { 0 };
	struct json_object *object;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	object = stored == NULL ? NULL : json_read(stored, strlen(stored), NULL);
	if (object != NULL)
		business_mask(kind_of(call), object, &shown);
	entry_keep(call, detail_of(call),
		   shown.len == 0 || shown.len > OBJECT_MAX ? NULL : buf_string(&shown));
	json_free(&object);
	buf_clear(&shown);
}

/* A preview, a trial, the next page of a list: nothing is done. */
static bool is_act(struct api_call *call)
{
	return !text_equal(api_query(call, "preview"), "true") &&
	       (changes(call->route) || api_query(call, "after") == NULL);
}

void audit_run(struct api_call *call)
{
	const char *kind;
	struct store_call *read;

	if (!audit_is_wanted(call->route) || !is_act(call)) {
		call->route->run(call);
		return;
	}
	if (text_equal(call->route->pattern, "/v1/configuration")) {
		audit_apply_detail(call, keep_change);
		return;
	}
	kind = kind_of(call);
	if (kind == NULL) {
		entry_keep(call, detail_of(call), NULL);
		return;
	}
	read = store_command("HGET");
	store_arg_key(read, call->who.workspace, "cfg:%s", kind);
	store_arg_text(read, call->params[0]);
	store_read(call->parts->store, read, on_before, call);
}

/* ---- how it ended ---- */

/* The next look at it shows that it is not known; nobody waits for it. */
static void on_ended(const struct store_reply *reply, const struct error *err, void *context)
{
	(void)reply;
	(void)err;
	(void)context;
}

void audit_end(struct api_call *call, int status, const char *answer)
{
	struct store_call *end;
	struct json_object *json;
	const char *result = NULL;

	if (call->audit == NULL)
		return;
	json = answer == NULL || status > 299 ? NULL : json_read(answer, strlen(answer), NULL);
	if (json_kind(json) == JSON_OBJECT) {
		result = json_text(json, "merge");
		result = result == NULL ? json_text(json, "id") : result;
	}
	end = store_script("audit_end", call->who.workspace);
	store_key(end, "au:%s", call->audit);
	store_arg_int(end, status);
	store_arg_text(end, result);
	/* What is answered is without secrets; but a token is one. */
	if (result != NULL && kind_of(call) != NULL && strlen(answer) <= OBJECT_MAX)
		store_arg_text(end, answer);
	else
		store_arg_text(end, "");
	store_run(call->parts->store, end, on_ended, NULL);
	call->audit = NULL;
	json_free(&json);
}
