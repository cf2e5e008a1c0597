#include "events/webhook_sender.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"
#include "events/webhook_post.h"
#include "services/loop.h"
#include "store/store.h"

enum {
	POSTS_MAX = 8, /* at a time, to one endpoint */
	RETRY_AFTER_MAX_MS = 24 * 3600 * 1000,
	STATUS_GONE = 410,
	DUE_FIELDS = 3,
};

/* What this instance knows of an endpoint; forgotten with the stewardship. */
struct endpoint {
	int posts; /* under way */
	int64_t failures;
	int64_t hold_until_ms; /* of the loop's clock */
	int64_t version;       /* of the configuration that this was learnt with */
	int64_t resumed_ms;    /* when somebody said that it works again, before that */
};

struct webhook_sender {
	struct parts *parts;
	char *workspace;
	struct webhook_counts *counts;
	const struct webhook_list *list; /* NULL: not known, nothing is sent */
	struct map *endpoints;
	struct map *flights; /* by endpoint and event */
	bool is_looking;
	bool looks_again;
	int refs; /* its owner, answers under way */
	bool is_dead;
};

struct flight {
	struct webhook_sender *sender;
	struct arena *arena;
	const char *key;
	const char *webhook;
	const char *event;
	int64_t attempts; /* before this one */
	int64_t disable_after_ms;
	int64_t version;
	bool is_delivered;
};

static void sender_unref(void *object)
{
	struct webhook_sender *sender = object;
	struct endpoint *endpoint;
	size_t at = 0;
	const char *id;

	if (--sender->refs > 0)
		return;
	while ((endpoint = map_next(sender->endpoints, &at, &id)) != NULL)
		free(endpoint);
	map_free(&sender->endpoints);
	map_free(&sender->flights);
	free(sender->workspace);
	free(sender);
}

static struct endpoint *endpoint_of(struct webhook_sender *sender, const char *id)
{
	struct endpoint *endpoint = map_get(sender->endpoints, id);

	if (endpoint == NULL) {
		endpoint = memory_new(sizeof(*endpoint));
		map_put(sender->endpoints, id, endpoint);
	}
	return endpoint;
}

static uint32_t random_number(void)
{
	uint32_t number;

	crypto_random(&number, sizeof(number));
	return number;
}

/* ---- the end of an attempt ---- */

static void flight_end(struct flight *flight)
{
	struct webhook_sender *sender = flight->sender;
	struct arena *arena = flight->arena;

	map_remove(sender->flights, flight->key);
	endpoint_of(sender, flight->webhook)->posts--;
	arena_free(&arena);
	if (!sender->is_dead)
		webhook_sender_look(sender);
	sender_unref(sender);
}

static void ending_count(const struct flight *flight, const struct store_reply *reply)
{
	struct webhook_counts *counts = flight->sender->counts;
	const char *off = reply_text(reply_item(reply, 2), NULL);

	counts->delivered += flight->is_delivered;
	counts->failed += !flight->is_delivered;
	counts->dead += text_equal(reply_text(reply_item(reply, 1), NULL), "dead");
	if (off != NULL && *off != '\0' && !flight->is_delivered)
		log_warn("webhooks", "event=endpoint_off workspace=%s endpoint=%s reason=%s",
			 flight->sender->workspace, flight->webhook, off);
}

static void on_ended(const struct store_reply *reply, const struct error *err, void *context)
{
	struct flight *flight = context;

	if (err == NULL && reply_is(reply, "ok") && !flight->sender->is_dead)
		ending_count(flight, reply);
	flight_end(flight);
}

static const char *outcome_of(const struct webhook_posted *posted, int64_t delay_ms)
{
	if (posted->error == NULL)
		return "done";
	if (posted->status == STATUS_GONE)
		return "gone";
	return delay_ms < 0 ? "dead" : "retry";
}

static int64_t delay_of(const struct flight *flight, const struct webhook_posted *posted)
{
	int64_t delay = webhook_retry_ms(flight->attempts + 1, random_number());
	int64_t wanted = posted->retry_after_ms < RETRY_AFTER_MAX_MS ? posted->retry_after_ms
								     : RETRY_AFTER_MAX_MS;

	return delay < 0 || delay > wanted ? delay : wanted;
}

