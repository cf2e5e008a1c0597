/* A provider tells one instance that there is something to fetch, and another
 * one fetches: they meet in a counter of the store. It is a hint; what matters
 * stays with the provider until it is fetched. */
#include "base/memory.h"
#include "host/host_private.h"
#include "services/loop.h"
#include "store/store.h"

enum { LOOK_MS = 1000 };

static void on_told(const struct store_reply *reply, const struct error *err, void *context)
{
	(void)reply;
	(void)err; /* poll() comes by on its own as well */
	(void)context;
}

void channel_wake(struct channel *channel)
{
	struct store_call *call;

	if (channel->polling) {
		loop_timer_start(channel->wake, 0);
		return;
	}
	if (channel->owner->options.store == NULL)
		return;
	call = store_script("cursor_tell", channel->workspace);
	store_key(call, "told:%s", channel->name);
	store_run(channel->owner->options.store, call, on_told, NULL);
}

static void on_looked(const struct store_reply *reply, const struct error *err, void *context)
{
	struct channel *channel = context;
	int64_t told = err == NULL ? reply_int(reply) : channel->told;

	if (told != channel->told && channel->polling)
		loop_timer_start(channel->wake, 0);
	channel->told = told;
	host_listen(channel);
	channel_drop(channel);
}

static void on_look(void *context)
{
	struct channel *channel = context;
	struct store_call *call = store_command("GET");

	channel_hold(channel);
	store_arg_key(call, channel->workspace, "told:%s", channel->name);
	store_read(channel->owner->options.store, call, on_looked, channel);
}

void host_listen(struct channel *channel)
{
	if (!channel->polling || channel->closed || channel->owner->options.store == NULL ||
	    (channel->connector->abilities & WAKES_POLL) == 0)
		return;
	if (channel->listen == NULL)
		channel->listen = loop_timer_new(channel->loop, on_look, channel);
	loop_timer_start(channel->listen, LOOK_MS);
}
