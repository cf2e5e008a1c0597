#include <criterion/criterion.h>

#include "routing/figures.h"
#include "store/log.h"

enum { START_MS = 1000 * 60 * 1000, SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS };

static void entry(struct figures *figures, int64_t at_ms, const char *from, const char *to,
		  const char *extra)
{
	const struct log_entry one = { .type = "work_item.state",
				       .time_ms = START_MS + at_ms,
				       .queue = "support",
				       .from = from,
				       .to = to,
				       .extra = extra };

	figures_entry(figures, &one, 20 * SECOND_MS);
}

static struct queue_figures read(const struct figures *figures, int64_t at_ms)
{
	struct queue_figures found;

	figures_queue(figures, "support", START_MS + at_ms, &found);
	return found;
}

Test(figures, counts_what_comes_and_how_it_leaves)
{
	struct figures *figures = figures_new(START_MS);
	struct queue_figures found;

	cr_expect_eq(figures_service_level(&(struct queue_figures){ 0 }), -1);
	for (int i = 0; i < 4; i++)
		entry(figures, 0, "new", "queued", NULL);
	entry(figures, 10, "queued", "offered", NULL);
	entry(figures, 20, "offered", "queued", "{\"offer\":\"declined\"}");
	entry(figures, 5 * SECOND_MS, "queued", "assigned", "{\"wish\":1,\"wait\":5000}");
	entry(figures, 20 * SECOND_MS, "offered", "assigned",
	      "{\"offer\":\"accepted\",\"wait\":20000}");
	entry(figures, 50 * SECOND_MS, "queued", "assigned", "{\"wait\":50000}");
	entry(figures, 55 * SECOND_MS, "queued", "closed", NULL);
	entry(figures, 56 * SECOND_MS, "assigned", "resolved", NULL);
	found = read(figures, MINUTE_MS);
	cr_expect_eq(found.arrived, 4);
	cr_expect_eq(found.accepted, 3);
	cr_expect_eq(found.within, 2);
	cr_expect_eq(found.abandoned, 1);
	cr_expect_eq(found.mean_wait_ms, 25 * SECOND_MS);
	cr_expect_eq(found.window_ms, MINUTE_MS);
	cr_expect_eq(figures_service_level(&found), 500);
	figures_free(&figures);
}

Test(figures, counts_clocks_by_metric)
{
	struct figures *figures = figures_new(START_MS);
	struct log_entry one = { .type = "sla.state", .time_ms = START_MS, .queue = "support" };

	one.extra = "{\"metric\":\"resolution\",\"event\":\"warn\"}";
	figures_entry(figures, &one, 0);
	one.extra = "{\"metric\":\"resolution\",\"event\":\"breach\"}";
	figures_entry(figures, &one, 0);
	figures_entry(figures, &one, 0);
	one.extra = "{\"metric\":\"owner\",\"event\":\"fulfil\"}";
	figures_entry(figures, &one, 0);
	cr_expect_eq(figures_sla(figures, SLA_RESOLUTION)->warned, 1);
	cr_expect_eq(figures_sla(figures, SLA_RESOLUTION)->breached, 2);
	cr_expect_eq(figures_sla(figures, SLA_RESOLUTION)->fulfilled, 0);
	cr_expect_eq(figures_sla(figures, SLA_OWNER)->fulfilled, 1);
	cr_expect_eq(figures_sla(figures, SLA_OWNER_ACCEPT)->fulfilled, 0);
	cr_expect_eq(read(figures, 0).arrived, 0);
	figures_free(&figures);
}

Test(figures, forgets_what_is_older_than_an_hour)
{
	struct figures *figures = figures_new(START_MS);

	entry(figures, 0, "new", "queued", NULL);
	cr_expect_eq(read(figures, 59 * MINUTE_MS).arrived, 1);
	cr_expect_eq(read(figures, 60 * MINUTE_MS).arrived, 0);
	entry(figures, 60 * MINUTE_MS, "new", "queued", NULL);
	cr_expect_eq(read(figures, 60 * MINUTE_MS).arrived, 1);
	cr_expect_eq(read(figures, 200 * MINUTE_MS).window_ms, 60 * MINUTE_MS);
	figures_free(&figures);
}

Test(figures, a_move_leaves_one_queue_and_comes_into_another)
{
	struct figures *figures = figures_new(START_MS);

	entry(figures, 0, "queued", "queued", "{\"overflow\":\"length\"}");
	entry(figures, 0, "queued", "queued", NULL);
	cr_expect_eq(read(figures, 0).arrived, 1);
	figures_free(&figures);
}

Test(figures, the_expected_wait_follows_the_pace_of_accepts_while_work_waits)
{
	struct figures *figures = figures_new(START_MS);
	struct queue_figures found;

	for (int i = 0; i < 20; i++)
		entry(figures, 0, "new", "queued", NULL);
	found = read(figures, 0);
	cr_expect_eq(figures_expected_wait(&found, 1, 0), -1);
	cr_expect_eq(figures_expected_wait(&found, 1, 1), 0);
	for (int i = 1; i <= 20; i++)
		entry(figures, i * 10 * SECOND_MS, "queued", "assigned", "{\"wait\":1}");
	found = read(figures, 0);
	cr_expect_eq(found.accept_every_ms, 10 * SECOND_MS);
	cr_expect_eq(figures_expected_wait(&found, 3, 0), 30 * SECOND_MS);
	cr_expect_eq(figures_expected_wait(&found, 3, 2), 10 * SECOND_MS);
	/* Nothing waited meanwhile: the pause tells nothing. */
	entry(figures, 3000 * SECOND_MS, "new", "queued", NULL);
	entry(figures, 3001 * SECOND_MS, "queued", "assigned", "{\"wait\":1}");
	cr_expect_eq(read(figures, 0).accept_every_ms, 10 * SECOND_MS);
	figures_free(&figures);
}
