#include "admit/remember.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { GENERATIONS = 16, NAME_BYTES = 96 };

static const int64_t span_default_ms = (int64_t)8 * 24 * 3600 * 1000;
static const int64_t span_min_ms = 60 * 1000;

struct generation {
	char name[NAME_BYTES]; /* workspace and generation; "" unused */
	unsigned char kept[REMEMBER_BUCKETS / 8];
};

struct remember_cache {
	struct generation generations[GENERATIONS];
	unsigned next; /* the oldest, replaced first */
};

void remember_place(uint64_t number, int64_t span_ms, int64_t now_ms,
		    struct remember_place *ret_place)
{
	int64_t span = span_ms > 0 ? span_ms : span_default_ms;
	int64_t slice;

	if (span < span_min_ms)
		span = span_min_ms;
	slice = now_ms / span;
	ret_place->bucket = (unsigned)(number % REMEMBER_BUCKETS);
	ret_place->keep_s = 2 * span / 1000 + 60;
	/* The span is in the name: two channels with different ones never share a set. */
	snprintf(ret_place->current, sizeof(ret_place->current), "d:%" PRIx64 ".%" PRIx64 ":%x",
		 (uint64_t)span, (uint64_t)slice, ret_place->bucket);
	snprintf(ret_place->previous, sizeof(ret_place->previous), "d:%" PRIx64 ".%" PRIx64 ":%x",
		 (uint64_t)span, (uint64_t)(slice - 1), ret_place->bucket);
	snprintf(ret_place->number, sizeof(ret_place->number), "%" PRIu64, number);
}

struct remember_cache *remember_cache_new(void)
{
	return memory_new(sizeof(struct remember_cache));
}

void remember_cache_free(struct remember_cache **cache)
{
	free(*cache);
	*cache = NULL;
}

static void generation_name(const char *workspace, const struct remember_place *place,
			    char out[NAME_BYTES])
{
	const char *end = strrchr(place->current, ':');

	snprintf(out, NAME_BYTES, "%.40s %.*s", workspace, (int)(end - place->current),
		 place->current);
}

static const struct generation *find(const struct remember_cache *cache, const char *name)
{
	for (size_t i = 0; i < GENERATIONS; i++) {
		if (strcmp(cache->generations[i].name, name) == 0)
			return &cache->generations[i];
	}
	return NULL;
}

bool remember_is_kept(const struct remember_cache *cache, const char *workspace,
		      const struct remember_place *place)
{
	const struct generation *generation;
	char name[NAME_BYTES];

	generation_name(workspace, place, name);
	generation = find(cache, name);
	return generation && (generation->kept[place->bucket / 8] >> (place->bucket % 8) & 1);
}

void remember_note(struct remember_cache *cache, const char *workspace,
		   const struct remember_place *place)
{
	struct generation *generation = NULL;
	const struct generation *known;
	char name[NAME_BYTES];

	generation_name(workspace, place, name);
	known = find(cache, name);
	if (known) {
		generation = &cache->generations[known - cache->generations];
	} else {
		generation = &cache->generations[cache->next++ % GENERATIONS];
		memset(generation, 0, sizeof(*generation));
		memcpy(generation->name, name, sizeof(name));
	}
	generation->kept[place->bucket / 8] |= (unsigned char)(1U << (place->bucket % 8));
}
