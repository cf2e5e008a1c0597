/* /v1/customers: the 360 view. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/page.h"
#include "base/text.h"
#include "channel.h"
#include "config.h"
#include "conversation/conversation.h"
#include "conversation/work_item.h"
#include "identity/address.h"
#include "identity/customer.h"
#include "identity/import.h"
#include "identity/phones.h"
#include "parts.h"
#include "store/store.h"

enum { ITEMS_MAX = 100, CONVERSATIONS_MAX = 50 };

/* The view is three reads: the customer with the conversations in the store, those that have left
 * it, the work items. */
struct view {
	struct api_call *call;
	struct buf body;
	struct json_out out;
	char etag[32];
	const char *shown[CONVERSATIONS_MAX]; /* ids */
	size_t shown_count;
	const char *items[ITEMS_MAX];
	size_t item_count;
};

static void write_identifiers(struct json_out *out, const struct customer *customer)
{
	jw_array(out, "identifiers");
	for (size_t i = 0; i < customer->identifier_count; i++) {
		const struct customer_identifier *identifier = &customer->identifiers[i];

		jw_object(out, NULL);
		jw_text(out, "kind", identifier->kind);
		jw_text(out, "scope", identifier->scope);
		jw_text(out, "value", identifier->value);
		if (identifier->raw != NULL)
			jw_text(out, "raw", identifier->raw);
		jw_text(out, "proof", identifier->proved ? "proved" : "claimed");
		jw_text(out, "by", identifier->by);
		jw_time(out, "at", identifier->at_ms);
		jw_bool(out, "shared", identifier->is_shared);
		jw_object_end(out);
	}
	jw_array_end(out);
}

static void write_conversation(struct view *view, const struct conversation *conversation)
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
	jw_object_end(out);
}

/* Those in the store; past_read() goes on behind them. */
static void write_conversations(struct view *view, const struct customer *customer)
{
	for (size_t i = 0; i < customer->conversation_count; i++) {
		const struct customer_conversation *one = &customer->conversations[i];

		if (one->channel == NULL)
			continue; /* it left this moment */
		view->shown[view->shown_count++] = arena_text(view->call->arena, one->id);
		write_conversation(view, &(struct conversation){ .id = one->id,
								 .channel = one->channel,
								 .subject = one->subject,
								 .open = one->open,
								 .work_item = one->work_item,
								 .messages = one->messages,
								 .created_ms = one->created_ms,
								 .updated_ms = one->updated_ms });
	}
}

static void on_items(const struct work_page *items, const struct error *err, void *context)
{
	struct view *view = context;

	jw_array(&view->out, "work_items");
	for (size_t i = 0; err == NULL && i < items->count; i++)
		work_item_write(&view->out, NULL, &items->items[i]);
	jw_array_end(&view->out);
	jw_object_end(&view->out);
	if (err != NULL) {
		buf_clear(&view->body);
		api_fail(view->call, err);
		return;
	}
	http_request_add_field(view->call->request, "ETag", view->etag);
	api_answer(view->call, 200, &view->body);
}

static void items_read(struct view *view)
{
	work_items_read(
		view->call->parts,
		&(struct work_ids){ view->call->who.workspace, view->items, view->item_count },
		on_items, view);
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
			write_conversation(view, &list[i]);
	jw_array_end(&view->out);
	items_read(view);
}

static void items_find(struct view *view, const struct customer *customer)
{
	struct arena *arena = view->call->arena;

	for (size_t i = 0; i < customer->conversation_count && view->item_count < ITEMS_MAX; i++)
		if (customer->conversations[i].work_item != NULL)
			view->items[view->item_count++] =
				arena_text(arena, customer->conversations[i].work_item);
	for (size_t i = 0; i < customer->case_count && view->item_count < ITEMS_MAX; i++)
		view->items[view->item_count++] = arena_text(arena, customer->cases[i]);
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
	snprintf(view->etag, sizeof(view->etag), "\"%lld\"", (long long)customer->version);
	jw_start(&view->out, &view->body);
	jw_object(&view->out, NULL);
	jw_text(&view->out, "id", customer->id);
	jw_text(&view->out, "name", customer->name == NULL ? "" : customer->name);
	jw_text(&view->out, "tier", customer->tier);
	jw_time(&view->out, "created_at", customer->created_ms);
	jw_int(&view->out, "version", customer->version);
	write_identifiers(&view->out, customer);
	items_find(view, customer);
	jw_array(&view->out, "conversations");
	write_conversations(view, customer);
	conversations_past(call->parts, call->who.workspace, customer->id, on_past, view);
}

void handle_customer_get(struct api_call *call)
{
	customer_read(call->parts->store, call->who.workspace, call->params[0], on_customer, call);
}

/* ---- finding: the proved owner, and whoever claimed it on each channel ---- */

enum { FOUND_MAX = 50 };

struct finding {
	struct api_call *call;
	struct identifier identifier;
	struct identity_place place;
	size_t channel; /* the next one to ask */
	bool is_import_asked;
	const char *ids[FOUND_MAX];
	size_t count;
};

static void write_found(struct json_out *out, const struct page_row *row)
{
	jw_object(out, NULL);
	jw_text(out, "id", row->id);
	jw_object_end(out);
}

/* Ids are in the order of creation. */
static void finding_answer(struct finding *finding)
{
	struct page_row rows[FOUND_MAX];

	for (size_t i = 0; i < finding->count; i++)
		rows[i] = (struct page_row){ .id = finding->ids[i] };
	page_answer(finding->call, rows, finding->count, write_found);
}

