/* `store: embedded`: a private redis-server on a unix socket in state_dir,
 * AOF always. The child holds the lock of state_dir as well, and runs in a
 * session of its own with PR_SET_PDEATHSIG = SIGKILL: an orphan Redis can never
 * meet a second one on the same files. */
#pragma once

#include <stdint.h>

#include "base/error.h"

struct loop;
struct embedded;
struct state_dir;

struct embedded_options {
	const struct state_dir *state_dir; /* borrowed */
	int64_t max_memory;                /* bytes; 0: half of RAM */
	const char *append_fsync;          /* "always"; tests and the bench may say "everysec" */
};

/* Starts the child and waits for its socket. Blocking: only at start. */
struct embedded *embedded_start(struct loop *loop, const struct embedded_options *options,
				struct error *err);
const char *embedded_url(const struct embedded *embedded); /* unix:... */
/* SHUTDOWN, then wait; SIGKILL after grace_ms. */
void embedded_stop(struct embedded **pointer, int64_t grace_ms);
