/* Any bytes as a document and as a question: both databases are given only words, and the part that
 * is shown is HTML of its text. */
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "fuzz/fuzz.h"
#include "workers/search.h"

/* Words are in quotation marks, and nothing outside of them is not ours. */
static void check_syntax(const char *text, char quote, const char *allowed)
{
	bool is_quoted = false;

	for (const char *p = text; *p != '\0'; p++) {
		if (*p == quote)
			is_quoted = !is_quoted;
		else if (!is_quoted)
			MUST(strchr(allowed, *p) != NULL);
		else
			MUST(strchr("'\"\\&|!<>*():", *p) == NULL);
	}
	MUST(!is_quoted);
}

static void check_snippet(const char *html)
{
	bool is_marked = false;

	for (const char *p = html; *p != '\0'; p++) {
		if (*p != '<')
			continue;
		MUST(text_starts(p, is_marked ? "</mark>" : "<mark>"));
		is_marked = !is_marked;
	}
	MUST(!is_marked);
	MUST(strpbrk(html, "\"'\n\r\t") == NULL);
}

static void check_words(const struct tokenizer *tokenizer, const struct search_document *document)
{
	struct search_words words;

	search_words_make(tokenizer, document, SEARCH_TSVECTOR, &words);
	for (size_t i = 0; i < words.count; i++)
		check_syntax(buf_string(&words.parts[i]), '\'', ":0123456789 ");
	search_words_clear(&words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tokenizer *tokenizer;
	struct arena *arena = arena_new(0);
	struct search_document *document = arena_alloc(arena, sizeof(*document));
	struct search_query *query = arena_alloc(arena, sizeof(*query));
	size_t first = size == 0 ? 0 : data[0] < size ? data[0] : size;
	const char *question = arena_copy(arena, data, first);
	struct buf out = { 0 };
	const char *field;
	struct error err;
	size_t position = 0;

	if (tokenizer == NULL)
		tokenizer = tokenizer_new();
	search_field_add(document, "text", arena_copy(arena, data + first, size - first));
	check_words(tokenizer, document);
	if (search_query_parse(tokenizer, question, arena, query, &position, &err) == 0) {
		search_query_write(query, SEARCH_FTS5, &out);
		check_syntax(buf_string(&out), '"', "() *ANDOR");
		buf_reset(&out);
		search_query_write(query, SEARCH_TSVECTOR, &out);
		check_syntax(buf_string(&out), '\'', "() :*<->&|");
		buf_reset(&out);
		search_snippet(tokenizer, document, query, &out, &field);
		check_snippet(buf_string(&out));
	} else {
		MUST(position > 0 && err.text[0] != '\0');
	}
	buf_clear(&out);
	arena_free(&arena);
	return 0;
}
