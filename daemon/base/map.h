/* A map from texts to pointers: keyed hash (keys come from outside), open
 * addressing. Keys are copied; values are the caller's. */
#pragma once

#include <stddef.h>

struct map;

struct map *map_new(void);
void map_free(struct map **map);
void *map_get(const struct map *map, const char *key);       /* NULL if absent */
void map_put(struct map *map, const char *key, void *value); /* replaces; value not NULL */
void *map_remove(struct map *map, const char *key);          /* the value, or NULL */
size_t map_count(const struct map *map);
/* Walks all in no order: *at starts at 0; NULL at the end. Removing while walking is not allowed.
 */
void *map_next(const struct map *map, size_t *at, const char **ret_key);
