/* What the files of the desk share.
 *
 * Agents who can take work stand in two rolls: those who wish (by the time of
 * the wish) and those who are free (by the time since when). A roll gives each
 * a slot, in order; sets of agents are bit sets over the slots, one for each
 * queue and each need, so that "the first who may" is the first bit of an AND.
 * Who leaves keeps the slot until all are numbered anew, and finds it again.
 *
 * Items stand in lines, one a queue, in buckets of those that are alike for
 * this purpose: same need, same head start, same channel. Within a bucket the older one
 * always goes first, so only the heads of buckets are compared. An agent knows
 * by number which lines to serve and which needs to meet. */
#pragma once

#include "base/map.h"
#include "business/plan.h"
#include "routing/desk.h"

enum roll_kind { ROLL_WISH, ROLL_FREE, ROLLS };
enum { WORD_BITS = 64 };

static inline bool bits_has(const struct bits *bits, size_t number)
{
	size_t word = number / WORD_BITS;

	return word < bits->count && (bits->words[word] >> (number % WORD_BITS) & 1) != 0;
}
/* The first member from a number on; SIZE_MAX: none. */
static inline size_t bits_next(const struct bits *bits, size_t from)
{
	for (size_t word = from / WORD_BITS; word < bits->count; word++) {
		uint64_t left = bits->words[word];

		if (word == from / WORD_BITS)
			left &= ~(uint64_t)0 << (from % WORD_BITS);
		if (left != 0)
			return word * WORD_BITS + (size_t)__builtin_ctzll(left);
	}
	return SIZE_MAX;
}
void bits_set(struct bits *bits, size_t number);
void bits_put(struct bits *bits, size_t number, bool is_in);
void bits_join(struct bits *bits, const struct bits *other, bool is_all); /* and, else or */
void bits_clear(struct bits *bits);
void bits_free(struct bits *bits);

enum { LEVELS = 5 };
/* Who has a skill, by number. */
struct skill_row {
	struct bits at_least[LEVELS]; /* level 1 first */
};

/* What a step asks of an agent: one of each kind is kept. */
struct need_row {
	const struct plan_step *step; /* NULL: nothing */
	size_t number;
	struct bits slots[ROLLS];
	struct bucket **heap; /* of lines where waiting counts in full: the first item first */
	size_t heap_count;
	size_t heap_room;
};

/* A plan's text, read once. */
struct plan_row {
	struct plan *plan;
	struct need_row **needs; /* a step each, and one for after the last */
};

struct bucket {
	struct need_row *need;
	int64_t priority; /* minutes */
	size_t channel;   /* number; SIZE_MAX: none */
	struct desk_item **items;
	size_t first; /* the head: what is before it is free room */
	size_t end;
	size_t room;
	struct line *line;
	size_t head; /* place among the line's heads, from 1; 0: empty */
	size_t peak; /* place in the need's heap, from 1; 0: not in it */
};

/* Of a bucket that is not empty: what decides about most of them, close together. */
struct head {
	struct bucket *bucket;
	size_t need;
	size_t channel;
	int64_t rank; /* its score but for now, where waiting counts in full; ms */
};

struct line {
	char *queue;
	size_t number;
	const struct queue_row *row; /* NULL: not configured */
	struct bucket **buckets;
	size_t bucket_count;
	struct head *heads;
	size_t head_count;
	size_t count;             /* items */
	struct bits slots[ROLLS]; /* but for agents who serve every queue */
};

struct roll {
	struct desk_agent **agents; /* by slot: who has or had it */
	size_t used;
	size_t room;
	size_t live;
	struct bits members;
	size_t first;           /* word of members: none before it has one */
	struct bits everywhere; /* agents who serve every queue */
	const char *newest;     /* the last one that came, to keep the order; NULL: none */
	int64_t newest_ms;
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
	struct map *lines;       /* queue -> line */
	struct line **line_list; /* by number */
	size_t line_count;
	int64_t *bounds;             /* by line: no rank of its heads is higher */
	size_t unranked;             /* lines with items where waiting does not count in full */
	struct map *plans;           /* text -> plan_row */
	struct map *needs;           /* need and agents -> need_row */
	struct need_row **need_list; /* by number */
	size_t need_count;
	struct map *skills;             /* name -> skill_row */
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
/* Everybody gets a new slot, in order: after somebody came who belongs before others, when the
 * slots are used up, and when it changed who serves and meets what. */
void roll_renumber(struct desk *desk, enum roll_kind kind);
void roll_clear(struct roll *roll);
/* A need or a line that is new: its bits over the slots. */
void rolls_know_need(struct desk *desk, struct need_row *need);
void rolls_know_line(struct desk *desk, struct line *line);

/* ---- desk_need.c: who meets what ---- */
static inline bool serves_all(const struct desk_agent *agent)
{
	return agent->row == NULL || agent->row->queues == NULL || agent->row->queues[0] == NULL;
}
static inline bool serves(const struct desk_agent *agent, const struct line *line)
{
	return serves_all(agent) || bits_has(&agent->serves, line->number);
}
struct plan_row *plan_of(struct desk *desk, const char *text);
void plans_free(struct desk *desk);
void skills_learn(struct desk *desk); /* from the roster: then all needs */
void skills_free(struct desk *desk);
/* What a new agent, who is in no roster, meets. */
void needs_know_agent(struct desk *desk, struct desk_agent *agent);

/* ---- desk_line.c ---- */
struct line *line_of(struct desk *desk, const char *queue);
void line_put(struct desk *desk, struct desk_item *item);
void line_drop(struct desk *desk, struct desk_item *item);
void lines_free(struct desk *desk);
void lines_learn(struct desk *desk); /* rows and who serves, of all lines */
void lines_know_agent(struct desk *desk, struct desk_agent *agent);
bool bucket_before(const struct bucket *a, const struct bucket *b); /* by what they begin with */
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

/* ---- desk_peak.c: the best head of each need ---- */
void peak_show(struct bucket *bucket); /* it is in the heap, or moves to its place there */
void peak_drop(struct bucket *bucket);

/* ---- desk_attention.c ---- */
/* Which channels are closed to the agent, by what is in its hands. */
void attention_learn(const struct desk *desk, struct desk_agent *agent);
static inline bool is_open_for(const struct desk_agent *agent, size_t channel, enum roll_kind kind)
{
	return channel == SIZE_MAX || (!bits_has(&agent->full, channel) &&
				       (kind == ROLL_WISH || !bits_has(&agent->closed, channel)));
}

/* ---- desk_choice.c ---- */
bool agent_may_take(const struct desk *desk, const struct desk_agent *agent,
		    const struct desk_item *item, enum roll_kind kind);
/* NULL: nobody may now. */
struct desk_agent *agent_for(struct desk *desk, struct desk_item *item, enum roll_kind *ret_kind);
struct desk_item *item_for(struct desk *desk, struct desk_agent *agent, enum roll_kind kind);
