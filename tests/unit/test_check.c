#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "store/blob_owner.h"
#include "store/check.h"
#include "store_bed.h"

struct outcome {
	bool is_done;
	bool is_ok;
	char text[512];
};

static void on_ready(const struct error *err, void *context)
{
	struct outcome *outcome = context;

	outcome->is_done = true;
	outcome->is_ok = err == NULL;
	snprintf(outcome->text, sizeof(outcome->text), "%s", err == NULL ? "" : err->text);
}

static struct outcome outcome;

/* "" or the error's text */
static const char *check(struct store_bed *bed)
{
	outcome = (struct outcome){ 0 };
	store_check(bed->store, on_ready, &outcome);
	bed_until(bed, &outcome.is_done);
	return outcome.text;
}

static const char *boot(struct store_bed *bed, const char *installation, const char *history)
{
	struct store_identity identity = { .installation = installation, .history = history };

	outcome = (struct outcome){ 0 };
	store_boot(bed->store, "t", &identity, on_ready, &outcome);
	bed_until(bed, &outcome.is_done);
	return outcome.text;
}

#define expect_says(text, part) cr_expect(strstr((text), (part)) != NULL, "%s", (text))

Test(check, refuses_a_store_that_would_lose_messages)
{
	struct store_bed *bed = bed_new(NULL);

	expect_says(check(bed), "appendonly yes");
	redis_ask(&bed->child, "CONFIG SET appendonly yes");
	expect_says(check(bed), "appendfsync always");
	redis_ask(&bed->child, "CONFIG SET appendfsync always");
	redis_ask(&bed->child, "CONFIG SET maxmemory-policy allkeys-lru");
	expect_says(check(bed), "maxmemory-policy noeviction");
	redis_ask(&bed->child, "CONFIG SET maxmemory-policy noeviction");
	cr_expect_str_eq(check(bed), "");
	bed_free(&bed);
}

Test(check, takes_any_store_where_that_is_allowed)
{
	struct store_options options = { .allow_unsafe = true };
	struct store_bed *bed = bed_new(&options);

	cr_expect_str_eq(check(bed), "");
	bed_free(&bed);
}

Test(check, wants_a_replica_where_answers_wait_for_one)
{
	struct store_options options = { .ack = "replicas" };
	struct store_bed *bed = bed_new(&options);

	redis_ask(&bed->child, "CONFIG SET appendonly yes");
	redis_ask(&bed->child, "CONFIG SET appendfsync always");
	expect_says(check(bed), "no replica is connected");
	bed_free(&bed);
}

Test(boot, makes_the_workspace_once_and_knows_it_again)
{
	struct store_bed *bed = bed_new(NULL);

	cr_expect_str_eq(boot(bed, "one", "sqlite:a"), "");
	cr_expect_str_eq(redis_ask(&bed->child, "HMGET {t}:meta format gen inst hist"),
			 "4,1,one,sqlite:a");
	cr_expect_str_eq(boot(bed, "one", "sqlite:a"), "");
	expect_says(boot(bed, "two", "sqlite:a"), "another installation (one)");
	expect_says(boot(bed, "one", "sqlite:b"), "another history (sqlite:a)");
	bed_free(&bed);
}

Test(boot, refuses_a_newer_format)
{
	struct store_bed *bed = bed_new(NULL);

	redis_ask(&bed->child, "HSET {t}:meta format 7 gen 1");
	expect_says(boot(bed, "one", NULL),
		    "workspace t: the store has format 7, this build knows 4");
	bed_free(&bed);
}

static const char blob[] = "aaaa0102030405060708090a0b0c0d0e0f1011121314151617181920212223ff";

struct asked {
	bool done;
	size_t missing;
};

static void on_missing(size_t missing, const struct error *err, void *context)
{
	struct asked *asked = context;

	cr_assert_null(err);
	asked->missing = missing;
	asked->done = true;
}

static bool is_owned(struct store_bed *bed, const char *id)
{
	struct asked asked = { false, 0 };

	blob_find_missing(bed->store, "t", &id, 1, on_missing, &asked);
	bed_until(bed, &asked.done);
	return asked.missing == 1;
}

