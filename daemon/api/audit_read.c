/* GET /v1/audit */
#include <string.h>

#include "api/handlers.h"
#include "api/page.h"
#include "base/memory.h"
#include "base/text.h"
#include "parts.h"
#include "store/store.h"

static void raw_if(struct json_out *out, const char *name, const char *json)
{
	if (json == NULL)
		jw_null(out, name);
	else
		jw_raw(out, name, json, strlen(json));
}

static void write_entry(struct json_out *out, const struct store_reply *row)
{
	static const struct {
		const char *name;
		const char *field;
	} texts[] = {
		{ "type", "type" },       { "target", "target" },   { "result", "result" },
		{ "request", "request" }, { "address", "address" },
	};
	const struct store_reply *hash = reply_item(row, 1);

	jw_object(out, NULL);
	jw_text(out, "id", reply_text_at(row, 0));
	jw_time(out, "at", reply_field_int(hash, "at"));
	jw_object(out, "actor");
	jw_text(out, "id", reply_field_text(hash, "actor"));
	jw_text(out, "name", reply_field_text(hash, "name"));
	jw_text(out, "role", reply_field_text(hash, "role"));
	jw_object_end(out);
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		jw_text(out, texts[i].name, reply_field_text(hash, texts[i].field));
	/* None: it ended without an answer, perhaps after it was done. */
	if (reply_field(hash, "status") == NULL)
		jw_null(out, "status");
	else
		jw_int(out, "status", reply_field_int(hash, "status"));
	raw_if(out, "detail", reply_field_text(hash, "detail"));
	raw_if(out, "before", reply_field_text(hash, "before"));
	raw_if(out, "after", reply_field_text(hash, "after"));
	jw_object_end(out);
}

static void on_entries(const struct store_reply *reply, const struct error *err, void *context)
{
	const struct page *page = context;
	struct buf body = { 0 };
	struct json_out out;

	if (err != NULL) {
		api_fail(page->call, err);
		return;
	}
	page_start(&out, &body);
	for (size_t i = 2; i < reply_count(reply); i++)
		write_entry(&out, reply_item(reply, i));
	page_end(page, &out, &body, reply_text_at(reply, 1));
}

/* False after having answered. */
static bool time_read(struct api_call *call, const char *name, int64_t *ret_ms)
{
	const char *text = api_query(call, name);

	if (text == NULL)
		return true;
	*ret_ms = text_parse_time(text);
	if (*ret_ms >= 0)
		return true;
	api_problem(call, 400, "bad_time", "%s must be a time such as 2026-01-31T00:00:00Z", name);
	return false;
}

void handle_audit_list(struct api_call *call)
{
	struct page *page = arena_alloc(call->arena, sizeof(*page));
	int64_t from_ms = 0, to_ms = INT64_C(9999999999999);
	struct store_call *read;

	if (!page_read(call, false, page) || !time_read(call, "from", &from_ms) ||
	    !time_read(call, "to", &to_ms))
		return;
	read = store_script("audit_read", call->who.workspace);
	store_key(read, "audit");
	store_arg_int(read, from_ms);
	store_arg_int(read, to_ms);
	store_arg_text(read, page->ascending ? "asc" : "desc");
	store_arg_int(read, (int64_t)page->limit);
	store_arg_text(read, page->after);
	store_arg_text(read, api_query(call, "actor"));
	store_arg_text(read, api_query(call, "type"));
	store_read(call->parts->store, read, on_entries, page);
}
