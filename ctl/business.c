/* See business.h. What an entry may hold is one table of rows for each kind. */
#include "business.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/yaml.h"

enum value_kind {
	VALUE_TEXT,
	VALUE_NUMBER,
	VALUE_BOOL,
	VALUE_TIME,
	VALUE_TEXTS,
	VALUE_LEVELS,
	VALUE_GROUP
};

enum { NUMBER_DIGITS_MAX = 9, NEAR_DISTANCE = 3 };

struct entry_row {
	const char *name;
	enum value_kind kind;
	const char *json_name;        /* NULL: the same */
	const struct entry_row *rows; /* of a GROUP */
};

#define ROWS_END                                                                                   \
	{                                                                                          \
		NULL, VALUE_TEXT, NULL, NULL                                                       \
	}

static const struct entry_row queue_rows[] = {
	{ "id", VALUE_TEXT, NULL, NULL },
	{ "name", VALUE_TEXT, NULL, NULL },
	{ "strategy", VALUE_TEXT, NULL, NULL },
	{ "offer_timeout", VALUE_TIME, "offer_timeout_ms", NULL },
	{ "wrap_up", VALUE_TIME, "wrap_up_ms", NULL },
	{ "close_after", VALUE_TIME, "close_after_ms", NULL },
	{ "paused", VALUE_BOOL, NULL, NULL },
	ROWS_END,
};

static const struct entry_row agent_rows[] = {
	{ "id", VALUE_TEXT, NULL, NULL },         { "name", VALUE_TEXT, NULL, NULL },
	{ "queues", VALUE_TEXTS, NULL, NULL },    { "skills", VALUE_LEVELS, NULL, NULL },
	{ "capacity", VALUE_NUMBER, NULL, NULL }, ROWS_END,
};

static const struct entry_row when_rows[] = {
	{ "text", VALUE_TEXT, NULL, NULL },
	{ "channel", VALUE_TEXT, NULL, NULL },
	ROWS_END,
};

static const struct entry_row then_rows[] = {
	{ "queue", VALUE_TEXT, NULL, NULL },
	{ "type", VALUE_TEXT, NULL, NULL },
	{ "topic", VALUE_TEXT, NULL, NULL },
	{ "urgency", VALUE_TEXT, NULL, NULL },
	{ "priority", VALUE_NUMBER, NULL, NULL },
	{ "skills", VALUE_LEVELS, NULL, NULL },
	ROWS_END,
};

static const struct entry_row rule_rows[] = {
	{ "name", VALUE_TEXT, NULL, NULL },
	{ "when", VALUE_GROUP, NULL, when_rows },
	{ "then", VALUE_GROUP, NULL, then_rows },
	ROWS_END,
};

struct kind_row {
	const char *name;
	const char *key; /* the member that is the id */
	const struct entry_row *rows;
};

static const struct kind_row kinds[] = {
	{ "queues", "id", queue_rows },
	{ "agents", "id", agent_rows },
	{ "rules", "name", rule_rows },
};

struct reader {
	struct arena *arena;
	struct problems *problems;
	struct business *business;
};

static bool read_number(const char *text, int64_t *ret)
{
	bool is_negative = text[0] == '-';
	uint64_t number;
	size_t len = strlen(text + is_negative);
	if (len > NUMBER_DIGITS_MAX || !text_uint(text + is_negative, len, &number))
		return false;
	*ret = is_negative ? -(int64_t)number : (int64_t)number;
	return true;
}

static bool read_time(const char *text, int64_t *ret_ms)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = {
		{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 }
	};
	size_t digits = strspn(text, "0123456789");
	uint64_t number;
	if (digits == 0 || digits > NUMBER_DIGITS_MAX || !text_uint(text, digits, &number))
		return false;
	for (size_t i = 0; i < COUNT_OF(units); i++) {
		if (strcmp(text + digits, units[i].unit) != 0)
			continue;
		*ret_ms = (int64_t)number * units[i].ms;
		return true;
	}
	return false;
}

static void write_entry(struct reader *reader, const struct yaml_node *map,
			const struct entry_row *rows, const char *skip, struct json_out *out);

