/* The way round a store that cannot be reached, for providers that do not send again: their
 * verified requests wait on this machine's disk, and what comes after them queues behind. Once the
 * store takes messages again they go the usual way, one after the other; one that was stored all
 * the same is then dropped as a duplicate. */
#pragma once

#include "pipeline.h"

struct spooling;

struct spooling *spooling_new(struct parts *parts);
/* Behind the disk worker and before the loop. */
void spooling_free(struct spooling **ref);

/* Is the flight a request that its provider will not send again? */
bool spooling_serves(const struct flight *flight);
/* Something of the flight's channel is waiting, or may be: what was left there is not read yet. */
bool spooling_is_behind(struct spooling *spooling, const struct flight *flight);
/* done is called once the request is on the disk (true), or cannot be put there, with flight->error
 * set; never before this returned, and the flight lives until then. */
void spooling_add(struct spooling *spooling, struct flight *flight,
		  void (*done)(struct flight *flight, bool kept));
/* Requests that this process put there and has not taken out again, of all channels. */
size_t spooling_waiting(const struct spooling *spooling);
