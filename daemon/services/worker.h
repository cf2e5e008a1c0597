/* Worker processes, parent side: fork + exec of /proc/self/exe --worker=NAME,
 * all other descriptors closed, framed jobs over a socketpair, restarted with
 * backoff when they die. What blocks or is dangerous runs there.
 *
 * A job is bytes in, bytes out. Bodies over 64 KiB travel as a sealed memfd.
 * Queues are bounded: a full one refuses (ERROR_TEMPORARY) and the caller
 * pushes back on its source. Each job has a deadline; a worker that misses it
 * is killed. Two deaths on one job quarantine it (ERROR_PERMANENT, text starts
 * with "poison job"). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct frame_piece;
struct loop;
struct worker_pool;

struct worker_options {
	const char *name;      /* parse, mail, disk, password, history */
	int processes;         /* 1; mail 4 */
	int queue_max;         /* waiting jobs */
	int64_t deadline_ms;   /* of one job, from when it is handed over */
	const char *state_dir; /* the folder it may touch; NULL: none */
	bool once; /* a job is never handed over again after a death (mail: it may have been sent)
		    */
	const char *executable; /* NULL: /proc/self/exe; tests name the daemon's binary */
};

/* How the error of a job begins that no worker was given: it had no effect. */
#define WORKER_NOT_STARTED "not started: "

/* answer bytes are valid inside the call only; err is NULL on success. */
typedef void worker_done_fn(const void *answer, size_t len, const struct error *err, void *context);

struct worker_pool *worker_pool_new(struct loop *loop, const struct worker_options *options);
void worker_pool_free(struct worker_pool **ref); /* waiting jobs end with an error first */

/* Copies the bytes. lane: jobs with the same non-zero lane run one at a time
 * and in order (one session per mail account). -1 with err when the queue is
 * full; otherwise done is called exactly once, never before this returns. */
int worker_submit(struct worker_pool *pool, uint64_t lane, const void *bytes, size_t len,
		  worker_done_fn *done, void *context, struct error *err);

/* The same for a job in pieces (services/frame.h), so that nobody has to join them first. */
int worker_submit_pieces(struct worker_pool *pool, uint64_t lane, const struct frame_piece *pieces,
			 size_t count, worker_done_fn *done, void *context, struct error *err);

struct worker_stats {
	int64_t waiting, running, done, failed, restarts, quarantined;
};
struct worker_stats worker_stats(const struct worker_pool *pool);

/* Child side (workers/NAME.c): entered from main() for --worker=NAME; runs the
 * loop that reads a job and writes an answer, and returns the exit status. */
int worker_main(const char *name);
