#include <criterion/criterion.h>
#include <string.h>

#include "api/match.h"
#include "base/limits.h"
#include "base/memory.h"

struct row {
	const char *method;
	const char *path;
	enum match want;
	const char *pattern; /* of MATCH_FOUND */
	const char *params[2];
};

static const struct row rows[] = {
	{ "GET", "/", MATCH_FOUND, "/", { 0 } },
	{ "HEAD", "/healthz", MATCH_FOUND, "/healthz", { 0 } },
	{ "GET", "/v1/work-items", MATCH_FOUND, "/v1/work-items", { 0 } },
	{ "GET", "/v1/work-items/wrk_1", MATCH_FOUND, "/v1/work-items/{id}", { "wrk_1" } },
	{ "GET",
	  "/v1/work-items/wrk_1/explain",
	  MATCH_FOUND,
	  "/v1/work-items/{id}/explain",
	  { "wrk_1" } },
	{ "POST",
	  "/v1/work-items/wrk_1/accept",
	  MATCH_FOUND,
	  "/v1/work-items/{id}/accept",
	  { "wrk_1" } },
	{ "POST", "/in/main.shop", MATCH_FOUND, "/in/{channel}", { "main.shop" } },
	{ "GET",
	  "/chat/site/attachments/ab",
	  MATCH_FOUND,
	  "/chat/{channel}/attachments/{id}",
	  { "site", "ab" } },
	{ "GET", "/v1/agents/%E5%BC%A0", MATCH_FOUND, "/v1/agents/{id}", { "张" } },
	{ "GET", "/v1/agents/a%20b%3Fc", MATCH_FOUND, "/v1/agents/{id}", { "a b?c" } },
	{ "GET", "/v1/agents/a+b", MATCH_FOUND, "/v1/agents/{id}", { "a+b" } },
	{ "GET", "/v1/agents/..", MATCH_FOUND, "/v1/agents/{id}", { ".." } },
	{ "DELETE", "/v1/work-items/wrk_1", MATCH_NO_METHOD, NULL, { 0 } },
	{ "get", "/healthz", MATCH_NO_METHOD, NULL, { 0 } },
	{ "PUT", "/in/shop", MATCH_NO_METHOD, NULL, { 0 } },
	{ "GET", "", MATCH_NO_PATH, NULL, { 0 } },
	{ "GET", "*", MATCH_NO_PATH, NULL, { 0 } },
	{ "GET", "//", MATCH_NO_PATH, NULL, { 0 } },
	{ "GET", "/v1", MATCH_NO_PATH, NULL, { 0 } },
	{ "GET", "/v1/", MATCH_NO_PATH, NULL, { 0 } },
	{ "GET", "/V1/me", MATCH_NO_PATH, NULL, { 0 } },
	{ "GET", "/v1/me/", MATCH_NO_PATH, NULL, { 0 } },
	{ "GET", "/v1//me", MATCH_NO_PATH, NULL, { 0 } },
	{ "GET", "/v1/work-items/", MATCH_NO_PATH, NULL, { 0 } },
	{ "GET", "/v1/work-items/a/", MATCH_NO_PATH, NULL, { 0 } },
	{ "GET", "/v1/agents/a%2Fb", MATCH_NO_PATH, NULL, { 0 } },
	{ "GET", "/v1/agents/a%00b", MATCH_NO_PATH, NULL, { 0 } },
	{ "GET", "/v1/agents/a%zzb", MATCH_NO_PATH, NULL, { 0 } },
	{ "GET", "/v1/agents/a%", MATCH_NO_PATH, NULL, { 0 } },
	{ "GET", "/v1/agents/%FF", MATCH_NO_PATH, NULL, { 0 } },
	{ "GET", "/v1/agents/%C0%AF", MATCH_NO_PATH, NULL, { 0 } },
	{ "GET", "/in/", MATCH_NO_PATH, NULL, { 0 } },
	{ "GET", "/in/a/b", MATCH_NO_PATH, NULL, { 0 } },
};

