/* spool/<name>: what was taken from a provider that will not send it again while
 * the store is away. A file is 16 bytes of head (magic, u64 base) and records of
 * u32 length, bytes, u32 CRC-32C over both, u32 length once more, so that the
 * tail can be checked without reading the rest. A position is base + bytes after
 * the head: it stays true when the front is dropped. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "services/frame.h"
#include "workers/disk.h"

enum {
	HEAD = 16,
	EXTRA = 12, /* of a record, beside its bytes */
	NAME_MAX_BYTES = 120,
	RECORD_MAX = FRAME_MAX_BYTES / 2,
};

static const char magic[8] = "CVSPOOL1";

struct spool {
	int folder;
	const char *name;
	int fd;
	uint64_t base;
	uint64_t size; /* of the file: HEAD or more */
};

static uint32_t crc32c(uint32_t crc, const void *bytes, size_t len)
{
	static const uint32_t nibbles[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
		0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};
	const unsigned char *next = bytes;

	crc = ~crc;
	for (size_t i = 0; i < len; i++) {
		crc ^= next[i];
		crc = (crc >> 4) ^ nibbles[crc & 15];
		crc = (crc >> 4) ^ nibbles[crc & 15];
	}
	return ~crc;
}

static int read_at(int fd, void *out, size_t len, uint64_t at)
{
	ssize_t n = pread(fd, out, len, (off_t)at);

	return n == (ssize_t)len ? 0 : -1;
}

/* The record at `at` is whole: its length in *ret_len, its bytes appended. */
static bool record_at(const struct spool *spool, uint64_t at, struct buf *bytes, uint32_t *ret_len)
{
	uint32_t len;
	uint32_t tail[2];
	uint32_t crc;

	if (spool->size - at < EXTRA || read_at(spool->fd, &len, sizeof(len), at) < 0)
		return false;
	if (len > RECORD_MAX || spool->size - at - EXTRA < len)
		return false;
	buf_reserve(bytes, len);
	if (read_at(spool->fd, bytes->data + bytes->len, len, at + sizeof(len)) < 0 ||
	    read_at(spool->fd, tail, sizeof(tail), at + sizeof(len) + len) < 0)
		return false;
	crc = crc32c(0, &len, sizeof(len));
	if (tail[1] != len || tail[0] != crc32c(crc, bytes->data + bytes->len, len))
		return false;
	bytes->len += len;
	*ret_len = len;
	return true;
}

static bool tail_is_whole(const struct spool *spool)
{
	struct buf bytes = { 0 };
	uint32_t len;
	uint32_t found;
	bool whole = false;

	if (spool->size == HEAD)
		return true;
	if (spool->size - HEAD < EXTRA ||
	    read_at(spool->fd, &len, sizeof(len), spool->size - sizeof(len)) < 0)
		return false;
	if (len <= spool->size - HEAD - EXTRA)
		whole = record_at(spool, spool->size - EXTRA - len, &bytes, &found) && found == len;
	buf_clear(&bytes);
	return whole;
}

static uint64_t whole_end(const struct spool *spool)
{
	struct buf bytes = { 0 };
	uint64_t at = HEAD;
	uint32_t len;

	while (record_at(spool, at, &bytes, &len)) {
		at += EXTRA + len;
		buf_reset(&bytes);
	}
	buf_clear(&bytes);
	return at;
}

static int copy_from(int from, uint64_t at, uint64_t end, int to)
{
	char piece[16 * 1024];

	while (at < end) {
		size_t len = end - at < sizeof(piece) ? (size_t)(end - at) : sizeof(piece);

		if (read_at(from, piece, len, at) < 0 || disk_write(to, piece, len) < 0)
			return -1;
		at += len;
	}
	return 0;
}

/* Bytes after the last whole record: the write that a crash cut short, which
 * nobody was told is kept. They are put aside all the same: the other cause is
 * a disk that lies, and then they are somebody's messages. */
static int mend(struct spool *spool, struct error *err)
{
	uint64_t end = whole_end(spool);
	char name[NAME_MAX_BYTES + 64];
	int rc = 0;
	int fd;

	snprintf(name, sizeof(name), "%s.cut-%llu", spool->name,
		 (unsigned long long)(spool->base + end - HEAD));
	fd = disk_open(spool->folder, name, O_WRONLY | O_CREAT | O_TRUNC);
	if (fd < 0)
		return disk_failed(err, "putting a torn tail aside");
	if (copy_from(spool->fd, end, spool->size, fd) < 0 || fsync(fd) < 0 ||
	    ftruncate(spool->fd, (off_t)end) < 0 || fsync(spool->fd) < 0 ||
	    fsync(spool->folder) < 0)
		rc = disk_failed(err, "mending a spool");
	close(fd);
	spool->size = end;
	return rc;
}

/* A new file under its name, with what stands in `from` after `at` (-1: nothing). */
static int write_file(struct spool *spool, uint64_t base, int from, uint64_t at, struct error *err)
{
	char name[NAME_MAX_BYTES + 8];
	int fd;

	snprintf(name, sizeof(name), "%s.new", spool->name);
	fd = disk_open(spool->folder, name, O_RDWR | O_CREAT | O_TRUNC);
	if (fd < 0)
		return disk_failed(err, "making a spool");
	if (disk_write(fd, magic, sizeof(magic)) < 0 || disk_write(fd, &base, sizeof(base)) < 0 ||
	    (from >= 0 && copy_from(from, at, spool->size, fd) < 0) || fsync(fd) < 0 ||
	    renameat(spool->folder, name, spool->folder, spool->name) < 0 ||
	    fsync(spool->folder) < 0) {
		disk_failed(err, "writing a spool");
		close(fd);
		return -1;
	}
	return fd;
}

