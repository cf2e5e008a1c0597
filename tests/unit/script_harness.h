/* Runs a scenario of tests/data/scripts (its README has the format) against a
 * real Redis: whole, again, with every redis.call failing, with a full store. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct redis_child;

/* True if all holds; else why says what does not. */
bool scenario_run(struct redis_child *child, const char *path, char *why, size_t room);
/* "work_accept" of ".../work_accept.twice.txt"; false if it is no such name. */
bool scenario_script(const char *path, char *ret_script, size_t room);
