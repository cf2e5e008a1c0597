/* /v1/customers/events: what a shop or an application tells of its customers. Events are taken one
 * after the other; each has a result of its own. */
#include <string.h>

#include "admit/remember.h"
#include "api/customer_view.h"
#include "api/find.h"
#include "api/handlers.h"
#include "api/page.h"
#include "base/id.h"
#include "base/text.h"
#include "conversation/timeline.h"
#include "history/history.h"
#include "identity/business_event.h"
#include "identity/identity.h"
#include "parts.h"
#include "services/loop.h"
#include "store/store.h"

/* No channel has such a name. */
static const char remembered_place[] = "business events";

struct taking {
	struct api_call *call;
	struct json_object *list; /* NULL: the body is the only one */
	struct business_event events[EVENTS_A_CALL];
	const char *members[EVENTS_A_CALL]; /* JSON, without our own id */
	size_t count;
	size_t next;
	char id[ID_BYTES]; /* ours, of the one under way */
	struct buf body;
	struct json_out out;
	bool is_turning; /* events are being begun */
	bool is_waiting; /* ... and the one begun last has not ended */
};

static void go_on(struct taking *taking);

/* ---- results ---- */

struct outcome {
	const char *result;
	const char *customer;
	const char *event;
	const char *code; /* why not; NULL */
	const char *detail;
};

static void text_if(struct json_out *out, const char *key, const char *text)
{
	if (text != NULL)
		jw_text(out, key, text);
}

static void event_end(struct taking *taking, const struct outcome *outcome)
{
	struct json_out *out = &taking->out;

	jw_object(out, NULL);
	jw_text(out, "id", taking->events[taking->next].id);
	jw_text(out, "result", outcome->result);
	text_if(out, "event", outcome->event);
	text_if(out, "customer", outcome->customer);
	text_if(out, "code", outcome->code);
	text_if(out, "detail", outcome->detail);
	jw_object_end(out);
	taking->next++;
	taking->is_waiting = false;
	go_on(taking);
}

static void event_refuse(struct taking *taking, const char *code, const char *detail)
{
	event_end(taking, &(struct outcome){ .result = "refused", .code = code, .detail = detail });
}

static void fail(struct taking *taking, const struct error *err)
{
	buf_clear(&taking->body);
	api_fail(taking->call, err);
}

/* ---- one event ---- */

static void on_put(const struct store_reply *reply, const struct error *err, void *context)
{
	struct taking *taking = context;
	struct error behind = { .kind = ERROR_TEMPORARY,
				.text = "the history is behind: 100 events of one customer wait "
					"for it" };

	if (err != NULL)
		fail(taking, err);
	else if (reply_is(reply, "ok"))
		event_end(taking, &(struct outcome){ .result = "stored",
						     .event = taking->id,
						     .customer = reply_text_at(reply, 1) });
	else if (reply_is(reply, "known"))
		event_end(taking, &(struct outcome){ .result = "known" });
	else if (text_equal(reply_text_at(reply, 1), "behind"))
		fail(taking, &behind);
	else
		event_refuse(taking, "no_such_customer", "there is no such customer");
}

static const char *stored_json(struct taking *taking)
{
	struct api_call *call = taking->call;
	struct buf text = { 0 };
	struct json_out out;
	const char *copy;

	jw_start(&out, &text);
	jw_object(&out, NULL);
	jw_text(&out, "id", taking->id);
	jw_text(&out, "source", api_source(call));
	buf_text(&text, taking->members[taking->next]);
	jw_object_end(&out);
	copy = arena_copy(call->arena, buf_string(&text), text.len);
	buf_clear(&text);
	return copy;
}

