/* Characters as a search compares them. */
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <unigbrk.h>
#include <uninorm.h>

#include "base/text.h"

enum {
	GRAPHEME_MAX_BYTES = 128,
	COMBINING_FIRST = 0x0300,
	COMBINING_LAST = 0x036f,
	HALF_VOICED = 0xff9e,
	HALF_SEMI_VOICED = 0xff9f,
	VOICED = 0x3099,
	SEMI_VOICED = 0x309a,
};

struct letter_range {
	uint32_t first;
	uint32_t last;
};

/* Blocks of scripts that are written without spaces, and of Hangul, whose syllables are words'
 * parts that people search for. */
static const struct letter_range characters[] = {
	{ 0x0e00, 0x0fff },   /* Thai, Lao, Tibetan */
	{ 0x1000, 0x109f },   /* Myanmar */
	{ 0x1100, 0x11ff },   /* Hangul letters */
	{ 0x1780, 0x17ff },   /* Khmer */
	{ 0x2e80, 0x2fdf },   /* radicals */
	{ 0x3005, 0x3007 },   /* iteration mark, zero */
	{ 0x3021, 0x3029 },   /* Hangzhou numerals */
	{ 0x3038, 0x303b },   /* numerals, iteration mark */
	{ 0x3041, 0x4dbf },   /* kana, Bopomofo, Hangul letters, Han A */
	{ 0x4e00, 0xa4cf },   /* Han, Yi */
	{ 0xa960, 0xa97f },   /* Hangul letters */
	{ 0xac00, 0xd7ff },   /* Hangul */
	{ 0xf900, 0xfaff },   /* Han, compatible */
	{ 0x1b000, 0x1b16f }, /* kana */
	{ 0x20000, 0x3ffff }, /* Han B and later */
};

/* Of them, the blocks in which every code point is a character that stays as it is. */
static const struct letter_range plain[] = {
	{ 0x3041, 0x3096 }, /* Hiragana */
	{ 0x30a1, 0x30fa }, /* Katakana */
	{ 0x30fc, 0x30fe }, { 0x3400, 0x4dbf }, { 0x4e00, 0x9fff }, { 0xac00, 0xd7a3 },
};

static const struct letter_range ignored[] = {
	{ 0x00ad, 0x00ad }, /* soft hyphen */
	{ COMBINING_FIRST, COMBINING_LAST },
	{ 0x0483, 0x0487 },
	{ 0x0591, 0x05bd }, /* Hebrew points */
	{ 0x0610, 0x061a },
	{ 0x064b, 0x065f }, /* Arabic vowels */
	{ 0x0670, 0x0670 },
	{ 0x1ab0, 0x1aff },
	{ 0x1dc0, 0x1dff },
	{ 0x200b, 0x200f }, /* zero width, direction marks */
	{ 0x202a, 0x202e },
	{ 0x2060, 0x206f },
	{ 0x20d0, 0x20ff },
	{ 0xfe00, 0xfe0f }, /* variants */
	{ 0xfe20, 0xfe2f },
	{ 0xfeff, 0xfeff },
	{ 0xe0100, 0xe01ef },
};

/* Letters with a stroke, which do not decompose. */
static const struct {
	uint32_t from;
	char to[3];
} strokes[] = {
	{ 0x00e6, "ae" }, { 0x00f0, "d" }, { 0x00f8, "o" },  { 0x0111, "d" }, { 0x0127, "h" },
	{ 0x0131, "i" },  { 0x0142, "l" }, { 0x0153, "oe" }, { 0x0167, "t" },
};

static bool is_in(const struct letter_range *ranges, size_t count, uint32_t codepoint)
{
	for (size_t i = 0; i < count && ranges[i].first <= codepoint; i++) {
		if (codepoint <= ranges[i].last)
			return true;
	}
	return false;
}

#define IN(table, codepoint) is_in(table, sizeof(table) / sizeof((table)[0]), codepoint)

static bool is_kind(uint32_t codepoint, uint32_t mask)
{
	return uc_is_general_category_withtable(codepoint, mask);
}

static size_t add(struct text_letter *ret, size_t count, uint32_t codepoint, enum text_class kind)
{
	if (count == TEXT_LETTERS_MAX)
		return count;
	ret[count] = (struct text_letter){ codepoint, kind };
	return count + 1;
}

static size_t add_stroke(struct text_letter *ret, size_t count, uint32_t codepoint)
{
	for (size_t i = 0; i < sizeof(strokes) / sizeof(strokes[0]); i++) {
		if (strokes[i].from != codepoint)
			continue;
		for (const char *p = strokes[i].to; *p; p++)
			count = add(ret, count, (unsigned char)*p, TEXT_LETTER);
		return count;
	}
	return add(ret, count, codepoint, TEXT_LETTER);
}

