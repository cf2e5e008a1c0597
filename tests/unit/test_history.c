#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/memory.h"
#include "history/history.h"
#include "postgres_child.h"
#include "services/loop.h"

/* Each test runs against both databases. */
enum { SQLITE, POSTGRES, DATABASES };

struct bed {
	char dir[64];
	struct postgres_child postgres;
	int database;
	struct loop *loop;
	struct history *history;
};

static struct bed bed;
static bool ended;
static char answer[4000];
static enum error_kind kind;

static void open_history(void)
{
	struct history_options options = { .state_dir = bed.dir,
					   .executable = BUILD_DIR "/converged" };

	if (bed.database == POSTGRES)
		options.url = bed.postgres.url;
	bed.history = history_new(bed.loop, &options);
}

static void setup(int database)
{
	bed = (struct bed){ .dir = "/tmp/converge-history-XXXXXX", .database = database };
	cr_assert_not_null(mkdtemp(bed.dir));
	if (database == POSTGRES)
		postgres_child_start(&bed.postgres);
	bed.loop = loop_new();
	open_history();
}

static void teardown(void)
{
	char command[100];

	history_free(&bed.history);
	loop_free(&bed.loop);
	if (bed.database == POSTGRES)
		postgres_child_stop(&bed.postgres);
	snprintf(command, sizeof(command), "rm -rf '%s'", bed.dir);
	cr_assert_eq(system(command), 0);
}

static void on_done(struct json_object *value, const struct error *err, void *context)
{
	struct buf text = { 0 };

	(void)context;
	if (err == NULL)
		json_append(value, &text);
	snprintf(answer, sizeof(answer), "%s", err == NULL ? buf_string(&text) : err->text);
	kind = err == NULL ? ERROR_NONE : err->kind;
	buf_clear(&text);
	ended = true;
}

static const char *run(bool writes, const char *op, const char *fields)
{
	struct buf buf = { 0 };

	buf_text(&buf, fields);
	ended = false;
	(writes ? history_tell : history_ask)(bed.history, op, "main", &buf, on_done, NULL);
	cr_assert_not(ended, "done was called before the return");
	while (!ended)
		loop_turn(bed.loop, true);
	buf_clear(&buf);
	return answer;
}

static const char *tell(const char *op, const char *fields)
{
	return run(true, op, fields);
}

static const char *ask(const char *op, const char *fields)
{
	return run(false, op, fields);
}

#define MESSAGE(id, text)                                                                          \
	"\"{\\\"author\\\":{\\\"type\\\":\\\"customer\\\"},\\\"id\\\":\\\"" id                     \
	"\\\",\\\"direction\\\":\\\"in\\\",\\\"kind\\\":\\\"text\\\",\\\"text\\\":\\\"" text       \
	"\\\",\\\"created_at\\\":\\\"2026-01-02T03:04:05.006Z\\\"}\""

#define BATCH(after, position, messages)                                                           \
	",\"after\":\"" after "\",\"position\":\"" position "\",\"at\":1,\"messages\":[" messages  \
	"]"
#define ROW(created, index, json)                                                                  \
	"{\"conversation\":\"cnv_1\",\"created_ms\":" created ",\"index\":" index                  \
	",\"json\":" json "}"

static void write_first(void)
{
	cr_assert_str_eq(
		tell("write",
		     ",\"reset\":true,\"position\":\"1-5-0\",\"customers\":[{\"id\":"
		     "\"cus_1\",\"hash\":{\"nm\":\"王\",\"ct\":\"7\",\"v\":\"2\","
		     "\"i:ab\":\"[\\\"email\\\",\\\"\\\",\\\"a@b.cn\\\",1,\\\"dkim\\\",9]\"}"
		     "}],\"conversations\":[{\"id\":\"cnv_1\",\"hash\":{\"ch\":\"shop\","
		     "\"ik\":\"ab\",\"s\":\"open\",\"n\":\"1\",\"ct\":\"10\",\"ut\":\"11\"}"
		     "}],\"messages\":[" ROW("10", "0", MESSAGE("msg_1", "退款")) "]"),
		"{\"skipped\":[]}");
}

