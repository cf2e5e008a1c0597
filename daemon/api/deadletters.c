/* Messages that could not be delivered, and those nobody knows about. */
#include <string.h>

#include "api/handlers.h"
#include "api/page.h"
#include "base/text.h"
#include "delivery/outbox.h"
#include "parts.h"

static void write_dead(struct json_out *out, const struct dead_letter *letter)
{
	jw_object(out, NULL);
	jw_text(out, "id", letter->message);
	jw_text(out, "message", letter->message);
	jw_text(out, "conversation", letter->conversation);
	jw_text(out, "channel", letter->channel);
	jw_text(out, "code", letter->code);
	jw_text(out, "reason", letter->why);
	jw_text(out, "state", letter->state);
	jw_time(out, "at", letter->died_ms);
	jw_object_end(out);
}

static void on_list(const struct dead_page *letters, const struct error *err, void *context)
{
	const struct page *page = context;
	struct buf body = { 0 };
	struct json_out out;

	if (err != NULL) {
		api_fail(page->call, err);
		return;
	}
	page_start(&out, &body);
	for (size_t i = 0; i < letters->count; i++)
		write_dead(&out, &letters->letters[i]);
	page_end(page, &out, &body, letters->last);
}

void handle_dead_list(struct api_call *call)
{
	struct page *page = arena_alloc(call->arena, sizeof(*page));

	if (page_read(call, false, page))
		outbox_read_dead(call->parts->store,
				 &(struct dead_query){ .workspace = call->who.workspace,
						       .after = page->after,
						       .limit = page->limit,
						       .ascending = page->ascending },
				 on_list, page);
}

/* What a person may do with a message whose delivery stands so. */
static const char *decision_for(const char *state)
{
	if (text_equal(state, "uncertain"))
		return "decide";
	return text_equal(state, "failed") || text_equal(state, "expired") ? "redrive" : NULL;
}

static void answer_refused(struct api_call *call, const struct outbox_result *result)
{
	const char *allowed = decision_for(result->state);

	if (text_equal(result->refusal, "not_found"))
		api_problem(call, 404, "no_such_message", "there is no such message here");
	else if (text_equal(result->refusal, "not_assignee"))
		api_problem(call, 403, "not_assignee",
			    "another agent has the conversation: they or a supervisor decide");
	else
		api_conflict(call, &(struct conflict){ result->refusal,
						       "the message's delivery does not allow this",
						       result->state, &allowed,
						       allowed == NULL ? 0 : 1 });
}

static void on_decided(const struct outbox_result *result, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct buf body = { 0 };
	struct json_out out;

	if (result->code == OUTBOX_FAILED) {
		api_fail(call, err);
		return;
	}
	if (result->code == OUTBOX_CONFLICT) {
		api_key_conflict(call);
		return;
	}
	if (result->code == OUTBOX_REFUSED) {
		answer_refused(call, result);
		return;
	}
	if (result->replayed)
		api_replayed(call);
	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_text(&out, "state", result->state);
	jw_null(&out, "error");
	jw_object_end(&out);
	api_answer(call, 200, &body);
}

static void decide(struct api_call *call, const char *decision)
{
	struct outbox_decision what = {
		.workspace = call->who.workspace,
		.message = call->params[0],
		.decision = decision,
		.agent = principal_leads(&call->who) ? NULL : call->who.agent,
	};

	if (*call->idempotency_key != '\0') {
		what.key = call->idempotency_key;
		what.request = call->request_hash;
	}
	outbox_decide(call->parts->store, &what, on_decided, call);
}

void handle_dead_redrive(struct api_call *call)
{
	decide(call, NULL);
}

void handle_message_decide(struct api_call *call)
{
	decide(call, json_text(call->body, "outcome"));
}
