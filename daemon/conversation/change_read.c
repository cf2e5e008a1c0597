#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "conversation/change.h"
#include "store/store.h"

struct reading {
	changes_fn *done;
	void *context;
};

static void text_read(const struct store_reply *row, size_t place, char *out, size_t room)
{
	const char *text = reply_text(reply_item(row, place), NULL);

	snprintf(out, room, "%s", text == NULL ? "" : text);
}

static void change_read(const struct store_reply *row, struct change *ret)
{
	text_read(row, 0, ret->id, sizeof(ret->id));
	text_read(row, 1, ret->kind, sizeof(ret->kind));
	text_read(row, 2, ret->from, sizeof(ret->from));
	text_read(row, 3, ret->to, sizeof(ret->to));
	text_read(row, 4, ret->message, sizeof(ret->message));
	text_read(row, 5, ret->state, sizeof(ret->state));
	text_read(row, 6, ret->by, sizeof(ret->by));
	text_read(row, 7, ret->undone_by, sizeof(ret->undone_by));
	ret->messages = reply_int(reply_item(row, 8));
	ret->created_ms = reply_int(reply_item(row, 9));
	ret->undone_ms = reply_int(reply_item(row, 10));
	ret->next = reply_int(reply_item(row, 11));
}

static void on_changes(const struct store_reply *reply, const struct error *err, void *context)
{
	struct reading *reading = context;
	size_t count = err == NULL ? reply_count(reply) : 0;
	struct change *changes = memory_new((count + 1) * sizeof(*changes));

	for (size_t i = 0; i < count; i++)
		change_read(reply_item(reply, i), &changes[i]);
	reading->done(changes, count, err, reading->context);
	free(changes);
	free(reading);
}

static void ask(struct store *store, struct store_call *call, changes_fn *done, void *context)
{
	struct reading *reading = memory_new(sizeof(*reading));

	*reading = (struct reading){ done, context };
	store_arg_int(call, CHANGES_LISTED);
	store_read(store, call, on_changes, reading);
}

void changes_of_conversation(struct store *store, const char *workspace, const char *conversation,
			     changes_fn *done, void *context)
{
	struct store_call *call = store_script("thread_changes", workspace);

	store_arg_text(call, "");
	store_arg_text(call, conversation);
	ask(store, call, done, context);
}

void change_find(struct store *store, const char *workspace, const char *change, changes_fn *done,
		 void *context)
{
	struct store_call *call = store_script("thread_changes", workspace);

	store_arg_text(call, change);
	store_arg_text(call, "");
	ask(store, call, done, context);
}
