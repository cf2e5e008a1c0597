#include "conversation/past.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "conversation/conversation.h"
#include "history/history.h"
#include "parts.h"
#include "services/loop.h"
#include "store/store.h"

enum { DEADLINE_MS = 2000 };

struct ask {
	struct loop_timer *timer;
	past_fn *done; /* NULL: it was told already */
	void *context;
};

int64_t past_position(int64_t created_ms, int64_t index)
{
	return created_ms * LIMIT_PLACES_PER_MS + index;
}

bool past_is_kept(const struct parts *parts)
{
	return parts->history != NULL && history_is_kept(parts->history);
}

static void ask_tell(struct ask *ask, struct json_object *answer, const struct error *err)
{
	past_fn *done = ask->done;

	loop_timer_free(&ask->timer);
	ask->done = NULL;
	if (done != NULL)
		done(answer, err, ask->context);
}

static void on_answer(struct json_object *answer, const struct error *err, void *context)
{
	struct ask *ask = context;

	ask_tell(ask, answer, err);
	free(ask);
}

static void on_deadline(void *context)
{
	struct error err;

	error_set(&err, ERROR_TEMPORARY, "the history did not answer in time");
	ask_tell(context, NULL, &err);
}

void past_ask(const struct parts *parts, const struct past_question *question, past_fn *done,
	      void *context)
{
	struct ask *ask = memory_new(sizeof(*ask));

	ask->done = done;
	ask->context = context;
	ask->timer = loop_timer_new(parts->loop, on_deadline, ask);
	loop_timer_start(ask->timer, DEADLINE_MS);
	history_ask(parts->history, question->op, question->workspace, question->fields, on_answer,
		    ask);
}

static void on_noted(const struct store_reply *reply, const struct error *err, void *context)
{
	(void)reply;
	(void)err; /* asked again the next time */
	(void)context;
}

void past_note(const struct parts *parts, const struct past_extent *extent)
{
	struct store_call *call = store_script("past_note", extent->workspace);

	store_key(call, "c:%s", extent->conversation);
	store_arg_int(call, extent->created_ms);
	store_arg_int(call, extent->messages);
	store_arg_int(call, extent->began_ms);
	store_run(parts->store, call, on_noted, NULL);
}

/* ---- one message ---- */

struct text_run {
	const struct parts *parts;
	message_text_fn *done;
	void *context;
	char workspace[48];
	char message[ID_BYTES];
};

static void text_end(struct text_run *run, const char *stored, const struct error *err)
{
	run->done(stored, err, run->context);
	free(run);
}

static void on_past_text(struct json_object *answer, const struct error *err, void *context)
{
	text_end(context, json_text(answer, "json"), err);
}

static void on_text(const struct store_reply *reply, const struct error *err, void *context)
{
	struct text_run *run = context;
	const char *stored = err == NULL ? reply_text(reply, NULL) : NULL;
	struct buf fields = { 0 };
	const struct past_question question = { "past_message", run->workspace, &fields };

	if (err != NULL || (stored != NULL && strstr(stored, run->message) != NULL) ||
	    !past_is_kept(run->parts)) {
		text_end(run, stored, err);
		return;
	}
	buf_format(&fields, ",\"message\":\"%s\"", run->message);
	past_ask(run->parts, &question, on_past_text, run);
	buf_clear(&fields);
}

void message_read(const struct parts *parts, const struct message_place *place,
		  message_text_fn *done, void *context)
{
	struct store_call *call = store_command("LINDEX");
	struct text_run *run = memory_new(sizeof(*run));

	run->parts = parts;
	run->done = done;
	run->context = context;
	snprintf(run->workspace, sizeof(run->workspace), "%s", place->workspace);
	snprintf(run->message, sizeof(run->message), "%s", place->message ? place->message : "");
	store_arg_key(call, place->workspace, "m:%s", place->conversation);
	store_arg_int(call, place->index);
	store_read(parts->store, call, on_text, run);
}
