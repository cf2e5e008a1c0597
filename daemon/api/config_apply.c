/* POST /v1/configuration: many objects of the business configuration at once, all or none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/in_force.h"
#include "api/in_use.h"
#include "api/names.h"
#include "base/text.h"
#include "business/business.h"
#include "parts.h"
#include "services/loop.h"
#include "store/store.h"

enum { KINDS_MAX = 32, ID_MAX = 64 };

/* One object of the request. */
struct change {
	size_t kind; /* place among the kinds */
	const char *id;
	const char *canonical; /* NULL: it is deleted */
	int64_t replaces;      /* version */
};

struct applying {
	const struct store_reply
		*secrets; /* kinds that have secrets, as stored; while changes are taken */
	const char *kinds[KINDS_MAX]; /* store names */
	size_t kind_count;
	struct change *changes;
	size_t count;
	int64_t now_ms;
};

/* Place of the kind among those of the request; KINDS_MAX after having answered. */
static size_t kind_place(struct api_call *call, struct applying *applying, const char *name,
			 const char *pointer)
{
	const struct business_kind *kind = business_kind(name == NULL ? "" : name);

	if (kind == NULL) {
		api_invalid(call, pointer, "there is no kind \"%s\"", name == NULL ? "" : name);
		return KINDS_MAX;
	}
	for (size_t i = 0; i < applying->kind_count; i++)
		if (text_equal(applying->kinds[i], kind->store))
			return i;
	applying->kinds[applying->kind_count] = kind->store;
	return applying->kind_count++;
}

static const char *stored_of(const struct applying *applying, const char *kind, const char *id)
{
	size_t at = 0;

	for (const struct business_kind *row = business_kinds; row->key != NULL; row++) {
		if (text_equal(row->store, kind))
			return reply_field(reply_item(applying->secrets, at), id);
		at += business_has_secrets(row->store);
	}
	return NULL;
}

/* The object with the secrets that it leaves as they are, or that are made; the caller frees it. */
static struct json_object *whole_of(const struct applying *applying, const char *kind,
				    struct json_object *given)
{
	const char *text = stored_of(applying, kind, json_text(given, "id"));
	struct json_object *stored = text == NULL ? NULL : json_read(text, strlen(text), NULL);
	struct json_object *kept, *whole;
	struct buf out = { 0 };

	business_keep_secrets(kind, given, stored, &out);
	kept = json_read(out.data, out.len, NULL);
	buf_reset(&out);
	business_roll_secret(kind, kept, stored, applying->now_ms, &out);
	json_free(&kept);
	json_free(&stored);
	whole = json_read(out.data, out.len, NULL);
	buf_clear(&out);
	return whole;
}

static int object_check(const struct applying *applying, const char *kind,
			struct json_object *given, struct buf *canonical, struct error *err)
{
	struct json_object *whole;
	int status;

	if (!business_has_secrets(kind))
		return business_check(kind, given, canonical, err);
	whole = whole_of(applying, kind, given);
	status = business_check(kind, whole, canonical, err);
	json_free(&whole);
	return status;
}

/* False after having answered. */
static bool put_take(struct api_call *call, struct applying *applying, size_t index)
{
	struct json_object *item = json_item(json_at(call->body, "put"), index);
	const char *pointer = arena_format(call->arena, "#/body/put/%zu", index);
	struct json_object *object = json_at(item, "object");
	struct change *change = &applying->changes[applying->count];
	const char *id = json_text(object, "id");
	struct buf canonical = { 0 };
	struct error err;

	change->kind = kind_place(call, applying, json_text(item, "kind"), pointer);
	if (change->kind == KINDS_MAX)
		return false;
	if (id == NULL || *id == '\0' || strlen(id) > ID_MAX) {
		api_invalid(call, pointer, "an object needs an \"id\" of at most %d bytes", ID_MAX);
		return false;
	}
	if (!webhook_address_check(call, applying->kinds[change->kind], object,
				   arena_format(call->arena, "%s/object", pointer)))
		return false;
	if (object_check(applying, applying->kinds[change->kind], object, &canonical, &err) != 0) {
		buf_clear(&canonical);
		api_invalid(call, pointer, "\"%s\" of \"%s\": %s", id,
			    applying->kinds[change->kind], err.text);
		return false;
	}
	change->id = id;
	change->canonical = arena_text(call->arena, buf_string(&canonical));
	buf_clear(&canonical);
	applying->count++;
	return true;
}

static bool delete_take(struct api_call *call, struct applying *applying, size_t index)
{
	struct json_object *item = json_item(json_at(call->body, "delete"), index);
	const char *pointer = arena_format(call->arena, "#/body/delete/%zu", index);
	struct change *change = &applying->changes[applying->count];

	change->id = json_text(item, "id");
	change->kind = kind_place(call, applying, json_text(item, "kind"), pointer);
	if (change->kind == KINDS_MAX)
		return false;
	if (change->id == NULL || *change->id == '\0') {
		api_invalid(call, pointer, "what is to be deleted needs an \"id\"");
		return false;
	}
	applying->count++;
	return true;
}

