/* Reading work items: lists and detail. */
#include <string.h>

#include "api/handlers.h"
#include "api/names.h"
#include "api/page.h"
#include "api/work_json.h"
#include "base/text.h"
#include "conversation/work_item.h"
#include "parts.h"

void handle_work_get(struct api_call *call)
{
	work_answer_item(call, call->params[0], 200);
}

struct listing {
	struct page page;
	const char *last; /* NULL: the last page */
};

static void answer_none(struct api_call *call)
{
	const struct listing *listing = call->state;
	struct buf body = { 0 };
	struct json_out out;

	page_start(&out, &body);
	page_end(&listing->page, &out, &body, listing->last);
}

/* A queue that is no longer configured may still hold items: only where nothing was found can its
 * name be wrong. */
static void check_filters(struct api_call *call)
{
	struct name_given *names = arena_alloc(call->arena, 2 * sizeof(*names));
	const char *agent = api_query(call, "agent");

	if (text_equal(agent, "me") || (agent != NULL && text_starts(agent, "token:")))
		agent = NULL;
	names[0] = (struct name_given){ NAME_QUEUE, api_query(call, "queue"), "queue", NULL };
	names[1] = (struct name_given){ NAME_AGENT, agent, "agent", NULL };
	names_check(call, names, 2, answer_none);
}

static void on_items(const struct work_page *items, const struct error *err, void *context)
{
	struct listing *listing = context;
	struct api_call *call = listing->page.call;
	struct buf body = { 0 };
	struct json_out out;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	listing->last = arena_text(call->arena, items->last);
	if (items->count == 0) {
		call->state = listing;
		check_filters(call);
		return;
	}
	page_start(&out, &body);
	for (size_t i = 0; i < items->count; i++)
		work_item_write(&out, NULL, &items->items[i]);
	page_end(&listing->page, &out, &body, listing->last);
}

static bool state_is_known(struct api_call *call)
{
	static const char *const states[] = { "new",      "bot",       "queued",  "offered",
					      "assigned", "wrapping",  "waiting", "resolved",
					      "closed",   "cancelled", NULL };
	const char *state = api_query(call, "state");

	return state == NULL || word_check(call, "state", state, states);
}

static bool sla_is_known(struct api_call *call)
{
	static const char *const words[] = { "warned", "breached", NULL };
	const char *sla = api_query(call, "sla");

	return sla == NULL || word_check(call, "sla", sla, words);
}

void handle_work_list(struct api_call *call)
{
	struct listing *listing = arena_alloc(call->arena, sizeof(*listing));
	struct work_query query = { .workspace = call->who.workspace };

	if (!page_read(call, false, &listing->page) || !state_is_known(call) || !sla_is_known(call))
		return;
	query.state = api_query(call, "state");
	query.queue = api_query(call, "queue");
	query.agent = api_query(call, "agent");
	query.sla = api_query(call, "sla");
	if (text_equal(query.agent, "me"))
		query.agent = call->who.agent;
	query.after = listing->page.after;
	query.limit = listing->page.limit;
	query.ascending = listing->page.ascending;
	work_item_list(call->parts, &query, on_items, listing);
}