ParameterizedTestParameters(history, writes_and_reads)
{
	static int databases[] = { SQLITE, POSTGRES };

	return cr_make_param_array(int, databases, DATABASES);
}

ParameterizedTest(int *database, history, writes_and_reads)
{
	char id[HISTORY_ID_BYTES];

	setup(*database);
	cr_assert_str_eq(tell("cursor", ""), "{\"position\":null}");
	tell("open", "");
	cr_assert_not_null(history_id(bed.history));
	snprintf(id, sizeof(id), "%s", history_id(bed.history));
	write_first();
	cr_assert_str_eq(tell("cursor", ""), "{\"position\":\"1-5-0\"}");
	cr_assert_not_null(strstr(ask("messages", ",\"conversation\":\"cnv_1\""), "退款"));
	cr_assert_not_null(strstr(ask("conversation", ",\"conversation\":\"cnv_1\""),
				  "\"count\":1,\"customer\":\"cus_1\""),
			   "%s", answer);
	/* Another process finds the same. */
	history_free(&bed.history);
	open_history();
	tell("open", "");
	cr_assert_str_eq(history_id(bed.history), id);
	cr_assert_not_null(strstr(ask("messages", ",\"conversation\":\"cnv_1\""), "msg_1"));
	teardown();
}

ParameterizedTestParameters(history, moves_the_cursor_with_the_rows_or_not_at_all)
{
	static int databases[] = { SQLITE, POSTGRES };

	return cr_make_param_array(int, databases, DATABASES);
}

ParameterizedTest(int *database, history, moves_the_cursor_with_the_rows_or_not_at_all)
{
	setup(*database);
	write_first();
	tell("write", BATCH("1-4-0", "1-6-0", ROW("10", "1", MESSAGE("msg_2", "x"))));
	cr_assert_eq(kind, ERROR_TEMPORARY, "another writer's cursor was overwritten");
	cr_assert_str_eq(tell("cursor", ""), "{\"position\":\"1-5-0\"}");
	cr_assert_null(strstr(ask("messages", ",\"conversation\":\"cnv_1\""), "msg_2"));
	tell("write", BATCH("1-5-0", "1-6-0", ROW("10", "1", MESSAGE("msg_2", "x"))));
	cr_assert_eq(kind, ERROR_NONE, "%s", answer);
	cr_assert_str_eq(tell("cursor", ""), "{\"position\":\"1-6-0\"}");
	teardown();
}

ParameterizedTestParameters(history, leaves_out_a_row_that_cannot_be_written)
{
	static int databases[] = { SQLITE, POSTGRES };

	return cr_make_param_array(int, databases, DATABASES);
}

ParameterizedTest(int *database, history, leaves_out_a_row_that_cannot_be_written)
{
	setup(*database);
	write_first();
	tell("write",
	     BATCH("1-5-0", "1-6-0",
		   ROW("10", "1", "\"no JSON\"") "," ROW("10", "2", MESSAGE("msg_3", "x"))));
	cr_assert_eq(kind, ERROR_NONE, "%s", answer);
	cr_assert_not_null(strstr(answer, "\"skipped\":[{\"kind\":\"messages\""), "%s", answer);
	cr_assert_not_null(strstr(ask("messages", ",\"conversation\":\"cnv_1\""), "msg_3"));
	cr_assert_str_eq(tell("cursor", ""), "{\"position\":\"1-6-0\"}");
	teardown();
}

ParameterizedTestParameters(history, counts_on_where_a_conversation_comes_back)
{
	static int databases[] = { SQLITE, POSTGRES };

	return cr_make_param_array(int, databases, DATABASES);
}

