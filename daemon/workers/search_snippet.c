#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "workers/search.h"

enum {
	BEFORE_CHARACTERS = 40, /* in front of the first hit */
	SNIPPET_CHARACTERS = 160,
	HITS_MAX = 64,
};

struct hit {
	size_t from, to; /* bytes of the field */
};

struct hits {
	struct hit items[HITS_MAX];
	size_t count;
};

/* ---- finding ---- */

static bool ends_with(const char *text, size_t len, const char *end)
{
	size_t n = strlen(end);

	return n <= len && memcmp(text + len - n, end, n) == 0;
}

static bool word_fits(const struct tokens *tokens, size_t at, const struct search_phrase *phrase,
		      size_t index)
{
	const char *text = token_text(tokens, at);
	const char *word = phrase->words[index];

	if (phrase->is_tail)
		return tokens->items[at].kind == TOKEN_PHONE &&
		       ends_with(text, tokens->items[at].len, word);
	if (tokens->items[at].kind == TOKEN_PHONE)
		return phrase->count == 1 &&
		       (phrase->is_prefix ? text_starts(text, word) : strcmp(text, word) == 0);
	if (phrase->is_prefix && index + 1 == phrase->count)
		return text_starts(text, word);
	return strcmp(text, word) == 0;
}

static bool phrase_fits(const struct tokens *tokens, size_t at, const struct search_phrase *phrase)
{
	if (phrase->count == 0 || at + phrase->count > tokens->count)
		return false;
	for (size_t i = 0; i < phrase->count; i++)
		if (!word_fits(tokens, at + i, phrase, i))
			return false;
	return true;
}

static void mark(const struct tokens *tokens, const struct search_phrase *phrase, struct hits *hits)
{
	for (size_t at = 0; at < tokens->count && hits->count < HITS_MAX; at++)
		if (phrase_fits(tokens, at, phrase))
			hits->items[hits->count++] =
				(struct hit){ tokens->items[at].from,
					      tokens->items[at + phrase->count - 1].to };
}

static int by_from(const void *a, const void *b)
{
	const struct hit *one = a, *other = b;

	return (one->from > other->from) - (one->from < other->from);
}

static void join(struct hits *hits)
{
	size_t kept = 0;

	qsort(hits->items, hits->count, sizeof(hits->items[0]), by_from);
	for (size_t i = 0; i < hits->count; i++) {
		struct hit *last = kept == 0 ? NULL : &hits->items[kept - 1];

		if (last == NULL || hits->items[i].from > last->to)
			hits->items[kept++] = hits->items[i];
		else if (hits->items[i].to > last->to)
			last->to = hits->items[i].to;
	}
	hits->count = kept;
}

static void find(const struct tokens *tokens, const struct search_query *query, struct hits *hits)
{
	hits->count = 0;
	for (size_t i = 0; i < query->count; i++) {
		const struct search_term *term = &query->terms[i];

		for (size_t j = 0; j < term->count; j++)
			mark(tokens, &term->both[j], hits);
		mark(tokens, &term->or_tail, hits);
	}
	join(hits);
}

/* ---- writing ---- */

static size_t back(const char *text, size_t at, size_t characters)
{
	while (at > 0 && characters > 0) {
		at--;
		if (((unsigned char)text[at] & 0xc0) != 0x80)
			characters--;
	}
	return at;
}

static size_t forth(const char *text, size_t len, size_t at, size_t characters)
{
	while (at < len && characters > 0) {
		at++;
		if (at == len || ((unsigned char)text[at] & 0xc0) != 0x80)
			characters--;
	}
	return at;
}

static void write_byte(struct buf *out, char byte)
{
	static const struct {
		char byte;
		const char *text;
	} escapes[] = {
		{ '&', "&amp;" },  { '<', "&lt;" },   { '>', "&gt;" },
		{ '"', "&quot;" }, { '\'', "&#39;" },
	};

	for (size_t i = 0; i < COUNT_OF(escapes); i++) {
		if (escapes[i].byte != byte)
			continue;
		buf_text(out, escapes[i].text);
		return;
	}
	buf_byte(out, (unsigned char)byte < ' ' ? ' ' : byte);
}

static void write_part(const struct search_field *field, const struct hits *hits, struct buf *out)
{
	size_t first = hits->count == 0 ? 0 : hits->items[0].from;
	size_t from = back(field->text, first, BEFORE_CHARACTERS);
	size_t to = forth(field->text, field->len, from, SNIPPET_CHARACTERS);
	size_t hit = 0;

	buf_text(out, from > 0 ? "\u2026" : "");
	for (size_t at = from; at < to; at++) {
		if (hit < hits->count && at == hits->items[hit].from)
			buf_text(out, "<mark>");
		write_byte(out, field->text[at]);
		if (hit < hits->count && at >= hits->items[hit].from &&
		    (at + 1 == hits->items[hit].to || at + 1 == to)) {
			buf_text(out, "</mark>");
			hit++;
		}
	}
	buf_text(out, to < field->len ? "\u2026" : "");
}

void search_snippet(const struct tokenizer *tokenizer, const struct search_document *document,
		    const struct search_query *query, struct buf *out, const char **ret_field)
{
	struct tokens tokens = { 0 };
	struct hits hits = { .count = 0 };
	size_t i = 0;

	*ret_field = document->count == 0 ? NULL : document->fields[0].name;
	for (; i < document->count && hits.count == 0; i++) {
		tokens_read(tokenizer, document->fields[i].text, document->fields[i].len, &tokens);
		find(&tokens, query, &hits);
	}
	i = hits.count == 0 ? 0 : i - 1;
	if (document->count > 0) {
		*ret_field = document->fields[i].name;
		write_part(&document->fields[i], &hits, out);
	}
	tokens_clear(&tokens);
}
