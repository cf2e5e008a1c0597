/* GET /v1/customers/{id}/timeline: what happened over all channels, the newest first. */
#include "conversation/timeline.h"

#include <string.h>

#include "api/customer_view.h"
#include "api/handlers.h"
#include "api/page.h"
#include "base/text.h"
#include "conversation/message.h"

static void write_message(struct json_out *out, const struct timeline_entry *entry,
			  const char *customer)
{
	const struct message_known known = {
		.customer = customer,
		.mark = entry->mark,
		.provider_id = entry->provider_id,
		.files = entry->files,
	};
	struct buf shown = { 0 };

	jw_text(out, "conversation", entry->conversation);
	jw_text(out, "channel", entry->channel);
	message_show(&shown, entry->json, strlen(entry->json), &known);
	jw_raw(out, "message", shown.data, shown.len);
	buf_clear(&shown);
}

static void write_item(struct json_out *out, const struct timeline_entry *entry)
{
	jw_text(out, "conversation", entry->conversation);
	jw_object(out, "work_item");
	jw_text(out, "id", entry->id);
	jw_int(out, "number", entry->number);
	jw_text(out, "state", entry->state);
	jw_text(out, "queue", entry->queue);
	jw_text(out, "agent", entry->agent);
	jw_object_end(out);
}

static void write_entry(struct json_out *out, const struct timeline_entry *entry,
			const char *customer)
{
	static const char *const names[] = { "message", "note", "work_item", "event" };

	jw_object(out, NULL);
	jw_text(out, "type", names[entry->kind]);
	jw_time(out, "at", entry->at_ms);
	if (entry->kind == TIMELINE_MESSAGE)
		write_message(out, entry, customer);
	else if (entry->kind == TIMELINE_NOTE)
		jw_raw(out, "note", entry->json, strlen(entry->json));
	else if (entry->kind == TIMELINE_EVENT)
		jw_raw(out, "event", entry->json, strlen(entry->json));
	else
		write_item(out, entry);
	jw_object_end(out);
}

static void on_page(const struct timeline_page *found, const struct error *err, void *context)
{
	struct page *page = context;
	struct json_out out;
	struct buf body = { 0 };

	if (err != NULL) {
		api_fail(page->call, err);
		return;
	}
	if (found->customer == NULL) {
		api_problem(page->call, 404, "no_such_customer", "there is no such customer");
		return;
	}
	page_start(&out, &body);
	for (size_t i = 0; i < found->count; i++)
		write_entry(&out, &found->entries[i], found->customer);
	page_end(page, &out, &body,
		 found->has_more && found->count > 0 ? found->entries[found->count - 1].key : NULL);
}

void handle_customer_timeline(struct api_call *call)
{
	struct page *page = arena_alloc(call->arena, sizeof(*page));
	struct timeline_query query = {
		.workspace = call->who.workspace,
		.customer = call->params[0],
		.has_notes = !customer_is_for_bot(call),
	};

	if (!page_read(call, false, page))
		return;
	if (page->after != NULL && strspn(page->after, "0123456789") != TIMELINE_TIME_DIGITS) {
		page_refuse(call);
		return;
	}
	query.after = page->after;
	query.limit = page->limit > TIMELINE_MAX ? TIMELINE_MAX : page->limit;
	timeline_read(call->parts, &query, on_page, page);
}
