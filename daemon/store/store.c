#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/memory.h"
#include "services/loop.h"
#include "store/address.h"
#include "store/bell.h"
#include "store/lane.h"
#include "store/store_internal.h"

enum {
	DEADLINE_MS = 5000,
	IN_FLIGHT_MAX = 1024,
	QUEUE_MAX = 20000,
	INFO_MS = 1000,
};

struct listener {
	store_up_fn *fn;
	void *context;
};

struct store {
	struct loop *loop;
	struct arena *arena;
	struct store_options options;
	struct address address;
	struct lane *write;
	struct lane *read;
	struct bell *bell;
	struct log_hub *log_hub;
	struct store_stats stats;
	struct loop_timer *info_timer;
	bool info_is_out;
	bool is_up;
	bool is_closed;
	double fullness;
	struct listener *listeners; /* a removed one has a NULL fn */
	size_t listener_count;
};

static void on_info(const struct store_reply *reply, const struct error *err, void *context)
{
	struct store *store = context;
	const char *info = err == NULL ? reply_text(reply, NULL) : NULL;
	int64_t max;

	store->info_is_out = false;
	if (info == NULL)
		return;
	max = info_number(info, "maxmemory", 0);
	store->fullness = max > 0 ? (double)info_number(info, "used_memory", 0) / (double)max : 0.0;
	lane_set_replicas(store->write, (int)info_number(info, "connected_slaves", 0));
	lane_learn_lineage(store->read, info);
}

static void ask_info(struct store *store)
{
	struct store_call *call;

	if (store->info_is_out || !lane_is_up(store->read))
		return;
	store->info_is_out = true;
	call = store_command("INFO");
	store_arg_text(call, "memory");
	store_arg_text(call, "replication");
	lane_run(store->read, call, on_info, store);
}

static void on_info_due(void *context)
{
	struct store *store = context;

	ask_info(store);
	loop_timer_start(store->info_timer, INFO_MS);
}

static void on_lane_change(bool up, void *context)
{
	struct store *store = context;
	bool is_up;

	/* The last flush of a lane may find the connection broken. */
	if (store->is_closed)
		return;
	is_up = lane_is_up(store->write) && lane_is_up(store->read);
	if (up)
		ask_info(store);
	if (is_up == store->is_up)
		return;
	store->is_up = is_up;
	for (size_t i = 0; i < store->listener_count; i++)
		if (store->listeners[i].fn != NULL)
			store->listeners[i].fn(is_up, store->listeners[i].context);
}

static struct lane *lane_of(struct store *store, const char *name, int64_t *calls)
{
	struct lane_options options = {
		.loop = store->loop,
		.address = &store->address,
		.name = name,
		.deadline_ms = store->options.deadline_ms,
		.in_flight_max = store->options.in_flight_max,
		.queue_max = store->options.queue_max,
		.stats = &store->stats,
		.calls = calls,
		.on_change = on_lane_change,
		.context = store,
	};

	options.ack_replicas = calls == &store->stats.scripts && store->options.ack != NULL &&
			       strcmp(store->options.ack, "replicas") == 0;
	return lane_new(&options);
}

static void set_defaults(struct store_options *options)
{
	if (options->deadline_ms <= 0)
		options->deadline_ms = DEADLINE_MS;
	if (options->in_flight_max <= 0)
		options->in_flight_max = IN_FLIGHT_MAX;
	if (options->queue_max <= 0)
		options->queue_max = QUEUE_MAX;
}

struct store *store_new(struct loop *loop, const struct store_options *options, struct error *err)
{
	struct arena *arena = arena_new(0);
	struct address address;
	struct store *store;

	if (address_parse(options->url, arena, &address, err) < 0) {
		arena_free(&arena);
		return NULL;
	}
	store = memory_new(sizeof(*store));
	store->loop = loop;
	store->arena = arena;
	store->address = address;
	store->options = *options;
	store->options.url = arena_text(arena, options->url);
	store->options.ack = arena_text(arena, options->ack);
	set_defaults(&store->options);
	store->write = lane_of(store, "write", &store->stats.scripts);
	store->read = lane_of(store, "read", &store->stats.reads);
	store->bell = bell_new(loop, &store->address);
	store->info_timer = loop_timer_new(loop, on_info_due, store);
	loop_timer_start(store->info_timer, INFO_MS);
	return store;
}

static void store_release(void *object)
{
	struct store *store = object;

	free(store->listeners);
	arena_free(&store->arena);
	free(store);
}

void store_free(struct store **pointer)
{
	struct store *store = *pointer;

	if (store == NULL)
		return;
	*pointer = NULL;
	store->is_closed = true;
	loop_timer_free(&store->info_timer);
	lane_free(&store->write);
	lane_free(&store->read);
	bell_free(&store->bell);
	loop_defer_free(store->loop, store, store_release);
}

void store_run(struct store *store, struct store_call *take_call, store_done_fn *done,
	       void *context)
{
	lane_run(store->write, take_call, done, context);
}

void store_read(struct store *store, struct store_call *take_call, store_done_fn *done,
		void *context)
{
	lane_run(store->read, take_call, done, context);
}

bool store_is_up(const struct store *store)
{
	return store->is_up;
}

void store_on_change(struct store *store, store_up_fn *fn, void *context)
{
	store->listeners = memory_grow(store->listeners, store->listener_count + 1,
				       sizeof(store->listeners[0]));
	store->listeners[store->listener_count++] = (struct listener){ fn, context };
}

void store_off_change(struct store *store, store_up_fn *fn, void *context)
{
	for (size_t i = 0; i < store->listener_count; i++)
		if (store->listeners[i].fn == fn && store->listeners[i].context == context)
			store->listeners[i].fn = NULL;
}

double store_fullness(const struct store *store)
{
	return store->fullness;
}

struct store_stats store_stats(const struct store *store)
{
	struct store_stats stats = store->stats;

	stats.waiting = lane_waiting(store->write) + lane_waiting(store->read);
	return stats;
}

struct loop *store_loop(const struct store *store)
{
	return store->loop;
}

const struct store_options *store_options_of(const struct store *store)
{
	return &store->options;
}

struct bell *store_bell(const struct store *store)
{
	return store->bell;
}

struct log_hub **store_log_hub(struct store *store)
{
	return &store->log_hub;
}

int store_connection(const struct store *store)
{
	return lane_connection(store->read);
}

int store_promotions(const struct store *store)
{
	return lane_promotions(store->read);
}

const char *store_why_down(const struct store *store)
{
	return lane_is_up(store->write) ? "" : lane_why_down(store->write);
}

struct bell_ear *store_hear(struct store *store, const char *workspace, store_whisper_fn *fn,
			    void *context)
{
	return bell_hear(store->bell, workspace, fn, context);
}

void store_hear_end(struct bell_ear **ear)
{
	bell_ear_free(ear);
}

static void on_whispered(const struct store_reply *reply, const struct error *err, void *context)
{
	(void)reply;
	(void)err;
	(void)context;
}

void store_whisper(struct store *store, const char *workspace, const char *text)
{
	struct store_call *call = store_script("whisper", workspace);

	store_arg_text(call, text);
	store_run(store, call, on_whispered, NULL);
}
