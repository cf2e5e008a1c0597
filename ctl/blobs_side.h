/* A blob store as blobs copy and sweep see it: a folder or an S3-compatible store, with calls that
 * return when they are done. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

enum { SIDE_BATCH = 16, SIDE_ID_BYTES = 65 };

struct side;

struct side_place {
	const char *url;       /* file:/folder or s3://...; NULL: state_dir */
	const char *state_dir; /* absolute */
	const char *access_key, *secret_key;
	int64_t timeout_ms;
};

/* NULL with err. */
struct side *side_open(const struct side_place *place, struct error *err);
void side_close(struct side **side);
/* As {workspace}:meta names it: "disk", or s3://host/bucket/prefix. */
const char *side_name(const struct side *side);
bool side_is_disk(const struct side *side);
bool side_has(struct side *side, const char *id); /* of a folder */

/* Every blob of it, by its id. */
typedef int side_each_fn(const char *id, void *context, struct error *err);
int side_walk(struct side *side, side_each_fn *each, void *context, struct error *err);

/* count is SIDE_BATCH at most; errors stand beside each: ERROR_NONE, ERROR_PERMANENT (there is
 * none, or it is damaged), ERROR_TEMPORARY. What is read was checked against its id. */
struct side_blob {
	char id[SIDE_ID_BYTES];
	struct buf bytes;
	struct error err;
};
void side_get(struct side *side, struct side_blob *blobs, size_t count);
void side_put(struct side *side, struct side_blob *blobs, size_t count); /* durable */
int side_erase(struct side *side, const struct side_blob *blobs, size_t count, struct error *err);
