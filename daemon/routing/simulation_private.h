/* What the files of the simulation share. */
#pragma once

#include "routing/desk.h"
#include "routing/figures.h"
#include "routing/rules.h"
#include "routing/simulation.h"

enum { NOBODY = -1 };

enum happening { ARRIVES, GIVES_UP, ENDS, COMES_ON, GOES_OFF, TICK };

struct event {
	int64_t at_ms;
	enum happening what;
	size_t index; /* of an arrival, or of a shift */
};

struct piece {
	char id[24];
	struct classification class;
	const char *queue;  /* where it is now */
	int64_t entered_ms; /* since when */
	int64_t wait_ms;    /* NOBODY until taken */
	int64_t expected_ms;
	const char *agent;
	const char *overflowed;             /* queues it came from, space-separated; NULL: none */
	int64_t level;                      /* of escalation */
	int64_t level_before;               /* when it came into its queue */
	int64_t raised;                     /* minutes of priority that gave */
	const struct escalation_row *asked; /* who may take it over; NULL: nobody */
	int64_t asked_until_ms;
	const char *asked_in; /* the queue whose level it is; then since when, from which level */
	int64_t asked_entered_ms;
	int64_t asked_level_before;
	bool is_waiting;
};

struct course {
	const struct simulation *simulation;
	struct arena *arena;
	struct piece *pieces;
	struct event *events; /* a heap */
	size_t count;
	size_t room;
	size_t *asked; /* pieces whose escalation is pending */
	size_t asked_count;
	struct desk *desk;
	struct figures *figures;
	int64_t now_ms;
	int64_t changed_ms; /* load was last summed up */
	double used;        /* load times ms */
	double there;       /* capacity times ms */
};

/* simulation_events.c: what is to come, by time. */
void event_plan(struct course *course, int64_t at_ms, enum happening what, size_t index);
struct event event_next(struct course *course);

/* simulation.c: a piece as the desk sees it now, and who takes it. */
void piece_put(struct course *course, size_t index);
void piece_take(struct course *course, size_t index, struct desk_agent *agent);
void piece_tell(struct course *course, const struct piece *piece, const char *from, const char *to);

/* simulation_relief.c: overflow and escalation, looked at by the clock. */
void relief_check(struct course *course);

/* simulation_result.c */
void result_make(struct course *course, struct sim_result *ret);
