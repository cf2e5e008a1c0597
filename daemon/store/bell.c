#include "store/bell.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/memory.h"
#include "services/loop.h"
#include "store/address.h"
#include "store/call.h"
#include "store/redis.h"
#include "store/reply.h"

enum {
	RETRY_MS = 500,
	CONNECT_MS = 5000,
	PING_MS = 5000,
};

struct bell_ear {
	LIST_ENTRY(bell_ear) link;
	struct bell *bell;
	char *channel;            /* {ws}:bell */
	bell_fn *fn;              /* NULL: hears whispers only */
	bell_whisper_fn *whisper; /* NULL: hears rings only */
	void *context;
	bool is_up;
};

struct bell {
	struct loop *loop;
	const struct address *address;
	struct link *link;
	bool is_open;
	bool ping_is_out;
	struct loop_timer *timer; /* connect again, give up connecting, or ping */
	LIST_HEAD(, bell_ear) ears;
};

static void send_call(struct bell *bell, struct store_call *call)
{
	call_seal(call);
	link_send(bell->link, call->bytes + call->start, call->len - call->start);
	call_free(call);
}

static void send_verb(struct bell *bell, const char *verb, const char *argument)
{
	struct store_call *call = store_command(verb);

	if (argument != NULL)
		store_arg_text(call, argument);
	send_call(bell, call);
}

static void bell_drop(struct bell *bell, const char *why)
{
	struct bell_ear *ear;
	struct bell_ear *next;

	log_info("store", "event=down lane=bell why=%s", log_quote(why));
	link_close(&bell->link);
	bell->is_open = false;
	loop_timer_start(bell->timer, RETRY_MS);
	for (ear = LIST_FIRST(&bell->ears); ear != NULL; ear = next) {
		next = LIST_NEXT(ear, link);
		if (!ear->is_up)
			continue;
		ear->is_up = false;
		if (ear->fn != NULL)
			ear->fn(BELL_DOWN, ear->context);
	}
}

static void on_open(void *context)
{
	struct bell *bell = context;
	const struct address *address = bell->address;
	struct bell_ear *ear;

	bell->is_open = true;
	bell->ping_is_out = false;
	if (address->password != NULL) {
		struct store_call *call = store_command("AUTH");

		if (address->user != NULL)
			store_arg_text(call, address->user);
		store_arg_text(call, address->password);
		send_call(bell, call);
	}
	LIST_FOREACH (ear, &bell->ears, link)
		send_verb(bell, "SUBSCRIBE", ear->channel);
	loop_timer_start(bell->timer, PING_MS);
	link_flush(bell->link);
}

static void sound(struct bell *bell, const char *channel, enum bell_sound what)
{
	struct bell_ear *ear;
	struct bell_ear *next;

	for (ear = LIST_FIRST(&bell->ears); ear != NULL; ear = next) {
		next = LIST_NEXT(ear, link);
		if (strcmp(ear->channel, channel) != 0)
			continue;
		if (what == BELL_UP && ear->is_up)
			continue;
		ear->is_up = true;
		if (ear->fn != NULL)
			ear->fn(what, ear->context);
	}
}

static void whisper(struct bell *bell, const char *channel, const char *text)
{
	struct bell_ear *ear;
	struct bell_ear *next;

	for (ear = LIST_FIRST(&bell->ears); ear != NULL; ear = next) {
		next = LIST_NEXT(ear, link);
		if (ear->whisper != NULL && strcmp(ear->channel, channel) == 0)
			ear->whisper(text, ear->context);
	}
}

static void on_reply(const struct store_reply *reply, void *context)
{
	struct bell *bell = context;
	const char *channel = reply_text(reply_item(reply, 1), NULL);
	const char *text = reply_text(reply_item(reply, 2), NULL);

	bell->ping_is_out = false;
	if (reply->is_error)
		bell_drop(bell, reply_text(reply, NULL));
	else if (reply_is(reply, "message") && text != NULL && *text != '\0')
		whisper(bell, channel, text);
	else if (reply_is(reply, "message"))
		sound(bell, channel, BELL_RANG);
	else if (reply_is(reply, "subscribe"))
		sound(bell, channel, BELL_UP);
}

static void on_down(const char *why, void *context)
{
	bell_drop(context, why);
}

static const struct link_handlers bell_handlers = { on_open, on_reply, on_down };

static void bell_connect(struct bell *bell)
{
	struct error err;

	bell->link = link_open(bell->loop, bell->address, &bell_handlers, bell, &err);
	loop_timer_start(bell->timer, bell->link == NULL ? RETRY_MS : CONNECT_MS);
}

/* A subscription is silent by nature, so a dead peer shows only by its missing pong. */
static void on_timer(void *context)
{
	struct bell *bell = context;

	if (LIST_EMPTY(&bell->ears))
		return;
	if (bell->link == NULL) {
		bell_connect(bell);
	} else if (!bell->is_open || bell->ping_is_out) {
		bell_drop(bell, "no answer in time");
	} else {
		bell->ping_is_out = true;
		send_verb(bell, "PING", NULL);
		loop_timer_start(bell->timer, PING_MS);
		link_flush(bell->link);
	}
}

static struct bell_ear *ear_new(struct bell *bell, const char *workspace, void *context)
{
	struct bell_ear *ear = memory_new(sizeof(*ear));
	size_t size = strlen(workspace) + sizeof("{}:bell");

	ear->bell = bell;
	ear->context = context;
	ear->channel = memory_new(size);
	snprintf(ear->channel, size, "{%s}:bell", workspace);
	LIST_INSERT_HEAD(&bell->ears, ear, link);
	if (bell->is_open) {
		send_verb(bell, "SUBSCRIBE", ear->channel);
		link_flush(bell->link);
	} else if (bell->link == NULL && !loop_timer_is_armed(bell->timer)) {
		loop_timer_start(bell->timer, 0);
	}
	return ear;
}

struct bell_ear *bell_listen(struct bell *bell, const char *workspace, bell_fn *fn, void *context)
{
	struct bell_ear *ear = ear_new(bell, workspace, context);

	ear->fn = fn;
	return ear;
}

struct bell_ear *bell_hear(struct bell *bell, const char *workspace, bell_whisper_fn *fn,
			   void *context)
{
	struct bell_ear *ear = ear_new(bell, workspace, context);

	ear->whisper = fn;
	return ear;
}

void bell_ear_free(struct bell_ear **pointer)
{
	struct bell_ear *ear = *pointer;
	struct bell_ear *other;
	bool is_shared = false;

	if (ear == NULL)
		return;
	*pointer = NULL;
	LIST_REMOVE(ear, link);
	LIST_FOREACH (other, &ear->bell->ears, link)
		is_shared = is_shared || strcmp(other->channel, ear->channel) == 0;
	if (!is_shared && ear->bell->is_open)
		send_verb(ear->bell, "UNSUBSCRIBE", ear->channel);
	free(ear->channel);
	free(ear);
}

struct bell *bell_new(struct loop *loop, const struct address *address)
{
	struct bell *bell = memory_new(sizeof(*bell));

	bell->loop = loop;
	bell->address = address;
	bell->timer = loop_timer_new(loop, on_timer, bell);
	return bell;
}

/* Ears may be freed later in this turn: what they hold on to stays as long. */
void bell_free(struct bell **pointer)
{
	struct bell *bell = *pointer;

	if (bell == NULL)
		return;
	*pointer = NULL;
	link_close(&bell->link);
	bell->is_open = false;
	loop_timer_free(&bell->timer);
	loop_defer_free(bell->loop, bell, free);
}
