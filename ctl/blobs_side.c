#include "blobs_side.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "services/loop.h"
#include "services/s3.h"
#include "services/s3_list.h"
#include "services/s3_place.h"
#include "services/transfer.h"
#include "workers/disk.h"

enum { LIST_TRIES = 5 };

struct side {
	int root; /* of a folder; -1: S3 */
	struct loop *loop;
	struct transfers *transfers;
	struct s3 *s3;
	struct blobs_s3_options options;
	struct s3_place place;
};

static int folder_open(struct side *side, const struct side_place *place, struct error *err)
{
	const char *path = place->url == NULL ? place->state_dir : place->url + strlen("file:");
	side->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return side->root < 0 ? error_set(err, ERROR_MISUSE, "%s: %s", path, strerror(errno)) : 0;
}

static int s3_open(struct side *side, const struct side_place *place, struct error *err)
{
	if (place->access_key == NULL || place->secret_key == NULL)
		return error_set(err, ERROR_MISUSE,
				 "an S3-compatible store needs an access key and a secret key");
	if (s3_place_read(place->url, &side->place, err) < 0)
		return -1;
	side->options =
		(struct blobs_s3_options){ memory_text(place->url), memory_text(place->access_key),
					   memory_text(place->secret_key), place->timeout_ms };
	side->loop = loop_new();
	side->transfers = transfers_new(side->loop);
	side->s3 = s3_new(side->loop, side->transfers, &side->options);
	return 0;
}

struct side *side_open(const struct side_place *place, struct error *err)
{
	struct side *side = memory_new(sizeof(*side));
	bool is_s3 = place->url != NULL && text_starts(place->url, "s3:");
	side->root = -1;
	if (!is_s3 && place->url != NULL && !text_starts(place->url, "file:/"))
		error_set(err, ERROR_MISUSE, "a blob store is file:/folder or s3://bucket/prefix");
	else if ((is_s3 ? s3_open : folder_open)(side, place, err) == 0)
		return side;
	side_close(&side);
	return NULL;
}

void side_close(struct side **side)
{
	struct side *held = *side;
	*side = NULL;
	if (held == NULL)
		return;
	if (held->root >= 0)
		close(held->root);
	if (held->s3 != NULL) {
		s3_free(&held->s3);
		transfers_free(&held->transfers);
		loop_free(&held->loop);
	}
	free((void *)(uintptr_t)held->options.url);
	free((void *)(uintptr_t)held->options.access_key);
	free((void *)(uintptr_t)held->options.secret_key);
	free(held);
}

const char *side_name(const struct side *side)
{
	return side->s3 != NULL ? side->place.name : "disk";
}

bool side_is_disk(const struct side *side)
{
	return side->s3 == NULL;
}

bool side_has(struct side *side, const char *id)
{
	return disk_blob_is_there(side->root, id);
}

/* ---- all of them ---- */

struct page {
	char (*ids)[SIDE_ID_BYTES];
	size_t count;
	char *next; /* NULL: it is the last one */
	struct error err;
	bool is_done;
};

static void on_listed(const char *const *ids, size_t count, const char *next,
		      const struct error *err, void *context)
{
	struct page *page = context;
	page->is_done = true;
	if (err != NULL) {
		page->err = *err;
		return;
	}
	for (size_t i = 0; i < count; i++)
		snprintf(page->ids[i], SIDE_ID_BYTES, "%s", ids[i]);
	page->count = count;
	page->next = next == NULL ? NULL : memory_text(next);
}

static int page_read(struct side *side, const char *after, struct page *page, struct error *err)
{
	for (int i = 0; i < LIST_TRIES; i++) {
		page->is_done = false;
		page->err = (struct error){ 0 };
		s3_list(side->transfers, &side->options, after, on_listed, page);
		while (!page->is_done)
			loop_turn(side->loop, true);
		if (page->err.kind == ERROR_NONE)
			return 0;
	}
	*err = page->err;
	return -1;
}

