#include "store/lane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/memory.h"
#include "services/loop.h"
#include "store/address.h"
#include "store/failure.h"
#include "store/handshake.h"
#include "store/redis.h"
#include "store/reply.h"

enum {
	BACKOFF_FIRST_MS = 20,
	BACKOFF_MAX_MS = 2000,
	WAIT_MS = 1000,
};

struct lane {
	struct lane_options options;
	struct link *link;
	struct handshake handshake;
	bool is_up;
	bool is_closed;
	int attempts;
	int connection; /* counts those that came up */
	int promotions;
	struct lineage lineage;
	int replicas;
	struct call_list sent;          /* unanswered, in order */
	struct store_call *next_answer; /* in sent; those before it wait for replicas */
	struct call_list waiting;
	struct call_list refused;
	struct loop_timer *retry;  /* connect again, or give up connecting */
	struct loop_timer *expiry; /* deadline of the oldest call */
	char why_down[256];
};

static void lane_connect(void *context);

/* --- the end of a call --- */

static void call_fail(struct lane *lane, struct store_call *call, const struct error *err)
{
	lane->options.stats->failed++;
	call->done(NULL, err, call->context);
	call_free(call);
}

static enum failure_advice call_finish(struct lane *lane, struct store_call *call,
				       const struct store_reply *reply)
{
	struct error err;
	enum failure_advice advice;

	if (!reply->is_error) {
		call->done(reply, NULL, call->context);
		call_free(call);
		return FAILURE_ANSWER;
	}
	advice = failure_read(reply, call->name, &err);
	if (advice == FAILURE_RELOAD)
		return advice;
	call_fail(lane, call, &err);
	return advice;
}

/* --- sending --- */

static int64_t clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void send_call(struct lane *lane, struct store_call *call)
{
	link_send(lane->link, call->bytes + call->start, call->len - call->start);
	call_list_push(&lane->sent, call);
	if (lane->next_answer == NULL)
		lane->next_answer = call;
}

static void send_wait(struct lane *lane)
{
	struct store_call *call = store_command("WAIT");

	call->is_wait = true;
	call->deadline_ms = lane->sent.last->deadline_ms;
	store_arg_int(call, lane->replicas > 1 ? lane->replicas : 1);
	store_arg_int(call, WAIT_MS);
	call_seal(call);
	send_call(lane, call);
}

static void lane_flush(struct lane *lane)
{
	bool sent = false;

	if (!lane->is_up)
		return;
	while (lane->waiting.first != NULL && lane->sent.count < lane->options.in_flight_max) {
		struct store_call *call = call_list_pop(&lane->waiting);

		call->sent_us = sent ? 0 : clock_us();
		send_call(lane, call);
		sent = true;
	}
	if (!sent)
		return;
	if (lane->options.ack_replicas)
		send_wait(lane);
	link_flush(lane->link);
}

/* Only those there are now: a caller may answer a refusal by trying again. */
static void refuse_late(struct lane *lane)
{
	struct call_list refused = lane->refused;
	struct error err;
	struct store_call *call;

	lane->refused = (struct call_list){ 0 };
	error_set(&err, ERROR_TEMPORARY, "too many commands are waiting for the store");
	while ((call = call_list_pop(&refused)) != NULL)
		call_fail(lane, call, &err);
}

/* A call that comes outside a turn, or while a turn ends, must not wait for an
 * event: something due soon makes the loop go round, and the hooks with it. */
static void on_soon(void *context)
{
	(void)context;
}

static void on_turn_end(void *context)
{
	struct lane *lane = context;

	lane_flush(lane);
	if (lane->refused.first != NULL)
		refuse_late(lane);
}

/* --- connecting --- */

static int64_t backoff_ms(int attempts)
{
	int64_t delay = BACKOFF_FIRST_MS;
	uint16_t noise;

	for (int i = 0; i < attempts && delay < BACKOFF_MAX_MS; i++)
		delay *= 2;
	if (delay > BACKOFF_MAX_MS)
		delay = BACKOFF_MAX_MS;
	crypto_random(&noise, sizeof(noise));
	return delay / 2 + noise % (delay / 2 + 1);
}

/* The lane's own WAITs go, and answers that were held count for nothing: their
 * calls are sent again, which is harmless. */
static void take_back_sent(struct lane *lane)
{
	struct call_list again = { 0 };
	struct store_call *call;

	while ((call = call_list_pop(&lane->sent)) != NULL) {
		if (call->is_wait) {
			call_free(call);
			continue;
		}
		free(call->held);
		call->held = NULL;
		lane->options.stats->resent++;
		call_list_push(&again, call);
	}
	call_list_prepend(&lane->waiting, &again);
	lane->next_answer = NULL;
}