Test(boot, format_3_knows_the_blobs_of_messages_stored_before)
{
	struct store_bed *bed = bed_new(NULL);
	char raw[BLOB_ID_LEN + 1];
	char text[BLOB_ID_LEN + 1];
	char file[BLOB_ID_LEN + 1];
	char twin[BLOB_ID_LEN + 1];

	snprintf(file, sizeof(file), "dddd%s", blob + 4);
	snprintf(twin, sizeof(twin), "%.38s0%s", blob, blob + 39);

	snprintf(raw, sizeof(raw), "bbbb%s", blob + 4);
	snprintf(text, sizeof(text), "cccc%s", blob + 4);
	redis_ask(&bed->child, "HSET {t}:meta format 2 gen 1 num 0");
	redis_ask(&bed->child, "HSET {t}:b:aaaa 0123456789abcdef old");
	redis_ask(&bed->child, "HSET {t}:y:cnv_1 msg_1 sent");
	redis_ask(
		&bed->child,
		"EVAL redis.call('HSET',KEYS[1],'msg_2.files','failed\\032no\\nstored\\032%s\\0325"
		"\\n') 1 {t}:y:cnv_1",
		file);
	for (int i = 0; i < 450; i++)
		redis_ask(&bed->child, "RPUSH {t}:m:cnv_1 {\"id\":\"msg_%d\"}", i);
	redis_ask(&bed->child,
		  "RPUSH {t}:m:cnv_1 {\"attachments\":[{\"id\":\"%s\"}],\"raw\":\"%s\"}", blob,
		  raw);
	redis_ask(&bed->child, "RPUSH {t}:m:cnv_2 {\"text\":\"\\\"id\\\":\\\"%s\\\"\"}", text);
	redis_ask(&bed->child, "RPUSH {u}:m:cnv_3 {\"id\":\"%s\"}", text);
	cr_expect_str_eq(boot(bed, "one", NULL), "");
	cr_expect_str_eq(redis_ask(&bed->child, "HGET {t}:meta format"), "4");
	cr_expect_str_eq(redis_ask(&bed->child, "HEXISTS {t}:b:aaaa 0123456789abcdef"), "0");
	cr_expect(is_owned(bed, file));
	cr_expect_not(is_owned(bed, twin), "the same bytes, put by another");
	cr_expect(is_owned(bed, blob));
	cr_expect(is_owned(bed, raw));
	cr_expect_not(is_owned(bed, text));
	cr_expect_not(is_owned(bed, "../../etc/passwd"));
	bed_free(&bed);
}

/* The last two bytes of a field say its bucket: "P1" is 0x5031, modulo 8192 0x1031. */
Test(boot, migrates_the_indexes)
{
	struct store_bed *bed = bed_new(NULL);

	redis_ask(&bed->child, "HSET {t}:meta format 3 gen 1 num 0");
	redis_ask(&bed->child, "HSET {t}:i:7 0123456789abcdP1 cus_1 0123456789abcdP2 cus_2");
	redis_ask(&bed->child, "HSET {t}:i:1032 0123456789abcxP2 cus_3");
	redis_ask(&bed->child, "HSET {t}:r:7 0123456789abcdP1 cnv");
	redis_ask(&bed->child, "HSET {u}:i:7 0123456789abcdP1 cus_9");
	cr_expect_str_eq(boot(bed, "one", NULL), "");
	cr_expect_str_eq(redis_ask(&bed->child, "HGET {t}:meta format"), "4");
	cr_expect_str_eq(redis_ask(&bed->child, "HGET {t}:i:1031 0123456789abcdP1"), "cus_1");
	cr_expect_str_eq(redis_ask(&bed->child, "HGET {t}:i:1032 0123456789abcdP2"), "cus_2");
	cr_expect_str_eq(redis_ask(&bed->child, "HGET {t}:i:1032 0123456789abcxP2"), "cus_3");
	cr_expect_str_eq(redis_ask(&bed->child, "HGET {t}:r:1031 0123456789abcdP1"), "cnv");
	cr_expect_str_eq(redis_ask(&bed->child, "EXISTS {t}:i:7 {t}:r:7"), "0");
	cr_expect_str_eq(redis_ask(&bed->child, "HLEN {u}:i:7"), "1");
	bed_free(&bed);
}

/* An example of a migration: format 1 kept a field `old`, format 2 calls it `new`. */
struct example {
	store_ready_fn *done;
	void *context;
};

static struct example example;
static int runs;

static void on_renamed(const struct store_reply *reply, const struct error *err, void *context)
{
	(void)context;
	(void)reply;
	example.done(err, example.context);
}

static void migrate_1_to_2(struct store *store, const char *workspace, store_ready_fn *done,
			   void *context)
{
	struct store_call *call = store_command("HSET");

	runs++;
	example = (struct example){ done, context };
	store_arg_key(call, workspace, "meta");
	store_arg_text(call, "new");
	store_arg_text(call, "1");
	store_run(store, call, on_renamed, NULL);
}

static void migrate_2_to_3(struct store *store, const char *workspace, store_ready_fn *done,
			   void *context)
{
	struct error err;

	(void)store;
	(void)workspace;
	runs++;
	if (runs == 2) {
		error_set(&err, ERROR_TEMPORARY, "the power went");
		done(&err, context);
	} else {
		done(NULL, context);
	}
}

Test(boot, migrates_an_older_format_step_by_step)
{
	static const struct store_migration steps[] = { { 1, migrate_1_to_2 },
							{ 2, migrate_2_to_3 },
							{ 0, NULL } };
	struct store_boot_plan plan = { steps, 3 };
	struct store_identity identity = { 0 };
	struct store_bed *bed = bed_new(NULL);

	redis_ask(&bed->child, "HSET {t}:meta format 1 gen 1");
	store_boot_with(bed->store, "t", &identity, &plan, on_ready, &outcome);
	bed_until(bed, &outcome.is_done);
	cr_expect_str_eq(outcome.text, "workspace t: migration from format 2: the power went");
	cr_expect_str_eq(redis_ask(&bed->child, "HMGET {t}:meta format new"), "2,1");
	outcome = (struct outcome){ 0 };
	store_boot_with(bed->store, "t", &identity, &plan, on_ready, &outcome);
	bed_until(bed, &outcome.is_done);
	cr_expect(outcome.is_ok, "%s", outcome.text);
	cr_expect_str_eq(redis_ask(&bed->child, "HGET {t}:meta format"), "3");
	cr_expect_eq(runs, 3);
	bed_free(&bed);
}
