/* blobs/<pack>: records of 48 bytes of head (magic, u64 length, SHA-256) and the bytes, one after
 * the other. All blobs of a job are one write and one sync: a file of its own for each one costs
 * ten times as much. An id is the front of a blob's hash and where it lies, so that nothing needs
 * an index: 38 hex digits of the hash, 8 of the pack, 10 of the offset, 8 of the length. A process
 * that dies while it writes leaves bytes that no id names. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/text.h"
#include "services/frame.h"
#include "workers/disk.h"

enum {
	ID_CHARS = 64,
	HASH_CHARS = 38, /* of an id, in front */
	NAME_CHARS = 8,
	HEAD = 48,
	PACK_BYTES = 256 * 1024 * 1024, /* then the next one */
	TRIES = 100,
};

static const char magic[8] = "CVBLOB1";

/* Where this process writes; a pack has one writer. */
struct pack {
	int fd; /* -1: none */
	uint32_t number;
	uint64_t end;
};

/* A record that an id names. */
struct place {
	int fd;
	uint64_t offset; /* of its bytes */
	uint64_t len;
	const char *hash; /* HASH_CHARS of the id */
};

static struct pack *pack_of_process(void)
{
	static struct pack pack = { .fd = -1 };

	return &pack;
}

/* ---- the pack that is written ---- */

static bool is_hex(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\0' || !strchr("0123456789abcdef", text[i]))
			return false;
	return true;
}

/* The newest pack's number; 0: none yet. */
static uint32_t newest_pack(int folder)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *names = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	uint32_t newest = 0;

	while (names && (entry = readdir(names)) != NULL) {
		uint32_t number = (uint32_t)strtoul(entry->d_name, NULL, 16);

		if (strlen(entry->d_name) == NAME_CHARS && is_hex(entry->d_name, NAME_CHARS) &&
		    number > newest)
			newest = number;
	}
	if (names)
		closedir(names);
	else if (fd >= 0)
		close(fd);
	return newest;
}

/* 1 where it is ours to write, 0 where it is full or another's, -1 with err. */
static int pack_try(struct pack *pack, int folder, uint32_t number, struct error *err)
{
	char name[NAME_CHARS + 1];
	struct stat stat;
	int rc = 0;

	snprintf(name, sizeof(name), "%08" PRIx32, number);
	pack->fd = disk_open(folder, name, O_WRONLY | O_CREAT);
	if (pack->fd < 0)
		return disk_failed(err, "opening a pack of blobs");
	if (flock(pack->fd, LOCK_EX | LOCK_NB) < 0) {
		rc = errno == EWOULDBLOCK ? 0 : disk_failed(err, "locking a pack of blobs");
	} else if (fstat(pack->fd, &stat) < 0 || fsync(folder) < 0) {
		rc = disk_failed(err, "opening a pack of blobs");
	} else if (stat.st_size < PACK_BYTES) {
		pack->number = number;
		pack->end = (uint64_t)stat.st_size;
		return 1;
	}
	close(pack->fd);
	pack->fd = -1;
	return rc;
}

static int pack_open(struct pack *pack, int root, struct error *err)
{
	struct stat stat;
	uint32_t number;
	int folder;
	int rc = 0;

	/* A file that somebody removed takes writes and loses them. */
	if (pack->fd >= 0 && pack->end < PACK_BYTES && fstat(pack->fd, &stat) == 0 &&
	    stat.st_nlink > 0)
		return 0;
	if (pack->fd >= 0)
		close(pack->fd);
	pack->fd = -1;
	folder = disk_folder(root, "blobs", err);
	if (folder < 0)
		return -1;
	number = newest_pack(folder);
	for (uint32_t i = 0; rc == 0 && i < TRIES; i++)
		rc = pack_try(pack, folder, (number == 0 ? 1 : number) + i, err);
	close(folder);
	if (rc == 0)
		return error_set(err, ERROR_TEMPORARY, "no pack of blobs can be written");
	return rc < 0 ? -1 : 0;
}