static int s3_walk(struct side *side, side_each_fn *each, void *context, struct error *err)
{
	struct page page = { .ids = memory_new(S3_LIST_MAX * sizeof(*page.ids)) };
	char *after = NULL;
	int rc = 0;
	do {
		page.next = NULL;
		page.count = 0;
		rc = page_read(side, after, &page, err);
		for (size_t i = 0; rc == 0 && i < page.count; i++)
			rc = each(page.ids[i], context, err);
		free(after);
		after = page.next;
	} while (rc == 0 && after != NULL);
	free(after);
	free(page.ids);
	return rc;
}

int side_walk(struct side *side, side_each_fn *each, void *context, struct error *err)
{
	return side->s3 != NULL ? s3_walk(side, each, context, err)
				: disk_blob_walk(side->root, each, context, err);
}

/* ---- some at a time ---- */

struct waiting {
	struct side_blob *blob;
	size_t *left;
	bool takes; /* bytes of the answer */
};

static void on_answer(const void *bytes, size_t len, const struct error *err, void *context)
{
	struct waiting *waiting = context;
	if (err != NULL)
		waiting->blob->err = *err;
	else if (waiting->takes)
		buf_add(&waiting->blob->bytes, bytes, len);
	--*waiting->left;
}

static void s3_each(struct side *side, const char *method, struct side_blob *blobs, size_t count)
{
	struct waiting waiting[SIDE_BATCH];
	bool sends = strcmp(method, "PUT") == 0;
	bool takes = strcmp(method, "GET") == 0;
	size_t left = 0;
	for (size_t i = 0; i < count; i++) {
		waiting[i] = (struct waiting){ &blobs[i], &left, takes };
		if (blobs[i].err.kind != ERROR_NONE)
			continue;
		const struct s3_request request = {
			.method = method,
			.key = blobs[i].id,
			.bytes = sends ? buf_string(&blobs[i].bytes) : NULL,
			.len = sends ? blobs[i].bytes.len : 0,
			.done = on_answer,
			.context = &waiting[i],
		};
		/* It takes so many bytes at a time. */
		int rc = s3_start(side->s3, &request, &blobs[i].err);
		while (rc < 0 && left > 0)
			loop_turn(side->loop, true);
		if (rc < 0) {
			blobs[i].err = (struct error){ 0 };
			rc = s3_start(side->s3, &request, &blobs[i].err);
		}
		left += rc == 0;
	}
	while (left > 0)
		loop_turn(side->loop, true);
}

void side_get(struct side *side, struct side_blob *blobs, size_t count)
{
	if (side->s3 != NULL) {
		s3_each(side, "GET", blobs, count);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		struct side_blob *blob = &blobs[i];
		struct error err = { 0 };
		if (blob->err.kind == ERROR_NONE &&
		    disk_blob_get(side->root, blob->id, SIDE_ID_BYTES - 1, &blob->bytes, &err) < 0)
			blob->err = err;
	}
}

void side_put(struct side *side, struct side_blob *blobs, size_t count)
{
	if (side->s3 != NULL) {
		s3_each(side, "PUT", blobs, count);
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (blobs[i].err.kind == ERROR_NONE)
			disk_loose_put(side->root, blobs[i].id, buf_string(&blobs[i].bytes),
				       blobs[i].bytes.len, &blobs[i].err);
}

int side_erase(struct side *side, const struct side_blob *blobs, size_t count, struct error *err)
{
	struct side_blob gone[SIDE_BATCH] = { 0 };
	struct buf ids = { 0 };
	int rc = 0;
	for (size_t i = 0; i < count; i++) {
		memcpy(gone[i].id, blobs[i].id, SIDE_ID_BYTES);
		buf_text(&ids, blobs[i].id);
	}
	if (side->s3 == NULL)
		rc = disk_blob_erase(side->root, buf_string(&ids), ids.len, err);
	else
		s3_each(side, "DELETE", gone, count);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (gone[i].err.kind == ERROR_NONE)
			continue;
		*err = gone[i].err;
		rc = -1;
	}
	for (size_t i = 0; i < count; i++)
		buf_clear(&gone[i].bytes);
	buf_clear(&ids);
	return rc;
}
