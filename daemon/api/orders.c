/* /v1/customers/{id}/orders: what a shop tells of purchases. */
#include <stdio.h>
#include <string.h>

#include "api/customer_view.h"
#include "api/handlers.h"
#include "api/page.h"
#include "base/text.h"
#include "identity/order.h"
#include "parts.h"
#include "services/loop.h"
#include "store/store.h"

static const char *version_of(struct api_call *call)
{
	return call->if_match > 0 ? arena_format(call->arena, "%lld", (long long)call->if_match)
				  : "";
}

static void on_put(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const char *version;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (!reply_is(reply, "ok")) {
		customer_refused(call, reply);
		return;
	}
	version = reply_text_at(reply, 1);
	http_request_add_field(call->request, "ETag", arena_format(call->arena, "\"%s\"", version));
	api_answer_text(call, 200,
			arena_format(call->arena, "{\"version\":%s,%s}", version,
				     (const char *)call->state));
}

static void order_put(struct api_call *call, const struct order *order, const char *members)
{
	struct store_call *put = store_script("order_put", call->who.workspace);

	call->state = arena_text(call->arena, members);
	store_key(put, "u:%s", call->params[0]);
	store_arg_text(put, call->params[0]);
	store_arg_text(put, order->id);
	store_arg_text(put, version_of(call));
	store_arg_int(put, order->placed_ms);
	store_arg_text(put, members);
	store_run(call->parts->store, put, on_put, call);
}

void handle_order_put(struct api_call *call)
{
	const char *placed = json_text(call->body, "placed_at");
	const struct order order = { call->params[1], placed == NULL
							      ? loop_unix_ms(call->parts->loop)
							      : text_parse_time(placed) };
	struct buf members = { 0 };
	struct error err;

	if (order_check(call->body, &order, &members, &err) != 0)
		api_invalid(call, "#/body", "%s", err.text);
	else
		order_put(call, &order, members.data);
	buf_clear(&members);
}

static void on_deleted(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;

	if (err != NULL)
		api_fail(call, err);
	else if (reply_is(reply, "ok"))
		api_empty(call, 204);
	else
		customer_refused(call, reply);
}

void handle_order_delete(struct api_call *call)
{
	struct store_call *gone = store_script("order_delete", call->who.workspace);

	store_key(gone, "u:%s", call->params[0]);
	store_arg_text(gone, call->params[0]);
	store_arg_text(gone, call->params[1]);
	store_arg_text(gone, version_of(call));
	store_run(call->parts->store, gone, on_deleted, call);
}

static void on_listed(const struct store_reply *reply, const struct error *err, void *context)
{
	const struct page *page = context;
	struct buf body = { 0 };
	struct json_out out;

	if (err != NULL) {
		api_fail(page->call, err);
		return;
	}
	if (!reply_is(reply, "ok")) {
		api_problem(page->call, 404, "no_such_customer", "there is no such customer");
		return;
	}
	page_start(&out, &body);
	for (size_t i = 2; i + 1 < reply_count(reply); i += 2) {
		const char *json = reply_text_at(reply, i + 1);

		if (json != NULL)
			jw_raw(&out, NULL, json, strlen(json));
	}
	page_end(page, &out, &body, reply_text_at(reply, 1));
}

void handle_order_list(struct api_call *call)
{
	struct page *page = arena_alloc(call->arena, sizeof(*page));
	struct store_call *read;

	if (!page_read(call, false, page))
		return;
	read = store_script("orders_read", call->who.workspace);
	store_key(read, "u:%s", call->params[0]);
	store_arg_text(read, call->params[0]);
	store_arg_text(read, page->ascending ? "asc" : "desc");
	store_arg_int(read, (int64_t)page->limit);
	store_arg_text(read, page->after);
	store_read(call->parts->store, read, on_listed, page);
}
