/* What the daemon has of one kind of business objects, and what apply makes of it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct business;
struct call;
struct json_object;

struct present {
	struct json_object **pages;
	size_t page_count;
};

/* All of a kind ("queues"); the exit code. Cleared by the caller either way. */
int present_fetch(struct call *call, const char *kind, struct present *present);
void present_clear(struct present *present);
/* NULL where there is none; borrowed. */
struct json_object *present_find(const struct present *present, const char *id);
/* The object at a position over all pages; NULL past the end. */
struct json_object *present_at(const struct present *present, size_t index);

/* Names in the file that neither it nor the daemon knows, each printed at its place with the
 * nearest one: EX_CONFIG, so that nothing of the file is applied. apply_names.c */
int apply_check_names(struct call *call, const struct business *business, bool is_pruning);
