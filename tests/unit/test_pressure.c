/* Overflow and escalation: which item, why, and where to. */
#include <stdio.h>

#include "roster_bed.h"
#include "routing/pressure.h"

enum { NOW_MS = 10 * 60 * 1000 };

struct bed {
	struct roster *roster;
	struct desk *desk;
	struct queue_condition condition;
	char said[400];
};

static void on_condition(const struct queue_row *queue, struct queue_condition *ret, void *context)
{
	const struct bed *bed = context;

	(void)queue;
	*ret = bed->condition;
}

static void on_relief(const struct relief *relief, void *context)
{
	struct bed *bed = context;
	size_t len = strlen(bed->said);

	if (relief->kind == RELIEF_OVERFLOW)
		snprintf(bed->said + len, sizeof(bed->said) - len, "%s>%s:%s ", relief->item->id,
			 relief->overflow->queue, relief->why);
	else
		snprintf(bed->said + len, sizeof(bed->said) - len, "%s^%lld:%s ", relief->item->id,
			 (long long)relief->level,
			 relief->escalation->agent ? relief->escalation->agent
						   : relief->escalation->queue);
}

static struct bed bed_new(const char *queue)
{
	struct bed bed = { .condition = { .expected_wait_ms = -1 } };
	struct error err;

	bed.roster = roster_of(
		PAIRS("a", queue, "b", "{}"),
		PAIRS("alice", "{\"queues\":[\"a\"]}", "bob", "{\"queues\":[\"b\"]}"), NULL, &err);
	bed.desk = desk_new();
	desk_roster(bed.desk, bed.roster);
	desk_find_agent(bed.desk, "alice")->is_online = true;
	desk_find_agent(bed.desk, "alice")->is_routable = true;
	return bed;
}

static struct desk_item *put(struct bed *bed, const char *id, int64_t waited_s)
{
	const struct desk_item item = { .id = (char *)(uintptr_t)id,
					.queue = (char *)(uintptr_t) "a",
					.queued_ms = NOW_MS - waited_s * 1000,
					.entered_ms = NOW_MS - waited_s * 1000 };

	return desk_put_item(bed->desk, &item);
}

static const char *checked(struct bed *bed)
{
	const struct pressure pressure = { bed->desk,    bed->roster, NOW_MS,
					   on_condition, on_relief,   bed };

	bed->said[0] = '\0';
	pressure_check(&pressure);
	return bed->said;
}

static void bed_end(struct bed *bed)
{
	desk_free(&bed->desk);
	roster_free(&bed->roster);
}

Test(pressure, the_newest_beyond_the_length_spill_over)
{
	struct bed bed = bed_new("{\"overflow\":[{\"when\":{\"length\":2},\"to\":\"b\"}]}");

	put(&bed, "w1", 30);
	put(&bed, "w3", 10);
	cr_expect_str_eq(checked(&bed), "");
	put(&bed, "w2", 20);
	cr_expect_str_eq(checked(&bed), "w3>b:length ");
	desk_item(bed.desk, "w3")->is_proposed = true;
	cr_expect_str_eq(checked(&bed), "");
	bed_end(&bed);
}

Test(pressure, all_conditions_of_a_row_must_hold_and_the_first_row_wins)
{
	struct bed bed = bed_new(
		"{\"overflow\":[{\"when\":{\"wait_ms\":60000,\"nobody\":true},\"to\":\"b\"},"
		"{\"when\":{\"expected_wait_ms\":5000},\"to\":\"c\"},"
		"{\"when\":{\"closed\":true},\"to\":\"d\"}]}");

	put(&bed, "w1", 60);
	put(&bed, "w2", 59);
	cr_expect_str_eq(checked(&bed), "");
	bed.condition.is_closed = true;
	cr_expect_str_eq(checked(&bed), "w1>d:closed w2>d:closed ");
	bed.condition.expected_wait_ms = 5000;
	cr_expect_str_eq(checked(&bed), "w1>c:expected_wait w2>c:expected_wait ");
	desk_find_agent(bed.desk, "alice")->is_routable = false;
	cr_expect_str_eq(checked(&bed), "w1>b:nobody w2>c:expected_wait ");
	desk_find_agent(bed.desk, "alice")->has_wish = true;
	cr_expect_str_eq(checked(&bed), "w1>c:expected_wait w2>c:expected_wait ");
	bed_end(&bed);
}

Test(pressure, nothing_spills_back_to_where_it_came_from)
{
	struct bed bed = bed_new("{\"overflow\":[{\"when\":{\"wait_ms\":1000},\"to\":\"b\"}]}");
	const struct desk_item item = { .id = (char *)(uintptr_t) "w1",
					.queue = (char *)(uintptr_t) "a",
					.overflowed = (char *)(uintptr_t) "c b" };

	desk_put_item(bed.desk, &item);
	cr_expect_str_eq(checked(&bed), "");
	bed_end(&bed);
}

Test(pressure, levels_are_climbed_by_time_and_at_once_when_nobody_accepted)
{
	struct bed bed = bed_new("{\"escalation\":[{\"after_ms\":60000,\"to\":\"agent:carol\"},"
				 "{\"after_ms\":300000,\"to\":\"queue:b\"}]}");
	struct desk_item *item = put(&bed, "w1", 59);

	cr_expect_str_eq(checked(&bed), "");
	item = put(&bed, "w1", 60);
	cr_expect_str_eq(checked(&bed), "w1^1:carol ");
	item->level = 1;
	item->has_transfer = true;
	cr_expect_str_eq(checked(&bed), "", "level 1 still has time to accept");
	item->has_transfer = false;
	cr_expect_str_eq(checked(&bed), "w1^2:b ");
	item->level = 2;
	cr_expect_str_eq(checked(&bed), "", "there is no third level");
	item->level_before = 2;
	cr_expect_str_eq(checked(&bed), "w1^3:carol ", "a new queue has levels of its own");
	bed_end(&bed);
}
