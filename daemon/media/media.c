#include "media/media.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/memory.h"
#include "media/job.h"
#include "services/loop.h"
#include "store/store.h"
#include "workspace.h"

enum { TICK_MS = 1000, AT_ONCE = 4 };

struct media {
	struct parts *parts;
	struct workspace *workspace;
	char *fence;
	struct loop_timer *tick;
	struct map *running; /* members of md */
	int refs;
	bool is_dead;
	bool is_reading;
};

static void media_unref(void *object)
{
	struct media *media = object;

	if (--media->refs > 0)
		return;
	map_free(&media->running);
	free(media->fence);
	free(media);
}

static void on_job_end(const char *member, void *context)
{
	struct media *media = context;

	map_remove(media->running, member);
	media_unref(media);
}

static void job_start(struct media *media, const char *member)
{
	const struct media_start start = {
		.parts = media->parts,
		.workspace = workspace_name(media->workspace),
		.fence = media->fence,
		.member = member,
		.done = on_job_end,
		.context = media,
	};

	map_put(media->running, member, media);
	media->refs++;
	media_job_start(&start);
}

static void on_due(const struct store_reply *reply, const struct error *err, void *context)
{
	struct media *media = context;

	media->is_reading = false;
	for (size_t i = 0; err == NULL && !media->is_dead && i < reply_count(reply); i++) {
		const char *member = reply_text(reply_item(reply, i), NULL);

		if (map_get(media->running, member) == NULL && map_count(media->running) < AT_ONCE)
			job_start(media, member);
	}
	media_unref(media);
}

static void on_tick(void *context)
{
	struct media *media = context;
	struct store_call *call;

	loop_timer_start(media->tick, TICK_MS);
	if (media->is_reading || map_count(media->running) == AT_ONCE ||
	    !store_is_up(media->parts->store))
		return;
	media->is_reading = true;
	media->refs++;
	call = store_command("ZRANGEBYSCORE");
	store_arg_key(call, workspace_name(media->workspace), "md");
	store_arg_text(call, "-inf");
	store_arg_int(call, loop_unix_ms(media->parts->loop));
	store_arg_text(call, "LIMIT");
	store_arg_int(call, 0);
	store_arg_int(call, 2 * AT_ONCE); /* some may be running */
	store_read(media->parts->store, call, on_due, media);
}

struct media *media_new(struct parts *parts, struct workspace *workspace, const char *fence)
{
	struct media *media = memory_new(sizeof(*media));

	media->parts = parts;
	media->workspace = workspace;
	media->fence = memory_text(fence);
	media->running = map_new();
	media->refs = 1;
	media->tick = loop_timer_new(parts->loop, on_tick, media);
	loop_timer_start(media->tick, 0);
	return media;
}

void media_free(struct media **media)
{
	struct media *held = *media;

	*media = NULL;
	if (held == NULL)
		return;
	held->is_dead = true;
	loop_timer_free(&held->tick);
	loop_defer_free(held->parts->loop, held, media_unref);
}
