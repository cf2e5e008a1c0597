/* Entries of the log that are written together: what they touched, and themselves. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "history/harvest.h"
#include "store/log_entry.h"

struct log_entry;

struct batch {
	struct harvest *harvest;
	struct buf events; /* rows, parted by commas */
	struct buf fields; /* of the job, once the rows have been read */
	bool is_ready;     /* they have been */
	size_t count;
	int64_t first_ms;                  /* time of its first entry */
	char position[LOG_POSITION_BYTES]; /* of its last entry */
};

struct batch *batch_new(struct store *store, const char *workspace);
void batch_free(struct batch **batch);
void batch_add(struct batch *batch, const struct log_entry *entry);
