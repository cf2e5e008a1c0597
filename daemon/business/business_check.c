/* One object through the API: JSON to the nodes that files are read into. */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "business/business_field.h"

struct turning {
	struct arena *arena;
	struct yaml_node *map;
};

static struct yaml_node *node_of(struct json_object *value, struct arena *arena,
				 const char *pointer);

/* RFC 6901: "~" and "/" in a key are written ~0 and ~1. */
static const char *pointer_into(struct arena *arena, const char *pointer, const char *key)
{
	struct buf text = { 0 };
	const char *copy;

	buf_format(&text, "%s/", pointer);
	for (; *key != '\0'; key++) {
		if (*key == '~' || *key == '/')
			buf_format(&text, "~%c", *key == '~' ? '0' : '1');
		else
			buf_add(&text, key, 1);
	}
	copy = arena_text(arena, buf_string(&text));
	buf_clear(&text);
	return copy;
}

/* Room doubles at each power of two. */
static void pairs_grow(struct arena *arena, struct yaml_node *map)
{
	struct yaml_pair *larger;

	if (map->count != 0 && (map->count & (map->count - 1)) != 0)
		return;
	larger = arena_alloc(arena, (map->count == 0 ? 1 : 2 * map->count) * sizeof(*larger));
	if (map->count > 0)
		memcpy(larger, map->pairs, map->count * sizeof(*larger));
	map->pairs = larger;
}

static void add_pair(const char *key, struct json_object *value, void *context)
{
	struct turning *turning = context;
	struct yaml_node *map = turning->map;
	struct yaml_pair *pair;

	if (json_kind(value) == JSON_NULL || map->count == YAML_KEYS_MAX)
		return;
	pairs_grow(turning->arena, map);
	pair = &map->pairs[map->count++];
	pair->key = arena_text(turning->arena, key);
	pair->value =
		node_of(value, turning->arena, pointer_into(turning->arena, map->at.file, key));
	pair->at = pair->value->at;
}

static struct yaml_node *list_of(struct json_object *value, struct yaml_node *node,
				 struct arena *arena)
{
	node->kind = NODE_LIST;
	node->count = json_count(value);
	node->items = arena_alloc(arena, (node->count + 1) * sizeof(*node->items));
	for (size_t i = 0; i < node->count; i++)
		node->items[i] = node_of(json_item(value, i), arena,
					 arena_format(arena, "%s/%zu", node->at.file, i));
	return node;
}

/* Recursion is bounded: json_read() refuses what is nested too deep. */
static struct yaml_node *node_of(struct json_object *value, struct arena *arena,
				 const char *pointer)
{
	struct yaml_node *node = arena_alloc(arena, sizeof(*node));
	struct turning turning = { arena, node };
	struct buf text = { 0 };

	node->at.file = pointer;
	node->text = "";
	switch (json_kind(value)) {
	case JSON_OBJECT:
		node->kind = NODE_MAP;
		json_each_field(value, add_pair, &turning);
		return node;
	case JSON_ARRAY:
		return list_of(value, node, arena);
	case JSON_TEXT:
		node->quoted = true;
		node->text = arena_text(arena, json_string(value));
		return node;
	case JSON_NULL:
		return node;
	default:
		json_append(value, &text);
		node->text = arena_copy(arena, buf_string(&text), text.len);
		buf_clear(&text);
		return node;
	}
}

static int refuse(struct problems *problems, struct error *err)
{
	const struct problem *problem = problem_at(problems, 0);

	for (size_t i = 1; problem->severity != PROBLEM_ERROR; i++)
		problem = problem_at(problems, i);
	if (problem->hint == NULL)
		return error_set(err, ERROR_MISUSE, "%s", problem->text);
	return error_set(err, ERROR_MISUSE, "%s (%s)", problem->text, problem->hint);
}

static void order_write(const struct settings_source *source, const struct yaml_node *order,
			struct json_out *out)
{
	static const struct setting row = { .name = "order", .kind = SETTING_COUNT };
	int64_t number = 0;
	struct setting_value value = { source, &row, row.name, "", { "", 0, 0 }, &number };

	if (order == NULL)
		return;
	value.text = order->text;
	if (setting_value_read(&value))
		jw_int(out, "order", number);
}

