/* What people type, to phrases. Anything is a question but an open quotation mark and nothing. */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "workers/search.h"
#include "workers/search_marks.h"

enum { PREFIX_CHARACTERS = 2 };

struct parse {
	const char *text;
	size_t len;
	struct arena *arena;
	struct tokens tokens;
	size_t count;            /* of them, without the phone numbers, which are behind */
	const bool *is_quoted;   /* of each byte */
	const size_t *quotation; /* of each byte: number of its quotation */
	struct search_query *query;
};

/* ---- quotation marks ---- */

static size_t quote_at(const char *text, size_t len)
{
	static const char *const marks[] = { "\"", "\u201c", "\u201d", "\uff02" };

	for (size_t i = 0; i < COUNT_OF(marks); i++) {
		size_t n = strlen(marks[i]);

		if (n <= len && memcmp(text, marks[i], n) == 0)
			return n;
	}
	return 0;
}

/* Fills what is known of each byte; where a mark stays open its position is returned, else len. */
static size_t find_quotations(struct parse *parse)
{
	bool *is_quoted = arena_alloc(parse->arena, parse->len + 1);
	size_t *quotation = arena_alloc(parse->arena, (parse->len + 1) * sizeof(*quotation));
	size_t marks = 0, opened = parse->len;

	for (size_t at = 0; at < parse->len;) {
		size_t n = quote_at(parse->text + at, parse->len - at);

		if (n > 0) {
			marks++;
			opened = marks % 2 == 1 ? at : parse->len;
		}
		for (n = n == 0 ? 1 : n; n > 0; n--, at++) {
			is_quoted[at] = marks % 2 == 1;
			quotation[at] = marks;
		}
	}
	parse->is_quoted = is_quoted;
	parse->quotation = quotation;
	return opened;
}

/* ---- groups of tokens ---- */

static const struct token *token_of(const struct parse *parse, size_t index)
{
	return &parse->tokens.items[index];
}

static bool is_space(uint32_t codepoint)
{
	return codepoint <= ' ' || codepoint == 0x85 || codepoint == 0xa0 ||
	       (codepoint >= 0x2000 && codepoint <= 0x200b) || codepoint == 0x2028 ||
	       codepoint == 0x2029 || codepoint == 0x202f || codepoint == 0x205f ||
	       codepoint == 0x3000;
}

static bool has_space(const char *text, size_t from, size_t to)
{
	uint32_t codepoint;

	for (size_t n; from < to; from += n) {
		n = text_character(text + from, to - from, &codepoint);
		if (n == 0 || is_space(codepoint))
			return true;
	}
	return false;
}

/* Does the token go on the phrase of the one before it? */
static bool is_joined(const struct parse *parse, size_t index)
{
	const struct token *before = token_of(parse, index - 1);
	const struct token *token = token_of(parse, index);
	bool is_character = token->kind == TOKEN_CHARACTER;

	if (parse->quotation[before->from] != parse->quotation[token->from])
		return false;
	if (parse->is_quoted[token->from])
		return true;
	if (is_character != (before->kind == TOKEN_CHARACTER))
		return false;
	if (is_character)
		return before->to >= token->from;
	return !has_space(parse->text, before->to, token->from);
}

static size_t group_end(const struct parse *parse, size_t first)
{
	size_t end = first + 1;

	while (end < parse->count && is_joined(parse, end))
		end++;
	return end;
}

/* The phone number that begins with a bare token and ends with a group; NULL. */
static const struct token *phone_at(const struct parse *parse, size_t first, size_t *ret_end)
{
	for (size_t i = parse->count; i < parse->tokens.count; i++) {
		const struct token *phone = token_of(parse, i);
		size_t end = first;

		if (phone->from != token_of(parse, first)->from || parse->is_quoted[phone->from])
			continue;
		while (end < parse->count && token_of(parse, end)->from < phone->to)
			end++;
		if (end < parse->count && is_joined(parse, end))
			return NULL;
		*ret_end = end;
		return phone;
	}
	return NULL;
}

/* ---- phrases ---- */

static const char *copy(const struct parse *parse, size_t index)
{
	return arena_text(parse->arena, token_text(&parse->tokens, index));
}

static bool may_go_on(const struct parse *parse, size_t index)
{
	const struct token *token = token_of(parse, index);

	return token->kind != TOKEN_CHARACTER && token->to == parse->len &&
	       text_characters(token_text(&parse->tokens, index), token->len) >= PREFIX_CHARACTERS;
}

static struct search_phrase phrase_make(const struct parse *parse, size_t first, size_t end)
{
	struct search_phrase phrase = { .count = end - first };

	phrase.words = arena_alloc(parse->arena, phrase.count * sizeof(*phrase.words));
	for (size_t i = first; i < end; i++)
		phrase.words[i - first] = copy(parse, i);
	phrase.is_prefix = may_go_on(parse, end - 1);
	return phrase;
}

static struct search_phrase tail_make(const struct parse *parse, const struct token *digits)
{
	struct search_phrase phrase = { .count = 1, .is_tail = true };

	phrase.words = arena_alloc(parse->arena, sizeof(*phrase.words));
	phrase.words[0] = copy(parse, (size_t)(digits - parse->tokens.items));
	return phrase;
}

