/* The keys of an S3-compatible store that are blobs' ids, a page at a time (ListObjectsV2). */
#pragma once

#include <stddef.h>

#include "services/blobs.h"

enum { S3_LIST_MAX = 1000 };

/* ids in their order, valid inside the call; next is what the next page is asked after, NULL: this
 * was the last. Once, never before s3_list() has returned. */
typedef void s3_listed_fn(const char *const *ids, size_t count, const char *next,
			  const struct error *err, void *context);

/* after: NULL from the first on. The credentials need s3:ListBucket. */
void s3_list(struct transfers *transfers, const struct blobs_s3_options *options, const char *after,
	     s3_listed_fn *done, void *context);
