/* The way in: one flight is one request's (or one polled item's) passage
 * through the stages. stages[] in pipeline.c is the table of contents.
 *
 * A stage returns NEXT, WAIT, STOP or FAIL; one that returned WAIT calls
 * pipeline_resume() later, which re-enters on the next turn of the loop. Every
 * wait has a deadline that the pipeline owns. The flight ends in exactly one
 * answer, and a 2xx only after everything in it is durable. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/id.h"
#include "converge/connector.h"
#include "parts.h"

struct flight;
struct http_request;
struct workspace;
struct classification;
struct admission;

enum stage_result { STAGE_NEXT, STAGE_WAIT, STAGE_STOP, STAGE_FAIL };

struct stage {
	const char *name;
	enum stage_result (*run)(struct flight *flight);
};

/* One message on its way to admit. */
struct passenger {
	struct message *message;
	const struct classification *classification; /* of the rules; filled by normalise */
	const char *conversation; /* the thread found by evidence; NULL: by sender and thread key */
	int opt_word;             /* enum opt_word (routing/opt_words.h) */
	char message_id[ID_BYTES];
	bool duplicate;
	bool stored;
};

struct flight {
	char id[ID_BYTES];
	struct parts *parts;
	struct arena *arena;
	struct channel *channel;
	struct workspace *workspace;
	struct inbound in;
	struct http_request
		*request; /* NULL for polled, socket and spooled bytes: proved already */

	/* learned on the way */
	enum verdict verdict;
	const char *raw; /* the mail as it came, for the blob store; NULL elsewhere */
	size_t raw_len;
	bool is_spooling;   /* on its way to the disk: no stage goes on with it */
	bool waits;         /* for the store: what it cannot take now goes into the spool */
	bool is_unreadable; /* the parse worker gave up: the message says so */
	struct parsed parsed;
	struct passenger *passengers;
	size_t pending; /* operations under way; count up before each, flight_landed() after */
	struct error error;
	int status;       /* of a STOP: the HTTP status to answer with */
	const char *code; /* of the problem */

	/* set by who launched it */
	void (*done)(struct flight *flight, bool durable, void *context);
	void *context;

	/* the pipeline's own */
	size_t stage;
	bool is_waiting;
	bool is_ended;
	int64_t started_ms;
	TAILQ_ENTRY(flight) link;
};

struct pipeline *pipeline_new(struct parts *parts);
void pipeline_free(struct pipeline **pipeline);
/* Starts a flight; done() is called exactly once, never before this returned. The flight and its
 * arena live until then (and are freed after that turn). */
struct flight *pipeline_launch(struct pipeline *pipeline, struct channel *channel,
			       const struct inbound *in, struct http_request *request,
			       void (*done)(struct flight *, bool durable, void *), void *context);
/* The only way back in for a stage that returned WAIT. */
void pipeline_resume(struct flight *flight, enum stage_result result);
/* First thing in the callback of every operation a stage started. False: the flight has ended
 * (its deadline passed) and must not be touched any more. */
bool flight_landed(struct flight *flight);
int64_t pipeline_in_flight(const struct pipeline *pipeline);
/* Requests on the disk that wait for the store (receive/spooling.h). */
size_t pipeline_spooled(const struct pipeline *pipeline);

/* Shorthands for stages: set the error and return FAIL or STOP. */
enum stage_result flight_fail(struct flight *flight, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
enum stage_result flight_refuse(struct flight *flight, int status, const char *code,
				const char *format, ...) __attribute__((format(printf, 4, 5)));
