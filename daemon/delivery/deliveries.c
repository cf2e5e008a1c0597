#include "delivery/deliveries.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"
#include "delivery/delivery.h"
#include "services/loop.h"
#include "store/log.h"
#include "store/store.h"
#include "workspace.h"

enum { TICK_MS = 1000, IN_FLIGHT_MAX = 256 };

struct deliveries {
	struct parts *parts;
	struct workspace *workspace;
	char *fence;
	struct loop_timer *tick;
	struct map *sending; /* conversations with an attempt of ours under way */
	int refs;
	bool is_dead;
	bool is_reading;
	bool read_again;
	bool is_fresh; /* nothing read yet: what another steward left `sending` is looked at */
};

static void deliveries_unref(void *object)
{
	struct deliveries *deliveries = object;

	if (--deliveries->refs > 0)
		return;
	map_free(&deliveries->sending);
	free(deliveries->fence);
	free(deliveries);
}

static void look(struct deliveries *deliveries);

static void on_attempt_end(const char *conversation, bool look_again, void *context)
{
	struct deliveries *deliveries = context;

	map_remove(deliveries->sending, conversation);
	if (!deliveries->is_dead && look_again)
		look(deliveries);
	deliveries_unref(deliveries);
}

static void attempt(struct deliveries *deliveries, const char *conversation)
{
	struct delivery_start start = {
		.parts = deliveries->parts,
		.workspace = workspace_name(deliveries->workspace),
		.fence = deliveries->fence,
		.conversation = conversation,
		.done = on_attempt_end,
		.context = deliveries,
	};

	if (deliveries->parts->draining)
		return;
	map_put(deliveries->sending, conversation, deliveries);
	deliveries->refs++;
	delivery_start(&start);
}

static void on_due(const struct outbox_due *due, size_t count, const struct error *err,
		   void *context)
{
	struct deliveries *deliveries = context;
	int64_t now = loop_unix_ms(deliveries->parts->loop);

	deliveries->is_reading = false;
	for (size_t i = 0; err == NULL && i < count && !deliveries->is_dead; i++)
		if ((due[i].due_ms <= now || deliveries->is_fresh) &&
		    map_get(deliveries->sending, due[i].conversation) == NULL &&
		    map_count(deliveries->sending) < IN_FLIGHT_MAX)
			attempt(deliveries, due[i].conversation);
	deliveries->is_fresh &= err != NULL;
	if (deliveries->read_again && !deliveries->is_dead)
		look(deliveries);
	deliveries_unref(deliveries);
}

static void look(struct deliveries *deliveries)
{
	deliveries->read_again = deliveries->is_reading;
	if (deliveries->is_reading || !store_is_up(deliveries->parts->store))
		return;
	deliveries->is_reading = true;
	deliveries->refs++;
	outbox_read_due(deliveries->parts->store, workspace_name(deliveries->workspace), on_due,
			deliveries);
}

static void on_tick(void *context)
{
	struct deliveries *deliveries = context;

	loop_timer_start(deliveries->tick, TICK_MS);
	look(deliveries);
}

void deliveries_entry(struct deliveries *deliveries, const struct log_entry *entry)
{
	/* A new outbound message, or one that a person sends again. */
	if ((text_equal(entry->type, "message.created") && entry->extra != NULL &&
	     strstr(entry->extra, "\"d\":\"out\"") != NULL) ||
	    (text_equal(entry->type, "message.delivery") && text_equal(entry->to, "queued")))
		look(deliveries);
}

void deliveries_resync(struct deliveries *deliveries)
{
	look(deliveries);
}

struct deliveries *deliveries_new(struct parts *parts, struct workspace *workspace,
				  const char *fence)
{
	struct deliveries *deliveries = memory_new(sizeof(*deliveries));

	deliveries->parts = parts;
	deliveries->workspace = workspace;
	deliveries->fence = memory_text(fence);
	deliveries->sending = map_new();
	deliveries->refs = 1;
	deliveries->is_fresh = true;
	deliveries->tick = loop_timer_new(parts->loop, on_tick, deliveries);
	loop_timer_start(deliveries->tick, TICK_MS);
	look(deliveries);
	return deliveries;
}

void deliveries_free(struct deliveries **deliveries)
{
	struct deliveries *held = *deliveries;

	*deliveries = NULL;
	if (held == NULL)
		return;
	held->is_dead = true;
	loop_timer_free(&held->tick);
	loop_defer_free(held->parts->loop, held, deliveries_unref);
}
