/* The same documents and the same questions in both databases: the same answers. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "postgres_child.h"
#include "workers/history.h"
#include "workers/history_search.h"
#include "workers/worker.h"

enum { SQLITE, POSTGRES, DATABASES };

static struct bed {
	char dir[64];
	char url[200];
	struct postgres_child postgres;
	int database;
} bed;

static void setup(int database)
{
	bed = (struct bed){ .dir = "/tmp/converge-search-XXXXXX", .database = database };
	cr_assert_not_null(mkdtemp(bed.dir));
	if (database == POSTGRES)
		postgres_child_start(&bed.postgres);
	if (database == POSTGRES)
		snprintf(bed.url, sizeof(bed.url), "%s", bed.postgres.url);
	else
		snprintf(bed.url, sizeof(bed.url), "sqlite:%s/history.db", bed.dir);
}

static void teardown(void)
{
	char command[100];

	if (bed.database == POSTGRES)
		postgres_child_stop(&bed.postgres);
	snprintf(command, sizeof(command), "rm -rf '%s'", bed.dir);
	cr_assert_eq(system(command), 0);
}

/* In this process, without a sandbox. */
static struct json_object *job(char mode, const char *json)
{
	struct buf bytes = { 0 }, answer = { 0 };
	struct json_object *value;
	struct error err = { 0 };

	buf_byte(&bytes, mode);
	buf_add(&bytes, bed.url, strlen(bed.url) + 1);
	buf_byte(&bytes, '\0');
	buf_text(&bytes, json);
	cr_assert_eq(history_handle(bytes.data, bytes.len, &answer, &err), 0, "%s: %s", json,
		     err.text);
	value = json_read(answer.data, answer.len, &err);
	cr_assert_not_null(value, "%s", err.text);
	buf_clear(&bytes);
	buf_clear(&answer);
	return value;
}

/* ---- writing ---- */

static void message_json(struct json_out *out, const char *id, int64_t at_ms, const char *text)
{
	struct buf json = { 0 };
	struct json_out message;

	jw_start(&message, &json);
	jw_object(&message, NULL);
	jw_object(&message, "author");
	jw_text(&message, "type", id[4] == 'a' ? "agent" : "customer");
	jw_text(&message, "id", id[4] == 'a' ? "ag-1" : NULL);
	jw_object_end(&message);
	jw_text(&message, "id", id);
	jw_text(&message, "direction", "in");
	jw_text(&message, "kind", "text");
	jw_text(&message, "text", text);
	jw_text(&message, "subject", id[4] == 's' ? "Lieferung \u767c\u7968" : NULL);
	jw_array(&message, "attachments");
	jw_object(&message, NULL);
	jw_text(&message, "name", id[4] == 'f' ? "invoice_2026.pdf" : "");
	jw_object_end(&message);
	jw_array_end(&message);
	jw_time(&message, "created_at", at_ms);
	jw_object_end(&message);
	jw_text(out, "json", json.data);
	buf_clear(&json);
}

struct write {
	struct buf json;
	struct json_out out;
};

static void write_start(struct write *write)
{
	*write = (struct write){ 0 };
	jw_start(&write->out, &write->json);
	jw_object(&write->out, NULL);
	jw_text(&write->out, "op", "write");
	jw_text(&write->out, "workspace", "main");
	jw_bool(&write->out, "reset", true);
	jw_text(&write->out, "position", "1-5-0");
	jw_int(&write->out, "at", 1700000000000);
	jw_array(&write->out, "messages");
}

static void write_message(struct write *write, const char *conversation, const char *id,
			  int64_t at_ms, const char *text)
{
	static int index;

	jw_object(&write->out, NULL);
	jw_text(&write->out, "conversation", conversation);
	jw_int(&write->out, "created_ms", 1);
	jw_int(&write->out, "index", index++);
	message_json(&write->out, id, at_ms, text);
	jw_object_end(&write->out);
}

static void write_end(struct write *write, const char *more)
{
	struct json_object *answer;

	jw_array_end(&write->out);
	buf_text(&write->json, more);
	jw_object_end(&write->out);
	answer = job('w', write->json.data);
	cr_assert_eq(json_count(json_at(answer, "skipped")), 0);
	json_free(&answer);
	buf_clear(&write->json);
}

