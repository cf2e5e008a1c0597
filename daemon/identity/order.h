/* An order of a customer, as a shop tells it. Pure. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"

enum { ORDER_ID_MAX = 100, ORDER_BYTES_MAX = 16384, ORDER_ITEMS_MAX = 100 };

struct order {
	const char *id;
	int64_t placed_ms;
};

/* Judges what a shop says of an order and appends it as members of an object, without braces, "id"
 * first: -1 with what is wrong and where. Unknown members are left out. */
int order_check(struct json_object *given, const struct order *order, struct buf *out,
		struct error *err);
/* What a shop answers to an order hook, {"orders":[{"id",...}]}, appended as a JSON array, newest
 * first as given, at most 20: -1 with what is wrong. */
int orders_check(const char *json, size_t len, struct buf *out, struct error *err);
/* 1 to 100 characters that can stand in a path without encoding. */
int order_id_check(const char *id, struct error *err);
