/* GET /v1/customers/{id}: the 360 view. Four reads: the customer with all that is
 * kept beside, who else it may be, conversations that left the store, and the work items. */
#include "api/customer_view.h"

#include <stdio.h>
#include <string.h>

#include "api/handlers.h"
#include "api/order_hooks.h"
#include "base/memory.h"
#include "base/text.h"
#include "conversation/conversation.h"
#include "conversation/message.h"
#include "conversation/work_item.h"
#include "identity/context_link.h"
#include "identity/customer.h"
#include "identity/customer_compose.h"
#include "identity/suggestions.h"
#include "parts.h"
#include "services/loop.h"
#include "store/store.h"

enum { ITEMS_MAX = 150, CONVERSATIONS_MAX = 50 };

struct view {
	struct api_call *call;
	struct buf body;
	struct json_out out;
	char etag[32];
	bool is_bot;
	bool is_export;             /* what depends on the moment is left out */
	const char *ids[ITEMS_MAX]; /* of work items */
	size_t count;
	const char *shown[CONVERSATIONS_MAX]; /* ids */
	size_t shown_count;
	const char *customer;
};

struct linking {
	const struct customer *customer;
	struct arena *arena;
};

bool customer_is_for_bot(struct api_call *call)
{
	return call->who.is_bot || text_equal(api_query(call, "view"), "bot");
}

/* "l***@example.org", "+86***00", "o***": enough to recognise, not to use. */
static const char *masked(struct arena *arena, const char *value)
{
	const char *at = strrchr(value, '@');
	size_t len = strlen(value);
	size_t first = text_prefix(value, len, text_starts(value, "+") ? 3 : 1);

	if (first == 0 && len > 0)
		first = text_character(value, len, &(uint32_t){ 0 });
	if (at != NULL)
		return arena_format(arena, "%.*s***%s", (int)first, value, at);
	if (text_starts(value, "+") && len > 8)
		return arena_format(arena, "%.*s***%s", (int)first, value, value + len - 2);
	return arena_format(arena, "%.*s***", (int)first, value);
}

static void write_identifier(struct view *view, const struct customer_identifier *identifier)
{
	struct json_out *out = &view->out;

	jw_object(out, NULL);
	jw_text(out, "kind", identifier->kind);
	jw_text(out, "scope", view->is_bot ? "" : identifier->scope);
	jw_text(out, "value",
		view->is_bot ? masked(view->call->arena, identifier->value) : identifier->value);
	if (identifier->raw != NULL && !view->is_bot)
		jw_text(out, "raw", identifier->raw);
	jw_text(out, "proof", identifier->proved ? "proved" : "claimed");
	jw_int(out, "trust", identifier->trust);
	if (!view->is_bot) {
		jw_bool(out, "shared", identifier->is_shared);
		jw_text(out, "hash", identifier->hash);
		jw_text(out, "by", identifier->by);
		jw_time(out, "at", identifier->at_ms);
	}
	jw_object_end(out);
}

static void write_newest(struct view *view, const char *stored, int64_t at_ms)
{
	struct json_out *out = &view->out;
	struct message_preview preview;

	message_preview(stored, view->call->arena, &preview);
	if (preview.id[0] == '\0' || (view->is_bot && text_equal(preview.kind, "note"))) {
		jw_null(out, "last_message");
		return;
	}
	jw_object(out, "last_message");
	jw_text(out, "id", preview.id);
	jw_text(out, "direction", preview.out ? "out" : "in");
	jw_text(out, "kind", preview.kind);
	jw_text(out, "author", preview.author);
	jw_text(out, "text", preview.text);
	jw_time(out, "at", at_ms);
	jw_object_end(out);
}

static void write_conversation(struct view *view, const struct conversation *conversation,
			       const char *newest)
{
	struct json_out *out = &view->out;

	jw_object(out, NULL);
	jw_text(out, "id", conversation->id);
	jw_text(out, "channel", conversation->channel);
	jw_text(out, "subject", conversation->subject);
	jw_text(out, "state", conversation->open ? "open" : "closed");
	jw_text(out, "work_item", conversation->work_item);
	jw_int(out, "messages", conversation->messages);
	jw_time(out, "created_at", conversation->created_ms);
	jw_time(out, "updated_at", conversation->updated_ms);
	write_newest(view, newest, conversation->newest_ms);
	jw_object_end(out);
}

