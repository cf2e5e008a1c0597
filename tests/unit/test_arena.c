#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"

Test(arena, hands_out_aligned_zeroed_memory_across_blocks)
{
	struct arena *arena = arena_new(64);

	for (size_t i = 1; i < 300; i++) {
		unsigned char *bytes = arena_alloc(arena, i);

		cr_assert_eq((uintptr_t)bytes % 16, 0);
		for (size_t j = 0; j < i; j++)
			cr_assert_eq(bytes[j], 0);
		memset(bytes, 0xff, i);
	}
	arena_free(&arena);
	cr_assert_null(arena);
}

Test(arena, formats_texts_of_any_length)
{
	struct arena *arena = arena_new(16);
	char *text = arena_format(arena, "%0200d", 7);

	cr_assert_eq(strlen(text), 200);
	cr_assert_str_eq(arena_text(arena, "工单"), "工单");
	cr_assert_null(arena_text(arena, NULL));
	arena_free(&arena);
}
