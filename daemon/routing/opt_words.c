#include "routing/opt_words.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "channel.h"

enum { LONGEST = 200 }; /* bytes of a message that may be a word */

static const char *const out_words[] = { "退订",   "td",  "t",    "stop", "stopall", "unsubscribe",
					 "cancel", "end", "quit", "退訂", NULL };
static const char *const in_words[] = { "start", "yes", "unstop", "恢复", "恢復", NULL };
static const char *const help_words[] = { "help", "帮助", "幫助", NULL };

/* Space and punctuation, also Chinese; not letters, digits or symbols that say something. */
static bool is_around(uint32_t codepoint)
{
	if (codepoint <= 0x20 || codepoint == 0x7f || codepoint == 0xa0 || codepoint == 0xfeff)
		return true;
	if (codepoint < 0x80)
		return strchr("!\"'(),-.:;?[]_`{}~*", (int)codepoint) != NULL;
	return codepoint == 0xab || codepoint == 0xbb || codepoint == 0xb7 ||
	       (codepoint >= 0x2000 && codepoint <= 0x206f) ||
	       (codepoint >= 0x3000 && codepoint <= 0x3003) ||
	       (codepoint >= 0x3008 && codepoint <= 0x301f) ||
	       (codepoint >= 0xff01 && codepoint <= 0xff0f) || codepoint == 0xff1a ||
	       codepoint == 0xff1b || codepoint == 0xff1f || codepoint == 0xff61;
}

/* The word that a text is in the form in which words are compared; "" where it is more. */
static const char *bare(struct arena *arena, const char *text)
{
	size_t len = strlen(text);
	size_t first = 0, end = 0, at = 0, room;
	uint32_t codepoint;
	char *folded, *out;
	size_t folded_len;

	while (at < len) {
		size_t step = text_character(text + at, len - at, &codepoint);

		if (step == 0)
			return "";
		if (!is_around(codepoint)) {
			first = end == 0 ? at : first;
			end = at + step;
		}
		at += step;
	}
	if (end == 0 || end - first > LONGEST)
		return "";
	folded = text_fold(arena, text + first, end - first, &folded_len);
	room = folded_len * TEXT_LETTERS_MAX + 1;
	out = arena_alloc(arena, room);
	for (at = 0, end = 0; at < folded_len;) {
		struct text_letter letters[TEXT_LETTERS_MAX];
		size_t step = text_character(folded + at, folded_len - at, &codepoint);
		size_t count = step == 0 ? 0 : text_letters(codepoint, letters);

		for (size_t i = 0; i < count; i++)
			if (letters[i].kind != TEXT_IGNORED)
				end += text_encode(letters[i].codepoint, out + end);
		at += step == 0 ? 1 : step;
	}
	out[end] = '\0';
	return out;
}

static bool is_among(struct arena *arena, const char *word, const char *const *usual,
		     const struct setting_texts *more)
{
	for (; *usual != NULL; usual++)
		if (text_equal(word, *usual))
			return true;
	for (size_t i = 0; i < more->count; i++)
		if (text_equal(word, bare(arena, more->items[i])))
			return true;
	return false;
}

enum opt_word opt_word_of(const char *text, const struct sending_rules *rules, struct arena *arena)
{
	const char *word = strlen(text) > LONGEST ? "" : bare(arena, text);

	if (*word == '\0')
		return OPT_NONE;
	if (is_among(arena, word, out_words, &rules->opt_out_words))
		return OPT_OUT;
	if (is_among(arena, word, in_words, &rules->opt_in_words))
		return OPT_IN;
	return is_among(arena, word, help_words, &rules->help_words) ? OPT_HELP : OPT_NONE;
}