static const char others[] =
	",\"customers\":[{\"id\":\"cus_1\",\"hash\":{\"nm\":\"\u738b\u5c0f\u660e\",\"ct\":\"2000\","
	"\"v\":\"1\",\"i:ab\":\"[\\\"phone\\\",\\\"\\\",\\\"+8613800138000\\\",1,\\\"x\\\",9]\","
	"\"i:cd\":\"[\\\"email\\\",\\\"\\\",\\\"ada@example.com\\\",1,\\\"x\\\",9]\"}},"
	"{\"id\":\"cus_2\",\"hash\":{\"nm\":\"Zo\u00eb\",\"ct\":\"2001\",\"v\":\"1\",\"tg\":\"["
	"\\\"wholesale\\\"]\",\"at\":\"{\\\"city\\\":\\\"\u81fa\u5317\\\",\\\"since\\\":2019}\","
	"\"i:ef\":\"[\\\"email\\\",\\\"\\\",\\\"zoe@example.org\\\",1,\\\"x\\\",9]\"}}],"
	"\"conversations\":[{\"id\":\"cnv_1\",\"hash\":{\"ch\":\"shop\",\"ik\":\"ab\",\"s\":"
	"\"open\","
	"\"n\":\"9\",\"ct\":\"1\",\"ut\":\"2\"}},{\"id\":\"cnv_2\",\"hash\":{\"ch\":\"mail\","
	"\"ik\":\"ef\",\"s\":\"open\",\"n\":\"9\",\"ct\":\"1\",\"ut\":\"2\"}}],"
	"\"work_items\":[{\"id\":\"wrk_1\",\"hash\":{\"num\":\"4711\",\"s\":\"queued\","
	"\"q\":\"refunds\",\"a\":\"ag-1\",\"u\":\"cus_1\",\"c\":\"cnv_1\",\"ch\":\"shop\","
	"\"ty\":\"chat\",\"tp\":\"refund\",\"sum\":\"\u5ba2\u6236\u8981\u9000\u6b3e\","
	"\"ct\":\"3000\",\"st\":\"3000\"}}]";

static void fill(void)
{
	struct write write;

	write_start(&write);
	write_message(&write, "cnv_1", "msg_1", 1000, "\u6211\u8981\u9000\u6b3e\uff0c\u8b1d\u8b1d");
	write_message(&write, "cnv_1", "msg_a2", 1001,
		      "\u6211\u4eec\u5c06\u9000\u56de\u8d27\u6b3e");
	write_message(&write, "cnv_1", "msg_3", 1002, "\u4e70\u4e86iPhone15\u624b\u6a5f2\u53f0");
	write_message(&write, "cnv_2", "msg_4", 1003, "The Caf\u00e9 order is late, refund please");
	write_message(&write, "cnv_2", "msg_s5", 1004, "please refund the order 20261123-77");
	write_message(&write, "cnv_2", "msg_f6", 1004, "call me: 138 0013 8000 & 'quote' <b>");
	write_end(&write, others);
}

/* ---- asking ---- */

static struct json_object *search(const char *question, const char *more)
{
	struct buf json = { 0 };
	struct json_out out;
	struct json_object *answer;

	jw_start(&out, &json);
	jw_object(&out, NULL);
	jw_text(&out, "op", "search");
	jw_text(&out, "workspace", "main");
	jw_text(&out, "q", question);
	buf_text(&json, more);
	jw_object_end(&out);
	answer = job('r', json.data);
	buf_clear(&json);
	return answer;
}

/* Ids, parted by spaces. */
static const char *ids(struct json_object *answer)
{
	static char text[4000];
	struct json_object *data = json_at(answer, "data");

	text[0] = '\0';
	for (size_t i = 0; i < json_count(data); i++) {
		strcat(text, i > 0 ? " " : "");
		strcat(text, json_text(json_item(data, i), "id"));
	}
	return text;
}

