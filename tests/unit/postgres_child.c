#include "postgres_child.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 1000 };

/* /usr/lib/postgresql/<version>/bin/<name>, of the newest. */
static void program(const char *name, char path[200])
{
	glob_t found = { 0 };
	char pattern[120];

	snprintf(pattern, sizeof(pattern), "/usr/lib/postgresql/*/bin/%s", name);
	cr_assert(glob(pattern, 0, NULL, &found) == 0,
		  "no %s: deploy/install-packages --tests installs it", name);
	snprintf(path, 200, "%s", found.gl_pathv[found.gl_pathc - 1]);
	globfree(&found);
}

/* The server refuses to run as root. */
static void become_postgres(void)
{
	const struct passwd *user = geteuid() == 0 ? getpwnam("postgres") : NULL;

	if (user != NULL &&
	    (setgroups(0, NULL) < 0 || setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0))
		_exit(126);
}

static pid_t run(const struct postgres_child *child, const char *const *words)
{
	char log[100];
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	become_postgres();
	/* A test that fails leaves no server behind; a change of user would forget this. */
	if (prctl(PR_SET_PDEATHSIG, SIGQUIT) < 0)
		_exit(126);
	snprintf(log, sizeof(log), "%s/log", child->dir);
	if (chdir(child->dir) < 0 || freopen(log, "a", stdout) == NULL || dup2(1, 2) < 0)
		_exit(126);
	execv(words[0], (char *const *)(uintptr_t)words);
	_exit(127);
}

static void make_files(const struct postgres_child *child)
{
	char path[200];
	char data[100];
	int status = 0;

	program("initdb", path);
	snprintf(data, sizeof(data), "%s/data", child->dir);
	waitpid(run(child, (const char *[]){ path, "-D", data, "-A", "trust", "-U", "test", "-E",
					     "UTF8", "--locale=C", "--no-sync", NULL }),
		&status, 0);
	cr_assert_eq(status, 0, "initdb failed, see %s/log", child->dir);
}

static void server_start(struct postgres_child *child)
{
	char path[200];
	char data[100];

	program("postgres", path);
	snprintf(data, sizeof(data), "%s/data", child->dir);
	child->pid = run(child, (const char *[]){ path, "-D", data, "-k", child->dir, "-h", "",
						  "-c", "shared_buffers=16MB", NULL });
}

static void wait_until_it_answers(struct postgres_child *child)
{
	const struct timespec pause = { 0, 10 * 1000 * 1000 };
	char path[200];

	program("pg_isready", path);
	for (int i = 0; i < TRIES; i++) {
		int status = 0;

		waitpid(run(child, (const char *[]){ path, "-q", "-h", child->dir, NULL }), &status,
			0);
		if (status == 0)
			return;
		/* It refuses to start while processes of its killed forerunner are still there. */
		if (waitpid(child->pid, NULL, WNOHANG) == child->pid)
			server_start(child);
		nanosleep(&pause, NULL);
	}
	cr_assert(false, "PostgreSQL does not start, see %s/log", child->dir);
}

void postgres_child_again(struct postgres_child *child)
{
	server_start(child);
	wait_until_it_answers(child);
}

void postgres_child_start(struct postgres_child *child)
{
	const struct passwd *user = getpwnam("postgres");

	snprintf(child->dir, sizeof(child->dir), "/tmp/converge-postgres-XXXXXX");
	cr_assert_not_null(mkdtemp(child->dir));
	if (geteuid() == 0 && user != NULL)
		cr_assert_eq(chown(child->dir, user->pw_uid, user->pw_gid), 0);
	make_files(child);
	snprintf(child->url, sizeof(child->url), "postgresql://test@localhost/postgres?host=%s",
		 child->dir);
	postgres_child_again(child);
}

void postgres_child_kill(struct postgres_child *child)
{
	/* At once, as in a crash, but with its children: they outlive a SIGKILL of the parent, and
	 * answer for a moment. */
	kill(child->pid, SIGQUIT);
	waitpid(child->pid, NULL, 0);
}

void postgres_child_stop(struct postgres_child *child)
{
	char command[120];

	kill(child->pid, SIGQUIT);
	waitpid(child->pid, NULL, 0);
	snprintf(command, sizeof(command), "rm -rf '%s'", child->dir);
	cr_assert_eq(system(command), 0);
}
