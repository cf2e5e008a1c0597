#include <criterion/criterion.h>
#include <string.h>

#include "api/fields.h"
#include "base/json.h"
#include "base/memory.h"

static const struct field table[] = {
	{ "name", FIELD_TEXT, true, 1, 6, NULL, NULL },
	{ "state", FIELD_TEXT, false, 0, 0, "online|busy|on", NULL },
	{ "count", FIELD_INT, false, -2, 60, NULL, NULL },
	{ "free", FIELD_INT, false, 0, 0, NULL, NULL },
	{ "yes", FIELD_BOOL, false, 0, 0, NULL, NULL },
	{ "until", FIELD_TIME, false, 0, 0, NULL, NULL },
	{ "tags", FIELD_TEXTS, false, 0, 2, NULL, NULL },
	{ "object", FIELD_OBJECT, false, 0, 0, NULL, NULL },
	{ "objects", FIELD_OBJECTS, false, 0, 2, NULL, NULL },
	{ "any", FIELD_ANY, false, 0, 0, NULL, NULL },
	{ 0 },
};

struct row {
	const char *body;    /* NULL: none */
	const char *pointer; /* NULL: good */
	const char *problem; /* how it begins */
};

static const struct row rows[] = {
	{ "{\"name\":\"a\"}", NULL, NULL },
	{ "{\"name\":\"abcdef\"}", NULL, NULL },
	{ "{\"name\":\"张三\"}", NULL, NULL },
	{ "{\"name\":\"a\",\"state\":\"on\",\"count\":-2,\"free\":9007199254740993,\"yes\":false,"
	  "\"until\":\"2026-11-22T20:45:00+08:00\",\"tags\":[\"a\",\"b\"],\"object\":{\"x\":[]},"
	  "\"objects\":[{},{}],\"any\":[1]}",
	  NULL, NULL },
	{ "{\"name\":\"a\",\"state\":null,\"count\":null,\"yes\":null,\"tags\":null}", NULL, NULL },
	{ NULL, "#/body/name", "is missing" },
	{ "{}", "#/body/name", "is missing" },
	{ "{\"name\":null}", "#/body/name", "is missing" },
	{ "[]", "#/body", "must be a JSON object" },
	{ "\"name\"", "#/body", "must be a JSON object" },
	{ "{\"name\":\"\"}", "#/body/name", "must not be empty" },
	{ "{\"name\":\"abcdefg\"}", "#/body/name", "is longer than 6 bytes" },
	{ "{\"name\":\"张三李\"}", "#/body/name", "is longer than 6 bytes" },
	{ "{\"name\":1}", "#/body/name", "must be a string" },
	{ "{\"name\":[\"a\"]}", "#/body/name", "must be a string" },
	{ "{\"name\":\"a\",\"nam\":\"b\"}", "#/body/nam",
	  "is not known here; did you mean \"name\"?" },
	{ "{\"name\":\"a\",\"colour\":1}", "#/body/colour", "is not known here" },
	{ "{\"name\":\"a\",\"NAME\":\"b\"}", "#/body/NAME", "is not known here" },
	{ "{\"name\":\"a\",\"*\":1}", "#/body/*", "is not known here" },
	{ "{\"name\":\"a\",\"state\":\"offline\"}", "#/body/state",
	  "must be one of online|busy|on" },
	{ "{\"name\":\"a\",\"state\":\"onl\"}", "#/body/state", "must be one of" },
	{ "{\"name\":\"a\",\"state\":\"\"}", "#/body/state", "must be one of" },
	{ "{\"name\":\"a\",\"state\":\"online|busy\"}", "#/body/state", "must be one of" },
	{ "{\"name\":\"a\",\"count\":-3}", "#/body/count", "must be between -2 and 60" },
	{ "{\"name\":\"a\",\"count\":61}", "#/body/count", "must be between -2 and 60" },
	{ "{\"name\":\"a\",\"count\":1.5}", "#/body/count", "must be a whole number" },
	{ "{\"name\":\"a\",\"count\":\"1\"}", "#/body/count", "must be a whole number" },
	{ "{\"name\":\"a\",\"count\":true}", "#/body/count", "must be a whole number" },
	{ "{\"name\":\"a\",\"yes\":1}", "#/body/yes", "must be true or false" },
	{ "{\"name\":\"a\",\"yes\":\"true\"}", "#/body/yes", "must be true or false" },
	{ "{\"name\":\"a\",\"until\":\"tomorrow\"}", "#/body/until", "must be an RFC 3339 time" },
	{ "{\"name\":\"a\",\"until\":\"\"}", "#/body/until", "must be an RFC 3339 time" },
	{ "{\"name\":\"a\",\"until\":1}", "#/body/until", "must be a string" },
	{ "{\"name\":\"a\",\"tags\":\"a\"}", "#/body/tags", "must be a list of strings" },
	{ "{\"name\":\"a\",\"tags\":[\"a\",1]}", "#/body/tags", "must be a list of strings" },
	{ "{\"name\":\"a\",\"tags\":[\"a\",null]}", "#/body/tags", "must be a list of strings" },
	{ "{\"name\":\"a\",\"tags\":[\"a\",\"b\",\"c\"]}", "#/body/tags", "has too many items" },
	{ "{\"name\":\"a\",\"object\":[]}", "#/body/object", "must be an object" },
	{ "{\"name\":\"a\",\"objects\":{}}", "#/body/objects", "must be a list of objects" },
	{ "{\"name\":\"a\",\"objects\":[\"a\"]}", "#/body/objects", "must be a list of objects" },
	{ "{\"name\":\"a\",\"objects\":[{},{},{}]}", "#/body/objects", "has too many items" },
};

Test(fields, says_what_is_wrong_and_where)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(0);
		struct error err;
		struct json_object *body =
			rows[i].body == NULL ? NULL
					     : json_read(rows[i].body, strlen(rows[i].body), &err);
		const char *pointer = "";
		const char *problem = "";
		int got = fields_check(table, body, arena, &pointer, &problem);

		cr_expect_eq(got, rows[i].pointer == NULL ? 0 : -1, "%s: %s %s", rows[i].body,
			     pointer, problem);
		if (rows[i].pointer != NULL && got != 0) {
			cr_expect_str_eq(pointer, rows[i].pointer, "%s: %s", rows[i].body, pointer);
			cr_expect_eq(strncmp(problem, rows[i].problem, strlen(rows[i].problem)), 0,
				     "%s: %s", rows[i].body, problem);
		}
		json_free(&body);
		arena_free(&arena);
	}
}

Test(fields, a_star_leaves_the_rest_to_the_handler)
{
	static const struct field any[] = { { "*", FIELD_ANY, false, 0, 0, NULL, NULL }, { 0 } };
	static const char text[] = "{\"whatever\":{\"a\":1},\"else\":null}";
	struct arena *arena = arena_new(0);
	struct error err;
	struct json_object *body = json_read(text, strlen(text), &err);
	const char *pointer;
	const char *problem;

	cr_assert_eq(fields_check(any, body, arena, &pointer, &problem), 0);
	json_free(&body);
	arena_free(&arena);
}
