/* Parting a text that a channel cannot carry whole. */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "converge/connector.h"

/* How long a text is as the channel counts. */
size_t text_length(const char *text, enum text_unit unit);

/* Pieces of at most max units each, in order; max 0: one piece. Parted where a
 * reader would: at the end of a line, else of a sentence, else of a word, else
 * between characters as a reader sees them (an emoji of several code points
 * stays whole). Space at a seam is dropped. The list ends with NULL. */
const char **text_split(struct arena *arena, const char *text, size_t max, enum text_unit unit,
			size_t *ret_count);
