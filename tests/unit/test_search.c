/* Documents to words, questions to phrases, and what is shown of a document. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "workers/search.h"

static const struct {
	const char *question;
	const char *fts5;
	const char *tsquery;
} questions[] = {
	{ "refund", "(((\"refund\" *)))", "((('refund':*)))" },
	{ "Refund order ", "(((\"refund\"))) AND (((\"order\")))",
	  "((('refund'))) & ((('order')))" },
	{ "a", "(((\"a\")))", "((('a')))" },
	{ "\"my order\"", "(((\"my order\")))", "((('my' <-> 'order')))" },
	{ "\u201cmy order\u201d", "(((\"my order\")))", "((('my' <-> 'order')))" },
	{ "\u6b3e", "(((\"\u6b3e\")))", "((('\u6b3e')))" },
	{ "\u9000\u6b3e \u8b1d", "(((\"\u9000 \u6b3e\"))) AND (((\"\u8c22\")))",
	  "((('\u9000' <-> '\u6b3e'))) & ((('\u8c22')))" },
	{ "\u9000\uff0c\u6b3e", "(((\"\u9000\"))) AND (((\"\u6b3e\")))",
	  "((('\u9000'))) & ((('\u6b3e')))" },
	{ "\u4e70iPhone15", "(((\"\u4e70\"))) AND (((\"iphone 15\" *)))",
	  "((('\u4e70'))) & ((('iphone' <-> '15':*)))" },
	{ "a.b@c.de", "(((\"a b c de\" *)))", "((('a' <-> 'b' <-> 'c' <-> 'de':*)))" },
	{ "8000", "(((\"8000\" *)) OR (\"\ue0010008\" *))", "((('8000':*)) | ('\ue0010008':*))" },
	{ "138-0013 8000 x",
	  "(((\"138\") AND (\"0013\") AND (\"8000\")) OR (\"\ue00100083100831\" *)) AND "
	  "(((\"x\")))",
	  "((('138') & ('0013') & ('8000')) | ('\ue00100083100831':*)) & ((('x')))" },
	{ "\"8000\"", "(((\"8000\")))", "((('8000')))" },
	/* what is syntax elsewhere is nothing here */
	{ "a OR b* NOT (c) ^d:e ", NULL,
	  "((('a'))) & ((('or'))) & ((('b'))) & ((('not'))) & "
	  "((('c'))) & ((('d' <-> 'e')))" },
	{ "'; DROP TABLE search;-- & | ! <-> :* \\ ", NULL,
	  "((('drop'))) & ((('table'))) & ((('search')))" },
	{ "words:x {a} +b NEAR/2 ", NULL,
	  "((('words' <-> 'x'))) & ((('a'))) & ((('b'))) & ((('near' <-> '2')))" },
};

Test(search, question_is_words_and_phrases)
{
	OWNED(tokenizer_free) struct tokenizer *tokenizer = tokenizer_new();

	for (size_t i = 0; i < COUNT_OF(questions); i++) {
		OWNED(arena_free) struct arena *arena = arena_new(0);
		struct search_query query;
		struct buf out = { 0 };
		struct error err;
		size_t position;

		cr_assert_eq(search_query_parse(tokenizer, questions[i].question, arena, &query,
						&position, &err),
			     0, "row %zu: %s", i, err.text);
		search_query_write(&query, SEARCH_TSVECTOR, &out);
		cr_expect_str_eq(buf_string(&out), questions[i].tsquery, "row %zu: %s", i,
				 buf_string(&out));
		buf_reset(&out);
		search_query_write(&query, SEARCH_FTS5, &out);
		if (questions[i].fts5 != NULL)
			cr_expect_str_eq(buf_string(&out), questions[i].fts5, "row %zu: %s", i,
					 buf_string(&out));
		buf_clear(&out);
	}
}

Test(search, bad_question_is_refused_with_its_place)
{
	static const struct {
		const char *question;
		size_t position;
		const char *why;
	} bad[] = {
		{ "", 1, "no letter, digit or character to search for" },
		{ " ...!", 1, "no letter, digit or character to search for" },
		{ "\u9000\u6b3e \"open", 4, "a quotation mark that nothing closes" },
		{ "a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g", 65,
		  "more than 32 words" },
	};
	OWNED(tokenizer_free) struct tokenizer *tokenizer = tokenizer_new();
	OWNED(arena_free) struct arena *arena = arena_new(0);
	struct search_query query;
	char text[SEARCH_QUERY_CHARACTERS + 2];
	struct error err;
	size_t position;

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		cr_assert_eq(search_query_parse(tokenizer, bad[i].question, arena, &query,
						&position, &err),
			     -1, "row %zu", i);
		cr_expect_eq(position, bad[i].position, "row %zu: %zu", i, position);
		cr_expect_str_eq(err.text, bad[i].why);
	}
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	cr_assert_eq(search_query_parse(tokenizer, text, arena, &query, &position, &err), -1);
	cr_expect_eq(position, SEARCH_QUERY_CHARACTERS + 1);
}

