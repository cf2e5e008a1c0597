#include "services/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"

enum { LOCK_WAIT_MS = 5000, LOCK_LOOK_MS = 20, PID_BYTES = 32 };

struct state_dir {
	char *path;
	int fd;
	int lock_fd;
};

static int fail(const struct state_dir *dir, const char *what, struct error *err)
{
	return error_set(err, ERROR_PERMANENT, "state_dir %s: %s: %s", dir->path, what,
			 strerror(errno));
}

/* --- the lock --- */

static const char *lock_holder(const struct state_dir *dir, char out[PID_BYTES])
{
	ssize_t len = pread(dir->lock_fd, out, PID_BYTES - 1, 0);

	out[len > 0 ? len : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return *out == '\0' ? "(unknown)" : out;
}

static int lock_wait(struct state_dir *dir, struct error *err)
{
	const struct timespec pause = { .tv_nsec = LOCK_LOOK_MS * 1000000L };
	char pid[PID_BYTES];

	for (int waited = 0; flock(dir->lock_fd, LOCK_EX | LOCK_NB) < 0; waited += LOCK_LOOK_MS) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return fail(dir, "lock", err);
		if (waited >= LOCK_WAIT_MS)
			return error_set(err, ERROR_TEMPORARY,
					 "state_dir %s is in use by process %s", dir->path,
					 lock_holder(dir, pid));
		if (waited == 0)
			log_warn("broker",
				 "event=waiting_for_state_dir path=%s holder=%s for_ms=%d",
				 log_quote(dir->path), lock_holder(dir, pid), LOCK_WAIT_MS);
		nanosleep(&pause, NULL);
	}
	return 0;
}

static int take_lock(struct state_dir *dir, struct error *err)
{
	char pid[PID_BYTES];
	int len = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());

	dir->lock_fd = openat(dir->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (dir->lock_fd < 0)
		return fail(dir, "lock", err);
	if (lock_wait(dir, err) < 0)
		return -1;
	if (ftruncate(dir->lock_fd, 0) < 0 ||
	    pwrite(dir->lock_fd, pid, (size_t)len, 0) != (ssize_t)len)
		return fail(dir, "cannot write lock", err);
	return 0;
}

/* --- who used it --- */

static void read_instances(const struct state_dir *dir, char out[FORERUNNERS_BYTES])
{
	int fd = openat(dir->fd, "instances", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, out, FORERUNNERS_BYTES - 1);

	out[len > 0 ? len : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
}

static bool write_all(int fd, const char *text)
{
	ssize_t len = (ssize_t)strlen(text);

	return write(fd, text, (size_t)len) == len;
}

/* Renamed into its place, so that a crash leaves the old list or the new one. */
int state_dir_succeed(struct state_dir *dir, const char *instance,
		      char ret_forerunners[FORERUNNERS_BYTES], struct error *err)
{
	int fd = openat(dir->fd, "instances.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char list[FORERUNNERS_BYTES + INSTANCE_BYTES];
	bool is_written;

	read_instances(dir, ret_forerunners);
	snprintf(list, sizeof(list), "%s%s%s", instance, *ret_forerunners == '\0' ? "" : " ",
		 ret_forerunners);
	/* The oldest goes where there is no room. */
	while (strlen(list) >= FORERUNNERS_BYTES)
		*strrchr(list, ' ') = '\0';
	is_written = fd >= 0 && write_all(fd, list);
	if (fd >= 0)
		close(fd);
	if (!is_written || renameat(dir->fd, "instances.new", dir->fd, "instances") < 0)
		return fail(dir, "cannot write instances", err);
	return 0;
}

/* --- public --- */

struct state_dir *state_dir_open(const char *path, struct error *err)
{
	struct state_dir *dir = memory_new(sizeof(*dir));

	dir->fd = dir->lock_fd = -1;
	if (mkdir(path, 0700) == 0 || errno == EEXIST) {
		dir->path = realpath(path, NULL);
		if (dir->path != NULL)
			dir->fd = open(dir->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	if (dir->fd >= 0 && take_lock(dir, err) == 0)
		return dir;
	if (dir->fd < 0)
		error_set(err, ERROR_PERMANENT, "state_dir %s: %s", path, strerror(errno));
	state_dir_close(&dir);
	return NULL;
}

void state_dir_close(struct state_dir **pointer)
{
	struct state_dir *dir = *pointer;

	if (dir == NULL)
		return;
	*pointer = NULL;
	if (dir->lock_fd >= 0)
		close(dir->lock_fd);
	if (dir->fd >= 0)
		close(dir->fd);
	free(dir->path);
	free(dir);
}

const char *state_dir_path(const struct state_dir *dir)
{
	return dir->path;
}

int state_dir_fd(const struct state_dir *dir)
{
	return dir->fd;
}

int state_dir_lock_fd(const struct state_dir *dir)
{
	return dir->lock_fd;
}
