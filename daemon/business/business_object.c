#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "business/business_field.h"
#include "business/plan.h"

enum { LEVEL_MIN = 1, LEVEL_MAX = 5, LEVELS_MAX = 200, FIELDS_MAX = 48 };

union slot {
	bool flag;
	int64_t number;
	int choice;
	char *text;
	struct setting_texts texts;
};

struct writing {
	const struct settings_source *source;
	struct json_out *out;
};

static void shape_error(const struct writing *writing, const struct setting *row,
			const struct yaml_node *node, const char *wanted)
{
	problem_error(writing->source->problems, &node->at, "\"%s\" must be %s\t%s", row->name,
		      wanted, row->text);
}

static void levels_write(const struct writing *writing, const struct setting *row,
			 const struct yaml_node *node)
{
	static const struct setting level = { .kind = SETTING_COUNT,
					      .min = LEVEL_MIN,
					      .max = LEVEL_MAX };

	if (node->kind != NODE_MAP || node->count > LEVELS_MAX) {
		shape_error(writing, row, node, "a map of skill to level");
		return;
	}
	jw_object(writing->out, row->name);
	for (size_t i = 0; i < node->count; i++) {
		const struct yaml_pair *pair = &node->pairs[i];
		struct setting one = level;
		int64_t number = 0;
		struct setting_value value = { writing->source, &one,
					       pair->key,       pair->value->text,
					       pair->value->at, &number };

		one.name = settings_shown(writing->source->arena, pair->key);
		value.name = one.name;
		if (pair->key[0] == '\0' || strpbrk(pair->key, "&|>=(), ") != NULL)
			problem_error(
				writing->source->problems, &pair->at,
				"a skill's name must have no spaces and signs\twrite name: level");
		else if (setting_value_read(&value))
			jw_int(writing->out, pair->key, number);
	}
	jw_object_end(writing->out);
}

static void list_write(const struct writing *writing, const struct setting *row,
		       const struct yaml_node *node)
{
	if (node->kind != NODE_LIST || (int64_t)node->count > row->max) {
		shape_error(writing, row, node, "a list");
		return;
	}
	jw_array(writing->out, row->name);
	for (size_t i = 0; i < node->count; i++) {
		const struct yaml_node *item = node->items[i];

		if (item->kind != NODE_TEXT || yaml_is_empty(item) || item->text[0] == '\0' ||
		    strlen(item->text) > 200)
			shape_error(writing, row, item, "a list of short texts");
		else
			jw_text(writing->out, NULL, item->text);
	}
	jw_array_end(writing->out);
}

static bool is_choice(const struct setting *row, const char *text)
{
	for (size_t i = 0; row->choices != NULL && row->choices[i] != NULL; i++)
		if (strcmp(row->choices[i], text) == 0)
			return true;
	return row->choices == NULL;
}

static void one_text_write(const struct writing *writing, const struct setting *row,
			   const char *key, const struct yaml_node *item)
{
	const char *wrong = NULL;
	const char *near = NULL;

	if (item->kind != NODE_TEXT || yaml_is_empty(item) || item->text[0] == '\0' ||
	    strlen(item->text) > 200) {
		shape_error(writing, row, item, "a short text or a list of them");
		return;
	}
	if (!is_choice(row, item->text)) {
		near = settings_nearest(item->text, (const char *const *)row->choices);
		wrong = "is not known here";
	} else if (row->check != NULL) {
		wrong = row->check(item->text);
	}
	if (wrong != NULL)
		problem_error(writing->source->problems, &item->at, "\"%s\" of \"%s\" %s\t%s%s%s",
			      settings_shown(writing->source->arena, item->text), row->name, wrong,
			      near == NULL ? row->text : "did you mean \"",
			      near == NULL ? "" : near, near == NULL ? "" : "\"?");
	else
		jw_text(writing->out, key, item->text);
}

static void texts_write(const struct writing *writing, const struct setting *row, const char *key,
			const struct yaml_node *node)
{
	if (node->kind != NODE_LIST) {
		one_text_write(writing, row, key, node);
		return;
	}
	if (node->count == 0 || (int64_t)node->count > row->max) {
		shape_error(writing, row, node, "a text or a list with something in it");
		return;
	}
	jw_array(writing->out, key);
	for (size_t i = 0; i < node->count; i++)
		one_text_write(writing, row, NULL, node->items[i]);
	jw_array_end(writing->out);
}

