#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "store/log.h"
#include "store/log_entry.h"
#include "store_bed.h"

struct notes {
	int entries;
	int batches;
	int resets;
	bool has_entry; /* since it was last cleared */
	bool has_reset;
	char seen[2000]; /* types, parted by spaces */
	char position[80];
	struct log_reader **free_at_entry;
};

static void on_entry(const struct log_entry *entry, void *context)
{
	struct notes *notes = context;

	notes->entries++;
	notes->has_entry = true;
	if (strlen(notes->seen) < sizeof(notes->seen) - 80) {
		strcat(notes->seen, entry->type);
		strcat(notes->seen, " ");
	}
	snprintf(notes->position, sizeof(notes->position), "%s", entry->position);
	if (notes->free_at_entry != NULL)
		log_reader_free(notes->free_at_entry);
}

static void on_reset(const char *position, void *context)
{
	struct notes *notes = context;

	notes->resets++;
	notes->has_reset = true;
	snprintf(notes->position, sizeof(notes->position), "%s", position);
}

static void on_batch(const char *position, void *context)
{
	struct notes *notes = context;

	/* The first call of a reader "from now on" only says where it stands. */
	if (notes->position[0] == '\0')
		return;
	notes->batches++;
	cr_expect_str_eq(position, notes->position);
}

static struct log_reader *reader(struct store_bed *bed, const char *after, size_t batch,
				 struct notes *notes)
{
	struct log_reader_options options = { .workspace = "t", .after = after, .batch = batch };

	return log_reader_new(bed->loop, bed->store, &options, on_entry, on_reset, on_batch, notes);
}

/* Appends by a script as the program does, so that the bell rings. */
static void append(struct store_bed *bed, const char *id, int version)
{
	struct store_call *call = store_script("config_put", "t");
	char json[80];

	snprintf(json, sizeof(json), "{\"version\":%d}", version);
	store_key(call, "cfg:queues");
	store_key(call, "born:queues");
	store_arg_text(call, id);
	store_arg_int(call, version - 1);
	store_arg_text(call, json);
	cr_assert_str_eq(bed_run(bed, call), "ok");
}

static void until_entries(struct store_bed *bed, struct notes *notes, int count)
{
	while (notes->entries < count) {
		notes->has_entry = false;
		bed_until(bed, &notes->has_entry);
	}
}

/* The bell is armed and nothing is under way. */
static void until_asleep(struct store_bed *bed)
{
	while (strcmp(redis_ask(&bed->child, "HGET {t}:meta bell"), "1") != 0 ||
	       store_stats(bed->store).waiting > 0)
		loop_turn(bed->loop, false);
}

static struct store_bed *start(void)
{
	struct store_bed *bed = bed_new(NULL);

	redis_ask(&bed->child, "HSET {t}:meta format 1 gen 1 num 0 bell 0");
	return bed;
}

Test(log, reads_all_fields_of_an_entry)
{
	struct log_id id;
	int64_t generation;
	char text[LOG_POSITION_BYTES];

	cr_expect(log_position_parse("3-1700000000000-12", &generation, &id));
	cr_expect_eq(generation, 3);
	cr_expect_eq(id.seq, 12);
	log_position_format(3, id, text);
	cr_expect_str_eq(text, "3-1700000000000-12");
	cr_expect_not(log_position_parse("3-17", &generation, &id));
	cr_expect_not(log_position_parse("x", &generation, &id));
	cr_expect_not(log_position_parse("1-2-3x", &generation, &id));
	cr_expect_not(log_position_parse("1--2-3", &generation, &id));
}

