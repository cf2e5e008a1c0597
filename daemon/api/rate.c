#include "api/rate.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/memory.h"

enum { BUCKETS_MAX = 10000, SECOND_MS = 1000 };

/* Thousandths of a request, so that integers are exact. */
struct bucket {
	int64_t left;
	int64_t at_ms;
};

struct rates {
	struct map *buckets;
};

struct rates *rates_new(void)
{
	struct rates *rates = memory_new(sizeof(*rates));

	rates->buckets = map_new();
	return rates;
}

static void rates_clear(struct rates *rates)
{
	struct bucket *bucket;
	size_t at = 0;

	while ((bucket = map_next(rates->buckets, &at, NULL)) != NULL)
		free(bucket);
	map_free(&rates->buckets);
}

void rates_free(struct rates **rates)
{
	if (*rates == NULL)
		return;
	rates_clear(*rates);
	free(*rates);
	*rates = NULL;
}

/* A bucket is full again after a second, so forgetting all of them at times
 * gives nobody more than one second's worth. */
static struct bucket *bucket_new(struct rates *rates, const char *whose, int64_t per_second,
				 int64_t now_ms)
{
	struct bucket *bucket = memory_new(sizeof(*bucket));

	if (map_count(rates->buckets) >= BUCKETS_MAX) {
		rates_clear(rates);
		rates->buckets = map_new();
	}
	*bucket = (struct bucket){ per_second * SECOND_MS, now_ms };
	map_put(rates->buckets, whose, bucket);
	return bucket;
}

int64_t rate_take(struct rates *rates, const char *whose, int64_t per_second, int64_t now_ms)
{
	struct bucket *bucket = map_get(rates->buckets, whose);
	int64_t passed_ms;

	if (bucket == NULL)
		bucket = bucket_new(rates, whose, per_second, now_ms);
	passed_ms = now_ms - bucket->at_ms;
	bucket->at_ms = now_ms;
	if (passed_ms >= SECOND_MS)
		bucket->left = per_second * SECOND_MS;
	else if (passed_ms > 0)
		bucket->left += passed_ms * per_second;
	if (bucket->left > per_second * SECOND_MS)
		bucket->left = per_second * SECOND_MS;
	if (bucket->left < SECOND_MS)
		return (SECOND_MS - bucket->left + per_second - 1) / per_second;
	bucket->left -= SECOND_MS;
	return 0;
}
