#include "api/work_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
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
	work_items_read(call->parts, &(struct work_ids){ call->who.workspace, &id, 1 }, on_item,
			shown);
}

static const char *refusal_detail(const char *refusal)
{
	static const struct {
		const char *code;
		const char *detail;
	} details[] = {
		{ "loop", "that is where the work item is already" },
		{ "transfer_pending", "a transfer of the work item is pending" },
		{ "consult_pending", "a consultation on the work item is pending" },
		{ "joined", "they take part in the work item already" },
		{ "no_lease", "only the claim of a tool has a lease to extend" },
		{ "no_more", "the wrap-up time cannot be extended any more" },
		{ "capacity", "they have no room for the work item" },
	};

	for (size_t i = 0; i < COUNT_OF(details); i++)
		if (text_equal(details[i].code, refusal))
			return details[i].detail;
	return "the work item's state does not allow this";
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
		api_conflict(call, &(struct conflict){
					   result->refusal, refusal_detail(result->refusal),
					   result->state, result->allowed, result->allowed_count });
}
