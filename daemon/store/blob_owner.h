/* Which blobs belong to a workspace. The blob store is one per installation and a blob's id is the
 * hash of its bytes and their place, and knowing an id must not be enough: {ws}:b:<bucket> holds
 * those that came in here, by upload, with a message, or from a provider. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "store/store.h"

enum { BLOB_ID_LEN = 64 };

bool blob_is_id(const char *text); /* 64 lower-case hex digits */

/* A blob as the scripts take it: 4 hex digits of bucket, 16 bytes of field. */
void blob_pack(struct buf *out, const char *blob);

/* Notes the packed blobs as the workspace's, under an idempotency key and request hash ("" both
 * without): blob_keep.lua. */
struct blob_keeping {
	const char *workspace;
	const char *key;
	const char *request;
	const struct buf *packed;
	const char *answer; /* second word of the answer, also of a repetition's; NULL: "" */
	bool is_named;      /* a message names each of them; else they are uploads */
	const char *upload; /* id of the one upload, which goes unless it is sent; NULL: none */
};
void blob_keep(struct store *store, const struct blob_keeping *keeping, store_done_fn *done,
	       void *context);

/* One use fewer for each of the ids (each once, each the workspace's): what no message names any
 * more is not the workspace's from then on, and is destroyed (media/discard.h). Under a key and
 * request hash, since a repetition would count again: blob_release.lua. */
struct blob_releasing {
	const char *workspace;
	const char *key;
	const char *request;
	const char *const *ids;
	size_t count;
	bool is_upload; /* refused in_use where a message names one */
};
void blob_release(struct store *store, const struct blob_releasing *releasing, store_done_fn *done,
		  void *context);

/* Uploads that are old: those that no message names are destroyed: blob_expire.lua. */
void blob_expire(struct store *store, const char *workspace, const char *const *ids, size_t count,
		 store_done_fn *done, void *context);

/* missing: place of the first one that is not the workspace's (an id that is none is nobody's);
 * count where all are. Once, never before the call has returned. */
typedef void blob_missing_fn(size_t missing, const struct error *err, void *context);
void blob_find_missing(struct store *store, const char *workspace, const char *const *blobs,
		       size_t count, blob_missing_fn *done, void *context);

/* The blobs that a stored message names, packed, and those its attachments became (lines of
 * conversation/files.h; NULL: none). */
void blob_find_named(const char *stored, const char *files, struct buf *packed);

/* The steps to formats 2 and 3: notes anew the blobs of all messages stored before. */
void blob_migrate(struct store *store, const char *workspace,
		  void (*done)(const struct error *err, void *context), void *context);
