#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "identity/suggestions.h"
#include "store_bed.h"

static struct store_bed *bed;

static void setup(void)
{
	bed = bed_new(NULL);
}

static void teardown(void)
{
	bed_free(&bed);
}

TestSuite(suggestions, .init = setup, .fini = teardown);

static void customer_make(const char *id, const char *name)
{
	struct store_call *call = store_command("HSET");

	store_arg_key(call, "main", "u:%s", id);
	store_arg_text(call, "nm");
	store_arg_text(call, name);
	store_arg_text(call, "ct");
	store_arg_text(call, "1");
	store_arg_text(call, "v");
	store_arg_text(call, "7");
	bed_read(bed, call);
}

static const char *suggest(const char *a, const char *b, int score)
{
	const struct identifier email = { .kind = "email",
					  .value = "ann@example.org",
					  .proof = PROOF_CLAIMED };
	struct store_call *call = store_script("suggest", "main");
	struct buf evidence = { 0 };

	suggestion_evidence(&evidence, &email, "shop", 1764000000000);
	store_key(call, "sg:%s", a);
	store_key(call, "sg:%s", b);
	store_arg_text(call, a);
	store_arg_text(call, b);
	store_arg_int(call, score);
	store_arg(call, evidence.data, evidence.len);
	buf_clear(&evidence);
	return bed_run(bed, call);
}

struct seen {
	bool is_done;
	char text[2000];
};

static void on_read(const struct suggestion *suggestions, size_t count, const struct error *err,
		    void *context)
{
	struct seen *seen = context;
	struct buf body = { 0 };
	struct json_out out;

	cr_assert_null(err);
	jw_start(&out, &body);
	jw_object(&out, NULL);
	customer_suggestions_write(&out, "data", suggestions, count);
	jw_object_end(&out);
	snprintf(seen->text, sizeof(seen->text), "%s", buf_string(&body));
	buf_clear(&body);
	seen->is_done = true;
}

static struct json_object *read_of(const char *customer)
{
	struct seen seen = { 0 };
	struct json_object *json;

	customer_suggestions_read(bed->store, "main", customer, on_read, &seen);
	bed_until(bed, &seen.is_done);
	json = json_read(seen.text, strlen(seen.text), NULL);
	cr_assert_not_null(json, "%s", seen.text);
	return json;
}

Test(suggestions, stand_on_both_sides_strongest_first)
{
	struct json_object *json;

	customer_make("cus_1", "Ann");
	customer_make("cus_2", "An\"n");
	customer_make("cus_3", "");
	cr_assert_str_eq(suggest("cus_1", "cus_2", SCORE_CLAIMED), "ok");
	cr_assert_str_eq(suggest("cus_3", "cus_1", SCORE_PROVED), "ok");
	json = read_of("cus_1");
	cr_expect_eq(json_count(json_at(json, "data")), 2);
	cr_expect_str_eq(json_text(json, "data.0.customer"), "cus_3");
	cr_expect_eq(json_int(json, "data.0.score", 0), SCORE_PROVED);
	cr_expect_str_eq(json_text(json, "data.1.name"), "An\"n");
	cr_expect_eq(json_int(json, "data.1.version", 0), 7);
	cr_expect_str_eq(json_text(json, "data.1.state"), "open");
	cr_expect_str_eq(json_text(json, "data.1.evidence.0.value"), "ann@example.org");
	cr_expect_str_eq(json_text(json, "data.1.evidence.0.proof"), "claimed");
	cr_expect_str_eq(json_text(json, "data.1.evidence.0.channel"), "shop");
	cr_expect_str_eq(json_text(json, "data.1.evidence.0.at"), "2025-11-24T16:00:00.000Z");
	json_free(&json);
	json = read_of("cus_2");
	cr_expect_str_eq(json_text(json, "data.0.customer"), "cus_1");
	json_free(&json);
}

Test(suggestions, follow_whom_the_other_was_merged_into)
{
	struct store_call *call = store_command("HSET");
	struct json_object *json;

	customer_make("cus_1", "Ann");
	customer_make("cus_2", "Bea");
	suggest("cus_1", "cus_2", SCORE_CLAIMED);
	store_arg_key(call, "main", "u:cus_2");
	store_arg_text(call, "to");
	store_arg_text(call, "cus_3");
	bed_read(bed, call);
	json = read_of("cus_1");
	cr_expect_str_eq(json_text(json, "data.0.customer"), "cus_3");
	json_free(&json);
	call = store_command("HSET");
	store_arg_key(call, "main", "u:cus_2");
	store_arg_text(call, "to");
	store_arg_text(call, "cus_1");
	bed_read(bed, call);
	json = read_of("cus_1");
	cr_expect_eq(json_count(json_at(json, "data")), 0);
	json_free(&json);
}

Test(suggestions, read_as_none_where_there_are_none_and_past_what_is_damaged)
{
	struct store_call *call = store_command("HSET");
	struct json_object *json = read_of("cus_1");

	cr_expect_eq(json_count(json_at(json, "data")), 0);
	json_free(&json);
	store_arg_key(call, "main", "sg:cus_1");
	store_arg_text(call, "cus_2");
	store_arg_text(call, "{\"state");
	bed_read(bed, call);
	json = read_of("cus_1");
	cr_expect_eq(json_count(json_at(json, "data")), 0);
	json_free(&json);
}
