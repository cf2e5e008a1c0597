#include <stdlib.h>
#include <unicase.h>
#include <uninorm.h>

#include "base/buf.h"
#include "base/text.h"

static const char replacement[] = "\xef\xbf\xbd";

struct range {
	uint32_t first;
	uint32_t last;
};

/* Blocks of everyday text in which no character combines with a neighbour or
 * has a canonical decomposition: text of these alone is NFC already. */
static const struct range composed[] = {
	{ 0x0000, 0x02ff },   /* Latin */
	{ 0x0400, 0x0482 },   /* Cyrillic */
	{ 0x200b, 0x2027 },   /* zero width, dashes and quotes */
	{ 0x2600, 0x27bf },   /* symbols */
	{ 0x3001, 0x3029 },   /* CJK punctuation */
	{ 0x3041, 0x3096 },   /* Hiragana */
	{ 0x30a1, 0x30fa },   /* Katakana */
	{ 0x3400, 0x9fff },   /* Han */
	{ 0xac00, 0xd7a3 },   /* Hangul syllables */
	{ 0xfe00, 0xfe0f },   /* emoji or text style */
	{ 0xff01, 0xff5e },   /* full-width ASCII */
	{ 0x1f300, 0x1faff }, /* emoji */
};

static const struct range invisible[] = {
	{ 0x00ad, 0x00ad }, /* soft hyphen */
	{ 0x061c, 0x061c }, { 0x180e, 0x180e },
	{ 0x200b, 0x200f }, /* zero width, direction marks */
	{ 0x202a, 0x202e }, /* embeddings and overrides */
	{ 0x2060, 0x2064 }, { 0x2066, 0x206f },
	{ 0xfeff, 0xfeff }, /* byte order mark */
};

static const struct range spaces[] = {
	{ 0x0009, 0x000d }, { 0x0020, 0x0020 }, { 0x0085, 0x0085 }, { 0x00a0, 0x00a0 },
	{ 0x1680, 0x1680 }, { 0x2000, 0x200a }, { 0x2028, 0x2029 }, { 0x202f, 0x202f },
	{ 0x205f, 0x205f }, { 0x3000, 0x3000 },
};

#define IN(table, codepoint) is_in(table, sizeof(table) / sizeof((table)[0]), codepoint)

static bool is_in(const struct range *ranges, size_t count, uint32_t codepoint)
{
	for (size_t i = 0; i < count && ranges[i].first <= codepoint; i++) {
		if (codepoint <= ranges[i].last)
			return true;
	}
	return false;
}

struct cleaning {
	struct buf out;
	bool one_line;
	bool pending_space; /* one_line: written before the next visible character */
	bool maybe_not_nfc;
};

static bool is_control(uint32_t codepoint)
{
	return codepoint < 0x20 || codepoint == 0x7f;
}

/* The first pass of a line; the caller writes what is left. */
static bool is_absorbed_by_line(struct cleaning *cleaning, uint32_t codepoint)
{
	if (IN(spaces, codepoint)) {
		cleaning->pending_space = cleaning->out.len > 0;
		return true;
	}
	return is_control(codepoint) || IN(invisible, codepoint);
}

static void add_character(struct cleaning *cleaning, uint32_t codepoint, const char *bytes,
			  size_t len)
{
	if (cleaning->one_line) {
		if (is_absorbed_by_line(cleaning, codepoint))
			return;
		if (cleaning->pending_space)
			buf_byte(&cleaning->out, ' ');
		cleaning->pending_space = false;
	} else if (is_control(codepoint) && codepoint != '\n' && codepoint != '\t') {
		return;
	}
	if (!IN(composed, codepoint))
		cleaning->maybe_not_nfc = true;
	buf_add(&cleaning->out, bytes, len);
}

/* Most text is runs of ASCII that need no thought. */
static size_t add_plain(struct cleaning *cleaning, const char *bytes, size_t len)
{
	char first = cleaning->one_line ? '!' : ' ';
	size_t n = 0;

	while (n < len && bytes[n] >= first && bytes[n] < 0x7f)
		n++;
	if (n > 0 && cleaning->pending_space)
		buf_byte(&cleaning->out, ' ');
	if (n > 0)
		cleaning->pending_space = false;
	buf_add(&cleaning->out, bytes, n);
	return n;
}

static void add_all(struct cleaning *cleaning, const char *bytes, size_t len)
{
	size_t at = add_plain(cleaning, bytes, len);

	while (at < len) {
		uint32_t codepoint = 0;
		size_t n = text_character(bytes + at, len - at, &codepoint);

		if (n == 0) {
			add_character(cleaning, 0xfffd, replacement, sizeof(replacement) - 1);
			at += text_broken(bytes + at, len - at);
		} else if (codepoint == '\r') {
			/* CRLF is one line end, and so is a lone CR. */
			at += at + 1 < len && bytes[at + 1] == '\n' ? 2 : 1;
			add_character(cleaning, '\n', "\n", 1);
		} else {
			add_character(cleaning, codepoint, bytes + at, n);
			at += n;
		}
		at += add_plain(cleaning, bytes + at, len - at);
	}
}

static char *finish(const struct cleaning *cleaning, struct arena *arena, const char *text,
		    size_t len, size_t max)
{
	size_t kept = text_prefix(text, len, max);

	while (cleaning->one_line && kept > 0 && text[kept - 1] == ' ')
		kept--;
	return arena_copy(arena, text, kept);
}

static char *clean(struct cleaning *cleaning, struct arena *arena, const char *bytes, size_t len,
		   size_t max)
{
	uint8_t *normal = NULL;
	size_t normal_len = 0;
	char *text;

	buf_reserve(&cleaning->out, len + 1);
	add_all(cleaning, bytes, len);
	if (cleaning->maybe_not_nfc) {
		normal = u8_normalize(UNINORM_NFC, (const uint8_t *)cleaning->out.data,
				      cleaning->out.len, NULL, &normal_len);
		if (normal == NULL)
			abort(); /* valid UTF-8, so it can only be memory */
		text = finish(cleaning, arena, (const char *)normal, normal_len, max);
	} else {
		text = finish(cleaning, arena, buf_string(&cleaning->out), cleaning->out.len, max);
	}
	free(normal);
	buf_clear(&cleaning->out);
	return text;
}

char *text_clean(struct arena *arena, const char *bytes, size_t len, size_t max)
{
	struct cleaning cleaning = { .one_line = false };

	return clean(&cleaning, arena, bytes, len, max);
}

char *text_clean_line(struct arena *arena, const char *bytes, size_t len, size_t max)
{
	struct cleaning cleaning = { .one_line = true };

	return clean(&cleaning, arena, bytes, len, max);
}

static char *fold_ascii(struct arena *arena, const char *text, size_t len)
{
	char *folded = arena_copy(arena, text, len);

	for (size_t i = 0; i < len; i++) {
		if (folded[i] >= 'A' && folded[i] <= 'Z')
			folded[i] = (char)(folded[i] - 'A' + 'a');
	}
	return folded;
}

char *text_fold(struct arena *arena, const char *utf8, size_t len, size_t *ret_len)
{
	uint8_t *folded;
	char *copy;

	*ret_len = len;
	if (text_ascii(utf8, len) == len)
		return fold_ascii(arena, utf8, len);
	folded = u8_casefold((const uint8_t *)utf8, len, NULL, UNINORM_NFC, NULL, ret_len);
	if (folded == NULL) {
		*ret_len = len;
		return arena_copy(arena, utf8, len);
	}
	copy = arena_copy(arena, folded, *ret_len);
	free(folded);
	return copy;
}