static void words_write(const struct writing *writing, const struct setting *row,
			const struct yaml_node *node)
{
	if (node->kind != NODE_MAP || node->count == 0 || (int64_t)node->count > row->max) {
		shape_error(writing, row, node, "a map of name to text");
		return;
	}
	jw_object(writing->out, row->name);
	for (size_t i = 0; i < node->count; i++)
		texts_write(writing, row, node->pairs[i].key, node->pairs[i].value);
	jw_object_end(writing->out);
}

static void slot_write(const struct writing *writing, const struct setting *row,
		       const union slot *slot)
{
	char name[64];

	switch (row->kind) {
	case SETTING_BOOL:
		jw_bool(writing->out, row->name, slot->flag);
		break;
	case SETTING_CHOICE:
		jw_text(writing->out, row->name, row->choices[slot->choice]);
		break;
	case SETTING_TIME:
		snprintf(name, sizeof(name), "%s_ms", row->name);
		jw_int(writing->out, name, slot->number);
		break;
	case SETTING_COUNT:
		jw_int(writing->out, row->name, slot->number);
		break;
	default:
		jw_text(writing->out, row->name, slot->text);
		break;
	}
}

/* Where the expression is wrong is told by its own column, which stands behind the place. */
static bool need_check(const struct writing *writing, const struct business_field *field,
		       const char *text, const struct place *at)
{
	struct error err = { 0 };
	struct plan *plan = NULL;

	if (strpbrk(text, " ;*") == NULL)
		plan = plan_parse(text, &err);
	else
		error_set(&err, ERROR_MISUSE, "spaces, \";\" and \"*\" do not belong into it");
	if (plan == NULL)
		problem_error(writing->source->problems, at,
			      "\"%s\" is no expression over skills: %s\twrite it like "
			      "refunds>=2&(zh>=3|en>=4)",
			      field->row.name, err.text);
	plan_free(&plan);
	return err.kind == ERROR_NONE;
}

static void plain_write(const struct writing *writing, const struct business_field *field,
			const char *text, const struct place *at)
{
	union slot slot = { 0 };
	struct setting_value value = {
		writing->source, &field->row, field->row.name, text, *at, &slot
	};

	if (!setting_value_read(&value))
		return;
	if (field->form == FIELD_PATTERN &&
	    !business_pattern_check(writing->source, at, field->row.name, text))
		return;
	if (field->form == FIELD_NEED && !need_check(writing, field, text, at))
		return;
	slot_write(writing, &field->row, &slot);
}

static void objects_write(const struct writing *writing, const struct business_field *field,
			  const struct yaml_node *node)
{
	const struct setting *row = &field->row;

	if (node->kind != NODE_LIST || (int64_t)node->count > row->max) {
		shape_error(writing, row, node,
			    arena_format(writing->source->arena, "a list of at most %lld maps",
					 (long long)row->max));
		return;
	}
	jw_array(writing->out, row->name);
	for (size_t i = 0; i < node->count; i++) {
		if (node->items[i]->kind != NODE_MAP) {
			shape_error(writing, row, node->items[i], "a list of maps");
			continue;
		}
		jw_object(writing->out, NULL);
		business_object_read(writing->source, node->items[i], field->fields,
				     arena_format(writing->source->arena, "\"%s\"", row->name),
				     writing->out);
		jw_object_end(writing->out);
	}
	jw_array_end(writing->out);
}

static void field_write(const struct writing *writing, const struct business_field *field,
			const struct yaml_node *node)
{
	const struct setting *row = &field->row;

	if (field->form == FIELD_LEVELS) {
		levels_write(writing, row, node);
	} else if (field->form == FIELD_TEXTS) {
		texts_write(writing, row, row->name, node);
	} else if (field->form == FIELD_WORDS) {
		words_write(writing, row, node);
	} else if (field->form == FIELD_OBJECT && node->kind == NODE_MAP) {
		jw_object(writing->out, row->name);
		business_object_read(writing->source, node, field->fields,
				     arena_format(writing->source->arena, "\"%s\"", row->name),
				     writing->out);
		jw_object_end(writing->out);
	} else if (field->form == FIELD_OBJECTS) {
		objects_write(writing, field, node);
	} else if (row->kind == SETTING_LIST) {
		list_write(writing, row, node);
	} else if (node->kind != NODE_TEXT || field->form == FIELD_OBJECT) {
		shape_error(writing, row, node, setting_kind_noun(row->kind));
	} else {
		plain_write(writing, field, yaml_is_empty(node) ? "" : node->text, &node->at);
	}
}

