#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/memory.h"
#include "services/blobs_private.h"
#include "services/worker.h"

enum {
	ID_CHARS = BLOB_ID_CHARS,
	BATCH_BYTES = 64 * 1024 * 1024, /* of what waits; a single call may be larger */
	KEPT_BYTES = 1024 * 1024,
};

/* Somebody who waits for blobs to be durable. */
struct keeping {
	STAILQ_ENTRY(keeping) link;
	size_t count;
	blob_keep_done *done;
	void *context;
};
STAILQ_HEAD(keepings, keeping);

/* The job that the disk works on. */
struct batch {
	struct disk_blobs *blobs; /* NULL once it is gone */
	struct keepings waiting;
};

struct disk_blobs {
	struct blobs blobs;
	struct worker_pool *disk;
	struct batch *batch;     /* NULL: none under way */
	struct keepings waiting; /* for the next one */
	struct buf job;          /* theirs */
};

struct reading {
	blob_get_done *get;
	void *context;
};

/* ---- keeping ---- */

/* ids: of this one's first, ID_CHARS each; NULL with err. */
static void keeping_end(struct keeping *keeping, const char *ids, const struct error *err)
{
	char(*texts)[ID_CHARS + 1] = NULL;
	const char **list = NULL;

	if (err == NULL) {
		texts = memory_new(keeping->count * sizeof(*texts));
		list = memory_new(keeping->count * sizeof(*list));
	}
	for (size_t i = 0; err == NULL && i < keeping->count; i++) {
		memcpy(texts[i], ids + i * ID_CHARS, ID_CHARS);
		list[i] = texts[i];
	}
	keeping->done(list, err, keeping->context);
	free(list);
	free(texts);
	free(keeping);
}

static void keepings_end(struct keepings *waiting, const char *ids, const struct error *err)
{
	struct keeping *keeping;

	while ((keeping = STAILQ_FIRST(waiting)) != NULL) {
		size_t count = keeping->count;

		STAILQ_REMOVE_HEAD(waiting, link);
		keeping_end(keeping, ids, err);
		ids = ids == NULL ? NULL : ids + count * ID_CHARS;
	}
}

static size_t keepings_count(const struct keepings *waiting)
{
	const struct keeping *keeping;
	size_t count = 0;

	STAILQ_FOREACH (keeping, waiting, link)
		count += keeping->count;
	return count;
}

static int batch_start(struct disk_blobs *blobs, struct error *err);

static void on_kept(const void *answer, size_t len, const struct error *err, void *context)
{
	struct batch *batch = context;
	struct disk_blobs *blobs = batch->blobs;
	struct error problem;

	if (err == NULL && len != keepings_count(&batch->waiting) * ID_CHARS) {
		error_set(&problem, ERROR_TEMPORARY, "the disk worker gave other ids than asked");
		err = &problem;
	}
	if (blobs != NULL)
		blobs->batch = NULL;
	keepings_end(&batch->waiting, err == NULL ? answer : NULL, err);
	free(batch);
	if (blobs != NULL && blobs->batch == NULL && !STAILQ_EMPTY(&blobs->waiting) &&
	    batch_start(blobs, &problem) != 0)
		keepings_end(&blobs->waiting, NULL, &problem);
}

/* -1: those who wait still do. */
static int batch_start(struct disk_blobs *blobs, struct error *err)
{
	struct batch *batch = memory_new(sizeof(*batch));
	int rc =
		worker_submit(blobs->disk, 0, blobs->job.data, blobs->job.len, on_kept, batch, err);

	if (blobs->job.room > KEPT_BYTES)
		buf_clear(&blobs->job);
	buf_reset(&blobs->job);
	if (rc < 0) {
		free(batch);
		return -1;
	}
	batch->blobs = blobs;
	STAILQ_INIT(&batch->waiting);
	STAILQ_CONCAT(&batch->waiting, &blobs->waiting);
	blobs->batch = batch;
	return 0;
}

