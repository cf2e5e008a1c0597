/* Function words of languages in Latin letters (language.c only). */
#pragma once

#include <stddef.h>

struct language_words {
	const char *language;
	const char *words;   /* each between spaces, folded; the first and last byte are spaces */
	const char *letters; /* that hint at it, UTF-8; "" */
};

extern const struct language_words language_words[];
extern const size_t language_words_count;
