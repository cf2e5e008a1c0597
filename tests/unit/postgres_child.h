/* A private PostgreSQL of a test: unix socket in a directory of its own, run as
 * the user postgres where the test is root, ended by pid. */
#pragma once

#include <sys/types.h>

struct postgres_child {
	pid_t pid;
	char dir[64];
	char url[160]; /* postgresql://... */
};

void postgres_child_start(struct postgres_child *child);
void postgres_child_kill(struct postgres_child *child);  /* SIGKILL of the server, files kept */
void postgres_child_again(struct postgres_child *child); /* after a kill */
void postgres_child_stop(struct postgres_child *child);
