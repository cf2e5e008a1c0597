#include "services/spool.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "services/worker.h"

struct spool {
	struct worker_pool *disk;
	char *name;
	uint64_t lane; /* one file is written by one job at a time */
};

struct call {
	spool_add_done *add;
	spool_read_done *read;
	spool_drop_done *drop;
	void *context;
};

struct spool *spool_new(struct worker_pool *disk, const char *name)
{
	struct spool *spool = memory_new(sizeof(*spool));

	spool->disk = disk;
	spool->name = memory_text(name);
	spool->lane = 0xcbf29ce484222325U;
	for (const char *p = name; *p != '\0'; p++)
		spool->lane = (spool->lane ^ (unsigned char)*p) * 0x100000001b3U;
	spool->lane |= 1;
	return spool;
}

void spool_free(struct spool **ref)
{
	struct spool *spool = *ref;

	if (spool == NULL)
		return;
	*ref = NULL;
	free(spool->name);
	free(spool);
}

static int submit(struct spool *spool, char op, const struct buf *rest, worker_done_fn *on_end,
		  const struct call *with, struct error *err)
{
	struct call *call = memory_new(sizeof(*call));
	struct buf job = { 0 };
	int rc;

	*call = *with;
	buf_byte(&job, op);
	buf_add(&job, spool->name, strlen(spool->name) + 1);
	buf_add(&job, rest->data, rest->len);
	rc = worker_submit(spool->disk, spool->lane, job.data, job.len, on_end, call, err);
	buf_clear(&job);
	if (rc < 0)
		free(call);
	return rc;
}

static void on_add(const void *answer, size_t len, const struct error *err, void *context)
{
	struct call *call = context;
	struct error odd = { 0 };
	uint64_t end = 0;

	if (err == NULL && len == sizeof(end)) {
		memcpy(&end, answer, sizeof(end));
	} else if (err == NULL) {
		error_set(&odd, ERROR_TEMPORARY, "the disk worker gave no position");
		err = &odd;
	}
	call->add(end, err, call->context);
	free(call);
}

/* Fills records from the answer's bytes; false where they do not add up. */
static bool read_page(const char *bytes, size_t len, struct spool_page *page,
		      struct spool_record **ret_records)
{
	struct spool_record *records = NULL;
	size_t at = 2 * sizeof(uint64_t);
	uint32_t size;

	if (len < at)
		return false;
	memcpy(&page->next, bytes, sizeof(page->next));
	memcpy(&page->end, bytes + sizeof(page->next), sizeof(page->end));
	while (len - at >= sizeof(size)) {
		memcpy(&size, bytes + at, sizeof(size));
		at += sizeof(size);
		if (len - at < size)
			break;
		records = memory_grow(records, page->count + 1, sizeof(*records));
		records[page->count].bytes = bytes + at;
		records[page->count++].len = size;
		at += size;
	}
	*ret_records = records;
	page->records = records;
	return at == len;
}

static void on_read(const void *answer, size_t len, const struct error *err, void *context)
{
	struct call *call = context;
	struct spool_record *records = NULL;
	struct spool_page page = { 0 };
	struct error odd = { 0 };

	if (err == NULL && !read_page(answer, len, &page, &records)) {
		error_set(&odd, ERROR_TEMPORARY, "the disk worker gave no page");
		err = &odd;
	}
	call->read(err == NULL ? &page : NULL, err, call->context);
	free(records);
	free(call);
}

static void on_drop(const void *answer, size_t len, const struct error *err, void *context)
{
	struct call *call = context;

	(void)answer;
	(void)len;
	call->drop(err, call->context);
	free(call);
}

int spool_add(struct spool *spool, const void *bytes, size_t len, spool_add_done *done,
	      void *context, struct error *err)
{
	struct call call = { .add = done, .context = context };
	struct buf rest = { 0 };
	int rc;

	buf_add(&rest, bytes, len);
	rc = submit(spool, 'a', &rest, on_add, &call, err);
	buf_clear(&rest);
	return rc;
}

int spool_read(struct spool *spool, uint64_t from, size_t max_bytes, spool_read_done *done,
	       void *context, struct error *err)
{
	struct call call = { .read = done, .context = context };
	uint64_t range[2] = { from, max_bytes };
	struct buf rest = { 0 };
	int rc;

	buf_add(&rest, range, sizeof(range));
	rc = submit(spool, 'r', &rest, on_read, &call, err);
	buf_clear(&rest);
	return rc;
}

int spool_drop(struct spool *spool, uint64_t upto, spool_drop_done *done, void *context,
	       struct error *err)
{
	struct call call = { .drop = done, .context = context };
	struct buf rest = { 0 };
	int rc;

	buf_add(&rest, &upto, sizeof(upto));
	rc = submit(spool, 'd', &rest, on_drop, &call, err);
	buf_clear(&rest);
	return rc;
}
