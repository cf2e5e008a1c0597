/* blobs/<pack>: records of 48 bytes of head (magic, u64 length, SHA-256) and the bytes, one after
 * the other. All blobs of a job are one write and one sync: a file of its own for each one costs
 * ten times as much. An id is the front of a blob's hash and where it lies, so that nothing needs
 * an index: 38 hex digits of the hash, 8 of the pack, 10 of the offset, 8 of the length. What a
 * process that died while it wrote left behind its last whole record is cut off by the next one.
 *
 * An erased record keeps its place as a hole: its bytes are given back to the file system (or are
 * overwritten where that cannot be) and synced before its head says so. So ids need no rewriting,
 * and whatever moment a crash takes, asking again ends it. A pack of holes alone is removed.
 *
 * An id that another store made names no place here: those are files (disk_loose.c). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
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
static const char magic_gone[8] = "CVGONE1"; /* the length stays, the rest is zeros */

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

/* A record's head at an offset. */
struct head {
	uint64_t len;
	char hash[2 * SHA256_BYTES + 1];
	bool is_gone;
};

/* False where there is no whole record. */
static bool head_read(int fd, uint64_t at, uint64_t end, struct head *ret)
{
	char head[HEAD];

	if (at + HEAD > end || pread(fd, head, HEAD, (off_t)at) != HEAD)
		return false;
	ret->is_gone = memcmp(head, magic_gone, sizeof(magic_gone)) == 0;
	if (!ret->is_gone && memcmp(head, magic, sizeof(magic)) != 0)
		return false;
	memcpy(&ret->len, head + sizeof(magic), sizeof(ret->len));
	text_hex((const unsigned char *)head + HEAD - SHA256_BYTES, SHA256_BYTES, ret->hash);
	return ret->len <= end - at - HEAD;
}

/* Where the records end that stand one after the other from the start. */
static uint64_t records_end(int fd, uint64_t end)
{
	struct head head;
	uint64_t at = 0;

	while (head_read(fd, at, end, &head))
		at += HEAD + head.len;
	return at;
}

/* Could a record that an id names begin after this offset? Earlier builds appended to torn ends. */
static bool has_magic_after(int fd, uint64_t at, uint64_t end)
{
	char *bytes;
	bool found;

	bytes = mmap(NULL, (size_t)end, PROT_READ, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED)
		return true;
	found = memmem(bytes + at + 1, (size_t)(end - at - 1), magic, sizeof(magic)) != NULL;
	munmap(bytes, (size_t)end);
	return found;
}

/* Cuts off what a process left that died while it wrote. 1: the pack can be written, 0: another
 * one is to be taken, -1 with err. */
static int pack_mend(struct pack *pack, uint64_t size, struct error *err)
{
	pack->end = records_end(pack->fd, size);
	if (pack->end == size)
		return 1;
	if (has_magic_after(pack->fd, pack->end, size))
		return 0;
	if (ftruncate(pack->fd, (off_t)pack->end) < 0)
		return disk_failed(err, "cutting off a torn blob");
	return 1;
}