static const struct {
	const char *question;
	const char *more;
	const char *ids;
} questions[] = {
	/* one character, two, simplified and traditional */
	{ "\u6b3e", "", "wrk_1 msg_a2 msg_1" },
	{ "\u9000\u6b3e", "", "wrk_1 msg_1" },
	{ "\u8c22\u8c22", "", "msg_1" },
	{ "\u8b1d", "", "msg_1" },
	{ "\u624b\u673a", "", "msg_3" },
	{ "\u624b\u6a5f", "", "msg_3" },
	{ "\u53d1\u7968", "", "msg_s5" },
	{ "\u5ba2\u6237", "", "wrk_1" },
	{ "\u6b3e\u9000", "", "" },
	/* mixed */
	{ "\u4e70 iphone15", "", "msg_3" },
	{ "iphone \u624b\u673a", "", "msg_3" },
	{ "iPhone 15", "", "msg_3" },
	/* words, accents, phrases, beginnings */
	{ "cafe", "", "msg_4" },
	{ "CAF\u00c9 late", "", "msg_4" },
	{ "refund order", "", "msg_s5 msg_4" },
	{ "\"refund please\"", "", "msg_4" },
	{ "\"refund the order\"", "", "msg_s5" },
	{ "\"order refund\"", "", "" },
	{ "refun", "", "wrk_1 msg_s5 msg_4" },
	{ "refun ", "", "" },
	{ "liefer", "", "msg_s5" },
	{ "zoe", "", "cus_2" },
	{ "\u738b\u5c0f", "", "cus_1" },
	{ "wholesale", "", "cus_2" },
	{ "\u53f0\u5317", "", "cus_2" },
	{ "zoe 2019", "", "cus_2" },
	/* numbers */
	{ "8000", "", "cus_1 msg_f6" },
	{ "13800138000", "", "cus_1 msg_f6" },
	{ "138-0013-8000", "", "cus_1 msg_f6" },
	{ "0013 8000", "", "cus_1 msg_f6" },
	{ "4711", "", "wrk_1" },
	{ "#4711", "", "wrk_1" },
	{ "20261123", "", "msg_s5" },
	{ "invoice_2026", "", "msg_f6" },
	{ "ada@example.com", "", "cus_1" },
	{ "example", "", "cus_2 cus_1" },
	/* a phrase does not reach over fields */
	{ "\"77 lieferung\"", "", "" },
	/* syntax is text */
	{ "refund OR zoe", "", "" },
	{ "refund*", "", "wrk_1 msg_s5 msg_4" },
	{ "NOT refund", "", "" },
	{ "'quote' <b>", "", "msg_f6" },
	{ "x' OR 1=1 --", "", "" },
	{ "words:refund", "", "" },
	{ "$1 ; DROP TABLE search", "", "" },
	{ "refund & ! | <-> :* ( ) \\", "", "wrk_1 msg_s5 msg_4" },
	/* filters */
	{ "refund", ",\"types\":[\"work_item\"]", "wrk_1" },
	{ "refund", ",\"types\":[\"message\",\"customer\"]", "msg_s5 msg_4" },
	{ "\u6b3e", ",\"channel\":\"shop\"", "wrk_1 msg_a2 msg_1" },
	{ "\u6b3e", ",\"channel\":\"mail\"", "" },
	{ "example", ",\"channel\":\"mail\"", "cus_2" },
	{ "\u6b3e", ",\"agent\":\"ag-1\"", "wrk_1 msg_a2" },
	{ "\u6b3e", ",\"queue\":\"refunds\"", "wrk_1 msg_a2 msg_1" },
	{ "refund", ",\"queue\":\"refunds\"", "wrk_1" },
	{ "refund", ",\"customer\":\"cus_2\"", "msg_s5 msg_4" },
	{ "refund", ",\"customer\":\"cus_1\"", "wrk_1" },
	{ "zoe", ",\"customer\":\"cus_2\"", "cus_2" },
	{ "zoe", ",\"customer\":\"cus_1\"", "" },
	{ "refund", ",\"from\":1004", "wrk_1 msg_s5" },
	{ "refund", ",\"to\":1004", "msg_4" },
	{ "refund", ",\"from\":1004,\"to\":1005,\"channel\":\"mail\"", "msg_s5" },
	{ "refund", ",\"ascending\":true", "msg_4 msg_s5 wrk_1" },
	{ "refund", ",\"channel\":\"x' OR 'a'='a\"", "" },
};

ParameterizedTestParameters(history_search, finds_what_the_table_says)
{
	static int databases[] = { SQLITE, POSTGRES };

	return cr_make_param_array(int, databases, DATABASES);
}

ParameterizedTest(int *database, history_search, finds_what_the_table_says)
{
	setup(*database);
	fill();
	for (size_t i = 0; i < COUNT_OF(questions); i++) {
		struct json_object *answer = search(questions[i].question, questions[i].more);

		cr_expect_str_eq(ids(answer), questions[i].ids, "%s, row %zu \"%s\"%s: %s",
				 *database == SQLITE ? "SQLite" : "PostgreSQL", i,
				 questions[i].question, questions[i].more, ids(answer));
		json_free(&answer);
	}
	teardown();
}

ParameterizedTestParameters(history_search, answers_with_what_is_shown)
{
	static int databases[] = { SQLITE, POSTGRES };

	return cr_make_param_array(int, databases, DATABASES);
}

