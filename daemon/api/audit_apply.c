/* What a POST /v1/configuration changes, for the audit: each object as it was and as it is to be.
 */
#include <stdio.h>
#include <string.h>

#include "api/audit.h"
#include "base/text.h"
#include "business/business.h"
#include "parts.h"
#include "store/store.h"

enum { OBJECTS_MAX = 100, BYTES_MAX = 64 * 1024 };

struct applying {
	struct api_call *call;
	audit_detail_fn *done;
	struct buf text;
	struct json_out out;
	bool is_deleting; /* the list in hand */
	size_t at;
	size_t written;
};

static void next_object(struct applying *applying);

static struct json_object *list_of(const struct applying *applying)
{
	return json_at(applying->call->body, applying->is_deleting ? "delete" : "put");
}

static const char *id_of(struct json_object *entry)
{
	static const char *const places[] = { "id", "object.id", "object.name" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (json_text(entry, places[i]) != NULL)
			return json_text(entry, places[i]);
	return "";
}

static void write_masked(struct json_out *out, const char *name, const char *kind,
			 struct json_object *object)
{
	struct buf shown = { 0 };

	if (json_kind(object) == JSON_OBJECT)
		business_mask(kind, object, &shown);
	if (shown.len > 0)
		jw_raw(out, name, shown.data, shown.len);
	else
		jw_null(out, name);
	buf_clear(&shown);
}

static void detail_end(struct applying *applying, const struct error *err)
{
	struct api_call *call = applying->call;
	const char *detail = NULL;

	jw_array_end(&applying->out);
	jw_object_end(&applying->out);
	if (err == NULL)
		detail = arena_text(call->arena, buf_string(&applying->text));
	buf_clear(&applying->text);
	if (err != NULL)
		api_fail(call, err);
	else
		applying->done(call, detail);
}

static void on_before(const struct store_reply *reply, const struct error *err, void *context)
{
	struct applying *applying = context;
	struct json_object *entry = json_item(list_of(applying), applying->at);
	const struct business_kind *kind = business_kind(json_text(entry, "kind"));
	const char *stored = reply_text(reply, NULL);
	struct json_object *before;

	if (err != NULL) {
		detail_end(applying, err);
		return;
	}
	before = stored == NULL ? NULL : json_read(stored, strlen(stored), NULL);
	jw_object(&applying->out, NULL);
	jw_text(&applying->out, "kind", kind->store);
	jw_text(&applying->out, "id", id_of(entry));
	write_masked(&applying->out, "before", kind->store, before);
	write_masked(&applying->out, "after", kind->store,
		     applying->is_deleting ? NULL : json_at(entry, "object"));
	jw_object_end(&applying->out);
	json_free(&before);
	applying->written++;
	applying->at++;
	next_object(applying);
}

/* What is wrong with a request, its handler says: here it is passed over. */
static void next_object(struct applying *applying)
{
	struct json_object *list = list_of(applying);
	struct json_object *entry;
	const struct business_kind *kind = NULL;
	struct store_call *read;

	for (; applying->at < json_count(list); applying->at++) {
		const char *name = json_text(json_item(list, applying->at), "kind");

		kind = name == NULL ? NULL : business_kind(name);
		if (kind != NULL)
			break;
	}
	if (applying->written == OBJECTS_MAX || applying->text.len > BYTES_MAX ||
	    (kind == NULL && applying->is_deleting)) {
		detail_end(applying, NULL);
		return;
	}
	if (kind == NULL) {
		applying->is_deleting = true;
		applying->at = 0;
		next_object(applying);
		return;
	}
	entry = json_item(list, applying->at);
	read = store_command("HGET");
	store_arg_key(read, applying->call->who.workspace, "cfg:%s", kind->store);
	store_arg_text(read, id_of(entry));
	store_read(applying->call->parts->store, read, on_before, applying);
}

void audit_apply_detail(struct api_call *call, audit_detail_fn *done)
{
	struct applying *applying = arena_alloc(call->arena, sizeof(*applying));

	applying->call = call;
	applying->done = done;
	jw_start(&applying->out, &applying->text);
	jw_object(&applying->out, NULL);
	jw_int(&applying->out, "objects",
	       (int64_t)(json_count(json_at(call->body, "put")) +
			 json_count(json_at(call->body, "delete"))));
	jw_array(&applying->out, "changes");
	next_object(applying);
}
