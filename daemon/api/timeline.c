/* GET /v1/customers/{id}/timeline: what happened over all channels, the newest first. */
#include <stdlib.h>
#include <string.h>

#include "api/customer_view.h"
#include "api/handlers.h"
#include "api/page.h"
#include "base/text.h"
#include "conversation/message.h"
#include "parts.h"
#include "store/store.h"

enum { TIME_DIGITS = 15 };

struct timeline {
	struct page page;
	struct json_out out;
	struct buf body;
	const char *customer;
};

static void write_message(struct timeline *timeline, const struct store_reply *row)
{
	size_t len = 0;
	const char *stored = reply_text(reply_item(row, 4), &len);
	const struct message_known known = {
		.customer = timeline->customer,
		.mark = reply_text_at(row, 5),
		.provider_id = reply_text_at(row, 6),
		.files = reply_text_at(row, 7),
	};
	struct buf shown = { 0 };

	jw_text(&timeline->out, "conversation", reply_text_at(row, 2));
	jw_text(&timeline->out, "channel", reply_text_at(row, 3));
	message_show(&shown, stored, len, &known);
	jw_raw(&timeline->out, "message", shown.data, shown.len);
	buf_clear(&shown);
}

static void write_note(struct timeline *timeline, const struct store_reply *row)
{
	const char *note = reply_text_at(row, 2);

	jw_raw(&timeline->out, "note", note, strlen(note));
}

static void write_state(struct timeline *timeline, const struct store_reply *row)
{
	struct json_out *out = &timeline->out;

	jw_text(out, "conversation", reply_text_at(row, 7));
	jw_object(out, "work_item");
	jw_text(out, "id", reply_text_at(row, 2));
	jw_int(out, "number", reply_int_at(row, 3));
	jw_text(out, "state", reply_text_at(row, 4));
	jw_text(out, "queue", reply_text_at(row, 5));
	jw_text(out, "agent", reply_text_at(row, 6));
	jw_object_end(out);
}

static void write_entry(struct timeline *timeline, const struct store_reply *row)
{
	const char *type = reply_text_at(row, 0);

	jw_object(&timeline->out, NULL);
	jw_text(&timeline->out, "type", type);
	/* The key begins with it. */
	jw_time(&timeline->out, "at", strtoll(reply_text_at(row, 1), NULL, 10));
	if (text_equal(type, "message"))
		write_message(timeline, row);
	else if (text_equal(type, "note"))
		write_note(timeline, row);
	else
		write_state(timeline, row);
	jw_object_end(&timeline->out);
}

static void on_entries(const struct store_reply *reply, const struct error *err, void *context)
{
	struct timeline *timeline = context;
	struct api_call *call = timeline->page.call;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (!reply_is(reply, "ok")) {
		api_problem(call, 404, "no_such_customer", "there is no such customer");
		return;
	}
	timeline->customer = reply_text_at(reply, 1);
	page_start(&timeline->out, &timeline->body);
	for (size_t i = 3; i < reply_count(reply); i++)
		write_entry(timeline, reply_item(reply, i));
	page_end(&timeline->page, &timeline->out, &timeline->body, reply_text_at(reply, 2));
}

/* The one source of entries: what is in the store. */
static void timeline_read(struct timeline *timeline)
{
	struct api_call *call = timeline->page.call;
	struct store_call *read = store_script("timeline_read", call->who.workspace);

	store_key(read, "u:%s", call->params[0]);
	store_arg_int(read, (int64_t)timeline->page.limit);
	store_arg_text(read, timeline->page.after);
	store_arg_text(read, customer_is_for_bot(call) ? "1" : "");
	store_read(call->parts->store, read, on_entries, timeline);
}

void handle_customer_timeline(struct api_call *call)
{
	struct timeline *timeline = arena_alloc(call->arena, sizeof(*timeline));

	if (!page_read(call, false, &timeline->page))
		return;
	if (timeline->page.after != NULL &&
	    strspn(timeline->page.after, "0123456789") != TIME_DIGITS)
		page_refuse(call);
	else
		timeline_read(timeline);
}
