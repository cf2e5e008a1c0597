#include "routing/simulation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "routing/desk.h"
#include "routing/figures.h"
#include "routing/pressure.h"
#include "routing/rules.h"
#include "store/log.h"

/* Plans relax and queues overflow by the clock: it is looked at this often. */
enum { TICK_MS = 5000, NOBODY = -1 };

enum happening { ARRIVES, GIVES_UP, ENDS, COMES_ON, GOES_OFF, TICK };

struct event {
	int64_t at_ms;
	enum happening what;
	size_t index; /* of an arrival, or of a shift */
};

struct piece {
	char id[24];
	struct classification class;
	const char *queue; /* where it is now */
	int64_t wait_ms;   /* NOBODY until taken */
	int64_t expected_ms;
	const char *agent;
	bool is_waiting;
};

struct course {
	const struct simulation *simulation;
	struct arena *arena;
	struct piece *pieces;
	struct event *events; /* a heap */
	size_t count;
	size_t room;
	struct desk *desk;
	struct figures *figures;
	int64_t now_ms;
	int64_t changed_ms; /* load was last summed up */
	double used;        /* load times ms */
	double there;       /* capacity times ms */
};

/* ---- the calendar of events ---- */

static bool is_sooner(const struct event *a, const struct event *b)
{
	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms;
	return a->what != b->what ? a->what > b->what : a->index < b->index;
}

static void plan(struct course *course, int64_t at_ms, enum happening what, size_t index)
{
	const struct event event = { at_ms, what, index };
	size_t place = course->count++;

	if (course->count > course->room) {
		course->room = course->room == 0 ? 1024 : course->room * 2;
		course->events = memory_grow(course->events, course->room, sizeof(event));
	}
	for (; place > 0 && is_sooner(&event, &course->events[(place - 1) / 2]);
	     place = (place - 1) / 2)
		course->events[place] = course->events[(place - 1) / 2];
	course->events[place] = event;
}

static struct event next_event(struct course *course)
{
	struct event first = course->events[0];
	struct event last = course->events[--course->count];
	size_t place = 0;
	size_t child;

	while ((child = 2 * place + 1) < course->count) {
		if (child + 1 < course->count &&
		    is_sooner(&course->events[child + 1], &course->events[child]))
			child++;
		if (!is_sooner(&course->events[child], &last))
			break;
		course->events[place] = course->events[child];
		place = child;
	}
	course->events[place] = last;
	return first;
}

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
static void tell(struct course *course, const struct piece *piece, const char *from, const char *to)
{
	char extra[48];
	const struct queue_row *row = roster_queue(course->simulation->roster, piece->queue);
	const struct log_entry entry = { .type = "work_item.state",
					 .time_ms = course->now_ms,
					 .queue = piece->queue,
					 .from = from,
					 .to = to,
					 .extra = extra };

	snprintf(extra, sizeof(extra), "{\"wait\":%lld}", (long long)piece->wait_ms);
	figures_entry(course->figures, &entry, row == NULL ? 0 : row->service_level_ms);
}

static void put(struct course *course, size_t index)
{
	struct piece *piece = &course->pieces[index];
	int64_t at_ms = course->simulation->arrivals[index].at_ms;
	const struct desk_item item = {
		.id = piece->id,
		.queue = (char *)(uintptr_t)piece->queue,
		.skills = (char *)(uintptr_t)piece->class.skills,
		.queued_ms = at_ms,
		.entered_ms = course->now_ms,
		.priority = piece->class.priority,
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
	piece->wait_ms = NOBODY;
	place = (int64_t)desk_waiting(course->desk, piece->queue, &oldest_ms) + 1;
	figures_queue(course->figures, piece->queue, course->now_ms, &figures);
	piece->expected_ms =
		figures_expected_wait(&figures, place, ready_agents(course, piece->queue));
	tell(course, piece, "new", "queued");
	put(course, index);
	if (arrival->patience_ms > 0)
		plan(course, arrival->at_ms + arrival->patience_ms, GIVES_UP, index);
}

static void take(struct course *course, const struct desk_match *match)
{
	size_t index = (size_t)strtoull(match->item->id, NULL, 10);
	struct piece *piece = &course->pieces[index];
	struct desk_agent *agent = match->agent;

	piece->wait_ms = course->now_ms - course->simulation->arrivals[index].at_ms;
	piece->is_waiting = false;
	piece->agent = agent->id;
	tell(course, piece, "queued", "assigned");
	plan(course, course->now_ms + course->simulation->arrivals[index].handle_ms, ENDS, index);
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
	tell(course, piece, "queued", "closed");
}

/* ---- overflow ---- */

static void condition(const struct queue_row *queue, struct queue_condition *ret, void *context)
{
	struct course *course = context;
	struct queue_figures figures;
	int64_t oldest_ms;

	figures_queue(course->figures, queue->id, course->now_ms, &figures);
	ret->expected_wait_ms = figures_expected_wait(
		&figures, (int64_t)desk_waiting(course->desk, queue->id, &oldest_ms), 0);
}

/* Whom an escalation would ask is not simulated: only moves between queues are. */
static void relieve(const struct relief *relief, void *context)
{
	struct course *course = context;
	size_t index = (size_t)strtoull(relief->item->id, NULL, 10);

	if (relief->kind != RELIEF_OVERFLOW)
		return;
	course->pieces[index].queue = relief->overflow->queue;
	put(course, index);
}

static void tick(struct course *course)
{
	const struct pressure pressure = { course->desk,   course->simulation->roster,
					   course->now_ms, condition,
					   relieve,        course };

	pressure_check(&pressure);
	if (course->count > 0)
		plan(course, course->now_ms + TICK_MS, TICK, 0);
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
		tick(course);
		break;
	}
	while (desk_match(course->desk, course->now_ms, &match))
		take(course, &match);
}

