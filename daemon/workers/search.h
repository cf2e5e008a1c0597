/* Search: documents to words, a question to phrases, and the part of a document
 * to show. Pure; history_search.c asks the database. Used by the history worker
 * only. Both databases are given the same words at the same positions. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "workers/tokens.h"

struct json_object;

enum search_dialect { SEARCH_FTS5, SEARCH_TSVECTOR };

/* ---- documents ---- */
enum { SEARCH_FIELDS_MAX = 128 };

struct search_field {
	const char *name; /* as the API says where it was found */
	const char *text;
	size_t len;
};
struct search_document {
	struct search_field fields[SEARCH_FIELDS_MAX];
	size_t count;
};
/* Borrows both; NULL or "" is left out, and so is what has no room. */
void search_field_add(struct search_document *document, const char *name, const char *text);

/* The document of a row as the history has it: JSON of a message or of a note; the hash of a
 * customer or of a work item. type: message, note, customer, work_item. Borrows from the row and
 * the arena. */
void search_document_read(const char *type, struct json_object *row, struct arena *arena,
			  struct search_document *ret);

/* What the database indexes. A phrase never reaches over the end of a field. A long document is
 * several parts, because a tsvector holds 256 places of a word; they overlap by the longest
 * phrase. Words of a question must be in one part. */
struct search_words {
	struct buf *parts;
	size_t count;
};
void search_words_make(const struct tokenizer *tokenizer, const struct search_document *document,
		       enum search_dialect dialect, struct search_words *ret);
void search_words_clear(struct search_words *words);

/* ---- questions ---- */
enum {
	SEARCH_QUERY_CHARACTERS = 200,
	SEARCH_TERMS_MAX = 32,
	SEARCH_PHRASE_MAX = 200, /* words; a question has no more characters */
};

struct search_phrase {
	const char **words; /* one after the other */
	size_t count;
	bool is_prefix; /* the last one may go on */
	bool is_tail;   /* one word, digits: how a phone number ends */
};
/* One of the choices must be there: all phrases of `both`, or `or_tail`. */
struct search_term {
	struct search_phrase *both;
	size_t count;
	struct search_phrase or_tail; /* count 0: there is none */
};
struct search_query {
	struct search_term terms[SEARCH_TERMS_MAX]; /* all of them must be there */
	size_t count;
};

/* -1 with err and the character (from 1) where what is wrong begins. */
int search_query_parse(const struct tokenizer *tokenizer, const char *text, struct arena *arena,
		       struct search_query *ret, size_t *ret_position, struct error *err);
/* As the database takes it. Only words of the tokenizer are in it. */
void search_query_write(const struct search_query *query, enum search_dialect dialect,
			struct buf *out);

/* ---- what is shown ---- */
/* HTML of one line: text is escaped, and what was found is in <mark>. *ret_field: the field it is
 * from; NULL where the document is empty. */
void search_snippet(const struct tokenizer *tokenizer, const struct search_document *document,
		    const struct search_query *query, struct buf *out, const char **ret_field);
