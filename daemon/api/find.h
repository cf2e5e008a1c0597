/* Whose is an identifier, asked everywhere it may be known: the proved owner, and whoever
 * claimed it on each channel. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "api/api.h"

enum { FOUND_MAX = 50 };

/* ids live as long as the call, the proved owner first; none where nobody is known by it. */
typedef void customers_found_fn(const char *const *ids, size_t count, const struct error *err,
				void *context);
/* text is kind:value, such as email:a@example.com. False where it is not: done does not come. Else
 * done comes once, perhaps before the return. */
bool customers_find(struct api_call *call, const char *text, customers_found_fn *done,
		    void *context);
