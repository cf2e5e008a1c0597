#include "base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_abort(void *memory)
{
	if (memory == NULL) {
		fputs("converged: out of memory\n", stderr);
		abort();
	}
	return memory;
}

void *memory_new(size_t size)
{
	return or_abort(calloc(1, size == 0 ? 1 : size));
}

void *memory_grow(void *memory, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		abort();
	return or_abort(realloc(memory, total == 0 ? 1 : total));
}

char *memory_text(const char *text)
{
	return text == NULL ? NULL : or_abort(strdup(text));
}

char *memory_copy(const void *bytes, size_t len)
{
	char *copy = or_abort(malloc(len + 1));

	if (len > 0)
		memcpy(copy, bytes, len);
	copy[len] = '\0';
	return copy;
}