/* One letter of a folded text that has no accents of its own any more. */
static size_t add_folded(struct text_letter *ret, size_t count, uint32_t codepoint)
{
	const uint32_t letters = UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_M | UC_CATEGORY_MASK_Nl;
	int digit = uc_decimal_value(codepoint);

	if (IN(ignored, codepoint))
		return add(ret, count, codepoint, TEXT_IGNORED);
	if (digit >= 0)
		return add(ret, count, (uint32_t)('0' + digit), TEXT_DIGIT);
	if (!is_kind(codepoint, letters))
		return add(ret, count, codepoint, TEXT_OTHER);
	if (IN(characters, codepoint))
		return add(ret, count, codepoint, TEXT_CHARACTER);
	return add_stroke(ret, count, codepoint);
}

static size_t add_unaccented(struct text_letter *ret, size_t count, uint32_t codepoint)
{
	uint32_t parts[TEXT_LETTERS_MAX];
	size_t len = TEXT_LETTERS_MAX;

	if (IN(characters, codepoint) ||
	    u32_normalize(UNINORM_NFD, &codepoint, 1, parts, &len) != parts)
		return add_folded(ret, count, codepoint);
	for (size_t i = 0; i < len; i++) {
		if (i == 0 || !IN(ignored, parts[i]))
			count = add_folded(ret, count, parts[i]);
	}
	return count;
}

static size_t ascii(uint32_t codepoint, struct text_letter *ret)
{
	if (codepoint >= '0' && codepoint <= '9')
		return add(ret, 0, codepoint, TEXT_DIGIT);
	if (codepoint >= 'A' && codepoint <= 'Z')
		return add(ret, 0, codepoint | 0x20, TEXT_LETTER);
	if (codepoint >= 'a' && codepoint <= 'z')
		return add(ret, 0, codepoint, TEXT_LETTER);
	return add(ret, 0, codepoint, TEXT_OTHER);
}

size_t text_letters(uint32_t codepoint, struct text_letter ret[TEXT_LETTERS_MAX])
{
	uint32_t folded[TEXT_LETTERS_MAX];
	size_t len = TEXT_LETTERS_MAX, count = 0;

	if (codepoint < 0x80)
		return ascii(codepoint, ret);
	if (IN(plain, codepoint))
		return add(ret, 0, codepoint, TEXT_CHARACTER);
	if (IN(ignored, codepoint))
		return add(ret, 0, codepoint, TEXT_IGNORED);
	if (u32_casefold(&codepoint, 1, NULL, UNINORM_NFKC, folded, &len) != folded || len == 0)
		return add(ret, 0, codepoint, TEXT_OTHER);
	for (size_t i = 0; i < len; i++)
		count = add_unaccented(ret, count, folded[i]);
	return count;
}

uint32_t text_voiced(uint32_t kana, uint32_t mark)
{
	if (mark == HALF_VOICED || mark == HALF_SEMI_VOICED)
		mark = mark - HALF_VOICED + VOICED;
	if ((mark != VOICED && mark != SEMI_VOICED) || kana < 0x3041 || kana > 0x30ff)
		return 0;
	return uc_composition(kana, mark);
}

size_t text_encode(uint32_t codepoint, char out[4])
{
	static const unsigned char leads[] = { 0x00, 0x00, 0xc0, 0xe0, 0xf0 };
	size_t len = codepoint < 0x80 ? 1 : codepoint < 0x800 ? 2 : codepoint < 0x10000 ? 3 : 4;

	for (size_t i = len; i-- > 1; codepoint >>= 6)
		out[i] = (char)(0x80 | (codepoint & 0x3f));
	out[0] = (char)(leads[len] | codepoint);
	return len;
}

size_t text_grapheme(const char *text)
{
	static const char joiner[] = "\xe2\x80\x8d";
	const uint8_t *first = (const uint8_t *)text;
	/* Far enough for any that a person types; what is longer is parted. */
	const uint8_t *end = first + strnlen(text, GRAPHEME_MAX_BYTES);
	const uint8_t *next = first == end ? NULL : u8_grapheme_next(first, end);

	/* The library's rules are older than emoji that are joined of several. */
	while (next != NULL && next < end && next - first >= 3 && memcmp(next - 3, joiner, 3) == 0)
		next = u8_grapheme_next(next, end);
	return next == NULL ? 0 : (size_t)(next - first);
}