static void lane_drop(struct lane *lane, const char *why)
{
	bool was_up = lane->is_up;
	int64_t delay = backoff_ms(lane->attempts++);

	link_close(&lane->link);
	lane->is_up = false;
	take_back_sent(lane);
	if (was_up || strcmp(lane->why_down, why) != 0)
		log_warn("store", "event=down lane=%s address=%s why=%s", lane->options.name,
			 lane->options.address->shown, log_quote(why));
	snprintf(lane->why_down, sizeof(lane->why_down), "%s", why);
	loop_timer_start(lane->retry, delay);
	if (was_up)
		lane->options.on_change(false, lane->options.context);
}

static bool is_successor(const struct lineage *known, const struct lineage *found)
{
	return *known->id != '\0' && strcmp(known->id, found->id) != 0 &&
	       strcmp(known->id, found->before) == 0;
}

static void lane_ready(struct lane *lane)
{
	loop_timer_stop(lane->retry);
	lane->attempts = 0;
	lane->connection++;
	lane->promotions += is_successor(&lane->lineage, &lane->handshake.lineage);
	lane->lineage = lane->handshake.lineage;
	lane->is_up = true;
	lane->why_down[0] = '\0';
	lane->options.stats->reconnects++;
	log_info("store", "event=up lane=%s address=%s again=%d", lane->options.name,
		 lane->options.address->shown, lane->waiting.count);
	lane_flush(lane);
	lane->options.on_change(true, lane->options.context);
}

/* --- answers --- */

static void answer_handshake(struct lane *lane, const struct store_reply *reply)
{
	struct error err;

	if (handshake_answer(&lane->handshake, reply, &err) < 0)
		lane_drop(lane, err.text);
	else if (lane->handshake.waiting == 0)
		lane_ready(lane);
}

static void act_on(struct lane *lane, enum failure_advice advice)
{
	if (advice == FAILURE_RECONNECT && !lane->is_closed && lane->is_up)
		lane_drop(lane, "the store refused to write");
}

/* Answers what was held for this WAIT; a done may close or drop the lane. */
static void answer_wait(struct lane *lane, const struct store_reply *reply)
{
	int wanted = lane->replicas > 1 ? lane->replicas : 1;
	bool enough = reply_int(reply) >= wanted;
	struct call_list ready = { 0 };
	struct store_call *call;
	struct error err;
	enum failure_advice advice = FAILURE_ANSWER;

	while (!(call = call_list_pop(&lane->sent))->is_wait)
		call_list_push(&ready, call);
	call_free(call);
	lane->next_answer = lane->sent.first;
	error_set(&err, ERROR_TEMPORARY, "not enough replicas (%lld of %d)",
		  (long long)reply_int(reply), wanted);
	while ((call = call_list_pop(&ready)) != NULL) {
		if (!enough && !call->held->is_error) {
			call_fail(lane, call, &err);
			continue;
		}
		if (call_finish(lane, call, call->held) != FAILURE_ANSWER)
			advice = FAILURE_RECONNECT;
	}
	act_on(lane, advice);
}

static void answer_call(struct lane *lane, const struct store_reply *reply)
{
	struct store_call *call = call_list_pop(&lane->sent);
	enum failure_advice advice;

	lane->next_answer = lane->sent.first;
	if (call->sent_us != 0)
		lane->options.stats->last_rtt_us = clock_us() - call->sent_us;
	advice = call_finish(lane, call, reply);
	act_on(lane, advice);
}

static bool is_reload(const struct store_reply *reply)
{
	return reply->is_error && strncmp(reply_text(reply, NULL), "NOSCRIPT", 8) == 0;
}

static void on_reply(const struct store_reply *reply, void *context)
{
	struct lane *lane = context;
	struct store_call *call = lane->next_answer;

	if (!lane->is_up) {
		answer_handshake(lane, reply);
		return;
	}
	if (call == NULL) {
		lane_drop(lane, "an answer that nobody asked for");
		return;
	}
	if (is_reload(reply)) {
		lane_drop(lane, "the scripts are gone");
		return;
	}
	if (call->is_wait)
		answer_wait(lane, reply);
	else if (lane->options.ack_replicas) {
		call->held = reply_copy(reply);
		lane->next_answer = call->next;
	} else {
		answer_call(lane, reply);
	}
}

static void on_open(void *context)
{
	struct lane *lane = context;

	handshake_start(&lane->handshake, lane->link, lane->options.address);
	link_flush(lane->link);
}

static void on_down(const char *why, void *context)
{
	lane_drop(context, why);
}

static const struct link_handlers lane_handlers = { on_open, on_reply, on_down };

