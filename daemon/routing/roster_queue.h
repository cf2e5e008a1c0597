/* A queue of the business configuration from its JSON (of roster.c). */
#pragma once

#include "base/arena.h"
#include "routing/roster.h"

struct json_object;

/* object may be NULL: every field at its default. Texts live in the arena. */
void queue_row_read(struct queue_row *row, const char *id, struct json_object *object,
		    struct arena *arena);