static void job_add(struct disk_blobs *blobs, const struct blob_piece *pieces, size_t count)
{
	if (blobs->job.len == 0)
		buf_byte(&blobs->job, 'p');
	for (size_t i = 0; i < count; i++) {
		uint32_t len = (uint32_t)pieces[i].len;

		buf_add(&blobs->job, &len, sizeof(len));
		if (len > 0)
			buf_add(&blobs->job, pieces[i].bytes, len);
	}
}

static int disk_keep(struct blobs *base, const struct blob_piece *pieces, size_t count,
		     blob_keep_done *done, void *context, struct error *err)
{
	struct disk_blobs *blobs = (struct disk_blobs *)base;
	struct keeping *keeping;
	size_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += pieces[i].len;
	if (blobs->job.len > 0 && blobs->job.len + bytes > BATCH_BYTES)
		return error_set(err, ERROR_TEMPORARY, "the disk is behind");
	keeping = memory_new(sizeof(*keeping));
	keeping->count = count;
	keeping->done = done;
	keeping->context = context;
	job_add(blobs, pieces, count);
	STAILQ_INSERT_TAIL(&blobs->waiting, keeping, link);
	if (blobs->batch != NULL || batch_start(blobs, err) == 0)
		return 0;
	STAILQ_REMOVE_HEAD(&blobs->waiting, link);
	free(keeping);
	return -1;
}

/* ---- reading ---- */

static void on_get(const void *answer, size_t len, const struct error *err, void *context)
{
	struct reading *reading = context;

	if (err != NULL)
		reading->get(NULL, 0, err, reading->context);
	else
		reading->get(len == 0 ? "" : answer, len, NULL, reading->context);
	free(reading);
}

static int disk_get(struct blobs *base, const char *blob_id, blob_get_done *done, void *context,
		    struct error *err)
{
	struct disk_blobs *blobs = (struct disk_blobs *)base;
	struct reading *reading = memory_new(sizeof(*reading));
	char job[ID_CHARS + 2];

	job[0] = 'g';
	memcpy(job + 1, blob_id, ID_CHARS);
	reading->get = done;
	reading->context = context;
	if (worker_submit(blobs->disk, 0, job, ID_CHARS + 1, on_get, reading, err) == 0)
		return 0;
	free(reading);
	return -1;
}

/* ---- erasing ---- */

struct erasing {
	blob_erase_done *done;
	void *context;
};

static void on_erased(const void *answer, size_t len, const struct error *err, void *context)
{
	struct erasing *erasing = context;

	(void)answer;
	(void)len;
	erasing->done(err, erasing->context);
	free(erasing);
}

static int disk_erase(struct blobs *base, const char *const *ids, size_t count,
		      blob_erase_done *done, void *context, struct error *err)
{
	struct disk_blobs *blobs = (struct disk_blobs *)base;
	struct erasing *erasing = memory_new(sizeof(*erasing));
	struct buf job = { 0 };
	int rc;

	*erasing = (struct erasing){ done, context };
	buf_byte(&job, 'e');
	for (size_t i = 0; i < count; i++)
		buf_add(&job, ids[i], ID_CHARS);
	rc = worker_submit(blobs->disk, 0, job.data, job.len, on_erased, erasing, err);
	buf_clear(&job);
	if (rc < 0)
		free(erasing);
	return rc;
}

static void disk_free(struct blobs *base)
{
	struct disk_blobs *blobs = (struct disk_blobs *)base;
	struct error err;

	error_set(&err, ERROR_TEMPORARY, "the blob store is closed");
	keepings_end(&blobs->waiting, NULL, &err);
	if (blobs->batch != NULL)
		blobs->batch->blobs = NULL;
	buf_clear(&blobs->job);
	free(blobs);
}

static const struct blobs_kind disk_kind = { disk_keep, disk_get, disk_erase, disk_free };

struct blobs *blobs_disk_new(struct worker_pool *disk)
{
	struct disk_blobs *blobs = memory_new(sizeof(*blobs));

	blobs->blobs.kind = &disk_kind;
	blobs->disk = disk;
	STAILQ_INIT(&blobs->waiting);
	return &blobs->blobs;
}
