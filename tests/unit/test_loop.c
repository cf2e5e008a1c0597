#include <criterion/criterion.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "services/loop.h"

struct probe {
	struct loop *loop;
	char trace[64];
	int count;
	int limit;
};

static void trace(struct probe *probe, char what)
{
	size_t len = strlen(probe->trace);

	if (len + 1 < sizeof(probe->trace))
		probe->trace[len] = what;
}

static void on_hook(void *context)
{
	trace(context, 'h');
}

static void on_call(void *context)
{
	trace(context, 'c');
}

static void free_probe(void *object)
{
	trace(object, 'f');
}

static void on_event(evutil_socket_t fd, short what, void *context)
{
	struct probe *probe = context;

	(void)what;
	if (fd >= 0) {
		char byte;

		cr_assert_eq(read(fd, &byte, 1), 1);
	}
	trace(probe, 'e');
	loop_defer_free(probe->loop, probe, free_probe);
	loop_soon(probe->loop, on_call, probe);
}

Test(loop, a_turn_runs_events_then_hooks_then_calls_then_frees)
{
	struct probe probe = { .loop = loop_new() };
	int fds[2];
	struct event *event;

	cr_assert_eq(pipe(fds), 0);
	event = event_new(loop_base(probe.loop), fds[0], EV_READ | EV_PERSIST, on_event, &probe);
	event_add(event, NULL);
	loop_at_turn_end(probe.loop, on_hook, &probe);
	cr_assert_eq(write(fds[1], "x", 1), 1);
	loop_turn(probe.loop, true);
	cr_assert_str_eq(probe.trace, "ehchf");
	event_free(event);
	close(fds[0]);
	close(fds[1]);
	loop_free(&probe.loop);
	cr_assert_null(probe.loop);
}

static void on_again(void *context)
{
	struct probe *probe = context;

	trace(probe, 'a');
	loop_soon(probe->loop, on_again, probe);
}

Test(loop, calls_that_queue_themselves_do_not_starve_input)
{
	struct probe probe = { .loop = loop_new() };
	int fds[2];
	struct event *event;

	cr_assert_eq(pipe(fds), 0);
	event = event_new(loop_base(probe.loop), fds[0], EV_READ | EV_PERSIST, on_event, &probe);
	event_add(event, NULL);
	loop_soon(probe.loop, on_again, &probe);
	loop_turn(probe.loop, true); /* must not block although nothing is readable */
	cr_assert_eq(write(fds[1], "x", 1), 1);
	loop_turn(probe.loop, true);
	cr_assert_str_eq(probe.trace, "aeacf");
	event_free(event);
	close(fds[0]);
	close(fds[1]);
	loop_free(&probe.loop);
}

static void on_hook_that_queues(void *context)
{
	struct probe *probe = context;

	trace(probe, 'h');
	if (probe->count++ < probe->limit)
		loop_soon(probe->loop, on_call, probe);
}

Test(loop, a_hook_may_queue_work_and_the_next_turn_does_not_block)
{
	struct probe probe = { .loop = loop_new(), .limit = 2 };

	loop_at_turn_end(probe.loop, on_hook_that_queues, &probe);
	loop_turn(probe.loop, false);
	cr_assert_str_eq(probe.trace, "hch");
	loop_turn(probe.loop, true);
	cr_assert_str_eq(probe.trace, "hchhch");
	loop_free(&probe.loop);
}

static void free_twice(void *object)
{
	struct probe *probe = object;

	trace(probe, 'f');
	if (probe->count++ == 0)
		loop_defer_free(probe->loop, probe, free_twice);
}

Test(loop, a_deferred_free_may_defer_another)
{
	struct probe probe = { .loop = loop_new() };

	loop_defer_free(probe.loop, &probe, free_twice);
	loop_turn(probe.loop, false);
	cr_assert_str_eq(probe.trace, "ff");
	loop_free(&probe.loop);
}

Test(loop, what_was_deferred_is_freed_with_the_loop)
{
	struct loop *loop = loop_new();

	loop_defer_free(loop, memory_new(10), free); /* a leak here fails under asan */
	loop_free(&loop);
	loop_free(&loop);
}

