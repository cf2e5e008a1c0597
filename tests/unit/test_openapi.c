#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "api/openapi.h"
#include "base/json.h"

static struct json_object *document;

static void setup(void)
{
	struct buf body = { 0 };
	struct error err;

	openapi_write(&body);
	document = json_read(body.data, body.len, &err);
	cr_assert_not_null(document, "%s", err.text);
	buf_clear(&body);
}

static void teardown(void)
{
	json_free(&document);
}

TestSuite(openapi, .init = setup, .fini = teardown);

struct finding {
	const char *key;
	struct json_object *value;
};

static void on_member(const char *key, struct json_object *value, void *context)
{
	struct finding *finding = context;

	if (strcmp(key, finding->key) == 0)
		finding->value = value;
}

/* Member by its whole key: patterns have dots and slashes. */
static struct json_object *member(struct json_object *object, const char *key)
{
	struct finding finding = { key, NULL };

	if (json_kind(object) == JSON_OBJECT)
		json_each_field(object, on_member, &finding);
	return finding.value;
}

static struct json_object *operation(const struct route *route)
{
	char method[12] = "";

	for (size_t i = 0; route->method[i] != '\0'; i++)
		method[i] = (char)(route->method[i] | 0x20);
	return member(member(json_at(document, "paths"), route->pattern), method);
}

Test(openapi, says_what_it_is)
{
	cr_assert_str_eq(json_text(document, "openapi"), "3.1.0");
	cr_assert_not_null(json_text(document, "info.title"));
	cr_assert_not_null(json_text(document, "info.version"));
}

Test(openapi, every_route_is_in_it)
{
	const struct route *route;

	cr_assert_not_null(api_route(50));
	for (size_t i = 0; (route = api_route(i)) != NULL; i++) {
		struct json_object *found = operation(route);
		char status[8];

		snprintf(status, sizeof(status), "%d", route->status);
		cr_expect_not_null(found, "%s %s", route->method, route->pattern);
		cr_expect_str_eq(json_text(found, "summary"), route->summary);
		cr_expect_not_null(member(member(found, "responses"), status), "%s",
				   route->pattern);
		cr_expect_gt(json_count(member(found, "x-roles")), 0, "%s", route->pattern);
		cr_expect_eq(json_count(member(found, "security")),
			     (route->roles & ROLE_PUBLIC) == 0 ? 1 : 0, "%s", route->pattern);
	}
}

Test(openapi, every_answer_s_schema_exists)
{
	const struct route *route;
	struct json_object *schemas = json_at(document, "components.schemas");

	for (size_t i = 0; (route = api_route(i)) != NULL; i++)
		if (route->answer != NULL)
			cr_expect_not_null(member(schemas, route->answer), "%s of %s",
					   route->answer, route->pattern);
	cr_expect_not_null(member(schemas, "Problem"));
}

Test(openapi, tells_parameters_and_bodies)
{
	static const struct route list = { .method = "GET", .pattern = "/v1/work-items" };
	static const struct route claim = { .method = "POST", .pattern = "/v1/work/claim" };
	static const struct route file = { .method = "GET",
					   .pattern = "/chat/{channel}/attachments/{id}" };
	struct json_object *parameters = member(operation(&list), "parameters");
	struct json_object *schema;

	cr_assert_eq(json_count(parameters), 7);
	cr_assert_str_eq(json_text(json_item(parameters, 6), "name"), "order");
	cr_assert_str_eq(json_text(json_item(parameters, 6), "in"), "query");
	parameters = member(operation(&file), "parameters");
	cr_assert_str_eq(json_text(json_item(parameters, 1), "name"), "id");
	cr_assert_str_eq(json_text(json_item(parameters, 1), "in"), "path");
	cr_assert(json_bool(json_item(parameters, 1), "required", false));
	schema = member(member(member(member(operation(&claim), "requestBody"), "content"),
			       "application/json"),
			"schema");
	cr_assert_str_eq(json_text(schema, "properties.wait_s.type"), "integer");
	cr_assert_eq(json_int(schema, "properties.wait_s.maximum", 0), 60);
	cr_assert_not(json_bool(schema, "additionalProperties", true));
}
