/* Finds the row of the route table for a request. Pure. */
#pragma once

#include "api/api.h"

enum match { MATCH_FOUND, MATCH_NO_PATH, MATCH_NO_METHOD };

struct route_found {
	const struct route *route;
	const char *params[3];
	const char *allowed; /* of MATCH_NO_METHOD: "GET, POST" */
};

/* Params are decoded into the arena. A path segment with a bad escape, a NUL, a
 * slash or over 512 bytes matches nothing. */
enum match route_match(const char *method, const char *path, struct arena *arena,
		       struct route_found *ret);
