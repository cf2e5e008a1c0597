/* Blobs as objects of an S3-compatible store. An id, which is the object's key, is the front of the
 * bytes' hash and a random number: two puts of the same bytes are two objects, so that erasing the
 * one can never take the other away that is being acknowledged at this moment. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "base/text.h"
#include "services/blobs_private.h"
#include "services/s3.h"

struct s3_blobs {
	struct blobs blobs;
	struct s3 *s3;
};

enum { RANDOM_BYTES = (BLOB_ID_CHARS - BLOB_HASH_CHARS) / 2 };

/* Several objects that are wanted together. */
struct group {
	struct s3 *s3;
	char (*ids)[BLOB_ID_CHARS + 1];
	size_t count;
	size_t started;
	size_t waiting;
	struct error problem; /* the first one */
	blob_keep_done *kept; /* one of the two */
	blob_erase_done *erased;
	void *context;
};

static struct group *group_new(struct s3 *s3, size_t count, void *context)
{
	struct group *group = memory_new(sizeof(*group));

	group->s3 = s3;
	group->ids = memory_new(count * sizeof(*group->ids));
	group->count = count;
	group->context = context;
	return group;
}

static void group_free(struct group *group)
{
	free(group->ids);
	free(group);
}

/* ---- keeping ---- */

static void on_taken_back(const void *bytes, size_t len, const struct error *err, void *context)
{
	(void)bytes;
	(void)len;
	(void)err; /* it stays as bytes that no id names */
	(void)context;
}

/* All or none: what is there already goes. */
static void take_back(struct group *group)
{
	struct error ignored;

	for (size_t i = 0; i < group->started; i++)
		s3_start(group->s3,
			 &(struct s3_request){
				 .method = "DELETE", .key = group->ids[i], .done = on_taken_back },
			 &ignored);
}

static void kept_end(struct group *group)
{
	const char **ids = memory_new((group->count + 1) * sizeof(*ids));
	bool failed = group->problem.kind != ERROR_NONE;

	for (size_t i = 0; i < group->count; i++)
		ids[i] = group->ids[i];
	if (failed)
		take_back(group);
	group->kept(failed ? NULL : ids, failed ? &group->problem : NULL, group->context);
	free(ids);
	group_free(group);
}

static void on_kept(const void *bytes, size_t len, const struct error *err, void *context)
{
	struct group *group = context;

	(void)bytes;
	(void)len;
	if (err != NULL && group->problem.kind == ERROR_NONE) {
		group->problem = *err;
		group->problem.kind = ERROR_TEMPORARY; /* whoever sent the bytes keeps them */
	}
	if (--group->waiting == 0)
		kept_end(group);
}

static void id_make(const struct blob_piece *piece, char id[BLOB_ID_CHARS + 1])
{
	unsigned char hash[SHA256_BYTES];
	unsigned char random[RANDOM_BYTES];
	char hex[2 * SHA256_BYTES + 1];

	crypto_sha256(piece->bytes, piece->len, hash);
	crypto_random(random, sizeof(random));
	text_hex(hash, sizeof(hash), hex);
	memcpy(id, hex, BLOB_HASH_CHARS);
	text_hex(random, sizeof(random), id + BLOB_HASH_CHARS);
}

static int s3_keep(struct blobs *base, const struct blob_piece *pieces, size_t count,
		   blob_keep_done *done, void *context, struct error *err)
{
	struct s3_blobs *blobs = (struct s3_blobs *)base;
	struct group *group = group_new(blobs->s3, count, context);
	int rc = 0;

	group->kept = done;
	while (rc == 0 && group->started < count) {
		const struct blob_piece *piece = &pieces[group->started];

		id_make(piece, group->ids[group->started]);
		rc = s3_start(blobs->s3,
			      &(struct s3_request){ "PUT", group->ids[group->started], piece->bytes,
						    piece->len, on_kept, group },
			      err);
		if (rc == 0) {
			group->started++;
			group->waiting++;
		}
	}
	if (rc == 0)
		return 0;
	if (group->waiting == 0) {
		group_free(group);
		return -1;
	}
	group->problem = *err; /* those on their way end first */
	return 0;
}

/* ---- reading ---- */

struct reading {
	blob_get_done *done;
	void *context;
};

static void on_got(const void *bytes, size_t len, const struct error *err, void *context)
{
	struct reading *reading = context;

	reading->done(bytes, len, err, reading->context);
	free(reading);
}

static int s3_get(struct blobs *base, const char *blob_id, blob_get_done *done, void *context,
		  struct error *err)
{
	struct s3_blobs *blobs = (struct s3_blobs *)base;
	struct reading *reading = memory_new(sizeof(*reading));

	*reading = (struct reading){ done, context };
	if (s3_start(blobs->s3,
		     &(struct s3_request){
			     .method = "GET", .key = blob_id, .done = on_got, .context = reading },
		     err) == 0)
		return 0;
	free(reading);
	return -1;
}

/* ---- erasing ---- */

static void on_erased(const void *bytes, size_t len, const struct error *err, void *context)
{
	struct group *group = context;

	(void)bytes;
	(void)len;
	if (err != NULL && group->problem.kind == ERROR_NONE)
		group->problem = *err;
	if (--group->waiting > 0)
		return;
	group->erased(group->problem.kind == ERROR_NONE ? NULL : &group->problem, group->context);
	group_free(group);
}

static int s3_erase(struct blobs *base, const char *const *ids, size_t count, blob_erase_done *done,
		    void *context, struct error *err)
{
	struct s3_blobs *blobs = (struct s3_blobs *)base;
	struct group *group = group_new(blobs->s3, count, context);
	struct s3_request request = { .method = "DELETE", .done = on_erased, .context = group };

	group->erased = done;
	for (size_t i = 0; i < count; i++) {
		request.key = ids[i];
		if (s3_start(blobs->s3, &request, err) == 0)
			group->waiting++;
		else
			group->problem = *err;
	}
	if (group->waiting > 0)
		return 0;
	group_free(group);
	return -1;
}

static void s3_close(struct blobs *base)
{
	struct s3_blobs *blobs = (struct s3_blobs *)base;

	s3_free(&blobs->s3);
	free(blobs);
}

static const struct blobs_kind s3_kind = { s3_keep, s3_get, s3_erase, s3_close };

struct blobs *blobs_s3_new(struct loop *loop, struct transfers *transfers,
			   const struct blobs_s3_options *options)
{
	struct s3_blobs *blobs = memory_new(sizeof(*blobs));

	blobs->blobs.kind = &s3_kind;
	blobs->s3 = s3_new(loop, transfers, options);
	return &blobs->blobs;
}
