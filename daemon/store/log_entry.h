/* Ids and entries of the log, out of what Redis answers. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store/log.h"
#include "store/store.h"

enum { LOG_POSITION_BYTES = 72, LOG_ID_BYTES = 48 };

struct log_id {
	uint64_t ms;
	uint64_t seq;
};

bool log_id_parse(const char *text, struct log_id *ret_id); /* "<ms>-<seq>" */
int log_id_compare(struct log_id a, struct log_id b);
void log_id_format(struct log_id id, char out[LOG_ID_BYTES]);

/* "<generation>-<ms>-<seq>" */
bool log_position_parse(const char *text, int64_t *ret_generation, struct log_id *ret_id);
void log_position_format(int64_t generation, struct log_id id, char out[LOG_POSITION_BYTES]);

/* Tells two entries apart that have one id; 0 where item is none. item: as XRANGE has it. */
uint64_t log_entry_digest(const struct store_reply *item);

/* Entries of one XRANGE answer, parsed once for all readers. Texts are
 * borrowed from the answer; entries that cannot be read are left out. */
struct log_batch {
	size_t count;
	struct log_batch_row {
		struct log_id id;
		struct log_entry entry;
		char position[LOG_POSITION_BYTES];
	} rows[];
};

struct log_batch *log_batch_new(const struct store_reply *reply, int64_t generation); /* free() */