/* ---- the result ---- */

static int compare(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a;
	int64_t right = *(const int64_t *)b;

	return left < right ? -1 : left > right;
}

/* The value that share percent of all do not exceed; sorts them. */
static int64_t percentile(int64_t *values, size_t count, size_t share)
{
	if (count == 0)
		return 0;
	qsort(values, count, sizeof(*values), compare);
	return values[(count - 1) * share / 100];
}

struct samples {
	int64_t *waits;
	int64_t *errors;
	size_t error_count;
	int64_t sum_ms;
};

static void add_piece(struct sim_queue *queue, const struct piece *piece, int64_t within_ms,
		      struct samples *samples)
{
	queue->left += piece->is_waiting;
	queue->gave_up += piece->wait_ms == NOBODY && !piece->is_waiting;
	if (piece->wait_ms == NOBODY)
		return;
	samples->waits[queue->taken++] = piece->wait_ms;
	samples->sum_ms += piece->wait_ms;
	queue->within += piece->wait_ms <= within_ms;
	if (piece->expected_ms >= 0)
		samples->errors[samples->error_count++] =
			llabs(piece->wait_ms - piece->expected_ms);
}

static void queue_sum(struct course *course, const struct queue_row *row, struct sim_queue *queue)
{
	size_t count = course->simulation->arrival_count;
	struct samples samples = { .waits = memory_new((count + 1) * sizeof(int64_t)),
				   .errors = memory_new((count + 1) * sizeof(int64_t)) };

	*queue = (struct sim_queue){ .id = row->id, .error_median_ms = -1, .error_p90_ms = -1 };
	for (size_t i = 0; i < count; i++) {
		const struct piece *piece = &course->pieces[i];

		queue->arrived += text_equal(piece->class.queue, row->id);
		if (text_equal(piece->queue, row->id))
			add_piece(queue, piece, row->service_level_ms, &samples);
	}
	if (queue->taken > 0)
		queue->mean_ms = samples.sum_ms / (int64_t)queue->taken;
	queue->median_ms = percentile(samples.waits, queue->taken, 50);
	queue->p90_ms = percentile(samples.waits, queue->taken, 90);
	queue->longest_ms = percentile(samples.waits, queue->taken, 100);
	if (samples.error_count > 0) {
		queue->error_median_ms = percentile(samples.errors, samples.error_count, 50);
		queue->error_p90_ms = percentile(samples.errors, samples.error_count, 90);
	}
	free(samples.waits);
	free(samples.errors);
}

static void result_make(struct course *course, struct sim_result *ret)
{
	const struct queue_row *rows = roster_queues(course->simulation->roster, &ret->queue_count);

	ret->queues = arena_alloc(course->arena, (ret->queue_count + 1) * sizeof(*ret->queues));
	for (size_t i = 0; i < ret->queue_count; i++)
		queue_sum(course, &rows[i], &ret->queues[i]);
	ret->occupancy = course->there == 0 ? 0 : course->used / course->there;
}

void simulation_run(const struct simulation *simulation, struct arena *arena,
		    struct sim_result *ret)
{
	struct course course = { .simulation = simulation, .arena = arena };

	course.pieces = memory_new((simulation->arrival_count + 1) * sizeof(*course.pieces));
	course.desk = desk_new();
	desk_roster(course.desk, simulation->roster);
	for (size_t i = 0; i < simulation->arrival_count; i++)
		plan(&course, simulation->arrivals[i].at_ms, ARRIVES, i);
	for (size_t i = 0; i < simulation->shift_count; i++) {
		plan(&course, simulation->shifts[i].from_ms, COMES_ON, i);
		plan(&course, simulation->shifts[i].until_ms, GOES_OFF, i);
	}
	if (course.count > 0) {
		course.now_ms = course.changed_ms = course.events[0].at_ms;
		plan(&course, course.now_ms, TICK, 0);
	}
	course.figures = figures_new(course.now_ms);
	while (course.count > 0) {
		struct event event = next_event(&course);

		happen(&course, &event);
	}
	result_make(&course, ret);
	figures_free(&course.figures);
	desk_free(&course.desk);
	free(course.events);
	free(course.pieces);
}
