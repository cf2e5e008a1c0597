/* /openapi.json, made from the route table: what is served is what is described. */
#include <stdio.h>
#include <string.h>

#include "api/handlers.h"
#include "api/openapi.h"
#include "base/embedded.h"
#include "base/text.h"

static void write_type(struct json_out *out, const struct field *field)
{
	static const char *const types[] = { "string", "integer", "boolean", "string",
					     "array",  "object",  "array",   NULL };

	if (types[field->kind] != NULL)
		jw_text(out, "type", types[field->kind]);
	if (field->kind == FIELD_TIME)
		jw_text(out, "format", "date-time");
	if (field->kind == FIELD_TEXTS || field->kind == FIELD_OBJECTS) {
		jw_object(out, "items");
		jw_text(out, "type", field->kind == FIELD_TEXTS ? "string" : "object");
		jw_object_end(out);
	}
}

static void write_choices(struct json_out *out, const char *choices)
{
	jw_array(out, "enum");
	while (*choices != '\0') {
		const char *end = strchrnul(choices, '|');

		jw_textn(out, NULL, choices, (size_t)(end - choices));
		choices = *end == '\0' ? end : end + 1;
	}
	jw_array_end(out);
}

static void write_field(struct json_out *out, const struct field *field)
{
	jw_object(out, field->name);
	write_type(out, field);
	if (field->kind == FIELD_TEXT && field->min > 0)
		jw_int(out, "minLength", field->min);
	if (field->kind == FIELD_TEXT && field->max > 0)
		jw_int(out, "maxLength", field->max);
	if (field->kind == FIELD_INT && field->max > 0) {
		jw_int(out, "minimum", field->min);
		jw_int(out, "maximum", field->max);
	}
	if (field->choices != NULL)
		write_choices(out, field->choices);
	if (field->text != NULL)
		jw_text(out, "description", field->text);
	jw_object_end(out);
}

static void write_body(struct json_out *out, const struct field *fields)
{
	bool any = text_equal(fields->name, "*");
	bool required = false;

	jw_object(out, "requestBody");
	for (const struct field *field = fields; field->name != NULL; field++)
		required = required || field->required;
	jw_bool(out, "required", required || any);
	jw_object(out, "content");
	jw_object(out, "application/json");
	jw_object(out, "schema");
	jw_text(out, "type", "object");
	jw_bool(out, "additionalProperties", any);
	if (required) {
		jw_array(out, "required");
		for (const struct field *field = fields; field->name != NULL; field++)
			if (field->required)
				jw_text(out, NULL, field->name);
		jw_array_end(out);
	}
	jw_object(out, "properties");
	for (const struct field *field = fields; field->name != NULL && !any; field++)
		write_field(out, field);
	jw_object_end(out);
	jw_object_end(out);
	jw_object_end(out);
	jw_object_end(out);
	jw_object_end(out);
}

static void write_parameter(struct json_out *out, const char *where, const char *name, size_t len)
{
	jw_object(out, NULL);
	jw_textn(out, "name", name, len);
	jw_text(out, "in", where);
	jw_bool(out, "required", text_equal(where, "path"));
	jw_object(out, "schema");
	if (len == 5 && memcmp(name, "limit", 5) == 0) {
		jw_text(out, "type", "integer");
		jw_int(out, "minimum", 1);
		jw_int(out, "maximum", 200);
		jw_int(out, "default", 50);
	} else {
		jw_text(out, "type", "string");
		if (len == 5 && memcmp(name, "order", 5) == 0)
			write_choices(out, "asc|desc");
	}
	jw_object_end(out);
	jw_object_end(out);
}

static void write_header(struct json_out *out, const char *name, const char *text)
{
	jw_object(out, NULL);
	jw_text(out, "name", name);
	jw_text(out, "in", "header");
	jw_text(out, "description", text);
	jw_object(out, "schema");
	jw_text(out, "type", "string");
	jw_object_end(out);
	jw_object_end(out);
}

static void write_parameters(struct json_out *out, const struct route *route)
{
	const char *at = route->pattern;
	const char *query = route->query == NULL || *route->query == '*' ? "" : route->query;

	jw_array(out, "parameters");
	while ((at = strchr(at, '{')) != NULL) {
		const char *end = strchr(at, '}');

		write_parameter(out, "path", at + 1, (size_t)(end - at - 1));
		at = end;
	}
	while (*query != '\0') {
		const char *end = strchrnul(query, ',');

		write_parameter(out, "query", query, (size_t)(end - query));
		query = *end == '\0' ? end : end + 1;
	}
	if (text_equal(route->method, "POST") && text_starts(route->pattern, "/v1/"))
		write_header(out, "Idempotency-Key",
			     "the same key and request again: the same answer, without the effect");
	jw_array_end(out);
}

