/* What the files of the desk share.
 *
 * Agents who can take work stand in two rolls: those who wish (by the time of
 * the wish) and those who are free (by the time since when). A roll gives each
 * a slot, in order; sets of agents are bit sets over the slots, one for each
 * queue and each need, so that "the first who may" is the first bit of an AND.
 *
 * Items stand in lines, one a queue, in buckets of those that are alike for
 * this purpose: same need, same head start. Within a bucket the older one
 * always goes first, so only the heads of buckets are compared. */
#pragma once

#include "base/map.h"
#include "business/plan.h"
#include "routing/desk.h"

enum roll_kind { ROLL_WISH, ROLL_FREE, ROLLS };
enum { WORD_BITS = 64 };

/* A growing set of small numbers. */
struct bits {
	uint64_t *words;
	size_t count; /* of words */
};

static inline bool bits_has(const struct bits *bits, size_t number)
{
	size_t word = number / WORD_BITS;

	return word < bits->count && (bits->words[word] >> (number % WORD_BITS) & 1) != 0;
}
void bits_set(struct bits *bits, size_t number);
void bits_unset(struct bits *bits, size_t number);
void bits_free(struct bits *bits);

/* What a step asks of an agent: one of each kind is kept. */
struct need_row {
	const struct plan_step *step; /* NULL: nothing */
	struct bits eligible;         /* over agents' numbers */
	struct bits slots[ROLLS];
};

/* A plan's text, read once. */
struct plan_row {
	struct plan *plan;
	struct need_row **needs; /* a step each, and one for after the last */
};

struct bucket {
	struct need_row *need;
	int64_t priority; /* minutes */
	struct desk_item **items;
	size_t first; /* the head: what is before it is free room */
	size_t end;
	size_t room;
};

struct line {
	char *queue;
	const struct queue_row *row; /* NULL: not configured */
	struct bucket **buckets;
	size_t bucket_count;
	size_t count;        /* items */
	struct bits serving; /* over agents' numbers; who serves every queue is in it as well */
	struct bits slots[ROLLS];
};

struct roll {
	struct desk_agent **agents; /* by slot; NULL: has left */
	size_t used;
	size_t room;
	size_t live;
	struct bits members;
	struct desk_agent *last; /* the newest member, to keep the order */
	bool is_unordered;
};

/* Items to be looked at again at a time: a binary heap. */
struct alarms {
	struct desk_item **heap;
	size_t count;
	size_t room;
};

struct pending {
	struct desk_item **items; /* NULL: was removed */
	size_t first;
	size_t end;
	size_t room;
	bool is_unsorted;
};

struct desk {
	struct map *items;
	struct map *agents;
	struct map *lines; /* queue -> line */
	struct line **line_list;
	size_t line_count;
	struct map *plans;              /* text -> plan_row */
	struct map *needs;              /* need and agents -> need_row */
	struct desk_agent **agent_list; /* by number */
	size_t agent_count;
	struct roll rolls[ROLLS];
	struct alarms alarms;
	struct pending fresh;      /* items that may go to somebody now */
	struct desk_agent **freed; /* agents who may take something now */
	size_t freed_count;
	const struct roster *roster;
	desk_step_fn *on_step;
	void *step_context;
	int64_t now_ms;
};

/* ---- desk_roll.c ---- */
void roll_add(struct desk *desk, enum roll_kind kind, struct desk_agent *agent);
void roll_leave(struct desk *desk, enum roll_kind kind, struct desk_agent *agent);
/* Puts the slots in order again where that is needed. */
void roll_order(struct desk *desk, enum roll_kind kind);
void roll_clear(struct roll *roll);
/* A need or a line that is new: its bits over the slots. */
void rolls_know_need(struct desk *desk, struct need_row *need);
void rolls_know_line(struct desk *desk, struct line *line);

/* ---- desk_line.c ---- */
struct line *line_of(struct desk *desk, const char *queue);
void line_put(struct desk *desk, struct desk_item *item);
void line_drop(struct desk_item *item);
void lines_free(struct desk *desk);
void lines_roster(struct desk *desk); /* rows and who serves, of all lines */
void line_knows_agent(struct line *line, const struct desk_agent *agent);
void need_knows_agent(struct need_row *need, const struct desk_agent *agent);
struct plan_row *plan_of(struct desk *desk, const char *text);
void plans_free(struct desk *desk);
/* Higher goes first; ms. */
int64_t item_score(const struct desk_item *item, int64_t now_ms);
bool item_before(const struct desk_item *a, const struct desk_item *b, int64_t now_ms);

/* ---- desk_alarm.c ---- */
void alarm_set(struct desk *desk, struct desk_item *item, int64_t at_ms);
void alarm_drop(struct desk *desk, struct desk_item *item);
struct desk_item *alarm_due(struct desk *desk); /* NULL: none */
void fresh_add(struct desk *desk, struct desk_item *item);
void fresh_drop(struct desk *desk, struct desk_item *item);
struct desk_item *fresh_first(struct desk *desk); /* the one that goes first; NULL: none */

/* ---- desk_choice.c ---- */
bool agent_may_take(const struct desk *desk, const struct desk_agent *agent,
		    const struct desk_item *item, enum roll_kind kind);
/* NULL: nobody may now. */
struct desk_agent *agent_for(struct desk *desk, struct desk_item *item, enum roll_kind *ret_kind);
struct desk_item *item_for(struct desk *desk, struct desk_agent *agent, enum roll_kind kind);
