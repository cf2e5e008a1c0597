/* One new work item and the classifier that looks at it: read, ask, apply. Ends
 * in done exactly once, never before classify_call() has returned, whatever the
 * classifier does. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "automation/classifier.h"
#include "base/id.h"
#include "parts.h"

enum classify_outcome {
	CLASSIFY_APPLIED,
	CLASSIFY_NEEDS_HUMAN, /* too unsure, or it says so itself */
	CLASSIFY_UNWANTED,    /* no classifier is for such an item */
	CLASSIFY_LATE,        /* somebody touched the item meanwhile */
	CLASSIFY_FAILED,      /* no answer in time, a wrong status, or the store */
	CLASSIFY_REFUSED,     /* an answer that does not hold together, or an unknown queue */
	CLASSIFY_DROPPED,     /* more were waiting than are kept */
	CLASSIFY_OUTCOMES
};

struct classify;
typedef void classify_done_fn(enum classify_outcome outcome, void *context);

struct classify_target {
	const char *work_item;
	const char *conversation;
	int64_t index; /* of its first message */
};
void classify_call(struct classify *classify, const struct classify_target *target,
		   classify_done_fn *done, void *context);
