#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "services/frame.h"
#include "services/worker.h"
#include "services/worker_spawn.h"
#include "workers/worker.h"

enum {
	EXIT_NAME = 64,
	EXIT_START = 70,
	KEPT_ANSWER_BYTES = 1024 * 1024, /* a larger answer buffer is given back */
	KEPT_HEAP_BYTES = 4 * 1024 * 1024,
};

static const struct {
	const char *name;
	worker_start_fn *start;
	worker_handle_fn *handle;
} workers[] = {
	{ "disk", disk_start, disk_handle },
	{ "history", history_start, history_handle },
	{ "mail", mail_start, mail_handle },
	{ "parse", parse_start, parse_handle },
	{ "password", password_start, password_handle },
};

static int send_error(int fd, const struct error *problem, struct error *err)
{
	char bytes[1 + sizeof(problem->text)];
	size_t len = strlen(problem->text);

	bytes[0] = (char)problem->kind;
	memcpy(bytes + 1, problem->text, len);
	return frame_send(fd, FRAME_ERROR, bytes, len + 1, -1, err);
}

static int send_answer(int fd, const struct buf *answer, struct error *err)
{
	int memfd;
	int rc;

	if (answer->len <= FRAME_INLINE_BYTES)
		return frame_send(fd, FRAME_ANSWER, answer->data, answer->len, -1, err);
	memfd = frame_memfd(&(struct frame_piece){ answer->data, answer->len }, 1, err);
	if (memfd < 0)
		return send_error(fd, err, err);
	rc = frame_send(fd, FRAME_ANSWER, NULL, answer->len, memfd, err);
	close(memfd);
	return rc;
}

static int serve(int fd, worker_handle_fn *handle, struct error *err)
{
	struct buf answer = { 0 };
	struct frame job;
	int rc = frame_send(fd, FRAME_READY, NULL, 0, -1, err);

	while (rc == 0 && frame_receive(fd, &job, err) > 0) {
		struct error problem = { 0 };

		if (handle(job.bytes, job.len, &answer, &problem) == 0)
			rc = send_answer(fd, &answer, err);
		else
			rc = send_error(fd, &problem, err);
		frame_clear(&job);
		if (answer.room > KEPT_ANSWER_BYTES)
			buf_clear(&answer);
		buf_reset(&answer);
	}
	buf_clear(&answer);
	return 0;
}

int worker_serve(const char *name, worker_start_fn *start, worker_handle_fn *handle)
{
	struct error err = { 0 };

	signal(SIGPIPE, SIG_IGN);
	/* The heap of one job serves the next: giving its pages back each time costs a third of
	 * parsing a mail. */
	mallopt(M_TRIM_THRESHOLD, KEPT_HEAP_BYTES);
	mallopt(M_MMAP_THRESHOLD, KEPT_HEAP_BYTES);
	mallopt(M_TOP_PAD, KEPT_HEAP_BYTES / 16);
	if (start(&err) < 0) {
		fprintf(stderr, "converged: worker %s: %s\n", name, err.text);
		return EXIT_START;
	}
	return serve(WORKER_SOCKET_FD, handle, &err);
}

int worker_main(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(workers); i++)
		if (strcmp(workers[i].name, name) == 0)
			return worker_serve(name, workers[i].start, workers[i].handle);
	fprintf(stderr, "converged: no worker is called %s\n", name);
	return EXIT_NAME;
}
