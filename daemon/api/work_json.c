#include "api/work_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "conversation/work_item.h"
#include "parts.h"
#include "routing/work.h"

struct shown {
	struct api_call *call;
	int status;
	char *id;
};

static void on_item(const struct work_page *page, const struct error *err, void *context)
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
	if (page->count == 0) {
		api_problem(call, 404, "no_such_work_item", "there is no work item \"%s\"",
			    shown->id);
		return;
	}
	snprintf(etag, sizeof(etag), "\"%lld\"", (long long)page->items[0].version);
	http_request_add_field(call->request, "ETag", etag);
	jw_start(&out, &body);
	work_item_write(&out, NULL, &page->items[0]);
	api_answer(call, shown->status, &body);
}

void work_answer_item(struct api_call *call, const char *id, int status)
{
	struct shown *shown = arena_alloc(call->arena, sizeof(*shown));

	*shown = (struct shown){ call, status, arena_text(call->arena, id) };
	work_items_read(call->parts->store, call->who.workspace, &id, 1, on_item, shown);
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
