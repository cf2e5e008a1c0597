#include "workers/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "services/worker_spawn.h"
#include "workers/sandbox.h"
#include "workers/worker.h"

enum {
	DESCRIPTORS = 64,
	FILE_MODE = 0600,
	FOLDER_MODE = 0700,
};

int disk_open(int dir_fd, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC,
		.mode = (flags & O_CREAT) != 0 ? FILE_MODE : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
}

int disk_failed(struct error *err, const char *what)
{
	return error_set(err, ERROR_TEMPORARY, "%s: %s", what, strerror(errno));
}

int disk_folder(int dir_fd, const char *name, struct error *err)
{
	int fd;

	if (mkdirat(dir_fd, name, FOLDER_MODE) == 0) {
		if (fsync(dir_fd) < 0)
			return disk_failed(err, "syncing a folder");
	} else if (errno != EEXIST) {
		return disk_failed(err, "making a folder");
	}
	fd = disk_open(dir_fd, name, O_RDONLY | O_DIRECTORY);
	return fd < 0 ? disk_failed(err, "opening a folder") : fd;
}

int disk_write(int fd, const void *bytes, size_t len)
{
	const char *next = bytes;

	while (len > 0) {
		ssize_t n = write(fd, next, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		next += n;
		len -= (size_t)n;
	}
	return 0;
}

/* O_PATH descriptors cannot be synced; the root is opened anew for reading. */
static int open_root(struct error *err)
{
	int root = openat(WORKER_STATE_FD, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return root < 0 ? disk_failed(err, "opening the state folder") : root;
}

int disk_start(struct error *err)
{
	int root;

	umask(077);
	if (sandbox_limits(0, DESCRIPTORS, err) < 0)
		return -1;
	root = open_root(err);
	if (root < 0 || sandbox_files(root, err) < 0)
		return -1;
	if (dup2(root, WORKER_STATE_FD) < 0)
		return disk_failed(err, "dup2");
	close(root);
	return 0;
}

int disk_handle(const char *job, size_t len, struct buf *answer, struct error *err)
{
	if (len == 0)
		return error_set(err, ERROR_MISUSE, "an empty disk job");
	switch (job[0]) {
	case DISK_PUT:
		return disk_blob_put(WORKER_STATE_FD, job + 1, len - 1, answer, err);
	case DISK_GET:
		return disk_blob_get(WORKER_STATE_FD, job + 1, len - 1, answer, err);
	case DISK_ERASE:
		return disk_blob_erase(WORKER_STATE_FD, job + 1, len - 1, err);
	case DISK_SPOOL_ADD:
	case DISK_SPOOL_READ:
	case DISK_SPOOL_DROP:
		return disk_spool(WORKER_STATE_FD, job, len, answer, err);
	default:
		return error_set(err, ERROR_MISUSE, "an unknown disk job");
	}
}
