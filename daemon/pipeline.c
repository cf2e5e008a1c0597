#include "pipeline.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "admit/stage.h"
#include "base/log.h"
#include "base/memory.h"
#include "channel.h"
#include "normalise/normalise.h"
#include "receive/receive.h"
#include "receive/spooling.h"
#include "services/loop.h"
#include "thread/thread.h"
#include "verify/verify.h"

/* Behind what needs no store, so that what is no message is refused as ever. */
static enum stage_result spool_stage(struct flight *flight);

/* The program's table of contents: how a message flows in. */
static const struct stage stages[] = {
	{ "receive", receive_run },         /* limits, a workspace that is ready */
	{ "verify", verify_run },           /* is it really from the provider? */
	{ "read", normalise_read },         /* mail bytes to a document, in the parse worker */
	{ "parse", normalise_parse },       /* the connector's parse, then clean text and ids */
	{ "spool", spool_stage },           /* the store is away: kept here, admitted later */
	{ "people", normalise_people },     /* addresses in the form they are compared in */
	{ "keep", normalise_keep },         /* raw mail and attachments into the blob store */
	{ "thread", thread_stage },         /* mail: which conversation it answers, and why */
	{ "opt", normalise_opt },           /* STOP, 退订: heard before anything else reads it */
	{ "classify", normalise_classify }, /* the rules, so that the router needs no text */
	{ "admit", admit_stage },           /* one script: stored, threaded, a work item */
};

enum { WAIT_MS = 25 * 1000, SWEEP_MS = 1000 };

/* Flights wait equally long, so the oldest is always the first to be late and
 * one timer serves all. */
TAILQ_HEAD(flight_list, flight);

struct pipeline {
	struct parts *parts;
	int64_t in_flight;
	struct flight_list flights; /* oldest first */
	struct loop_timer *sweep;
};

static void flight_free(void *object)
{
	struct flight *flight = object;
	struct arena *arena = flight->arena;

	channel_drop(flight->channel);
	arena_free(&arena);
}

static void flight_log(const struct flight *flight, bool durable)
{
	long long ms = (long long)(loop_now_ms(flight->parts->loop) - flight->started_ms);

	/* A line a message costs more than its share of the work: only failures are told unasked.
	 */
	if (flight->error.kind == ERROR_NONE)
		log_debug(flight->id, "stage=admit channel=%s durable=%d messages=%zu ms=%lld",
			  channel_name(flight->channel), durable, flight->parsed.message_count, ms);
	else
		log_warn(flight->id, "stage=%s channel=%s status=%d ms=%lld error=%s",
			 stages[flight->stage].name, channel_name(flight->channel), flight->status,
			 ms, log_quote(flight->error.text));
}

static void flight_end(struct flight *flight, bool durable)
{
	if (flight->is_ended)
		return;
	flight->is_ended = true;
	flight->parts->pipeline->in_flight--;
	TAILQ_REMOVE(&flight->parts->pipeline->flights, flight, link);
	flight_log(flight, durable);
	if (flight->pending == 0)
		loop_defer_free(flight->parts->loop, flight, flight_free);
	flight->done(flight, durable, flight->context);
}

static void on_spooled(struct flight *flight, bool kept)
{
	if (kept)
		flight->error = (struct error){ 0 };
	flight_end(flight, kept);
}

static enum stage_result spool_stage(struct flight *flight)
{
	if (!flight->waits)
		return STAGE_NEXT;
	flight->is_spooling = true;
	spooling_add(flight->parts->spooling, flight, on_spooled);
	return STAGE_WAIT;
}

/* Any stage may be the one at which the store goes away. */
static void flight_give_up(struct flight *flight)
{
	bool rescued = !flight->is_spooling && flight->verdict == VERIFIED &&
		       flight->passengers != NULL && spooling_serves(flight);

	if (!rescued) {
		flight_end(flight, false);
		return;
	}
	/* Its time begins anew, so the oldest stays the first. */
	flight->started_ms = loop_now_ms(flight->parts->loop);
	TAILQ_REMOVE(&flight->parts->pipeline->flights, flight, link);
	TAILQ_INSERT_TAIL(&flight->parts->pipeline->flights, flight, link);
	flight->waits = true;
	flight->is_waiting = spool_stage(flight) == STAGE_WAIT;
}

bool flight_landed(struct flight *flight)
{
	flight->pending--;
	if (!flight->is_ended)
		return true;
	/* Its deadline passed meanwhile: the answer is given, only the memory waited. */
	if (flight->pending == 0)
		loop_defer_free(flight->parts->loop, flight, flight_free);
	return false;
}

