/* Objects of the business configuration as the store answers them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

struct json_object;
struct store_reply;

/* Objects carry "order" (their place in the file they were applied from). */
struct ordered {
	struct json_object *object;
	const char *id;
	int64_t order;
};

/* HGETALL to parsed objects in order; one that cannot be read is left out and named in err. The
 * list lives in the arena, the objects until objects_free(). */
size_t objects_read(const struct store_reply *reply, struct arena *arena, struct ordered **ret,
		    struct error *err);
void objects_free(struct ordered *list, size_t count);
/* The objects alone. */
struct json_object **objects_of(const struct ordered *list, size_t count, struct arena *arena);
