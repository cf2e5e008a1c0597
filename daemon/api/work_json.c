#include "api/work_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "parts.h"
#include "routing/work.h"
#include "store/store.h"

enum { HEADER_ITEMS = 2 }; /* id and customer's name before the fields */

static const char *item_field(const struct store_reply *item, const char *name)
{
	for (size_t i = HEADER_ITEMS; i + 1 < reply_count(item); i += 2)
		if (text_equal(reply_text(reply_item(item, i), NULL), name))
			return reply_text(reply_item(item, i + 1), NULL);
	return "";
}

static int64_t item_number(const struct store_reply *item, const char *name)
{
	return strtoll(item_field(item, name), NULL, 10);
}

static void text_or_null(struct json_out *out, const char *key, const char *text)
{
	jw_text(out, key, *text == '\0' ? NULL : text);
}

/* Words parted by spaces, as a list. */
static void words_write(struct json_out *out, const char *key, const char *words)
{
	size_t len;

	jw_array(out, key);
	for (; *words != '\0'; words += len + (words[len] == ' ')) {
		len = strcspn(words, " ");
		jw_textn(out, NULL, words, len);
	}
	jw_array_end(out);
}

static void write_customer(struct json_out *out, const struct store_reply *item)
{
	const char *id = item_field(item, "u");

	if (*id == '\0') {
		jw_null(out, "customer");
		return;
	}
	jw_object(out, "customer");
	jw_text(out, "id", id);
	jw_text(out, "name", reply_text(reply_item(item, 1), NULL));
	jw_object_end(out);
}

static void write_states(struct json_out *out, const struct store_reply *item)
{
	if (text_equal(item_field(item, "s"), "waiting"))
		jw_text(out, "waiting_for", item_field(item, "wf"));
	words_write(out, "offers", item_field(item, "o"));
	text_or_null(out, "transfer", item_field(item, "tr"));
	text_or_null(out, "consultation", item_field(item, "cp"));
	words_write(out, "helpers", item_field(item, "co"));
	if (item_number(item, "el") > 0)
		jw_int(out, "escalation_level", item_number(item, "el"));
	jw_time(out, "since", item_number(item, "st"));
	jw_time(out, "first_response_at", item_number(item, "fr"));
	if (*item_field(item, "lx") != '\0')
		jw_time(out, "lease_expires_at", item_number(item, "lx"));
	text_or_null(out, "rule", item_field(item, "ru"));
	text_or_null(out, "reason", item_field(item, "rs"));
	text_or_null(out, "summary", item_field(item, "sum"));
}

void work_write(struct json_out *out, const char *key, const struct store_reply *item)
{
	jw_object(out, key);
	jw_text(out, "id", reply_text(reply_item(item, 0), NULL));
	jw_int(out, "number", item_number(item, "num"));
	jw_text(out, "state", item_field(item, "s"));
	jw_text(out, "type", item_field(item, "ty"));
	jw_text(out, "topic", item_field(item, "tp"));
	jw_text(out, "urgency",
		*item_field(item, "ur") == '\0' ? "normal" : item_field(item, "ur"));
	jw_int(out, "priority", item_number(item, "pr"));
	jw_text(out, "queue", item_field(item, "q"));
	text_or_null(out, "channel", item_field(item, "ch"));
	write_customer(out, item);
	text_or_null(out, "conversation", item_field(item, "c"));
	text_or_null(out, "agent", item_field(item, "a"));
	jw_time(out, "created_at", item_number(item, "ct"));
	jw_array(out, "sla");
	jw_array_end(out);
	write_states(out, item);
	jw_int(out, "version", item_number(item, "v"));
	jw_object_end(out);
}

struct shown {
	struct api_call *call;
	int status;
	char *id;
};

static void on_item(const struct store_reply *reply, const struct error *err, void *context)
{
	const struct shown *shown = context;
	struct api_call *call = shown->call;
	struct buf body = { 0 };
	struct json_out out;
	char etag[32];

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (reply_count(reply_item(reply, 0)) <= HEADER_ITEMS) {
		api_problem(call, 404, "no_such_work_item", "there is no work item \"%s\"",
			    shown->id);
		return;
	}
	snprintf(etag, sizeof(etag), "\"%lld\"", (long long)item_number(reply_item(reply, 0), "v"));
	http_request_add_field(call->request, "ETag", etag);
	jw_start(&out, &body);
	work_write(&out, NULL, reply_item(reply, 0));
	api_answer(call, shown->status, &body);
}

void work_answer_item(struct api_call *call, const char *id, int status)
{
	struct shown *shown = arena_alloc(call->arena, sizeof(*shown));
	struct store_call *read = store_script("work_read", call->who.workspace);

	*shown = (struct shown){ call, status, arena_text(call->arena, id) };
	store_arg_text(read, id);
	store_read(call->parts->store, read, on_item, shown);
}

static void problem_state(struct api_call *call, const struct work_result *result)
{
	struct buf body = { 0 };
	struct json_out out;

	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_text(&out, "type", "urn:converge:problem:illegal_state");
	jw_text(&out, "title", "Conflict");
	jw_int(&out, "status", 409);
	jw_text(&out, "code", result->refusal);
	jw_text(&out, "detail", "the work item's state does not allow this");
	jw_text(&out, "instance", http_request_id(call->request));
	jw_text(&out, "state", result->state);
	jw_array(&out, "allowed");
	for (size_t i = 0; i < result->allowed_count; i++)
		jw_text(&out, NULL, result->allowed[i]);
	jw_array_end(&out);
	jw_object_end(&out);
	http_answer(call->request, 409, "application/problem+json", body.data, body.len);
	buf_clear(&body);
	json_free(&call->body);
}

void work_answer_refusal(struct api_call *call, const struct work_result *result,
			 const struct error *err)
{
	if (result->code == WORK_FAILED)
		api_fail(call, err);
	else if (result->code == WORK_CONFLICT)
		api_key_conflict(call);
	else if (text_equal(result->refusal, "not_found"))
		api_problem(call, 404, "no_such_work_item", "there is no such work item");
	else if (text_equal(result->refusal, "not_assignee"))
		api_problem(call, 403, "not_assignee",
			    "only the assignee or a supervisor may do this");
	else if (text_equal(result->refusal, "version"))
		api_problem(call, 412, "version",
			    "the work item has changed meanwhile: it is at version %lld",
			    (long long)result->version);
	else
		problem_state(call, result);
}
