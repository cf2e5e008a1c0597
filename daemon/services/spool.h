/* The local spool: messages of a channel whose provider does not send twice,
 * kept on this machine's disk while the store is away. Written and synced by
 * the disk worker under state_dir/spool/. Positions grow for ever, also when
 * the front is dropped. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct spool;
struct worker_pool;

/* name: 1-120 of [a-z0-9_-], one per channel and workspace. */
struct spool *spool_new(struct worker_pool *disk, const char *name);
void spool_free(struct spool **ref); /* running calls still end */

struct spool_record {
	const void *bytes;
	size_t len;
};

/* Durable before done says so; end is the position after the record. */
typedef void spool_add_done(uint64_t end, const struct error *err, void *context);
/* The records from a position on, at least one unless there is none; next is the
 * position after them, end that of the file. Valid inside the call only. */
struct spool_page {
	const struct spool_record *records;
	size_t count;
	uint64_t next;
	uint64_t end;
};
typedef void spool_read_done(const struct spool_page *page, const struct error *err, void *context);
typedef void spool_drop_done(const struct error *err, void *context);

int spool_add(struct spool *spool, const void *bytes, size_t len, spool_add_done *done,
	      void *context, struct error *err);
/* from 0 is the oldest kept; max_bytes bounds the page (one record always fits). */
int spool_read(struct spool *spool, uint64_t from, size_t max_bytes, spool_read_done *done,
	       void *context, struct error *err);
/* Forgets everything before upto, a position that add or read has told. */
int spool_drop(struct spool *spool, uint64_t upto, spool_drop_done *done, void *context,
	       struct error *err);
