/* What became of the events that endpoints elsewhere are told of; and trying an endpoint. */
#include <string.h>

#include "api/handlers.h"
#include "api/names.h"
#include "api/page.h"
#include "base/id.h"
#include "base/text.h"
#include "config.h"
#include "events/webhook.h"
#include "parts.h"
#include "services/loop.h"
#include "store/store.h"

/* What else is wrong with an address is judged when it is resolved. */
bool webhook_address_check(struct api_call *call, const char *kind, struct json_object *object,
			   const char *pointer)
{
	const char *url = json_text(object, "url");

	if (!text_equal(kind, "webhooks") || url == NULL || !text_starts(url, "http://") ||
	    call->parts->config->limits.private_webhooks)
		return true;
	api_invalid(call, arena_format(call->arena, "%s/url", pointer),
		    "plain http is not allowed: write https://, or set limits.private_webhooks for "
		    "endpoints of your own network");
	return false;
}

static void answer_absent(struct api_call *call)
{
	api_problem(call, 404, "no_such_object", "there is no webhook \"%s\" here",
		    call->params[0]);
}

static void int_or_null(struct json_out *out, const char *key, int64_t number)
{
	if (number == 0)
		jw_null(out, key);
	else
		jw_int(out, key, number);
}

/* ---- deliveries ---- */

static void write_delivery(struct json_out *out, const struct store_reply *row)
{
	const struct store_reply *fields = reply_item(row, 1);
	const char *event = reply_field_text(fields, "e");

	jw_object(out, NULL);
	jw_text(out, "id", reply_text(reply_item(row, 0), NULL));
	jw_text(out, "type", reply_field_text(fields, "t"));
	jw_text(out, "state", reply_field_text(fields, "s"));
	jw_int(out, "attempts", reply_field_int(fields, "at"));
	int_or_null(out, "status", reply_field_int(fields, "st"));
	jw_text(out, "error", reply_field_text(fields, "er"));
	if (text_equal(reply_field_text(fields, "s"), "waiting"))
		jw_time(out, "next_attempt_at", reply_field_int(fields, "nx"));
	else
		jw_null(out, "next_attempt_at");
	jw_time(out, "last_attempt_at", reply_field_int(fields, "ut"));
	jw_time(out, "created_at", reply_field_int(fields, "ct"));
	jw_raw(out, "event", event == NULL ? "null" : event,
	       strlen(event == NULL ? "null" : event));
	jw_object_end(out);
}

static void on_list(const struct store_reply *reply, const struct error *err, void *context)
{
	const struct page *page = context;
	struct buf body = { 0 };
	struct json_out out;
	const char *last = reply_text(reply_item(reply, 0), NULL);

	if (err != NULL) {
		api_fail(page->call, err);
		return;
	}
	if (reply_count(reply) == 0) {
		answer_absent(page->call);
		return;
	}
	page_start(&out, &body);
	for (size_t i = 1; i < reply_count(reply); i++)
		write_delivery(&out, reply_item(reply, i));
	page_end(page, &out, &body, text_equal(last, "") ? NULL : last);
}

void handle_webhook_deliveries(struct api_call *call)
{
	static const char *const states[] = { "waiting", "delivered", "dead", NULL };
	struct page *page = arena_alloc(call->arena, sizeof(*page));
	const char *state = api_query(call, "state");
	struct store_call *read;
	uint64_t number; /* of a delivery */

	if (state != NULL && !word_check(call, "state", state, states))
		return;
	if (!page_read(call, false, page))
		return;
	if (page->after != NULL && !text_uint(page->after, strlen(page->after), &number)) {
		page_refuse(call);
		return;
	}
	read = store_script("webhook_list", call->who.workspace);
	store_arg_text(read, call->params[0]);
	store_arg_text(read, state == NULL ? "all" : state);
	store_arg_text(read, page->ascending ? "asc" : "desc");
	store_arg_int(read, (int64_t)page->limit);
	store_arg_text(read, page->after);
	store_read(call->parts->store, read, on_list, page);
}

/* ---- how an endpoint stands ---- */

static const char *standing(struct json_object *object, const struct store_reply *state)
{
	if (!json_bool(object, "enabled", true))
		return "disabled";
	if (reply_field_text(state, "off") != NULL &&
	    reply_field_int(state, "ov") == json_int(object, "version", 0))
		return "off";
	return reply_field_text(state, "fs") == NULL ? "working" : "failing";
}

