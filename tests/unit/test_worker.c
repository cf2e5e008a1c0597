#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "services/frame.h"
#include "services/loop.h"
#include "services/worker.h"

enum { CALLS = 64, FAR_AWAY_MS = 60 * 1000 };

struct call {
	int ended;
	int order;
	enum error_kind kind;
	char text[600];
	size_t len;
	char *answer;
};

static struct loop *loop;
static struct worker_pool *pool;
static struct call calls[CALLS];
static int ended;

static void on_done(const void *answer, size_t len, const struct error *err, void *context)
{
	struct call *call = context;

	call->ended++;
	call->order = ended++;
	call->kind = err == NULL ? ERROR_NONE : err->kind;
	snprintf(call->text, sizeof(call->text), "%s", err == NULL ? "" : err->text);
	call->answer = err == NULL ? memory_copy(answer, len) : NULL;
	call->len = len;
}

static void setup(const struct worker_options *with)
{
	struct worker_options options = *with;

	if (options.name == NULL)
		options.name = "stub";
	if (options.executable == NULL)
		options.executable = TEST_DATA "/worker/stub.py";
	if (options.queue_max == 0)
		options.queue_max = CALLS;
	if (options.deadline_ms == 0)
		options.deadline_ms = FAR_AWAY_MS;
	loop = loop_new();
	pool = worker_pool_new(loop, &options);
}

static void teardown(void)
{
	worker_pool_free(&pool);
	cr_assert_null(pool);
	loop_free(&loop);
	for (int i = 0; i < CALLS; i++)
		free(calls[i].answer);
}

static void submit(int i, uint64_t lane, const char *job)
{
	struct error err;

	cr_assert_eq(worker_submit(pool, lane, job, strlen(job), on_done, &calls[i], &err), 0);
	cr_assert_eq(calls[i].ended, 0, "done was called before submit returned");
}

static void wait_for(int count)
{
	while (ended < count)
		loop_turn(loop, true);
}

Test(worker, answers_jobs_with_their_bytes)
{
	setup(&(struct worker_options){ .processes = 2 });
	submit(0, 0, "echo:退款");
	submit(1, 0, "echo:");
	submit(2, 0, "fail:no such thing");
	wait_for(3);
	cr_assert_str_eq(calls[0].answer, "退款");
	cr_assert_eq(calls[1].len, 0);
	cr_assert_eq(calls[1].kind, ERROR_NONE);
	cr_assert_eq(calls[2].kind, ERROR_PERMANENT);
	cr_assert_str_eq(calls[2].text, "no such thing");
	cr_assert_eq(worker_stats(pool).done, 2);
	cr_assert_eq(worker_stats(pool).failed, 1);
	cr_assert_eq(worker_stats(pool).running, 0);
	teardown();
}

Test(worker, sends_large_jobs_beside_the_packet)
{
	static const size_t sizes[] = { FRAME_INLINE_BYTES - 5, FRAME_INLINE_BYTES + 1, 5000000 };

	setup(&(struct worker_options){ 0 });
	for (int i = 0; i < 3; i++) {
		char *job = memory_new(sizes[i] + 1);
		struct error err;

		memset(job, 'x', sizes[i]);
		memcpy(job, "echo:", 5);
		cr_assert_eq(worker_submit(pool, 0, job, sizes[i], on_done, &calls[i], &err), 0);
		free(job);
	}
	wait_for(3);
	cr_assert_eq(calls[0].len, sizes[0] - 5);
	cr_assert_str_eq(calls[1].answer, "65537");
	cr_assert_str_eq(calls[2].answer, "5000000");
	teardown();
}

Test(worker, starts_its_process_with_nothing_but_the_socket)
{
	setenv("CONVERGE_TEST_SECRET", "x", 1);
	setup(&(struct worker_options){ 0 });
	submit(0, 0, "facts");
	wait_for(1);
	cr_assert_str_eq(calls[0].answer, "sid=True nnp=1 fds=[0, 1, 2, 3, 4] secret=False");
	teardown();
}

Test(worker, gives_a_job_to_another_process_after_a_death)
{
	char path[] = "/tmp/converge-test-XXXXXX";
	char job[100];

	close(mkstemp(path));
	unlink(path);
	snprintf(job, sizeof(job), "die-once:%s", path);
	setup(&(struct worker_options){ 0 });
	submit(0, 0, job);
	submit(1, 0, "echo:after");
	wait_for(2);
	cr_assert_str_eq(calls[0].answer, "second life");
	cr_assert_str_eq(calls[1].answer, "after");
	cr_assert_eq(worker_stats(pool).restarts, 1);
	unlink(path);
	teardown();
}

Test(worker, quarantines_a_job_that_two_processes_died_on)
{
	static const char *const poison[] = { "die", "junk", "unasked", "unsealed" };

	setup(&(struct worker_options){ 0 });
	for (int i = 0; i < 4; i++)
		submit(i, 0, poison[i]);
	submit(4, 0, "echo:alive");
	wait_for(5);
	for (int i = 0; i < 4; i++) {
		cr_assert_eq(calls[i].kind, ERROR_PERMANENT, "%s", poison[i]);
		cr_assert_eq(strncmp(calls[i].text, "poison job", 10), 0, "%s", calls[i].text);
		cr_assert_eq(calls[i].ended, 1);
	}
	cr_assert_str_eq(calls[4].answer, "alive");
	cr_assert_eq(worker_stats(pool).quarantined, 4);
	teardown();
}

