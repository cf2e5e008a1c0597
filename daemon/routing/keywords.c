#include "routing/keywords.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/memory.h"
#include "base/text.h"
#include "routing/script.h"

enum { BYTES = 256, NONE = 0 };

struct word {
	const char *text; /* folded */
	size_t len;
	uint32_t next; /* the next word with the same text, plus 1; 0: the last */
	uint32_t list;
	bool bounded_before;
	bool bounded_after;
};

/* Nodes are numbered breadth-first, so a node's children are neighbours in order of their byte. */
struct node {
	uint32_t first; /* child; the next node's first ends them */
	uint32_t fail;
	uint32_t word;   /* that ends here, plus 1 */
	uint32_t suffix; /* the nearest node on the way of failures in which a word ends; 0: none */
	unsigned char byte;
};

struct keywords {
	struct arena *arena;
	struct word *words;
	size_t count;
	struct node *nodes; /* the root is 0; one more at the end closes the last one's children */
	size_t node_count;
	uint32_t start[BYTES]; /* from the root */
};

/* While the nodes are made: the words (sorted) that pass through a node. */
struct span {
	uint32_t from;
	uint32_t to;
	uint32_t depth;
	uint32_t parent;
};

struct keywords *keywords_new(void)
{
	struct keywords *keywords = memory_new(sizeof(*keywords));

	keywords->arena = arena_new(0);
	return keywords;
}

void keywords_free(struct keywords **keywords)
{
	struct keywords *held = *keywords;

	*keywords = NULL;
	if (held == NULL)
		return;
	arena_free(&held->arena);
	free(held->words);
	free(held->nodes);
	free(held);
}

static bool begins_as_word(const char *text, size_t len)
{
	uint32_t codepoint = 0;

	return text_character(text, len, &codepoint) > 0 && script_is_word(codepoint);
}

static bool ends_as_word(const char *text, size_t len)
{
	size_t at = len;

	while (at > 0 && ((unsigned char)text[--at] & 0xc0) == 0x80)
		;
	return len > 0 && begins_as_word(text + at, len - at);
}

void keywords_add(struct keywords *keywords, const char *word, size_t list)
{
	size_t len;
	const char *folded = text_fold(keywords->arena, word, strlen(word), &len);
	struct word *added;

	if (len == 0)
		return;
	keywords->words =
		memory_grow(keywords->words, keywords->count + 1, sizeof(*keywords->words));
	added = &keywords->words[keywords->count++];
	*added = (struct word){ .text = folded, .len = len, .list = (uint32_t)list };
	added->bounded_before = begins_as_word(folded, len);
	added->bounded_after = ends_as_word(folded, len);
}

static int word_compare(const void *a, const void *b)
{
	const struct word *left = a;
	const struct word *right = b;
	int order =
		memcmp(left->text, right->text, left->len < right->len ? left->len : right->len);

	if (order != 0)
		return order;
	return left->len < right->len ? -1 : left->len > right->len;
}

static size_t nodes_at_most(const struct keywords *keywords)
{
	size_t count = 2;

	for (size_t i = 0; i < keywords->count; i++)
		count += keywords->words[i].len;
	return count;
}

/* Words that end in this node come first in its span and are chained. */
static uint32_t span_end_words(struct keywords *keywords, struct node *node, struct span *span)
{
	uint32_t i = span->from;

	for (; i < span->to && keywords->words[i].len == span->depth; i++) {
		keywords->words[i].next = node->word;
		node->word = i + 1;
	}
	return i;
}

static void span_children(struct keywords *keywords, struct span *spans, uint32_t at)
{
	struct node *node = &keywords->nodes[at];
	struct span *span = &spans[at];
	uint32_t i = span_end_words(keywords, node, span);

	node->first = (uint32_t)keywords->node_count;
	while (i < span->to) {
		unsigned char byte = (unsigned char)keywords->words[i].text[span->depth];
		uint32_t child = (uint32_t)keywords->node_count++;

		spans[child] = (struct span){ i, i, span->depth + 1, at };
		keywords->nodes[child].byte = byte;
		while (i < span->to && (unsigned char)keywords->words[i].text[span->depth] == byte)
			i++;
		spans[child].to = i;
	}
}

static uint32_t child_of(const struct keywords *keywords, uint32_t node, unsigned char byte)
{
	uint32_t end = keywords->nodes[node + 1].first;

	if (node == 0)
		return keywords->start[byte];
	for (uint32_t i = keywords->nodes[node].first; i < end; i++)
		if (keywords->nodes[i].byte == byte)
			return i;
	return NONE;
}

static uint32_t step(const struct keywords *keywords, uint32_t node, unsigned char byte)
{
	uint32_t next;

	while ((next = child_of(keywords, node, byte)) == NONE && node != 0)
		node = keywords->nodes[node].fail;
	return next;
}

static void fail_links(struct keywords *keywords, const struct span *spans)
{
	for (uint32_t i = 1; i < keywords->node_count; i++) {
		struct node *node = &keywords->nodes[i];
		uint32_t parent = spans[i].parent;
		const struct node *fail;

		node->fail =
			parent == 0 ? 0 : step(keywords, keywords->nodes[parent].fail, node->byte);
		fail = &keywords->nodes[node->fail];
		node->suffix = fail->word != 0 ? node->fail : fail->suffix;
	}
}

void keywords_build(struct keywords *keywords)
{
	size_t room = nodes_at_most(keywords);
	struct span *spans = memory_new(room * sizeof(*spans));

	if (keywords->count > 0)
		qsort(keywords->words, keywords->count, sizeof(*keywords->words), word_compare);
	keywords->nodes = memory_new(room * sizeof(*keywords->nodes));
	keywords->node_count = 1;
	spans[0].to = (uint32_t)keywords->count;
	for (uint32_t i = 0; i < keywords->node_count; i++)
		span_children(keywords, spans, i);
	keywords->nodes[keywords->node_count].first = (uint32_t)keywords->node_count;
	for (uint32_t i = keywords->nodes[0].first; i < keywords->nodes[1].first; i++)
		keywords->start[keywords->nodes[i].byte] = i;
	fail_links(keywords, spans);
	free(spans);
}

/* One text under the automaton. */
struct scan {
	const struct keywords *keywords;
	const char *text;
	size_t len;
	bool *hits;
};

static bool is_bounded(const struct scan *scan, const struct word *word, size_t end)
{
	if (word->bounded_before && ends_as_word(scan->text, end - word->len))
		return false;
	return !word->bounded_after || !begins_as_word(scan->text + end, scan->len - end);
}

static void words_take(const struct scan *scan, uint32_t first, size_t end)
{
	for (uint32_t i = first; i != 0; i = scan->keywords->words[i - 1].next) {
		const struct word *word = &scan->keywords->words[i - 1];

		if (!scan->hits[word->list] && is_bounded(scan, word, end))
			scan->hits[word->list] = true;
	}
}

void keywords_scan(const struct keywords *keywords, const char *folded, size_t len, bool *hits)
{
	const struct scan scan = { keywords, folded, len, hits };
	uint32_t node = 0;

	if (keywords->count == 0)
		return;
	for (size_t i = 0; i < len; i++) {
		uint32_t found;

		node = step(keywords, node, (unsigned char)folded[i]);
		found = keywords->nodes[node].word != 0 ? node : keywords->nodes[node].suffix;
		for (; found != 0; found = keywords->nodes[found].suffix)
			words_take(&scan, keywords->nodes[found].word, i + 1);
	}
}
