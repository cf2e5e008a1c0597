/* Nothing is deleted that another object of the configuration names. */
#pragma once

#include "api/api.h"

struct removal {
	const char *kind; /* store name */
	const char *id;
};

/* Calls next, unless something names one of the removals: then answers 409 and says what does. The
 * objects in "put" of the request count instead of those that they replace. */
void in_use_check(struct api_call *call, const struct removal *removals, size_t count,
		  route_fn *next);
