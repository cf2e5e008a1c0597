#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"
#include "routing/simulation_private.h"
#include "store/log.h"

/* Plans relax and queues overflow by the clock: it is looked at this often. */
enum { TICK_MS = 5000 };

/* ---- what happens ---- */

static void classify(const struct roster *roster, const struct sim_arrival *arrival,
		     struct arena *arena, struct classification *ret)
{
	const struct rule_facts facts = { .channel = arrival->channel,
					  .text = arrival->text,
					  .now_ms = arrival->at_ms };

	rules_classify(roster_rules(roster), &facts, roster_fallback(roster), arena, ret);
}

const char *simulation_queue(const struct roster *roster, const struct sim_arrival *arrival,
			     struct arena *arena)
{
	struct classification class;

	classify(roster, arrival, arena, &class);
	return class.queue;
}

/* The figures are fed as the log feeds them. */
void piece_tell(struct course *course, const struct piece *piece, const char *from, const char *to)
{
	char extra[48];
	const struct queue_row *row = roster_queue(course->simulation->roster, piece->queue);
	const struct log_entry entry = { .type = "work_item.state",
					 .time_ms = course->now_ms,
					 .queue = piece->queue,
					 .from = from,
					 .to = to,
					 .extra = extra };

	/* What waited and waits still was moved. */
	if (text_equal(from, to))
		snprintf(extra, sizeof(extra), "{\"overflow\":1}");
	else
		snprintf(extra, sizeof(extra), "{\"wait\":%lld}", (long long)piece->wait_ms);
	figures_entry(course->figures, &entry, row == NULL ? 0 : row->service_level_ms);
}

void piece_put(struct course *course, size_t index)
{
	struct piece *piece = &course->pieces[index];
	int64_t at_ms = course->simulation->arrivals[index].at_ms;
	const struct desk_item item = {
		.id = piece->id,
		.queue = (char *)(uintptr_t)piece->queue,
		.skills = (char *)(uintptr_t)piece->class.skills,
		.overflowed = (char *)(uintptr_t)piece->overflowed,
		.queued_ms = at_ms,
		.entered_ms = piece->entered_ms,
		.priority = piece->class.priority + piece->raised,
		.level = piece->level,
		.level_before = piece->level_before,
		.has_transfer = piece->asked != NULL,
		.cost = 1,
	};

	desk_put_item(course->desk, &item);
	piece->is_waiting = true;
}

static int64_t ready_agents(struct course *course, const char *queue)
{
	struct desk_agent *agent;
	size_t at = 0;
	int64_t count = 0;

	while ((agent = desk_next_agent(course->desk, &at)) != NULL)
		count += agent->row != NULL && agent->is_online &&
			 agent_serves(agent->row, queue) && desk_has_room(agent, 1);
	return count;
}

static void arrive(struct course *course, size_t index)
{
	const struct sim_arrival *arrival = &course->simulation->arrivals[index];
	struct piece *piece = &course->pieces[index];
	struct queue_figures figures;
	int64_t oldest_ms;
	int64_t place;

	snprintf(piece->id, sizeof(piece->id), "%zu", index);
	classify(course->simulation->roster, arrival, course->arena, &piece->class);
	piece->queue = piece->class.queue;
	piece->entered_ms = course->now_ms;
	piece->wait_ms = NOBODY;
	place = (int64_t)desk_waiting(course->desk, piece->queue, &oldest_ms) + 1;
	figures_queue(course->figures, piece->queue, course->now_ms, &figures);
	piece->expected_ms =
		figures_expected_wait(&figures, place, ready_agents(course, piece->queue));
	piece_tell(course, piece, "new", "queued");
	piece_put(course, index);
	if (arrival->patience_ms > 0)
		event_plan(course, arrival->at_ms + arrival->patience_ms, GIVES_UP, index);
}

