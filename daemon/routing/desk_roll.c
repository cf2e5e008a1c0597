#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "routing/desk_private.h"

enum { FIRST_SLOTS = 64 };

void bits_set(struct bits *bits, size_t number)
{
	size_t word = number / WORD_BITS;
	size_t count = bits->count;

	if (word >= count) {
		while (count <= word)
			count = count == 0 ? 4 : count * 2;
		bits->words = memory_grow(bits->words, count, sizeof(*bits->words));
		memset(bits->words + bits->count, 0, (count - bits->count) * sizeof(*bits->words));
		bits->count = count;
	}
	bits->words[word] |= (uint64_t)1 << (number % WORD_BITS);
}

void bits_unset(struct bits *bits, size_t number)
{
	size_t word = number / WORD_BITS;

	if (word < bits->count)
		bits->words[word] &= ~((uint64_t)1 << (number % WORD_BITS));
}

void bits_free(struct bits *bits)
{
	free(bits->words);
	*bits = (struct bits){ 0 };
}

static void bits_clear(struct bits *bits)
{
	if (bits->count > 0)
		memset(bits->words, 0, bits->count * sizeof(*bits->words));
}

/* What gives an agent the place: since when free, or since when wishing. */
static int64_t key_of(const struct desk_agent *agent, enum roll_kind kind)
{
	return kind == ROLL_WISH ? agent->wish_ms : agent->idle_ms;
}

static bool comes_before(const struct desk_agent *a, const struct desk_agent *b,
			 enum roll_kind kind)
{
	int64_t left = key_of(a, kind);
	int64_t right = key_of(b, kind);

	return left < right || (left == right && strcmp(a->id, b->id) < 0);
}

static int compare_wish(const void *a, const void *b)
{
	return comes_before(*(struct desk_agent *const *)a, *(struct desk_agent *const *)b,
			    ROLL_WISH)
		       ? -1
		       : 1;
}

static int compare_free(const void *a, const void *b)
{
	return comes_before(*(struct desk_agent *const *)a, *(struct desk_agent *const *)b,
			    ROLL_FREE)
		       ? -1
		       : 1;
}

static void bits_put(struct bits *bits, size_t number, bool is_in)
{
	if (is_in)
		bits_set(bits, number);
	else
		bits_unset(bits, number);
}

/* The agent's bit in every set over the slots; who had the slot before may have left others. */
static void slot_fill(struct desk *desk, enum roll_kind kind, const struct desk_agent *agent)
{
	size_t slot = agent->slots[kind] - 1;
	struct need_row *need;
	size_t at = 0;

	bits_set(&desk->rolls[kind].members, slot);
	while ((need = map_next(desk->needs, &at, NULL)) != NULL)
		bits_put(&need->slots[kind], slot, bits_has(&need->eligible, agent->number));
	for (size_t i = 0; i < desk->line_count; i++)
		bits_put(&desk->line_list[i]->slots[kind], slot,
			 bits_has(&desk->line_list[i]->serving, agent->number));
}

static void slots_clear(struct desk *desk, enum roll_kind kind)
{
	struct need_row *need;
	size_t at = 0;

	bits_clear(&desk->rolls[kind].members);
	while ((need = map_next(desk->needs, &at, NULL)) != NULL)
		bits_clear(&need->slots[kind]);
	for (size_t i = 0; i < desk->line_count; i++)
		bits_clear(&desk->line_list[i]->slots[kind]);
}

/* Everybody gets a new slot, in order: after somebody came who belongs before others, and when
 * the slots are used up. */
static void roll_renumber(struct desk *desk, enum roll_kind kind)
{
	struct roll *roll = &desk->rolls[kind];
	size_t live = 0;

	for (size_t i = 0; i < roll->used; i++)
		if (roll->agents[i] != NULL)
			roll->agents[live++] = roll->agents[i];
	if (live > 0)
		qsort(roll->agents, live, sizeof(struct desk_agent *),
		      kind == ROLL_WISH ? compare_wish : compare_free);
	slots_clear(desk, kind);
	roll->used = live;
	roll->live = live;
	roll->last = live == 0 ? NULL : roll->agents[live - 1];
	roll->is_unordered = false;
	for (size_t i = 0; i < live; i++) {
		roll->agents[i]->slots[kind] = i + 1;
		slot_fill(desk, kind, roll->agents[i]);
	}
}

void roll_order(struct desk *desk, enum roll_kind kind)
{
	if (desk->rolls[kind].is_unordered)
		roll_renumber(desk, kind);
}

void roll_add(struct desk *desk, enum roll_kind kind, struct desk_agent *agent)
{
	struct roll *roll = &desk->rolls[kind];

	if (agent->slots[kind] != 0 && agent->keys[kind] == key_of(agent, kind))
		return;
	roll_leave(desk, kind, agent);
	if (roll->used == roll->room && roll->live * 2 >= roll->room) {
		roll->room = roll->room == 0 ? FIRST_SLOTS : roll->room * 2;
		roll->agents = memory_grow(roll->agents, roll->room, sizeof(struct desk_agent *));
	} else if (roll->used == roll->room) {
		roll_renumber(desk, kind);
	}
	roll->is_unordered |= roll->last != NULL && comes_before(agent, roll->last, kind);
	roll->agents[roll->used++] = agent;
	roll->live++;
	roll->last = agent;
	agent->slots[kind] = roll->used;
	agent->keys[kind] = key_of(agent, kind);
	slot_fill(desk, kind, agent);
}

void roll_leave(struct desk *desk, enum roll_kind kind, struct desk_agent *agent)
{
	struct roll *roll = &desk->rolls[kind];
	size_t slot = agent->slots[kind];

	if (slot == 0)
		return;
	roll->agents[slot - 1] = NULL;
	roll->live--;
	bits_unset(&roll->members, slot - 1);
	agent->slots[kind] = 0;
	/* Whoever comes next is compared with a member only. */
	if (roll->last == agent)
		roll->last = NULL;
	while (roll->used > 0 && roll->agents[roll->used - 1] == NULL)
		roll->used--;
	if (roll->last == NULL && roll->used > 0)
		roll->last = roll->agents[roll->used - 1];
}

void roll_clear(struct roll *roll)
{
	free(roll->agents);
	bits_free(&roll->members);
	*roll = (struct roll){ 0 };
}

void rolls_know_need(struct desk *desk, struct need_row *need)
{
	for (int kind = 0; kind < ROLLS; kind++) {
		const struct roll *roll = &desk->rolls[kind];

		bits_clear(&need->slots[kind]);
		for (size_t i = 0; i < roll->used; i++)
			if (roll->agents[i] != NULL &&
			    bits_has(&need->eligible, roll->agents[i]->number))
				bits_set(&need->slots[kind], i);
	}
}

void rolls_know_line(struct desk *desk, struct line *line)
{
	for (int kind = 0; kind < ROLLS; kind++) {
		const struct roll *roll = &desk->rolls[kind];

		bits_clear(&line->slots[kind]);
		for (size_t i = 0; i < roll->used; i++)
			if (roll->agents[i] != NULL &&
			    bits_has(&line->serving, roll->agents[i]->number))
				bits_set(&line->slots[kind], i);
	}
}
