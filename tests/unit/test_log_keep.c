#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/log_keep.h"
#include "store_bed.h"

static struct log_keeper *keeper(struct store_bed *bed, int64_t max_bytes)
{
	static const char *const readers[] = { "history" };
	struct log_keeper_options options = {
		.workspace = "t",
		.max_bytes = max_bytes,
		.readers = readers,
		.reader_count = 1,
	};
	struct log_keeper *kept = log_keeper_new(bed->loop, bed->store, &options);

	bed_until_up(bed, true);
	log_keeper_set_steward(kept, true);
	return kept;
}

static void fill(struct store_bed *bed)
{
	redis_ask(&bed->child, "CONFIG SET stream-node-max-entries 1");
	redis_ask(&bed->child, "HSET {t}:meta format 1 gen 1");
	for (int i = 1; i <= 10; i++)
		redis_ask(&bed->child, "XADD {t}:log %d-0 t old", i);
	redis_ask(&bed->child, "XADD {t}:log * t new");
}

Test(log_keep, trims_what_is_old_and_read)
{
	struct store_bed *bed = bed_new(NULL);
	struct log_keeper *kept;

	fill(bed);
	redis_ask(&bed->child, "SET {t}:cur:history 1-8-0");
	kept = keeper(bed, 0);
	while (strcmp(redis_ask(&bed->child, "XLEN {t}:log"), "4") != 0)
		loop_turn(bed->loop, true);
	while (log_keeper_bytes(kept) == 0)
		loop_turn(bed->loop, true);
	cr_expect_not(log_keeper_is_full(kept));
	log_keeper_free(&kept);
	bed_free(&bed);
}

Test(log_keep, never_trims_what_a_durable_reader_has_not_read)
{
	struct store_bed *bed = bed_new(NULL);
	struct log_keeper *kept;

	fill(bed);
	kept = keeper(bed, 100);
	while (!log_keeper_is_full(kept))
		loop_turn(bed->loop, true);
	cr_expect_str_eq(redis_ask(&bed->child, "XLEN {t}:log"), "11");
	log_keeper_free(&kept);
	bed_free(&bed);
}
