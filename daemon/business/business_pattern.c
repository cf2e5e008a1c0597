#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "business/business_field.h"

static bool is_ascii(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((*text & 0x80) != 0)
			return false;
	}
	return true;
}

bool business_pattern_check(const struct settings_source *source, const struct place *at,
			    const char *name, const char *pattern)
{
	PCRE2_UCHAR why[160];
	PCRE2_SIZE offset = 0;
	int code = 0;
	pcre2_code *compiled =
		pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
			      PCRE2_UTF | PCRE2_UCP | PCRE2_CASELESS | PCRE2_NEVER_BACKSLASH_C,
			      &code, &offset, NULL);

	if (compiled == NULL) {
		pcre2_get_error_message(code, why, sizeof(why));
		problem_error(
			source->problems, at,
			"\"%s\" is no regular expression: %s at byte %zu\tput a backslash before "
			"a sign that is meant as it is",
			name, (const char *)why, (size_t)offset);
		return false;
	}
	pcre2_code_free(compiled);
	if (strstr(pattern, "\\b") != NULL && !is_ascii(pattern))
		problem_warn(source->problems, at,
			     "\"%s\": \\b does not match between Chinese characters\tleave it out",
			     name);
	return true;
}
