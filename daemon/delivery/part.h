/* What one message becomes on a channel: the parts that its connector sends one
 * after the other. The same message gives the same parts on every attempt. */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "converge/connector.h"

struct channel;

struct part_list {
	struct outbound *items; /* copies of the whole; further ones have ids of their own */
	size_t count;           /* at least 1 */
};

/* Text beyond max_text is parted; files are parts of their own where the
 * connector SENDS_ONE_THING, and links in the text where it has no media. NULL
 * or a phrase: why this channel cannot carry it. whole must outlive ret. */
const char *part_list_make(struct channel *channel, const struct outbound *whole,
			   struct arena *arena, struct part_list *ret);