static void event_put(struct taking *taking, const char *customer)
{
	struct api_call *call = taking->call;
	const struct business_event *event = &taking->events[taking->next];
	const struct identity_place place = { call->parts->key, call->who.workspace,
					      remembered_place };
	struct store_call *put = store_script("event_put", call->who.workspace);
	struct remember_place remembered;

	id_new("cev_", taking->id);
	remember_place(identity_remembered(&place, event->id), 0, loop_unix_ms(call->parts->loop),
		       &remembered);
	store_key(put, "%s", remembered.current);
	store_key(put, "%s", remembered.previous);
	store_key(put, "u:%s", customer);
	store_arg_text(put, remembered.number);
	store_arg_int(put, remembered.keep_s);
	store_arg_text(put, customer);
	store_arg_text(put, taking->id);
	store_arg_int(put, event->at_ms);
	store_arg_text(put, stored_json(taking));
	store_arg_text(put, event->type);
	store_arg_text(put, history_is_kept(call->parts->history) ? "1" : "");
	store_run(call->parts->store, put, on_put, taking);
}

static void on_found(const char *const *ids, size_t count, const struct error *err, void *context)
{
	struct taking *taking = context;

	if (err != NULL)
		fail(taking, err);
	else if (count == 0)
		event_refuse(taking, "no_such_customer", "nobody is known by this identifier");
	else if (count > 1)
		event_refuse(taking, "several_customers",
			     "several customers are known by this identifier; name one");
	else
		event_put(taking, ids[0]);
}

static void event_begin(struct taking *taking)
{
	const struct business_event *event = &taking->events[taking->next];

	if (event->customer != NULL && !id_is(event->customer, "cus_"))
		event_refuse(taking, "no_such_customer", "there is no such customer");
	else if (event->customer != NULL)
		event_put(taking, event->customer);
	else if (!customers_find(taking->call, event->identifier, on_found, taking))
		event_refuse(taking, "bad_identifier",
			     "identifier must be kind:value, such as email:a@example.com");
}

/* Those that end at once are begun from one loop, and not each from within the one before. */
static void go_on(struct taking *taking)
{
	if (taking->is_turning)
		return;
	taking->is_turning = true;
	while (!taking->is_waiting && taking->next < taking->count) {
		taking->is_waiting = true;
		event_begin(taking);
	}
	taking->is_turning = false;
	if (taking->next < taking->count)
		return;
	jw_array_end(&taking->out);
	jw_object_end(&taking->out);
	api_answer(taking->call, 200, &taking->body);
}

/* All of them are read before the first is stored: what is wrong with one refuses the whole call.
 */
static bool events_read(struct taking *taking)
{
	struct api_call *call = taking->call;
	int64_t now_ms = loop_unix_ms(call->parts->loop);
	struct error err;

	for (size_t i = 0; i < taking->count; i++) {
		struct json_object *one =
			taking->list == NULL ? call->body : json_item(taking->list, i);
		struct buf members = { 0 };
		int rc = business_event_check(one, now_ms, &taking->events[i], &members, &err);

		taking->members[i] = arena_copy(call->arena, buf_string(&members), members.len);
		buf_clear(&members);
		if (rc == 0)
			continue;
		api_invalid(call,
			    taking->list == NULL
				    ? "#/body"
				    : arena_format(call->arena, "#/body/events/%zu", i),
			    "%s", err.text);
		return false;
	}
	return true;
}

void handle_events_put(struct api_call *call)
{
	struct taking *taking = arena_alloc(call->arena, sizeof(*taking));

	memset(taking, 0, sizeof(*taking));
	taking->call = call;
	taking->list = json_at(call->body, "events");
	taking->count = taking->list == NULL ? 1 : json_count(taking->list);
	if (taking->list != NULL && (json_has(call->body, "id") || json_has(call->body, "type"))) {
		api_invalid(call, "#/body/events", "either one event, or a list of them");
		return;
	}
	if (!events_read(taking))
		return;
	jw_start(&taking->out, &taking->body);
	jw_object(&taking->out, NULL);
	jw_array(&taking->out, "results");
	go_on(taking);
}

/* ---- the list ---- */

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
		jw_raw(&out, NULL, found->entries[i].json, strlen(found->entries[i].json));
	page_end(page, &out, &body,
		 found->has_more && found->count > 0 ? found->entries[found->count - 1].key : NULL);
}

void handle_event_list(struct api_call *call)
{
	struct page *page = arena_alloc(call->arena, sizeof(*page));
	struct timeline_query query = {
		.workspace = call->who.workspace,
		.customer = call->params[0],
		.has_notes = true,
		.only_events = true,
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
