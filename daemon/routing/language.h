/* Which language a text is in: the same answer for the same text, always. By
 * the share of each writing; Latin by short lists of function words; Chinese by
 * characters that only one of its writings has. A guess for routing, not for
 * linguists: "" where there is nothing to go by. */
#pragma once

#include <stddef.h>

/* zh-Hans, zh-Hant, zh (neither writing shows), ja, ko, ru, uk, ar, fa, he, el, th, en, es, fr,
 * de, pt, it, nl, or "". The first 4 KiB are looked at. */
const char *language_guess(const char *text, size_t len);
/* The writing with the largest share of letters: "Latin", "Han" ... (Kana counts Han beside it);
 * "" without letters. */
const char *language_script(const char *text, size_t len);