static void write_number(struct reader *reader, const struct yaml_node *node, const char *name,
			 struct json_out *out)
{
	int64_t number;
	if (node->kind == NODE_TEXT && read_number(node->text, &number))
		jw_int(out, name, number);
	else
		problem_error(reader->problems, &node->at, "\"%s\" is a whole number", name);
}

static void write_texts(struct reader *reader, const struct yaml_node *node, const char *name,
			struct json_out *out)
{
	if (node->kind != NODE_LIST) {
		problem_error(reader->problems, &node->at, "\"%s\" is a list\twrite [a, b]", name);
		return;
	}
	jw_array(out, name);
	for (size_t i = 0; i < node->count; i++) {
		if (node->items[i]->kind == NODE_TEXT)
			jw_text(out, NULL, node->items[i]->text);
		else
			problem_error(reader->problems, &node->items[i]->at, "\"%s\" holds texts",
				      name);
	}
	jw_array_end(out);
}

static void write_levels(struct reader *reader, const struct yaml_node *node, const char *name,
			 struct json_out *out)
{
	int64_t level;
	if (node->kind != NODE_MAP) {
		problem_error(reader->problems, &node->at, "\"%s\" is a map\twrite { refunds: 3 }",
			      name);
		return;
	}
	jw_object(out, name);
	for (size_t i = 0; i < node->count; i++) {
		const struct yaml_pair *pair = &node->pairs[i];
		if (pair->value->kind == NODE_TEXT && read_number(pair->value->text, &level) &&
		    level >= 1 && level <= 5)
			jw_int(out, pair->key, level);
		else
			problem_error(reader->problems, &pair->value->at,
				      "a level is a number from 1 to 5");
	}
	jw_object_end(out);
}

static void write_scalar(struct reader *reader, const struct yaml_node *node,
			 const struct entry_row *row, struct json_out *out)
{
	const char *name = row->json_name != NULL ? row->json_name : row->name;
	int64_t ms;
	if (node->kind != NODE_TEXT)
		problem_error(reader->problems, &node->at, "\"%s\" is one value", row->name);
	else if (row->kind == VALUE_TEXT)
		jw_text(out, name, node->text);
	else if (row->kind == VALUE_TIME && read_time(node->text, &ms))
		jw_int(out, name, ms);
	else if (row->kind == VALUE_TIME)
		problem_error(reader->problems, &node->at,
			      "\"%s\" is a time\twrite 500ms, 30s, 5m, 2h or 1d", row->name);
	else if (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0)
		jw_bool(out, name, node->text[0] == 't');
	else
		problem_error(reader->problems, &node->at, "\"%s\" is true or false", row->name);
}

static void write_value(struct reader *reader, const struct yaml_node *node,
			const struct entry_row *row, struct json_out *out)
{
	switch (row->kind) {
	case VALUE_NUMBER:
		write_number(reader, node, row->name, out);
		break;
	case VALUE_TEXTS:
		write_texts(reader, node, row->name, out);
		break;
	case VALUE_LEVELS:
		write_levels(reader, node, row->name, out);
		break;
	case VALUE_GROUP:
		if (node->kind != NODE_MAP) {
			problem_error(reader->problems, &node->at, "\"%s\" is a map", row->name);
			break;
		}
		jw_object(out, row->name);
		write_entry(reader, node, row->rows, NULL, out);
		jw_object_end(out);
		break;
	default:
		write_scalar(reader, node, row, out);
		break;
	}
}

static const struct entry_row *find_row(const struct entry_row *rows, const char *name)
{
	for (; rows->name != NULL; rows++)
		if (strcmp(rows->name, name) == 0)
			return rows;
	return NULL;
}

static void say_unknown(struct reader *reader, const struct yaml_pair *pair,
			const struct entry_row *rows)
{
	const char *near = NULL;
	size_t best = NEAR_DISTANCE;
	for (; rows->name != NULL; rows++) {
		size_t distance = text_distance(pair->key, rows->name, NEAR_DISTANCE);
		if (distance < best) {
			best = distance;
			near = rows->name;
		}
	}
	if (near != NULL)
		problem_error(reader->problems, &pair->at,
			      "unknown key \"%s\"\tdid you mean \"%s\"?", pair->key, near);
	else
		problem_error(reader->problems, &pair->at, "unknown key \"%s\"", pair->key);
}