static char *snippet_of(const char *field, const char *text, const char *question)
{
	OWNED(tokenizer_free) struct tokenizer *tokenizer = tokenizer_new();
	OWNED(arena_free) struct arena *arena = arena_new(0);
	struct search_document *document = arena_alloc(arena, sizeof(*document));
	struct search_query query;
	struct buf out = { 0 };
	const char *found;
	struct error err;
	size_t position;

	search_field_add(document, "first", "nothing");
	search_field_add(document, field, text);
	cr_assert_eq(search_query_parse(tokenizer, question, arena, &query, &position, &err), 0);
	search_snippet(tokenizer, document, &query, &out, &found);
	cr_expect_str_eq(found, field, "%s", question);
	cr_assert(text_is_utf8(out.data, out.len));
	return out.data;
}

Test(search, snippet_marks_what_was_found)
{
	static const struct {
		const char *text, *question, *snippet;
	} rows[] = {
		{ "I want a REFUND.", "refu", "I want a <mark>REFUND</mark>." },
		{ "\u6211\u8981\u9000\u6b3e\uff0c\u8b1d\u8b1d", "\u8c22\u8c22 \u9000\u6b3e",
		  "\u6211\u8981<mark>\u9000\u6b3e</mark>\uff0c<mark>\u8b1d\u8b1d</mark>" },
		{ "caf\u00e9 \uff23\uff21\uff26\uff25!", "cafe ",
		  "<mark>caf\u00e9</mark> <mark>\uff23\uff21\uff26\uff25</mark>!" },
		{ "call +86 138-0013-8000 now", "8000", "call +<mark>86 138-0013-8000</mark> now" },
		{ "<b>bold</b> & \"x\"\n'y'", "bold",
		  "&lt;b&gt;<mark>bold</mark>&lt;/b&gt; &amp; &quot;x&quot; &#39;y&#39;" },
		{ "\u54c8\u54c8\u54c8\u54c8", "\u54c8\u54c8",
		  "<mark>\u54c8\u54c8\u54c8\u54c8</mark>" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *snippet = snippet_of("text", rows[i].text, rows[i].question);

		cr_expect_str_eq(snippet, rows[i].snippet, "row %zu: %s", i, snippet);
		free(snippet);
	}
}

Test(search, snippet_of_a_long_text_is_the_part_around_what_was_found)
{
	struct buf text = { 0 };
	char *snippet;

	for (int i = 0; i < 500; i++)
		buf_text(&text, "\u524d");
	buf_text(&text, "\u9000\u6b3e");
	for (int i = 0; i < 500; i++)
		buf_text(&text, "\u540e");
	snippet = snippet_of("text", text.data, "\u9000\u6b3e");
	cr_expect(text_starts(snippet, "\u2026\u524d"));
	cr_expect_not_null(strstr(snippet, "\u524d<mark>\u9000\u6b3e</mark>\u540e"));
	cr_expect_eq(text_characters(snippet, strlen(snippet)), 160 + 2 + strlen("<mark></mark>"));
	free(snippet);
	buf_clear(&text);
}

Test(search, long_document_is_several_parts_that_overlap)
{
	OWNED(tokenizer_free) struct tokenizer *tokenizer = tokenizer_new();
	OWNED(arena_free) struct arena *arena = arena_new(0);
	struct search_document *document = arena_alloc(arena, sizeof(*document));
	struct search_words words;
	struct buf text = { 0 };
	size_t spaces = 0;

	for (int i = 0; i < 1000; i++)
		buf_text(&text, "\u54c8");
	search_field_add(document, "text", text.data);
	search_words_make(tokenizer, document, SEARCH_FTS5, &words);
	cr_assert_gt(words.count, 3);
	for (const char *p = buf_string(&words.parts[0]); *p != '\0'; p++)
		spaces += *p == ' ';
	cr_expect_eq(spaces + 1, 250, "places of a word that a tsvector keeps");
	search_words_clear(&words);
	buf_clear(&text);
}