static void on_full_entry(const struct log_entry *entry, void *context)
{
	bool *is_done = context;

	cr_expect_str_eq(entry->position, "1-5-6");
	cr_expect_eq(entry->time_ms, 5);
	cr_expect_str_eq(entry->type, "message.created");
	cr_expect_str_eq(entry->work_item, "wrk_1");
	cr_expect_str_eq(entry->conversation, "cnv_1");
	cr_expect_str_eq(entry->customer, "cus_1");
	cr_expect_str_eq(entry->message, "msg_1");
	cr_expect_eq(entry->message_index, 7);
	cr_expect_str_eq(entry->agent, "alice");
	cr_expect_str_eq(entry->queue, "support");
	cr_expect_str_eq(entry->channel, "shop");
	cr_expect_str_eq(entry->from, "queued");
	cr_expect_str_eq(entry->to, "assigned");
	cr_expect_str_eq(entry->object, "off_1");
	cr_expect_eq(entry->version, 9);
	cr_expect_null(entry->extra);
	*is_done = true;
}

Test(log, hands_out_entries_with_names)
{
	struct store_bed *bed = start();
	struct log_reader_options options = { .workspace = "t", .after = "0" };
	struct log_reader *one;
	bool is_done = false;

	redis_ask(&bed->child, "XADD {t}:log 5-6 t message.created w wrk_1 c cnv_1 u cus_1 m msg_1 "
			       "n 7 a alice q support ch shop f queued o assigned x off_1 v 9");
	one = log_reader_new(bed->loop, bed->store, &options, on_full_entry, NULL, NULL, &is_done);
	bed_until(bed, &is_done);
	log_reader_free(&one);
	bed_free(&bed);
}

Test(log, starts_now_and_is_woken_by_the_bell)
{
	struct store_bed *bed = start();
	struct notes notes = { 0 };
	struct log_reader *one;

	append(bed, "old", 1);
	one = reader(bed, NULL, 0, &notes);
	until_asleep(bed);
	for (int i = 1; i <= 20; i++) {
		append(bed, "a", i);
		until_entries(bed, &notes, i);
		until_asleep(bed);
	}
	cr_expect_eq(notes.entries, 20);
	cr_expect_eq(notes.resets, 0);
	cr_expect_str_eq(log_reader_position(one), notes.position);
	log_reader_free(&one);
	bed_free(&bed);
}

Test(log, catches_up_in_batches_and_goes_on_live)
{
	struct store_bed *bed = start();
	struct notes notes = { 0 };
	struct log_reader *one;

	for (int i = 1; i <= 25; i++)
		append(bed, "a", i);
	one = reader(bed, "0", 10, &notes);
	until_entries(bed, &notes, 25);
	cr_expect_geq(notes.batches, 3);
	append(bed, "a", 26);
	until_entries(bed, &notes, 26);
	cr_expect_eq(notes.resets, 0);
	log_reader_free(&one);
	bed_free(&bed);
}

Test(log, resumes_after_a_position)
{
	struct store_bed *bed = start();
	struct notes first = { 0 };
	struct notes second = { 0 };
	struct log_reader *one = reader(bed, "0", 0, &first);
	char position[80];

	append(bed, "a", 1);
	until_entries(bed, &first, 1);
	strcpy(position, first.position);
	log_reader_free(&one);
	append(bed, "b", 1);
	append(bed, "c", 1);
	one = reader(bed, position, 0, &second);
	until_entries(bed, &second, 2);
	cr_expect_eq(second.entries, 2);
	cr_expect_eq(second.resets, 0);
	log_reader_free(&one);
	bed_free(&bed);
}

Test(log, shares_one_read_among_live_readers)
{
	struct store_bed *bed = start();
	struct notes notes[50] = { { 0 } };
	struct log_reader *readers[50];
	int64_t reads;

	for (int i = 0; i < 50; i++)
		readers[i] = reader(bed, NULL, 0, &notes[i]);
	until_asleep(bed);
	reads = store_stats(bed->store).reads;
	append(bed, "a", 1);
	until_entries(bed, &notes[0], 1);
	until_asleep(bed);
	for (int i = 0; i < 50; i++)
		cr_expect_eq(notes[i].entries, 1);
	cr_expect_lt(store_stats(bed->store).reads - reads, 10);
	for (int i = 0; i < 50; i++)
		log_reader_free(&readers[i]);
	bed_free(&bed);
}

