/* Names that objects give of other objects, found by the rows. */
#include <string.h>

#include "business/business_field.h"
#include "business/plan.h"

static void add(struct references *references, const char *kind, const char *name,
		const char *field, const struct place *at)
{
	size_t count = references->count;
	struct business_reference *larger;

	/* Room doubles at each power of two. */
	if ((count & (count - 1)) == 0) {
		larger = arena_alloc(references->arena,
				     (count == 0 ? 1 : 2 * count) * sizeof(*larger));
		if (count > 0)
			memcpy(larger, references->list, count * sizeof(*larger));
		references->list = larger;
	}
	references->list[references->count++] = (struct business_reference){
		.kind = kind, .name = name, .from = references->from, .field = field, .at = *at
	};
}

/* "queue:refunds" and "agent:bob" */
static void add_named(struct references *references, const char *kind, const struct yaml_node *node,
		      const char *path)
{
	const char *name = node->text;

	if (node->kind != NODE_TEXT || name[0] == '\0')
		return;
	if (kind[0] == '\0' && strchr(name, ':') != NULL) {
		kind = name[0] == 'q' ? "queues" : "agents";
		name = strchr(name, ':') + 1;
	}
	if (kind[0] != '\0')
		add(references, kind, name, path, &node->at);
}

static void add_need(struct references *references, const struct need *need, const char *path,
		     const struct place *at)
{
	if (need == NULL)
		return;
	if (need->kind == NEED_SKILL)
		add(references, "skills", arena_text(references->arena, need->skill), path, at);
	for (size_t i = 0; need->kind != NEED_SKILL && i < need->count; i++)
		add_need(references, &need->children[i], path, at);
}

/* An expression that cannot be read is refused elsewhere, with its place. */
static void add_expression(struct references *references, const struct yaml_node *node,
			   const char *path)
{
	struct plan *plan = node->kind == NODE_TEXT ? plan_parse(node->text, NULL) : NULL;

	if (plan == NULL)
		return;
	for (size_t i = 0; i < plan_count(plan); i++)
		add_need(references, plan_step(plan, i)->need, path, &node->at);
	plan_free(&plan);
}

static void add_field(struct references *references, const struct business_field *field,
		      const struct yaml_node *node, const char *path)
{
	if (field->form == FIELD_NEED)
		add_expression(references, node, path);
	if (field->form == FIELD_OBJECT)
		references_add(references, field->fields, node,
			       arena_format(references->arena, "%s.", path));
	for (size_t i = 0;
	     field->form == FIELD_OBJECTS && node->kind == NODE_LIST && i < node->count; i++)
		references_add(references, field->fields, node->items[i],
			       arena_format(references->arena, "%s.", path));
	for (size_t i = 0; field->form == FIELD_LEVELS && node->kind == NODE_MAP && i < node->count;
	     i++)
		add(references, "skills", node->pairs[i].key, path, &node->pairs[i].at);
	if (field->names == NULL)
		return;
	add_named(references, field->names, node, path);
	for (size_t i = 0; node->kind == NODE_LIST && i < node->count; i++)
		add_named(references, field->names, node->items[i], path);
}

void references_add(struct references *references, const struct business_field *fields,
		    const struct yaml_node *map, const char *path)
{
	for (; fields->row.name != NULL; fields++) {
		const struct yaml_node *node = yaml_find(map, fields->row.name);

		if (node != NULL)
			add_field(references, fields, node,
				  arena_format(references->arena, "%s%s", path, fields->row.name));
	}
}
