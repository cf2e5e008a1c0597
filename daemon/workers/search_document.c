/* What of a message, a customer, a note about one and a work item can be searched for. */
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "workers/search.h"

static void read_message(struct json_object *row, struct search_document *ret)
{
	struct json_object *attachments = json_at(row, "attachments");

	search_field_add(ret, "text", json_text(row, "text"));
	search_field_add(ret, "subject", json_text(row, "subject"));
	for (size_t i = 0; i < json_count(attachments); i++)
		search_field_add(ret, "attachment", json_text(json_item(attachments, i), "name"));
}

struct customer {
	struct arena *arena;
	struct search_document *document;
};

/* [kind, scope, value, proof, by, at s, raw] */
static void add_identifier(const char *name, struct json_object *value, void *context)
{
	struct customer *customer = context;
	const char *stored = json_string(value);
	struct json_object *record;
	struct error err;

	if (!text_starts(name, "i:") || stored == NULL)
		return;
	record = json_read(stored, strlen(stored), &err);
	search_field_add(customer->document, "identifier",
			 arena_text(customer->arena, json_string(json_item(record, 2))));
	json_free(&record);
}

static void add_value(struct customer *customer, const char *name, struct json_object *value)
{
	struct buf text = { 0 };

	if (json_kind(value) == JSON_TEXT)
		buf_text(&text, json_string(value));
	else if (json_kind(value) == JSON_NUMBER)
		json_append(value, &text);
	search_field_add(customer->document, name,
			 text.len == 0 ? NULL : arena_copy(customer->arena, text.data, text.len));
	buf_clear(&text);
}

static void add_attribute(const char *name, struct json_object *value, void *context)
{
	(void)name;
	add_value(context, "attribute", value);
}

/* Of a field that holds JSON; NULL where there is none. */
static struct json_object *read_json(struct json_object *row, const char *field)
{
	const char *stored = json_text(row, field);
	struct error err;

	return stored == NULL || *stored == '\0' ? NULL : json_read(stored, strlen(stored), &err);
}

static void add_tags_and_attributes(struct json_object *row, struct customer *customer)
{
	struct json_object *tags = read_json(row, "tg"), *attributes = read_json(row, "at");

	for (size_t i = 0; i < json_count(tags); i++)
		add_value(customer, "tag", json_item(tags, i));
	if (json_kind(attributes) == JSON_OBJECT)
		json_each_field(attributes, add_attribute, customer);
	json_free(&tags);
	json_free(&attributes);
}

static void read_customer(struct json_object *row, struct arena *arena, struct search_document *ret)
{
	struct customer customer = { .arena = arena, .document = ret };

	search_field_add(ret, "name", json_text(row, "nm"));
	json_each_field(row, add_identifier, &customer);
	add_tags_and_attributes(row, &customer);
}

static void read_work_item(struct json_object *row, struct search_document *ret)
{
	search_field_add(ret, "number", json_text(row, "num"));
	search_field_add(ret, "type", json_text(row, "ty"));
	search_field_add(ret, "topic", json_text(row, "tp"));
	search_field_add(ret, "summary", json_text(row, "sum"));
}

void search_document_read(const char *type, struct json_object *row, struct arena *arena,
			  struct search_document *ret)
{
	ret->count = 0;
	if (text_equal(type, "message"))
		read_message(row, ret);
	else if (text_equal(type, "note"))
		search_field_add(ret, "note", json_text(row, "text"));
	else if (text_equal(type, "customer"))
		read_customer(row, arena, ret);
	else
		read_work_item(row, ret);
}
