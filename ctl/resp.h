/* A few words of the Redis protocol over a blocking socket, for doctor and
 * backup: they must work while the daemon is down. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* url is unix:/path; -1 with err where it cannot be reached. */
int resp_connect(const char *url, struct error *err);
/* Where the settings say the store is: embedded, unix:/path or redis://...; -1 with err. */
int resp_connect_store(const char *store, const char *state_dir, struct error *err);
/* Runs one inline command ("INFO memory") and takes its answer as text: a status, an integer, a
 * bulk string, or the items of an array of texts, one a line. */
int resp_run(int fd, const char *command, struct buf *ret_text, struct error *err);
/* A point-in-time copy of the data set, written to out_fd as an RDB file. */
int resp_copy(int fd, int out_fd, int64_t *ret_bytes, struct error *err);