static void write_state(struct json_out *out, struct json_object *object,
			const struct store_reply *row)
{
	const struct store_reply *state = reply_item(row, 1);
	const char *word = standing(object, state);
	bool is_off = text_equal(word, "off");

	jw_object(out, NULL);
	jw_text(out, "id", reply_text(reply_item(row, 0), NULL));
	jw_text(out, "state", word);
	jw_text(out, "reason", is_off ? reply_field_text(state, "off") : NULL);
	jw_time(out, "off_since", is_off ? reply_field_int(state, "oa") : 0);
	jw_time(out, "failing_since", reply_field_int(state, "fs"));
	jw_time(out, "last_success_at", reply_field_int(state, "ls"));
	jw_time(out, "last_failure_at", reply_field_int(state, "lf"));
	int_or_null(out, "last_status", reply_field_int(state, "st"));
	jw_text(out, "last_error", reply_field_text(state, "er"));
	jw_int(out, "waiting", reply_int(reply_item(row, 2)));
	jw_int(out, "dead", reply_int(reply_item(row, 4)));
	jw_int(out, "delivered_total", reply_field_int(state, "ok"));
	jw_int(out, "dead_total", reply_field_int(state, "dead"));
	jw_int(out, "overflow_total", reply_field_int(state, "full"));
	jw_object_end(out);
}

static void on_standing(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct buf body = { 0 };
	struct json_out out;
	struct json_object *object;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	object = json_read(call->state, strlen(call->state), NULL);
	jw_start(&out, &body);
	write_state(&out, object, reply_item(reply, 0));
	json_free(&object);
	api_answer(call, 200, &body);
}

static void on_object(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const char *stored = err == NULL ? reply_text(reply, NULL) : NULL;
	struct store_call *read;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (stored == NULL) {
		answer_absent(call);
		return;
	}
	call->state = arena_text(call->arena, stored);
	read = store_script("webhook_due", call->who.workspace);
	store_arg_int(read, 0);
	store_arg_text(read, call->params[0]);
	store_read(call->parts->store, read, on_standing, call);
}

static void state_read(struct api_call *call)
{
	struct store_call *read = store_command("HGET");

	store_arg_key(read, call->who.workspace, "cfg:webhooks");
	store_arg_text(read, call->params[0]);
	store_read(call->parts->store, read, on_object, call);
}

void handle_webhook_state(struct api_call *call)
{
	state_read(call);
}

/* ---- what is done with them ---- */

static struct store_call *act_call(struct api_call *call, const char *script)
{
	struct store_call *act = store_script(script, call->who.workspace);

	store_arg_text(act, call->idempotency_key);
	store_arg_text(act, call->request_hash);
	store_arg_text(act, call->params[0]);
	return act;
}

/* False after having answered. */
static bool act_taken(struct api_call *call, const struct store_reply *reply,
		      const struct error *err)
{
	bool is_refused = err == NULL && reply_is(reply, "refused");

	if (err != NULL)
		api_fail(call, err);
	else if (reply_is(reply, "conflict"))
		api_key_conflict(call);
	else if (is_refused && text_equal(reply_text(reply_item(reply, 1), NULL), "not_found"))
		answer_absent(call);
	else if (is_refused)
		api_problem(call, 404, "no_such_delivery",
			    "there is no delivery \"%s\" of \"%s\": only the newest are kept",
			    call->params[1], call->params[0]);
	else if (reply_is(reply, "replay"))
		api_replayed(call);
	return err == NULL && (reply_is(reply, "ok") || reply_is(reply, "replay"));
}

static void answer_waiting(struct api_call *call, const char *delivery)
{
	struct buf body = { 0 };
	struct json_out out;

	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_text(&out, "id", delivery);
	jw_text(&out, "state", "waiting");
	jw_object_end(&out);
	api_answer(call, 202, &body);
}

static void on_resent(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;

	if (act_taken(call, reply, err))
		answer_waiting(call, call->params[1]);
}

void handle_webhook_resend(struct api_call *call)
{
	struct store_call *act = act_call(call, "webhook_resend");

	store_arg_text(act, call->params[1]);
	store_run(call->parts->store, act, on_resent, call);
}

static void on_tested(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;

	if (act_taken(call, reply, err))
		answer_waiting(call,
			       reply_text(reply_item(reply, reply_is(reply, "ok") ? 1 : 2), NULL));
}

void handle_webhook_test(struct api_call *call)
{
	static const char type[] = "webhook.test";
	struct store_call *act = act_call(call, "webhook_test");
	struct buf event = { 0 };
	struct json_out out;
	char id[ID_BYTES];

	id_new("evt_", id);
	jw_start(&out, &event);
	jw_object(&out, NULL);
	jw_text(&out, "id", id);
	jw_text(&out, "type", type);
	jw_time(&out, "time", loop_unix_ms(call->parts->loop));
	jw_text(&out, "endpoint", call->params[0]);
	jw_object_end(&out);
	store_arg_text(act, id);
	store_arg_text(act, type);
	store_arg(act, event.data, event.len);
	buf_clear(&event);
	store_run(call->parts->store, act, on_tested, call);
}

static void on_resumed(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;

	if (act_taken(call, reply, err))
		state_read(call);
}

void handle_webhook_resume(struct api_call *call)
{
	store_run(call->parts->store, act_call(call, "webhook_resume"), on_resumed, call);
}
