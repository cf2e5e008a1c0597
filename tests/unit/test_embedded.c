#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "services/loop.h"
#include "services/state_dir.h"
#include "store/embedded.h"
#include "store_bed.h"

static char dir[64];
static struct loop *loop;
static struct state_dir *state_dir;

static void setup(void)
{
	strcpy(dir, "/tmp/converge-test-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	loop = loop_new();
}

static void teardown(void)
{
	char command[128];

	loop_free(&loop);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

TestSuite(embedded, .init = setup, .fini = teardown);

static struct embedded *start_in(const char *path, struct error *err)
{
	struct embedded_options options = { .max_memory = 64 << 20 };

	state_dir = state_dir_open(path, err);
	options.state_dir = state_dir;
	return state_dir == NULL ? NULL : embedded_start(loop, &options, err);
}

static struct embedded *start(struct error *err)
{
	return start_in(dir, err);
}

static void stop(struct embedded *embedded)
{
	embedded_stop(&embedded, 5000);
	state_dir_close(&state_dir);
}

static const char *ask(struct embedded *embedded, const char *verb, const char *a, const char *b)
{
	struct store_options options = { .url = embedded_url(embedded) };
	struct store_bed bed = { .loop = loop };
	static char answer[600];
	struct error err;
	struct store_call *call = store_command(verb);

	if (a != NULL)
		store_arg_text(call, a);
	if (b != NULL)
		store_arg_text(call, b);
	bed.store = store_new(loop, &options, &err);
	cr_assert_not_null(bed.store);
	snprintf(answer, sizeof(answer), "%s", bed_run(&bed, call));
	store_free(&bed.store);
	loop_turn(loop, false);
	return answer;
}

/* The child by its parent: the only redis-server this process started. */
static pid_t child_pid(struct embedded *embedded)
{
	char line[256] = "";
	struct store_options options = { .url = embedded_url(embedded) };
	struct store_bed bed = { .loop = loop };
	struct store_call *call = store_command("INFO");
	struct error err;
	const char *text;

	(void)line;
	store_arg_text(call, "server");
	bed.store = store_new(loop, &options, &err);
	text = strstr(bed_run(&bed, call), "process_id:");
	cr_assert_not_null(text);
	store_free(&bed.store);
	loop_turn(loop, false);
	return atoi(text + 11);
}

Test(embedded, keeps_what_was_written_over_a_restart)
{
	struct error err;
	struct embedded *embedded = start(&err);

	cr_assert_not_null(embedded, "%s", err.text);
	cr_expect_str_eq(ask(embedded, "SET", "a", "1"), "OK");
	stop(embedded);
	embedded = start(&err);
	cr_assert_not_null(embedded, "%s", err.text);
	cr_expect_str_eq(ask(embedded, "GET", "a", NULL), "1");
	stop(embedded);
}

Test(embedded, is_set_up_to_lose_nothing)
{
	struct error err;
	struct embedded *embedded = start(&err);
	struct stat status;
	char path[128];

	cr_expect_not_null(strstr(ask(embedded, "INFO", "persistence", NULL), "aof_enabled:1"));
	snprintf(path, sizeof(path), "%s/redis.sock", dir);
	cr_assert_eq(stat(path, &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0600);
	stop(embedded);
	cr_expect_neq(stat(path, &status), 0);
}

Test(embedded, comes_back_after_its_death)
{
	struct error err;
	struct embedded *embedded = start(&err);
	pid_t first = child_pid(embedded);

	cr_expect_str_eq(ask(embedded, "SET", "a", "1"), "OK");
	kill(first, SIGKILL);
	cr_expect_str_eq(ask(embedded, "GET", "a", NULL), "1");
	cr_expect_neq(child_pid(embedded), first);
	stop(embedded);
}

Test(embedded, starts_over_a_stale_socket)
{
	struct error err;
	struct embedded *embedded;
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/redis.sock", dir);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	embedded = start(&err);
	cr_assert_not_null(embedded, "%s", err.text);
	cr_expect_str_eq(ask(embedded, "SET", "a", "1"), "OK");
	stop(embedded);
}

/* Another process starts the store on the same state_dir and says so through the pipe. */
static pid_t start_elsewhere(int *ret_pipe)
{
	int pipes[2];
	pid_t pid;

	cr_assert_eq(pipe2(pipes, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct error err;
		struct embedded *embedded;
		ssize_t written;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		loop = loop_new();
		embedded = start(&err);
		written = write(pipes[1], embedded == NULL ? "n" : "y", 1);
		(void)written;
		pause();
		_exit(0);
	}
	close(pipes[1]);
	*ret_pipe = pipes[0];
	return pid;
}

Test(embedded, dies_with_a_killed_daemon_and_frees_the_lock)
{
	struct embedded *embedded;
	struct error err;
	char answer = 0;
	int fd;
	pid_t other = start_elsewhere(&fd);

	cr_assert_eq(read(fd, &answer, 1), 1);
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	embedded = start(&err);
	cr_assert_not_null(embedded, "%s", err.text);
	cr_expect_str_eq(ask(embedded, "SET", "a", "1"), "OK");
	stop(embedded);
	close(fd);
}

Test(embedded, works_in_a_state_dir_with_a_long_name)
{
	struct embedded *embedded;
	struct error err;
	char path[300];

	snprintf(path, sizeof(path), "%s/%0150d \"q", dir, 7);
	embedded = start_in(path, &err);
	cr_assert_not_null(embedded, "%s", err.text);
	cr_expect_str_eq(ask(embedded, "SET", "a", "1"), "OK");
	stop(embedded);
}
