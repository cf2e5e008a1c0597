/* Checks a request body against its route's table: unknown members, types,
 * lengths, ranges and choices, each refused with a pointer to it. Pure. */
#pragma once

#include "api/api.h"

/* 0, or -1 with pointer ("#/body/until") and what is wrong. */
int fields_check(const struct field *table, struct json_object *body, struct arena *arena,
		 const char **ret_pointer, const char **ret_problem);
