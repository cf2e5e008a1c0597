/* Looks at the bytes of a YAML file before libyaml does, for the slips that
 * libyaml reports late or not at all: tabs that indent, full-width punctuation,
 * a missing space after a colon, `${...}` and IPv6 addresses that need quotes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/problems.h"

enum { SCAN_SLIPS_MAX = 20 };

/* May be a slip or text: counts only where the parser could not read on. */
struct scan_slip {
	struct place at;
	const char *text; /* static, "text\thint" */
};

struct scan_slips {
	struct scan_slip items[SCAN_SLIPS_MAX];
	size_t count;
};

/* bytes are valid UTF-8. What is wrong for certain goes to problems. */
void yaml_scan(const char *file, const char *bytes, size_t len, struct problems *problems,
	       struct scan_slips *ret_slips);

/* Where a plain text that stands in place of a map has `key:value` or `key：value`: the byte
 * offset of the colon and *ret_text ("text\thint"); -1 where it is none. */
long yaml_scan_colon(const char *text, const char **ret_text);
