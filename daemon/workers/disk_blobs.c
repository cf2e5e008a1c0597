/* blobs/ab/cd/<64 hex>: written beside its place, synced, renamed, and the
 * folder synced: after an answer it survives a power cut, before one at most a
 * temporary file is left. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/text.h"
#include "services/frame.h"
#include "workers/disk.h"

enum { ID_CHARS = 2 * SHA256_BYTES };

/* The folder blobs/ab/cd of an id; made when `make` is set. -1 with err. */
static int open_folder(int root, const char *id, bool make, struct error *err)
{
	const char names[3][8] = { "blobs", { id[0], id[1], '\0' }, { id[2], id[3], '\0' } };
	int fd = root;

	for (int i = 0; i < 3; i++) {
		int next = make ? disk_folder(fd, names[i], err)
				: disk_open(fd, names[i], O_RDONLY | O_DIRECTORY);

		if (fd != root)
			close(fd);
		fd = next;
		if (fd < 0 && !make)
			error_set(err, ERROR_PERMANENT, "there is no blob %.64s", id);
		if (fd < 0)
			return -1;
	}
	return fd;
}

static int write_temporary(int folder, const char *name, const char *bytes, size_t len,
			   struct error *err)
{
	int fd = disk_open(folder, name, O_WRONLY | O_CREAT | O_TRUNC);
	int rc = 0;

	if (fd < 0)
		return disk_failed(err, "making a blob");
	if (disk_write(fd, bytes, len) < 0 || fsync(fd) < 0)
		rc = disk_failed(err, "writing a blob");
	if (close(fd) < 0 && rc == 0)
		rc = disk_failed(err, "closing a blob");
	return rc;
}

static int store(int folder, const char *id, const char *bytes, size_t len, struct error *err)
{
	char name[ID_CHARS + 16];
	struct stat stat;

	/* an earlier put may have died between the rename and the sync of the folder */
	if (fstatat(folder, id, &stat, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(stat.st_mode) &&
	    (size_t)stat.st_size == len)
		return fsync(folder) < 0 ? disk_failed(err, "syncing a blob's folder") : 0;
	snprintf(name, sizeof(name), "%s.%d", id, (int)getpid());
	if (write_temporary(folder, name, bytes, len, err) < 0) {
		unlinkat(folder, name, 0);
		return -1;
	}
	if (renameat(folder, name, folder, id) < 0 || fsync(folder) < 0)
		return disk_failed(err, "placing a blob");
	return 0;
}

int disk_blob_put(int root, const char *bytes, size_t len, struct buf *answer, struct error *err)
{
	unsigned char hash[SHA256_BYTES];
	char id[ID_CHARS + 1];
	int folder;
	int rc;

	crypto_sha256(bytes, len, hash);
	text_hex(hash, sizeof(hash), id);
	folder = open_folder(root, id, true, err);
	if (folder < 0)
		return -1;
	rc = store(folder, id, bytes, len, err);
	close(folder);
	if (rc == 0)
		buf_add(answer, id, ID_CHARS);
	return rc;
}

static bool is_id(const char *id, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr("0123456789abcdef", id[i]) || id[i] == '\0')
			return false;
	return len == ID_CHARS;
}

static int read_all(int fd, size_t len, struct buf *answer, struct error *err)
{
	buf_reserve(answer, len);
	while (answer->len < len) {
		ssize_t n = read(fd, answer->data + answer->len, len - answer->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return disk_failed(err, "reading a blob");
		if (n == 0)
			return error_set(err, ERROR_PERMANENT, "a blob that is cut short");
		answer->len += (size_t)n;
	}
	return 0;
}

/* The content is its own proof: what a failing disk changed is not handed out. */
static int check(const struct buf *answer, const char *id, struct error *err)
{
	unsigned char hash[SHA256_BYTES];
	char hex[ID_CHARS + 1];

	crypto_sha256(buf_string(answer), answer->len, hash);
	text_hex(hash, sizeof(hash), hex);
	if (memcmp(hex, id, ID_CHARS) != 0)
		return error_set(err, ERROR_PERMANENT, "blob %.64s is damaged", id);
	return 0;
}

/* The open file of the id that a job names, with its size; -1 with err. */
static int open_blob(int root, const char *job, size_t len, char id[ID_CHARS + 1],
		     int64_t *ret_size, struct error *err)
{
	struct stat stat;
	int folder;
	int fd;

	id[0] = '\0';
	if (!is_id(job, len))
		return error_set(err, ERROR_MISUSE, "not a blob id");
	memcpy(id, job, ID_CHARS);
	id[ID_CHARS] = '\0';
	folder = open_folder(root, id, false, err);
	if (folder < 0)
		return -1;
	fd = disk_open(folder, id, O_RDONLY);
	close(folder);
	if (fd < 0)
		return error_set(err, errno == ENOENT ? ERROR_PERMANENT : ERROR_TEMPORARY,
				 "there is no blob %s", id);
	if (fstat(fd, &stat) == 0) {
		*ret_size = stat.st_size;
		return fd;
	}
	close(fd);
	return disk_failed(err, "reading a blob");
}

int disk_blob_get(int root, const char *job, size_t len, struct buf *answer, struct error *err)
{
	char id[ID_CHARS + 1];
	int64_t size = 0;
	int fd = open_blob(root, job, len, id, &size, err);
	int rc;

	if (fd < 0)
		return -1;
	if (size > FRAME_MAX_BYTES)
		rc = error_set(err, ERROR_PERMANENT, "blob %s is too large", id);
	else
		rc = read_all(fd, (size_t)size, answer, err);
	close(fd);
	return rc < 0 ? -1 : check(answer, id, err);
}
