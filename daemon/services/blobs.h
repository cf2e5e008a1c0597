/* The blob store: raw mail and attachments, addressed by the SHA-256 of their
 * content, written and synced by the disk worker under state_dir/blobs/. An
 * id is 64 hex characters. File names never become path names. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct blobs;
struct worker_pool;

struct blobs *blobs_new(struct worker_pool *disk);
void blobs_free(struct blobs **blobs);

typedef void blob_put_done(const char *blob_id, const struct error *err, void *context);
typedef void blob_get_done(const void *bytes, size_t len, const struct error *err, void *context);

/* Durable (file and folder synced) before done says so. */
int blobs_put(struct blobs *blobs, const void *bytes, size_t len, blob_put_done *done,
	      void *context, struct error *err);
int blobs_get(struct blobs *blobs, const char *blob_id, blob_get_done *done, void *context,
	      struct error *err);
