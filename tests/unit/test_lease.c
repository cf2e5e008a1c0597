#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/lease.h"
#include "store/placement.h"
#include "store_bed.h"

struct watcher {
	bool is_held;
	bool is_free; /* after it was held */
	int wins;
	char fence[40];
};

static void on_change(bool held, const char *fence, void *context)
{
	struct watcher *watcher = context;

	watcher->is_held = held;
	watcher->is_free = !held;
	watcher->wins += held;
	snprintf(watcher->fence, sizeof(watcher->fence), "%s", fence == NULL ? "" : fence);
}

Test(lease, is_won_kept_and_given_back)
{
	struct store_bed *bed = bed_new(NULL);
	struct leases *leases = leases_new(bed->loop, bed->store, "one", NULL);
	struct watcher watcher = { 0 };
	struct lease *lease = lease_want(leases, "t", "steward", on_change, &watcher);
	char expected[64];

	cr_expect_null(lease_fence(lease));
	bed_until(bed, &watcher.is_held);
	cr_expect_eq(strlen(watcher.fence), 32);
	cr_expect_str_eq(lease_fence(lease), watcher.fence);
	snprintf(expected, sizeof(expected), "%s one", watcher.fence);
	cr_expect_str_eq(redis_ask(&bed->child, "GET {t}:lease:steward"), expected);
	cr_expect_str_eq(redis_ask(&bed->child, "ZRANGE {converge}:instances 0 -1"), "one");
	/* The next renewal lengthens what was shortened. */
	redis_ask(&bed->child, "PEXPIRE {t}:lease:steward 3000");
	while (atoi(redis_ask(&bed->child, "PTTL {t}:lease:steward")) <= 3000)
		loop_turn(bed->loop, true);
	cr_expect_eq(watcher.wins, 1);
	leases_free(&leases);
	while (strcmp(redis_ask(&bed->child, "GET {t}:lease:steward"), "(nil)") != 0)
		loop_turn(bed->loop, false);
	bed_free(&bed);
}

Test(lease, has_one_holder_and_the_next_takes_over)
{
	struct store_bed *bed = bed_new(NULL);
	struct leases *leases[2] = { leases_new(bed->loop, bed->store, "one", NULL),
				     leases_new(bed->loop, bed->store, "two", NULL) };
	struct watcher watchers[2] = { { 0 } };
	struct lease *wanted[2];
	int winner;
	bool is_any = false;

	for (int i = 0; i < 2; i++)
		wanted[i] = lease_want(leases[i], "t", "steward", on_change, &watchers[i]);
	while (!is_any) {
		loop_turn(bed->loop, true);
		is_any = watchers[0].is_held || watchers[1].is_held;
	}
	for (int i = 0; i < 50; i++)
		loop_turn(bed->loop, false);
	cr_expect_neq(watchers[0].is_held, watchers[1].is_held);
	winner = watchers[1].is_held;
	(void)wanted;
	leases_free(&leases[winner]);
	bed_until(bed, &watchers[!winner].is_held);
	cr_expect_str_neq(watchers[0].fence, watchers[1].fence);
	leases_free(&leases[!winner]);
	bed_free(&bed);
}

Test(lease, of_a_dead_instance_ends_by_itself)
{
	struct store_bed *bed = bed_new(NULL);
	struct store_bed other = { .loop = loop_new() };
	struct store_options options = { .url = bed->child.url };
	struct watcher watchers[2] = { { 0 } };
	struct leases *leases[2];
	struct error err;

	other.store = store_new(other.loop, &options, &err);
	leases[0] = leases_new(other.loop, other.store, "dies", NULL);
	lease_want(leases[0], "t", "steward", on_change, &watchers[0]);
	bed_until(&other, &watchers[0].is_held);
	/* From here on its loop does not turn: as good as dead. */
	leases[1] = leases_new(bed->loop, bed->store, "lives", NULL);
	lease_want(leases[1], "t", "steward", on_change, &watchers[1]);
	bed_until(bed, &watchers[1].is_held);
	/* It wakes up, finds its lease lost and does not win it again. */
	while (watchers[0].is_held)
		loop_turn(other.loop, true);
	cr_expect(watchers[1].is_held);
	leases_free(&leases[0]);
	leases_free(&leases[1]);
	store_free(&other.store);
	loop_free(&other.loop);
	bed_free(&bed);
}

