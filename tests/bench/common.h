/* What the bench's programs share: time, random numbers, latencies. */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LATENCY_CAP_US = 4000000 };

struct latencies {
	uint32_t *counts; /* by microsecond */
	uint64_t total;
};

static inline double now_s(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
}

/* xorshift64; *state must not be 0. */
static inline uint64_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static inline void *checked(void *pointer)
{
	if (pointer == NULL) {
		fprintf(stderr, "out of memory\n");
		exit(1);
	}
	return pointer;
}

static inline void latencies_new(struct latencies *latencies)
{
	latencies->counts = checked(calloc(LATENCY_CAP_US + 1, sizeof(*latencies->counts)));
	latencies->total = 0;
}

static inline void latencies_add(struct latencies *latencies, double seconds)
{
	double us = seconds * 1e6;

	if (us < 0)
		us = 0;
	latencies->counts[us >= LATENCY_CAP_US ? LATENCY_CAP_US : (int)us]++;
	latencies->total++;
}

/* Microseconds that `part` (0 to 1) of the values do not exceed; 0 without values. */
static inline long latencies_at(const struct latencies *latencies, double part)
{
	uint64_t wanted = (uint64_t)((double)latencies->total * part);
	uint64_t seen = 0;

	for (long us = 0; us <= LATENCY_CAP_US && latencies->total > 0; us++) {
		seen += latencies->counts[us];
		if (seen > wanted)
			return us;
	}
	return latencies->total > 0 ? LATENCY_CAP_US : 0;
}
