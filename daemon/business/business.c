#include "business/business.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "business/business_field.h"

enum { KINDS_MAX = 16, OBJECTS_MAX = 20000 };

struct section {
	struct business_object *objects; /* NULL: not in the file */
	size_t count;
};

struct business {
	struct arena *arena;
	struct section sections[KINDS_MAX];
	const struct business_reference *missing;
	size_t missing_count;
};

struct reading {
	struct business *business;
	struct settings_source source;
	const struct yaml_node *root;
};

static const char *title(const struct reading *reading, const struct business_kind *kind,
			 const struct yaml_node *item)
{
	const struct yaml_node *id = business_object_id(item);

	return id == NULL
		       ? arena_format(reading->source.arena, "an item of \"%s\"", kind->key)
		       : arena_format(reading->source.arena, "\"%s\" of \"%s\"",
				      settings_shown(reading->source.arena, id->text), kind->key);
}

/* Kinds without ids are kept by name: the object says so itself. */
static void id_write(const struct business_kind *kind, const struct yaml_node *item,
		     struct json_out *out)
{
	const struct yaml_node *id = business_object_id(item);

	if (strcmp(kind->fields[0].row.name, "id") != 0 && id != NULL)
		jw_text(out, "id", id->text);
}

static void check_unique(const struct reading *reading, const struct section *section,
			 const struct yaml_node *id)
{
	for (size_t i = 0; i < section->count; i++) {
		if (strcmp(section->objects[i].id, id->text) == 0)
			problem_error(
				reading->source.problems, &id->at,
				"a second \"%s\"\tthe first stands in line %u; give each its own",
				settings_shown(reading->source.arena, id->text),
				section->objects[i].at.line);
	}
}

static void item_read(const struct reading *reading, const struct business_kind *kind,
		      struct section *section, const struct yaml_node *item, size_t order)
{
	struct business_object *object = &section->objects[section->count];
	const struct yaml_node *id = business_object_id(item);
	size_t errors = problems_errors(reading->source.problems);
	struct buf json = { 0 };
	struct json_out out;

	if (item->kind != NODE_MAP) {
		problem_error(reading->source.problems, &item->at,
			      "an item of \"%s\" must be a map\twrite { %s: ... }", kind->key,
			      kind->fields[0].row.name);
		return;
	}
	jw_start(&out, &json);
	jw_object(&out, NULL);
	id_write(kind, item, &out);
	business_object_read(&reading->source, item, kind->fields, title(reading, kind, item),
			     &out);
	jw_int(&out, "order", (int64_t)order);
	jw_object_end(&out);
	if (problems_errors(reading->source.problems) == errors)
		business_whole_check(&reading->source, kind, &item->at, &json);
	if (id != NULL) {
		check_unique(reading, section, id);
		object->id = id->text;
		object->at = id->at;
		object->json = arena_copy(reading->business->arena, buf_string(&json), json.len);
		section->count++;
	}
	buf_clear(&json);
}

static void section_read(const struct reading *reading, size_t index)
{
	const struct business_kind *kind = &business_kinds[index];
	struct section *section = &reading->business->sections[index];
	const struct yaml_node *list = yaml_find(reading->root, kind->key);

	if (list == NULL)
		return;
	section->objects = arena_alloc(reading->business->arena,
				       (list->count + 1) * sizeof(*section->objects));
	if (yaml_is_empty(list))
		return;
	if (list->kind != NODE_LIST) {
		problem_error(reading->source.problems, &list->at,
			      "\"%s\" must be a list\twrite \"- %s: ...\" for each", kind->key,
			      kind->fields[0].row.name);
		return;
	}
	if (list->count > OBJECTS_MAX) {
		problem_error(reading->source.problems, &list->at,
			      "\"%s\" has %zu items\tit may have %d", kind->key, list->count,
			      OBJECTS_MAX);
		return;
	}
	for (size_t i = 0; i < list->count; i++)
		item_read(reading, kind, section, list->items[i], i);
}

static void check_sections(const struct reading *reading)
{
	const char *names[KINDS_MAX], *list = "";
	size_t count = 0;

	for (; business_kinds[count].key != NULL; count++) {
		names[count] = business_kinds[count].key;
		list = arena_format(reading->source.arena, "%s%s%s", list, count == 0 ? "" : ", ",
				    names[count]);
	}
	names[count] = NULL;
	for (size_t i = 0; i < reading->root->count; i++) {
		const struct yaml_pair *pair = &reading->root->pairs[i];
		const char *near = settings_nearest(pair->key, names);
		const struct business_kind *kind = business_kind(pair->key);

		if (kind != NULL && strcmp(kind->key, pair->key) == 0)
			continue;
		problem_error(reading->source.problems, &pair->at, "unknown key \"%s\"\t%s%s%s",
			      settings_shown(reading->source.arena, pair->key),
			      near == NULL ? "known here: " : "did you mean \"",
			      near == NULL ? list : near, near == NULL ? "" : "\"?");
	}
}

/* ---- names of other objects ---- */

static bool is_defined(const struct business *business, const struct business_reference *reference)
{
	size_t count;
	const struct business_object *objects = business_objects(business, reference->kind, &count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(objects[i].id, reference->name) == 0)
			return true;
	return false;
}

static void missing_collect(struct business *business, const struct yaml_node *root)
{
	struct references references = { .arena = business->arena };
	size_t kept = 0;

	for (const struct business_kind *kind = business_kinds; kind->key != NULL; kind++) {
		const struct yaml_node *list = yaml_find(root, kind->key);

		references.from = kind->key;
		for (size_t i = 0; list != NULL && list->kind == NODE_LIST && i < list->count; i++)
			references_add(&references, kind->fields, list->items[i], "");
	}
	for (size_t i = 0; i < references.count; i++)
		if (!is_defined(business, &references.list[i]))
			references.list[kept++] = references.list[i];
	business->missing = references.list;
	business->missing_count = kept;
}

static struct business *build(struct business *business, const char *file,
			      const struct yaml_node *root, struct problems *problems)
{
	struct reading reading = { .business = business, .root = root };

	if (root != NULL) {
		settings_source_open(&reading.source, file, business->arena, problems);
		check_sections(&reading);
		for (size_t i = 0; business_kinds[i].key != NULL; i++)
			section_read(&reading, i);
		missing_collect(business, root);
	}
	if (problems_errors(problems) > 0)
		business_free(&business);
	return business;
}

struct business *business_read(const char *file, struct problems *problems)
{
	struct business *business = memory_new(sizeof(*business));

	business->arena = arena_new(0);
	return build(business, file, yaml_read(file, business->arena, problems), problems);
}

struct business *business_parse(const char *file, const char *bytes, size_t len,
				struct problems *problems)
{
	struct business *business = memory_new(sizeof(*business));

	business->arena = arena_new(0);
	return build(business, file, yaml_parse(file, bytes, len, business->arena, problems),
		     problems);
}

void business_free(struct business **business)
{
	if (*business == NULL)
		return;
	arena_free(&(*business)->arena);
	free(*business);
	*business = NULL;
}

const struct business_object *business_objects(const struct business *business, const char *kind,
					       size_t *ret_count)
{
	const struct business_kind *found = business_kind(kind);
	const struct section *section;

	*ret_count = 0;
	if (found == NULL)
		return NULL;
	section = &business->sections[found - business_kinds];
	*ret_count = section->count;
	return section->objects;
}

const struct business_reference *business_missing(const struct business *business,
						  size_t *ret_count)
{
	*ret_count = business->missing_count;
	return business->missing;
}
