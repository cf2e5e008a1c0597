#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "services/state_dir.h"

static char root[64];
static char path[80];

static void setup(void)
{
	strcpy(root, "/tmp/converge-test-XXXXXX");
	cr_assert_not_null(mkdtemp(root));
	snprintf(path, sizeof(path), "%s/state", root);
}

static void teardown(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", root);
	cr_assert_eq(system(command), 0);
}

TestSuite(state_dir, .init = setup, .fini = teardown);

static struct state_dir *open_it(void)
{
	struct error err = { 0 };
	struct state_dir *dir = state_dir_open(path, &err);

	cr_assert_not_null(dir, "%s", err.text);
	return dir;
}

/* Another process takes the lock and keeps it until the end of the pipe that is returned closes. */
static pid_t open_elsewhere(int *ret_end)
{
	int said[2];
	int end[2];
	char answer = 0;
	pid_t pid;

	cr_assert_eq(pipe2(said, O_CLOEXEC) + pipe2(end, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct error err;
		ssize_t moved;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(end[1]);
		moved = write(said[1], state_dir_open(path, &err) == NULL ? "n" : "y", 1);
		moved += read(end[0], &answer, 1);
		_exit(moved < 0);
	}
	close(said[1]);
	close(end[0]);
	cr_assert_eq(read(said[0], &answer, 1), 1);
	cr_assert_eq(answer, 'y');
	close(said[0]);
	*ret_end = end[1];
	return pid;
}

Test(state_dir, is_made_and_private)
{
	struct state_dir *dir = open_it();
	struct stat status;

	cr_assert_eq(stat(path, &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0700);
	cr_expect_str_eq(state_dir_path(dir), path);
	state_dir_close(&dir);
	cr_expect_null(dir);
	state_dir_close(&dir);
}

Test(state_dir, that_cannot_be_made_is_named)
{
	struct error err;

	snprintf(path, sizeof(path), "%s/no/state", root);
	cr_expect_null(state_dir_open(path, &err));
	cr_expect_eq(err.kind, ERROR_PERMANENT);
	cr_expect_not_null(strstr(err.text, path));
}

Test(state_dir, of_another_process_is_refused_and_the_log_says_at_once_that_it_waits)
{
	char expected[64];
	char said[2000] = "";
	struct error err;
	pid_t other;
	int end;
	int log[2];
	int old_err = dup(STDERR_FILENO);

	other = open_elsewhere(&end);
	cr_assert_eq(pipe2(log, O_CLOEXEC), 0);
	dup2(log[1], STDERR_FILENO);
	cr_expect_null(state_dir_open(path, &err));
	dup2(old_err, STDERR_FILENO);
	close(log[1]);
	cr_expect_gt(read(log[0], said, sizeof(said) - 1), 0);
	cr_expect_eq(err.kind, ERROR_TEMPORARY);
	snprintf(expected, sizeof(expected), "is in use by process %d", (int)other);
	cr_expect_not_null(strstr(err.text, expected), "%s", err.text);
	snprintf(expected, sizeof(expected), "event=waiting_for_state_dir");
	cr_expect_not_null(strstr(said, expected), "%s", said);
	snprintf(expected, sizeof(expected), " holder=%d ", (int)other);
	cr_expect_not_null(strstr(said, expected), "%s", said);
	close(end);
	waitpid(other, NULL, 0);
}

Test(state_dir, is_had_as_soon_as_its_holder_is_dead)
{
	struct state_dir *dir;
	int end;
	pid_t other = open_elsewhere(&end);

	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	dir = open_it();
	state_dir_close(&dir);
	close(end);
}

Test(state_dir, remembers_who_used_it)
{
	static const char *const expected[] = { "", "i-0", "i-1 i-0", "i-2 i-1 i-0" };
	char former[FORERUNNERS_BYTES];
	char user[INSTANCE_BYTES];
	struct error err;

	for (int i = 0; i < 200; i++) {
		struct state_dir *dir = open_it();

		snprintf(user, sizeof(user), "i-%d", i);
		cr_assert_eq(state_dir_succeed(dir, user, former, &err), 0, "%s", err.text);
		if (i < 4)
			cr_expect_str_eq(former, expected[i]);
		state_dir_close(&dir);
	}
	/* As many as there is room for, none cut short. */
	cr_expect_eq(strncmp(former, "i-198 i-197 i-196 ", 18), 0);
	cr_expect_gt(strlen(former), FORERUNNERS_BYTES - 8);
	cr_expect_eq(strlen(strrchr(former, ' ')), strlen(" i-100"));
}
