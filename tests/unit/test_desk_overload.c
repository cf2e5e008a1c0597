/* More comes in than can be done, all of it more important than one item: how long does that wait?
 */
#include <stdio.h>

#include "roster_bed.h"

#include "routing/desk.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, HEAD_START = 60 };
enum { HANDLING = 60 * SECOND, ARRIVAL = 50 * SECOND, AGENTS = 2, DAY = 24 * HOUR };

static struct roster *roster;
static struct desk *desk;

static void setup(const char *queue)
{
	struct error err;

	desk = desk_new();
	roster = roster_of(PAIRS("a", queue),
			   PAIRS("a0", "{\"capacity\":1}", "a1", "{\"capacity\":1}"), NULL, &err);
	desk_roster(desk, roster);
}

static void put(const char *id, int64_t now_ms, int64_t priority)
{
	char copy[20];
	struct desk_item item = { .id = copy,
				  .queue = (char[]){ "a" },
				  .queued_ms = now_ms,
				  .priority = priority,
				  .cost = 1 };

	snprintf(copy, sizeof(copy), "%s", id);
	desk_put_item(desk, &item);
}

static void change(struct desk_agent *agent, int64_t load, int64_t now_ms)
{
	agent->is_online = agent->is_routable = true;
	agent->is_proposed = false;
	agent->load = load;
	agent->idle_ms = now_ms;
	desk_agent_changed(desk, agent);
}

/* Both agents are busy all the time; two important items come in each 50 s, and an unimportant one
 * at the start. When is that given to somebody? -1: not within a day. */
static int64_t served_ms(void)
{
	int64_t busy_ms[AGENTS] = { 0 };
	int64_t found_ms = -1;
	int number = 0;

	put("low", 0, 0);
	for (int64_t now_ms = 0; now_ms < DAY && found_ms < 0; now_ms += 10 * SECOND) {
		struct desk_match match;
		char id[20];

		for (int i = 0; i < AGENTS && now_ms % ARRIVAL == 0; i++) {
			snprintf(id, sizeof(id), "w%06d", number++);
			put(id, now_ms, HEAD_START);
		}
		for (int i = 0; i < AGENTS; i++) {
			snprintf(id, sizeof(id), "a%d", i);
			if (now_ms >= busy_ms[i])
				change(desk_agent(desk, id), 0, now_ms);
		}
		while (desk_match(desk, now_ms, &match)) {
			cr_assert_leq(match.agent->load + match.item->cost,
				      match.agent->row->capacity);
			if (strcmp(match.item->id, "low") == 0)
				found_ms = now_ms;
			busy_ms[match.agent->id[1] - '0'] = now_ms + HANDLING;
			change(match.agent, 1, now_ms);
			desk_remove_item(desk, match.item->id);
		}
	}
	desk_free(&desk);
	roster_free(&roster);
	return found_ms;
}

/* Only what came within the head start goes before it: an hour of arrivals, handled in 72 min. */
Test(desk_overload, the_least_important_waits_for_an_hour_of_others_and_no_more)
{
	int64_t waited_ms;

	setup("{}");
	waited_ms = served_ms();
	cr_assert_geq(waited_ms, HEAD_START * MINUTE);
	cr_assert_leq(waited_ms, HEAD_START * MINUTE / ARRIVAL * HANDLING + HANDLING);
}

Test(desk_overload, twice_the_weight_of_waiting_halves_it)
{
	int64_t waited_ms;

	setup("{\"age_percent\":200}");
	waited_ms = served_ms();
	cr_assert_geq(waited_ms, HEAD_START / 2 * MINUTE);
	cr_assert_leq(waited_ms, HEAD_START / 2 * MINUTE / ARRIVAL * HANDLING + 2 * HANDLING);
}

Test(desk_overload, a_cap_below_the_head_start_lets_it_wait_on_purpose)
{
	setup("{\"age_cap_ms\":1800000}");
	cr_assert_eq(served_ms(), -1);
}
