#include "roster_bed.h"

#include "routing/simulation.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, TICK = 5 * SECOND };

static struct arena *arena;
static struct roster *roster;
static struct sim_result result;

static void setup(void)
{
	arena = arena_new(0);
}

static void teardown(void)
{
	arena_free(&arena);
	roster_free(&roster);
}

TestSuite(simulation, .init = setup, .fini = teardown);

/* One agent, alice, has work for an hour from the start; one more customer comes. */
static void run(const char *escalation, const struct sim_shift *shifts, size_t shift_count)
{
	static const struct sim_arrival arrivals[] = {
		{ .at_ms = 0, .channel = "site", .text = "a", .handle_ms = HOUR },
		{ .at_ms = SECOND, .channel = "site", .text = "b", .handle_ms = MINUTE },
	};
	struct simulation simulation = { .arrivals = arrivals,
					 .arrival_count = 2,
					 .shifts = shifts,
					 .shift_count = shift_count };
	struct error err;

	roster = roster_of(PAIRS("support", escalation, "backup", "{\"order\":2}"),
			   PAIRS("alice", "{\"queues\":[\"support\"],\"capacity\":1}", "lead",
				 "{\"queues\":[\"other\"],\"capacity\":1}", "bob",
				 "{\"queues\":[\"backup\"],\"capacity\":1}"),
			   PAIRS("all", "{\"name\":\"all\",\"then\":{\"queue\":\"support\"}}"),
			   &err);
	simulation.roster = roster;
	simulation_run(&simulation, arena, &result);
}

static const struct sim_queue *queue_of(const char *id)
{
	for (size_t i = 0; i < result.queue_count; i++)
		if (strcmp(result.queues[i].id, id) == 0)
			return &result.queues[i];
	cr_assert_fail("no queue %s", id);
	return NULL;
}

static void expect_wait(const char *queue, int64_t least_ms)
{
	int64_t longest_ms = queue_of(queue)->longest_ms;

	cr_expect(longest_ms >= least_ms && longest_ms <= least_ms + 2 * TICK,
		  "waited %lld s in %s, not %lld", (long long)longest_ms / SECOND, queue,
		  (long long)least_ms / SECOND);
}

static const struct sim_shift everybody[] = { { "alice", 0, 8 * HOUR },
					      { "lead", 0, 8 * HOUR },
					      { "bob", 0, 8 * HOUR } };

Test(simulation, without_escalation_it_waits_for_its_agent)
{
	run("{\"order\":1}", everybody, 3);
	cr_expect_eq(queue_of("support")->taken, 2);
	cr_expect_eq(queue_of("support")->escalated, 0);
	expect_wait("support", HOUR - SECOND);
}

Test(simulation, an_agent_who_is_asked_takes_it)
{
	run("{\"order\":1,\"escalation\":[{\"after_ms\":120000,\"to\":\"agent:lead\"}]}", everybody,
	    3);
	cr_expect_eq(queue_of("support")->taken, 2);
	cr_expect_eq(queue_of("support")->escalated, 1);
	expect_wait("support", 2 * MINUTE);
}

Test(simulation, where_that_agent_is_not_there_the_next_level_is_asked_after_its_time)
{
	const struct sim_shift shifts[] = { { "alice", 0, 8 * HOUR }, { "bob", 0, 8 * HOUR } };

	run("{\"order\":1,\"escalation\":[{\"after_ms\":120000,\"to\":\"agent:lead\",\"accept_ms\":"
	    "60000},"
	    "{\"after_ms\":86400000,\"to\":\"queue:backup\"}]}",
	    shifts, 2);
	cr_expect_eq(queue_of("support")->taken, 1);
	cr_expect_eq(queue_of("support")->escalated, 1);
	cr_expect_eq(queue_of("backup")->taken, 1);
	expect_wait("backup", 3 * MINUTE);
}

Test(simulation, out_of_a_queue_that_does_not_take_it_it_comes_back)
{
	const struct sim_shift shifts[] = { { "alice", 0, 8 * HOUR } };

	run("{\"order\":1,\"escalation\":[{\"after_ms\":120000,\"to\":\"queue:backup\",\"accept_"
	    "ms\":"
	    "60000}]}",
	    shifts, 1);
	cr_expect_eq(queue_of("support")->taken, 2);
	cr_expect_eq(queue_of("backup")->taken, 0);
	expect_wait("support", HOUR - SECOND);
}

Test(simulation, and_then_the_next_level_is_asked)
{
	const struct sim_shift shifts[] = { { "alice", 0, 8 * HOUR }, { "lead", 0, 8 * HOUR } };

	run("{\"order\":1,\"escalation\":[{\"after_ms\":120000,\"to\":\"queue:backup\",\"accept_"
	    "ms\":"
	    "60000},{\"after_ms\":86400000,\"to\":\"agent:lead\"}]}",
	    shifts, 2);
	cr_expect_eq(queue_of("support")->taken, 2);
	expect_wait("support", 3 * MINUTE);
}

Test(simulation, what_waits_too_long_overflows)
{
	const struct sim_shift shifts[] = { { "alice", 0, 8 * HOUR } };

	run("{\"order\":1,\"overflow\":[{\"when\":{\"wait_ms\":60000},\"to\":\"backup\"}]}", shifts,
	    1);
	cr_expect_eq(queue_of("backup")->left, 1);
}