/* A phone number may be written with gaps here and without there. */
static void term_fill_phone(struct parse *parse, struct search_term *term, size_t first, size_t end,
			    const struct token *phone)
{
	term->both = arena_alloc(parse->arena, (end - first) * sizeof(*term->both));
	for (size_t i = first; i < end; i++)
		term->both[term->count++] = phrase_make(parse, i, i + 1);
	term->or_tail = tail_make(parse, phone);
}

static void term_fill(struct parse *parse, struct search_term *term, size_t first, size_t end)
{
	const struct token *token = token_of(parse, first);

	term->both = arena_alloc(parse->arena, sizeof(*term->both));
	term->both[0] = phrase_make(parse, first, end);
	term->count = 1;
	if (end == first + 1 && token->kind == TOKEN_NUMBER && token->len >= TOKEN_TAIL_DIGITS &&
	    !parse->is_quoted[token->from])
		term->or_tail = tail_make(parse, token);
}

static int refuse(const struct parse *parse, size_t at, size_t *ret_position)
{
	*ret_position = text_characters(parse->text, at) + 1;
	return -1;
}

static int fill(struct parse *parse, size_t *ret_position, struct error *err)
{
	struct search_query *query = parse->query;
	size_t end;

	for (size_t first = 0; first < parse->count; first = end) {
		const struct token *phone = phone_at(parse, first, &end);
		struct search_term *term = &query->terms[query->count];

		if (query->count == SEARCH_TERMS_MAX) {
			error_set(err, ERROR_MISUSE, "more than %d words", SEARCH_TERMS_MAX);
			return refuse(parse, token_of(parse, first)->from, ret_position);
		}
		query->count++;
		*term = (struct search_term){ 0 };
		if (phone == NULL)
			term_fill(parse, term, first, end = group_end(parse, first));
		else
			term_fill_phone(parse, term, first, end, phone);
	}
	if (query->count > 0)
		return 0;
	error_set(err, ERROR_MISUSE, "no letter, digit or character to search for");
	return refuse(parse, 0, ret_position);
}

static int judge(struct parse *parse, size_t *ret_position, struct error *err)
{
	size_t opened;

	if (text_characters(parse->text, parse->len) > SEARCH_QUERY_CHARACTERS) {
		error_set(err, ERROR_MISUSE, "more than %d characters", SEARCH_QUERY_CHARACTERS);
		*ret_position = SEARCH_QUERY_CHARACTERS + 1;
		return -1;
	}
	opened = find_quotations(parse);
	if (opened == parse->len)
		return 0;
	error_set(err, ERROR_MISUSE, "a quotation mark that nothing closes");
	return refuse(parse, opened, ret_position);
}

int search_query_parse(const struct tokenizer *tokenizer, const char *text, struct arena *arena,
		       struct search_query *ret, size_t *ret_position, struct error *err)
{
	struct parse parse = { .text = text, .len = strlen(text), .arena = arena, .query = ret };
	int rc = judge(&parse, ret_position, err);

	ret->count = 0;
	if (rc < 0)
		return -1;
	tokens_read(tokenizer, text, parse.len, &parse.tokens);
	while (parse.count < parse.tokens.count &&
	       parse.tokens.items[parse.count].kind != TOKEN_PHONE)
		parse.count++;
	rc = fill(&parse, ret_position, err);
	tokens_clear(&parse.tokens);
	return rc;
}

/* ---- as the databases take it ---- */

static void write_fts5(const struct search_phrase *phrase, struct buf *out)
{
	buf_byte(out, '"');
	for (size_t i = 0; i < phrase->count; i++) {
		if (i > 0)
			buf_byte(out, ' ');
		if (phrase->is_tail)
			search_tail_write(out, phrase->words[i], strlen(phrase->words[i]));
		else
			buf_text(out, phrase->words[i]);
	}
	buf_text(out, phrase->is_prefix || phrase->is_tail ? "\" *" : "\"");
}

static void write_tsquery(const struct search_phrase *phrase, struct buf *out)
{
	for (size_t i = 0; i < phrase->count; i++) {
		buf_text(out, i > 0 ? " <-> '" : "'");
		if (phrase->is_tail)
			search_tail_write(out, phrase->words[i], strlen(phrase->words[i]));
		else
			buf_text(out, phrase->words[i]);
		buf_byte(out, '\'');
	}
	if (phrase->is_prefix || phrase->is_tail)
		buf_text(out, ":*");
}

static void write_phrase(const struct search_phrase *phrase, enum search_dialect dialect,
			 struct buf *out)
{
	buf_byte(out, '(');
	if (dialect == SEARCH_FTS5)
		write_fts5(phrase, out);
	else
		write_tsquery(phrase, out);
	buf_byte(out, ')');
}

void search_query_write(const struct search_query *query, enum search_dialect dialect,
			struct buf *out)
{
	const char *and = dialect == SEARCH_FTS5 ? " AND " : " & ";
	const char * or = dialect == SEARCH_FTS5 ? " OR " : " | ";

	for (size_t i = 0; i < query->count; i++) {
		const struct search_term *term = &query->terms[i];

		buf_text(out, i > 0 ? and : "");
		buf_text(out, "((");
		for (size_t j = 0; j < term->count; j++) {
			buf_text(out, j > 0 ? and : "");
			write_phrase(&term->both[j], dialect, out);
		}
		buf_byte(out, ')');
		if (term->or_tail.count > 0) {
			buf_text(out, or);
			write_phrase(&term->or_tail, dialect, out);
		}
		buf_byte(out, ')');
	}
}
