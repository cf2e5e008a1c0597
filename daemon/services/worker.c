#include "services/worker.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "services/frame.h"
#include "services/loop.h"
#include "services/worker_spawn.h"

enum {
	START_DEADLINE_MS = 30 * 1000,
	BACKOFF_FIRST_MS = 10,
	BACKOFF_LAST_MS = 5 * 1000,
	FAILED_STARTS_MAX = 5, /* in a row: then waiting jobs end with an error */
	DEATHS_MAX = 2,
};

struct job {
	TAILQ_ENTRY(job) link;
	uint64_t lane;
	char *bytes; /* NULL while the memfd holds them */
	int memfd;   /* -1: inline */
	size_t len;
	int deaths;
	worker_done_fn *done;
	void *context;
};

TAILQ_HEAD(job_list, job);

struct process {
	struct worker_pool *pool;
	pid_t pid; /* 0: none */
	int fd;    /* -1: none */
	bool ready;
	struct event *readable;
	struct job *job;
	struct loop_timer *deadline;
	struct loop_timer *restart;
	int64_t backoff_ms;
};

struct worker_pool {
	struct loop *loop;
	struct worker_options options;
	char *name;
	char *state_dir;
	char *executable;
	struct process *processes;
	int process_count;
	int failed_starts;
	bool is_ending; /* whoever is told of it must not bring more */
	struct job_list waiting;
	struct worker_stats stats;
};

static void job_free(struct job *job)
{
	if (job->bytes != NULL)
		explicit_bzero(job->bytes, job->len); /* passwords pass through here */
	free(job->bytes);
	if (job->memfd >= 0)
		close(job->memfd);
	free(job);
}

static void job_end(struct worker_pool *pool, struct job *job, const struct frame *answer,
		    const struct error *err)
{
	if (err == NULL)
		pool->stats.done++;
	else
		pool->stats.failed++;
	job->done(answer == NULL ? NULL : answer->bytes, answer == NULL ? 0 : answer->len, err,
		  job->context);
	job_free(job);
}

static bool lane_is_busy(const struct worker_pool *pool, uint64_t lane)
{
	if (lane == 0)
		return false;
	for (int i = 0; i < pool->process_count; i++)
		if (pool->processes[i].job != NULL && pool->processes[i].job->lane == lane)
			return true;
	return false;
}

static struct job *next_job(struct worker_pool *pool)
{
	struct job *job;

	TAILQ_FOREACH (job, &pool->waiting, link)
		if (!lane_is_busy(pool, job->lane))
			return job;
	return NULL;
}

static void end_waiting(struct worker_pool *pool, const char *why)
{
	struct job_list ending = TAILQ_HEAD_INITIALIZER(ending);
	struct error err = { 0 };
	struct job *job;

	error_set(&err, ERROR_TEMPORARY, WORKER_NOT_STARTED "the %s worker %s", pool->name, why);
	TAILQ_CONCAT(&ending, &pool->waiting, link);
	pool->stats.waiting = 0;
	while ((job = TAILQ_FIRST(&ending)) != NULL) {
		TAILQ_REMOVE(&ending, job, link);
		job_end(pool, job, NULL, &err);
	}
}

/* What becomes of the job that a worker died on. */
static void job_lost(struct worker_pool *pool, struct job *job, const char *why)
{
	struct error err = { 0 };

	job->deaths++;
	if (pool->options.once) {
		error_set(&err, ERROR_TEMPORARY, "the %s worker %s", pool->name, why);
	} else if (job->deaths >= DEATHS_MAX) {
		pool->stats.quarantined++;
		error_set(&err, ERROR_PERMANENT, "poison job: the %s worker %s", pool->name, why);
	} else {
		TAILQ_INSERT_HEAD(&pool->waiting, job, link);
		pool->stats.waiting++;
		return;
	}
	job_end(pool, job, NULL, &err);
}

static void process_lost(struct process *process, const char *why)
{
	struct worker_pool *pool = process->pool;
	struct job *job = process->job;
	bool was_ready = process->ready;

	event_del(process->readable);
	loop_timer_stop(process->deadline);
	close(process->fd);
	kill(process->pid, SIGKILL);
	process->fd = -1;
	process->ready = false;
	process->job = NULL;
	pool->stats.restarts++;
	log_warn(pool->name, "event=worker_lost pid=%d job=%s why=%s", (int)process->pid,
		 job == NULL ? "no" : "yes", log_quote(why));
	loop_timer_start(process->restart, process->backoff_ms);
	process->backoff_ms *= 2;
	if (process->backoff_ms > BACKOFF_LAST_MS)
		process->backoff_ms = BACKOFF_LAST_MS;
	if (job != NULL) {
		pool->stats.running--;
		job_lost(pool, job, why);
	}
	if (!was_ready && ++pool->failed_starts >= FAILED_STARTS_MAX)
		end_waiting(pool, "does not start");
}