Test(worker, kills_a_process_that_misses_the_deadline)
{
	setup(&(struct worker_options){ .deadline_ms = 100 });
	submit(0, 0, "hang");
	wait_for(1);
	cr_assert_eq(strncmp(calls[0].text, "poison job", 10), 0);
	cr_assert_neq(strstr(calls[0].text, "deadline"), NULL);
	teardown();
}

Test(worker, never_repeats_a_job_of_a_once_pool)
{
	setup(&(struct worker_options){ .once = true });
	submit(0, 0, "die");
	wait_for(1);
	cr_assert_eq(calls[0].kind, ERROR_TEMPORARY);
	cr_assert_eq(strncmp(calls[0].text, WORKER_NOT_STARTED, strlen(WORKER_NOT_STARTED)) == 0,
		     0);
	cr_assert_eq(worker_stats(pool).restarts, 1);
	teardown();
}

Test(worker, runs_one_job_of_a_lane_at_a_time_and_in_order)
{
	setup(&(struct worker_options){ .processes = 3 });
	for (int i = 0; i < 20; i++) {
		char job[32];

		snprintf(job, sizeof(job), "echo:%d", i);
		submit(i, 7, job);
		cr_assert_leq(worker_stats(pool).running, 1);
	}
	while (ended < 20) {
		loop_turn(loop, true);
		cr_assert_leq(worker_stats(pool).running, 1);
	}
	for (int i = 0; i < 20; i++)
		cr_assert_eq(calls[i].order, i);
	teardown();
}

Test(worker, keeps_a_job_waiting_while_its_lane_runs)
{
	char dir[] = "/tmp/converge-test-XXXXXX";
	char path[100];
	char job[110];
	FILE *fifo;

	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/fifo", dir);
	cr_assert_eq(mkfifo(path, 0600), 0);
	snprintf(job, sizeof(job), "read:%s", path);
	setup(&(struct worker_options){ .processes = 2 });
	submit(0, 7, job);
	submit(1, 7, "echo:second");
	submit(2, 8, "echo:other lane");
	wait_for(1);
	cr_assert_eq(calls[2].ended, 1);
	cr_assert_eq(worker_stats(pool).running, 1);
	cr_assert_eq(worker_stats(pool).waiting, 1);
	fifo = fopen(path, "w");
	cr_assert_not_null(fifo);
	fputs("first", fifo);
	fclose(fifo);
	wait_for(3);
	cr_assert_str_eq(calls[0].answer, "first");
	cr_assert_str_eq(calls[1].answer, "second");
	unlink(path);
	rmdir(dir);
	teardown();
}

Test(worker, refuses_when_the_queue_is_full)
{
	struct error err = { 0 };

	setup(&(struct worker_options){ .queue_max = 2 });
	submit(0, 0, "echo:a"); /* the process is not ready yet */
	submit(1, 0, "echo:b");
	cr_assert_eq(worker_submit(pool, 0, "x", 1, on_done, &calls[2], &err), -1);
	cr_assert_eq(err.kind, ERROR_TEMPORARY);
	wait_for(2);
	cr_assert_eq(calls[2].ended, 0);
	teardown();
}

Test(worker, ends_waiting_jobs_when_no_process_starts)
{
	setup(&(struct worker_options){ .name = "never" });
	submit(0, 0, "echo:a");
	wait_for(1);
	cr_assert_eq(calls[0].kind, ERROR_TEMPORARY);
	cr_assert_eq(strncmp(calls[0].text, WORKER_NOT_STARTED, strlen(WORKER_NOT_STARTED)), 0);
	teardown();
}

Test(worker, ends_every_job_when_the_pool_is_freed)
{
	setup(&(struct worker_options){ 0 });
	submit(0, 0, "hang");
	while (worker_stats(pool).running == 0)
		loop_turn(loop, true);
	submit(1, 0, "echo:a");
	worker_pool_free(&pool);
	cr_assert_eq(calls[0].ended, 1);
	cr_assert_eq(calls[0].kind, ERROR_TEMPORARY);
	cr_assert_eq(calls[1].ended, 1);
	teardown();
}

Test(worker, refuses_an_executable_that_is_not_there)
{
	setup(&(struct worker_options){ .executable = "/nonexistent" });
	submit(0, 0, "echo:a");
	wait_for(1);
	cr_assert_eq(calls[0].kind, ERROR_TEMPORARY);
	teardown();
}

Test(frame, refuses_frames_that_break_the_rules)
{
	static const struct {
		const char *name;
		uint32_t head[4]; /* status, beside, length low, high */
		size_t bytes;
	} bad[] = {
		{ "short", { 3, 0, 0, 0 }, 8 },         { "status 0", { 0, 0, 0, 0 }, 16 },
		{ "status 9", { 9, 0, 0, 0 }, 16 },     { "length", { 3, 0, 5, 0 }, 16 },
		{ "no memfd", { 3, 1, 70000, 0 }, 16 }, { "huge", { 3, 0, 0, 7 }, 16 },
	};

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct frame frame;
		struct error err;
		int ends[2];

		cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
		cr_assert_eq(send(ends[0], bad[i].head, bad[i].bytes, 0), (ssize_t)bad[i].bytes);
		cr_assert_eq(frame_receive(ends[1], &frame, &err), -1, "%s", bad[i].name);
		close(ends[0]);
		close(ends[1]);
	}
}