/* Those in the store; past ones go on behind them. */
static void write_conversations(struct view *view, const struct customer *customer)
{
	for (size_t i = 0; i < customer->conversation_count; i++) {
		const struct customer_conversation *one = &customer->conversations[i];

		view->shown[view->shown_count++] = arena_text(view->call->arena, one->id);
		write_conversation(view,
				   &(struct conversation){ .id = one->id,
							   .channel = one->channel,
							   .subject = one->subject,
							   .open = one->open,
							   .work_item = one->work_item,
							   .messages = one->messages,
							   .created_ms = one->created_ms,
							   .updated_ms = one->updated_ms,
							   .newest_ms = one->newest_ms },
				   one->newest);
	}
}

static void write_kept(struct json_out *out, const char *key, const struct customer_kept *rows,
		       size_t count)
{
	jw_array(out, key);
	for (size_t i = 0; i < count; i++)
		jw_raw(out, NULL, rows[i].json, strlen(rows[i].json));
	jw_array_end(out);
}

static void write_consent(struct json_out *out, const struct customer *customer)
{
	jw_array(out, "consent");
	for (size_t i = 0; i < customer->consent_count; i++) {
		const struct customer_consent *consent = &customer->consents[i];

		jw_object(out, NULL);
		jw_text(out, "purpose", consent->purpose);
		jw_text(out, "channel", consent->channel);
		/* The rest of the stored object. */
		buf_byte(out->buf, ',');
		buf_add(out->buf, consent->json + 1, strlen(consent->json) - 2);
		jw_object_end(out);
	}
	jw_array_end(out);
}

/* The one value of a placeholder: what is proved and not shared, of identifiers. */
static const char *link_value(const char *name, void *context)
{
	const struct linking *linking = context;
	const struct customer *customer = linking->customer;

	if (text_equal(name, "customer.id"))
		return customer->id;
	if (text_equal(name, "customer.name"))
		return customer_name(customer);
	if (text_equal(name, "customer.tier"))
		return customer_tier(customer);
	if (text_starts(name, "attribute."))
		return customer_attribute(customer, name + strlen("attribute."), linking->arena);
	for (size_t i = 0; i < customer->identifier_count; i++) {
		const struct customer_identifier *one = &customer->identifiers[i];

		if (one->proved && !one->is_shared && text_starts(name, "identifier.") &&
		    text_equal(name + strlen("identifier."), one->kind))
			return one->value;
	}
	return NULL;
}

static void write_link(struct view *view, const struct customer *customer, const char *configured)
{
	OWNED(json_free) struct json_object *json = json_read(configured, strlen(configured), NULL);
	struct arena *arena = view->call->arena;
	struct linking linking = { customer, arena };
	int64_t now_ms = loop_unix_ms(view->call->parts->loop);
	struct context_link link = { json_text_copy(json, "url", arena),
				     json_text_copy(json, "secret", arena),
				     (now_ms + json_int(json, "expires_ms", 0)) / 1000 };
	struct buf url = { 0 };

	if (link.url != NULL && link.secret != NULL &&
	    context_link_write(arena, &link, link_value, &linking, &url) == 0) {
		jw_object(&view->out, NULL);
		jw_text(&view->out, "id", json_text(json, "id"));
		jw_text(&view->out, "name",
			json_text(json, "name") == NULL ? json_text(json, "id")
							: json_text(json, "name"));
		jw_text(&view->out, "url", url.data);
		jw_time(&view->out, "expires_at", link.expires_s * 1000);
		jw_object_end(&view->out);
	}
	buf_clear(&url);
}

static void write_merged(struct json_out *out, const struct customer *customer)
{
	jw_array(out, "merged");
	for (size_t i = 1; i < customer->part_count; i++)
		jw_text(out, NULL, customer->parts[i].id);
	jw_array_end(out);
}

/* What staff see and bots do not. */
static void write_for_staff(struct view *view, const struct customer *customer)
{
	struct json_out *out = &view->out;

	write_kept(out, "notes", customer->notes, customer->note_count);
	jw_int(out, "notes_total", customer->notes_total);
	customer_write_conflicts(out, customer);
	customer_write_hold(out, customer);
	customer_write_erased(out, customer);
	write_merged(out, customer);
	jw_array(out, "links");
	for (size_t i = 0; !view->is_export && i < customer->link_count; i++)
		write_link(view, customer, customer->links[i]);
	jw_array_end(out);
}

static void write_record(struct view *view, const struct customer *customer)
{
	struct json_out *out = &view->out;

	jw_text(out, "id", customer->id);
	customer_write_profile(out, customer);
	jw_time(out, "created_at", customer->created_ms);
	jw_int(out, "version", customer->version);
	jw_array(out, "identifiers");
	for (size_t i = 0; i < customer->identifier_count; i++)
		write_identifier(view, &customer->identifiers[i]);
	jw_array_end(out);
}

