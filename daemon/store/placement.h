/* Rendezvous hashing: who of the living instances should hold what. */
#pragma once

#include <stddef.h>

/* How many instances are placed better than `instance` for this name: 0 is the best. */
size_t placement_rank(const char *const *instances, size_t count, const char *instance,
		      const char *workspace, const char *name);
