#include <stdlib.h>

#include "base/memory.h"
#include "host/host_private.h"
#include "store/store.h"

struct cursor_op {
	struct host_op op;
	void (*on_value)(const char *value, const char *error, void *context);
	void (*on_stored)(const char *error, void *context);
	void *context;
};

static void cursor_done(struct cursor_op *cursor, const char *value, const char *error)
{
	if (cursor->on_value)
		cursor->on_value(value, error, cursor->context);
	else
		cursor->on_stored(error, cursor->context);
}

/* The store still owes its answer: it finds the call ended and frees it. */
static void cursor_end(struct host_op *op, const char *why)
{
	cursor_done((struct cursor_op *)op, NULL, why);
}

static void on_reply(const struct store_reply *reply, const struct error *err, void *context)
{
	struct cursor_op *cursor = context;

	if (host_op_finish(&cursor->op))
		cursor_done(cursor, err ? NULL : reply_text(reply, NULL), err ? err->text : NULL);
	free(cursor);
}

void host_cursor_get(struct channel *channel,
		     void (*done)(const char *value, const char *error, void *context),
		     void *context)
{
	struct cursor_op *cursor = memory_new(sizeof(*cursor));
	struct store_call *call = store_command("GET");

	cursor->on_value = done;
	cursor->context = context;
	host_op_start(&cursor->op, channel, cursor_end);
	store_arg_key(call, channel->workspace, "cur:channel:%s", channel->name);
	store_read(channel->owner->options.store, call, on_reply, cursor);
}

void host_cursor_put(struct channel *channel, const char *value,
		     void (*done)(const char *error, void *context), void *context)
{
	struct cursor_op *cursor = memory_new(sizeof(*cursor));
	struct store_call *call = store_script("cursor_put", channel->workspace);

	cursor->on_stored = done;
	cursor->context = context;
	host_op_start(&cursor->op, channel, cursor_end);
	store_key(call, "cur:channel:%s", channel->name);
	store_arg_text(call, value);
	store_arg_text(call, "0"); /* for ever */
	store_run(channel->owner->options.store, call, on_reply, cursor);
}