Test(log, lets_a_reader_be_freed_inside_its_callbacks)
{
	struct store_bed *bed = start();
	struct notes notes[2] = { { 0 } };
	struct log_reader *readers[2];

	for (int i = 0; i < 2; i++)
		readers[i] = reader(bed, NULL, 0, &notes[i]);
	notes[0].free_at_entry = &readers[1];
	notes[1].free_at_entry = &readers[0];
	until_asleep(bed);
	append(bed, "a", 1);
	while (notes[0].entries + notes[1].entries == 0)
		loop_turn(bed->loop, true);
	cr_expect_eq(notes[0].entries + notes[1].entries, 1);
	for (int i = 0; i < 2; i++)
		log_reader_free(&readers[i]);
	bed_free(&bed);
}

Test(log, resets_a_reader_whose_position_is_gone)
{
	struct store_bed *bed = start();
	struct notes notes = { 0 };
	struct log_reader *one;

	for (int i = 1; i <= 5; i++)
		redis_ask(&bed->child, "XADD {t}:log %d-0 t x", i);
	redis_ask(&bed->child, "XTRIM {t}:log MINID 4");
	one = reader(bed, "1-2-0", 0, &notes);
	bed_until(bed, &notes.has_reset);
	cr_expect_str_eq(notes.position, "1-5-0");
	cr_expect_eq(notes.entries, 0);
	log_reader_free(&one);
	bed_free(&bed);
}

Test(log, resets_a_reader_of_another_generation_or_the_future)
{
	static const char *const wrong[] = { "7-5-0", "1-9-0", "1-3-5", "nonsense" };
	struct store_bed *bed = start();

	for (int i = 1; i <= 5; i++)
		redis_ask(&bed->child, "XADD {t}:log %d-0 t x", i);
	for (size_t i = 0; i < 4; i++) {
		struct notes notes = { 0 };
		struct log_reader *one = reader(bed, wrong[i], 0, &notes);

		bed_until(bed, &notes.has_reset);
		cr_expect_str_eq(notes.position, "1-5-0", "%s", wrong[i]);
		log_reader_free(&one);
	}
	bed_free(&bed);
}

Test(log, starts_a_new_generation_where_entries_were_lost)
{
	struct store_bed *bed = start();
	struct notes notes = { 0 };
	struct log_reader *one = reader(bed, NULL, 0, &notes);

	until_asleep(bed);
	append(bed, "a", 1);
	append(bed, "b", 1);
	until_entries(bed, &notes, 2);
	until_asleep(bed);
	/* Comes back without its newest entries, as after a failover to a stale replica. */
	redis_child_kill(&bed->child);
	redis_child_again(&bed->child, NULL);
	redis_ask(&bed->child, "HSET {t}:meta format 1 gen 1 num 0 bell 0");
	redis_ask(&bed->child, "XADD {t}:log 5-0 t older");
	bed_until(bed, &notes.has_reset);
	cr_expect_str_eq(notes.position, "2-5-0");
	cr_expect_str_eq(redis_ask(&bed->child, "HGET {t}:meta gen"), "2");
	append(bed, "c", 1);
	until_entries(bed, &notes, 3);
	cr_expect_eq(strncmp(notes.position, "2-", 2), 0);
	cr_expect_eq(notes.resets, 1);
	log_reader_free(&one);
	bed_free(&bed);
}

