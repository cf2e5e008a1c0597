/* blobs/loose/<first 2 digits>/<id>: blobs that came from a store whose ids name no place in a
 * pack. A file is whole and synced before it has its name. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/text.h"
#include "services/frame.h"
#include "workers/disk.h"

enum { ID_CHARS = 64, HASH_CHARS = 38, PATH_BYTES = 100 };

static bool is_id(const char *text)
{
	return strnlen(text, ID_CHARS) == ID_CHARS && strspn(text, "0123456789abcdef") >= ID_CHARS;
}

static void path_of(const char *id, char ret[PATH_BYTES])
{
	snprintf(ret, PATH_BYTES, "blobs/loose/%.2s/%.*s", id, ID_CHARS, id);
}

bool disk_loose_is_there(int root, const char *id)
{
	char path[PATH_BYTES];
	int fd;

	if (!is_id(id))
		return false;
	path_of(id, path);
	fd = disk_open(root, path, O_RDONLY);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* ---- writing ---- */

/* blobs/loose/ab, made where it is not there. */
static int folder_open(int root, const char *id, struct error *err)
{
	char name[3];
	int blobs = disk_folder(root, "blobs", err);
	int loose = blobs < 0 ? -1 : disk_folder(blobs, "loose", err);
	int folder = -1;

	snprintf(name, sizeof(name), "%.2s", id);
	if (loose >= 0)
		folder = disk_folder(loose, name, err);
	if (loose >= 0)
		close(loose);
	if (blobs >= 0)
		close(blobs);
	return folder;
}

static int file_write(int folder, const char *name, const void *bytes, size_t len,
		      struct error *err)
{
	int fd = disk_open(folder, name, O_WRONLY | O_CREAT | O_TRUNC);
	int rc = 0;

	if (fd < 0)
		return disk_failed(err, "making a blob's file");
	if (disk_write(fd, bytes, len) < 0 || fsync(fd) < 0)
		rc = disk_failed(err, "writing a blob's file");
	close(fd);
	return rc;
}

int disk_loose_put(int root, const char *id, const void *bytes, size_t len, struct error *err)
{
	char name[ID_CHARS + 1];
	char partial[ID_CHARS + 2];
	int folder;
	int rc;

	if (!is_id(id))
		return error_set(err, ERROR_MISUSE, "not a blob id");
	folder = folder_open(root, id, err);
	if (folder < 0)
		return -1;
	snprintf(name, sizeof(name), "%.*s", ID_CHARS, id);
	snprintf(partial, sizeof(partial), ".%s", name);
	rc = file_write(folder, partial, bytes, len, err);
	if (rc == 0 && (renameat(folder, partial, folder, name) < 0 || fsync(folder) < 0))
		rc = disk_failed(err, "naming a blob's file");
	close(folder);
	return rc;
}

/* ---- reading ---- */

static int file_read(int fd, struct buf *answer, struct error *err)
{
	struct stat stat;

	if (fstat(fd, &stat) < 0)
		return disk_failed(err, "reading a blob's file");
	if (stat.st_size > FRAME_MAX_BYTES)
		return error_set(err, ERROR_PERMANENT, "a blob that is too large");
	buf_reserve(answer, (size_t)stat.st_size);
	while (answer->len < (size_t)stat.st_size) {
		ssize_t n =
			read(fd, answer->data + answer->len, (size_t)stat.st_size - answer->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return disk_failed(err, "reading a blob's file");
		if (n == 0)
			return error_set(err, ERROR_PERMANENT, "a blob that is cut short");
		answer->len += (size_t)n;
	}
	return 0;
}

static int check(const char *id, const struct buf *answer, struct error *err)
{
	unsigned char hash[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];

	crypto_sha256(buf_string(answer), answer->len, hash);
	text_hex(hash, sizeof(hash), hex);
	if (memcmp(hex, id, HASH_CHARS) != 0)
		return error_set(err, ERROR_PERMANENT, "a blob is damaged");
	return 0;
}

int disk_loose_get(int root, const char *id, struct buf *answer, struct error *err)
{
	char path[PATH_BYTES];
	int fd;
	int rc;

	path_of(id, path);
	fd = disk_open(root, path, O_RDONLY);
	if (fd < 0)
		return disk_failed(err, "opening a blob's file");
	rc = file_read(fd, answer, err);
	close(fd);
	return rc < 0 ? -1 : check(id, answer, err);
}

/* ---- erasing ---- */

/* Like a hole in a pack: the blocks go back to the file system. */
int disk_loose_erase(int root, const char *id, struct error *err)
{
	char name[ID_CHARS + 1];
	int folder;
	int rc = 0;

	if (!disk_loose_is_there(root, id))
		return 0;
	folder = folder_open(root, id, err);
	if (folder < 0)
		return -1;
	snprintf(name, sizeof(name), "%.*s", ID_CHARS, id);
	if ((unlinkat(folder, name, 0) < 0 && errno != ENOENT) || fsync(folder) < 0)
		rc = disk_failed(err, "erasing a blob's file");
	close(folder);
	return rc;
}

/* ---- all of them ---- */

static int walk_folder(int loose, const char *folder, disk_blob_fn *each, void *context,
		       struct error *err)
{
	int fd = disk_open(loose, folder, O_RDONLY | O_DIRECTORY);
	DIR *names = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int rc = 0;

	if (names == NULL) {
		if (fd >= 0)
			close(fd);
		return errno == ENOENT ? 0 : disk_failed(err, "reading a folder of blobs");
	}
	while (rc == 0 && (entry = readdir(names)) != NULL)
		if (strlen(entry->d_name) == ID_CHARS && is_id(entry->d_name))
			rc = each(entry->d_name, context, err);
	closedir(names);
	return rc;
}

int disk_loose_walk(int root, disk_blob_fn *each, void *context, struct error *err)
{
	int loose = disk_open(root, "blobs/loose", O_RDONLY | O_DIRECTORY);
	int rc = 0;

	if (loose < 0)
		return errno == ENOENT ? 0 : disk_failed(err, "reading a folder of blobs");
	for (unsigned first = 0; rc == 0 && first < 256; first++) {
		char name[8];

		snprintf(name, sizeof(name), "%02x", first);
		rc = walk_folder(loose, name, each, context, err);
	}
	close(loose);
	return rc;
}
