/* Before anything is applied: does every name in the file lead somewhere? */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/settings.h"
#include "base/text.h"
#include "business/business.h"
#include "ctl.h"
#include "present.h"

struct known {
	const char **names; /* NULL-terminated; texts of the call's arena */
	size_t count;
	struct arena *arena;
};

static void known_add(struct known *known, const char *name)
{
	known->names = memory_grow(known->names, known->count + 2, sizeof(*known->names));
	known->names[known->count++] = arena_text(known->arena, name);
	known->names[known->count] = NULL;
}

static void add_skill(const char *key, struct json_object *value, void *context)
{
	(void)value;
	known_add(context, key);
}

struct checking {
	struct call *call;
	const struct business *business;
	bool is_pruning;
	struct problems *problems;
};

/* Objects of the file, and of the daemon where the file does not replace them. */
static int known_read(const struct checking *checking, const char *kind, json_field_fn *each_skill,
		      struct known *known)
{
	size_t count;
	const struct business_object *objects = business_objects(checking->business, kind, &count);
	struct present present = { 0 };
	struct json_object *row;
	int code = EXIT_DONE;
	for (size_t i = 0; i < count; i++) {
		struct json_object *object =
			json_read(objects[i].json, strlen(objects[i].json), NULL);
		if (each_skill == NULL)
			known_add(known, objects[i].id);
		else
			json_each_field(json_at(object, "skills"), each_skill, known);
		json_free(&object);
	}
	if (objects == NULL || !checking->is_pruning)
		code = present_fetch(checking->call, kind, &present);
	for (size_t i = 0; (row = present_at(&present, i)) != NULL; i++)
		if (each_skill == NULL && json_text(row, "id") != NULL)
			known_add(known, json_text(row, "id"));
		else if (each_skill != NULL)
			json_each_field(json_at(row, "skills"), each_skill, known);
	present_clear(&present);
	return code;
}

static bool has(const struct known *known, const char *name)
{
	for (size_t i = 0; i < known->count; i++)
		if (text_equal(known->names[i], name))
			return true;
	return false;
}

static void judge(const struct business_reference *reference, const struct known *known,
		  struct problems *problems)
{
	const char *near;
	const char *list = known->count == 0 ? "none at all" : "";
	/* Without its calendar or classifier a rule means nothing; other names may come later. */
	if (has(known, reference->name) ||
	    (known->count == 0 && strcmp(reference->kind, "calendars") != 0 &&
	     strcmp(reference->kind, "classifiers") != 0))
		return;
	near = known->count == 0 ? NULL : settings_nearest(reference->name, known->names);
	for (size_t i = 0; i < known->count && i < 12; i++)
		list = arena_format(known->arena, "%s%s%s", list, i == 0 ? "" : ", ",
				    known->names[i]);
	problem_error(problems, &reference->at, "there is no \"%s\" among the %s\t%s%s%s",
		      settings_shown(known->arena, reference->name), reference->kind,
		      near == NULL ? "known: " : "did you mean \"", near == NULL ? list : near,
		      near == NULL ? "" : "\"?");
}

/* Names of one kind; from_rules: those in rules, or all others. Where no skill is declared, rules
 * may ask for those that agents have, and agents may have any. */
static int check_kind(const struct checking *checking, const char *kind, bool from_rules)
{
	size_t count;
	const struct business_reference *missing = business_missing(checking->business, &count);
	struct known known = { .arena = checking->call->arena };
	bool is_read = false;
	int code = EXIT_DONE;
	for (size_t i = 0; code == EXIT_DONE && i < count; i++) {
		const struct business_reference *row = &missing[i];
		if (strcmp(row->kind, kind) != 0 || (strcmp(row->from, "rules") == 0) != from_rules)
			continue;
		if (!is_read)
			code = known_read(checking, kind, NULL, &known);
		if (!is_read && known.count == 0 && from_rules && strcmp(kind, "skills") == 0)
			code = known_read(checking, "agents", add_skill, &known);
		is_read = true;
		judge(row, &known, checking->problems);
	}
	free(known.names);
	return code;
}

int apply_check_names(struct call *call, const struct business *business, bool is_pruning)
{
	struct checking checking = { call, business, is_pruning, problems_new() };
	int code = EXIT_DONE;
	for (const struct business_kind *kind = business_kinds;
	     code == EXIT_DONE && kind->key != NULL; kind++) {
		code = check_kind(&checking, kind->key, false);
		if (code == EXIT_DONE)
			code = check_kind(&checking, kind->key, true);
	}
	problems_print(checking.problems, stderr);
	if (code == EXIT_DONE && problems_errors(checking.problems) > 0)
		code = EX_CONFIG;
	problems_free(&checking.problems);
	return code;
}
