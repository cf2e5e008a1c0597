/* Bytes and text: UTF-8, NFC, encodings, comparison. Lengths are bytes unless
 * the name says characters. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

bool text_is_utf8(const char *bytes, size_t len);
size_t text_characters(const char *utf8, size_t len);
/* Largest prefix of at most max bytes that does not split a character. */
size_t text_prefix(const char *utf8, size_t len, size_t max);
/* Bytes of the UTF-8 character at p (1-4), 0 if invalid. */
size_t text_character(const char *p, size_t len, uint32_t *ret_codepoint);
/* Where text_character() says 0: the bytes (1-3) that one U+FFFD stands for. */
size_t text_broken(const char *p, size_t len);
size_t text_ascii(const char *bytes, size_t len); /* bytes before the first one above 7F */

/* Untrusted text to what we store: invalid bytes become U+FFFD, NUL, C0
 * controls other than \n \t and DEL are dropped, CRLF and CR become LF, NFC, at most
 * max bytes. Never NULL. */
/* Bytes of the first character as a reader sees it (an emoji of several code
 * points is one); 0 at the end. text is UTF-8. */
size_t text_grapheme(const char *text);
char *text_clean(struct arena *arena, const char *bytes, size_t len, size_t max);
/* As text_clean, for one line: line ends and runs of space become one space,
 * bidi overrides and zero-width characters are dropped, ends are trimmed. */
char *text_clean_line(struct arena *arena, const char *bytes, size_t len, size_t max);

bool text_equal(const char *a, const char *b); /* NULL equals NULL only */
bool text_starts(const char *text, const char *prefix);
/* Is word one of the words of list, which separator parts? NULL list: no. */
bool text_has_word(const char *list, char separator, const char *word);
bool text_equal_nocase(const char *a, const char *b);    /* ASCII */
char *text_lower(struct arena *arena, const char *text); /* ASCII */
/* A domain name as it is compared: lower case, labels beyond ASCII as xn-- (IDNA 2008, TR46), no
 * dot at its end. What is no domain name only gets lower case (ASCII). */
char *text_domain(struct arena *arena, const char *domain);

/* Case-folded and in NFC, for comparing what people write; bytes that are no UTF-8 stay as they
 * are. NUL-terminated; *ret_len bytes. */
char *text_fold(struct arena *arena, const char *utf8, size_t len, size_t *ret_len);

/* What one character is to a search: how it compares, and what it is part of. */
enum text_class {
	TEXT_OTHER,     /* space, punctuation, symbols: parts words */
	TEXT_IGNORED,   /* accents, zero-width characters: part of the word, not compared */
	TEXT_LETTER,    /* of a script that puts space between words */
	TEXT_DIGIT,     /* 0 to 9 */
	TEXT_CHARACTER, /* stands for itself: Han, kana, Hangul, and scripts without spaces */
};
enum { TEXT_LETTERS_MAX = 18 }; /* what one character may stand for */
struct text_letter {
	uint32_t codepoint;
	enum text_class kind;
};
/* The folded letters that a character stands for: lower case without accents, full-width and other
 * compatible forms as plain ones. Their number, 1 or more. */
size_t text_letters(uint32_t codepoint, struct text_letter ret[TEXT_LETTERS_MAX]);
/* A kana with the voicing mark after it, as one; 0 where they are no pair. */
uint32_t text_voiced(uint32_t kana, uint32_t mark);
size_t text_encode(uint32_t codepoint, char out[4]); /* bytes of UTF-8 */

/* Edit distance capped at max + 1, for "did you mean". */
size_t text_distance(const char *a, const char *b, size_t max);

/* hex and base64. Encoders write a NUL; decoders are strict (alphabet, length,
 * padding) and return the byte count or -1; out needs 3/4 of the text. */
void text_hex(const void *bytes, size_t len, char *out /* 2*len+1 */);
long text_unhex(const char *hex, size_t len, void *out, size_t room);
size_t text_base64(const void *bytes, size_t len, char *out /* 4*((len+2)/3)+1 */);
size_t text_base64url(const void *bytes, size_t len, char *out); /* no padding */
long text_unbase64(const char *text, size_t len, void *out, size_t room);
long text_unbase64url(const char *text, size_t len, void *out, size_t room);

/* Percent-decoding of one URL component ('+' is a space only when form is set).
 * Writes a NUL after it, which must fit. Returns the length, or -1 on a bad
 * escape, an embedded NUL or too little room. out may be text itself. */
long text_unpercent(const char *text, size_t len, bool form, char *out, size_t room);
void text_percent(struct buf *out, const char *text, size_t len); /* RFC 3986 unreserved kept */

/* Decimal digits only, no sign, no leading zero unless it is "0"; false on overflow. */
bool text_uint(const char *text, size_t len, uint64_t *ret_number);

/* RFC 3339 both ways; -1 where it cannot be read. */
/* local@domain and nothing around it: no name, no second address, no control character. NULL: no.
 */
bool text_is_bare_address(const char *text);
int64_t text_parse_time(const char *text);            /* unix ms */
void text_format_time(int64_t unix_ms, char out[32]); /* 2026-11-22T20:45:00.123Z */
