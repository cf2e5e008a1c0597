#include "store/placement.h"

#include <stdint.h>
#include <string.h>

static uint64_t hash_text(uint64_t hash, const char *text)
{
	do
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ULL;
	while (*text++ != '\0');
	return hash;
}

/* FNV alone is too even in its high bits for short names: mixed once more. */
static uint64_t score(const char *instance, const char *workspace, const char *name)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	hash = hash_text(hash, instance);
	hash = hash_text(hash, workspace);
	hash = hash_text(hash, name);
	hash ^= hash >> 33;
	hash *= 0xff51afd7ed558ccdULL;
	hash ^= hash >> 33;
	hash *= 0xc4ceb9fe1a85ec53ULL;
	return hash ^ hash >> 33;
}

size_t placement_rank(const char *const *instances, size_t count, const char *instance,
		      const char *workspace, const char *name)
{
	uint64_t own = score(instance, workspace, name);
	size_t rank = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t other = score(instances[i], workspace, name);

		if (other > own || (other == own && strcmp(instances[i], instance) < 0))
			rank++;
	}
	return rank;
}
