/* An SMTP server for a test: tests/data/worker/smtp_server.py in one of its modes. */
#pragma once

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t smtp_server;
static char smtp_server_url[64];

static void smtp_server_stop(void)
{
	if (smtp_server == 0)
		return;
	kill(smtp_server, SIGKILL);
	waitpid(smtp_server, NULL, 0);
	smtp_server = 0;
}

static void smtp_server_start(const char *dir, const char *mode)
{
	int ends[2];
	int port = 0;
	FILE *out;

	smtp_server_stop();
	cr_assert_eq(pipe(ends), 0);
	smtp_server = fork();
	if (smtp_server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(ends[1], 1);
		close(2); /* it logs what the tests provoke */
		execl(TEST_DATA "/worker/smtp_server.py", "smtp_server.py", mode, dir,
		      (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	out = fdopen(ends[0], "r");
	cr_assert_eq(fscanf(out, "%d", &port), 1, "%s does not start", mode);
	fclose(out);
	snprintf(smtp_server_url, sizeof(smtp_server_url), "smtp://127.0.0.1:%d", port);
}
