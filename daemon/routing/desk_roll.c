#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "routing/desk_private.h"

enum { FIRST_SLOTS = 64, FIRST_WORDS = 4 };

void bits_set(struct bits *bits, size_t number)
{
	size_t word = number / WORD_BITS;
	size_t count = bits->count;

	if (word >= count) {
		while (count <= word)
			count = count == 0 ? FIRST_WORDS : count * 2;
		bits->words = memory_grow(bits->words, count, sizeof(*bits->words));
		memset(bits->words + bits->count, 0, (count - bits->count) * sizeof(*bits->words));
		bits->count = count;
	}
	bits->words[word] |= (uint64_t)1 << (number % WORD_BITS);
}

void bits_put(struct bits *bits, size_t number, bool is_in)
{
	size_t word = number / WORD_BITS;

	if (is_in)
		bits_set(bits, number);
	else if (word < bits->count)
		bits->words[word] &= ~((uint64_t)1 << (number % WORD_BITS));
}

void bits_free(struct bits *bits)
{
	free(bits->words);
	*bits = (struct bits){ 0 };
}

void bits_clear(struct bits *bits)
{
	if (bits->count > 0)
		memset(bits->words, 0, bits->count * sizeof(*bits->words));
}

void bits_join(struct bits *bits, const struct bits *other, bool is_all)
{
	if (!is_all && other->count > bits->count) {
		bits_set(bits, other->count * WORD_BITS - 1);
		bits_put(bits, other->count * WORD_BITS - 1, false);
	}
	for (size_t i = 0; i < bits->count; i++) {
		uint64_t word = i < other->count ? other->words[i] : 0;

		bits->words[i] = is_all ? bits->words[i] & word : bits->words[i] | word;
	}
}

/* What gives an agent the place: since when free, or since when wishing. */
static int64_t key_of(const struct desk_agent *agent, enum roll_kind kind)
{
	return kind == ROLL_WISH ? agent->wish_ms : agent->idle_ms;
}

static int compare(const struct desk_agent *a, const struct desk_agent *b, enum roll_kind kind)
{
	if (a->keys[kind] != b->keys[kind])
		return a->keys[kind] < b->keys[kind] ? -1 : 1;
	return strcmp(a->id, b->id);
}

static int compare_wish(const void *a, const void *b)
{
	return compare(*(struct desk_agent *const *)a, *(struct desk_agent *const *)b, ROLL_WISH);
}

static int compare_free(const void *a, const void *b)
{
	return compare(*(struct desk_agent *const *)a, *(struct desk_agent *const *)b, ROLL_FREE);
}

/* The slot's bit in the sets that the agent belongs to. A slot is used once, so that it is unset in
 * all others. */
static void slot_fill(struct desk *desk, enum roll_kind kind, const struct desk_agent *agent)
{
	size_t slot = agent->homes[kind] - 1;

	if (serves_all(agent))
		bits_set(&desk->rolls[kind].everywhere, slot);
	else
		for (size_t i = bits_next(&agent->serves, 0); i != SIZE_MAX;
		     i = bits_next(&agent->serves, i + 1))
			bits_set(&desk->line_list[i]->slots[kind], slot);
	for (size_t i = bits_next(&agent->meets, 0); i != SIZE_MAX;
	     i = bits_next(&agent->meets, i + 1))
		bits_set(&desk->need_list[i]->slots[kind], slot);
}

static void slots_clear(struct desk *desk, enum roll_kind kind)
{
	bits_clear(&desk->rolls[kind].members);
	bits_clear(&desk->rolls[kind].everywhere);
	for (size_t i = 0; i < desk->need_count; i++)
		bits_clear(&desk->need_list[i]->slots[kind]);
	for (size_t i = 0; i < desk->line_count; i++)
		bits_clear(&desk->line_list[i]->slots[kind]);
}

