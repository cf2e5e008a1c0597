#include "base/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/settings_value.h"
#include "base/text.h"
#include "base/yaml_scan.h"

enum { SHOWN_BYTES = 60, NAMES_MAX = 128 };

void settings_source_open(struct settings_source *source, const char *file, struct arena *arena,
			  struct problems *problems)
{
	const char *slash = strrchr(file, '/');
	struct stat facts;
	char here[4096];

	memset(source, 0, sizeof(*source));
	source->arena = arena;
	source->problems = problems;
	source->is_service = getenv("INVOCATION_ID") != NULL;
	source->is_exposed = stat(file, &facts) == 0 && (facts.st_mode & S_IROTH) != 0;
	source->folder = slash == NULL ? "" : arena_copy(arena, file, (size_t)(slash - file) + 1);
	if (file[0] != '/' && getcwd(here, sizeof(here)) != NULL)
		source->folder = arena_format(arena, "%s/%s", here, source->folder);
}

char *settings_path(const struct settings_source *source, const char *path)
{
	const char *slash;

	if (path[0] == '/')
		return arena_text(source->arena, path);
	while (text_starts(path, "./")) {
		path += 2;
		path += strspn(path, "/");
	}
	if (strcmp(path, ".") == 0)
		path = "";
	slash = source->folder[0] != '\0' && source->folder[strlen(source->folder) - 1] != '/' ? "/"
											       : "";
	return arena_format(source->arena, "%s%s%s", source->folder, slash, path);
}

const char *settings_shown(struct arena *arena, const char *text)
{
	size_t len = strlen(text);
	size_t kept = text_prefix(text, len, SHOWN_BYTES);
	char *copy = arena_format(arena, "%.*s%s", (int)kept, text, kept < len ? "..." : "");

	for (char *p = copy; *p != '\0'; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	}
	return copy;
}

const char *settings_nearest(const char *written, const char *const *names)
{
	size_t len = strlen(written);
	size_t best = len <= 3 ? 1 : len <= 6 ? 2 : 3;
	const char *nearest = NULL;

	if (len > 64)
		return NULL;
	for (; *names != NULL; names++) {
		size_t skip = **names == '=' || **names == '!';
		size_t distance = text_distance(written, *names + skip, best);

		if (len >= 3 && nearest == NULL && text_starts(*names + skip, written))
			distance = best;
		if (distance > best || distance >= strlen(*names + skip))
			continue;
		if (nearest == NULL || distance < best)
			nearest = *names;
		best = distance;
	}
	return nearest;
}

/* ---- defaults ---- */

static void row_default(const struct settings_source *source, const struct setting *row,
			void *target)
{
	struct setting_value value = { source,
				       row,
				       row->name,
				       row->fallback,
				       { "built in", 0, 0 },
				       (char *)target + row->offset };

	if (row->kind == SETTING_GROUP) {
		struct settings_table tables[] = { { row->rows, value.slot }, { NULL, NULL } };

		settings_defaults(source, tables);
		return;
	}
	if (row->kind == SETTING_LIST || row->fallback == NULL)
		return;
	if (!setting_value_read(&value)) {
		fprintf(stderr, "converged: the fallback of \"%s\" does not fit its row\n",
			row->name);
		abort();
	}
}

void settings_defaults(const struct settings_source *source, const struct settings_table *tables)
{
	for (; tables->rows != NULL; tables++) {
		for (const struct setting *row = tables->rows; row->name != NULL; row++)
			row_default(source, row, tables->target);
	}
}

/* ---- reading ---- */

struct pass {
	const struct settings_source *source;
	const struct yaml_node *map;
	const char *where;
	const struct settings_table *tables;
	const char *const *others;
};

static bool wrong_shape(const struct pass *pass, const struct setting *row,
			const struct yaml_node *node)
{
	static const char *const nouns[] = {
		[NODE_TEXT] = "a plain value", [NODE_MAP] = "a map", [NODE_LIST] = "a list"
	};
	struct place at = node->at;
	const char *text = NULL;
	long colon = -1;

	if (row->kind == SETTING_GROUP && node->kind == NODE_TEXT && !node->quoted)
		colon = yaml_scan_colon(node->text, &text);
	if (colon >= 0) {
		at.column += (unsigned)colon;
		problem_error(pass->source->problems, &at, "%.*s%s",
			      (int)(strchr(text, '\t') - text), text, strchr(text, '\t'));
	} else if (row->kind == SETTING_LIST) {
		problem_error(
			pass->source->problems, &at,
			"\"%s\" must be a list, not %s\twrite [one, two], or \"- one\" on lines "
			"of their own",
			row->name, nouns[node->kind]);
	} else {
		problem_error(pass->source->problems, &at, "\"%s\" must be %s, not %s\t%s",
			      row->name, setting_kind_noun(row->kind), nouns[node->kind],
			      row->text);
	}
	return false;
}

