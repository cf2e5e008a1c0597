/* Keyword lists: all lists of all rules in one automaton (Aho and Corasick), so
 * that a text is read once however many words there are.
 *
 * Words and texts are compared case-folded and in NFC. A word that begins or
 * ends in a letter or digit of a writing with spaces between words is found
 * only where no further one stands beside it; Chinese, Japanese, Korean and
 * Thai are found anywhere. Simplified and traditional characters are different
 * characters. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct keywords;

struct keywords *keywords_new(void);
void keywords_free(struct keywords **keywords);
/* One more word of a list; lists are numbered from 0 by the caller. An empty word is left out. */
void keywords_add(struct keywords *keywords, const char *word, size_t list);
/* After the last word, before the first scan. */
void keywords_build(struct keywords *keywords);
/* text is folded already (text_fold). Sets hits[list] for each list with a word in it; hits has as
 * many places as there are lists and is not cleared first. */
void keywords_scan(const struct keywords *keywords, const char *folded, size_t len, bool *hits);
