/* A region of memory that is freed in one call. A message, a request and a
 * configuration own one each, and every string of theirs lives in it. */
#pragma once

#include <stddef.h>

struct arena;

struct arena *arena_new(size_t first_bytes); /* 0 takes a default of 2 KiB */
void arena_free(struct arena **arena);

void *arena_alloc(struct arena *arena, size_t size);                  /* zeroed, 16-aligned */
char *arena_copy(struct arena *arena, const void *bytes, size_t len); /* plus a NUL */
char *arena_text(struct arena *arena, const char *text);              /* NULL stays NULL */
char *arena_format(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
size_t arena_used(const struct arena *arena); /* bytes handed out */