/* A minute is longer than bed_until() waits: only a lease taken at once is in time. */
static void expect_taken_at_once(const char *holder, const char *forerunners)
{
	struct store_bed *bed = bed_new(NULL);
	struct watcher watcher = { 0 };
	struct leases *leases;
	struct resp *answer;

	answer = redis_argv(
		&bed->child, 5,
		(const char *const[]){ "SET", "{t}:lease:steward", holder, "PX", "60000" }, NULL);
	resp_free(&answer);
	if (forerunners != NULL)
		redis_ask(&bed->child, "ZADD {converge}:instances 9999999999999 gone");
	leases = leases_new(bed->loop, bed->store, "one", forerunners);
	lease_want(leases, "t", "steward", on_change, &watcher);
	bed_until(bed, &watcher.is_held);
	cr_expect_leq(atoi(redis_ask(&bed->child, "PTTL {t}:lease:steward")), 5000);
	if (forerunners != NULL)
		cr_expect_str_eq(redis_ask(&bed->child, "ZRANGE {converge}:instances 0 -1"), "one");
	leases_free(&leases);
	bed_free(&bed);
}

Test(lease, of_the_forerunner_is_taken_over_at_once)
{
	expect_taken_at_once("f0 gone", "later gone earlier");
}

Test(lease, of_its_own_that_was_given_up_is_taken_back_at_once)
{
	expect_taken_at_once("f0 one", NULL);
}

Test(lease, is_lost_when_another_took_it)
{
	struct store_bed *bed = bed_new(NULL);
	struct leases *leases = leases_new(bed->loop, bed->store, "one", NULL);
	struct watcher watcher = { 0 };
	struct lease *lease = lease_want(leases, "t", "channel:mail", on_change, &watcher);

	bed_until(bed, &watcher.is_held);
	redis_ask(&bed->child, "SET {t}:lease:channel:mail other PX 300");
	bed_until(bed, &watcher.is_free);
	cr_expect_null(lease_fence(lease));
	bed_until(bed, &watcher.is_held);
	cr_expect_eq(watcher.wins, 2);
	leases_free(&leases);
	bed_free(&bed);
}

Test(lease, is_given_up_while_the_store_is_silent)
{
	struct store_bed *bed = bed_new(NULL);
	struct leases *leases = leases_new(bed->loop, bed->store, "one", NULL);
	struct watcher watcher = { 0 };

	lease_want(leases, "t", "steward", on_change, &watcher);
	bed_until(bed, &watcher.is_held);
	kill(bed->child.pid, SIGSTOP);
	bed_until(bed, &watcher.is_free);
	kill(bed->child.pid, SIGCONT);
	bed_until(bed, &watcher.is_held);
	leases_free(&leases);
	bed_free(&bed);
}

Test(lease, can_be_dropped_at_any_moment)
{
	struct store_bed *bed = bed_new(NULL);
	struct leases *leases = leases_new(bed->loop, bed->store, "one", NULL);
	struct watcher watchers[3] = { { 0 } };
	struct lease *lease = lease_want(leases, "t", "a", on_change, &watchers[0]);
	struct lease *other = lease_want(leases, "t", "b", on_change, &watchers[1]);
	struct lease *third = lease_want(leases, "u", "a", on_change, &watchers[2]);

	bed_until_up(bed, true);
	lease_drop(&lease);
	bed_until(bed, &watchers[1].is_held);
	bed_until(bed, &watchers[2].is_held);
	lease_drop(&other);
	cr_expect_null(other);
	cr_expect_not_null(third);
	while (strcmp(redis_ask(&bed->child, "EXISTS {t}:lease:a {t}:lease:b"), "0") != 0)
		loop_turn(bed->loop, false);
	cr_expect_str_eq(redis_ask(&bed->child, "EXISTS {u}:lease:a"), "1");
	leases_free(&leases);
	store_free(&bed->store);
	bed_free(&bed);
}

Test(placement, spreads_names_and_moves_few_when_one_leaves)
{
	static const char *const three[] = { "alpha", "beta", "gamma" };
	int held[3] = { 0 };
	int moved = 0;

	for (int i = 0; i < 3000; i++) {
		char name[32];
		int best = -1;

		snprintf(name, sizeof(name), "workspace-%d", i);
		for (int j = 0; j < 3; j++)
			if (placement_rank(three, 3, three[j], name, "steward") == 0) {
				cr_expect_eq(best, -1);
				best = j;
			}
		held[best]++;
		if (best < 2 && placement_rank(three, 2, three[best], name, "steward") != 0)
			moved++;
	}
	for (int j = 0; j < 3; j++)
		cr_expect(held[j] > 850 && held[j] < 1150, "%d", held[j]);
	cr_expect_eq(moved, 0);
}
