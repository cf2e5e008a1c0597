/* A small blocking HTTP/1.1 client over the daemon's admin socket: one request
 * on one connection. Understands Content-Length, chunked and until-close
 * bodies, and hands a stream out as it arrives. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

struct client_request {
	const char *socket_path;
	const char *method;
	const char *target; /* path and query */
	const char *workspace;
	bool may_make_workspace; /* otherwise one that is not there is refused */
	const char *body;        /* JSON; NULL: none */
	size_t body_len;
	const char *idempotency_key; /* NULL: none */
	const char *last_event_id;   /* NULL: none */
	int64_t timeout_ms;          /* between bytes; 0: none */
};

struct client_answer {
	int status;
	struct buf body;
};

/* Called for each run of body bytes of a 2xx answer; non-zero ends the transfer. */
typedef int client_data_fn(const char *bytes, size_t len, void *context);

/* 0, or -1 with err: ERROR_TEMPORARY where the daemon could not be reached or went away. The
 * caller clears answer->body either way. on_data NULL: the whole body goes to answer->body. */
int client_run(const struct client_request *request, client_data_fn *on_data, void *context,
	       struct client_answer *ret_answer, struct error *err);
