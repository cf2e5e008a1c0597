/* Starts one worker process: fork + exec with nothing but a socket, stderr and,
 * where options name a state_dir, an O_PATH descriptor of it. */
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "services/worker.h"

enum {
	WORKER_SOCKET_FD = 3, /* in the child */
	WORKER_STATE_FD = 4,
};

/* The process id, and the parent's non-blocking end in *ret_fd; -1 with err. */
pid_t worker_spawn(const struct worker_options *options, int *ret_fd, struct error *err);
