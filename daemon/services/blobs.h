/* The blob store: raw mail and attachments, as records in packs on this machine's disk or as
 * objects of an S3-compatible store; nobody above sees which. An id is 64 hex characters, most of
 * them the bytes' SHA-256: every put has an id of its own, and what is handed out was checked
 * against it. File names never become path names. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct blobs;
struct loop;
struct transfers;
struct worker_pool;

enum { BLOB_ID_CHARS = 64, BLOB_HASH_CHARS = 38 /* of an id, in front */ };

/* Under blobs/ in the folder that the pool's processes may touch. */
struct blobs *blobs_disk_new(struct worker_pool *disk);

struct blobs_s3_options {
	const char *url; /* s3_place.h; it was judged before */
	const char *access_key;
	const char *secret_key;
	int64_t timeout_ms; /* of one blob, repetitions included */
};
struct blobs *blobs_s3_new(struct loop *loop, struct transfers *transfers,
			   const struct blobs_s3_options *options);

void blobs_free(struct blobs **blobs); /* what waits ends with an error */

struct blob_piece {
	const void *bytes;
	size_t len;
};

/* ids: one for each piece, in their order; NULL with err. */
typedef void blob_keep_done(const char *const *ids, const struct error *err, void *context);
typedef void blob_put_done(const char *blob_id, const struct error *err, void *context);
typedef void blob_get_done(const void *bytes, size_t len, const struct error *err, void *context);

/* Each of these calls done once, never before it has returned; -1 with err: not at all. */

/* Durable before done says so, all of them or none. The bytes are copied. What is asked for while
 * a disk works goes to it as one job: one write and one sync for all. */
enum { BLOB_PIECES_MAX = 1100 };
int blobs_keep(struct blobs *blobs, const struct blob_piece *pieces, size_t count,
	       blob_keep_done *done, void *context, struct error *err);
int blobs_put(struct blobs *blobs, const void *bytes, size_t len, blob_put_done *done,
	      void *context, struct error *err); /* the same for one */
/* ERROR_PERMANENT: there is none, or it is damaged. */
int blobs_get(struct blobs *blobs, const char *blob_id, blob_get_done *done, void *context,
	      struct error *err);

/* For good: when done says so without err, no byte of them is in the store any more. Ids that are
 * gone already are fine, so after a crash it is asked again. */
typedef void blob_erase_done(const struct error *err, void *context);
int blobs_erase(struct blobs *blobs, const char *const *ids, size_t count, blob_erase_done *done,
		void *context, struct error *err);
