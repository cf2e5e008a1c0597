#include "identity/order.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { PULLED_MAX = 20, QUANTITY_MAX = 1000000 };

struct member {
	const char *name;
	size_t max;
};

/* Texts of an order, in the order they are shown. */
static const struct member members[] = {
	{ "status", 60 }, { "title", 200 }, { "total", 30 }, { "currency", 3 }, { "url", 1000 },
};
static const struct member item_members[] = { { "name", 200 }, { "sku", 100 }, { "price", 30 } };

static bool has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

/* Amounts come as texts or as numbers; they are kept as texts, whose digits nobody rounds. */
static const char *text_of(struct json_object *value, struct buf *number)
{
	if (json_kind(value) != JSON_NUMBER)
		return json_string(value);
	json_append(value, number);
	return buf_string(number);
}

static int text_put(const struct member *member, const char *text, struct json_out *out,
		    struct error *err)
{
	if (text == NULL || strlen(text) > member->max || has_control(text))
		return error_set(err, ERROR_PERMANENT,
				 "\"%s\" must be one line of at most %zu bytes", member->name,
				 member->max);
	jw_text(out, member->name, text);
	return 0;
}

static int text_take(struct json_object *given, const struct member *member, struct json_out *out,
		     struct error *err)
{
	struct json_object *value = json_at(given, member->name);
	struct buf number = { 0 };
	int status = 0;

	if (json_kind(value) != JSON_NULL)
		status = text_put(member, text_of(value, &number), out, err);
	buf_clear(&number);
	return status;
}

static int item_take(struct json_object *item, struct json_out *out, struct error *err)
{
	int64_t quantity = json_int(item, "quantity", 1);

	if (json_kind(item) != JSON_OBJECT || json_text(item, "name") == NULL)
		return error_set(err, ERROR_PERMANENT, "each of \"items\" must have a \"name\"");
	if (quantity < 0 || quantity > QUANTITY_MAX)
		return error_set(err, ERROR_PERMANENT,
				 "\"quantity\" must be a whole number from 0 to 1000000");
	jw_object(out, NULL);
	for (size_t i = 0; i < COUNT_OF(item_members); i++)
		if (text_take(item, &item_members[i], out, err) != 0)
			return -1;
	jw_int(out, "quantity", quantity);
	jw_object_end(out);
	return 0;
}

static int items_take(struct json_object *given, struct json_out *out, struct error *err)
{
	struct json_object *items = json_at(given, "items");

	if (json_kind(items) == JSON_NULL)
		return 0;
	if (json_kind(items) != JSON_ARRAY || json_count(items) > ORDER_ITEMS_MAX)
		return error_set(err, ERROR_PERMANENT, "\"items\" must be a list of at most 100");
	jw_array(out, "items");
	for (size_t i = 0; i < json_count(items); i++)
		if (item_take(json_item(items, i), out, err) != 0)
			return -1;
	jw_array_end(out);
	return 0;
}

int order_id_check(const char *id, struct error *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.~";

	if (id == NULL || *id == '\0' || strlen(id) > ORDER_ID_MAX ||
	    id[strspn(id, allowed)] != '\0')
		return error_set(err, ERROR_PERMANENT,
				 "an order's id must be 1 to 100 of a-z, A-Z, 0-9, \"-\", \"_\", "
				 "\".\" and \"~\"");
	return 0;
}

/* A link is put into a page: nothing but a web address will do. */
static int url_check(struct json_object *given, struct error *err)
{
	const char *url = json_text(given, "url");

	if (url == NULL || text_starts(url, "https://") || text_starts(url, "http://"))
		return 0;
	return error_set(err, ERROR_PERMANENT, "\"url\" must start with https:// or http://");
}

int order_check(struct json_object *given, const struct order *order, struct buf *out,
		struct error *err)
{
	struct json_out json;
	size_t start = out->len;

	if (order_id_check(order->id, err) != 0 || url_check(given, err) != 0)
		return -1;
	jw_start(&json, out);
	jw_text(&json, "id", order->id);
	jw_time(&json, "placed_at", order->placed_ms);
	for (size_t i = 0; i < COUNT_OF(members); i++)
		if (text_take(given, &members[i], &json, err) != 0)
			return -1;
	if (items_take(given, &json, err) != 0)
		return -1;
	if (out->len - start > ORDER_BYTES_MAX)
		return error_set(err, ERROR_PERMANENT, "an order has at most 16384 bytes");
	return 0;
}

static int pulled_take(struct json_object *given, struct buf *out, struct error *err)
{
	const char *placed = json_text(given, "placed_at");
	struct order order = { json_text(given, "id"), 0 };

	if (json_kind(given) != JSON_OBJECT)
		return error_set(err, ERROR_PERMANENT, "each of \"orders\" must be an object");
	if (placed != NULL)
		order.placed_ms = text_parse_time(placed);
	if (order.placed_ms < 0)
		return error_set(err, ERROR_PERMANENT,
				 "\"placed_at\" must be a time such as 2026-11-23T08:00:00Z");
	buf_byte(out, '{');
	if (order_check(given, &order, out, err) != 0)
		return -1;
	buf_byte(out, '}');
	return 0;
}

int orders_check(const char *json, size_t len, struct buf *out, struct error *err)
{
	OWNED(json_free) struct json_object *answer = json_read(json, len, err);
	struct json_object *orders = json_at(answer, "orders");

	if (answer == NULL)
		return -1;
	if (json_kind(answer) != JSON_OBJECT || json_kind(orders) != JSON_ARRAY)
		return error_set(err, ERROR_PERMANENT, "it must have a list \"orders\"");
	buf_byte(out, '[');
	for (size_t i = 0; i < json_count(orders) && i < PULLED_MAX; i++) {
		if (i > 0)
			buf_byte(out, ',');
		if (pulled_take(json_item(orders, i), out, err) != 0)
			return -1;
	}
	buf_byte(out, ']');
	return 0;
}
