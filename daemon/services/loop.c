#include "services/loop.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/memory.h"

struct call {
	loop_fn *fn;
	void *context;
};

struct calls {
	struct call *items;
	size_t count;
	size_t room;
};

struct deferred_free {
	void *object;
	loop_free_fn *free_fn;
};

struct signal_watch {
	struct signal_watch *next;
	struct loop *loop;
	struct event event;
	struct call call;
};

/* Behind a pointer because loop_now_ms() reads the clock lazily for a const loop. */
struct turn_clock {
	int64_t start_us; /* 0 until somebody asked in this turn */
};

struct loop {
	struct event_base *base;
	struct turn_clock *clock;
	struct calls hooks;
	struct calls soon;    /* being filled */
	struct calls running; /* being run; swapped with soon */
	struct deferred_free *frees;
	size_t free_count;
	size_t free_room;
	struct signal_watch *signals;
	int64_t lag_us;
	bool stopped;
};

struct loop_timer {
	struct loop *loop;
	struct event event;
	struct call call;
};

static int64_t monotonic_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void calls_add(struct calls *calls, loop_fn *fn, void *context)
{
	if (calls->count == calls->room) {
		calls->room = calls->room == 0 ? 64 : calls->room * 2;
		calls->items = memory_grow(calls->items, calls->room, sizeof(*calls->items));
	}
	calls->items[calls->count++] = (struct call){ fn, context };
}

static void do_nothing(void *context)
{
	(void)context;
}

static void run_hooks(struct loop *loop)
{
	for (size_t i = 0; i < loop->hooks.count; i++)
		if (loop->hooks.items[i].fn != NULL)
			loop->hooks.items[i].fn(loop->hooks.items[i].context);
}

/* Calls queued while these run wait for the next turn, so that a chain of
 * them cannot keep input and output waiting. */
static void run_soon(struct loop *loop)
{
	struct calls batch = loop->soon;

	loop->soon = loop->running;
	loop->running = batch;
	for (size_t i = 0; i < batch.count; i++)
		batch.items[i].fn(batch.items[i].context);
	loop->running.count = 0;
}

static void run_frees(struct loop *loop)
{
	/* A free function may defer another free: the count grows under us. */
	for (size_t i = 0; i < loop->free_count; i++)
		loop->frees[i].free_fn(loop->frees[i].object);
	loop->free_count = 0;
}

static int64_t turn_started_us(const struct loop *loop)
{
	if (loop->clock->start_us == 0)
		loop->clock->start_us = monotonic_us();
	return loop->clock->start_us;
}

/* libevent does not tell when its wait ended, so a turn that waited counts from
 * the first who asked for the time: timers, signals and whoever else does. */
static void note_lag(struct loop *loop)
{
	int64_t took_us = monotonic_us() - turn_started_us(loop);

	if (took_us > loop->lag_us)
		loop->lag_us = took_us;
}

struct loop *loop_new(void)
{
	struct loop *loop = memory_new(sizeof(*loop));
	struct event_config *config = event_config_new();

	/* A peer that hung up is an error code of write(), not the end of the process. */
	signal(SIGPIPE, SIG_IGN);
	if (config == NULL)
		abort();
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	/* The coarse clock ticks every 4 ms: too long for readers that wait 1 ms. */
	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	loop->base = event_base_new_with_config(config);
	event_config_free(config);
	if (loop->base == NULL)
		abort();
	loop->clock = memory_new(sizeof(*loop->clock));
	return loop;
}

void loop_free(struct loop **loop)
{
	struct loop *gone = *loop;
	struct signal_watch *next;

	if (gone == NULL)
		return;
	run_frees(gone);
	for (struct signal_watch *watch = gone->signals; watch != NULL; watch = next) {
		next = watch->next;
		event_del(&watch->event);
		free(watch);
	}
	event_base_free(gone->base);
	free(gone->hooks.items);
	free(gone->soon.items);
	free(gone->running.items);
	free(gone->frees);
	free(gone->clock);
	free(gone);
	*loop = NULL;
}

struct event_base *loop_base(struct loop *loop)
{
	return loop->base;
}

void loop_turn(struct loop *loop, bool wait)
{
	int flags = EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY;

	loop->clock->start_us = 0;
	if (!wait || loop->soon.count > 0) {
		flags |= EVLOOP_NONBLOCK;
		turn_started_us(loop);
	}
	event_base_loop(loop->base, flags);
	turn_started_us(loop);
	run_hooks(loop);
	if (loop->soon.count > 0) {
		run_soon(loop);
		/* What these calls left with a hook must not wait for the next
		 * turn, which may block. */
		run_hooks(loop);
	}
	run_frees(loop);
	note_lag(loop);
}

