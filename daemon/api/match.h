/* Finds the row of the route table for a request. Pure. */
#pragma once

#include "api/api.h"

enum match { MATCH_FOUND, MATCH_NO_PATH, MATCH_NO_METHOD };

/* Params are decoded into the arena. A path segment with a bad escape, a NUL, a
 * slash or over 512 bytes matches nothing. allowed receives "GET, POST" (for 405). */
enum match route_match(const char *method, const char *path, struct arena *arena,
		       const struct route **ret_route, const char **params, const char **ret_allowed);