static void ending_write(struct flight *flight, const struct webhook_posted *posted)
{
	struct webhook_sender *sender = flight->sender;
	int64_t delay_ms = delay_of(flight, posted);
	struct store_call *call = store_script("webhook_end", sender->workspace);

	store_arg_text(call, flight->webhook);
	store_arg_text(call, flight->event);
	store_arg_int(call, flight->attempts);
	store_arg_text(call, outcome_of(posted, delay_ms));
	store_arg_int(call, posted->status);
	store_arg_text(call, posted->error);
	store_arg_int(call, delay_ms < 0 ? 0 : delay_ms);
	store_arg_int(call, flight->disable_after_ms);
	store_arg_int(call, flight->version);
	store_run(sender->parts->store, call, on_ended, flight);
}

static void endpoint_note(struct webhook_sender *sender, const char *id,
			  const struct webhook_posted *posted)
{
	struct endpoint *endpoint = endpoint_of(sender, id);
	int64_t hold_ms;

	if (posted->error == NULL) {
		endpoint->failures = 0;
		endpoint->hold_until_ms = 0;
		return;
	}
	hold_ms = webhook_hold_ms(++endpoint->failures);
	if (hold_ms < posted->retry_after_ms)
		hold_ms = posted->retry_after_ms < RETRY_AFTER_MAX_MS ? posted->retry_after_ms
								      : RETRY_AFTER_MAX_MS;
	endpoint->hold_until_ms = loop_now_ms(sender->parts->loop) + hold_ms;
}

/* Without a stewardship only what was taken is written down: what was cut off is made again. */
static void on_posted(const struct webhook_posted *posted, void *context)
{
	struct flight *flight = context;
	struct webhook_sender *sender = flight->sender;

	flight->is_delivered = posted->error == NULL;
	endpoint_note(sender, flight->webhook, posted);
	if (sender->parts->store == NULL || (sender->is_dead && !flight->is_delivered))
		flight_end(flight);
	else
		ending_write(flight, posted);
}

/* ---- what is due ---- */

static void post_start(struct webhook_sender *sender, const struct webhook *webhook,
		       const struct store_reply *due, size_t at)
{
	const char *event = reply_text(reply_item(due, at), NULL);
	struct arena *arena = arena_new(0);
	struct flight *flight = arena_alloc(arena, sizeof(*flight));

	flight->sender = sender;
	flight->arena = arena;
	flight->webhook = arena_text(arena, webhook->id);
	flight->event = arena_text(arena, event);
	flight->key = arena_format(arena, "%s %s", webhook->id, event);
	flight->attempts = reply_int(reply_item(due, at + 1));
	flight->disable_after_ms = webhook->disable_after_ms;
	flight->version = webhook->version;
	map_put(sender->flights, flight->key, flight);
	endpoint_of(sender, webhook->id)->posts++;
	sender->refs++;
	webhook_post(&(struct webhook_post){ .parts = sender->parts,
					     .webhook = webhook,
					     .event = event,
					     .json = reply_text(reply_item(due, at + 2), NULL),
					     .done = on_posted,
					     .context = flight });
}

static bool is_under_way(const struct webhook_sender *sender, const char *webhook,
			 const char *event)
{
	char key[256];

	snprintf(key, sizeof(key), "%s %s", webhook, event);
	return map_get(sender->flights, key) != NULL;
}

/* Switched off by what it answered, for this version of its configuration. */
static bool is_off(const struct webhook *webhook, const struct store_reply *state)
{
	return reply_field_text(state, "off") != NULL &&
	       reply_field_int(state, "ov") == webhook->version;
}

/* What was learnt is forgotten once the configuration is another one, or somebody says that it
 * works again. */
