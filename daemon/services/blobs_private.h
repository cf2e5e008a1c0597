/* What a kind of blob store has to do (services/blobs.h says it for callers). */
#pragma once

#include "services/blobs.h"

struct blobs_kind {
	int (*keep)(struct blobs *blobs, const struct blob_piece *pieces, size_t count,
		    blob_keep_done *done, void *context, struct error *err);
	int (*get)(struct blobs *blobs, const char *blob_id, blob_get_done *done, void *context,
		   struct error *err);
	int (*erase)(struct blobs *blobs, const char *const *ids, size_t count,
		     blob_erase_done *done, void *context, struct error *err);
	void (*free)(struct blobs *blobs);
};

/* First in the struct of every kind. */
struct blobs {
	const struct blobs_kind *kind;
};