static void process_give(struct process *process, struct job *job)
{
	struct worker_pool *pool = process->pool;
	struct error err;

	TAILQ_REMOVE(&pool->waiting, job, link);
	pool->stats.waiting--;
	pool->stats.running++;
	process->job = job;
	loop_timer_start(process->deadline, pool->options.deadline_ms);
	/* a failure shows as the end of the socket on a later turn: done is never called from here
	 */
	if (frame_send(process->fd, FRAME_JOB, job->bytes, job->len, job->memfd, &err) < 0)
		kill(process->pid, SIGKILL);
}

static void process_start(struct process *process);

static void pool_dispatch(struct worker_pool *pool)
{
	struct job *job;

	for (int i = 0; i < pool->process_count; i++) {
		struct process *process = &pool->processes[i];

		job = next_job(pool);
		if (job == NULL)
			return;
		if (process->ready && process->job == NULL)
			process_give(process, job);
		else if (process->pid == 0 && !loop_timer_is_armed(process->restart))
			process_start(process);
	}
}

static void process_answered(struct process *process, const struct frame *frame)
{
	struct worker_pool *pool = process->pool;
	struct job *job = process->job;
	struct error err = { .kind = ERROR_NONE };

	process->job = NULL;
	process->backoff_ms = BACKOFF_FIRST_MS;
	loop_timer_stop(process->deadline);
	pool->stats.running--;
	if (frame->status == FRAME_ERROR) {
		char kind = frame->len > 0 ? frame->bytes[0] : ERROR_PERMANENT;

		error_set(&err, kind == ERROR_TEMPORARY ? ERROR_TEMPORARY : ERROR_PERMANENT, "%.*s",
			  frame->len > 1 ? (int)(frame->len - 1) : 0, frame->bytes + 1);
	}
	job_end(pool, job, frame, err.kind == ERROR_NONE ? NULL : &err);
}

static void process_framed(struct process *process, const struct frame *frame)
{
	struct worker_pool *pool = process->pool;

	if (frame->status == FRAME_READY && !process->ready) {
		process->ready = true;
		pool->failed_starts = 0;
		loop_timer_stop(process->deadline);
	} else if (process->job != NULL &&
		   (frame->status == FRAME_ANSWER || frame->status == FRAME_ERROR)) {
		process_answered(process, frame);
	} else {
		process_lost(process, "sent what nobody asked for");
	}
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct process *process = context;
	struct worker_pool *pool = process->pool;
	struct frame frame;
	struct error err = { 0 };
	int got = frame_receive((int)fd, &frame, &err);

	(void)what;
	if (got < 0)
		process_lost(process, process->job == NULL ? "died" : "died during a job");
	if (got > 0) {
		process_framed(process, &frame);
		frame_clear(&frame);
	}
	pool_dispatch(pool);
}

static void on_deadline(void *context)
{
	struct process *process = context;
	struct worker_pool *pool = process->pool;

	process_lost(process, process->ready ? "missed its deadline" : "did not get ready");
	pool_dispatch(pool);
}

static void process_start(struct process *process)
{
	struct worker_pool *pool = process->pool;
	struct error err = { 0 };
	int fd;
	pid_t pid = worker_spawn(&pool->options, &fd, &err);

	if (pid < 0) {
		log_error(pool->name, "event=worker_start error=%s", log_quote(err.text));
		pool->failed_starts++;
		loop_timer_start(process->restart, BACKOFF_LAST_MS);
		return;
	}
	process->pid = pid;
	process->fd = fd;
	if (process->readable != NULL)
		event_free(process->readable);
	process->readable =
		event_new(loop_base(pool->loop), fd, EV_READ | EV_PERSIST, on_readable, process);
	event_add(process->readable, NULL);
	loop_timer_start(process->deadline, START_DEADLINE_MS);
}

/* The old process is reaped here and not where it was killed: one that hangs in
 * the kernel must not stop the loop. */
static void on_restart(void *context)
{
	struct process *process = context;
	struct worker_pool *pool = process->pool;

	if (process->pid != 0 && waitpid(process->pid, NULL, WNOHANG) == 0) {
		loop_timer_start(process->restart, BACKOFF_FIRST_MS);
		return;
	}
	process->pid = 0;
	if (pool->failed_starts >= FAILED_STARTS_MAX)
		end_waiting(pool, "does not start");
	process_start(process);
}

