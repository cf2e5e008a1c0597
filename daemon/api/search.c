/* GET /v1/search: asked of the history, which knows what is stored there; whoever may read
 * conversations, customers and work items may find them. */
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/page.h"
#include "base/memory.h"
#include "base/text.h"
#include "history/history.h"
#include "parts.h"

static const struct {
	const char *plural; /* in ?type= */
	const char *type;
} types[] = {
	{ "messages", "message" },
	{ "customers", "customer" },
	{ "work_items", "work_item" },
};

static const char *const filters[] = { "channel", "queue", "customer" };

struct searching {
	struct page page;
	struct buf fields; /* of the job */
	struct json_out out;
};

/* ---- the request ---- */

static const char *type_named(const char *name, size_t len)
{
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (strlen(types[i].plural) == len && memcmp(types[i].plural, name, len) == 0)
			return types[i].type;
	return NULL;
}

static bool add_types(struct searching *searching)
{
	struct api_call *call = searching->page.call;
	const char *list = api_query(call, "type");
	bool is_known = list == NULL || strlen(list) < 100;

	jw_array(&searching->out, "types");
	for (const char *at = list; is_known && at != NULL;) {
		size_t len = strcspn(at, ",");
		const char *type = type_named(at, len);

		is_known = type != NULL;
		jw_text(&searching->out, NULL, type);
		at = at[len] == ',' ? at + len + 1 : NULL;
	}
	jw_array_end(&searching->out);
	if (!is_known)
		api_problem(call, 400, "bad_type",
			    "type must be messages, customers, work_items, or several of them "
			    "parted by commas");
	return is_known;
}

static bool add_time(struct searching *searching, const char *name)
{
	const char *text = api_query(searching->page.call, name);
	int64_t ms = text == NULL ? 0 : text_parse_time(text);

	if (text == NULL)
		return true;
	if (ms < 0) {
		api_problem(searching->page.call, 400, "bad_time",
			    "%s must be a time such as 2026-11-22T20:45:00Z", name);
		return false;
	}
	jw_int(&searching->out, name, ms);
	return true;
}

static void add_filters(struct searching *searching)
{
	struct api_call *call = searching->page.call;
	const char *agent = api_query(call, "agent");

	for (size_t i = 0; i < COUNT_OF(filters); i++) {
		const char *value = api_query(call, filters[i]);

		if (value != NULL)
			jw_text(&searching->out, filters[i], value);
	}
	if (agent != NULL)
		jw_text(&searching->out, "agent",
			text_equal(agent, "me") ? call->who.agent : agent);
}

/* "<document's number> <type> <id>" of the last row shown. */
static bool add_place(struct searching *searching)
{
	const char *after = searching->page.after;
	const char *space = after == NULL ? NULL : strchr(after, ' ');
	uint64_t number;

	if (after == NULL)
		return true;
	if (space == NULL || !text_uint(after, (size_t)(space - after), &number) ||
	    number > INT64_MAX) {
		page_refuse(searching->page.call);
		return false;
	}
	jw_int(&searching->out, "after", (int64_t)number);
	jw_text(&searching->out, "skip", space + 1);
	return true;
}

/* ---- the answer ---- */

static void write_found(struct searching *searching, struct json_object *answer)
{
	struct api_call *call = searching->page.call;
	struct json_object *data = json_at(answer, "data");
	struct buf body = { 0 };
	struct json_out out;

	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_text(&out, "as_of", json_text(answer, "as_of"));
	jw_array(&out, "data");
	for (size_t i = 0; i < json_count(data); i++) {
		struct buf row = { 0 };

		json_append(json_item(data, i), &row);
		jw_raw(&out, NULL, row.data, row.len);
		buf_clear(&row);
	}
	page_end(&searching->page, &out, &body, json_text_copy(answer, "last", call->arena));
}

static void answer_later(struct api_call *call, const struct error *err)
{
	http_request_add_field(call->request, "Retry-After", "2");
	api_problem(call, 503, "history_unavailable", "%s", err->text);
}

static void on_found(struct json_object *answer, const struct error *err, void *context)
{
	struct searching *searching = context;
	struct api_call *call = searching->page.call;
	const char *problem = json_text(answer, "problem");

	if (err != NULL && err->kind == ERROR_TEMPORARY)
		answer_later(call, err);
	else if (err != NULL)
		api_fail(call, err);
	else if (problem != NULL)
		api_problem_at(call, "bad_query", json_int(answer, "position", 0), problem);
	else
		write_found(searching, answer);
}

static bool is_asked(struct api_call *call)
{
	if (!history_is_kept(call->parts->history)) {
		api_problem(call, 501, "no_history",
			    "this installation keeps no history, so nothing can be searched: set "
			    "history in converged.yaml to sqlite:/path or postgresql://... and "
			    "start the daemon again");
		return false;
	}
	if (api_query(call, "q") != NULL)
		return true;
	api_problem_at(call, "bad_query", 1, "q, what to search for, is missing");
	return false;
}

void handle_search(struct api_call *call)
{
	struct searching *searching = arena_alloc(call->arena, sizeof(*searching));

	jw_start(&searching->out, &searching->fields);
	searching->out.need_comma = true;
	if (!is_asked(call) || !page_read(call, false, &searching->page))
		return;
	jw_text(&searching->out, "q", api_query(call, "q"));
	jw_int(&searching->out, "limit", (int64_t)searching->page.limit);
	jw_bool(&searching->out, "ascending", searching->page.ascending);
	jw_bool(&searching->out, "no_notes", call->who.is_bot);
	add_filters(searching);
	if (add_types(searching) && add_time(searching, "from") && add_time(searching, "to") &&
	    add_place(searching))
		history_ask(call->parts->history, "search", call->who.workspace, &searching->fields,
			    on_found, searching);
	buf_clear(&searching->fields);
}