static bool item_read(const struct pass *pass, const struct setting *row,
		      const struct yaml_node *item, char **ret)
{
	struct setting one = *row;
	struct setting_value value = { pass->source, &one, row->name, item->text, item->at, ret };
	struct problems *problems = pass->source->problems;

	one.kind = SETTING_TEXT;
	one.min = 1;
	one.max = 0;
	if (item->kind != NODE_TEXT || yaml_is_empty(item)) {
		problem_error(problems, &item->at, "an item of \"%s\" must be a text\t%s",
			      row->name, row->text);
		return false;
	}
	for (const char *const *choice = row->choices; choice != NULL && *choice != NULL;
	     choice++) {
		if (strcmp(*choice, item->text) == 0)
			return setting_value_read(&value);
	}
	if (row->choices == NULL)
		return setting_value_read(&value);
	problem_error(problems, &item->at, "\"%s\" knows no \"%s\"\t%s", row->name,
		      settings_shown(pass->source->arena, item->text), row->text);
	return false;
}

static void list_read(const struct pass *pass, const struct setting *row,
		      const struct yaml_node *node, struct setting_texts *ret)
{
	struct setting_texts texts = { 0 };

	if (node->kind != NODE_LIST) {
		wrong_shape(pass, row, node);
		return;
	}
	if (row->max != 0 && (int64_t)node->count > row->max) {
		problem_error(pass->source->problems, &node->at,
			      "\"%s\" has %zu items\tit may have %lld", row->name, node->count,
			      (long long)row->max);
		return;
	}
	texts.items = arena_alloc(pass->source->arena, (node->count + 1) * sizeof(char *));
	for (size_t i = 0; i < node->count; i++) {
		if (item_read(pass, row, node->items[i], &texts.items[texts.count]))
			texts.count++;
	}
	*ret = texts;
}

static void value_read(const struct pass *pass, const struct setting *row,
		       const struct yaml_pair *pair, void *slot);

static void group_read(const struct pass *pass, const struct setting *row,
		       const struct yaml_pair *pair, void *slot)
{
	struct settings_table tables[] = { { row->rows, slot }, { NULL, NULL } };
	const struct yaml_node *node = pair->value;

	if (yaml_is_empty(node)) {
		problem_error(pass->source->problems, &node->at,
			      "\"%s\" is empty\twrite a value, or remove the line", row->name);
	} else if (node->kind == NODE_MAP) {
		settings_read(pass->source, node,
			      arena_format(pass->source->arena, "\"%s\"", row->name), tables, NULL);
	} else if (node->kind == NODE_TEXT && (row->flags & SETTING_SHORT) != 0) {
		struct yaml_pair first = { row->name, pair->at, pair->value };

		value_read(pass, row->rows, &first, (char *)slot + row->rows->offset);
	} else {
		wrong_shape(pass, row, node);
	}
}

static void value_read(const struct pass *pass, const struct setting *row,
		       const struct yaml_pair *pair, void *slot)
{
	const struct yaml_node *node = pair->value;
	struct setting_value value = { pass->source, row, row->name, node->text, node->at, slot };

	if ((row->flags & SETTING_ABSENT) != 0) {
		problem_error(
			pass->source->problems, &pair->at,
			"\"%s\" is known, but this program was built without it\tremove it, or "
			"build with that part",
			row->name);
		return;
	}
	if (row->kind == SETTING_GROUP) {
		group_read(pass, row, pair, slot);
		return;
	}
	if (row->kind == SETTING_LIST) {
		list_read(pass, row, node, slot);
		return;
	}
	if (yaml_is_empty(node))
		value.text = "";
	if (node->kind != NODE_TEXT) {
		wrong_shape(pass, row, node);
		return;
	}
	if (strcmp(pair->key, row->name) != 0 && row->kind == SETTING_SECRET)
		value.name = pair->key;
	setting_value_read(&value);
}

/* Does the key name this row: itself, or its secret's file? */
static bool names_row(const char *key, const struct setting *row)
{
	size_t len = strlen(row->name);

	if (strcmp(key, row->name) == 0)
		return true;
	return row->kind == SETTING_SECRET && strncmp(key, row->name, len) == 0 &&
	       strcmp(key + len, "_file") == 0;
}

static void names_add(const char **names, size_t *count, const char *name)
{
	for (size_t i = 0; i < *count; i++) {
		if (strcmp(names[i], name) == 0)
			return;
	}
	if (*count < NAMES_MAX - 1)
		names[(*count)++] = name;
}