/* What did not become durable is taken back; the next job opens anew. */
static int pack_write(struct pack *pack, const struct buf *records, struct error *err)
{
	size_t done = 0;

	while (done < records->len) {
		ssize_t n = pwrite(pack->fd, records->data + done, records->len - done,
				   (off_t)(pack->end + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (done == records->len && fdatasync(pack->fd) == 0) {
		pack->end += records->len;
		return 0;
	}
	disk_failed(err, "writing blobs");
	if (ftruncate(pack->fd, (off_t)pack->end) < 0)
		error_wrap(err, "taking back a blob: %s", strerror(errno));
	close(pack->fd);
	pack->fd = -1;
	return -1;
}

/* Appends the record of one blob, and its id to the answer. */
static void add_record(const struct pack *pack, const char *bytes, uint32_t len,
		       struct buf *records, struct buf *answer)
{
	uint64_t offset = pack->end + records->len + HEAD;
	uint64_t len64 = len;
	unsigned char hash[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];

	crypto_sha256(bytes, len, hash);
	text_hex(hash, sizeof(hash), hex);
	buf_add(records, magic, sizeof(magic));
	buf_add(records, &len64, sizeof(len64));
	buf_add(records, hash, sizeof(hash));
	buf_add(records, bytes, len);
	buf_format(answer, "%.*s%08" PRIx32 "%010" PRIx64 "%08" PRIx32, HASH_CHARS, hex,
		   pack->number, offset, len);
}

int disk_blob_put(int root, const char *job, size_t len, struct buf *answer, struct error *err)
{
	struct pack *pack = pack_of_process();
	struct buf records = { 0 };
	uint32_t size;
	int rc = 0;

	if (pack_open(pack, root, err) < 0)
		return -1;
	while (rc == 0 && len >= sizeof(size)) {
		memcpy(&size, job, sizeof(size));
		job += sizeof(size);
		len -= sizeof(size);
		if (size > len) {
			rc = error_set(err, ERROR_MISUSE, "a blob that is cut short");
			break;
		}
		add_record(pack, job, size, &records, answer);
		job += size;
		len -= size;
	}
	if (rc == 0)
		rc = pack_write(pack, &records, err);
	buf_clear(&records);
	return rc;
}

/* ---- reading ---- */

static int no_blob(const char *id, struct error *err)
{
	return error_set(err, ERROR_PERMANENT, "there is no blob %.*s", ID_CHARS, id);
}

static uint64_t number_of(const char *text, size_t len)
{
	char digits[17];

	snprintf(digits, sizeof(digits), "%.*s", (int)len, text);
	return strtoull(digits, NULL, 16);
}

/* The head must be the one of this id: whoever made an id up finds nothing. */
static int check_head(const struct place *place, const char *id, struct error *err)
{
	char head[HEAD];
	char hex[2 * SHA256_BYTES + 1];
	uint64_t len;

	if (place->offset < HEAD ||
	    pread(place->fd, head, HEAD, (off_t)(place->offset - HEAD)) != HEAD ||
	    memcmp(head, magic, sizeof(magic)) != 0)
		return no_blob(id, err);
	memcpy(&len, head + sizeof(magic), sizeof(len));
	text_hex((const unsigned char *)head + HEAD - SHA256_BYTES, SHA256_BYTES, hex);
	if (len != place->len || memcmp(hex, place->hash, HASH_CHARS) != 0)
		return no_blob(id, err);
	return 0;
}

/* The open pack of the id that a job names, and where in it; -1 with err. */
static int open_blob(int root, const char *id, size_t len, struct place *ret, struct error *err)
{
	char path[sizeof("blobs/") + NAME_CHARS];

	if (len != ID_CHARS || !is_hex(id, len))
		return error_set(err, ERROR_MISUSE, "not a blob id");
	snprintf(path, sizeof(path), "blobs/%.*s", NAME_CHARS, id + HASH_CHARS);
	ret->offset = number_of(id + HASH_CHARS + NAME_CHARS, 10);
	ret->len = number_of(id + HASH_CHARS + NAME_CHARS + 10, 8);
	ret->hash = id;
	ret->fd = disk_open(root, path, O_RDONLY);
	if (ret->fd < 0 && errno != ENOENT)
		return disk_failed(err, "opening a pack of blobs");
	if (ret->fd < 0)
		return no_blob(id, err);
	if (check_head(ret, id, err) == 0)
		return 0;
	close(ret->fd);
	return -1;
}

static int read_all(const struct place *place, struct buf *answer, struct error *err)
{
	buf_reserve(answer, (size_t)place->len);
	while (answer->len < place->len) {
		ssize_t n = pread(place->fd, answer->data + answer->len,
				  (size_t)place->len - answer->len,
				  (off_t)(place->offset + answer->len));

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
static int check(const struct buf *answer, const struct place *place, struct error *err)
{
	unsigned char hash[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];

	crypto_sha256(buf_string(answer), answer->len, hash);
	text_hex(hash, sizeof(hash), hex);
	if (memcmp(hex, place->hash, HASH_CHARS) != 0)
		return error_set(err, ERROR_PERMANENT, "a blob is damaged");
	return 0;
}

int disk_blob_get(int root, const char *job, size_t len, struct buf *answer, struct error *err)
{
	struct place place = { .fd = -1 };
	int rc;

	if (open_blob(root, job, len, &place, err) < 0)
		return -1;
	if (place.len > FRAME_MAX_BYTES)
		rc = error_set(err, ERROR_PERMANENT, "a blob that is too large");
	else
		rc = read_all(&place, answer, err);
	close(place.fd);
	return rc < 0 ? -1 : check(answer, &place, err);
}
