/* Heap helpers that abort on failure: the store is durable, so a restart is
 * safe and no caller has a half-built state to mend. Every size that comes
 * from outside is bounded (see base/limits.h) before it gets here. */
#pragma once

#include <stddef.h>

void *memory_new(size_t size);                              /* zeroed */
void *memory_grow(void *memory, size_t count, size_t size); /* realloc with overflow check */
char *memory_text(const char *text);                        /* strdup; NULL stays NULL */
char *memory_copy(const void *bytes, size_t len);           /* len bytes plus a NUL */

/* `OWNED(x_free) struct x *x = NULL;` frees at the end of the scope. */
#define OWNED(free_fn) __attribute__((cleanup(free_fn)))

/* Number of elements of an array (not of a pointer). */
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
