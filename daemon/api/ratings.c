/* How content a customer was with a work item: told by a survey, or by the visitor of a chat. */
#include <string.h>

#include "api/chat.h"
#include "api/handlers.h"
#include "api/visitor.h"
#include "base/text.h"
#include "parts.h"
#include "services/loop.h"
#include "store/store.h"

struct rating {
	struct api_call *call;
	const char *workspace;
	const char *work_item;
	const char *source;
	const char *json;
	bool is_visitor;
};

static void rating_answer(const struct rating *rating, const struct store_reply *reply)
{
	struct api_call *call = rating->call;

	if (reply_is(reply, "replay"))
		api_replayed(call);
	if (rating->is_visitor)
		api_empty(call, 204);
	else
		api_answer_text(call, 200, rating->json);
}

static void on_rated(const struct store_reply *reply, const struct error *err, void *context)
{
	const struct rating *rating = context;

	if (err != NULL)
		api_fail(rating->call, err);
	else if (reply_is(reply, "conflict"))
		api_key_conflict(rating->call);
	else if (reply_is(reply, "refused"))
		api_problem(rating->call, 404, "no_such_work_item",
			    "there is no such work item, or it has left for the history");
	else
		rating_answer(rating, reply);
}

static void rating_put(struct rating *rating)
{
	struct api_call *call = rating->call;
	const char *comment = json_text(call->body, "comment");
	int64_t score = json_int(call->body, "score", 0);
	struct store_call *put = store_script("rating_put", rating->workspace);
	struct buf json = { 0 };
	struct json_out out;

	jw_start(&out, &json);
	jw_object(&out, NULL);
	jw_int(&out, "score", score);
	jw_text(&out, "work_item", rating->work_item);
	jw_text(&out, "comment",
		comment == NULL
			? NULL
			: text_clean(call->arena, comment, strlen(comment), strlen(comment)));
	jw_text(&out, "source", rating->source);
	jw_time(&out, "at", loop_unix_ms(call->parts->loop));
	jw_object_end(&out);
	rating->json = arena_text(call->arena, json.data);
	buf_clear(&json);
	store_key(put, "w:%s", rating->work_item);
	store_arg_once(put, rating->is_visitor ? NULL : call->idempotency_key, call->request_hash);
	store_arg_text(put, rating->work_item);
	store_arg_int(put, score);
	store_arg_text(put, rating->json);
	store_run(call->parts->store, put, on_rated, rating);
}

void handle_rating_put(struct api_call *call)
{
	const char *source = json_text(call->body, "source");
	struct rating *rating = arena_alloc(call->arena, sizeof(*rating));

	*rating = (struct rating){ .call = call,
				   .workspace = call->who.workspace,
				   .work_item = call->params[0],
				   .source = source == NULL ? api_source(call) : source };
	rating_put(rating);
}

/* ---- by the visitor: of what is open in the conversation, else of what ended last ---- */

static void on_items(const struct store_reply *reply, const struct error *err, void *context)
{
	struct rating *rating = context;
	const char *open = err == NULL ? reply_text_at(reply, 0) : NULL;
	const char *item = open == NULL && err == NULL ? reply_text_at(reply, 1) : open;

	if (err != NULL) {
		api_fail(rating->call, err);
	} else if (item == NULL) {
		api_problem(rating->call, 404, "no_such_work_item", "there is nothing to rate yet");
	} else {
		rating->work_item = arena_text(rating->call->arena, item);
		rating_put(rating);
	}
}

static void rating_find(struct api_call *call)
{
	const struct chat_call *chat = call->state;
	struct rating *rating = arena_alloc(call->arena, sizeof(*rating));
	struct store_call *read;
	char conversation[ID_BYTES];

	*rating = (struct rating){ .call = call,
				   .workspace = channel_workspace(chat->channel),
				   .source = arena_format(call->arena, "channel:%s",
							  channel_name(chat->channel)),
				   .is_visitor = true };
	if (!visitor_conversation(call->parts->key, chat->channel, &chat->visitor, call->arena,
				  conversation)) {
		api_problem(call, 404, "no_such_work_item", "there is nothing to rate yet");
		return;
	}
	read = store_command("HMGET");
	store_arg_key(read, rating->workspace, "c:%s", conversation);
	store_arg_text(read, "w");
	store_arg_text(read, "lw");
	store_read(call->parts->store, read, on_items, rating);
}

void handle_chat_rating(struct api_call *call)
{
	if (chat_call_visitor(call) != NULL)
		chat_rate(call, rating_find);
}
