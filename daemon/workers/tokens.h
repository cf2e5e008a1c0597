/* Text to the words that a search compares. Pure; both databases index what
 * comes out of here, so that they find the same.
 *
 * - Letters of scripts with spaces make words, digits make numbers; where one
 *   follows the other both are there ("iPhone15": iphone, 15). Lower case,
 *   without accents, full-width and other compatible forms as plain ones.
 * - Han, kana, Hangul and other scripts without spaces: one token a character;
 *   traditional forms, and Japanese ones that Chinese does not use, are folded
 *   to the simplified character (han_variants.txt).
 * - Numbers that only " ", "-", ".", "/", "(" or ")" part, 7 to 20 digits
 *   together, are a phone number too (TOKEN_PHONE: its digits joined), found by
 *   any of its endings of TOKEN_TAIL_DIGITS or more.
 * - Everything else parts words. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* A change of what comes out makes every index wrong that was written before: count up. */
enum { TOKENS_VERSION = 1 };
enum {
	TOKEN_BYTES_MAX = 64, /* a longer word is several */
	TOKEN_TAIL_DIGITS = 4,
};

enum token_kind { TOKEN_WORD, TOKEN_NUMBER, TOKEN_CHARACTER, TOKEN_PHONE };

struct token {
	enum token_kind kind;
	size_t at, len;  /* its bytes in texts */
	size_t from, to; /* bytes of the original that it stands for; whole characters */
};

struct tokens {
	struct token *items; /* by from; phone numbers are behind all others */
	size_t count;
	size_t room;
	struct buf texts; /* NUL after each */
};

struct tokenizer;

struct tokenizer *tokenizer_new(void);
void tokenizer_free(struct tokenizer **tokenizer);

/* Any bytes; those that are no UTF-8 part words. Replaces what ret held. */
void tokens_read(const struct tokenizer *tokenizer, const char *text, size_t len,
		 struct tokens *ret);
void tokens_clear(struct tokens *tokens);
const char *token_text(const struct tokens *tokens, size_t index); /* valid until the next read */