/* "order" is of every kind and of none of the rows. */
static const struct yaml_node *take_order(struct yaml_node *map)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct yaml_node *value = map->pairs[i].value;

		if (strcmp(map->pairs[i].key, "order") != 0)
			continue;
		map->count--;
		memmove(&map->pairs[i], &map->pairs[i + 1], (map->count - i) * sizeof(*map->pairs));
		return value;
	}
	return NULL;
}

/* Kinds that are kept by name may repeat it as id. */
static void id_write(const struct business_kind *kind, struct yaml_node *map, struct json_out *out)
{
	const struct yaml_node *name = yaml_find(map, "name");

	if (strcmp(kind->fields[0].row.name, "id") == 0 || name == NULL || name->kind != NODE_TEXT)
		return;
	jw_text(out, "id", name->text);
	for (size_t i = 0; i < map->count; i++) {
		if (strcmp(map->pairs[i].key, "id") != 0 ||
		    !text_equal(map->pairs[i].value->text, name->text))
			continue;
		map->count--;
		memmove(&map->pairs[i], &map->pairs[i + 1], (map->count - i) * sizeof(*map->pairs));
	}
}

/* The pointer to the first field that the text quotes; "" where it quotes none. */
static const char *field_named(const struct settings_source *source,
			       const struct business_kind *kind, const char *text)
{
	const struct business_field *named = NULL;
	const char *first = NULL;

	for (const struct business_field *field = kind->fields; field->row.name != NULL; field++) {
		const char *at =
			strstr(text, arena_format(source->arena, "\"%s\"", field->row.name));

		if (at == NULL || (first != NULL && at > first))
			continue;
		named = field;
		first = at;
	}
	return named == NULL ? "" : arena_format(source->arena, "/%s", named->row.name);
}

void business_whole_check(const struct settings_source *source, const struct business_kind *kind,
			  const struct place *at, const struct buf *json)
{
	struct error err = { 0 };
	struct json_object *object = json_read(buf_string(json), json->len, &err);
	struct place where = *at;

	if (object == NULL || business_kind_check(kind, object, &err) != 0) {
		where.file = at->line == 0 ? field_named(source, kind, err.text) : at->file;
		problem_error(source->problems, &where, "\"%s\": %s", kind->key, err.text);
	}
	json_free(&object);
}

static void object_write(const struct settings_source *source, const struct business_kind *kind,
			 struct yaml_node *map, struct buf *json)
{
	const struct yaml_node *order = take_order(map);
	struct json_out out;

	jw_start(&out, json);
	jw_object(&out, NULL);
	id_write(kind, map, &out);
	business_object_read(source, map, kind->fields,
			     arena_format(source->arena, "\"%s\"", kind->key), &out);
	order_write(source, order, &out);
	jw_object_end(&out);
	if (problems_errors(source->problems) == 0)
		business_whole_check(source, kind, &map->at, json);
}

const struct business_reference *business_references(const char *kind, struct json_object *object,
						     struct arena *arena, size_t *ret_count)
{
	const struct business_kind *found = business_kind(kind);
	struct references references = { .arena = arena, .from = found == NULL ? "" : found->key };

	if (found != NULL)
		references_add(&references, found->fields, node_of(object, arena, ""), "");
	*ret_count = references.count;
	return references.list;
}

static void judge(const struct business_kind *kind, struct json_object *object, struct buf *out,
		  struct problems *problems)
{
	struct settings_source source = { .folder = "", .problems = problems };
	struct buf json = { 0 };

	source.arena = arena_new(0);
	object_write(&source, kind, node_of(object, source.arena, ""), &json);
	if (problems_errors(problems) == 0)
		buf_add(out, json.data, json.len);
	buf_clear(&json);
	arena_free(&source.arena);
}

int business_judge(const char *kind, struct json_object *object, struct buf *out,
		   struct problems *problems)
{
	static const struct place whole = { .file = "" };
	const struct business_kind *found = business_kind(kind);

	if (found == NULL)
		problem_error(problems, &whole, "there is no kind \"%.40s\"", kind);
	else if (json_kind(object) != JSON_OBJECT)
		problem_error(problems, &whole, "an object is expected");
	else
		judge(found, object, out, problems);
	return problems_errors(problems) == 0 ? 0 : -1;
}

int business_check(const char *kind, struct json_object *object, struct buf *out, struct error *err)
{
	struct problems *problems = problems_new();
	int status = business_judge(kind, object, out, problems);

	if (status != 0)
		refuse(problems, err);
	problems_free(&problems);
	return status;
}
