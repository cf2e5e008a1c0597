/* Regular expressions of rules (pattern.c is the only file of routing with
 * PCRE2). A pattern comes from an administrator, the text from anybody: limits
 * keep a costly pair from holding the loop. */
#pragma once

#include <stddef.h>

#include "base/error.h"

struct pattern;

enum pattern_result {
	PATTERN_NO,
	PATTERN_YES,
	PATTERN_STOPPED, /* it took too long: as good as no */
};

/* Without regard to case, Unicode classes. NULL with where and why it is wrong. */
struct pattern *pattern_new(const char *text, struct error *err);
void pattern_free(struct pattern **pattern);
/* Looks at the first 16 KiB. text is UTF-8. */
enum pattern_result pattern_match(struct pattern *pattern, const char *text);