ParameterizedTest(int *database, history_search, answers_with_what_is_shown)
{
	struct json_object *answer;
	struct buf text = { 0 };

	setup(*database);
	fill();
	answer = search("\u6b3e", "");
	cr_expect_str_eq(json_text(answer, "as_of"), "2023-11-14T22:13:20.000Z");
	json_append(json_at(answer, "data"), &text);
	cr_expect_str_eq(
		text.data,
		"[{\"type\":\"work_item\",\"id\":\"wrk_1\",\"conversation\":\"cnv_1\","
		"\"customer\":\"cus_1\",\"channel\":\"shop\",\"at\":\"1970-01-01T00:00:03.000Z\","
		"\"field\":\"summary\",\"snippet\":\"\u5ba2\u6236\u8981\u9000<mark>\u6b3e</mark>\","
		"\"number\":4711,\"state\":\"queued\",\"queue\":\"refunds\",\"agent\":\"ag-1\","
		"\"topic\":\"refund\"},{\"type\":\"message\",\"id\":\"msg_a2\","
		"\"conversation\":\"cnv_1\",\"customer\":\"cus_1\",\"channel\":\"shop\","
		"\"at\":\"1970-01-01T00:00:01.001Z\",\"field\":\"text\",\"snippet\":"
		"\"\u6211\u4eec\u5c06\u9000\u56de\u8d27<mark>\u6b3e</mark>\",\"direction\":\"in\","
		"\"kind\":\"text\",\"author\":{\"type\":\"agent\",\"id\":\"ag-1\",\"name\":null}},"
		"{\"type\":\"message\",\"id\":\"msg_1\",\"conversation\":\"cnv_1\","
		"\"customer\":\"cus_1\",\"channel\":\"shop\",\"at\":\"1970-01-01T00:00:01.000Z\","
		"\"field\":\"text\",\"snippet\":\"\u6211\u8981\u9000<mark>\u6b3e</"
		"mark>\uff0c\u8b1d\u8b1d\","
		"\"direction\":\"in\",\"kind\":\"text\",\"author\":{\"type\":\"customer\","
		"\"id\":null,\"name\":null}}]",
		"%s", text.data);
	json_free(&answer);
	answer = search("\"open", "");
	cr_expect_eq(json_int(answer, "position", 0), 1);
	cr_expect_not_null(json_text(answer, "problem"));
	json_free(&answer);
	buf_clear(&text);
	teardown();
}

/* ---- pages ---- */

static void fill_many(const char *prefix, int from, int count)
{
	struct write write;

	write_start(&write);
	for (int i = from; i < from + count; i++) {
		char id[40];

		snprintf(id, sizeof(id), "msg_%s%03d", prefix, i);
		/* Ten of a millisecond. */
		write_message(&write, "cnv_1", id, 5000 + i / 10, "\u9000\u6b3e refund");
	}
	write_end(&write, "");
}

/* "after" and "skip" of the next page; false at the end. */
static bool next_page(struct json_object *answer, char *more, size_t room)
{
	const char *last = json_text(answer, "last");
	const char *space = last == NULL ? NULL : strchr(last, ' ');

	if (last == NULL)
		return false;
	cr_assert_not_null(space);
	snprintf(more, room, ",\"limit\":7,\"after\":%.*s,\"skip\":\"%s\"", (int)(space - last),
		 last, space + 1);
	return true;
}

ParameterizedTestParameters(history_search, pages_stay_while_new_messages_come)
{
	static int databases[] = { SQLITE, POSTGRES };

	return cr_make_param_array(int, databases, DATABASES);
}

ParameterizedTest(int *database, history_search, pages_stay_while_new_messages_come)
{
	char more[200] = ",\"limit\":7";
	char seen[100] = "";
	bool is_more = true;
	int pages = 0, count = 0;

	setup(*database);
	fill_many("o", 0, 100);
	while (is_more) {
		struct json_object *answer = search("\u6b3e", more);
		struct json_object *data = json_at(answer, "data");

		for (size_t i = 0; i < json_count(data); i++, count++) {
			int number = atoi(json_text(json_item(data, i), "id") + 5);

			cr_assert_eq(json_text(json_item(data, i), "id")[4], 'o', "a newer one");
			cr_expect_eq(seen[number], 0, "%d comes twice", number);
			seen[number] = 1;
		}
		is_more = next_page(answer, more, sizeof(more));
		json_free(&answer);
		fill_many("n", 1000 + pages * 10, 10);
		pages++;
	}
	cr_expect_eq(count, 100);
	cr_expect_eq(pages, 15);
	teardown();
}

/* ---- what changes and what goes ---- */

ParameterizedTestParameters(history_search, follows_what_is_written_and_erased)
{
	static int databases[] = { SQLITE, POSTGRES };

	return cr_make_param_array(int, databases, DATABASES);
}