void roll_renumber(struct desk *desk, enum roll_kind kind)
{
	struct roll *roll = &desk->rolls[kind];
	size_t live = 0;

	for (size_t i = 0; i < roll->used; i++) {
		struct desk_agent *agent = roll->agents[i];

		if (agent->slots[kind] == i + 1)
			roll->agents[live++] = agent;
		else if (agent->homes[kind] == i + 1)
			agent->homes[kind] = 0;
	}
	if (live > 0)
		qsort(roll->agents, live, sizeof(struct desk_agent *),
		      kind == ROLL_WISH ? compare_wish : compare_free);
	slots_clear(desk, kind);
	roll->used = live;
	roll->live = live;
	roll->first = 0;
	roll->is_unordered = false;
	for (size_t i = 0; i < live; i++) {
		roll->agents[i]->slots[kind] = roll->agents[i]->homes[kind] = i + 1;
		bits_set(&roll->members, i);
		slot_fill(desk, kind, roll->agents[i]);
	}
	roll->newest = live == 0 ? NULL : roll->agents[live - 1]->id;
	roll->newest_ms = live == 0 ? 0 : roll->agents[live - 1]->keys[kind];
}

void roll_order(struct desk *desk, enum roll_kind kind)
{
	struct roll *roll = &desk->rolls[kind];

	if (roll->is_unordered)
		roll_renumber(desk, kind);
	while (roll->first < roll->members.count && roll->members.words[roll->first] == 0)
		roll->first++;
}

static bool is_before_newest(const struct roll *roll, const struct desk_agent *agent, int64_t key)
{
	return key < roll->newest_ms ||
	       (key == roll->newest_ms && strcmp(agent->id, roll->newest) < 0);
}

static void roll_enter(struct roll *roll, enum roll_kind kind, struct desk_agent *agent)
{
	size_t slot = agent->homes[kind] - 1;

	agent->slots[kind] = agent->homes[kind];
	bits_set(&roll->members, slot);
	if (slot / WORD_BITS < roll->first)
		roll->first = slot / WORD_BITS;
	roll->live++;
}

void roll_add(struct desk *desk, enum roll_kind kind, struct desk_agent *agent)
{
	struct roll *roll = &desk->rolls[kind];
	int64_t key = key_of(agent, kind);

	if (agent->slots[kind] != 0 && agent->keys[kind] == key)
		return;
	roll_leave(desk, kind, agent);
	if (agent->homes[kind] != 0 && agent->keys[kind] == key) {
		roll_enter(roll, kind, agent);
		return;
	}
	if (roll->used == roll->room && roll->live * 2 >= roll->room) {
		roll->room = roll->room == 0 ? FIRST_SLOTS : roll->room * 2;
		roll->agents = memory_grow(roll->agents, roll->room, sizeof(struct desk_agent *));
	} else if (roll->used == roll->room) {
		roll_renumber(desk, kind);
	}
	agent->keys[kind] = key;
	roll->is_unordered |= roll->newest != NULL && is_before_newest(roll, agent, key);
	roll->newest = agent->id;
	roll->newest_ms = key;
	roll->agents[roll->used++] = agent;
	agent->homes[kind] = roll->used;
	slot_fill(desk, kind, agent);
	roll_enter(roll, kind, agent);
}

void roll_leave(struct desk *desk, enum roll_kind kind, struct desk_agent *agent)
{
	struct roll *roll = &desk->rolls[kind];

	if (agent->slots[kind] == 0)
		return;
	bits_put(&roll->members, agent->slots[kind] - 1, false);
	agent->slots[kind] = 0;
	roll->live--;
}

void roll_clear(struct roll *roll)
{
	free(roll->agents);
	bits_free(&roll->members);
	bits_free(&roll->everywhere);
	*roll = (struct roll){ 0 };
}

void rolls_know_need(struct desk *desk, struct need_row *need)
{
	for (int kind = 0; kind < ROLLS; kind++) {
		const struct roll *roll = &desk->rolls[kind];

		bits_clear(&need->slots[kind]);
		for (size_t i = 0; i < roll->used; i++)
			if (bits_has(&roll->agents[i]->meets, need->number))
				bits_set(&need->slots[kind], i);
	}
}

void rolls_know_line(struct desk *desk, struct line *line)
{
	for (int kind = 0; kind < ROLLS; kind++) {
		const struct roll *roll = &desk->rolls[kind];

		bits_clear(&line->slots[kind]);
		for (size_t i = 0; i < roll->used; i++)
			if (!serves_all(roll->agents[i]) &&
			    bits_has(&roll->agents[i]->serves, line->number))
				bits_set(&line->slots[kind], i);
	}
}
