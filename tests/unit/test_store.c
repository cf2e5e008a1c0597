#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_bed.h"

static struct store_call *plain(const char *verb, const char *a, const char *b)
{
	struct store_call *call = store_command(verb);

	if (a != NULL)
		store_arg_text(call, a);
	if (b != NULL)
		store_arg_text(call, b);
	return call;
}

static struct store_call *put_cursor(const char *name, const char *cursor)
{
	struct store_call *call = store_script("cursor_put", "t");

	store_key(call, "cur:%s", name);
	store_arg_text(call, cursor);
	store_arg_int(call, 0);
	return call;
}

Test(store, carries_any_bytes_both_ways)
{
	struct store_bed *bed = bed_new(NULL);
	struct store_call *call = store_command("SET");
	char big[3000];

	memset(big, 'x', sizeof(big));
	store_arg_key(call, "t", "k:%d", 7);
	store_arg(call, "a\0b\r\nc", 6);
	cr_expect_str_eq(bed_run(bed, call), "OK");
	cr_expect_str_eq(redis_ask(&bed->child, "STRLEN {t}:k:7"), "6");
	call = store_command("SET");
	store_arg_text(call, "big");
	store_arg(call, big, sizeof(big));
	cr_expect_str_eq(bed_run(bed, call), "OK");
	cr_expect_str_eq(bed_read(bed, plain("STRLEN", "big", NULL)), "3000");
	call = store_command("SET");
	store_arg_text(call, "n");
	store_arg_int(call, INT64_MIN);
	cr_expect_str_eq(bed_run(bed, call), "OK");
	cr_expect_str_eq(bed_read(bed, plain("GET", "n", NULL)), "-9223372036854775808");
	cr_expect_str_eq(bed_read(bed, plain("GET", "none", NULL)), "(nil)");
	bed_free(&bed);
}

Test(store, runs_scripts_by_name)
{
	struct store_bed *bed = bed_new(NULL);

	cr_expect_str_eq(bed_run(bed, put_cursor("history", "1-2-3")), "ok");
	cr_expect_str_eq(redis_ask(&bed->child, "GET {t}:cur:history"), "1-2-3");
	bed_free(&bed);
}

static void look_at_fields(const struct store_reply *reply, const struct error *err, void *context)
{
	bool *is_done = context;

	cr_expect_null(err);
	cr_expect_eq(reply_kind(reply), REPLY_ARRAY);
	cr_expect_eq(reply_count(reply), 4);
	cr_expect_str_eq(reply_field(reply, "b"), "two");
	cr_expect_null(reply_field(reply, "two"));
	cr_expect_eq(reply_int(reply_item(reply, 1)), 17);
	cr_expect_eq(reply_int(reply_item(reply, 3)), 0);
	cr_expect_null(reply_item(reply, 4));
	cr_expect(reply_is(reply, "a"));
	*is_done = true;
}

Test(store, reads_arrays_and_fields)
{
	struct store_bed *bed = bed_new(NULL);
	bool is_done = false;

	redis_ask(&bed->child, "HSET h a 17 b two");
	store_read(bed->store, plain("HGETALL", "h", NULL), look_at_fields, &is_done);
	bed_until(bed, &is_done);
	bed_free(&bed);
}

Test(store, loads_its_scripts_again_when_they_are_gone)
{
	struct store_bed *bed = bed_new(NULL);

	bed_until_up(bed, true);
	redis_ask(&bed->child, "SCRIPT FLUSH");
	cr_expect_str_eq(bed_run(bed, put_cursor("a", "1")), "ok");
	cr_expect_eq(store_stats(bed->store).resent, 1);
	bed_free(&bed);
}

static void push(struct store_bed *bed, int from, int to, struct bed_answer *answers)
{
	for (int i = from; i < to; i++) {
		char number[16];

		snprintf(number, sizeof(number), "%d", i);
		store_run(bed->store, plain("RPUSH", "order", number), bed_done, &answers[i]);
	}
}

Test(store, sends_what_is_unanswered_again_in_order_after_a_crash)
{
	static const char *const durable[] = { "--appendonly", "yes", "--appendfsync", "always",
					       NULL };
	struct store_bed *bed = bed_new(NULL);
	struct bed_answer answers[80] = { { 0 } };
	char expected[400] = "";

	redis_child_kill(&bed->child);
	redis_child_again(&bed->child, durable);
	bed_until_up(bed, true);
	kill(bed->child.pid, SIGSTOP);
	push(bed, 0, 50, answers);
	loop_turn(bed->loop, false);
	loop_turn(bed->loop, false);
	/* Some more are not even sent when the connection breaks, some come while it is down. */
	push(bed, 50, 60, answers);
	redis_child_kill(&bed->child);
	bed_until_up(bed, false);
	push(bed, 60, 80, answers);
	redis_child_again(&bed->child, durable);
	bed_until(bed, &answers[79].is_done);
	for (int i = 0; i < 80; i++) {
		cr_expect_eq(answers[i].count, 1);
		cr_expect_eq(answers[i].kind, ERROR_NONE);
		snprintf(expected + strlen(expected), 16, i == 0 ? "%d" : ",%d", i);
	}
	cr_expect_str_eq(redis_ask(&bed->child, "LRANGE order 0 -1"), expected);
	cr_expect_geq(store_stats(bed->store).resent, 50);
	bed_free(&bed);
}