void piece_take(struct course *course, size_t index, struct desk_agent *agent)
{
	struct piece *piece = &course->pieces[index];

	piece->wait_ms = course->now_ms - course->simulation->arrivals[index].at_ms;
	piece->is_waiting = false;
	piece->agent = agent->id;
	piece_tell(course, piece, "queued", "assigned");
	event_plan(course, course->now_ms + course->simulation->arrivals[index].handle_ms, ENDS,
		   index);
	desk_remove_item(course->desk, piece->id);
	agent->load++;
	agent->is_proposed = false;
	desk_agent_changed(course->desk, agent);
}

static void end(struct course *course, size_t index)
{
	struct desk_agent *agent = desk_agent(course->desk, course->pieces[index].agent);

	agent->load--;
	agent->idle_ms = course->now_ms;
	desk_agent_changed(course->desk, agent);
}

static void shift(struct course *course, size_t index, bool comes)
{
	struct desk_agent *agent =
		desk_agent(course->desk, course->simulation->shifts[index].agent);

	agent->is_online = agent->is_routable = comes;
	agent->idle_ms = course->now_ms;
	desk_agent_changed(course->desk, agent);
}

static void give_up(struct course *course, size_t index)
{
	struct piece *piece = &course->pieces[index];

	if (!piece->is_waiting)
		return;
	piece->is_waiting = false;
	desk_remove_item(course->desk, piece->id);
	piece_tell(course, piece, "queued", "closed");
}

/* ---- the course of the day ---- */

static void sum_up(struct course *course)
{
	struct desk_agent *agent;
	double passed = (double)(course->now_ms - course->changed_ms);
	size_t at = 0;

	while (passed > 0 && (agent = desk_next_agent(course->desk, &at)) != NULL) {
		if (agent->row == NULL || (!agent->is_online && agent->load == 0))
			continue;
		course->used += passed * (double)agent->load;
		course->there +=
			passed * (double)(agent->is_online ? agent->row->capacity : agent->load);
	}
	course->changed_ms = course->now_ms;
}

static void happen(struct course *course, const struct event *event)
{
	struct desk_match match;

	course->now_ms = event->at_ms;
	sum_up(course);
	switch (event->what) {
	case ARRIVES:
		arrive(course, event->index);
		break;
	case GIVES_UP:
		give_up(course, event->index);
		break;
	case ENDS:
		end(course, event->index);
		break;
	case COMES_ON:
	case GOES_OFF:
		shift(course, event->index, event->what == COMES_ON);
		break;
	case TICK:
		relief_check(course);
		if (course->count > 0)
			event_plan(course, course->now_ms + TICK_MS, TICK, 0);
		break;
	}
	while (desk_match(course->desk, course->now_ms, &match))
		piece_take(course, (size_t)strtoull(match.item->id, NULL, 10), match.agent);
}

void simulation_run(const struct simulation *simulation, struct arena *arena,
		    struct sim_result *ret)
{
	struct course course = { .simulation = simulation, .arena = arena };

	course.pieces = memory_new((simulation->arrival_count + 1) * sizeof(*course.pieces));
	course.asked = memory_new((simulation->arrival_count + 1) * sizeof(*course.asked));
	course.desk = desk_new();
	desk_roster(course.desk, simulation->roster);
	for (size_t i = 0; i < simulation->arrival_count; i++)
		event_plan(&course, simulation->arrivals[i].at_ms, ARRIVES, i);
	for (size_t i = 0; i < simulation->shift_count; i++) {
		event_plan(&course, simulation->shifts[i].from_ms, COMES_ON, i);
		event_plan(&course, simulation->shifts[i].until_ms, GOES_OFF, i);
	}
	if (course.count > 0) {
		course.now_ms = course.changed_ms = course.events[0].at_ms;
		event_plan(&course, course.now_ms, TICK, 0);
	}
	course.figures = figures_new(course.now_ms);
	while (course.count > 0) {
		struct event event = event_next(&course);

		happen(&course, &event);
	}
	result_make(&course, ret);
	figures_free(&course.figures);
	desk_free(&course.desk);
	free(course.events);
	free(course.asked);
	free(course.pieces);
}
