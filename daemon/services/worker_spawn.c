#include "services/worker_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"

enum { SPARE_FDS = 10 }; /* descriptors are moved above this before they are put in place */

/* The environment may hold secrets (${env:NAME}); a worker gets only these. */
static const char *const kept_variables[] = {
	"PATH=",         "HOME=",          "TZ=",           "SSL_CERT_FILE=", "SSL_CERT_DIR=",
	"ASAN_OPTIONS=", "UBSAN_OPTIONS=", "LSAN_OPTIONS=",
};

struct spawn {
	const char *executable;
	char *argv[3];
	char *environment[COUNT_OF(kept_variables) + 1];
	int socket;
	int state; /* -1: none */
	pid_t parent;
};

static void pick_environment(char *environment[])
{
	size_t count = 0;

	for (size_t i = 0; i < COUNT_OF(kept_variables); i++) {
		size_t len = strlen(kept_variables[i]);

		for (char **variable = environ; *variable != NULL; variable++)
			if (strncmp(*variable, kept_variables[i], len) == 0) {
				environment[count++] = *variable;
				break;
			}
	}
	environment[count] = NULL;
}

static void reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < SIGRTMIN; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Only async-signal-safe calls: libcurl's resolver threads may hold locks. */
static void run_child(const struct spawn *spawn)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int socket_fd = fcntl(spawn->socket, F_DUPFD_CLOEXEC, SPARE_FDS);
	int state_fd = spawn->state < 0 ? null_fd : spawn->state;

	state_fd = fcntl(state_fd, F_DUPFD_CLOEXEC, SPARE_FDS);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != spawn->parent)
		_exit(126);
	/* a session of its own: Ctrl-C is for the daemon, which ends it in order */
	if (setsid() < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		_exit(126);
	reset_signals();
	if (dup2(null_fd, 0) < 0 || dup2(2, 1) < 0 || dup2(socket_fd, WORKER_SOCKET_FD) < 0 ||
	    dup2(state_fd, WORKER_STATE_FD) < 0)
		_exit(126);
	if (close_range(WORKER_STATE_FD + 1, ~0U, 0) < 0)
		_exit(126);
	execve(spawn->executable, spawn->argv, spawn->environment);
	_exit(127);
}

static pid_t spawn_with(const struct spawn *spawn, struct error *err)
{
	sigset_t all;
	sigset_t before;
	pid_t pid;

	/* no handler of the daemon's may run in the child */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		run_child(spawn);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid < 0)
		error_set(err, ERROR_TEMPORARY, "fork: %s", strerror(errno));
	return pid;
}

pid_t worker_spawn(const struct worker_options *options, int *ret_fd, struct error *err)
{
	struct spawn spawn = { .executable = options->executable, .state = -1, .parent = getpid() };
	int ends[2];
	char name[64];
	pid_t pid = -1;

	if (spawn.executable == NULL)
		spawn.executable = "/proc/self/exe";
	snprintf(name, sizeof(name), "--worker=%s", options->name);
	spawn.argv[0] = (char[]){ "converged" };
	spawn.argv[1] = name;
	pick_environment(spawn.environment);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return error_set(err, ERROR_TEMPORARY, "socketpair: %s", strerror(errno));
	spawn.socket = ends[1];
	if (options->state_dir != NULL)
		spawn.state = open(options->state_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (options->state_dir != NULL && spawn.state < 0)
		error_set(err, ERROR_PERMANENT, "opening %s: %s", options->state_dir,
			  strerror(errno));
	else if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
		error_set(err, ERROR_TEMPORARY, "fcntl: %s", strerror(errno));
	else
		pid = spawn_with(&spawn, err);
	if (spawn.state >= 0)
		close(spawn.state);
	close(ends[1]);
	if (pid < 0)
		close(ends[0]);
	else
		*ret_fd = ends[0];
	return pid;
}
