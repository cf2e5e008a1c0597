/* Names in many objects at once: what the request brings itself need not be in the store. */
#include <stdlib.h>

#include "api/names.h"
#include "base/map.h"
#include "base/text.h"
#include "business/business.h"

struct putting {
	struct api_call *call;
	struct map *seen; /* "queues/support": brought along, or on the list already */
	struct name_given *names;
	size_t count;
	size_t room;
};

static const char *key_of(struct api_call *call, const char *kind, const char *name)
{
	return arena_format(call->arena, "%s/%s", kind, name);
}

static void add_skill(const char *key, struct json_object *value, void *context)
{
	const struct putting *putting = context;

	(void)value;
	map_put(putting->seen, key_of(putting->call, "had", key), putting->call);
}

/* Skills need not be declared: a rule may ask for those that agents bring along. */
static void note_brought(struct putting *putting, struct json_object *item)
{
	const struct business_kind *kind = business_kind(json_text(item, "kind"));
	const char *id = json_text(item, "object.id");

	if (kind == NULL || id == NULL)
		return;
	map_put(putting->seen, key_of(putting->call, kind->key, id), putting->call);
	if (text_equal(kind->key, "agents"))
		json_each_field(json_at(item, "object.skills"), add_skill, putting);
}

static bool is_seen(struct putting *putting, const struct business_reference *reference)
{
	struct api_call *call = putting->call;

	if (map_get(putting->seen, key_of(call, reference->kind, reference->name)) != NULL)
		return true;
	return name_kind_of(reference) == NAME_SKILL_NEEDED &&
	       map_get(putting->seen, key_of(call, "had", reference->name)) != NULL;
}

static void add_name(struct putting *putting, const struct business_reference *reference,
		     const char *id, const char *pointer)
{
	struct arena *arena = putting->call->arena;
	struct name_given *larger;

	if (putting->count == putting->room) {
		putting->room = putting->room == 0 ? 16 : 2 * putting->room;
		larger = arena_alloc(arena, putting->room * sizeof(*larger));
		for (size_t i = 0; i < putting->count; i++)
			larger[i] = putting->names[i];
		putting->names = larger;
	}
	putting->names[putting->count++] =
		(struct name_given){ name_kind_of(reference), reference->name,
				     arena_format(arena, "%s of \"%s\" in %s", reference->field, id,
						  reference->from),
				     arena_format(arena, "%s%s", pointer, reference->at.file) };
	map_put(putting->seen, key_of(putting->call, reference->kind, reference->name),
		putting->call);
}

static void add_names(struct putting *putting, struct json_object *item, size_t index)
{
	const char *pointer = arena_format(putting->call->arena, "/put/%zu/object", index);
	const char *kind = json_text(item, "kind");
	const char *id = json_text(item, "object.id");
	size_t count;
	const struct business_reference *references =
		business_references(kind, json_at(item, "object"), putting->call->arena, &count);

	for (size_t i = 0; i < count; i++)
		if (!is_seen(putting, &references[i]))
			add_name(putting, &references[i], id, pointer);
}

/* One look-up a kind is enough when its names stand together. */
static int by_kind(const void *a, const void *b)
{
	return (int)((const struct name_given *)a)->kind -
	       (int)((const struct name_given *)b)->kind;
}

void names_check_put(struct api_call *call, route_fn *next)
{
	struct json_object *list = json_at(call->body, "put");
	struct putting putting = { .call = call, .seen = map_new() };

	for (size_t i = 0; i < json_count(list); i++)
		note_brought(&putting, json_item(list, i));
	for (size_t i = 0; i < json_count(list); i++)
		add_names(&putting, json_item(list, i), i);
	map_free(&putting.seen);
	if (putting.count > 0)
		qsort(putting.names, putting.count, sizeof(*putting.names), by_kind);
	names_check(call, putting.names, putting.count, next);
}