ParameterizedTest(int *database, history, counts_on_where_a_conversation_comes_back)
{
	static const char *const wanted[] = { "{\"position\":40960,\"json\":\"{\\\"author\\\":{"
					      "\\\"type\\\":\\\"customer\\\"},\\\"id\\\":\\\"msg_1",
					      "{\"position\":81920,", "\\\"msg_2",
					      "{\"position\":81921,", "\\\"msg_3" };
	const char *at;

	setup(*database);
	write_first();
	/* A new episode begins behind it, at its time; and a message again changes nothing. */
	tell("write",
	     BATCH("1-5-0", "1-6-0",
		   ROW("20", "0", MESSAGE("msg_2", "x")) "," ROW(
			   "20", "1",
			   MESSAGE("msg_3", "x")) "," ROW("10", "0",
							  MESSAGE("msg_1",
								  "x")) "," ROW("20", "0",
										MESSAGE("msg_2",
											"x"))));
	cr_assert_str_eq(answer, "{\"skipped\":[]}");
	at = ask("messages", ",\"conversation\":\"cnv_1\"");
	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		at = strstr(at, wanted[i]);
		cr_assert_not_null(at, "%s is not in its place in %s", wanted[i], answer);
	}
	cr_assert_null(strstr(at, "position"));
	teardown();
}

ParameterizedTestParameters(history, keeps_what_the_store_lost)
{
	static int databases[] = { SQLITE, POSTGRES };

	return cr_make_param_array(int, databases, DATABASES);
}

ParameterizedTest(int *database, history, keeps_what_the_store_lost)
{
	setup(*database);
	write_first();
	/* The store lost msg_1 and gave its index to another. */
	tell("write", BATCH("1-5-0", "1-6-0", ROW("10", "0", MESSAGE("msg_9", "x"))));
	cr_assert_str_eq(answer, "{\"skipped\":[]}");
	ask("messages", ",\"conversation\":\"cnv_1\"");
	cr_assert_not_null(strstr(answer, "msg_1"));
	cr_assert_not_null(strstr(answer, "{\"position\":40961,"), "%s", answer);
	cr_assert_not_null(strstr(answer, "msg_9"));
	teardown();
}

Test(history, goes_on_when_postgres_comes_back)
{
	setup(POSTGRES);
	write_first();
	postgres_child_kill(&bed.postgres);
	tell("write", BATCH("1-5-0", "1-6-0", ROW("10", "1", MESSAGE("msg_2", "x"))));
	cr_assert_eq(kind, ERROR_TEMPORARY, "%s", answer);
	postgres_child_again(&bed.postgres);
	do /* as the writer does: the old connection may end in two errors */
		tell("write", BATCH("1-5-0", "1-6-0", ROW("10", "1", MESSAGE("msg_2", "x"))));
	while (kind == ERROR_TEMPORARY);
	cr_assert_eq(kind, ERROR_NONE, "%s", answer);
	cr_assert_not_null(strstr(ask("messages", ",\"conversation\":\"cnv_1\""), "msg_2"));
	teardown();
}

Test(history, refuses_a_newer_schema_and_says_so)
{
	char command[200];

	setup(SQLITE);
	write_first();
	history_free(&bed.history);
	snprintf(command, sizeof(command),
		 "sqlite3 %s/history.db \"UPDATE history SET value = '99' WHERE name = 'schema'\"",
		 bed.dir);
	cr_assert_eq(system(command), 0);
	open_history();
	tell("open", "");
	cr_assert_eq(kind, ERROR_PERMANENT, "%s", answer);
	cr_assert_not_null(strstr(answer, "schema 99"), "%s", answer);
	ask("messages", ",\"conversation\":\"cnv_1\"");
	cr_assert_eq(kind, ERROR_PERMANENT, "%s", answer);
	teardown();
}

Test(history, keeps_nothing_where_that_is_asked)
{
	struct history_options options = { .url = "none" };

	bed.loop = loop_new();
	bed.history = history_new(bed.loop, &options);
	cr_assert_not(history_is_kept(bed.history));
	ask("messages", "");
	cr_assert_eq(kind, ERROR_PERMANENT, "%s", answer);
	history_free(&bed.history);
	loop_free(&bed.loop);
}