Test(match, finds_the_row_for_a_request)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(0);
		struct route_found found = { 0 };

		cr_expect_eq(route_match(rows[i].method, rows[i].path, arena, &found), rows[i].want,
			     "%s %s", rows[i].method, rows[i].path);
		if (rows[i].want == MATCH_FOUND && found.route != NULL) {
			cr_expect_str_eq(found.route->pattern, rows[i].pattern);
			for (size_t p = 0; p < 2 && rows[i].params[p] != NULL; p++)
				cr_expect_str_eq(found.params[p], rows[i].params[p]);
		}
		arena_free(&arena);
	}
}

Test(match, tells_the_methods_of_a_known_path)
{
	struct arena *arena = arena_new(0);
	struct route_found found = { 0 };

	cr_assert_eq(route_match("PATCH", "/v1/agents/a", arena, &found), MATCH_NO_METHOD);
	cr_assert_str_eq(found.allowed, "GET, PUT, DELETE");
	arena_free(&arena);
}

static enum match match_of_length(size_t len, const char *unit)
{
	struct arena *arena = arena_new(0);
	struct route_found found = { 0 };
	char path[4 * LIMIT_ID_BYTES] = "/v1/agents/";
	enum match got;

	for (size_t i = 0; i < len; i++)
		strcat(path, unit);
	got = route_match("GET", path, arena, &found);
	arena_free(&arena);
	return got;
}

Test(match, bounds_a_parameter)
{
	cr_assert_eq(match_of_length(LIMIT_ID_BYTES, "a"), MATCH_FOUND);
	cr_assert_eq(match_of_length(LIMIT_ID_BYTES + 1, "a"), MATCH_NO_PATH);
	cr_assert_eq(match_of_length(LIMIT_ID_BYTES, "%61"), MATCH_FOUND);
	cr_assert_eq(match_of_length(LIMIT_ID_BYTES + 1, "%61"), MATCH_NO_PATH);
}

Test(match, no_row_hides_behind_another)
{
	const struct route *route;

	for (size_t i = 0; (route = api_route(i)) != NULL; i++) {
		struct arena *arena = arena_new(0);
		struct route_found found = { 0 };
		char path[200];
		size_t len = 0;

		/* Its own pattern with x for each parameter. */
		for (const char *c = route->pattern; *c != '\0'; c++) {
			path[len++] = *c == '{' ? 'x' : *c;
			if (*c == '{')
				c = strchr(c, '}');
		}
		path[len] = '\0';
		cr_expect_eq(route_match(route->method, path, arena, &found), MATCH_FOUND);
		cr_expect_eq(found.route, route, "%s %s", route->method, route->pattern);
		arena_free(&arena);
	}
}

/* What is public is not under /v1, but for the ways in that bring their own proof, and what says
 * which there are. */
static bool is_way_in(const char *pattern)
{
	static const char *const ways[] = { "/v1/session", "/v1/session/ways", "/v1/oidc/start",
					    "/v1/oidc/callback", "/v1/events" };

	for (size_t i = 0; i < COUNT_OF(ways); i++)
		if (strcmp(pattern, ways[i]) == 0)
			return true;
	return false;
}

Test(match, every_row_is_whole)
{
	const struct route *route;

	for (size_t i = 0; (route = api_route(i)) != NULL; i++) {
		cr_expect_neq(route->roles, 0u, "%s", route->pattern);
		cr_expect_not_null(route->run);
		cr_expect_not_null(route->summary);
		cr_expect_geq(route->status, 200);
		cr_expect_lt(route->status, 400);
		if ((route->roles & ROLE_PUBLIC) != 0 && strncmp(route->pattern, "/v1/", 4) == 0)
			cr_expect(is_way_in(route->pattern), "%s", route->pattern);
	}
}
