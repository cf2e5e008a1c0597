#include "store/log_keep.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "services/loop.h"
#include "store/store.h"

enum {
	ROUND_MS = 10 * 1000,
	KEEP_MS = 3600 * 1000,
};

struct log_keeper {
	struct loop *loop;
	struct store *store;
	struct log_keeper_options options;
	char *workspace;
	char **readers;
	struct loop_timer *timer;
	int64_t bytes;
	bool is_steward;
	bool is_full;
	bool is_closed;
	int calls; /* under way */
};

static void release(struct log_keeper *keeper)
{
	if (!keeper->is_closed || keeper->calls > 0)
		return;
	for (size_t i = 0; i < keeper->options.reader_count; i++)
		free(keeper->readers[i]);
	free(keeper->readers);
	free(keeper->workspace);
	free(keeper);
}

static void on_measured(const struct store_reply *reply, const struct error *err, void *context)
{
	struct log_keeper *keeper = context;
	bool is_full;

	keeper->calls--;
	if (err == NULL) {
		keeper->bytes = reply_int(reply);
		is_full =
			keeper->options.max_bytes > 0 && keeper->bytes >= keeper->options.max_bytes;
		if (is_full != keeper->is_full)
			log_warn("log", "event=%s workspace=%s bytes=%lld",
				 is_full ? "full" : "not_full", keeper->workspace,
				 (long long)keeper->bytes);
		keeper->is_full = is_full;
	}
	release(keeper);
}

static void on_trimmed(const struct store_reply *reply, const struct error *err, void *context)
{
	struct log_keeper *keeper = context;

	(void)err; /* the next round tries again */
	keeper->calls--;
	if (reply_int(reply_item(reply, 1)) > 0)
		log_debug("log", "event=trimmed workspace=%s entries=%lld left=%lld",
			  keeper->workspace, (long long)reply_int(reply_item(reply, 1)),
			  (long long)reply_int(reply_item(reply, 2)));
	release(keeper);
}

static void trim(struct log_keeper *keeper)
{
	struct store_call *call = store_script("log_trim", keeper->workspace);

	store_key(call, "log");
	for (size_t i = 0; i < keeper->options.reader_count; i++)
		store_key(call, "cur:%s", keeper->readers[i]);
	store_arg_int(call, keeper->options.keep_ms);
	keeper->calls++;
	store_run(keeper->store, call, on_trimmed, keeper);
}

static void measure(struct log_keeper *keeper)
{
	struct store_call *call = store_command("MEMORY");

	store_arg_text(call, "USAGE");
	store_arg_key(call, keeper->workspace, "log");
	keeper->calls++;
	store_read(keeper->store, call, on_measured, keeper);
}

static void on_round(void *context)
{
	struct log_keeper *keeper = context;

	loop_timer_start(keeper->timer, ROUND_MS);
	if (keeper->calls > 0 || !store_is_up(keeper->store))
		return;
	if (keeper->is_steward)
		trim(keeper);
	measure(keeper);
}

struct log_keeper *log_keeper_new(struct loop *loop, struct store *store,
				  const struct log_keeper_options *options)
{
	struct log_keeper *keeper = memory_new(sizeof(*keeper));

	keeper->loop = loop;
	keeper->store = store;
	keeper->options = *options;
	if (keeper->options.keep_ms <= 0)
		keeper->options.keep_ms = KEEP_MS;
	keeper->workspace = memory_text(options->workspace);
	keeper->readers = memory_new((options->reader_count + 1) * sizeof(keeper->readers[0]));
	for (size_t i = 0; i < options->reader_count; i++)
		keeper->readers[i] = memory_text(options->readers[i]);
	keeper->timer = loop_timer_new(loop, on_round, keeper);
	loop_timer_start(keeper->timer, ROUND_MS);
	return keeper;
}

void log_keeper_free(struct log_keeper **keeper)
{
	if (*keeper == NULL)
		return;
	loop_timer_free(&(*keeper)->timer);
	(*keeper)->is_closed = true;
	release(*keeper);
	*keeper = NULL;
}

void log_keeper_set_steward(struct log_keeper *keeper, bool is_steward)
{
	if (is_steward && !keeper->is_steward)
		loop_timer_start(keeper->timer, 0);
	keeper->is_steward = is_steward;
}

int64_t log_keeper_bytes(const struct log_keeper *keeper)
{
	return keeper->bytes;
}

bool log_keeper_is_full(const struct log_keeper *keeper)
{
	return keeper->is_full;
}