static void expect_ids(const char *question, const char *expected)
{
	struct json_object *answer = search(question, "");

	cr_expect_str_eq(ids(answer), expected, "%s: %s", question, ids(answer));
	json_free(&answer);
}

static void rename_customer(const char *name)
{
	struct write write;
	struct buf more = { 0 };

	buf_format(&more,
		   ",\"customers\":[{\"id\":\"cus_9\",\"hash\":{\"nm\":\"%s\",\"ct\":\"9\","
		   "\"v\":\"1\"}}]",
		   name);
	write_start(&write);
	write_end(&write, more.data);
	buf_clear(&more);
}

static void drop(const char *type, const char *id)
{
	struct sql_place place = { .url = bed.url, .writes = true };
	struct sql sql;
	struct history_job dropping = { .sql = &sql, .workspace = "main" };
	struct error err;

	cr_assert_eq(sql_open(&sql, &place, &err), 0, "%s", err.text);
	cr_assert_eq(sql_begin(&sql, &err), 0);
	cr_assert_eq(history_search_drop(&dropping, type, id, &err), 0, "%s", err.text);
	cr_assert_eq(sql_commit(&sql, &err), 0, "%s", err.text);
	sql_close(&sql);
}

static bool files_hold(const char *bytes)
{
	char command[200];

	snprintf(command, sizeof(command), "grep -qrF '%s' '%s'", bytes, bed.dir);
	return system(command) == 0;
}

ParameterizedTest(int *database, history_search, follows_what_is_written_and_erased)
{
	struct json_object *answer;

	setup(*database);
	rename_customer("Canaryone");
	rename_customer("Canaryone");
	expect_ids("canaryone", "cus_9");
	rename_customer("Canarytwo");
	expect_ids("canaryone", "");
	expect_ids("canarytwo", "cus_9");
	rename_customer("");
	expect_ids("canarytwo", "");
	rename_customer("Canarythree");
	drop("customer", "cus_9");
	expect_ids("canarythree", "");
	answer = job('w', "{\"op\":\"search_purge\",\"workspace\":\"main\"}");
	json_free(&answer);
	if (*database == SQLITE)
		cr_expect_not(files_hold("canarythree"), "the index still has it");
	teardown();
}

/* ---- any part of any text ---- */

static uint32_t seed = 1;

static uint32_t chance(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % below;
}

/* Characters of a random text: mostly few Han ones, so that they repeat, and some rare. */
static void random_text(struct buf *out, size_t characters)
{
	for (size_t i = 0; i < characters; i++) {
		char bytes[4];
		uint32_t c = chance(4) > 0 ? 0x4e00 + chance(12) : 0x3400 + chance(0x6c00);

		if (c >= 0x4dc0 && c < 0x4e00)
			c = 0x4e00;
		buf_add(out, bytes, text_encode(c, bytes));
	}
}

ParameterizedTestParameters(history_search, finds_every_part_of_every_text)
{
	static int databases[] = { SQLITE, POSTGRES };

	return cr_make_param_array(int, databases, DATABASES);
}

static void expect_part(const char *text, size_t characters, const char *id)
{
	size_t from = chance((uint32_t)characters), len = 1 + chance(30);
	struct json_object *answer;
	struct buf part = { 0 };

	len = from + len > characters ? characters - from : len;
	buf_add(&part, text + 3 * from, 3 * len);
	answer = search(part.data, ",\"limit\":200");
	cr_expect_not_null(strstr(ids(answer), id), "%s: %zu characters from %zu, \"%s\"", id, len,
			   from, part.data);
	json_free(&answer);
	buf_clear(&part);
}

ParameterizedTest(int *database, history_search, finds_every_part_of_every_text)
{
	/* The last ones are several parts in the index. */
	static const size_t sizes[] = { 1, 2, 3, 10, 50, 200, 300, 1000, 10000, 20000 };
	struct buf texts[COUNT_OF(sizes)] = { { 0 } };
	struct write write;
	char id[40];

	setup(*database);
	write_start(&write);
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		snprintf(id, sizeof(id), "msg_%04zu", i);
		random_text(&texts[i], sizes[i]);
		write_message(&write, "cnv_1", id, 1 + (int64_t)i, texts[i].data);
	}
	write_end(&write, "");
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		snprintf(id, sizeof(id), "msg_%04zu", i);
		for (int tries = 0; tries < 20; tries++)
			expect_part(texts[i].data, sizes[i], id);
		buf_clear(&texts[i]);
	}
	teardown();
}
