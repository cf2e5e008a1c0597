/* What a queue does when it cannot cope: overflow into another queue, and
 * escalation level by level. Pure: says what should be done with which item;
 * the scripts decide whether it still may. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "routing/desk.h"

enum relief_kind { RELIEF_OVERFLOW, RELIEF_ESCALATION };

struct relief {
	enum relief_kind kind;
	struct desk_item *item;
	const struct overflow_row *overflow; /* of RELIEF_OVERFLOW */
	const char *why;                     /* length, wait, expected_wait, nobody, closed */
	const struct escalation_row *escalation;
	int64_t level; /* of RELIEF_ESCALATION, from 1 */
};

/* What is known of a queue beside the desk. */
struct queue_condition {
	int64_t expected_wait_ms; /* of an item that comes now; -1: not known */
	bool is_closed;           /* by its calendar */
};
typedef void queue_condition_fn(const struct queue_row *queue, struct queue_condition *ret,
				void *context);
/* The item is not proposed again while is_proposed is set, which fn does where it acts. */
typedef void relief_fn(const struct relief *relief, void *context);

struct pressure {
	struct desk *desk;
	const struct roster *roster;
	int64_t now_ms;
	queue_condition_fn *condition;
	relief_fn *relieve;
	void *context;
};

/* Every item of queues that have overflow or escalation rows is looked at once. */
void pressure_check(const struct pressure *pressure);
