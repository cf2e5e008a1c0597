#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "delivery/split.h"

struct split_case {
	char text[200];
	int max;
	int unit;
	char pieces[240]; /* parted by | */
};

ParameterizedTestParameters(split, parts_where_a_reader_would)
{
	static struct split_case cases[] = {
		{ "short", 10, TEXT_BYTES, "short" },
		{ "", 10, TEXT_BYTES, "" },
		{ "no limit at all", 0, TEXT_BYTES, "no limit at all" },
		{ "one two three", 8, TEXT_CHARACTERS, "one two|three" },
		{ "One. Two three four", 9, TEXT_CHARACTERS, "One.|Two three|four" },
		{ "line one\nline two", 12, TEXT_CHARACTERS, "line one|line two" },
		{ "abcdefghij", 4, TEXT_CHARACTERS, "abcd|efgh|ij" },
		{ "你好。我要退款，谢谢", 6, TEXT_CHARACTERS, "你好。|我要退款，|谢谢" },
		{ "你好吗", 4, TEXT_BYTES, "你|好|吗" },
		{ "😀😀😀", 4, TEXT_UTF16, "😀😀|😀" },
		{ "😀😀😀", 2, TEXT_CHARACTERS, "😀😀|😀" },
		/* a family of four code points and their joiners stays one */
		{ "a👨‍👩‍👧b", 6, TEXT_CHARACTERS, "a👨‍👩‍👧|b" },
		{ "ab👨‍👩‍👧", 5, TEXT_CHARACTERS, "ab|👨‍👩‍👧" },
		{ "e\xcc\x81"
		  "e\xcc\x81",
		  3, TEXT_CHARACTERS, "e\xcc\x81|e\xcc\x81" },
		/* a seam in the first third would waste the piece */
		{ "a bcdefghijklmnop", 10, TEXT_CHARACTERS, "a bcdefghi|jklmnop" },
		{ "   \n  x", 3, TEXT_CHARACTERS, "x" },
	};

	return cr_make_param_array(struct split_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct split_case *c, split, parts_where_a_reader_would)
{
	struct arena *arena = arena_new(0);
	OWNED(buf_clear) struct buf joined = { 0 };
	size_t count = 0;
	const char **pieces =
		text_split(arena, c->text, (size_t)c->max, (enum text_unit)c->unit, &count);

	for (size_t i = 0; i < count; i++) {
		buf_format(&joined, "%s%s", i ? "|" : "", pieces[i]);
		if (c->max)
			cr_expect_leq(text_length(pieces[i], (enum text_unit)c->unit),
				      (size_t)c->max, "%s", pieces[i]);
	}
	cr_expect_str_eq(buf_string(&joined), c->pieces);
	cr_expect_null(pieces[count]);
	arena_free(&arena);
}

Test(split, parts_what_is_longer_than_a_piece_by_itself)
{
	struct arena *arena = arena_new(0);
	char text[1000] = "e";
	size_t count = 0;
	const char **pieces;

	for (int i = 0; i < 400; i++)
		strcat(text, "\xcc\x81");
	pieces = text_split(arena, text, 10, TEXT_CHARACTERS, &count);
	cr_expect_gt(count, 1);
	for (size_t i = 0; i < count; i++)
		cr_expect_leq(text_length(pieces[i], TEXT_CHARACTERS), 10);
	arena_free(&arena);
}
