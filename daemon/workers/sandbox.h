/* What a worker gives up before its first job. Each call is made once, in the
 * child, after everything it needs has been opened. */
#pragma once

#include <stddef.h>

#include "base/error.h"

/* Bytes of address space (0: no bound) and descriptors; no core dumps, which
 * would hold customers' words. Address space is not bounded under sanitizers. */
int sandbox_limits(size_t address_space, size_t descriptors, struct error *err);

/* Pure computation: memory, the sockets and memfds that are open or arrive, and
 * nothing else. Opening a file is refused with EACCES; making a socket or a
 * process, exec and tracing kill the process. */
int sandbox_compute(struct error *err);

/* Files, no network, no exec; where the kernel has Landlock, only files beneath
 * the folder that dir_fd is. */
int sandbox_files(int dir_fd, struct error *err);

/* Network and reading of files; no exec, no tracing. */
int sandbox_network(struct error *err);