/* The store comes back with these generation and entry; the reader has seen "a" at 5-0. */
static void expect_new_generation(int known, int found, const char *entry, const char *position)
{
	struct store_bed *bed = start();
	struct notes notes = { 0 };
	struct log_reader *one;

	redis_ask(&bed->child, "HSET {t}:meta gen %d", known);
	redis_ask(&bed->child, "XADD {t}:log 4-0 t x");
	one = reader(bed, NULL, 0, &notes);
	until_asleep(bed);
	redis_ask(&bed->child, "XADD {t}:log 5-0 t a w wrk_1");
	redis_ask(&bed->child, "PUBLISH {t}:bell ");
	until_entries(bed, &notes, 1);
	until_asleep(bed);
	redis_child_kill(&bed->child);
	redis_child_again(&bed->child, NULL);
	redis_ask(&bed->child, "HSET {t}:meta format 1 gen %d num 0 bell 0", found);
	redis_ask(&bed->child, "XADD {t}:log %s", entry);
	redis_ask(&bed->child, "XADD {t}:log 6-0 t later");
	bed_until(bed, &notes.has_reset);
	cr_expect_str_eq(notes.position, position);
	append(bed, "c", 1);
	until_entries(bed, &notes, 2);
	cr_expect_eq(notes.resets, 1);
	log_reader_free(&one);
	bed_free(&bed);
}

Test(log, starts_a_new_generation_where_another_entry_has_the_same_id)
{
	expect_new_generation(1, 1, "5-0 t a w wrk_2", "2-6-0");
}

Test(log, never_counts_generations_back)
{
	expect_new_generation(3, 1, "5-0 t a w wrk_1", "4-6-0");
}

Test(log, reads_on_in_a_generation_that_another_instance_began)
{
	struct store_bed *bed = start();
	struct notes notes = { 0 };
	struct log_reader *one = reader(bed, NULL, 0, &notes);

	until_asleep(bed);
	redis_ask(&bed->child, "HSET {t}:meta gen 2");
	append(bed, "a", 1);
	bed_until(bed, &notes.has_reset);
	cr_expect_eq(strncmp(notes.position, "2-", 2), 0);
	notes.has_entry = false;
	append(bed, "b", 1);
	bed_until(bed, &notes.has_entry);
	cr_expect_eq(notes.resets, 1);
	log_reader_free(&one);
	bed_free(&bed);
}

Test(log, goes_on_after_a_restart_that_lost_nothing)
{
	static const char *const durable[] = { "--appendonly", "yes", "--appendfsync", "always",
					       NULL };
	struct store_bed *bed = bed_new(NULL);
	struct notes notes = { 0 };
	struct log_reader *one;

	redis_child_kill(&bed->child);
	redis_child_again(&bed->child, durable);
	redis_ask(&bed->child, "HSET {t}:meta format 1 gen 1 num 0 bell 0");
	one = reader(bed, NULL, 0, &notes);
	until_asleep(bed);
	append(bed, "a", 1);
	until_entries(bed, &notes, 1);
	until_asleep(bed);
	redis_child_kill(&bed->child);
	redis_child_again(&bed->child, durable);
	append(bed, "a", 2);
	until_entries(bed, &notes, 2);
	cr_expect_eq(notes.resets, 0);
	log_reader_free(&one);
	bed_free(&bed);
}

Test(log, hears_again_after_its_bell_broke)
{
	struct store_bed *bed = start();
	struct notes notes = { 0 };
	struct log_reader *one = reader(bed, NULL, 0, &notes);

	until_asleep(bed);
	while (strstr(redis_ask(&bed->child, "PUBSUB NUMSUB {t}:bell"), ",1") == NULL)
		loop_turn(bed->loop, true);
	redis_ask(&bed->child, "CLIENT KILL TYPE pubsub");
	append(bed, "a", 1);
	until_entries(bed, &notes, 1);
	while (strstr(redis_ask(&bed->child, "PUBSUB NUMSUB {t}:bell"), ",1") == NULL)
		loop_turn(bed->loop, true);
	append(bed, "a", 2);
	until_entries(bed, &notes, 2);
	log_reader_free(&one);
	bed_free(&bed);
}

Test(log, may_lose_its_store_first)
{
	struct store_bed *bed = start();
	struct notes notes = { 0 };
	struct log_reader *one = reader(bed, NULL, 0, &notes);
	struct log_reader *two = reader(bed, "0", 0, &notes);

	until_asleep(bed);
	store_free(&bed->store);
	log_reader_free(&one);
	log_reader_free(&two);
	bed_free(&bed);
}
