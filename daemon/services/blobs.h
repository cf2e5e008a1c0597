/* The blob store: raw mail and attachments, written and synced by the disk worker
 * under state_dir/blobs/. An id is 64 hex characters: most of the bytes' SHA-256
 * and where they lie. File names never become path names. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct blobs;
struct worker_pool;

struct blobs *blobs_new(struct worker_pool *disk);
void blobs_free(struct blobs **blobs); /* what waits ends with an error */

struct blob_piece {
	const void *bytes;
	size_t len;
};

/* ids: one for each piece, in their order; NULL with err. */
typedef void blob_keep_done(const char *const *ids, const struct error *err, void *context);
typedef void blob_put_done(const char *blob_id, const struct error *err, void *context);
typedef void blob_get_done(const void *bytes, size_t len, const struct error *err, void *context);

/* Durable before done says so, all of them or none. The bytes are copied. What is asked for while
 * the disk works goes to it as one job: one write and one sync for all. */
enum { BLOB_PIECES_MAX = 1100 };
int blobs_keep(struct blobs *blobs, const struct blob_piece *pieces, size_t count,
	       blob_keep_done *done, void *context, struct error *err);
int blobs_put(struct blobs *blobs, const void *bytes, size_t len, blob_put_done *done,
	      void *context, struct error *err); /* the same for one */
int blobs_get(struct blobs *blobs, const char *blob_id, blob_get_done *done, void *context,
	      struct error *err);

/* For good: when done says so without err, no byte of them is in the store any more. Ids that are
 * gone already are fine, so after a crash it is asked again. */
typedef void blob_erase_done(const struct error *err, void *context);
int blobs_erase(struct blobs *blobs, const char *const *ids, size_t count, blob_erase_done *done,
		void *context, struct error *err);
