/* Where the store is: unix:/path or redis://[user:pass@]host:port[/db]. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

struct address {
	const char *path; /* of the unix socket; NULL: host and port */
	const char *host;
	int port;
	const char *user;     /* NULL: the default user */
	const char *password; /* NULL: none */
	int database;
	const char *shown; /* for logs and errors: without the password */
};

/* 0, or -1 with what is wrong and what this build supports. Texts live in arena. */
int address_parse(const char *url, struct arena *arena, struct address *ret_address,
		  struct error *err);