static void write_entry(struct reader *reader, const struct yaml_node *map,
			const struct entry_row *rows, const char *skip, struct json_out *out)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct yaml_pair *pair = &map->pairs[i];
		const struct entry_row *row = find_row(rows, pair->key);
		if (row == NULL)
			say_unknown(reader, pair, rows);
		else if (skip == NULL || strcmp(pair->key, skip) != 0)
			write_value(reader, pair->value, row, out);
	}
}

static const char *id_of(struct reader *reader, const struct kind_row *kind,
			 const struct yaml_node *entry)
{
	const struct yaml_node *id = entry->kind == NODE_MAP ? yaml_find(entry, kind->key) : NULL;
	if (id == NULL || id->kind != NODE_TEXT || yaml_is_empty(id)) {
		problem_error(reader->problems, &entry->at, "an entry of \"%s\" needs \"%s\"",
			      kind->name, kind->key);
		return NULL;
	}
	for (size_t i = 0; i < reader->business->count; i++) {
		const struct business_object *other = &reader->business->objects[i];
		if (strcmp(other->kind, kind->name) == 0 && strcmp(other->id, id->text) == 0)
			problem_error(reader->problems, &id->at, "\"%s\" is in \"%s\" already",
				      id->text, kind->name);
	}
	return id->text;
}

static void take_entry(struct reader *reader, const struct kind_row *kind,
		       const struct yaml_node *entry, size_t order)
{
	const char *id = id_of(reader, kind, entry);
	struct buf text = { 0 };
	struct json_out out;
	if (id == NULL)
		return;
	jw_start(&out, &text);
	jw_object(&out, NULL);
	/* A rule's name is its id and also shown; an id is in the path only. */
	write_entry(reader, entry, kind->rows, strcmp(kind->key, "id") == 0 ? "id" : NULL, &out);
	jw_int(&out, "order", (int64_t)order + 1);
	jw_object_end(&out);
	reader->business->objects[reader->business->count++] = (struct business_object){
		.kind = kind->name,
		.id = arena_text(reader->arena, id),
		.json = arena_text(reader->arena, buf_string(&text)),
	};
	buf_clear(&text);
}

static void check_kinds(struct reader *reader, const struct yaml_node *top)
{
	for (size_t i = 0; i < top->count; i++) {
		bool is_known = false;
		for (size_t k = 0; k < COUNT_OF(kinds); k++)
			is_known |= strcmp(kinds[k].name, top->pairs[i].key) == 0;
		if (!is_known)
			problem_error(reader->problems, &top->pairs[i].at,
				      "unknown kind \"%s\"\tknown are queues, agents and rules",
				      top->pairs[i].key);
	}
}

static void read_kinds(struct reader *reader, const struct yaml_node *top)
{
	const char **named = arena_alloc(reader->arena, (COUNT_OF(kinds) + 1) * sizeof(*named));
	size_t total = 0, named_count = 0;
	for (size_t i = 0; i < top->count; i++)
		total += top->pairs[i].value->count;
	reader->business->objects =
		arena_alloc(reader->arena, (total + 1) * sizeof(struct business_object));
	reader->business->kinds = named;
	for (size_t k = 0; k < COUNT_OF(kinds); k++) {
		const struct yaml_node *list = yaml_find(top, kinds[k].name);
		if (list == NULL)
			continue;
		named[named_count++] = kinds[k].name;
		if (list->kind != NODE_LIST && !yaml_is_empty(list)) {
			problem_error(reader->problems, &list->at, "\"%s\" is a list",
				      kinds[k].name);
			continue;
		}
		for (size_t i = 0; list->kind == NODE_LIST && i < list->count; i++)
			take_entry(reader, &kinds[k], list->items[i], i);
	}
}

int business_read(const char *file, struct arena *arena, struct problems *problems,
		  struct business *ret)
{
	struct reader reader = { arena, problems, ret };
	struct yaml_node *top = yaml_read(file, arena, problems);
	*ret = (struct business){ 0 };
	if (top == NULL)
		return -1;
	check_kinds(&reader, top);
	read_kinds(&reader, top);
	return problems_errors(problems) > 0 ? -1 : 0;
}
