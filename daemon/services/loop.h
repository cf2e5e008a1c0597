/* The one event loop (libevent). Time is monotonic milliseconds for delays and
 * unix milliseconds for what people see. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct loop;
struct loop_timer;

typedef void loop_fn(void *context);
typedef void loop_free_fn(void *object);

struct loop *loop_new(void);
void loop_free(struct loop **loop);
struct event_base *loop_base(struct loop *loop);

/* Runs until loop_stop(): one EVLOOP_ONCE turn, then the turn-end hooks, then
 * the deferred calls, then the deferred frees, and round again. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
void loop_turn(struct loop *loop, bool wait); /* one turn, for tests */

int64_t loop_now_ms(const struct loop *loop);  /* monotonic, of this turn's start */
int64_t loop_unix_ms(const struct loop *loop); /* wall clock; shown, never decides */

/* fn(context) on the next turn; each call runs once. */
void loop_soon(struct loop *loop, loop_fn *fn, void *context);
/* Forgets every waiting call of fn(context): before what context names is freed. */
void loop_cancel_soon(struct loop *loop, loop_fn *fn, const void *context);
/* free_fn(object) after the running turn: nothing is freed inside a callback. */
void loop_defer_free(struct loop *loop, void *object, loop_free_fn *free_fn);
/* fn(context) at the end of every turn (the store writes its batch here). */
void loop_at_turn_end(struct loop *loop, loop_fn *fn, void *context);
void loop_not_at_turn_end(struct loop *loop, loop_fn *fn, void *context); /* takes it back */

/* A timer is allocated stopped. start arms once (re-arming moves it). */
struct loop_timer *loop_timer_new(struct loop *loop, loop_fn *fn, void *context);
void loop_timer_start(struct loop_timer *timer, int64_t delay_ms);
void loop_timer_stop(struct loop_timer *timer);
bool loop_timer_is_armed(const struct loop_timer *timer);
void loop_timer_free(struct loop_timer **timer);

/* fn(context) on the loop when the signal arrives; call once per signal. */
void loop_on_signal(struct loop *loop, int signal, loop_fn *fn, void *context);

/* Longest time one turn's callbacks took since the last call, microseconds. A
 * turn that waited counts from its first timer, signal or loop_now_ms(). */
int64_t loop_take_lag_us(struct loop *loop);
const char *loop_version(void); /* of the library that runs */
