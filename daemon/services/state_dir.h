/* state_dir: the files of one daemon, used by one process at a time (flock on
 * `lock`, which holds its pid). It remembers the instances that used it last:
 * whoever has the lock knows those to be dead. */
#pragma once

#include "base/error.h"

enum { INSTANCE_BYTES = 64, FORERUNNERS_BYTES = 512 };

struct state_dir;

/* Makes the directory where there is none and takes the lock. Blocking, at start only: a lock that
 * is held is waited for up to 5 s, which the log says at once; then ERROR_TEMPORARY names the
 * holder's pid. */
struct state_dir *state_dir_open(const char *path, struct error *err);
/* The lock goes with the last process that holds its descriptor. NULL-tolerant. */
void state_dir_close(struct state_dir **dir);

const char *state_dir_path(const struct state_dir *dir); /* absolute */
int state_dir_fd(const struct state_dir *dir);           /* O_PATH */
int state_dir_lock_fd(const struct state_dir *dir);      /* for a child that must not outlive it */

/* Writes down who uses it from now on; ret_forerunners gets who did before, newest first, parted by
 * spaces, "" where nobody is known. Several: one that was killed before it had a lease of its own
 * leaves its forerunners' behind. */
int state_dir_succeed(struct state_dir *dir, const char *instance,
		      char ret_forerunners[FORERUNNERS_BYTES], struct error *err);
