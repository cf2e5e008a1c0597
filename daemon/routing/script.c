#include "routing/script.h"

#include <stddef.h>

struct block {
	uint32_t first;
	uint32_t last;
	enum script script;
};

/* In order, letters only. */
static const struct block blocks[] = {
	{ 0x0041, 0x005a, SCRIPT_LATIN },    { 0x0061, 0x007a, SCRIPT_LATIN },
	{ 0x00aa, 0x00aa, SCRIPT_LATIN },    { 0x00ba, 0x00ba, SCRIPT_LATIN },
	{ 0x00c0, 0x00d6, SCRIPT_LATIN },    { 0x00d8, 0x00f6, SCRIPT_LATIN },
	{ 0x00f8, 0x02af, SCRIPT_LATIN },    { 0x0300, 0x036f, SCRIPT_LATIN },
	{ 0x0370, 0x037d, SCRIPT_GREEK },    { 0x0386, 0x0386, SCRIPT_GREEK },
	{ 0x0388, 0x03ff, SCRIPT_GREEK },    { 0x0400, 0x052f, SCRIPT_CYRILLIC },
	{ 0x0531, 0x0587, SCRIPT_ARMENIAN }, { 0x0591, 0x05f2, SCRIPT_HEBREW },
	{ 0x0610, 0x061a, SCRIPT_ARABIC },   { 0x0620, 0x0669, SCRIPT_ARABIC },
	{ 0x066e, 0x06d3, SCRIPT_ARABIC },   { 0x06d5, 0x06ff, SCRIPT_ARABIC },
	{ 0x0750, 0x077f, SCRIPT_ARABIC },   { 0x08a0, 0x08ff, SCRIPT_ARABIC },
	{ 0x0900, 0x0963, SCRIPT_INDIC },    { 0x0966, 0x0df3, SCRIPT_INDIC },
	{ 0x0e01, 0x0e3a, SCRIPT_THAI },     { 0x0e40, 0x0e4e, SCRIPT_THAI },
	{ 0x1100, 0x11ff, SCRIPT_HANGUL },   { 0x1e00, 0x1eff, SCRIPT_LATIN },
	{ 0x1f00, 0x1fff, SCRIPT_GREEK },    { 0x3005, 0x3007, SCRIPT_HAN },
	{ 0x3041, 0x3096, SCRIPT_KANA },     { 0x309d, 0x309f, SCRIPT_KANA },
	{ 0x30a1, 0x30fa, SCRIPT_KANA },     { 0x30fc, 0x30ff, SCRIPT_KANA },
	{ 0x3131, 0x318e, SCRIPT_HANGUL },   { 0x31f0, 0x31ff, SCRIPT_KANA },
	{ 0x3400, 0x4dbf, SCRIPT_HAN },      { 0x4e00, 0x9fff, SCRIPT_HAN },
	{ 0xac00, 0xd7a3, SCRIPT_HANGUL },   { 0xf900, 0xfaff, SCRIPT_HAN },
	{ 0xfb50, 0xfdff, SCRIPT_ARABIC },   { 0xfe70, 0xfefc, SCRIPT_ARABIC },
	{ 0xff21, 0xff3a, SCRIPT_LATIN },    { 0xff41, 0xff5a, SCRIPT_LATIN },
	{ 0xff66, 0xff9d, SCRIPT_KANA },     { 0x20000, 0x3134f, SCRIPT_HAN },
};

enum script script_of(uint32_t codepoint)
{
	size_t low = 0;
	size_t high = sizeof(blocks) / sizeof(blocks[0]);

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (codepoint < blocks[middle].first)
			high = middle;
		else if (codepoint > blocks[middle].last)
			low = middle + 1;
		else
			return blocks[middle].script;
	}
	return SCRIPT_NONE;
}

/* Thai, Han and Kana run on without spaces; Korean appends its particles to the word. */
bool script_is_word(uint32_t codepoint)
{
	enum script script;

	if (codepoint >= '0' && codepoint <= '9')
		return true;
	script = script_of(codepoint);
	return script >= SCRIPT_LATIN && script <= SCRIPT_INDIC;
}

const char *script_name(enum script script)
{
	static const char *const names[SCRIPT_COUNT] = {
		"",       "Latin", "Greek", "Cyrillic", "Armenian", "Hebrew",
		"Arabic", "Indic", "Thai",  "Hangul",   "Kana",     "Han",
	};

	return names[script];
}
