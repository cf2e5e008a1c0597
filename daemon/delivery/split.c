#include "delivery/split.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

/* Weaker seams are taken only where a stronger one would leave a piece that is
 * less than a third full. */
enum seam { SEAM_ANY, SEAM_WORD, SEAM_SENTENCE, SEAM_LINE, SEAM_KINDS };

static size_t code_point_len(const char *at)
{
	unsigned char byte = (unsigned char)*at;

	return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

static size_t units_of(const char *at, size_t len, enum text_unit unit)
{
	size_t units = 0;

	if (unit == TEXT_BYTES)
		return len;
	for (size_t i = 0; i < len; i += code_point_len(at + i))
		units += unit == TEXT_UTF16 && code_point_len(at + i) == 4 ? 2 : 1;
	return units;
}

size_t text_length(const char *text, enum text_unit unit)
{
	return units_of(text, strlen(text), unit);
}

static bool ends_sentence(const char *at, size_t len)
{
	static const char *const ends[] = { "。", "！", "？", "；", "…" };

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (len == strlen(ends[i]) && memcmp(at, ends[i], len) == 0)
			return true;
	return len == 1 && strchr(".!?;", *at) != NULL && (at[1] == ' ' || at[1] == '\n');
}

/* What kind of seam lies behind this character. */
static enum seam seam_behind(const char *at, size_t len)
{
	if (*at == '\n')
		return SEAM_LINE;
	if (ends_sentence(at, len))
		return SEAM_SENTENCE;
	if (*at == ' ' || (len == 3 && (memcmp(at, "，", 3) == 0 || memcmp(at, "、", 3) == 0)))
		return SEAM_WORD;
	return SEAM_ANY;
}

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

/* The bytes of the first piece; the whole rest where it fits. */
static size_t piece_len(const char *text, size_t max, enum text_unit unit)
{
	size_t best[SEAM_KINDS] = { 0 }, filled[SEAM_KINDS] = { 0 };
	size_t len = 0, units = 0;

	while (text[len] != '\0') {
		size_t step = text_grapheme(text + len);
		size_t more = units_of(text + len, step, unit);
		enum seam seam;

		if (more > max && len == 0) { /* longer than a piece by itself */
			step = code_point_len(text);
			return step;
		}
		if (units + more > max)
			break;
		units += more;
		seam = seam_behind(text + len, step);
		len += step;
		best[seam] = len;
		filled[seam] = units;
	}
	if (text[len] == '\0' || is_space(text[len])) /* the space is dropped anyway */
		return len;
	for (int seam = SEAM_LINE; seam > SEAM_ANY; seam--)
		if (filled[seam] * 3 >= max)
			return best[seam];
	return len;
}

static const char *skip_space(const char *text)
{
	while (is_space(*text))
		text++;
	return text;
}

static const char *trimmed(struct arena *arena, const char *text, size_t len)
{
	while (len > 0 && is_space(text[len - 1]))
		len--;
	return arena_copy(arena, text, len);
}

const char **text_split(struct arena *arena, const char *text, size_t max, enum text_unit unit,
			size_t *ret_count)
{
	bool is_whole = max == 0 || text_length(text, unit) <= max;
	size_t most = 1;
	const char **pieces;

	if (!is_whole)
		for (const char *at = text; *at != '\0'; most++)
			at = skip_space(at + piece_len(at, max, unit));
	pieces = arena_alloc(arena, (most + 1) * sizeof(*pieces));
	*ret_count = 0;
	if (is_whole)
		pieces[(*ret_count)++] = text;
	else
		text = skip_space(text);
	while (!is_whole && *text != '\0') {
		size_t len = piece_len(text, max, unit);
		const char *piece = trimmed(arena, text, len);

		if (*piece != '\0')
			pieces[(*ret_count)++] = piece;
		text = skip_space(text + len);
	}
	return pieces;
}
