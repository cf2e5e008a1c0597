/* The format: https://www.sqlite.org/fileformat2.html, 1.3 and 1.6. */
#include "workers/history_scrub.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

enum {
	HEADER_BYTES = 100, /* of the file, at the start of page 1 */
	PAGE_SIZE_AT = 16,
	AUTO_VACUUM_AT = 52, /* not 0: there are pages of pointers, too */
	PAGES_AT_ONCE = 64,
	INTERIOR_INDEX = 2,
	INTERIOR_TABLE = 5,
	LEAF_INDEX = 10,
	LEAF_TABLE = 13,
};

static size_t number_at(const unsigned char *bytes)
{
	return (size_t)bytes[0] << 8 | bytes[1];
}

static bool is_zero(const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

/* True where something was written over. start: of the page's own header. */
static bool page_scrub(unsigned char *page, size_t start, size_t size)
{
	unsigned char kind = page[start];
	bool is_interior = kind == INTERIOR_INDEX || kind == INTERIOR_TABLE;
	size_t from, to;

	if (!is_interior && kind != LEAF_INDEX && kind != LEAF_TABLE)
		return false;
	from = start + (is_interior ? 12 : 8) + 2 * number_at(page + start + 3);
	to = number_at(page + start + 5);
	if (to == 0)
		to = 65536;
	if (from >= to || to > size || is_zero(page + from, to - from))
		return false;
	memset(page + from, 0, to - from);
	return true;
}

static int failed(const char *doing, const char *path, struct error *err)
{
	return error_set(err, ERROR_TEMPORARY, "%s %s: %s", doing, path, strerror(errno));
}

static int pages_scrub(int fd, const char *path, size_t size, struct error *err)
{
	unsigned char *pages = memory_new(PAGES_AT_ONCE * size);
	off_t at = 0;
	ssize_t got;
	int rc = 0;

	while (rc == 0 && (got = pread(fd, pages, PAGES_AT_ONCE * size, at)) > 0) {
		size_t count = (size_t)got / size;

		for (size_t i = 0; rc == 0 && i < count; i++) {
			unsigned char *page = pages + i * size;
			off_t place = at + (off_t)(i * size);

			if (page_scrub(page, place == 0 ? HEADER_BYTES : 0, size) &&
			    pwrite(fd, page, size, place) != (ssize_t)size)
				rc = failed("writing", path, err);
		}
		if (count == 0)
			break;
		at += (off_t)(count * size);
	}
	if (rc == 0 && got < 0)
		rc = failed("reading", path, err);
	free(pages);
	return rc;
}

static int file_scrub(int fd, const char *path, struct error *err)
{
	unsigned char header[HEADER_BYTES];
	size_t size;

	if (pread(fd, header, sizeof(header), 0) != (ssize_t)sizeof(header))
		return failed("reading", path, err);
	size = number_at(header + PAGE_SIZE_AT);
	if (size == 1)
		size = 65536;
	if (memcmp(header, "SQLite format 3", 16) != 0 || size < 512 ||
	    !is_zero(header + AUTO_VACUUM_AT, 4))
		return error_set(err, ERROR_MISUSE, "%s is no SQLite database without auto_vacuum",
				 path);
	if (pages_scrub(fd, path, size, err) < 0)
		return -1;
	return fdatasync(fd) < 0 ? failed("syncing", path, err) : 0;
}

int sqlite_file_scrub(const char *path, struct error *err)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return failed("opening", path, err);
	rc = file_scrub(fd, path, err);
	close(fd);
	return rc;
}
