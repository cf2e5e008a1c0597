/* GET /v1/export/...: what a workspace has, by id, wherever it lies. All that is in the store is
 * in the history too, so the history is what is listed. */
#include <string.h>

#include "api/handlers.h"
#include "api/page.h"
#include "history/history.h"
#include "parts.h"

static void on_rows(struct json_object *answer, const struct error *err, void *context)
{
	struct page *page = context;
	struct api_call *call = page->call;
	struct json_object *data = json_at(answer, "data");
	size_t count = json_count(data);
	const char *last = NULL;
	struct buf body = { 0 };
	struct json_out out;

	if (err != NULL && err->kind == ERROR_TEMPORARY) {
		http_request_add_field(call->request, "Retry-After", "2");
		api_problem(call, 503, "history_unavailable", "%s", err->text);
		return;
	}
	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	page_start(&out, &body);
	for (size_t i = 0; i < count && i < page->limit; i++) {
		struct buf row = { 0 };

		json_append(json_item(data, i), &row);
		jw_raw(&out, NULL, row.data, row.len);
		buf_clear(&row);
	}
	if (count > page->limit)
		last = json_text_copy(json_item(data, page->limit - 1), "id", call->arena);
	page_end(page, &out, &body, last);
}

/* The last word of the path names what is listed. */
static const char *kind_of(const struct api_call *call)
{
	return strrchr(call->route->pattern, '/') + 1;
}

static void ask(struct page *page)
{
	struct api_call *call = page->call;
	struct buf fields = { 0 };
	struct json_out out;

	jw_start(&out, &fields);
	out.need_comma = true;
	jw_text(&out, "kind", kind_of(call));
	if (page->after != NULL)
		jw_text(&out, "after", page->after);
	jw_bool(&out, "descending", !page->ascending);
	jw_int(&out, "limit", (int64_t)page->limit + 1);
	history_ask(call->parts->history, "export", call->who.workspace, &fields, on_rows, page);
	buf_clear(&fields);
}

void handle_export(struct api_call *call)
{
	struct page *page = arena_alloc(call->arena, sizeof(*page));

	if (!page_read(call, false, page))
		return;
	if (history_is_kept(call->parts->history))
		ask(page);
	else
		api_problem(call, 501, "no_history",
			    "this installation keeps no history, so nothing can be exported: set "
			    "history in converged.yaml to sqlite:/path or postgresql://...");
}