static void write_answers(struct json_out *out, const struct route *route)
{
	char status[8];
	char schema[100];

	snprintf(status, sizeof(status), "%d", route->status);
	jw_object(out, "responses");
	jw_object(out, status);
	jw_text(out, "description", route->summary);
	if (route->answer != NULL) {
		snprintf(schema, sizeof(schema), "#/components/schemas/%s", route->answer);
		jw_object(out, "content");
		jw_object(out, "application/json");
		jw_object(out, "schema");
		jw_text(out, "$ref", schema);
		jw_object_end(out);
		jw_object_end(out);
		jw_object_end(out);
	}
	jw_object_end(out);
	jw_object(out, "default");
	jw_text(out, "$ref", "#/components/responses/Problem");
	jw_object_end(out);
	jw_object_end(out);
}

static void write_roles(struct json_out *out, unsigned roles)
{
	static const struct {
		unsigned role;
		const char *name;
	} names[] = {
		{ ROLE_AGENT, "agent" },
		{ ROLE_SUPERVISOR, "supervisor" },
		{ ROLE_ADMIN, "admin" },
		{ ROLE_INTEGRATION, "integration" },
	};

	jw_array(out, "security");
	if ((roles & ROLE_PUBLIC) == 0) {
		jw_object(out, NULL);
		jw_array(out, "bearer");
		jw_array_end(out);
		jw_object_end(out);
	}
	jw_array_end(out);
	jw_array(out, "x-roles");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((roles & names[i].role) != 0)
			jw_text(out, NULL, names[i].name);
	if ((roles & ROLE_PUBLIC) != 0)
		jw_text(out, NULL, "public");
	jw_array_end(out);
}

static void write_operation(struct json_out *out, const struct route *route)
{
	char method[12];
	size_t len = strlen(route->method);

	for (size_t i = 0; i <= len; i++)
		method[i] = route->method[i] >= 'A' && route->method[i] <= 'Z'
				    ? (char)(route->method[i] + 32)
				    : route->method[i];
	jw_object(out, method);
	jw_text(out, "summary", route->summary);
	write_roles(out, route->roles);
	write_parameters(out, route);
	if (route->body != NULL && route->body->name != NULL)
		write_body(out, route->body);
	write_answers(out, route);
	jw_object_end(out);
}

static bool is_first_of_path(size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (text_equal(api_route(i)->pattern, api_route(index)->pattern))
			return false;
	return true;
}

static void write_paths(struct json_out *out)
{
	const struct route *route, *other;

	jw_object(out, "paths");
	for (size_t i = 0; (route = api_route(i)) != NULL; i++) {
		if (!is_first_of_path(i))
			continue;
		jw_object(out, route->pattern);
		for (size_t j = i; (other = api_route(j)) != NULL; j++)
			if (text_equal(route->pattern, other->pattern))
				write_operation(out, other);
		jw_object_end(out);
	}
	jw_object_end(out);
}

void openapi_write(struct buf *body)
{
	struct json_out out;

	jw_start(&out, body);
	jw_object(&out, NULL);
	jw_text(&out, "openapi", "3.1.0");
	jw_object(&out, "info");
	jw_text(&out, "title", "Converge");
	jw_text(&out, "version", CONVERGE_VERSION);
	jw_text(&out, "summary", "Omnichannel message broker");
	jw_object(&out, "license");
	jw_text(&out, "name", "Apache-2.0");
	jw_text(&out, "identifier", "Apache-2.0");
	jw_object_end(&out);
	jw_object_end(&out);
	jw_array(&out, "servers");
	jw_object(&out, NULL);
	jw_text(&out, "url", "/");
	jw_object_end(&out);
	jw_array_end(&out);
	write_paths(&out);
	jw_raw(&out, "components", (const char *)embedded_schemas, embedded_schemas_len);
	jw_object_end(&out);
}

void handle_openapi(struct api_call *call)
{
	struct buf body = { 0 };

	openapi_write(&body);
	api_answer(call, 200, &body);
}
