/* Reading work items: lists and detail. */
#include <stdio.h>
#include <string.h>

#include "api/handlers.h"
#include "api/names.h"
#include "api/work_json.h"
#include "base/memory.h"
#include "base/text.h"
#include "parts.h"
#include "store/store.h"

void handle_work_get(struct api_call *call)
{
	work_answer_item(call, call->params[0], 200);
}

struct page {
	struct api_call *call;
	const char *cursor; /* NULL: the last page */
};

static void on_items(const struct store_reply *reply, const struct error *err, void *context)
{
	const struct page *page = context;
	struct buf body = { 0 };
	struct json_out out;

	if (err != NULL) {
		api_fail(page->call, err);
		return;
	}
	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_array(&out, "data");
	for (size_t i = 0; i < reply_count(reply); i++)
		if (reply_count(reply_item(reply, i)) > 2)
			work_write(&out, NULL, reply_item(reply, i));
	jw_array_end(&out);
	jw_text(&out, "next_cursor", page->cursor);
	jw_object_end(&out);
	api_answer(page->call, 200, &body);
}

static void answer_none(struct api_call *call)
{
	const struct page *page = call->state;
	struct buf body = { 0 };
	struct json_out out;

	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_array(&out, "data");
	jw_array_end(&out);
	jw_text(&out, "next_cursor", page->cursor);
	jw_object_end(&out);
	api_answer(call, 200, &body);
}

/* A queue that is no longer configured may still hold items: only where nothing was found can its
 * name be wrong. */
static void check_filters(struct api_call *call)
{
	struct name_given *names = arena_alloc(call->arena, 2 * sizeof(*names));
	const char *agent = api_query(call, "agent");

	if (text_equal(agent, "me") || (agent != NULL && text_starts(agent, "token:")))
		agent = NULL;
	names[0] = (struct name_given){ NAME_QUEUE, api_query(call, "queue"), "queue" };
	names[1] = (struct name_given){ NAME_AGENT, agent, "agent" };
	names_check(call, names, 2, answer_none);
}

static void on_ids(const struct store_reply *reply, const struct error *err, void *context)
{
	struct page *page = context;
	struct store_call *read;
	const char *cursor;
	char *text;

	if (err != NULL) {
		api_fail(page->call, err);
		return;
	}
	cursor = reply_text(reply_item(reply, 0), NULL);
	if (cursor != NULL && *cursor != '\0') {
		text = arena_alloc(page->call->arena, strlen(cursor) * 2);
		text_base64url(cursor, strlen(cursor), text);
		page->cursor = text;
	}
	if (reply_count(reply) <= 1) {
		check_filters(page->call);
		return;
	}
	read = store_script("work_read", page->call->who.workspace);
	for (size_t i = 1; i < reply_count(reply); i++)
		store_arg_text(read, reply_text(reply_item(reply, i), NULL));
	store_read(page->call->parts->store, read, on_items, page);
}

/* The opaque cursor back to the script's; NULL after having answered 400. */
static const char *cursor_read(struct api_call *call)
{
	const char *text = api_query(call, "after");
	char *cursor;
	long len;

	if (text == NULL)
		return "";
	cursor = arena_alloc(call->arena, strlen(text) + 1);
	len = text_unbase64url(text, strlen(text), cursor, strlen(text));
	if (len > 0 && strspn(cursor, "0123456789") > 0)
		return cursor;
	api_problem(call, 400, "bad_cursor", "after must be a next_cursor of this list");
	return NULL;
}

static const char *order_read(struct api_call *call)
{
	const char *order = api_query(call, "order");

	if (order == NULL)
		return "desc";
	if (text_equal(order, "asc") || text_equal(order, "desc"))
		return order;
	api_problem(call, 400, "bad_order", "order must be asc or desc");
	return NULL;
}

static bool state_is_known(struct api_call *call)
{
	static const char *const states[] = { "new",      "bot",       "queued",  "offered",
					      "assigned", "wrapping",  "waiting", "resolved",
					      "closed",   "cancelled", NULL };
	const char *state = api_query(call, "state");

	return state == NULL || word_check(call, "state", state, states);
}

void handle_work_list(struct api_call *call)
{
	struct page *page = arena_alloc(call->arena, sizeof(*page));
	struct store_call *list;
	int limit = api_limit(call);
	const char *cursor = limit < 0 ? NULL : cursor_read(call);
	const char *order = cursor == NULL ? NULL : order_read(call);
	const char *agent = api_query(call, "agent");

	if (order == NULL || !state_is_known(call))
		return;
	page->call = call;
	call->state = page;
	if (text_equal(agent, "me"))
		agent = call->who.agent;
	list = store_script("work_list", call->who.workspace);
	store_arg_text(list, api_query(call, "state"));
	store_arg_text(list, api_query(call, "queue"));
	store_arg_text(list, agent);
	store_arg_int(list, limit);
	store_arg_text(list, order);
	store_arg_text(list, cursor);
	store_read(call->parts->store, list, on_ids, page);
}