void loop_run(struct loop *loop)
{
	while (!loop->stopped)
		loop_turn(loop, true);
	loop->stopped = false;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}

int64_t loop_now_ms(const struct loop *loop)
{
	return turn_started_us(loop) / 1000;
}

int64_t loop_unix_ms(const struct loop *loop)
{
	struct timespec now;

	(void)loop;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void loop_soon(struct loop *loop, loop_fn *fn, void *context)
{
	calls_add(&loop->soon, fn, context);
}

static void forget(struct calls *calls, loop_fn *fn, const void *context)
{
	for (size_t i = 0; i < calls->count; i++)
		if (calls->items[i].fn == fn && calls->items[i].context == context)
			calls->items[i].fn = do_nothing;
}

void loop_cancel_soon(struct loop *loop, loop_fn *fn, const void *context)
{
	forget(&loop->soon, fn, context);
	forget(&loop->running, fn, context);
}

void loop_defer_free(struct loop *loop, void *object, loop_free_fn *free_fn)
{
	if (loop->free_count == loop->free_room) {
		loop->free_room = loop->free_room == 0 ? 64 : loop->free_room * 2;
		loop->frees = memory_grow(loop->frees, loop->free_room, sizeof(*loop->frees));
	}
	loop->frees[loop->free_count++] = (struct deferred_free){ object, free_fn };
}

void loop_at_turn_end(struct loop *loop, loop_fn *fn, void *context)
{
	for (size_t i = 0; i < loop->hooks.count; i++) {
		if (loop->hooks.items[i].fn == NULL) {
			loop->hooks.items[i] = (struct call){ fn, context };
			return;
		}
	}
	calls_add(&loop->hooks, fn, context);
}

/* The place is kept empty: hooks may be running. */
void loop_not_at_turn_end(struct loop *loop, loop_fn *fn, void *context)
{
	for (size_t i = 0; i < loop->hooks.count; i++)
		if (loop->hooks.items[i].fn == fn && loop->hooks.items[i].context == context)
			loop->hooks.items[i].fn = NULL;
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct loop_timer *timer = context;

	(void)fd;
	(void)what;
	turn_started_us(timer->loop); /* not the wait before it: see note_lag() */
	timer->call.fn(timer->call.context);
}

struct loop_timer *loop_timer_new(struct loop *loop, loop_fn *fn, void *context)
{
	struct loop_timer *timer = memory_new(sizeof(*timer));

	timer->loop = loop;
	timer->call = (struct call){ fn, context };
	event_assign(&timer->event, loop->base, -1, 0, on_timer, timer);
	return timer;
}

void loop_timer_start(struct loop_timer *timer, int64_t delay_ms)
{
	int64_t delay = delay_ms < 0 ? 0 : delay_ms;
	struct timeval after = { .tv_sec = delay / 1000, .tv_usec = (delay % 1000) * 1000 };

	if (event_add(&timer->event, &after) != 0)
		abort();
}

void loop_timer_stop(struct loop_timer *timer)
{
	event_del(&timer->event);
}

bool loop_timer_is_armed(const struct loop_timer *timer)
{
	return event_pending(&timer->event, EV_TIMEOUT, NULL) != 0;
}

void loop_timer_free(struct loop_timer **timer)
{
	if (*timer == NULL)
		return;
	event_del(&(*timer)->event);
	free(*timer);
	*timer = NULL;
}

static void on_signal(evutil_socket_t signal, short what, void *context)
{
	struct signal_watch *watch = context;

	(void)signal;
	(void)what;
	turn_started_us(watch->loop);
	watch->call.fn(watch->call.context);
}

void loop_on_signal(struct loop *loop, int signal, loop_fn *fn, void *context)
{
	struct signal_watch *watch = memory_new(sizeof(*watch));

	watch->loop = loop;
	watch->call = (struct call){ fn, context };
	watch->next = loop->signals;
	loop->signals = watch;
	event_assign(&watch->event, loop->base, signal, EV_SIGNAL | EV_PERSIST, on_signal, watch);
	if (event_add(&watch->event, NULL) != 0)
		abort();
}

int64_t loop_take_lag_us(struct loop *loop)
{
	int64_t lag_us = loop->lag_us;

	loop->lag_us = 0;
	return lag_us;
}

const char *loop_version(void)
{
	return event_get_version();
}
