#include "base/map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/memory.h"

enum { FIRST_ROOM = 16 };

struct entry {
	char *key; /* NULL: free */
	void *value;
	uint64_t hash;
};

struct map {
	struct entry *entries;
	size_t room; /* a power of two */
	size_t count;
	uint64_t seed[2];
};

struct map *map_new(void)
{
	struct map *map = memory_new(sizeof(*map));

	map->room = FIRST_ROOM;
	map->entries = memory_new(map->room * sizeof(*map->entries));
	crypto_random(map->seed, sizeof(map->seed));
	return map;
}

void map_free(struct map **map)
{
	if (*map == NULL)
		return;
	for (size_t i = 0; i < (*map)->room; i++)
		free((*map)->entries[i].key);
	free((*map)->entries);
	free(*map);
	*map = NULL;
}

static uint64_t rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

/* A short mixing hash in the manner of the add-rotate-xor family, seeded per
 * map so that nobody outside can aim for collisions. */
static uint64_t key_hash(const struct map *map, const char *key)
{
	uint64_t a = map->seed[0];
	uint64_t b = map->seed[1];

	for (; *key != '\0'; key++) {
		a ^= (unsigned char)*key;
		a *= 0x9e3779b97f4a7c15u;
		b += rotate(a, 29);
		a = rotate(a, 31) ^ b;
	}
	a ^= a >> 32;
	return a * 0xd6e8feb86659fd93u ^ b;
}

static struct entry *entry_find(const struct map *map, const char *key, uint64_t hash)
{
	size_t at = hash & (map->room - 1);

	while (map->entries[at].key != NULL &&
	       (map->entries[at].hash != hash || strcmp(map->entries[at].key, key) != 0))
		at = (at + 1) & (map->room - 1);
	return &map->entries[at];
}

static void map_grow(struct map *map)
{
	struct entry *old = map->entries;
	size_t room = map->room;

	map->room *= 2;
	map->entries = memory_new(map->room * sizeof(*map->entries));
	for (size_t i = 0; i < room; i++)
		if (old[i].key != NULL)
			*entry_find(map, old[i].key, old[i].hash) = old[i];
	free(old);
}

void *map_get(const struct map *map, const char *key)
{
	return entry_find(map, key, key_hash(map, key))->value;
}

void map_put(struct map *map, const char *key, void *value)
{
	uint64_t hash = key_hash(map, key);
	struct entry *entry = entry_find(map, key, hash);

	if (entry->key == NULL) {
		if ((map->count + 1) * 4 > map->room * 3) {
			map_grow(map);
			entry = entry_find(map, key, hash);
		}
		entry->key = memory_text(key);
		entry->hash = hash;
		map->count++;
	}
	entry->value = value;
}

void *map_remove(struct map *map, const char *key)
{
	struct entry *hole = entry_find(map, key, key_hash(map, key));
	void *value = hole->value;
	size_t mask = map->room - 1;
	size_t at;

	if (hole->key == NULL)
		return NULL;
	free(hole->key);
	map->count--;
	at = (size_t)(hole - map->entries);
	/* Close the gap, so that no probe sequence is cut. */
	for (size_t next = (at + 1) & mask; map->entries[next].key != NULL;
	     next = (next + 1) & mask) {
		size_t home = map->entries[next].hash & mask;

		if (((next - home) & mask) >= ((next - at) & mask)) {
			map->entries[at] = map->entries[next];
			at = next;
		}
	}
	map->entries[at] = (struct entry){ 0 };
	return value;
}

size_t map_count(const struct map *map)
{
	return map->count;
}

void *map_next(const struct map *map, size_t *at, const char **ret_key)
{
	while (*at < map->room) {
		const struct entry *entry = &map->entries[(*at)++];

		if (entry->key == NULL)
			continue;
		if (ret_key != NULL)
			*ret_key = entry->key;
		return entry->value;
	}
	return NULL;
}