struct worker_pool *worker_pool_new(struct loop *loop, const struct worker_options *options)
{
	struct worker_pool *pool = memory_new(sizeof(*pool));

	pool->loop = loop;
	pool->name = memory_text(options->name);
	pool->state_dir = memory_text(options->state_dir);
	pool->executable = memory_text(options->executable);
	pool->options = *options;
	pool->options.name = pool->name;
	pool->options.state_dir = pool->state_dir;
	pool->options.executable = pool->executable;
	pool->process_count = options->processes > 0 ? options->processes : 1;
	pool->processes = memory_new((size_t)pool->process_count * sizeof(*pool->processes));
	TAILQ_INIT(&pool->waiting);
	for (int i = 0; i < pool->process_count; i++) {
		struct process *process = &pool->processes[i];

		process->pool = pool;
		process->fd = -1;
		process->backoff_ms = BACKOFF_FIRST_MS;
		process->deadline = loop_timer_new(loop, on_deadline, process);
		process->restart = loop_timer_new(loop, on_restart, process);
	}
	process_start(&pool->processes[0]); /* the others when there is work for them */
	return pool;
}

static void process_clear(struct process *process)
{
	struct worker_pool *pool = process->pool;
	struct job *job = process->job;
	struct error err = { 0 };

	if (process->pid != 0) {
		kill(process->pid, SIGKILL);
		waitpid(process->pid, NULL, 0);
	}
	if (process->readable != NULL)
		event_free(process->readable);
	if (process->fd >= 0)
		close(process->fd);
	loop_timer_free(&process->deadline);
	loop_timer_free(&process->restart);
	process->job = NULL;
	if (job == NULL)
		return;
	error_set(&err, ERROR_TEMPORARY, "the %s worker was ended", pool->name);
	job_end(pool, job, NULL, &err);
}

void worker_pool_free(struct worker_pool **ref)
{
	struct worker_pool *pool = *ref;

	if (pool == NULL)
		return;
	*ref = NULL;
	pool->is_ending = true;
	end_waiting(pool, "was ended");
	for (int i = 0; i < pool->process_count; i++)
		process_clear(&pool->processes[i]);
	free(pool->processes);
	free(pool->name);
	free(pool->state_dir);
	free(pool->executable);
	free(pool);
}

static char *join(const struct frame_piece *pieces, size_t count, size_t len)
{
	char *bytes = memory_grow(NULL, len + 1, 1);
	size_t at = 0;

	for (size_t i = 0; i < count; i++) {
		if (pieces[i].len > 0)
			memcpy(bytes + at, pieces[i].bytes, pieces[i].len);
		at += pieces[i].len;
	}
	return bytes;
}

int worker_submit_pieces(struct worker_pool *pool, uint64_t lane, const struct frame_piece *pieces,
			 size_t count, worker_done_fn *done, void *context, struct error *err)
{
	struct job *job;
	size_t len = 0;
	int memfd = -1;

	for (size_t i = 0; i < count; i++)
		len += pieces[i].len;
	if (pool->is_ending)
		return error_set(err, ERROR_TEMPORARY, "the %s worker was ended", pool->name);
	if (pool->stats.waiting >= pool->options.queue_max)
		return error_set(err, ERROR_TEMPORARY, "the %s worker has %d jobs waiting",
				 pool->name, pool->options.queue_max);
	if (len > FRAME_MAX_BYTES)
		return error_set(err, ERROR_PERMANENT, "a job of %zu bytes", len);
	if (len > FRAME_INLINE_BYTES) {
		memfd = frame_memfd(pieces, count, err);
		if (memfd < 0)
			return -1;
	}
	job = memory_new(sizeof(*job));
	job->lane = lane;
	job->memfd = memfd;
	job->bytes = memfd < 0 ? join(pieces, count, len) : NULL;
	job->len = len;
	job->done = done;
	job->context = context;
	TAILQ_INSERT_TAIL(&pool->waiting, job, link);
	pool->stats.waiting++;
	pool_dispatch(pool);
	return 0;
}

int worker_submit(struct worker_pool *pool, uint64_t lane, const void *bytes, size_t len,
		  worker_done_fn *done, void *context, struct error *err)
{
	return worker_submit_pieces(pool, lane, &(struct frame_piece){ bytes, len }, 1, done,
				    context, err);
}

struct worker_stats worker_stats(const struct worker_pool *pool)
{
	return pool->stats;
}