static size_t names_of(const struct pass *pass, const char **names)
{
	size_t count = 0;

	for (const struct settings_table *table = pass->tables; table->rows != NULL; table++) {
		for (const struct setting *row = table->rows; row->name != NULL; row++) {
			names_add(names, &count, row->name);
			if (row->kind == SETTING_SECRET)
				names_add(names, &count,
					  arena_format(pass->source->arena, "%s_file", row->name));
		}
	}
	for (size_t i = 0; pass->others != NULL && pass->others[i] != NULL; i++)
		names_add(names, &count, pass->others[i]);
	names[count] = NULL;
	return count;
}

static void unknown_key(const struct pass *pass, const struct yaml_pair *pair)
{
	const char *names[NAMES_MAX];
	struct arena *arena = pass->source->arena;
	const char *hint = "", *near, *where;
	size_t count;

	/* Only counted from here on: spare the memory of the texts. */
	if (problems_errors(pass->source->problems) >= PROBLEMS_MAX) {
		problem_error(pass->source->problems, &pair->at, "unknown key");
		return;
	}
	count = names_of(pass, names);
	near = settings_nearest(pair->key, names);
	where = pass->where == NULL ? "" : arena_format(arena, " in %s", pass->where);
	for (size_t i = 0; near == NULL && i < count; i++)
		hint = arena_format(arena, "%s%s%s", hint, i == 0 ? "known here: " : ", ",
				    names[i]);
	if (near != NULL)
		hint = arena_format(arena, "did you mean \"%s\"?", near);
	problem_error(pass->source->problems, &pair->at, "unknown key \"%s\"%s\t%s",
		      settings_shown(arena, pair->key), where, hint);
}

static void pair_read(const struct pass *pass, const struct yaml_pair *pair)
{
	bool is_known = false;

	for (size_t i = 0; pass->others != NULL && pass->others[i] != NULL; i++)
		is_known = is_known || strcmp(pass->others[i], pair->key) == 0;
	for (const struct settings_table *table = pass->tables; table->rows != NULL; table++) {
		for (const struct setting *row = table->rows; row->name != NULL; row++) {
			if (!names_row(pair->key, row))
				continue;
			value_read(pass, row, pair, (char *)table->target + row->offset);
			is_known = true;
		}
	}
	if (!is_known)
		unknown_key(pass, pair);
}

static void row_presence(const struct pass *pass, const struct setting *row)
{
	const struct yaml_pair *first = NULL, *second = NULL;
	const char *where =
		pass->where == NULL ? "" : arena_format(pass->source->arena, " in %s", pass->where);

	for (size_t i = 0; i < pass->map->count; i++) {
		const struct yaml_pair *pair = &pass->map->pairs[i];

		if (!names_row(pair->key, row))
			continue;
		second = first == NULL ? NULL : pair;
		first = first == NULL ? pair : first;
	}
	if (second != NULL)
		problem_error(pass->source->problems, &second->at,
			      "both \"%s\" and \"%s\" are given\tkeep one", first->key,
			      second->key);
	if (first == NULL && (row->flags & SETTING_REQUIRED) != 0)
		problem_error(pass->source->problems, &pass->map->at, "\"%s\" is missing%s\t%s",
			      row->name, where, row->text);
}

void settings_read(const struct settings_source *source, const struct yaml_node *map,
		   const char *where, const struct settings_table *tables,
		   const char *const *others)
{
	struct pass pass = { source, map, where, tables, others };

	for (size_t i = 0; i < map->count; i++)
		pair_read(&pass, &map->pairs[i]);
	for (; tables->rows != NULL; tables++) {
		for (const struct setting *row = tables->rows; row->name != NULL; row++)
			row_presence(&pass, row);
	}
}

/* ---- comparing ---- */

static bool texts_differ(const struct setting_texts *a, const struct setting_texts *b)
{
	if (a->count != b->count)
		return true;
	for (size_t i = 0; i < a->count; i++) {
		if (!text_equal(a->items[i], b->items[i]))
			return true;
	}
	return false;
}

bool settings_differ(const struct setting *row, const void *a, const void *b)
{
	const char *one = (const char *)a + row->offset;
	const char *two = (const char *)b + row->offset;

	switch (row->kind) {
	case SETTING_BOOL:
		return *(const bool *)one != *(const bool *)two;
	case SETTING_COUNT:
	case SETTING_SIZE:
	case SETTING_TIME:
		return *(const int64_t *)(const void *)one != *(const int64_t *)(const void *)two;
	case SETTING_CHOICE:
		return *(const int *)(const void *)one != *(const int *)(const void *)two;
	case SETTING_LIST:
		return texts_differ((const void *)one, (const void *)two);
	case SETTING_GROUP:
		for (const struct setting *inner = row->rows; inner->name != NULL; inner++) {
			if (settings_differ(inner, one, two))
				return true;
		}
		return false;
	default:
		return !text_equal(*(char *const *)(const void *)one,
				   *(char *const *)(const void *)two);
	}
}
