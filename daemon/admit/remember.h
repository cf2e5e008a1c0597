/* Where a provider's message is remembered: integer sets in generations of the
 * channel's retry span, current and previous are asked. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { REMEMBER_BUCKETS = 16384 };

struct remember_place {
	char current[64]; /* key without its tag: d:<gen>:<bucket> */
	char previous[64];
	char number[24];
	int64_t keep_s; /* how long the current generation's sets live */
	unsigned bucket;
};

/* span_ms 0 takes 8 days. */
void remember_place(uint64_t number, int64_t span_ms, int64_t now_ms,
		    struct remember_place *ret_place);

/* Which buckets have been given their time to live: a set gets it once, not with
 * every message. Lost with the process, then given again. */
struct remember_cache;
struct remember_cache *remember_cache_new(void);
void remember_cache_free(struct remember_cache **cache);
bool remember_is_kept(const struct remember_cache *cache, const char *workspace,
		      const struct remember_place *place);
void remember_note(struct remember_cache *cache, const char *workspace,
		   const struct remember_place *place);
