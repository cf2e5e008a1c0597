#include "routing/language.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/memory.h"
#include "base/text.h"
#include "routing/language_han.h"
#include "routing/language_words.h"
#include "routing/script.h"

enum { TEXT_MAX = 4096, WORD_MAX = 24, LATIN_MAX = 16, WORD_SCORE = 4, LETTER_SCORE = 3 };

/* What one pass over the text finds. */
struct census {
	size_t letters[SCRIPT_COUNT];
	size_t simplified;
	size_t traditional;
	size_t ukrainian;
	size_t persian;
};

static bool is_one_of(uint32_t codepoint, const uint32_t *list)
{
	for (; *list != 0; list++)
		if (*list == codepoint)
			return true;
	return false;
}

static void census_take(struct census *census, uint32_t codepoint)
{
	static const uint32_t ukrainian[] = { 0x404, 0x406, 0x407, 0x454, 0x456,
					      0x457, 0x490, 0x491, 0 };
	static const uint32_t persian[] = { 0x67e, 0x686, 0x698, 0x6a9, 0x6af, 0x6cc, 0 };
	enum script script = script_of(codepoint);

	census->letters[script]++;
	if (script == SCRIPT_HAN) {
		census->simplified += han_is_simplified(codepoint);
		census->traditional += han_is_traditional(codepoint);
	} else if (script == SCRIPT_CYRILLIC) {
		census->ukrainian += is_one_of(codepoint, ukrainian);
	} else if (script == SCRIPT_ARABIC) {
		census->persian += is_one_of(codepoint, persian);
	}
}

static void census_read(struct census *census, const char *text, size_t len)
{
	uint32_t codepoint = 0;
	size_t size;

	*census = (struct census){ 0 };
	for (size_t at = 0; at < len; at += size) {
		size = text_character(text + at, len - at, &codepoint);
		if (size == 0)
			size = 1;
		else
			census_take(census, codepoint);
	}
}

/* A Chinese character says what takes several letters to say. */
static enum script census_main(const struct census *census)
{
	enum script best = SCRIPT_NONE;
	size_t most = 0;

	for (int i = SCRIPT_NONE + 1; i < SCRIPT_COUNT; i++) {
		size_t weight = i >= SCRIPT_HANGUL ? 3 : 1;
		size_t count = census->letters[i];

		if (i == SCRIPT_KANA && count > 0)
			count += census->letters[SCRIPT_HAN];
		if (count * weight > most) {
			most = count * weight;
			best = (enum script)i;
		}
	}
	/* Kana beside Han is Japanese, also where Han is more; a brand name in Kana is not. */
	if (best == SCRIPT_KANA && census->letters[SCRIPT_KANA] * 8 < census->letters[SCRIPT_HAN])
		return SCRIPT_HAN;
	return best;
}

/* ---- Latin ---- */

static void score_word(const char *word, size_t len, int scores[LATIN_MAX])
{
	char spaced[WORD_MAX + 3] = " ";
	int languages = 0;
	bool has[LATIN_MAX] = { false };

	if (len == 0 || len > WORD_MAX)
		return;
	memcpy(spaced + 1, word, len);
	memcpy(spaced + 1 + len, " ", 2);
	for (size_t i = 0; i < language_words_count && i < LATIN_MAX; i++) {
		has[i] = strstr(language_words[i].words, spaced) != NULL;
		languages += has[i];
	}
	/* What many share says little. */
	for (size_t i = 0; i < LATIN_MAX; i++)
		if (has[i])
			scores[i] += languages == 1 ? 2 * WORD_SCORE : WORD_SCORE / languages + 1;
}

static void score_letter(const char *letter, size_t size, int scores[LATIN_MAX])
{
	char one[8] = { 0 };

	if (size < 2 || size >= sizeof(one))
		return;
	memcpy(one, letter, size);
	for (size_t i = 0; i < language_words_count && i < LATIN_MAX; i++)
		if (strstr(language_words[i].letters, one) != NULL)
			scores[i] += LETTER_SCORE;
}

static const char *latin_best(const int scores[LATIN_MAX])
{
	size_t best = 0;

	for (size_t i = 1; i < language_words_count && i < LATIN_MAX; i++)
		if (scores[i] > scores[best])
			best = i;
	return scores[best] == 0 ? "" : language_words[best].language;
}

static const char *latin_guess(const char *text, size_t len)
{
	struct arena *arena = arena_new(0);
	size_t folded_len;
	const char *folded = text_fold(arena, text, len, &folded_len);
	int scores[LATIN_MAX] = { 0 };
	size_t start = 0;
	size_t size;

	for (size_t at = 0; at <= folded_len; at += size) {
		uint32_t codepoint = 0;

		size = text_character(folded + at, folded_len - at, &codepoint);
		size = size == 0 ? 1 : size;
		score_letter(folded + at, size, scores);
		if (at < folded_len && (codepoint == '\'' || script_is_word(codepoint)))
			continue;
		score_word(folded + start, at - start, scores);
		start = at + size;
	}
	arena_free(&arena);
	return latin_best(scores);
}

/* ---- all ---- */

static const char *han_guess(const struct census *census)
{
	if (census->simplified == census->traditional)
		return "zh";
	return census->simplified > census->traditional ? "zh-Hans" : "zh-Hant";
}

/* Writings of one language, as far as we tell languages apart. */
static const char *const languages[SCRIPT_COUNT] = {
	[SCRIPT_GREEK] = "el",  [SCRIPT_HEBREW] = "he", [SCRIPT_THAI] = "th",
	[SCRIPT_HANGUL] = "ko", [SCRIPT_KANA] = "ja",
};

const char *language_guess(const char *text, size_t len)
{
	struct census census;
	enum script script;

	len = text_prefix(text, len, TEXT_MAX);
	census_read(&census, text, len);
	script = census_main(&census);
	if (script == SCRIPT_LATIN)
		return latin_guess(text, len);
	if (script == SCRIPT_HAN)
		return han_guess(&census);
	if (script == SCRIPT_CYRILLIC)
		return census.ukrainian > 0 ? "uk" : "ru";
	if (script == SCRIPT_ARABIC)
		return census.persian > 0 ? "fa" : "ar";
	return languages[script] == NULL ? "" : languages[script];
}

const char *language_script(const char *text, size_t len)
{
	struct census census;

	census_read(&census, text, text_prefix(text, len, TEXT_MAX));
	return script_name(census_main(&census));
}
