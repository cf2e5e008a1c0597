/* Objects of an S3-compatible store, each request signed (AWS Signature Version 4, by libcurl) and
 * repeated while it may still succeed: a lost connection, 408, 429, 5xx (SlowDown) and bytes that
 * are not what the key says. A key is a blob's id and begins with its bytes' SHA-256, so a
 * repeated PUT changes nothing. */
#pragma once

#include <stddef.h>

#include "services/blobs.h"

struct s3;

struct s3 *s3_new(struct loop *loop, struct transfers *transfers,
		  const struct blobs_s3_options *options);
void s3_free(struct s3 **s3); /* what is under way ends with ERROR_TEMPORARY first */

/* bytes: of a GET, valid inside the call only. ERROR_PERMANENT: a GET found nothing, or what it
 * found is damaged. Once, never before s3_start() has returned. */
typedef void s3_done_fn(const void *bytes, size_t len, const struct error *err, void *context);

struct s3_request {
	const char *method; /* static: PUT, GET, DELETE */
	const char *key;    /* a blob's id */
	const void *bytes;  /* of a PUT; copied */
	size_t len;
	s3_done_fn *done;
	void *context;
};

/* -1 with err (temporary) while too many bytes wait. */
int s3_start(struct s3 *s3, const struct s3_request *request, struct error *err);
