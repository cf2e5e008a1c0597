/* Listening sockets from an address setting: host:port, [v6]:port, unix:/path. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/* Non-blocking, close-on-exec; -1 with err. A unix socket left behind by a dead
 * process is replaced, one somebody listens on is not. */
int listener_open(const char *address, bool reuse_port, struct error *err);
int listener_port(int fd); /* 0 for a unix socket */