Test(loop, grows_beyond_its_first_room_and_keeps_order)
{
	struct probe probe = { .loop = loop_new() };
	struct probe many = { .loop = probe.loop };

	loop_soon(probe.loop, on_hook, &probe);
	for (int i = 0; i < 1000; i++)
		loop_soon(probe.loop, on_call, &many);
	loop_soon(probe.loop, on_call, &probe);
	loop_turn(probe.loop, true);
	cr_assert_str_eq(probe.trace, "hc");
	loop_free(&probe.loop);
}

static void on_cancel(void *context)
{
	struct probe *probe = context;

	trace(probe, 'x');
	loop_cancel_soon(probe->loop, on_call, probe);
}

Test(loop, a_cancelled_call_does_not_run_even_in_the_running_batch)
{
	struct probe probe = { .loop = loop_new() };
	struct probe other = { .loop = probe.loop };

	loop_soon(probe.loop, on_cancel, &probe);
	loop_soon(probe.loop, on_call, &probe);
	loop_soon(probe.loop, on_call, &other);
	loop_turn(probe.loop, true);
	cr_assert_str_eq(probe.trace, "x");
	cr_assert_str_eq(other.trace, "c");
	loop_free(&probe.loop);
}

static void on_stop(void *context)
{
	struct probe *probe = context;

	trace(probe, 't');
	loop_stop(probe->loop);
}

Test(loop, a_timer_fires_once_and_can_be_moved_and_stopped)
{
	struct probe probe = { .loop = loop_new() };
	struct loop_timer *timer = loop_timer_new(probe.loop, on_stop, &probe);
	struct loop_timer *never = loop_timer_new(probe.loop, on_call, &probe);

	cr_assert_not(loop_timer_is_armed(timer));
	loop_timer_start(timer, 3600 * 1000);
	loop_timer_start(timer, 1);
	cr_assert(loop_timer_is_armed(timer));
	loop_timer_start(never, 0);
	loop_timer_stop(never);
	loop_run(probe.loop);
	cr_assert_str_eq(probe.trace, "t");
	cr_assert_not(loop_timer_is_armed(timer));
	loop_timer_start(timer, -5);
	loop_run(probe.loop);
	cr_assert_str_eq(probe.trace, "tt");
	loop_timer_free(&timer);
	cr_assert_null(timer);
	loop_timer_free(&timer);
	loop_timer_free(&never);
	loop_free(&probe.loop);
}

Test(loop, a_signal_arrives_as_a_call)
{
	struct probe probe = { .loop = loop_new() };

	loop_on_signal(probe.loop, SIGUSR1, on_stop, &probe);
	raise(SIGUSR1);
	loop_run(probe.loop);
	cr_assert_str_eq(probe.trace, "t");
	loop_free(&probe.loop);
}

static void on_slow(void *context)
{
	struct probe *probe = context;
	int64_t started = loop_now_ms(probe->loop);
	struct timespec now;

	do {
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 < started + 5);
	cr_assert_eq(loop_now_ms(probe->loop), started, "the time is the turn's");
}

static void on_slow_timer(void *context)
{
	struct timespec start;
	struct timespec now;

	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - start.tv_sec) * 1000000000 + now.tv_nsec - start.tv_nsec < 3000000);
}

Test(loop, counts_a_slow_timer_as_lag)
{
	struct probe probe = { .loop = loop_new() };
	struct loop_timer *timer = loop_timer_new(probe.loop, on_slow_timer, &probe);

	loop_timer_start(timer, 1);
	loop_turn(probe.loop, true);
	cr_assert_geq(loop_take_lag_us(probe.loop), 3000);
	loop_timer_free(&timer);
	loop_free(&probe.loop);
}

Test(loop, tells_the_longest_turn_and_keeps_one_time_a_turn)
{
	struct probe probe = { .loop = loop_new() };
	int64_t before = loop_now_ms(probe.loop);

	loop_soon(probe.loop, on_slow, &probe);
	loop_turn(probe.loop, true);
	cr_assert_geq(loop_take_lag_us(probe.loop), 4000);
	cr_assert_eq(loop_take_lag_us(probe.loop), 0);
	loop_turn(probe.loop, false);
	cr_assert_geq(loop_now_ms(probe.loop), before + 4);
	cr_assert_gt(loop_unix_ms(probe.loop), INT64_C(1577836800000));
	loop_free(&probe.loop);
}
