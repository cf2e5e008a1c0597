#include "services/blobs.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "services/blobs_private.h"

struct putting {
	blob_put_done *done;
	void *context;
};

static int check_ids(const char *const *ids, size_t count, struct error *err)
{
	for (size_t i = 0; i < count; i++)
		if (ids[i] == NULL || strlen(ids[i]) != BLOB_ID_CHARS)
			return error_set(err, ERROR_MISUSE, "not a blob id");
	return 0;
}

int blobs_keep(struct blobs *blobs, const struct blob_piece *pieces, size_t count,
	       blob_keep_done *done, void *context, struct error *err)
{
	size_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += pieces[i].len;
	if (count == 0 || count > BLOB_PIECES_MAX || bytes > UINT32_MAX)
		return error_set(err, ERROR_MISUSE, "%zu blobs at once", count);
	return blobs->kind->keep(blobs, pieces, count, done, context, err);
}

static void on_put(const char *const *ids, const struct error *err, void *context)
{
	struct putting *putting = context;

	putting->done(ids == NULL ? NULL : ids[0], err, putting->context);
	free(putting);
}

int blobs_put(struct blobs *blobs, const void *bytes, size_t len, blob_put_done *done,
	      void *context, struct error *err)
{
	const struct blob_piece piece = { bytes, len };
	struct putting *putting = memory_new(sizeof(*putting));

	*putting = (struct putting){ done, context };
	if (blobs_keep(blobs, &piece, 1, on_put, putting, err) == 0)
		return 0;
	free(putting);
	return -1;
}

int blobs_get(struct blobs *blobs, const char *blob_id, blob_get_done *done, void *context,
	      struct error *err)
{
	if (check_ids(&blob_id, 1, err) != 0)
		return -1;
	return blobs->kind->get(blobs, blob_id, done, context, err);
}

int blobs_erase(struct blobs *blobs, const char *const *ids, size_t count, blob_erase_done *done,
		void *context, struct error *err)
{
	if (count == 0)
		return error_set(err, ERROR_MISUSE, "no blobs to erase");
	if (check_ids(ids, count, err) != 0)
		return -1;
	return blobs->kind->erase(blobs, ids, count, done, context, err);
}

void blobs_free(struct blobs **blobs)
{
	struct blobs *held = *blobs;

	*blobs = NULL;
	if (held != NULL)
		held->kind->free(held);
}
