/* Reading work items: lists and detail. */
#include <stdio.h>
#include <string.h>

#include "api/handlers.h"
#include "api/names.h"
#include "api/page.h"
#include "api/work_json.h"
#include "base/memory.h"
#include "base/text.h"
#include "parts.h"
#include "store/store.h"

void handle_work_get(struct api_call *call)
{
	work_answer_item(call, call->params[0], 200);
}

struct listing {
	struct page page;
	const char *last; /* NULL: the last page */
};

static void on_items(const struct store_reply *reply, const struct error *err, void *context)
{
	const struct listing *listing = context;
	struct buf body = { 0 };
	struct json_out out;

	if (err != NULL) {
		api_fail(listing->page.call, err);
		return;
	}
	page_start(&out, &body);
	for (size_t i = 0; i < reply_count(reply); i++)
		if (reply_count(reply_item(reply, i)) > 2)
			work_write(&out, NULL, reply_item(reply, i));
	page_end(&listing->page, &out, &body, listing->last);
}

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
	names[0] = (struct name_given){ NAME_QUEUE, api_query(call, "queue"), "queue" };
	names[1] = (struct name_given){ NAME_AGENT, agent, "agent" };
	names_check(call, names, 2, answer_none);
}

static void on_ids(const struct store_reply *reply, const struct error *err, void *context)
{
	struct listing *listing = context;
	struct api_call *call = listing->page.call;
	struct store_call *read;
	const char *last;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	last = reply_text(reply_item(reply, 0), NULL);
	if (last != NULL && *last != '\0')
		listing->last = arena_text(call->arena, last);
	if (reply_count(reply) <= 1) {
		call->state = listing;
		check_filters(call);
		return;
	}
	read = store_script("work_read", call->who.workspace);
	for (size_t i = 1; i < reply_count(reply); i++)
		store_arg_text(read, reply_text(reply_item(reply, i), NULL));
	store_read(call->parts->store, read, on_items, listing);
}

static bool state_is_known(struct api_call *call)
{
	static const char *const states[] = { "new",      "bot",       "queued",  "offered",
					      "assigned", "wrapping",  "waiting", "resolved",
					      "closed",   "cancelled", NULL };
	const char *state = api_query(call, "state");

	return state == NULL || word_check(call, "state", state, states);
}

void handle_work_list(struct api_call *call)
{
	struct listing *listing = arena_alloc(call->arena, sizeof(*listing));
	const char *agent = api_query(call, "agent");
	struct store_call *list;

	if (!page_read(call, false, &listing->page) || !state_is_known(call))
		return;
	if (text_equal(agent, "me"))
		agent = call->who.agent;
	list = store_script("work_list", call->who.workspace);
	store_arg_text(list, api_query(call, "state"));
	store_arg_text(list, api_query(call, "queue"));
	store_arg_text(list, agent);
	store_arg_int(list, (int64_t)listing->page.limit);
	store_arg_text(list, listing->page.ascending ? "asc" : "desc");
	store_arg_text(list, listing->page.after);
	store_read(call->parts->store, list, on_ids, listing);
}
