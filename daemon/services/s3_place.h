/* Where the objects of an S3-compatible store lie, as a setting says it:
 * s3://bucket/prefix?endpoint=https://host:port&region=eu-central-1&style=path. Pure. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

enum { S3_URL_BYTES = 1000 };

struct s3_place {
	char base[S3_URL_BYTES];   /* http(s) URL that an object's key follows */
	char bucket[S3_URL_BYTES]; /* http(s) URL of the bucket */
	char prefix[S3_URL_BYTES]; /* of every key; "", or ends with "/" */
	char name[S3_URL_BYTES];   /* s3://host/bucket/prefix, for people and for comparing */
	char region[41];
	bool is_plain; /* http: what is sent can be read on its way */
};

/* endpoint: http:// or https://, host and port; default Amazon's of the region. region: default
 * us-east-1. style: path (default, endpoint/bucket/key) or virtual (bucket.endpoint/key). -1 with
 * err, whose text never holds the URL. */
int s3_place_read(const char *url, struct s3_place *ret, struct error *err);
