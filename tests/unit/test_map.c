#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>

#include "base/map.h"

Test(map, keeps_what_was_put_through_growth_and_removal)
{
	struct map *map = map_new();
	char key[32];

	for (uintptr_t i = 1; i <= 5000; i++) {
		snprintf(key, sizeof(key), "wrk_%zu", (size_t)i);
		map_put(map, key, (void *)i);
	}
	for (uintptr_t i = 1; i <= 5000; i += 2) {
		snprintf(key, sizeof(key), "wrk_%zu", (size_t)i);
		cr_assert_eq((uintptr_t)map_remove(map, key), i);
	}
	cr_assert_eq(map_count(map), 2500);
	for (uintptr_t i = 1; i <= 5000; i++) {
		snprintf(key, sizeof(key), "wrk_%zu", (size_t)i);
		cr_assert_eq((uintptr_t)map_get(map, key), i % 2 == 1 ? 0 : i);
	}
	map_put(map, "wrk_2", (void *)7);
	cr_assert_eq((uintptr_t)map_get(map, "wrk_2"), 7);
	cr_assert_eq(map_count(map), 2500);
	map_free(&map);
}

Test(map, walks_every_entry_once)
{
	struct map *map = map_new();
	size_t at = 0;
	size_t seen = 0;

	cr_assert_null(map_get(map, "absent"));
	cr_assert_null(map_remove(map, "absent"));
	map_put(map, "a", &seen);
	map_put(map, "b", &at);
	while (map_next(map, &at, NULL) != NULL)
		seen++;
	cr_assert_eq(seen, 2);
	map_free(&map);
}