static void flight_advance(struct flight *flight)
{
	while (flight->stage < COUNT_OF(stages)) {
		switch (stages[flight->stage].run(flight)) {
		case STAGE_NEXT:
			flight->stage++;
			continue;
		case STAGE_WAIT:
			flight->is_waiting = true;
			return;
		case STAGE_STOP:
			flight_end(flight, flight->error.kind == ERROR_NONE);
			return;
		case STAGE_FAIL:
			flight_give_up(flight);
			return;
		}
	}
	flight->stage = COUNT_OF(stages) - 1;
	flight_end(flight, true);
}

static void on_soon(void *context)
{
	struct flight *flight = context;

	if (!flight->is_ended)
		flight_advance(flight);
}

static void on_sweep(void *context)
{
	struct pipeline *pipeline = context;
	int64_t now = loop_now_ms(pipeline->parts->loop);
	struct flight *flight;

	while ((flight = TAILQ_FIRST(&pipeline->flights)) != NULL &&
	       now - flight->started_ms >= WAIT_MS) {
		flight_fail(flight, "stage %s took longer than %d s", stages[flight->stage].name,
			    WAIT_MS / 1000);
		flight_give_up(flight);
	}
	loop_timer_start(pipeline->sweep, SWEEP_MS);
}

struct pipeline *pipeline_new(struct parts *parts)
{
	struct pipeline *pipeline = memory_new(sizeof(*pipeline));

	pipeline->parts = parts;
	TAILQ_INIT(&pipeline->flights);
	pipeline->sweep = loop_timer_new(parts->loop, on_sweep, pipeline);
	loop_timer_start(pipeline->sweep, SWEEP_MS);
	return pipeline;
}

void pipeline_free(struct pipeline **pipeline)
{
	if (*pipeline == NULL)
		return;
	loop_timer_free(&(*pipeline)->sweep);
	free(*pipeline);
	*pipeline = NULL;
}

int64_t pipeline_in_flight(const struct pipeline *pipeline)
{
	return pipeline->in_flight;
}

size_t pipeline_spooled(const struct pipeline *pipeline)
{
	return spooling_waiting(pipeline->parts->spooling);
}

void pipeline_resume(struct flight *flight, enum stage_result result)
{
	if (flight->is_ended || !flight->is_waiting || flight->is_spooling)
		return;
	flight->is_waiting = false;
	switch (result) {
	case STAGE_NEXT:
		flight->stage++;
		break;
	case STAGE_WAIT: /* run the same stage again */
		break;
	case STAGE_STOP:
		flight_end(flight, flight->error.kind == ERROR_NONE);
		return;
	case STAGE_FAIL:
		flight_give_up(flight);
		return;
	}
	if (flight->stage == COUNT_OF(stages)) {
		flight->stage--;
		flight_end(flight, true);
		return;
	}
	loop_soon(flight->parts->loop, on_soon, flight);
}

/* Polled bytes are borrowed for the call only; a request's stay until it is answered. */
static void bytes_own(struct flight *flight)
{
	flight->in.body = arena_copy(flight->arena, flight->in.body, flight->in.body_len);
	flight->in.envelope_from = arena_text(flight->arena, flight->in.envelope_from);
	flight->in.envelope_to = arena_text(flight->arena, flight->in.envelope_to);
}

struct flight *pipeline_launch(struct pipeline *pipeline, struct channel *channel,
			       const struct inbound *in, struct http_request *request,
			       void (*done)(struct flight *, bool, void *), void *context)
{
	/* Not the request's arena: the flight may outlive an answer given at its deadline. */
	struct arena *arena = arena_new(8 * 1024);
	struct flight *flight = arena_alloc(arena, sizeof(*flight));

	flight->parts = pipeline->parts;
	flight->arena = arena;
	flight->channel = channel;
	channel_hold(channel);
	flight->in = *in;
	if (request == NULL)
		bytes_own(flight);
	flight->request = request;
	flight->done = done;
	flight->context = context;
	flight->started_ms = loop_now_ms(pipeline->parts->loop);
	id_new("flt_", flight->id);
	pipeline->in_flight++;
	TAILQ_INSERT_TAIL(&pipeline->flights, flight, link);
	loop_soon(pipeline->parts->loop, on_soon, flight);
	return flight;
}

enum stage_result flight_fail(struct flight *flight, const char *format, ...)
{
	va_list args;

	flight->error.kind = ERROR_TEMPORARY;
	flight->status = 503;
	flight->code = "store_unavailable";
	va_start(args, format);
	vsnprintf(flight->error.text, sizeof(flight->error.text), format, args);
	va_end(args);
	return STAGE_FAIL;
}

enum stage_result flight_refuse(struct flight *flight, int status, const char *code,
				const char *format, ...)
{
	va_list args;

	flight->error.kind = ERROR_MISUSE;
	flight->status = status;
	flight->code = code;
	va_start(args, format);
	vsnprintf(flight->error.text, sizeof(flight->error.text), format, args);
	va_end(args);
	return STAGE_STOP;
}
