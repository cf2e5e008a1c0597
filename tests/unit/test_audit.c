/* Every route that changes something and that agents may not call leaves an entry in the audit. */
#include <criterion/criterion.h>
#include <string.h>

#include "api/audit.h"
#include "base/text.h"

static const struct route *route_named(const char *method, const char *pattern)
{
	const struct route *route;

	for (size_t i = 0; (route = api_route(i)) != NULL; i++)
		if (text_equal(route->method, method) && text_equal(route->pattern, pattern))
			return route;
	cr_assert(false, "there is no route %s %s", method, pattern);
	return NULL;
}

Test(audit, administrative_routes_are_audited)
{
	const struct route *route;
	size_t audited = 0;

	for (size_t i = 0; (route = api_route(i)) != NULL; i++) {
		bool is_administrative = !text_equal(route->method, "GET") &&
					 !text_equal(route->method, "OPTIONS") &&
					 (route->roles & (ROLE_PUBLIC | ROLE_AGENT)) == 0;

		if (is_administrative)
			cr_expect(audit_is_wanted(route), "%s %s leaves no entry", route->method,
				  route->pattern);
		audited += audit_is_wanted(route) ? 1 : 0;
	}
	cr_expect_gt(audited, 40);
}

Test(audit, so_are_acts_of_agents_that_decide_for_good)
{
	static const char *const named[][2] = {
		{ "POST", "/v1/customers/{id}/merge" },
		{ "POST", "/v1/customers/{id}/split" },
		{ "POST", "/v1/customers/merges/{id}/revert" },
		{ "PUT", "/v1/customers/{id}/identifiers/{identifier}" },
		{ "POST", "/v1/customers/{id}/suggestions/{other}/accept" },
		{ "POST", "/v1/customers/{id}/suggestions/{other}/dismiss" },
		{ "POST", "/v1/customers/{id}/merges/{merge}/revert" },
		{ "POST", "/v1/messages/{id}/decide" },
		{ "GET", "/v1/export/customers" },
	};

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		cr_expect(audit_is_wanted(route_named(named[i][0], named[i][1])), "%s",
			  named[i][1]);
	cr_expect_not(audit_is_wanted(route_named("POST", "/v1/work/claim")));
	cr_expect_not(audit_is_wanted(route_named("GET", "/v1/queues")));
}

Test(audit, types_are_the_words_of_the_path)
{
	static const struct {
		const char *method;
		const char *pattern;
		const char *type;
	} named[] = {
		{ "PUT", "/v1/queues/{id}", "queues.put" },
		{ "DELETE", "/v1/customers/{id}", "customers.delete" },
		{ "POST", "/v1/customers/merges/{id}/revert", "customers.merges.revert" },
		{ "POST", "/v1/tokens", "tokens" },
		{ "DELETE", "/v1/customers/{id}/hold", "customers.hold.delete" },
	};
	char type[AUDIT_TYPE_BYTES];

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		audit_type(route_named(named[i].method, named[i].pattern), type);
		cr_expect_str_eq(type, named[i].type);
	}
}
