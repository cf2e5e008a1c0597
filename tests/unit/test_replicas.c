#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_bed.h"

/* A master and one replica, and a store that answers when the replica has it too. */
struct pair {
	struct store_bed bed; /* its child is the master */
	struct redis_child replica;
};

static struct pair *pair_new(void)
{
	struct pair *pair = calloc(1, sizeof(*pair));
	struct store_options options = { .ack = "replicas" };
	char port[16];
	const char *master[] = { "--port", port, "--repl-diskless-sync-delay", "0", NULL };
	const char *replica[] = { "--replicaof", "127.0.0.1", port, NULL };
	struct error err;

	snprintf(port, sizeof(port), "%d", redis_free_port());
	redis_child_start(&pair->bed.child, master);
	redis_child_start(&pair->replica, replica);
	while (strstr(redis_ask(&pair->bed.child, "INFO replication"), "state=online") == NULL)
		;
	pair->bed.loop = loop_new();
	options.url = pair->bed.child.url;
	pair->bed.store = store_new(pair->bed.loop, &options, &err);
	bed_until_up(&pair->bed, true);
	return pair;
}

static void pair_free(struct pair **pair)
{
	store_free(&(*pair)->bed.store);
	loop_free(&(*pair)->bed.loop);
	redis_child_stop(&(*pair)->replica);
	redis_child_stop(&(*pair)->bed.child);
	free(*pair);
}

static struct store_call *put_cursor(int i)
{
	struct store_call *call = store_script("cursor_put", "t");

	store_key(call, "cur:%d", i);
	store_arg_int(call, i);
	store_arg_int(call, 0);
	return call;
}

static int waits(struct pair *pair)
{
	const char *stats = redis_ask(&pair->bed.child, "INFO commandstats");
	const char *wait = strstr(stats, "cmdstat_wait:calls=");

	return wait == NULL ? 0 : atoi(wait + strlen("cmdstat_wait:calls="));
}

Test(replicas, answer_a_whole_batch_with_one_wait)
{
	struct pair *pair = pair_new();
	struct bed_answer answers[100] = { { 0 } };
	int before = waits(pair);

	for (int i = 0; i < 100; i++)
		store_run(pair->bed.store, put_cursor(i), bed_done, &answers[i]);
	bed_until(&pair->bed, &answers[99].is_done);
	for (int i = 0; i < 100; i++) {
		cr_expect_eq(answers[i].count, 1);
		cr_expect_str_eq(answers[i].text, "ok");
	}
	cr_expect_eq(waits(pair) - before, 1);
	cr_expect_str_eq(redis_ask(&pair->replica, "GET {t}:cur:99"), "99");
	pair_free(&pair);
}

Test(replicas, that_do_not_answer_in_time_make_the_call_fail)
{
	struct pair *pair = pair_new();
	struct bed_answer answer = { 0 };

	kill(pair->replica.pid, SIGSTOP);
	store_run(pair->bed.store, put_cursor(1), bed_done, &answer);
	bed_until(&pair->bed, &answer.is_done);
	cr_expect_eq(answer.kind, ERROR_TEMPORARY);
	cr_expect_str_eq(answer.text, "error: not enough replicas (0 of 1)");
	kill(pair->replica.pid, SIGCONT);
	cr_expect_str_eq(bed_run(&pair->bed, put_cursor(2)), "ok");
	pair_free(&pair);
}

Test(replicas, hold_answers_that_are_sent_again_when_the_master_dies)
{
	struct pair *pair = pair_new();
	struct bed_answer answers[10] = { { 0 } };

	kill(pair->replica.pid, SIGSTOP);
	for (int i = 0; i < 10; i++)
		store_run(pair->bed.store, put_cursor(i), bed_done, &answers[i]);
	while (strcmp(redis_ask(&pair->bed.child, "EXISTS {t}:cur:9"), "1") != 0)
		loop_turn(pair->bed.loop, false);
	for (int i = 0; i < 5; i++)
		loop_turn(pair->bed.loop, false);
	cr_expect_not(answers[0].is_done, "answered before a replica had it");
	redis_child_kill(&pair->bed.child);
	kill(pair->replica.pid, SIGCONT);
	redis_child_again(&pair->bed.child, NULL);
	bed_until(&pair->bed, &answers[9].is_done);
	for (int i = 0; i < 10; i++) {
		cr_expect_eq(answers[i].count, 1);
		cr_expect_str_eq(answers[i].text, "error: not enough replicas (0 of 1)");
	}
	cr_expect_eq(store_stats(pair->bed.store).resent, 10);
	pair_free(&pair);
}

Test(replicas, are_not_taken_for_the_store)
{
	struct pair *pair = pair_new();
	struct store_options options = { .url = pair->replica.url, .deadline_ms = 300 };
	struct store_bed bed = { .loop = pair->bed.loop };
	struct error err;

	bed.store = store_new(bed.loop, &options, &err);
	cr_expect_not_null(strstr(bed_run(&bed, put_cursor(1)), "it is a replica, not the master"));
	store_free(&bed.store);
	pair_free(&pair);
}

Test(replicas, made_of_the_master_end_its_connection)
{
	struct pair *pair = pair_new();
	struct bed_answer answer = { 0 };

	redis_ask(&pair->bed.child, "REPLICAOF 127.0.0.1 1");
	store_run(pair->bed.store, put_cursor(1), bed_done, &answer);
	bed_until(&pair->bed, &answer.is_done);
	cr_expect_eq(answer.kind, ERROR_TEMPORARY);
	bed_until_up(&pair->bed, false);
	redis_ask(&pair->bed.child, "REPLICAOF NO ONE");
	bed_until_up(&pair->bed, true);
	pair_free(&pair);
}

Test(replicas, that_are_too_few_for_redis_itself_make_the_call_fail)
{
	struct store_bed *bed = bed_new(NULL);

	redis_ask(&bed->child, "CONFIG SET min-replicas-to-write 1");
	cr_expect_not_null(strstr(bed_run(bed, put_cursor(1)), "not enough replicas"));
	bed_free(&bed);
}
