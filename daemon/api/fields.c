#include "api/fields.h"

#include <string.h>

#include "base/text.h"

enum { TEXT_DEFAULT_MAX = 1000 };

struct check {
	const struct field *table;
	struct arena *arena;
	const char *pointer;
	const char *problem;
};

static const struct field *field_find(const struct field *table, const char *name)
{
	for (; table->name != NULL; table++)
		if (text_equal(table->name, name))
			return table;
	return NULL;
}

static const struct field *field_nearest(const struct field *table, const char *name)
{
	const struct field *best = NULL;
	size_t best_distance = 3;

	for (; table->name != NULL; table++) {
		size_t distance = text_distance(table->name, name, 2);

		if (distance < best_distance) {
			best_distance = distance;
			best = table;
		}
	}
	return best;
}

static bool is_choice(const char *choices, const char *text)
{
	size_t len = strlen(text);

	while (*choices != '\0') {
		const char *end = strchrnul(choices, '|');

		if ((size_t)(end - choices) == len && memcmp(choices, text, len) == 0)
			return true;
		choices = *end == '\0' ? end : end + 1;
	}
	return false;
}

static const char *text_problem(const struct field *field, struct json_object *value,
				struct arena *arena)
{
	const char *text = json_string(value);
	int64_t max = field->max == 0 ? TEXT_DEFAULT_MAX : field->max;

	if (text == NULL)
		return "must be a string";
	if ((int64_t)strlen(text) < field->min)
		return "must not be empty";
	if ((int64_t)strlen(text) > max)
		return arena_format(arena, "is longer than %lld bytes", (long long)max);
	if (field->choices != NULL && !is_choice(field->choices, text))
		return arena_format(arena, "must be one of %s", field->choices);
	if (field->kind == FIELD_TIME && text_parse_time(text) < 0)
		return "must be an RFC 3339 time such as 2026-11-22T20:45:00Z";
	return NULL;
}

static const char *number_problem(const struct field *field, struct json_object *value,
				  struct arena *arena)
{
	int64_t number = json_int(value, "", INT64_MIN);

	if (json_kind(value) != JSON_NUMBER || number == INT64_MIN)
		return "must be a whole number";
	if ((field->max != 0 && number > field->max) || number < field->min)
		return arena_format(arena, "must be between %lld and %lld", (long long)field->min,
				    (long long)field->max);
	return NULL;
}

static const char *list_problem(const struct field *field, struct json_object *value)
{
	bool of_texts = field->kind == FIELD_TEXTS;
	const char *wrong = of_texts ? "must be a list of strings" : "must be a list of objects";

	if (json_kind(value) != JSON_ARRAY)
		return wrong;
	if (json_count(value) > (size_t)(field->max == 0 ? 100 : field->max))
		return "has too many items";
	for (size_t i = 0; i < json_count(value); i++)
		if (json_kind(json_item(value, i)) != (of_texts ? JSON_TEXT : JSON_OBJECT))
			return wrong;
	for (size_t i = 0; of_texts && i < json_count(value); i++)
		if (strlen(json_string(json_item(value, i))) > TEXT_DEFAULT_MAX)
			return "has an item that is longer than 1000 bytes";
	return NULL;
}

static const char *value_problem(const struct field *field, struct json_object *value,
				 struct arena *arena)
{
	switch (field->kind) {
	case FIELD_TEXT:
	case FIELD_TIME:
		return text_problem(field, value, arena);
	case FIELD_INT:
		return number_problem(field, value, arena);
	case FIELD_BOOL:
		return json_kind(value) == JSON_BOOL ? NULL : "must be true or false";
	case FIELD_TEXTS:
	case FIELD_OBJECTS:
		return list_problem(field, value);
	case FIELD_OBJECT:
		return json_kind(value) == JSON_OBJECT ? NULL : "must be an object";
	case FIELD_ANY:
		return NULL;
	}
	return NULL;
}

static void check_member(const char *key, struct json_object *value, void *context)
{
	struct check *check = context;
	const struct field *field = field_find(check->table, key);
	const struct field *near;

	if (check->problem != NULL)
		return;
	if (field == NULL)
		field = field_find(check->table, "*"); /* the handler judges the rest */
	if (field == NULL) {
		near = field_nearest(check->table, key);
		check->problem = near == NULL
					 ? "is not known here"
					 : arena_format(check->arena,
							"is not known here; did you mean \"%s\"?",
							near->name);
	} else if (json_kind(value) != JSON_NULL) {
		check->problem = value_problem(field, value, check->arena);
	}
	if (check->problem != NULL)
		check->pointer = arena_format(check->arena, "#/body/%s", key);
}

int fields_check(const struct field *table, struct json_object *body, struct arena *arena,
		 const char **ret_pointer, const char **ret_problem)
{
	struct check check = { .table = table, .arena = arena };

	if (body != NULL && json_kind(body) != JSON_OBJECT) {
		*ret_pointer = "#/body";
		*ret_problem = "must be a JSON object";
		return -1;
	}
	if (body != NULL)
		json_each_field(body, check_member, &check);
	for (; check.problem == NULL && table->name != NULL; table++) {
		if (!table->required || (body != NULL && json_has(body, table->name)))
			continue;
		check.pointer = arena_format(arena, "#/body/%s", table->name);
		check.problem = "is missing";
	}
	if (check.problem == NULL)
		return 0;
	*ret_pointer = check.pointer;
	*ret_problem = check.problem;
	return -1;
}
