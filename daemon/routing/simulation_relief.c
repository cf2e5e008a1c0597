#include <stdlib.h>

#include "base/text.h"
#include "routing/pressure.h"
#include "routing/simulation_private.h"

static void condition(const struct queue_row *queue, struct queue_condition *ret, void *context)
{
	struct course *course = context;
	struct queue_figures figures;
	int64_t oldest_ms;

	figures_queue(course->figures, queue->id, course->now_ms, &figures);
	ret->expected_wait_ms = figures_expected_wait(
		&figures, (int64_t)desk_waiting(course->desk, queue->id, &oldest_ms), 0);
}

static void move(struct course *course, size_t index, const char *queue)
{
	struct piece *piece = &course->pieces[index];

	piece->queue = queue;
	piece_tell(course, piece, "queued", "queued");
}

/* ---- overflow ---- */

static void overflow(struct course *course, size_t index, const struct overflow_row *row)
{
	struct piece *piece = &course->pieces[index];

	piece->overflowed =
		piece->overflowed == NULL
			? piece->queue
			: arena_format(course->arena, "%s %s", piece->overflowed, piece->queue);
	piece->entered_ms = course->now_ms;
	piece->level_before = piece->level;
	move(course, index, row->queue);
	piece_put(course, index);
}

/* ---- escalation ---- */

static void escalate(struct course *course, size_t index, const struct relief *relief)
{
	struct piece *piece = &course->pieces[index];
	const struct escalation_row *row = relief->escalation;

	/* The store refuses what leads to where it is. */
	if (row->queue != NULL && text_equal(row->queue, piece->queue))
		return;
	piece->level = relief->level;
	piece->raised += row->priority;
	piece->asked = row;
	piece->asked_until_ms = course->now_ms + row->accept_ms;
	piece->asked_in = piece->queue;
	piece->asked_entered_ms = piece->entered_ms;
	piece->asked_level_before = piece->level_before;
	course->asked[course->asked_count++] = index;
	if (row->queue != NULL) {
		piece->entered_ms = course->now_ms;
		piece->level_before = piece->level;
		move(course, index, row->queue);
	}
	piece_put(course, index);
}

static struct desk_agent *free_agent(struct course *course, const char *id)
{
	struct desk_agent *agent = id == NULL ? NULL : desk_find_agent(course->desk, id);

	return agent != NULL && agent->row != NULL && agent->is_online && desk_has_room(agent, 1)
		       ? agent
		       : NULL;
}

/* Nobody took it over in time: out of a queue it goes back to where it was. */
static void ask_end(struct course *course, size_t index)
{
	struct piece *piece = &course->pieces[index];
	bool was_moved = piece->asked->queue != NULL;

	piece->asked = NULL;
	piece->entered_ms = piece->asked_entered_ms;
	piece->level_before = piece->asked_level_before;
	if (was_moved)
		move(course, index, piece->asked_in);
	piece_put(course, index);
}

/* An agent who is asked takes it as soon as there is room. False: it is still pending. */
static bool ask_check(struct course *course, size_t index)
{
	struct piece *piece = &course->pieces[index];
	struct desk_agent *agent;

	if (!piece->is_waiting)
		return true;
	agent = free_agent(course, piece->asked->agent);
	if (agent != NULL)
		piece_take(course, index, agent);
	else if (course->now_ms >= piece->asked_until_ms)
		ask_end(course, index);
	else
		return false;
	return true;
}

static void asked_check(struct course *course)
{
	size_t kept = 0;

	for (size_t i = 0; i < course->asked_count; i++)
		if (!ask_check(course, course->asked[i]))
			course->asked[kept++] = course->asked[i];
	course->asked_count = kept;
}

static void relieve(const struct relief *relief, void *context)
{
	size_t index = (size_t)strtoull(relief->item->id, NULL, 10);

	if (relief->kind == RELIEF_OVERFLOW)
		overflow(context, index, relief->overflow);
	else
		escalate(context, index, relief);
}

void relief_check(struct course *course)
{
	const struct pressure pressure = { course->desk,   course->simulation->roster,
					   course->now_ms, condition,
					   relieve,        course };

	asked_check(course);
	pressure_check(&pressure);
	asked_check(course);
}
