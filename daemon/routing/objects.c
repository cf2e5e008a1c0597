#include "routing/objects.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "store/store.h"

static int ordered_compare(const void *a, const void *b)
{
	const struct ordered *left = a;
	const struct ordered *right = b;

	if (left->order != right->order)
		return left->order < right->order ? -1 : 1;
	return strcmp(left->id, right->id);
}

size_t objects_read(const struct store_reply *reply, struct arena *arena, struct ordered **ret,
		    struct error *err)
{
	size_t pairs = reply_count(reply) / 2;
	struct ordered *list = arena_alloc(arena, (pairs + 1) * sizeof(*list));
	size_t count = 0;

	for (size_t i = 0; i < pairs; i++) {
		size_t len = 0;
		const char *id = reply_text(reply_item(reply, 2 * i), NULL);
		const char *text = reply_text(reply_item(reply, 2 * i + 1), &len);
		struct json_object *object = text == NULL ? NULL : json_read(text, len, err);

		if (object == NULL) {
			error_wrap(err, "stored object \"%s\"", id);
			continue;
		}
		list[count].object = object;
		list[count].id = arena_text(arena, id);
		list[count++].order = json_int(object, "order", INT64_MAX);
	}
	qsort(list, count, sizeof(*list), ordered_compare);
	*ret = list;
	return count;
}

void objects_free(struct ordered *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		json_free(&list[i].object);
}

struct json_object **objects_of(const struct ordered *list, size_t count, struct arena *arena)
{
	struct json_object **objects = arena_alloc(arena, (count + 1) * sizeof(*objects));

	for (size_t i = 0; i < count; i++)
		objects[i] = list[i].object;
	return objects;
}
