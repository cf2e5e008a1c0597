#include "api/match.h"

#include <string.h>

#include "base/limits.h"
#include "base/text.h"

enum { PARAMS_MAX = 3 };

static char *segment_decode(struct arena *arena, const char *text, size_t len)
{
	char *out;
	long used;

	if (len == 0 || len > LIMIT_ID_BYTES * 3)
		return NULL;
	out = arena_alloc(arena, len + 1);
	used = text_unpercent(text, len, false, out, len + 1);
	if (used <= 0 || used > LIMIT_ID_BYTES || !text_is_utf8(out, (size_t)used) ||
	    memchr(out, '/', (size_t)used) != NULL)
		return NULL;
	out[used] = '\0';
	return out;
}

static bool pattern_fits(const char *pattern, const char *path, struct arena *arena,
			 const char **params)
{
	size_t count = 0;

	while (*pattern != '\0') {
		const char *end;

		if (*pattern != '{') {
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		end = strchrnul(path, '/');
		if (count == PARAMS_MAX)
			return false;
		params[count] = segment_decode(arena, path, (size_t)(end - path));
		if (params[count++] == NULL)
			return false;
		path = end;
		pattern = strchr(pattern, '}') + 1;
	}
	return *path == '\0';
}

enum match route_match(const char *method, const char *path, struct arena *arena,
		       struct route_found *ret)
{
	const struct route *route;
	const char *wanted = text_equal(method, "HEAD") ? "GET" : method;

	ret->allowed = NULL;
	for (size_t i = 0; (route = api_route(i)) != NULL; i++) {
		const char *found[PARAMS_MAX] = { NULL };

		if (!pattern_fits(route->pattern, path, arena, found))
			continue;
		if (text_equal(route->method, wanted)) {
			memcpy(ret->params, found, sizeof(found));
			ret->route = route;
			return MATCH_FOUND;
		}
		ret->allowed = ret->allowed == NULL
				       ? route->method
				       : arena_format(arena, "%s, %s", ret->allowed, route->method);
	}
	return ret->allowed == NULL ? MATCH_NO_PATH : MATCH_NO_METHOD;
}
