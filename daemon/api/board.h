/* Queues and agents right now: what /v1/live and /metrics show. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "routing/figures.h"
#include "store/store.h"

struct map;
struct parts;
struct roster;
struct queue_row;

enum { STAFF_STATES = 4 };
extern const char *const staff_states[STAFF_STATES]; /* online, busy, away, offline */

/* Who is there. */
struct staff {
	int64_t in[STAFF_STATES];
	int64_t ready; /* online, routable, with room for one more */
};

struct board {
	const struct roster *roster;
	const struct figures *figures;
	const struct store_reply *reply;
	int64_t now_ms;
	struct map *by_queue;    /* id -> struct staff, in an arena */
	struct staff everywhere; /* agents who serve all queues */
	struct staff all;        /* each agent once */
};

struct board_queue {
	const char *id;
	const struct queue_row *row;
	struct queue_figures figures;
	struct staff staff;
	int64_t waiting;
	int64_t oldest_ms;        /* how long the first has waited; 0: none waits */
	int64_t expected_wait_ms; /* of a new item; -1: not known */
};

void board_read(const struct parts *parts, const char *workspace, const struct roster *roster,
		store_done_fn *done, void *context);
/* Of that answer; roster, figures, reply and now_ms are set by the caller and borrowed. */
void board_fill(struct board *board, struct arena *arena);
void board_clear(struct board *board);
bool board_queue(const struct board *board, size_t index, struct board_queue *ret);
