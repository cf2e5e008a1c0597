#include "workers/tokens.h"

#include <stdlib.h>
#include <string.h>

#include "base/embedded.h"
#include "base/memory.h"
#include "base/text.h"

enum {
	VARIANTS_MAX = 8192,
	PHONE_DIGITS_MIN = 7,
	PHONE_DIGITS_MAX = 20,
	PHONE_GAP_MAX = 2,
};

struct variant {
	uint32_t from;
	uint32_t to;
};

struct tokenizer {
	struct variant *variants; /* by from */
	size_t count;
};

/* ---- Han variants ---- */

static int by_from(const void *a, const void *b)
{
	const struct variant *one = a, *other = b;

	return (one->from > other->from) - (one->from < other->from);
}

/* Each line: the form that is compared, then those that are folded to it. */
struct tokenizer *tokenizer_new(void)
{
	struct tokenizer *tokenizer = memory_new(sizeof(*tokenizer));
	const char *text = (const char *)embedded_han_variants;
	size_t len = embedded_han_variants_len, n;
	uint32_t form = 0, codepoint;

	tokenizer->variants = memory_new(VARIANTS_MAX * sizeof(*tokenizer->variants));
	for (size_t at = 0; at < len && tokenizer->count < VARIANTS_MAX; at += n) {
		n = text_character(text + at, len - at, &codepoint);
		if (n == 0)
			break;
		if (codepoint == '\n')
			form = 0;
		else if (form == 0)
			form = codepoint;
		else
			tokenizer->variants[tokenizer->count++] =
				(struct variant){ codepoint, form };
	}
	qsort(tokenizer->variants, tokenizer->count, sizeof(*tokenizer->variants), by_from);
	return tokenizer;
}

void tokenizer_free(struct tokenizer **tokenizer)
{
	if (*tokenizer == NULL)
		return;
	free((*tokenizer)->variants);
	free(*tokenizer);
	*tokenizer = NULL;
}

static uint32_t simplify(const struct tokenizer *tokenizer, uint32_t codepoint)
{
	const struct variant key = { codepoint, 0 }, *found;

	if (codepoint < 0x3400)
		return codepoint;
	found = bsearch(&key, tokenizer->variants, tokenizer->count, sizeof(key), by_from);
	return found == NULL ? codepoint : found->to;
}

/* ---- the scan ---- */

struct scan {
	const struct tokenizer *tokenizer;
	struct tokens *out;
	bool is_open; /* the last token may grow */
};

static struct token *token_add(struct scan *scan, enum token_kind kind, size_t from)
{
	struct tokens *out = scan->out;

	if (out->count == out->room) {
		out->room = out->room == 0 ? 64 : out->room * 2;
		out->items = memory_grow(out->items, out->room, sizeof(*out->items));
	}
	out->items[out->count] =
		(struct token){ .kind = kind, .at = out->texts.len, .from = from, .to = from };
	return &out->items[out->count++];
}

static struct token *last_of(struct scan *scan)
{
	return &scan->out->items[scan->out->count - 1];
}

static void token_end(struct scan *scan)
{
	if (scan->is_open)
		buf_byte(&scan->out->texts, '\0');
	scan->is_open = false;
}

static void token_grow(struct scan *scan, uint32_t codepoint, size_t to)
{
	struct token *token = last_of(scan);
	char bytes[4];
	size_t n = text_encode(codepoint, bytes);

	buf_add(&scan->out->texts, bytes, n);
	token->len += n;
	token->to = to;
}

static enum token_kind kind_of(enum text_class class)
{
	return class == TEXT_CHARACTER ? TOKEN_CHARACTER
	       : class == TEXT_DIGIT   ? TOKEN_NUMBER
				       : TOKEN_WORD;
}