Test(store, ends_a_call_at_its_deadline_and_sends_the_younger_ones_again)
{
	struct store_options options = { .deadline_ms = 300 };
	struct store_bed *bed = bed_new(&options);
	struct bed_answer answer = { 0 };

	bed_until_up(bed, true);
	kill(bed->child.pid, SIGSTOP);
	store_run(bed->store, plain("PING", NULL, NULL), bed_done, &answer);
	bed_until(bed, &answer.is_done);
	cr_expect_eq(answer.kind, ERROR_TEMPORARY);
	cr_expect_not(store_is_up(bed->store));
	kill(bed->child.pid, SIGCONT);
	bed_until_up(bed, true);
	cr_expect_str_eq(bed_run(bed, plain("PING", NULL, NULL)), "PONG");
	bed_free(&bed);
}

Test(store, answers_calls_while_there_is_no_store)
{
	struct store_options options = { .deadline_ms = 200 };
	struct store_bed *bed = bed_new(&options);

	redis_child_kill(&bed->child);
	cr_expect_not_null(strstr(bed_run(bed, plain("PING", NULL, NULL)),
				  "error: PING: no answer from the store in 200 ms"));
	bed_free(&bed);
}

Test(store, refuses_at_once_what_the_queue_does_not_hold)
{
	struct store_options options = { .queue_max = 2 };
	struct store_bed *bed = bed_new(&options);
	struct bed_answer answers[3] = { { 0 } };

	for (int i = 0; i < 3; i++)
		store_run(bed->store, plain("PING", NULL, NULL), bed_done, &answers[i]);
	cr_expect_not(answers[2].is_done, "done before store_run() returned");
	bed_until(bed, &answers[2].is_done);
	cr_expect_eq(answers[2].kind, ERROR_TEMPORARY);
	cr_expect_not(answers[0].is_done);
	bed_until(bed, &answers[1].is_done);
	cr_expect_eq(answers[1].kind, ERROR_NONE);
	bed_free(&bed);
}

Test(store, keeps_no_more_in_flight_than_it_may)
{
	struct store_options options = { .in_flight_max = 3 };
	struct store_bed *bed = bed_new(&options);
	struct bed_answer answers[20] = { { 0 } };

	for (int i = 0; i < 20; i++)
		store_run(bed->store, plain("INCR", "n", NULL), bed_done, &answers[i]);
	bed_until(bed, &answers[19].is_done);
	for (int i = 0; i < 20; i++)
		cr_expect_eq(atoi(answers[i].text), i + 1);
	bed_free(&bed);
}

static void look_at_length(const struct store_reply *reply, const struct error *err, void *context)
{
	size_t *length = context;

	cr_expect_null(err);
	cr_expect_eq(reply_count(reply), 3);
	for (size_t i = 0; i < reply_count(reply); i++) {
		size_t len = 0;

		reply_text(reply_item(reply, i), &len);
		*length += len;
	}
}

Test(store, carries_answers_of_megabytes)
{
	struct store_bed *bed = bed_new(NULL);
	struct store_call *call = store_command("LRANGE");
	char *big = malloc(1500000);
	size_t length = 0;

	memset(big, 'y', 1500000);
	for (int i = 0; i < 3; i++) {
		struct store_call *push = store_command("RPUSH");

		store_arg_text(push, "big");
		store_arg(push, big, 1500000);
		cr_expect_neq(strncmp(bed_run(bed, push), "error", 5), 0);
	}
	store_arg_text(call, "big");
	store_arg_text(call, "0");
	store_arg_text(call, "-1");
	store_read(bed->store, call, look_at_length, &length);
	while (length == 0)
		loop_turn(bed->loop, true);
	cr_expect_eq(length, 4500000);
	free(big);
	bed_free(&bed);
}