/* A time may come as "<name>_ms" too. */
static bool milliseconds_write(const struct writing *writing, const struct business_field *field,
			       const struct yaml_node *map)
{
	const struct setting *row = &field->row;
	struct business_field plain = *field;
	const struct yaml_node *node;
	char name[64];

	snprintf(name, sizeof(name), "%s_ms", row->name);
	if (row->kind != SETTING_TIME || (node = yaml_find(map, name)) == NULL)
		return false;
	if (node->kind == NODE_TEXT)
		plain_write(writing, &plain,
			    arena_format(writing->source->arena, "%sms", node->text), &node->at);
	else
		shape_error(writing, row, node, "a time");
	return true;
}

static bool is_field(const char *key, const struct business_field *fields)
{
	for (; fields->row.name != NULL; fields++) {
		size_t len = strlen(fields->row.name);

		if (strcmp(key, fields->row.name) == 0)
			return true;
		if (fields->row.kind == SETTING_TIME && strncmp(key, fields->row.name, len) == 0 &&
		    strcmp(key + len, "_ms") == 0)
			return true;
	}
	return false;
}

static void unknown_keys(const struct settings_source *source, const struct yaml_node *map,
			 const struct business_field *fields, const char *where)
{
	const char *names[FIELDS_MAX + 1], *list = "";
	size_t count = 0;

	if (problems_errors(source->problems) >= PROBLEMS_MAX)
		return;
	for (; fields[count].row.name != NULL && count < FIELDS_MAX; count++) {
		names[count] = fields[count].row.name;
		list = arena_format(source->arena, "%s%s%s", list, count == 0 ? "" : ", ",
				    names[count]);
	}
	names[count] = NULL;
	for (size_t i = 0; i < map->count; i++) {
		const char *key = map->pairs[i].key;
		const char *near = settings_nearest(key, names);

		if (is_field(key, fields))
			continue;
		problem_error(source->problems, &map->pairs[i].at,
			      "unknown key \"%s\" in %s\t%s%s%s",
			      settings_shown(source->arena, key), where,
			      near == NULL ? "known here: " : "did you mean \"",
			      near == NULL ? list : near, near == NULL ? "" : "\"?");
	}
}

/* What came as JSON has no lines: there the place is the field that should have been. */
static void missing(const struct settings_source *source, const struct yaml_node *map,
		    const struct business_field *field, const char *where)
{
	struct place at = map->at;

	if (at.line == 0)
		at.file = arena_format(source->arena, "%s/%s", at.file, field->row.name);
	problem_error(source->problems, &at, "\"%s\" is missing in %s\t%s", field->row.name, where,
		      field->row.text);
}

void business_object_read(const struct settings_source *source, const struct yaml_node *map,
			  const struct business_field *fields, const char *where,
			  struct json_out *out)
{
	struct writing writing = { source, out };

	unknown_keys(source, map, fields, where);
	for (; fields->row.name != NULL; fields++) {
		const struct yaml_node *node = yaml_find(map, fields->row.name);

		if (node != NULL)
			field_write(&writing, fields, node);
		else if (milliseconds_write(&writing, fields, map))
			continue;
		else if ((fields->row.flags & SETTING_REQUIRED) != 0)
			missing(source, map, fields, where);
		else if (fields->row.fallback != NULL)
			plain_write(&writing, fields, fields->row.fallback, &map->at);
	}
}

const struct yaml_node *business_object_id(const struct yaml_node *map)
{
	const struct yaml_node *id = yaml_find(map, "id");

	if (id == NULL)
		id = yaml_find(map, "name");
	return id != NULL && id->kind == NODE_TEXT ? id : NULL;
}
