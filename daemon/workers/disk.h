/* The disk worker's two halves; every path is opened beneath the state folder. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"

/* Opens beneath the folder, through no symbolic link. -1 with errno. */
int disk_open(int dir_fd, const char *path, int flags);
/* Makes a folder if needed (its parent synced) and opens it; -1 with err. */
int disk_folder(int dir_fd, const char *name, struct error *err);
int disk_write(int fd, const void *bytes, size_t len); /* all of it; -1 with errno */
/* -1 with err "doing <what>: <errno>"; a full or failing disk is temporary. */
int disk_failed(struct error *err, const char *what);

/* What is in front of every job's bytes. */
enum disk_op {
	DISK_PUT = 'p',       /* u32 length, bytes ... -> blob id ... */
	DISK_GET = 'g',       /* blob id -> bytes */
	DISK_ERASE = 'e',     /* blob id ... -> nothing; those that are gone are fine */
	DISK_SPOOL_ADD = 'a', /* name NUL record -> u64 end */
	DISK_SPOOL_READ =
		'r', /* name NUL u64 from, u64 max -> u64 next, u64 end, then u32, record ... */
	DISK_SPOOL_DROP = 'd', /* name NUL u64 upto -> nothing */
};

int disk_blob_put(int root, const char *job, size_t len, struct buf *answer, struct error *err);
int disk_blob_get(int root, const char *job, size_t len, struct buf *answer, struct error *err);
int disk_blob_erase(int root, const char *job, size_t len, struct error *err);

/* Every blob that is there, by its id; not 0 ends it, and is what the walk answers. What is put
 * meanwhile may be left out. */
typedef int disk_blob_fn(const char *id, void *context, struct error *err);
int disk_blob_walk(int root, disk_blob_fn *each, void *context, struct error *err);
bool disk_blob_is_there(int root, const char *id);

/* disk_loose.c: blobs whose ids another store made, a file each. id has 64 hex digits. */
int disk_loose_put(int root, const char *id, const void *bytes, size_t len, struct error *err);
int disk_loose_get(int root, const char *id, struct buf *answer, struct error *err);
int disk_loose_erase(int root, const char *id, struct error *err); /* gone already is fine */
int disk_loose_walk(int root, disk_blob_fn *each, void *context, struct error *err);
bool disk_loose_is_there(int root, const char *id);
int disk_spool(int root, const char *job, size_t len, struct buf *answer, struct error *err);
