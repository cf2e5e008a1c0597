#include "base/memory.h"
#include "routing/simulation_private.h"

static bool is_sooner(const struct event *a, const struct event *b)
{
	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms;
	return a->what != b->what ? a->what > b->what : a->index < b->index;
}

void event_plan(struct course *course, int64_t at_ms, enum happening what, size_t index)
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

struct event event_next(struct course *course)
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
