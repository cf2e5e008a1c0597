#include "services/blobs.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "services/worker.h"

enum { ID_CHARS = 64 };

struct blobs {
	struct worker_pool *disk;
};

struct call {
	blob_put_done *put;
	blob_get_done *get;
	void *context;
};

struct blobs *blobs_new(struct worker_pool *disk)
{
	struct blobs *blobs = memory_new(sizeof(*blobs));

	blobs->disk = disk;
	return blobs;
}

void blobs_free(struct blobs **blobs)
{
	free(*blobs);
	*blobs = NULL;
}

static void on_put(const void *answer, size_t len, const struct error *err, void *context)
{
	struct call *call = context;
	struct error odd = { 0 };
	char id[ID_CHARS + 1] = "";

	if (err == NULL && len == ID_CHARS)
		memcpy(id, answer, len);
	else if (err == NULL)
		error_set(&odd, ERROR_TEMPORARY, "the disk worker gave no blob id");
	if (odd.kind != ERROR_NONE)
		err = &odd;
	call->put(err == NULL ? id : NULL, err, call->context);
	free(call);
}

static void on_get(const void *answer, size_t len, const struct error *err, void *context)
{
	struct call *call = context;

	if (err != NULL)
		call->get(NULL, 0, err, call->context);
	else
		call->get(len == 0 ? "" : answer, len, NULL, call->context);
	free(call);
}

static int submit(struct blobs *blobs, const void *job, size_t len, const struct call *with,
		  struct error *err)
{
	struct call *call = memory_new(sizeof(*call));

	*call = *with;
	if (worker_submit(blobs->disk, 0, job, len, call->put != NULL ? on_put : on_get, call,
			  err) < 0) {
		free(call);
		return -1;
	}
	return 0;
}

int blobs_put(struct blobs *blobs, const void *bytes, size_t len, blob_put_done *done,
	      void *context, struct error *err)
{
	struct call call = { .put = done, .context = context };
	char *job = memory_new(len + 1);
	int rc;

	job[0] = 'p';
	if (len > 0)
		memcpy(job + 1, bytes, len);
	rc = submit(blobs, job, len + 1, &call, err);
	free(job);
	return rc;
}

int blobs_get(struct blobs *blobs, const char *blob_id, blob_get_done *done, void *context,
	      struct error *err)
{
	const struct call call = { .get = done, .context = context };
	char job[ID_CHARS + 2];

	if (blob_id == NULL || strlen(blob_id) != ID_CHARS)
		return error_set(err, ERROR_MISUSE, "not a blob id");
	job[0] = 'g';
	memcpy(job + 1, blob_id, ID_CHARS);
	return submit(blobs, job, ID_CHARS + 1, &call, err);
}
