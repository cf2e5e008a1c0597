#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "workers/search.h"
#include "workers/search_marks.h"

enum {
	PART_WORDS = 8000,  /* a tsvector counts to 16383 and holds 1 MiB */
	PART_REPEATS = 250, /* and 256 places of a word */
	SMALL_WORDS = PART_REPEATS,
};

struct word {
	size_t at, len; /* in texts */
};

/* The document as one row of words. */
struct row {
	struct word *words;
	size_t count;
	size_t room;
	struct buf texts;
};

void search_field_add(struct search_document *document, const char *name, const char *text)
{
	if (text == NULL || *text == '\0' || document->count == SEARCH_FIELDS_MAX)
		return;
	document->fields[document->count++] =
		(struct search_field){ .name = name, .text = text, .len = strlen(text) };
}

/* ---- the row ---- */

static void row_add(struct row *row, const char *text, size_t len)
{
	if (row->count == row->room) {
		row->room = row->room == 0 ? 64 : row->room * 2;
		row->words = memory_grow(row->words, row->room, sizeof(*row->words));
	}
	row->words[row->count++] = (struct word){ row->texts.len, len };
	buf_add(&row->texts, text, len);
	buf_byte(&row->texts, '\0');
}

void search_tail_write(struct buf *out, const char *digits, size_t len)
{
	buf_text(out, SEARCH_TAIL);
	while (len > 0)
		buf_byte(out, digits[--len]);
}

/* A phone number in one, and backwards: an index finds beginnings only. */
static void row_add_phone(struct row *row, const char *digits, size_t len)
{
	struct buf tail = { 0 };

	search_tail_write(&tail, digits, len);
	row_add(row, SEARCH_EDGE, strlen(SEARCH_EDGE));
	row_add(row, digits, len);
	row_add(row, tail.data, tail.len);
	buf_clear(&tail);
}

static void row_fill(struct row *row, const struct tokenizer *tokenizer,
		     const struct search_document *document)
{
	struct tokens tokens = { 0 };

	for (size_t i = 0; i < document->count; i++) {
		const struct search_field *field = &document->fields[i];

		if (i > 0)
			row_add(row, SEARCH_EDGE, strlen(SEARCH_EDGE));
		tokens_read(tokenizer, field->text, field->len, &tokens);
		for (size_t j = 0; j < tokens.count; j++) {
			const char *text = token_text(&tokens, j);

			if (tokens.items[j].kind == TOKEN_PHONE)
				row_add_phone(row, text, tokens.items[j].len);
			else
				row_add(row, text, tokens.items[j].len);
		}
	}
	tokens_clear(&tokens);
}

/* ---- its parts ---- */

/* One past the last word of the part that begins at first. */
static size_t part_end(const struct row *row, size_t first)
{
	struct map *seen;
	size_t end = first;

	if (row->count - first <= SMALL_WORDS)
		return row->count;
	seen = map_new();
	for (; end < row->count && end - first < PART_WORDS; end++) {
		const char *word = row->texts.data + row->words[end].at;
		uintptr_t times = (uintptr_t)map_get(seen, word);

		if (times == PART_REPEATS)
			break;
		map_put(seen, word, (void *)(times + 1));
	}
	map_free(&seen);
	return end;
}

static void part_write(const struct row *row, size_t first, size_t end, enum search_dialect dialect,
		       struct buf *out)
{
	for (size_t i = first; i < end; i++) {
		const char *word = row->texts.data + row->words[i].at;

		if (i > first)
			buf_byte(out, ' ');
		if (dialect == SEARCH_FTS5)
			buf_add(out, word, row->words[i].len);
		else
			buf_format(out, "'%s':%zu", word, i - first + 1);
	}
}

void search_words_make(const struct tokenizer *tokenizer, const struct search_document *document,
		       enum search_dialect dialect, struct search_words *ret)
{
	struct row row = { 0 };
	size_t first = 0, end;

	*ret = (struct search_words){ 0 };
	row_fill(&row, tokenizer, document);
	for (; first < row.count; first = end == row.count ? end : end - SEARCH_PHRASE_MAX) {
		struct buf *part;

		end = part_end(&row, first);
		ret->parts = memory_grow(ret->parts, ret->count + 1, sizeof(*ret->parts));
		part = &ret->parts[ret->count++];
		*part = (struct buf){ 0 };
		part_write(&row, first, end, dialect, part);
	}
	free(row.words);
	buf_clear(&row.texts);
}

void search_words_clear(struct search_words *words)
{
	for (size_t i = 0; i < words->count; i++)
		buf_clear(&words->parts[i]);
	free(words->parts);
	*words = (struct search_words){ 0 };
}