void customer_write_held(struct json_out *out, const struct customer *customer)
{
	struct view view = { .out = *out };

	write_record(&view, customer);
	*out = view.out;
	write_consent(out, customer);
	customer_write_csat(out, customer);
	customer_write_hold(out, customer);
	customer_write_erased(out, customer);
	customer_write_conflicts(out, customer);
	write_merged(out, customer);
}

static void write_customer(struct view *view, const struct customer *customer)
{
	struct json_out *out = &view->out;

	jw_object(out, NULL);
	write_record(view, customer);
	write_kept(out, "orders", customer->orders, customer->order_count);
	jw_int(out, "orders_total", customer->orders_total);
	if (view->is_export) {
		jw_array(out, "pulled_orders");
		jw_array_end(out);
	} else {
		order_hooks_write(view->call, out, customer);
	}
	write_consent(out, customer);
	customer_write_csat(out, customer);
	if (!view->is_bot)
		write_for_staff(view, customer);
	jw_array(out, "conversations");
	write_conversations(view, customer);
}

static void item_add(struct view *view, const char *id)
{
	for (size_t i = 0; i < view->count; i++)
		if (text_equal(view->ids[i], id))
			return;
	if (id != NULL && view->count < ITEMS_MAX)
		view->ids[view->count++] = arena_text(view->call->arena, id);
}

static void on_items(const struct work_page *items, const struct error *err, void *context)
{
	struct view *view = context;

	if (err != NULL) {
		buf_clear(&view->body);
		api_fail(view->call, err);
		return;
	}
	jw_array(&view->out, "work_items");
	for (size_t i = 0; i < items->count; i++)
		work_item_write(&view->out, NULL, &items->items[i]);
	jw_array_end(&view->out);
	jw_object_end(&view->out);
	http_request_add_field(view->call->request, "ETag", view->etag);
	api_answer(view->call, 200, &view->body);
}

static void items_read(struct view *view)
{
	work_items_read(view->call->parts,
			&(struct work_ids){ view->call->who.workspace, view->ids, view->count },
			on_items, view);
}

static void on_suggestions(const struct suggestion *suggestions, size_t count,
			   const struct error *err, void *context)
{
	struct view *view = context;

	if (err != NULL) {
		buf_clear(&view->body);
		api_fail(view->call, err);
		return;
	}
	customer_suggestions_write(&view->out, "suggestions", suggestions, count);
	items_read(view);
}

static bool is_shown(const struct view *view, const char *id)
{
	for (size_t i = 0; i < view->shown_count; i++)
		if (text_equal(view->shown[i], id))
			return true;
	return false;
}

/* While the history cannot be asked, the ones in the store are shown alone. */
static void on_past(const struct conversation *list, size_t count, const struct error *err,
		    void *context)
{
	struct view *view = context;

	for (size_t i = 0; err == NULL && i < count; i++)
		if (!is_shown(view, list[i].id))
			write_conversation(view, &list[i],
					   list[i].newest == NULL ? "" : list[i].newest);
	jw_array_end(&view->out);
	if (view->is_bot)
		items_read(view);
	else
		customer_suggestions_read(view->call->parts->store, view->call->who.workspace,
					  view->customer, on_suggestions, view);
}

static void on_customer(const struct customer *customer, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct view *view;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (customer == NULL) {
		api_problem(call, 404, "no_such_customer", "there is no such customer");
		return;
	}
	view = arena_alloc(call->arena, sizeof(*view));
	view->call = call;
	view->is_bot = customer_is_for_bot(call);
	view->is_export = text_equal(api_query(call, "view"), "export");
	view->customer = arena_text(call->arena, customer->id);
	snprintf(view->etag, sizeof(view->etag), "\"%lld\"", (long long)customer->version);
	jw_start(&view->out, &view->body);
	write_customer(view, customer);
	for (size_t i = 0; i < customer->conversation_count; i++)
		item_add(view, customer->conversations[i].work_item);
	for (size_t i = 0; i < customer->case_count; i++)
		item_add(view, customer->cases[i]);
	for (size_t i = 0; i < customer->conversation_count; i++)
		item_add(view, customer->conversations[i].last_work_item);
	conversations_past(call->parts, call->who.workspace, view->customer, on_past, view);
}

void handle_customer_get(struct api_call *call)
{
	const char *view = api_query(call, "view");

	if (view != NULL && !text_equal(view, "bot") && !text_equal(view, "export"))
		api_problem(call, 400, "bad_view", "view must be bot, export, or left out");
	else
		customer_read(call->parts->store, call->who.workspace, call->params[0], on_customer,
			      call);
}