Test(store, still_sends_what_was_waiting_when_it_is_freed)
{
	struct store_bed *bed = bed_new(NULL);
	struct bed_answer answer = { 0 };

	bed_until_up(bed, true);
	store_run(bed->store, plain("SET", "last", "word"), bed_done, &answer);
	store_free(&bed->store);
	cr_expect_eq(answer.count, 1);
	while (strcmp(redis_ask(&bed->child, "GET last"), "word") != 0)
		;
	bed_free(&bed);
}

Test(store, ends_every_call_when_it_is_freed)
{
	struct store_bed *bed = bed_new(NULL);
	struct bed_answer answers[2] = { { 0 } };

	bed_until_up(bed, true);
	store_run(bed->store, plain("PING", NULL, NULL), bed_done, &answers[0]);
	store_read(bed->store, plain("PING", NULL, NULL), bed_done, &answers[1]);
	store_free(&bed->store);
	cr_expect_eq(answers[0].count, 1);
	cr_expect_eq(answers[1].count, 1);
	cr_expect_str_eq(answers[1].text, "error: the store is closing");
	bed_free(&bed);
}

Test(store, maps_the_errors_of_redis)
{
	struct store_bed *bed = bed_new(NULL);
	struct bed_answer answer = { 0 };

	bed_until_up(bed, true);
	redis_ask(&bed->child, "SET text 1");
	store_run(bed->store, plain("LLEN", "text", NULL), bed_done, &answer);
	bed_until(bed, &answer.is_done);
	cr_expect_eq(answer.kind, ERROR_PERMANENT);
	redis_ask(&bed->child, "CONFIG SET maxmemory 1");
	answer = (struct bed_answer){ 0 };
	store_run(bed->store, plain("SET", "a", "1"), bed_done, &answer);
	bed_until(bed, &answer.is_done);
	cr_expect_eq(answer.kind, ERROR_TEMPORARY);
	cr_expect_str_eq(answer.text, "error: SET: the store is full (maxmemory)");
	cr_expect_str_eq(bed_run(bed, put_cursor("a", "1")), "ok");
	bed_free(&bed);
}

Test(store, logs_in_as_a_user_of_the_access_list)
{
	struct store_bed *bed = bed_new(NULL);
	struct store_options options = { 0 };
	struct error err;
	char url[200];
	int port = redis_free_port();

	redis_ask(&bed->child, "ACL SETUSER broker on >p:w@1 ~* &* +@all");
	redis_ask(&bed->child, "CONFIG SET port %d", port);
	redis_ask(&bed->child, "ACL SETUSER default on >secret");
	store_free(&bed->store);
	snprintf(url, sizeof(url), "redis://broker:p%%3Aw%%401@127.0.0.1:%d/3", port);
	options.url = url;
	bed->store = store_new(bed->loop, &options, &err);
	cr_expect_str_eq(bed_run(bed, plain("SET", "here", "1")), "OK");
	cr_expect_str_eq(bed_read(bed, plain("GET", "here", NULL)), "1");
	cr_expect_str_eq(bed_read(bed, plain("ACL", "WHOAMI", NULL)), "broker");
	cr_expect_not_null(strstr(bed_read(bed, plain("CLIENT", "INFO", NULL)), " db=3 "));
	bed_free(&bed);
}

static void on_change(bool up, void *context)
{
	int *changes = context;

	changes[up]++;
}

Test(store, tells_when_it_comes_and_goes)
{
	struct store_bed *bed = bed_new(NULL);
	int changes[2] = { 0, 0 };

	store_on_change(bed->store, on_change, changes);
	bed_until_up(bed, true);
	redis_child_kill(&bed->child);
	bed_until_up(bed, false);
	redis_child_again(&bed->child, NULL);
	bed_until_up(bed, true);
	cr_expect_eq(changes[1], 2);
	cr_expect_eq(changes[0], 1);
	bed_free(&bed);
}

Test(store, knows_how_full_it_is)
{
	struct store_bed *bed = bed_new(NULL);

	redis_ask(&bed->child, "CONFIG SET maxmemory 1000000000");
	bed_until_up(bed, true);
	while (store_fullness(bed->store) <= 0.0)
		loop_turn(bed->loop, true);
	cr_expect_lt(store_fullness(bed->store), 0.5);
	bed_free(&bed);
}

Test(store, says_what_it_supports_instead)
{
	struct loop *loop = loop_new();
	struct store_options options = { .url = "rediss://h:1" };
	struct error err;

	cr_expect_null(store_new(loop, &options, &err));
	cr_expect_not_null(strstr(err.text, "stunnel"));
	options.url = "sentinel://a,b/main";
	cr_expect_null(store_new(loop, &options, &err));
	cr_expect_not_null(strstr(err.text, "sentinel:// is not supported by this build"));
	options.url = "/tmp/x";
	cr_expect_null(store_new(loop, &options, &err));
	loop_free(&loop);
}
