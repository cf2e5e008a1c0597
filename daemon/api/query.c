#include "api/query.h"

#include <string.h>

#include "base/text.h"

enum { NAME_MAX_BYTES = 40, PARAMETERS_MAX = 16 };

/* What stands between two '&'. */
struct pair {
	const char *name;
	size_t name_len;
	const char *value;
	size_t value_len;
};

static struct pair pair_at(const char *at, const char *end)
{
	const char *equals = memchr(at, '=', (size_t)(end - at));
	struct pair pair = { .name = at };

	pair.name_len = (size_t)((equals == NULL ? end : equals) - at);
	pair.value = equals == NULL ? end : equals + 1;
	pair.value_len = (size_t)(end - pair.value);
	return pair;
}

static bool is_known(const char *known, const struct pair *pair)
{
	while (*known != '\0') {
		const char *end = strchrnul(known, ',');

		if ((size_t)(end - known) == pair->name_len &&
		    memcmp(known, pair->name, pair->name_len) == 0)
			return true;
		known = *end == '\0' ? end : end + 1;
	}
	return false;
}

static bool value_is_text(struct arena *arena, const struct pair *pair)
{
	char *out = arena_alloc(arena, pair->value_len + 1);
	long len = text_unpercent(pair->value, pair->value_len, true, out, pair->value_len + 1);

	return len >= 0 && text_is_utf8(out, (size_t)len);
}

static bool pair_check(struct api_call *call, const struct pair *pair)
{
	const char *known = call->route->query == NULL ? "" : call->route->query;

	if (!is_known(known, pair)) {
		api_problem(
			call, 400, "unknown_parameter",
			"query parameter \"%.*s\" is not known here; known: %s",
			(int)(pair->name_len > NAME_MAX_BYTES ? NAME_MAX_BYTES : pair->name_len),
			pair->name, *known == '\0' ? "none" : known);
		return false;
	}
	if (value_is_text(call->arena, pair))
		return true;
	api_problem(call, 400, "bad_parameter",
		    "query parameter \"%.*s\" must be percent-encoded UTF-8 without NUL",
		    (int)pair->name_len, pair->name);
	return false;
}

static bool is_repeated(const struct pair *pairs, size_t count)
{
	const struct pair *last = &pairs[count - 1];

	for (size_t i = 0; i + 1 < count; i++)
		if (pairs[i].name_len == last->name_len &&
		    memcmp(pairs[i].name, last->name, last->name_len) == 0)
			return true;
	return false;
}

bool query_check(struct api_call *call)
{
	const struct http_head *head = http_request_head(call->request);
	const char *at = head->query;
	const char *end = at == NULL ? NULL : at + head->query_len;
	struct pair pairs[PARAMETERS_MAX];
	size_t count = 0;

	if (text_equal(call->route->query, "*"))
		return true;
	while (at != NULL && at < end) {
		const char *stop = memchr(at, '&', (size_t)(end - at));

		stop = stop == NULL ? end : stop;
		pairs[count] = pair_at(at, stop);
		if (!pair_check(call, &pairs[count]))
			return false;
		if (++count == PARAMETERS_MAX || is_repeated(pairs, count)) {
			api_problem(call, 400, "repeated_parameter",
				    "query parameter \"%.*s\" is given more than once",
				    (int)pairs[count - 1].name_len, pairs[count - 1].name);
			return false;
		}
		at = stop + 1;
	}
	return true;
}
