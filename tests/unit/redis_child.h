/* A private redis-server of a test: unix socket in a directory of its own,
 * ended by pid; and a small blocking client, so that tests look at the store
 * with other eyes than the program's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct redis_child {
	pid_t pid;
	char dir[64];
	char socket[96];
	char url[112]; /* unix:... */
	int fd;
	char *buffer; /* unread bytes of the client */
	size_t from, to;
};

/* options: further words of redis-server's command line, NULL-ended; may be
 * NULL. Default: no AOF, no RDB. Aborts the test if the server does not come. */
void redis_child_start(struct redis_child *child, const char *const *options);
void redis_child_kill(struct redis_child *child); /* SIGKILL, directory kept */
void redis_child_again(struct redis_child *child, const char *const *options); /* after a kill */
void redis_child_stop(struct redis_child *child); /* and removes the directory */

/* A TCP port that nobody listens on, and no other test is given while this process lives; as
 * tests/integration/ports.py. */
int redis_free_port(void);

struct resp {
	char type; /* + - : $ * and _ for nil */
	long long number;
	char *text; /* of + - $; NUL-terminated */
	size_t len; /* bytes, or count of items */
	struct resp **items;
};

struct resp *redis_argv(struct redis_child *child, size_t count, const char *const *words,
			const size_t *lens /* NULL: texts */);
/* Words parted by single spaces; printf form. */
struct resp *redis_do(struct redis_child *child, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* As redis_do, and the answer as a text: "(nil)", a number, a text, or items joined by ",". Static
 * buffer. */
const char *redis_ask(struct redis_child *child, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void resp_free(struct resp **resp);