static void finding_add(struct finding *finding, const char *customer)
{
	for (size_t i = 0; i < finding->count; i++)
		if (text_equal(finding->ids[i], customer))
			return;
	if (finding->count < FOUND_MAX)
		finding->ids[finding->count++] = arena_text(finding->call->arena, customer);
}

static void on_found(const char *customer, const struct error *err, void *context)
{
	struct finding *finding = context;
	struct api_call *call = finding->call;
	const struct channel *channel;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (customer != NULL)
		finding_add(finding, customer);
	while ((channel = channel_at(call->parts->channels, finding->channel++)) != NULL) {
		if (!text_equal(channel_workspace(channel), call->who.workspace))
			continue;
		finding->place.channel = arena_text(call->arena, channel_name(channel));
		finding->identifier.proof = PROOF_CLAIMED;
		customer_find(call->parts->store, &finding->place, &finding->identifier, on_found,
			      finding);
		return;
	}
	if (!finding->is_import_asked) {
		finding->is_import_asked = true;
		finding->place.channel = IMPORT_PLACE;
		finding->identifier.proof = PROOF_CLAIMED;
		customer_find(call->parts->store, &finding->place, &finding->identifier, on_found,
			      finding);
		return;
	}
	finding_answer(finding);
}

static void finding_start(struct finding *finding)
{
	customer_find(finding->call->parts->store, &finding->place, &finding->identifier, on_found,
		      finding);
}

static void on_phone(const char *e164, const struct error *err, void *context)
{
	struct finding *finding = context;

	if (err != NULL) {
		api_fail(finding->call, err);
		return;
	}
	address_settle(finding->call->arena, &finding->identifier, e164);
	finding_start(finding);
}

/* A number as it is typed at home, in the country of this installation. */
static void phone_ask(struct finding *finding, const char *phone)
{
	const struct parts *parts = finding->call->parts;
	const char *region = parts->config->default_region;
	const char *known = phones_known(parts->phones, region, phone);
	struct error err;

	if (known != NULL)
		on_phone(known, NULL, finding);
	else if (phones_read(parts->phones, region, phone, on_phone, finding, &err) != 0)
		api_fail(finding->call, &err);
}

void handle_customer_find(struct api_call *call)
{
	const char *text = api_query(call, "identifier");
	struct finding *finding = arena_alloc(call->arena, sizeof(*finding));
	char phone[ADDRESS_PHONE_BYTES];

	finding->call = call;
	finding->place = (struct identity_place){ .mac = call->parts->key,
						  .workspace = call->who.workspace,
						  .channel = "" };
	if (text == NULL || !identity_parse(call->arena, text, &finding->identifier)) {
		api_problem(call, 400, "bad_identifier",
			    "identifier must be kind:value, such as email:a@example.com or "
			    "phone:%%2B8613800138000");
		return;
	}
	if (address_normalise(call->arena, &finding->identifier, phone))
		finding_start(finding);
	else
		phone_ask(finding, phone);
}

/* ---- editing ---- */

static void on_edited(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const char *why;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (reply_is(reply, "ok")) {
		handle_customer_get(call);
		return;
	}
	why = reply_text(reply_item(reply, 1), NULL);
	/* An old id leads to whom it is part of now, as it does for reading. */
	if (text_equal(why, "moved") && call->if_match <= 0 && call->state == NULL) {
		call->state = call;
		call->params[0] = arena_text(call->arena, reply_text(reply_item(reply, 2), NULL));
		handle_customer_patch(call);
		return;
	}
	if (text_equal(why, "version"))
		api_problem(call, 412, "version", "the customer has changed meanwhile: version %s",
			    reply_text(reply_item(reply, 2), NULL));
	else if (text_equal(why, "moved"))
		api_problem(call, 409, "merged", "this customer is now part of %s",
			    reply_text(reply_item(reply, 2), NULL));
	else
		api_problem(call, 404, "no_such_customer", "there is no such customer");
}

static void add_edit(struct api_call *call, struct store_call *edit, const char *key,
		     const char *field)
{
	const char *text = json_text(call->body, key);

	if (json_at(call->body, key) == NULL && text == NULL)
		return;
	store_arg_text(edit, field);
	store_arg_text(edit,
		       text == NULL ? "" : text_clean_line(call->arena, text, strlen(text), 200));
}

static void add_json_edit(struct api_call *call, struct store_call *edit, const char *key,
			  const char *field)
{
	struct json_object *value = json_at(call->body, key);
	struct buf text = { 0 };

	if (value == NULL)
		return;
	json_append(value, &text);
	store_arg_text(edit, field);
	store_arg(edit, text.data, text.len);
	buf_clear(&text);
}

void handle_customer_patch(struct api_call *call)
{
	struct store_call *edit = store_script("customer_put", call->who.workspace);

	store_key(edit, "u:%s", call->params[0]);
	store_arg_text(edit, call->params[0]);
	store_arg_int(edit, call->if_match > 0 ? call->if_match : 0);
	add_edit(call, edit, "name", "nm");
	add_edit(call, edit, "tier", "tier");
	add_json_edit(call, edit, "attributes", "at");
	add_json_edit(call, edit, "tags", "tg");
	store_run(call->parts->store, edit, on_edited, call);
}
