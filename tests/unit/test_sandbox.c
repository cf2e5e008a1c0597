#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "workers/sandbox.h"

/* What code that took over a worker might try: 0 where it worked. */
static int try_open(void)
{
	return open("/etc/passwd", O_RDONLY) >= 0 ? 0 : errno;
}

static int try_write(void)
{
	return open("/tmp/converge-sandbox", O_WRONLY | O_CREAT, 0600) >= 0 ? 0 : errno;
}

static int try_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 0 : errno;
}

static int try_exec(void)
{
	char name[] = "true";
	char *const argv[] = { name, NULL };

	return execv("/bin/true", argv) == 0 ? 0 : errno;
}

static int __attribute__((unused)) try_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid > 0 ? 0 : errno;
}

static int try_nothing(void)
{
	free(memory_new(10 * 1024 * 1024));
	return 0;
}

static int enter_compute(void)
{
	struct error err;

	return sandbox_compute(&err);
}

static int enter_files(void)
{
	struct error err;
	int fd = open("/usr/share", O_RDONLY | O_DIRECTORY);

	return sandbox_files(fd, &err);
}

static int enter_network(void)
{
	struct error err;

	return sandbox_network(&err);
}

/* Runs attempt inside the sandbox: the exit status, or minus the signal. */
static int run(int (*enter)(void), int (*attempt)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || enter() < 0)
			_exit(255);
		_exit(attempt());
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

Test(sandbox, of_computing_has_no_files_network_or_programs)
{
	cr_assert_eq(run(enter_compute, try_nothing), 0);
	cr_assert_eq(run(enter_compute, try_open), EACCES);
	cr_assert_eq(run(enter_compute, try_write), EACCES);
	cr_assert_eq(run(enter_compute, try_socket), -SIGSYS);
	cr_assert_eq(run(enter_compute, try_exec), -SIGSYS);
#ifndef __SANITIZE_ADDRESS__ /* its reports need a process */
	cr_assert_eq(run(enter_compute, try_fork), -SIGSYS);
#endif
}

Test(sandbox, of_files_has_no_network_or_programs)
{
	cr_assert_eq(run(enter_files, try_nothing), 0);
	cr_assert_eq(run(enter_files, try_socket), -SIGSYS);
	cr_assert_eq(run(enter_files, try_exec), -SIGSYS);
}

Test(sandbox, of_network_has_no_programs)
{
	cr_assert_eq(run(enter_network, try_socket), 0);
	cr_assert_eq(run(enter_network, try_exec), -SIGSYS);
}