static int open_head(struct spool *spool, struct error *err)
{
	char head[HEAD];
	struct stat stat;

	if (fstat(spool->fd, &stat) < 0)
		return disk_failed(err, "opening a spool");
	if (stat.st_size < HEAD || read_at(spool->fd, head, sizeof(head), 0) < 0 ||
	    memcmp(head, magic, sizeof(magic)) != 0)
		return error_set(err, ERROR_PERMANENT, "spool %s is not a spool", spool->name);
	memcpy(&spool->base, head + sizeof(magic), sizeof(spool->base));
	spool->size = (uint64_t)stat.st_size;
	return tail_is_whole(spool) ? 0 : mend(spool, err);
}

static int spool_open(struct spool *spool, int root, struct error *err)
{
	spool->folder = disk_folder(root, "spool", err);
	if (spool->folder < 0)
		return -1;
	spool->fd = disk_open(spool->folder, spool->name, O_RDWR);
	if (spool->fd < 0 && errno == ENOENT)
		spool->fd = write_file(spool, 0, -1, 0, err);
	else if (spool->fd < 0)
		disk_failed(err, "opening a spool");
	return spool->fd < 0 ? -1 : open_head(spool, err);
}

static void spool_close(struct spool *spool)
{
	if (spool->fd >= 0)
		close(spool->fd);
	if (spool->folder >= 0)
		close(spool->folder);
}

static int add(struct spool *spool, const char *bytes, size_t len, struct buf *answer,
	       struct error *err)
{
	struct buf record = { 0 };
	uint32_t size = (uint32_t)len;
	uint32_t crc;
	uint64_t end;
	int rc = 0;

	if (len > RECORD_MAX)
		return error_set(err, ERROR_PERMANENT, "a spool record of %zu bytes", len);
	buf_add(&record, &size, sizeof(size));
	buf_add(&record, bytes, len);
	crc = crc32c(0, record.data, record.len);
	buf_add(&record, &crc, sizeof(crc));
	buf_add(&record, &size, sizeof(size));
	if (lseek(spool->fd, (off_t)spool->size, SEEK_SET) < 0 ||
	    disk_write(spool->fd, record.data, record.len) < 0 || fsync(spool->fd) < 0) {
		rc = disk_failed(err, "writing a spool");
		if (ftruncate(spool->fd, (off_t)spool->size) < 0)
			error_wrap(err, "and cutting it back failed");
	}
	end = spool->base + spool->size + record.len - HEAD;
	buf_clear(&record);
	if (rc == 0)
		buf_add(answer, &end, sizeof(end));
	return rc;
}

static int read_records(const struct spool *spool, const char *job, size_t len, struct buf *answer,
			struct error *err)
{
	uint64_t range[2]; /* from, most bytes */
	uint64_t end = spool->base + spool->size - HEAD;
	struct buf bytes = { 0 };
	uint64_t at;
	uint32_t size;

	if (len != sizeof(range))
		return error_set(err, ERROR_MISUSE, "a spool read without its range");
	memcpy(range, job, sizeof(range));
	at = range[0] < spool->base ? spool->base : range[0];
	buf_add(answer, &at, sizeof(at)); /* corrected below */
	buf_add(answer, &end, sizeof(end));
	while (at < end && record_at(spool, at - spool->base + HEAD, &bytes, &size)) {
		if (answer->len > 2 * sizeof(at) && answer->len + size > range[1])
			break;
		buf_add(answer, &size, sizeof(size));
		buf_add(answer, bytes.data, size);
		at += EXTRA + size;
		buf_reset(&bytes);
	}
	buf_clear(&bytes);
	memcpy(answer->data, &at, sizeof(at));
	if (at < end && answer->len == 2 * sizeof(at))
		return error_set(err, ERROR_PERMANENT, "spool %s is damaged at %llu", spool->name,
				 (unsigned long long)at);
	return 0;
}

static int drop(struct spool *spool, const char *job, size_t len, struct error *err)
{
	uint64_t upto;
	int fd;

	if (len != sizeof(upto))
		return error_set(err, ERROR_MISUSE, "a spool drop without its position");
	memcpy(&upto, job, sizeof(upto));
	if (upto <= spool->base)
		return 0;
	if (upto > spool->base + spool->size - HEAD)
		return error_set(err, ERROR_MISUSE, "spool %s does not reach %llu", spool->name,
				 (unsigned long long)upto);
	fd = write_file(spool, upto, spool->fd, upto - spool->base + HEAD, err);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 0;
}

static bool is_name(const char *name, size_t len)
{
	return len > 0 && len <= NAME_MAX_BYTES &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == len;
}

int disk_spool(int root, const char *job, size_t len, struct buf *answer, struct error *err)
{
	const char *end = memchr(job + 1, '\0', len - 1);
	struct spool spool = { .folder = -1, .fd = -1, .name = job + 1 };
	const char *rest;
	size_t rest_len;
	int rc;

	if (end == NULL || !is_name(job + 1, (size_t)(end - job) - 1))
		return error_set(err, ERROR_MISUSE, "not a spool name");
	rest = end + 1;
	rest_len = len - (size_t)(rest - job);
	rc = spool_open(&spool, root, err);
	if (rc == 0 && job[0] == DISK_SPOOL_ADD)
		rc = add(&spool, rest, rest_len, answer, err);
	else if (rc == 0 && job[0] == DISK_SPOOL_READ)
		rc = read_records(&spool, rest, rest_len, answer, err);
	else if (rc == 0)
		rc = drop(&spool, rest, rest_len, err);
	spool_close(&spool);
	return rc;
}
