/* The business configuration file (agents, queues, rules ...) as the objects
 * that the API takes: one JSON object for each entry. */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/problems.h"

struct business_object {
	const char *kind; /* "queues": the path after /v1/ */
	const char *id;
	const char *json; /* without the id, which is in the path */
};

struct business {
	struct business_object *objects; /* queues before the agents and rules that name them */
	size_t count;
	const char *const *kinds; /* that the file names, NULL-terminated */
};

/* 0, or -1 with everything that is wrong in problems. All lives in the arena. */
int business_read(const char *file, struct arena *arena, struct problems *problems,
		  struct business *ret);