static void letter_add(struct scan *scan, const struct text_letter *letter, size_t from, size_t to)
{
	enum token_kind kind = kind_of(letter->kind);

	if (letter->kind == TEXT_OTHER) {
		token_end(scan);
		return;
	}
	if (letter->kind == TEXT_IGNORED) {
		if (scan->is_open)
			last_of(scan)->to = to;
		return;
	}
	if (!scan->is_open || kind == TOKEN_CHARACTER || last_of(scan)->kind != kind ||
	    last_of(scan)->len + 4 > TOKEN_BYTES_MAX) {
		token_end(scan);
		token_add(scan, kind, from);
		scan->is_open = true;
	}
	token_grow(scan, simplify(scan->tokenizer, letter->codepoint), to);
}

/* The voicing mark after a kana that is typed or encoded apart from it. */
static size_t voiced_by(const char *text, size_t len, struct text_letter *letter)
{
	uint32_t mark;
	size_t n = text_character(text, len, &mark);
	uint32_t voiced = n == 0 ? 0 : text_voiced(letter->codepoint, mark);

	if (voiced == 0)
		return 0;
	letter->codepoint = voiced;
	return n;
}

static void scan_text(struct scan *scan, const char *text, size_t len)
{
	struct text_letter letters[TEXT_LETTERS_MAX];
	uint32_t codepoint;

	for (size_t at = 0, n; at < len; at += n) {
		size_t count;

		n = text_character(text + at, len - at, &codepoint);
		if (n == 0) {
			token_end(scan);
			n = text_broken(text + at, len - at);
			continue;
		}
		count = text_letters(codepoint, letters);
		if (letters[0].kind == TEXT_CHARACTER && count == 1)
			n += voiced_by(text + at + n, len - at - n, &letters[0]);
		for (size_t i = 0; i < count; i++)
			letter_add(scan, &letters[i], at, at + n);
	}
	token_end(scan);
}

/* ---- phone numbers ---- */

static bool is_gap(const char *text, size_t from, size_t to)
{
	if (to < from || to - from > PHONE_GAP_MAX)
		return false;
	for (size_t i = from; i < to; i++)
		if (strchr(" -./()", text[i]) == NULL || text[i] == '\0')
			return false;
	return true;
}

/* One past the last number of the run that begins at first; *ret_digits of them all. */
static size_t run_end(const struct tokens *tokens, const char *text, size_t first,
		      size_t *ret_digits)
{
	const struct token *items = tokens->items;
	size_t digits = items[first].len, i = first + 1;

	while (i < tokens->count && items[i].kind == TOKEN_NUMBER &&
	       digits + items[i].len <= PHONE_DIGITS_MAX &&
	       is_gap(text, items[i - 1].to, items[i].from))
		digits += items[i++].len;
	*ret_digits = digits;
	return i;
}

static void phone_add(struct scan *scan, size_t first, size_t end)
{
	struct tokens *out = scan->out;
	struct token *phone = token_add(scan, TOKEN_PHONE, out->items[first].from);

	buf_reserve(&out->texts, PHONE_DIGITS_MAX);
	for (size_t i = first; i < end; i++)
		buf_add(&out->texts, out->texts.data + out->items[i].at, out->items[i].len);
	buf_byte(&out->texts, '\0');
	phone->len = out->texts.len - 1 - phone->at;
	phone->to = out->items[end - 1].to;
}

static void phones_add(struct scan *scan, const char *text)
{
	size_t numbers = scan->out->count, digits, end;

	for (size_t i = 0; i < numbers; i = end) {
		end = i + 1;
		if (scan->out->items[i].kind != TOKEN_NUMBER)
			continue;
		end = run_end(scan->out, text, i, &digits);
		if (digits >= PHONE_DIGITS_MIN && digits <= PHONE_DIGITS_MAX)
			phone_add(scan, i, end);
	}
}

void tokens_read(const struct tokenizer *tokenizer, const char *text, size_t len,
		 struct tokens *ret)
{
	struct scan scan = { .tokenizer = tokenizer, .out = ret };

	ret->count = 0;
	buf_reset(&ret->texts);
	scan_text(&scan, text, len);
	phones_add(&scan, text);
}

void tokens_clear(struct tokens *tokens)
{
	free(tokens->items);
	buf_clear(&tokens->texts);
	*tokens = (struct tokens){ 0 };
}

const char *token_text(const struct tokens *tokens, size_t index)
{
	return tokens->texts.data + tokens->items[index].at;
}
