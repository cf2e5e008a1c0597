#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "routing/keywords.h"
#include "routing/script.h"

enum { LISTS = 8, WORDS = 24, TEXTS = 4000, PIECES = 12 };

static bool found(const char *word, const char *text)
{
	struct keywords *keywords = keywords_new();
	struct arena *arena = arena_new(0);
	bool hits[1] = { false };
	size_t len;
	const char *folded = text_fold(arena, text, strlen(text), &len);

	keywords_add(keywords, word, 0);
	keywords_build(keywords);
	keywords_scan(keywords, folded, len, hits);
	keywords_free(&keywords);
	arena_free(&arena);
	return hits[0];
}

Test(keywords, latin_stands_between_word_boundaries_and_chinese_anywhere)
{
	static const struct {
		const char *word;
		const char *text;
		bool is_found;
	} rows[] = {
		{ "refund", "I want a REFUND!", true },
		{ "refund", "refunds", false },
		{ "refund", "prefund", false },
		{ "refund", "我要refund了", true },
		{ "refund", "refund2", false },
		{ "退款", "我要退款了", true },
		{ "退款", "我要 退款", true },
		{ "退款", "退 款", false },
		{ "退貨", "我要退货", false },
		{ "vip客户", "我是VIP客户吗", true },
		{ "vip客户", "svip客户", false },
		{ "café", "Cafe\xcc\x81!", true },
		{ "STRASSE", "die Straße", true },
		{ "заказ", "мой ЗАКАЗ.", true },
		{ "заказ", "заказы", false },
		{ "환불", "환불해 주세요", true },
		{ "no reply", "a No Reply address", true },
		{ "a", "a", true },
		{ "a", "", false },
		{ "!!", "why!!!", true },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		cr_expect_eq(found(rows[i].word, rows[i].text), rows[i].is_found, "%s in %s",
			     rows[i].word, rows[i].text);
}

Test(keywords, no_words_find_nothing)
{
	struct keywords *keywords = keywords_new();
	bool hits[1] = { false };

	keywords_add(keywords, "", 0);
	keywords_build(keywords);
	keywords_scan(keywords, "text", 4, hits);
	cr_assert_not(hits[0]);
	keywords_free(&keywords);
	keywords_free(&keywords);
}

/* ---- against a search that cannot be wrong ---- */

static const char *const pieces[] = {
	"a", "b", "ab",       "ba", " ",           "\xe4\xb8\xad", "\xe6\x96\x87",
	"1", ".", "\xc3\xa9", "aa", "\xed\x95\x9c"
};

static unsigned next_random(unsigned *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 16;
}

static void random_text(unsigned *state, size_t most, char out[64])
{
	size_t count = next_random(state) % most;

	*out = '\0';
	for (size_t i = 0; i < count; i++)
		strcat(out, pieces[next_random(state) % COUNT_OF(pieces)]);
}

static bool is_letter_at(const char *text, size_t len, size_t at)
{
	uint32_t codepoint = 0;

	return at < len && text_character(text + at, len - at, &codepoint) > 0 &&
	       script_is_word(codepoint);
}

static size_t character_before(const char *text, size_t at)
{
	while (at > 0 && ((unsigned char)text[--at] & 0xc0) == 0x80)
		;
	return at;
}

static bool naive(const char *word, const char *text)
{
	size_t word_len = strlen(word), len = strlen(text);

	for (size_t at = 0; word_len > 0 && at + word_len <= len; at++) {
		size_t end = at + word_len;

		if (memcmp(text + at, word, word_len) != 0)
			continue;
		if (at > 0 && is_letter_at(word, word_len, 0) &&
		    is_letter_at(text, at, character_before(text, at)))
			continue;
		if (is_letter_at(word, word_len, character_before(word, word_len)) &&
		    is_letter_at(text, len, end))
			continue;
		return true;
	}
	return false;
}

Test(keywords, find_what_a_plain_search_finds)
{
	unsigned state = 7;
	size_t positives = 0;

	for (int round = 0; round < 40; round++) {
		struct keywords *keywords = keywords_new();
		char words[WORDS][64];

		for (size_t i = 0; i < WORDS; i++) {
			random_text(&state, 5, words[i]);
			keywords_add(keywords, words[i], i % LISTS);
		}
		keywords_build(keywords);
		for (int i = 0; i < TEXTS / 40; i++) {
			char text[64];
			bool hits[LISTS] = { false }, wanted[LISTS] = { false };

			random_text(&state, PIECES, text);
			for (size_t w = 0; w < WORDS; w++)
				wanted[w % LISTS] |= naive(words[w], text);
			keywords_scan(keywords, text, strlen(text), hits);
			for (size_t l = 0; l < LISTS; l++) {
				cr_assert_eq(hits[l], wanted[l], "round %d, list %zu, text \"%s\"",
					     round, l, text);
				positives += wanted[l];
			}
		}
		keywords_free(&keywords);
	}
	cr_assert_gt(positives, 1000, "the comparison means something");
}
