/* Writing systems of code points, as far as keywords and the guess of a
 * language need them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum script {
	SCRIPT_NONE, /* digits, signs, spaces, emoji */
	SCRIPT_LATIN,
	SCRIPT_GREEK,
	SCRIPT_CYRILLIC,
	SCRIPT_ARMENIAN,
	SCRIPT_HEBREW,
	SCRIPT_ARABIC,
	SCRIPT_INDIC, /* Devanagari to Sinhala */
	SCRIPT_THAI,
	SCRIPT_HANGUL,
	SCRIPT_KANA,
	SCRIPT_HAN,
	SCRIPT_COUNT
};

enum script script_of(uint32_t codepoint);
/* A letter or digit of a writing that parts words by spaces: a keyword that ends in one does not
 * go on in the next. */
bool script_is_word(uint32_t codepoint);
const char *script_name(enum script script); /* "Latin" ...; "" for SCRIPT_NONE */