static bool changes_take(struct api_call *call, struct applying *applying)
{
	size_t puts = json_count(json_at(call->body, "put"));
	size_t deletes = json_count(json_at(call->body, "delete"));

	applying->changes =
		arena_alloc(call->arena, (puts + deletes + 1) * sizeof(*applying->changes));
	for (size_t i = 0; i < puts; i++)
		if (!put_take(call, applying, i))
			return false;
	for (size_t i = 0; i < deletes; i++)
		if (!delete_take(call, applying, i))
			return false;
	return true;
}

static void answer_applied(struct api_call *call)
{
	api_answer_text(call, 200, call->state);
}

static void on_applied(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct buf body = { 0 };
	struct json_out out;
	size_t first = reply_is(reply, "replay") ? 2 : 1;

	if (err != NULL) {
		api_fail(call, err);
	} else if (reply_is(reply, "conflict")) {
		api_key_conflict(call);
	} else if (reply_is(reply, "refused")) {
		api_problem(call, 412, "version", "\"%s\" has changed meanwhile: nothing was done",
			    reply_text(reply_item(reply, 2), NULL));
	} else {
		if (first == 2)
			api_replayed(call);
		jw_start(&out, &body);
		jw_object(&out, NULL);
		jw_int(&out, "changed", reply_int(reply_item(reply, first)));
		jw_int(&out, "rules_version", reply_int(reply_item(reply, first + 1)));
		jw_object_end(&out);
		call->state = arena_text(call->arena, buf_string(&body));
		buf_clear(&body);
		in_force_then(call, answer_applied);
	}
}

static int64_t version_of(const char *stored)
{
	static const char start[] = "{\"version\":";

	return stored == NULL || !text_starts(stored, start)
		       ? 0
		       : strtoll(stored + sizeof(start) - 1, NULL, 10);
}

/* The same again changes nothing. */
static bool is_same(const char *stored, const char *canonical)
{
	const char *rest = stored == NULL ? NULL : strchr(stored, ',');

	return rest != NULL && canonical != NULL && text_equal(rest + 1, canonical + 1);
}

static void add_change(struct api_call *call, struct store_call *apply, const struct change *change,
		       const char *stored)
{
	int64_t replaces = version_of(stored);

	store_arg_int(apply, (int64_t)change->kind + 2);
	store_arg_text(apply, change->id);
	store_arg_int(apply, replaces);
	store_arg_text(apply,
		       change->canonical == NULL
			       ? ""
			       : arena_format(call->arena, "{\"version\":%lld,%s",
					      (long long)replaces + 1, change->canonical + 1));
}

static void on_present(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const struct applying *applying = call->state;
	struct store_call *apply;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	apply = store_script("config_apply", call->who.workspace);
	for (size_t i = 0; i < applying->kind_count; i++)
		store_key(apply, "cfg:%s", applying->kinds[i]);
	store_arg_text(apply, call->idempotency_key);
	store_arg_text(apply, call->request_hash);
	for (size_t i = 0; i < applying->count; i++) {
		const struct change *change = &applying->changes[i];
		const char *stored = reply_field(reply_item(reply, change->kind), change->id);

		if (!is_same(stored, change->canonical) &&
		    (stored != NULL || change->canonical != NULL))
			add_change(call, apply, change, stored);
	}
	store_run(call->parts->store, apply, on_applied, call);
}

static void present_read(struct api_call *call)
{
	const struct applying *applying = call->state;
	struct store_call *read = store_script("roster_read", call->who.workspace);

	for (size_t i = 0; i < applying->kind_count; i++)
		store_key(read, "cfg:%s", applying->kinds[i]);
	store_read(call->parts->store, read, on_present, call);
}

static void deletes_check(struct api_call *call)
{
	const struct applying *applying = call->state;
	struct removal *removals =
		arena_alloc(call->arena, (applying->count + 1) * sizeof(*removals));
	size_t count = 0;

	for (size_t i = 0; i < applying->count; i++)
		if (applying->changes[i].canonical == NULL)
			removals[count++] =
				(struct removal){ applying->kinds[applying->changes[i].kind],
						  applying->changes[i].id };
	in_use_check(call, removals, count, present_read);
}

static void apply_begin(struct api_call *call, const struct store_reply *secrets)
{
	struct applying *applying = arena_alloc(call->arena, sizeof(*applying));

	applying->secrets = secrets;
	applying->now_ms = loop_unix_ms(call->parts->loop);
	if (!changes_take(call, applying))
		return;
	applying->secrets = NULL;
	call->state = applying;
	names_check_put(call, deletes_check);
}

static void on_secrets(const struct store_reply *reply, const struct error *err, void *context)
{
	if (err != NULL)
		api_fail(context, err);
	else
		apply_begin(context, reply);
}

static bool brings_secrets(struct api_call *call)
{
	struct json_object *list = json_at(call->body, "put");

	for (size_t i = 0; i < json_count(list); i++) {
		const char *kind = json_text(json_item(list, i), "kind");

		if (kind != NULL && business_has_secrets(kind))
			return true;
	}
	return false;
}

void handle_config_apply(struct api_call *call)
{
	struct store_call *read;

	if (!brings_secrets(call)) {
		apply_begin(call, NULL);
		return;
	}
	read = store_script("roster_read", call->who.workspace);
	for (const struct business_kind *kind = business_kinds; kind->key != NULL; kind++)
		if (business_has_secrets(kind->store))
			store_key(read, "cfg:%s", kind->store);
	store_read(call->parts->store, read, on_secrets, call);
}