static struct endpoint *endpoint_renewed(struct webhook_sender *sender,
					 const struct webhook *webhook,
					 const struct store_reply *state)
{
	struct endpoint *endpoint = endpoint_of(sender, webhook->id);
	int64_t resumed_ms = reply_field_int(state, "rs");

	if (endpoint->version != webhook->version || endpoint->resumed_ms != resumed_ms)
		*endpoint = (struct endpoint){ .posts = endpoint->posts,
					       .version = webhook->version,
					       .resumed_ms = resumed_ms };
	return endpoint;
}

static void on_woken(const struct store_reply *reply, const struct error *err, void *context)
{
	struct webhook_sender *sender = context;

	(void)reply;
	if (err == NULL && !sender->is_dead)
		webhook_sender_look(sender);
	sender_unref(sender);
}

static void endpoint_wake(struct webhook_sender *sender, const char *id)
{
	struct store_call *call = store_script("webhook_wake", sender->workspace);

	store_arg_text(call, id);
	sender->refs++;
	store_run(sender->parts->store, call, on_woken, sender);
}

static void row_take(struct webhook_sender *sender, const struct store_reply *row)
{
	const struct webhook *webhook =
		webhook_named(sender->list, reply_text(reply_item(row, 0), NULL));
	const struct store_reply *due = reply_item(row, 5);
	struct endpoint *endpoint;
	int room;

	if (webhook == NULL)
		return;
	sender->counts->waiting += reply_int(reply_item(row, 2));
	if (reply_field(reply_item(row, 1), "wk") != NULL)
		endpoint_wake(sender, webhook->id);
	endpoint = endpoint_renewed(sender, webhook, reply_item(row, 1));
	if (!webhook->is_enabled || is_off(webhook, reply_item(row, 1)) ||
	    endpoint->hold_until_ms > loop_now_ms(sender->parts->loop))
		return;
	room = endpoint->failures > 0 ? 1 : POSTS_MAX;
	for (size_t i = 0; i + DUE_FIELDS <= reply_count(due); i += DUE_FIELDS)
		if (endpoint->posts < room &&
		    !is_under_way(sender, webhook->id, reply_text(reply_item(due, i), NULL)))
			post_start(sender, webhook, due, i);
}

static void on_due(const struct store_reply *reply, const struct error *err, void *context)
{
	struct webhook_sender *sender = context;

	sender->is_looking = false;
	if (!sender->is_dead && err == NULL) {
		sender->counts->waiting = 0;
		for (size_t i = 0; i < reply_count(reply); i++)
			row_take(sender, reply_item(reply, i));
		if (sender->looks_again)
			webhook_sender_look(sender);
	}
	sender_unref(sender);
}

void webhook_sender_look(struct webhook_sender *sender)
{
	struct store_call *call;

	sender->looks_again = sender->is_looking;
	if (sender->is_looking || sender->list == NULL || sender->list->count == 0)
		return;
	call = store_script("webhook_due", sender->workspace);
	store_arg_int(call, 2 * POSTS_MAX); /* those under way stand among them */
	for (size_t i = 0; i < sender->list->count; i++)
		store_arg_text(call, sender->list->rows[i].id);
	sender->is_looking = true;
	sender->refs++;
	/* In one line with the ends of attempts: what an answer shows as waiting is either under
	 * way here or was not sent. */
	store_run(sender->parts->store, call, on_due, sender);
}

void webhook_sender_set_list(struct webhook_sender *sender, const struct webhook_list *list)
{
	sender->list = list;
	if (list->count == 0)
		sender->counts->waiting = 0;
	webhook_sender_look(sender);
}

struct webhook_sender *webhook_sender_new(struct parts *parts, const char *workspace,
					  struct webhook_counts *counts)
{
	struct webhook_sender *sender = memory_new(sizeof(*sender));

	sender->parts = parts;
	sender->workspace = memory_text(workspace);
	sender->counts = counts;
	sender->endpoints = map_new();
	sender->flights = map_new();
	sender->refs = 1;
	return sender;
}

void webhook_sender_free(struct webhook_sender **sender)
{
	struct webhook_sender *held = *sender;

	*sender = NULL;
	if (held == NULL)
		return;
	held->is_dead = true;
	held->list = NULL;
	held->counts->waiting = 0;
	loop_defer_free(held->parts->loop, held, sender_unref);
}