static void lane_connect(void *context)
{
	struct lane *lane = context;
	struct error err;

	if (lane->link != NULL) {
		lane_drop(lane, "no connection in time");
		return;
	}
	lane->link =
		link_open(lane->options.loop, lane->options.address, &lane_handlers, lane, &err);
	if (lane->link == NULL)
		lane_drop(lane, err.text);
	else
		loop_timer_start(lane->retry, lane->options.deadline_ms);
}

/* --- deadlines: all calls have the same, so the oldest call has the next --- */

static struct store_call *lane_oldest(const struct lane *lane)
{
	return lane->sent.first != NULL ? lane->sent.first : lane->waiting.first;
}

static void arm_expiry(struct lane *lane)
{
	struct store_call *oldest = lane_oldest(lane);
	int64_t left;

	if (oldest == NULL || loop_timer_is_armed(lane->expiry))
		return;
	left = oldest->deadline_ms - loop_now_ms(lane->options.loop);
	loop_timer_start(lane->expiry, left > 0 ? left : 1);
}

static void take_expired(struct call_list *from, int64_t now, struct call_list *to)
{
	while (from->first != NULL && from->first->deadline_ms <= now)
		call_list_push(to, call_list_pop(from));
}

static void on_expiry(void *context)
{
	struct lane *lane = context;
	int64_t now = loop_now_ms(lane->options.loop);
	struct call_list expired = { 0 };
	struct store_call *call;
	struct error err;

	if (lane->sent.first != NULL && lane->sent.first->deadline_ms <= now)
		lane_drop(lane, "no answer in time");
	take_expired(&lane->waiting, now, &expired);
	while ((call = call_list_pop(&expired)) != NULL) {
		error_set(&err, ERROR_TEMPORARY, "%s: no answer from the store in %lld ms%s%s",
			  call->name, (long long)lane->options.deadline_ms,
			  lane->why_down[0] == '\0' ? "" : ": ", lane->why_down);
		call_fail(lane, call, &err);
	}
	if (!lane->is_closed)
		arm_expiry(lane);
}

/* --- public --- */

void lane_run(struct lane *lane, struct store_call *take_call, store_done_fn *done, void *context)
{
	struct store_call *call = take_call;

	call->done = done;
	call->context = context;
	call->deadline_ms = loop_now_ms(lane->options.loop) + lane->options.deadline_ms;
	call_seal(call);
	++*lane->options.calls;
	if (lane->is_closed || lane->waiting.count >= lane->options.queue_max) {
		call_list_push(&lane->refused, call);
		loop_soon(lane->options.loop, on_soon, NULL);
		return;
	}
	if (lane->is_up && lane->waiting.first == NULL)
		loop_soon(lane->options.loop, on_soon, NULL);
	call_list_push(&lane->waiting, call);
	arm_expiry(lane);
}

bool lane_is_up(const struct lane *lane)
{
	return lane->is_up;
}

int lane_connection(const struct lane *lane)
{
	return lane->connection;
}

int lane_promotions(const struct lane *lane)
{
	return lane->promotions;
}

void lane_learn_lineage(struct lane *lane, const char *info)
{
	lineage_read(&lane->lineage, info);
}

int lane_waiting(const struct lane *lane)
{
	return lane->sent.count + lane->waiting.count;
}

void lane_set_replicas(struct lane *lane, int replicas)
{
	lane->replicas = replicas;
}

const char *lane_why_down(const struct lane *lane)
{
	return lane->why_down;
}

struct lane *lane_new(const struct lane_options *options)
{
	struct lane *lane = memory_new(sizeof(*lane));

	lane->options = *options;
	lane->retry = loop_timer_new(options->loop, lane_connect, lane);
	lane->expiry = loop_timer_new(options->loop, on_expiry, lane);
	loop_timer_start(lane->retry, 0);
	loop_at_turn_end(options->loop, on_turn_end, lane);
	return lane;
}

static void lane_release(void *object)
{
	struct lane *lane = object;

	refuse_late(lane);
	loop_timer_free(&lane->retry);
	loop_timer_free(&lane->expiry);
	free(lane);
}

void lane_free(struct lane **pointer)
{
	struct lane *lane = *pointer;
	struct store_call *call;
	struct error err;

	if (lane == NULL)
		return;
	*pointer = NULL;
	/* What is still waiting gets its chance (leases given back, say), but no answer. */
	lane_flush(lane);
	lane->is_closed = true;
	lane->is_up = false;
	link_close(&lane->link);
	loop_timer_stop(lane->retry);
	loop_timer_stop(lane->expiry);
	take_back_sent(lane);
	error_set(&err, ERROR_TEMPORARY, "the store is closing");
	while ((call = call_list_pop(&lane->waiting)) != NULL)
		call_fail(lane, call, &err);
	refuse_late(lane);
	loop_not_at_turn_end(lane->options.loop, on_turn_end, lane);
	loop_defer_free(lane->options.loop, lane, lane_release);
}
