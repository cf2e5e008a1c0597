#include "services/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"

enum { PATH_BYTES = 4096 };

static int key_make(const char *state_dir, const char *path, unsigned char key[KEYFILE_BYTES],
		    struct error *err)
{
	char fresh[PATH_BYTES + 8];
	int fd;
	int folder;

	crypto_random(key, KEYFILE_BYTES);
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, key, KEYFILE_BYTES) != KEYFILE_BYTES || fsync(fd) != 0) {
		if (fd >= 0)
			close(fd);
		return error_set(err, ERROR_PERMANENT, "writing %s: %s", fresh, strerror(errno));
	}
	close(fd);
	/* link() instead of rename(): of two daemons that start at once one wins, and both use it.
	 */
	if (link(fresh, path) != 0 && errno != EEXIST)
		return error_set(err, ERROR_PERMANENT, "making %s: %s", path, strerror(errno));
	unlink(fresh);
	folder = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder >= 0) {
		fsync(folder);
		close(folder);
	}
	return 0;
}

static int key_load(const char *path, unsigned char key[KEYFILE_BYTES], struct error *err)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return error_set(err, ERROR_PERMANENT, "opening %s: %s", path, strerror(errno));
	got = read(fd, key, KEYFILE_BYTES);
	if (fstat(fd, &status) != 0)
		status.st_mode = 0777;
	close(fd);
	if (got != KEYFILE_BYTES)
		return error_set(err, ERROR_PERMANENT, "%s must hold %d bytes", path,
				 KEYFILE_BYTES);
	if ((status.st_mode & 0077) != 0)
		return error_set(err, ERROR_PERMANENT, "%s can be read by others: chmod 600 %s",
				 path, path);
	return 0;
}

int keyfile_read(const char *state_dir, unsigned char key[KEYFILE_BYTES], struct error *err)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "%s/installation.key", state_dir);
	if (access(path, F_OK) != 0 && key_make(state_dir, path, key, err) != 0)
		return -1;
	return key_load(path, key, err);
}
