#define PCRE2_CODE_UNIT_WIDTH 8
#include "routing/pattern.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { MATCH_LIMIT = 20000, DEPTH_LIMIT = 250, HEAP_LIMIT_KB = 256, TEXT_MAX = 16 * 1024 };

struct pattern {
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *limits;
};

struct pattern *pattern_new(const char *text, struct error *err)
{
	struct pattern *pattern;
	int code;
	PCRE2_SIZE at;
	PCRE2_UCHAR why[120];
	pcre2_code *compiled = pcre2_compile(
		(PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
		PCRE2_UTF | PCRE2_UCP | PCRE2_CASELESS | PCRE2_NEVER_BACKSLASH_C, &code, &at, NULL);

	if (compiled == NULL) {
		pcre2_get_error_message(code, why, sizeof(why));
		error_set(err, ERROR_MISUSE, "pattern at character %zu: %s", (size_t)at,
			  (const char *)why);
		return NULL;
	}
	pattern = memory_new(sizeof(*pattern));
	pattern->code = compiled;
	pattern->data = pcre2_match_data_create(1, NULL);
	pattern->limits = pcre2_match_context_create(NULL);
	pcre2_set_match_limit(pattern->limits, MATCH_LIMIT);
	pcre2_set_depth_limit(pattern->limits, DEPTH_LIMIT);
	pcre2_set_heap_limit(pattern->limits, HEAP_LIMIT_KB);
	return pattern;
}

void pattern_free(struct pattern **pattern)
{
	struct pattern *held = *pattern;

	*pattern = NULL;
	if (held == NULL)
		return;
	pcre2_code_free(held->code);
	pcre2_match_data_free(held->data);
	pcre2_match_context_free(held->limits);
	free(held);
}

enum pattern_result pattern_match(struct pattern *pattern, const char *text)
{
	int found;

	if (text == NULL || *text == '\0')
		return PATTERN_NO;
	found = pcre2_match(pattern->code, (PCRE2_SPTR)text,
			    text_prefix(text, strlen(text), TEXT_MAX), 0, PCRE2_NO_UTF_CHECK,
			    pattern->data, pattern->limits);
	if (found >= 0)
		return PATTERN_YES;
	return found == PCRE2_ERROR_NOMATCH ? PATTERN_NO : PATTERN_STOPPED;
}
