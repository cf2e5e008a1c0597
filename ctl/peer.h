/* Connecting to a unix socket, however long its path is. */
#pragma once

#include "base/error.h"

/* A descriptor, or -1 with err (ERROR_TEMPORARY; says "PATH: reason"). */
int peer_connect(const char *path, struct error *err);
