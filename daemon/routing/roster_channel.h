/* What work of a channel takes of its agent's attention. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct json_object;

struct channel_row {
	const char *id;
	int64_t cost;         /* while an agent attends to it */
	int64_t waiting_cost; /* while it waits for somebody else */
	/* Beside work of which other channels a new item may be offered; NULL-terminated; NULL:
	 * all. */
	const char *const *interrupts;
	bool has_calls; /* phone calls: for people only, and where nothing is said of the cost it
			 * takes all of an agent */
};

/* All that an agent has (channel_cost). */
enum { CHANNEL_COST_WHOLE = 1000000 };

/* How much of one channel an agent attends to at once. */
struct limit_row {
	const char *channel;
	int64_t at_once;
};

/* Texts live in the arena. object NULL: every field at its default; the cost is 0 where nothing is
 * said of it. */
void channel_row_read(struct channel_row *row, const char *id, struct json_object *object,
		      struct arena *arena);
const struct limit_row *limits_read(struct json_object *list, struct arena *arena,
				    size_t *ret_count);

/* What a work item of it takes of an agent with this capacity. */
int64_t channel_cost(const struct channel_row *channel, int64_t capacity);

/* held: the channel of each item in an agent's hands, parted by spaces. */
bool channel_may_interrupt(const struct channel_row *channel, const char *held);
bool limits_are_full(const struct limit_row *limits, size_t count, const char *held,
		     const char *channel);