/* 1 where it is ours to write, 0 where it is full or another's, -1 with err. */
static int pack_try(struct pack *pack, int folder, uint32_t number, struct error *err)
{
	char name[NAME_CHARS + 1];
	struct stat stat;
	int rc = 0;

	snprintf(name, sizeof(name), "%08" PRIx32, number);
	pack->fd = disk_open(folder, name, O_RDWR | O_CREAT);
	if (pack->fd < 0)
		return disk_failed(err, "opening a pack of blobs");
	if (flock(pack->fd, LOCK_EX | LOCK_NB) < 0) {
		rc = errno == EWOULDBLOCK ? 0 : disk_failed(err, "locking a pack of blobs");
	} else if (fstat(pack->fd, &stat) < 0 || fsync(folder) < 0) {
		rc = disk_failed(err, "opening a pack of blobs");
	} else if (stat.st_size < PACK_BYTES) {
		pack->number = number;
		rc = pack_mend(pack, (uint64_t)stat.st_size, err);
		if (rc == 1)
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
	struct head head;

	if (place->offset < HEAD ||
	    !head_read(place->fd, place->offset - HEAD, place->offset + place->len, &head) ||
	    head.is_gone || head.len != place->len ||
	    memcmp(head.hash, place->hash, HASH_CHARS) != 0)
		return no_blob(id, err);
	return 0;
}

/* The open pack of the id that a job names, and where in it; -1 with err. */
static int open_blob(int root, const char *id, int flags, struct place *ret, struct error *err)
{
	char path[sizeof("blobs/") + NAME_CHARS];

	if (!is_hex(id, ID_CHARS))
		return error_set(err, ERROR_MISUSE, "not a blob id");
	snprintf(path, sizeof(path), "blobs/%.*s", NAME_CHARS, id + HASH_CHARS);
	ret->offset = number_of(id + HASH_CHARS + NAME_CHARS, 10);
	ret->len = number_of(id + HASH_CHARS + NAME_CHARS + 10, 8);
	ret->hash = id;
	ret->fd = disk_open(root, path, flags);
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

	if (len != ID_CHARS)
		return error_set(err, ERROR_MISUSE, "not a blob id");
	if (open_blob(root, job, O_RDONLY, &place, err) < 0) {
		if (err->kind == ERROR_PERMANENT && disk_loose_is_there(root, job))
			return disk_loose_get(root, job, answer, err);
		return -1;
	}
	if (place.len > FRAME_MAX_BYTES)
		rc = error_set(err, ERROR_PERMANENT, "a blob that is too large");
	else
		rc = read_all(&place, answer, err);
	close(place.fd);
	return rc < 0 ? -1 : check(answer, &place, err);
}

/* ---- erasing ---- */

static int overwrite(const struct place *place)
{
	static const char zeros[64 * 1024];
	uint64_t done = 0;

	while (done < place->len) {
		size_t left = place->len - done < sizeof(zeros) ? (size_t)(place->len - done)
								: sizeof(zeros);
		ssize_t n = pwrite(place->fd, zeros, left, (off_t)(place->offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		done += (uint64_t)n;
	}
	return 0;
}

static int make_hole(const struct place *place)
{
	if (place->len == 0)
		return 0;
	if (fallocate(place->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)place->offset,
		      (off_t)place->len) == 0)
		return 0;
	return errno == EOPNOTSUPP || errno == ENOSYS ? overwrite(place) : -1;
}

static int mark_gone(const struct place *place)
{
	char head[HEAD] = { 0 };

	memcpy(head, magic_gone, sizeof(magic_gone));
	memcpy(head + sizeof(magic_gone), &place->len, sizeof(place->len));
	return pwrite(place->fd, head, HEAD, (off_t)(place->offset - HEAD)) == HEAD ? 0 : -1;
}

static bool is_all_gone(int fd)
{
	struct stat stat;
	struct head head;
	uint64_t end, at = 0;

	if (fstat(fd, &stat) < 0)
		return false;
	end = (uint64_t)stat.st_size;
	while (head_read(fd, at, end, &head) && head.is_gone)
		at += HEAD + head.len;
	return at == end;
}

/* Not the one that somebody writes: theirs is locked. */
static int drop_if_empty(int root, const struct place *place, struct error *err)
{
	char path[sizeof("blobs/") + NAME_CHARS];
	int folder;
	int rc = 0;

	if (flock(place->fd, LOCK_EX | LOCK_NB) < 0 || !is_all_gone(place->fd))
		return 0;
	folder = disk_folder(root, "blobs", err);
	if (folder < 0)
		return -1;
	snprintf(path, sizeof(path), "%.*s", NAME_CHARS, place->hash + HASH_CHARS);
	if (unlinkat(folder, path, 0) < 0 || fsync(folder) < 0)
		rc = disk_failed(err, "removing a pack of blobs");
	close(folder);
	return rc;
}

/* One step for every blob of the job, synced pack by pack. */
struct pass {
	int root;
	int (*step)(const struct place *place);
	bool drops; /* packs that are empty afterwards */
	struct place last;
};

static int pass_leave_pack(struct pass *pass, struct error *err)
{
	int rc = 0;

	if (pass->last.fd < 0)
		return 0;
	if (fdatasync(pass->last.fd) < 0)
		rc = disk_failed(err, "erasing blobs");
	if (rc == 0 && pass->drops)
		rc = drop_if_empty(pass->root, &pass->last, err);
	close(pass->last.fd);
	pass->last.fd = -1;
	return rc;
}

static int pass_step(struct pass *pass, const char *id, struct error *err)
{
	struct place place = { .fd = -1 };
	struct error gone = { 0 };

	if (open_blob(pass->root, id, O_RDWR, &place, &gone) < 0) {
		if (gone.kind == ERROR_PERMANENT) /* erased before, or a file */
			return disk_loose_erase(pass->root, id, err);
		*err = gone;
		return -1;
	}
	if (pass->last.fd >= 0 &&
	    memcmp(pass->last.hash + HASH_CHARS, id + HASH_CHARS, NAME_CHARS) == 0)
		close(pass->last.fd);
	else if (pass_leave_pack(pass, err) < 0) {
		close(place.fd);
		return -1;
	}
	pass->last = place;
	return pass->step(&place) < 0 ? disk_failed(err, "erasing a blob") : 0;
}

static int pass_run(struct pass *pass, const char *job, size_t len, struct error *err)
{
	int rc = 0;

	pass->last.fd = -1;
	for (size_t i = 0; rc == 0 && i < len; i += ID_CHARS)
		rc = pass_step(pass, job + i, err);
	if (rc == 0)
		return pass_leave_pack(pass, err);
	if (pass->last.fd >= 0)
		close(pass->last.fd);
	return -1;
}

/* The bytes first: a head that says "gone" is a promise. */
int disk_blob_erase(int root, const char *job, size_t len, struct error *err)
{
	struct pass holes = { .root = root, .step = make_hole };
	struct pass heads = { .root = root, .step = mark_gone, .drops = true };

	if (len % ID_CHARS != 0)
		return error_set(err, ERROR_MISUSE, "not a list of blob ids");
	if (pass_run(&holes, job, len, err) < 0)
		return -1;
	return pass_run(&heads, job, len, err);
}

/* ---- all of them ---- */

static int walk_pack(int folder, const char *name, disk_blob_fn *each, void *context,
		     struct error *err)
{
	char id[ID_CHARS + 1];
	struct stat stat;
	struct head head;
	uint64_t at = 0;
	int fd = disk_open(folder, name, O_RDONLY);
	int rc = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : disk_failed(err, "opening a pack of blobs");
	if (fstat(fd, &stat) < 0)
		rc = disk_failed(err, "reading a pack of blobs");
	while (rc == 0 && head_read(fd, at, (uint64_t)stat.st_size, &head)) {
		snprintf(id, sizeof(id), "%.*s%s%010" PRIx64 "%08" PRIx64, HASH_CHARS, head.hash,
			 name, at + HEAD, head.len);
		if (!head.is_gone)
			rc = each(id, context, err);
		at += HEAD + head.len;
	}
	close(fd);
	return rc;
}

static int walk_packs(int folder, disk_blob_fn *each, void *context, struct error *err)
{
	uint32_t newest = newest_pack(folder);
	int rc = 0;

	for (uint32_t number = 1; rc == 0 && number <= newest; number++) {
		char name[NAME_CHARS + 1];

		snprintf(name, sizeof(name), "%08" PRIx32, number);
		rc = walk_pack(folder, name, each, context, err);
	}
	return rc;
}

int disk_blob_walk(int root, disk_blob_fn *each, void *context, struct error *err)
{
	int folder = disk_folder(root, "blobs", err);
	int rc;

	if (folder < 0)
		return -1;
	rc = walk_packs(folder, each, context, err);
	close(folder);
	return rc != 0 ? rc : disk_loose_walk(root, each, context, err);
}

bool disk_blob_is_there(int root, const char *id)
{
	struct place place = { .fd = -1 };
	struct error ignored;

	if (open_blob(root, id, O_RDONLY, &place, &ignored) == 0)
		close(place.fd);
	return place.fd >= 0 || disk_loose_is_there(root, id);
}
