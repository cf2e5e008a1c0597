/* Token buckets in memory, one for each credential: how many requests it may
 * still make. Pure: the clock is the caller's. */
#pragma once

#include <stdint.h>

struct rates;

struct rates *rates_new(void);
void rates_free(struct rates **rates);
/* Takes one of per_second tokens (which is also how many there are at most).
 * 0, or the milliseconds until there is one. */
int64_t rate_take(struct rates *rates, const char *whose, int64_t per_second, int64_t now_ms);
