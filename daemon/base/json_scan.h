/* The scan under json_check() and json_read(); only json*.c include it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct json_facts {
	size_t members;   /* key-value pairs in all objects, duplicates included */
	bool nul_escapes; /* a text or key has \u0000 */
};

/* 0, or -1 with "line L, column C: what". with_range also refuses integers
 * outside int64. ret_facts may be NULL. */
int json_scan(const char *bytes, size_t len, bool with_range, struct json_facts *ret_facts,
	      struct error *err);
