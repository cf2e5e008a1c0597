#include "identity/customer_compose.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { PARTS_READ_MAX = 65 };

/* ---- fields of objects by their very names: names may hold dots ---- */

struct seeking {
	const char *key;
	struct json_object *found;
	bool is_there;
};

static void on_field(const char *key, struct json_object *value, void *context)
{
	struct seeking *seeking = context;

	if (text_equal(key, seeking->key)) {
		seeking->found = value;
		seeking->is_there = true;
	}
}

static bool field_has(struct json_object *object, const char *key, struct json_object **ret_value)
{
	struct seeking seeking = { .key = key };

	if (json_kind(object) == JSON_OBJECT)
		json_each_field(object, on_field, &seeking);
	*ret_value = seeking.found;
	return seeking.is_there;
}

static struct json_object *object_read(const char *text)
{
	return text == NULL ? NULL : json_read(text, strlen(text), NULL);
}

static void value_write(struct json_out *out, const char *key, struct json_object *value)
{
	struct buf text = { 0 };

	json_append(value, &text);
	jw_raw(out, key, text.data, text.len);
	buf_clear(&text);
}

static bool value_equal(struct json_object *a, struct json_object *b)
{
	struct buf left = { 0 };
	struct buf right = { 0 };
	bool equal;

	json_append(a, &left);
	json_append(b, &right);
	equal = text_equal(buf_string(&left), buf_string(&right));
	buf_clear(&left);
	buf_clear(&right);
	return equal;
}

/* ---- the view ---- */

const char *customer_name(const struct customer *customer)
{
	for (size_t i = 0; i < customer->part_count; i++)
		if (customer->parts[i].name != NULL)
			return customer->parts[i].name;
	return NULL;
}

const char *customer_tier(const struct customer *customer)
{
	for (size_t i = 0; i < customer->part_count; i++)
		if (customer->parts[i].tier != NULL)
			return customer->parts[i].tier;
	return NULL;
}

/* Members "source" and "at" of what wrote the field. */
static void source_write(struct json_out *out, struct json_object *sources, const char *field)
{
	struct json_object *entry;

	field_has(sources, field, &entry);
	jw_text(out, "source", json_string(json_item(entry, 0)));
	jw_time(out, "at", json_int(entry, "1", 0));
}

struct composing {
	struct json_out *out;
	const struct customer *customer;
	struct json_object *values[PARTS_READ_MAX];
	struct json_object *sources[PARTS_READ_MAX];
	size_t part; /* being walked */
};

static void composing_read(struct composing *composing)
{
	const struct customer *customer = composing->customer;

	for (size_t i = 0; i < customer->part_count && i < PARTS_READ_MAX; i++) {
		composing->values[i] = object_read(customer->parts[i].attributes);
		composing->sources[i] = object_read(customer->parts[i].sources);
	}
}

static void composing_clear(struct composing *composing)
{
	for (size_t i = 0; i < PARTS_READ_MAX; i++) {
		json_free(&composing->values[i]);
		json_free(&composing->sources[i]);
	}
}

/* The first part before `until` that has this attribute; until where none has. */
static size_t attribute_of(const struct composing *composing, const char *key, size_t until,
			   struct json_object **ret_value)
{
	for (size_t i = 0; i < until; i++)
		if (field_has(composing->values[i], key, ret_value))
			return i;
	return until;
}

static const char *attribute_field(struct buf *room, const char *key)
{
	buf_reset(room);
	buf_text(room, "attributes.");
	buf_text(room, key);
	return buf_string(room);
}

static void on_attribute(const char *key, struct json_object *value, void *context)
{
	struct composing *composing = context;
	struct json_object *other;
	struct buf field = { 0 };

	if (attribute_of(composing, key, composing->part, &other) < composing->part)
		return;
	jw_object(composing->out, key);
	value_write(composing->out, "value", value);
	source_write(composing->out, composing->sources[composing->part],
		     attribute_field(&field, key));
	if (composing->part > 0)
		jw_text(composing->out, "from", composing->customer->parts[composing->part].id);
	jw_object_end(composing->out);
	buf_clear(&field);
}

static void each_attribute(struct composing *composing, json_field_fn *fn)
{
	size_t count = composing->customer->part_count;

	for (composing->part = 0; composing->part < count && composing->part < PARTS_READ_MAX;
	     composing->part++)
		if (json_kind(composing->values[composing->part]) == JSON_OBJECT)
			json_each_field(composing->values[composing->part], fn, composing);
}

static bool tag_was(struct json_object *const *lists, size_t list, size_t item)
{
	const char *tag = json_string(json_item(lists[list], item));

	for (size_t i = 0; i <= list; i++)
		for (size_t j = 0; j < (i == list ? item : json_count(lists[i])); j++)
			if (text_equal(tag, json_string(json_item(lists[i], j))))
				return true;
	return tag == NULL;
}

static void tags_write(struct json_out *out, const struct customer *customer)
{
	struct json_object *lists[PARTS_READ_MAX] = { 0 };

	jw_array(out, "tags");
	for (size_t i = 0; i < customer->part_count && i < PARTS_READ_MAX; i++) {
		lists[i] = object_read(customer->parts[i].tags);
		for (size_t j = 0; j < json_count(lists[i]); j++)
			if (!tag_was(lists, i, j))
				jw_text(out, NULL, json_string(json_item(lists[i], j)));
	}
	jw_array_end(out);
	for (size_t i = 0; i < PARTS_READ_MAX; i++)
		json_free(&lists[i]);
}

void customer_write_profile(struct json_out *out, const struct customer *customer)
{
	static const char *const written[] = { "name", "tier", "tags" };
	struct composing composing = { .out = out, .customer = customer };
	const char *name = customer_name(customer);

	composing_read(&composing);
	jw_text(out, "name", name == NULL ? "" : name);
	jw_text(out, "tier", customer_tier(customer));
	jw_object(out, "attributes");
	each_attribute(&composing, on_attribute);
	jw_object_end(out);
	jw_object(out, "sources");
	for (size_t i = 0; i < COUNT_OF(written); i++) {
		jw_object(out, written[i]);
		source_write(out, composing.sources[0], written[i]);
		jw_object_end(out);
	}
	jw_object_end(out);
	tags_write(out, customer);
	composing_clear(&composing);
}

/* Somebody wrote the field when that one was merged already. */
static bool is_settled(const struct composing *composing, const char *field, size_t part)
{
	struct json_object *entry;

	field_has(composing->sources[0], field, &entry);
	return text_has_word(json_string(json_item(entry, 2)), ' ',
			     composing->customer->parts[part].id);
}

static void conflict_write(struct json_out *out, const char *field, struct json_object *value,
			   const char *text, const char *from)
{
	jw_object(out, NULL);
	jw_text(out, "field", field);
	if (value != NULL)
		value_write(out, "value", value);
	else
		jw_text(out, "value", text);
	jw_text(out, "from", from);
	jw_object_end(out);
}

static void on_other_attribute(const char *key, struct json_object *value, void *context)
{
	struct composing *composing = context;
	struct json_object *first = NULL;
	struct buf field = { 0 };

	attribute_field(&field, key);
	if (attribute_of(composing, key, composing->part, &first) < composing->part &&
	    !value_equal(first, value) && !is_settled(composing, field.data, composing->part))
		conflict_write(composing->out, field.data, value, NULL,
			       composing->customer->parts[composing->part].id);
	buf_clear(&field);
}

static void text_conflict(const struct composing *composing, const char *field, const char *counts,
			  const char *other)
{
	if (counts != NULL && other != NULL && !text_equal(counts, other) &&
	    !is_settled(composing, field, composing->part))
		conflict_write(composing->out, field, NULL, other,
			       composing->customer->parts[composing->part].id);
}

void customer_write_conflicts(struct json_out *out, const struct customer *customer)
{
	struct composing composing = { .out = out, .customer = customer };

	composing_read(&composing);
	jw_array(out, "conflicts");
	for (composing.part = 1;
	     composing.part < customer->part_count && composing.part < PARTS_READ_MAX;
	     composing.part++) {
		const struct customer_part *part = &customer->parts[composing.part];

		text_conflict(&composing, "name", customer_name(customer), part->name);
		text_conflict(&composing, "tier", customer_tier(customer), part->tier);
	}
	each_attribute(&composing, on_other_attribute);
	jw_array_end(out);
	composing_clear(&composing);
}

const char *customer_attribute(const struct customer *customer, const char *name,
			       struct arena *arena)
{
	const char *found = NULL;

	for (size_t i = 0; i < customer->part_count && found == NULL; i++) {
		OWNED(json_free)
		struct json_object *values = object_read(customer->parts[i].attributes);
		struct json_object *value;
		struct buf text = { 0 };

		if (!field_has(values, name, &value) || json_kind(value) == JSON_OBJECT ||
		    json_kind(value) == JSON_ARRAY)
			continue;
		json_append(value, &text);
		found = arena_text(arena,
				   json_kind(value) == JSON_TEXT ? json_string(value) : text.data);
		buf_clear(&text);
	}
	return found;
}

void customer_write_csat(struct json_out *out, const struct customer *customer)
{
	int64_t count = 0;
	int64_t sum = 0;
	int64_t newest = 0;
	const char *last = NULL;

	for (size_t i = 0; i < customer->part_count; i++) {
		const struct customer_part *part = &customer->parts[i];
		OWNED(json_free) struct json_object *rating = object_read(part->rating_last);
		const char *time = json_text(rating, "at");
		int64_t at = time == NULL ? 0 : text_parse_time(time);

		count += part->ratings;
		sum += part->rating_sum;
		if (rating != NULL && (last == NULL || at > newest)) {
			newest = at;
			last = part->rating_last;
		}
	}
	jw_object(out, "csat");
	jw_int(out, "count", count);
	if (count > 0)
		jw_number(out, "average", (double)(sum * 100 / count) / 100);
	else
		jw_null(out, "average");
	jw_raw(out, "last", last == NULL ? "null" : last, last == NULL ? 4 : strlen(last));
	jw_object_end(out);
}

void customer_write_hold(struct json_out *out, const struct customer *customer)
{
	for (size_t i = 0; i < customer->part_count; i++) {
		const struct customer_part *part = &customer->parts[i];
		OWNED(json_free) struct json_object *hold = object_read(part->hold);

		if (hold == NULL)
			continue;
		jw_object(out, "hold");
		jw_text(out, "reason", json_text(hold, "reason"));
		jw_text(out, "by", json_text(hold, "by"));
		jw_text(out, "at", json_text(hold, "at"));
		jw_text(out, "customer", part->id);
		jw_object_end(out);
		return;
	}
	jw_null(out, "hold");
}

void customer_write_erased(struct json_out *out, const struct customer *customer)
{
	int64_t at_ms = 0;

	for (size_t i = 0; i < customer->part_count; i++)
		if (customer->parts[i].erased_ms > at_ms)
			at_ms = customer->parts[i].erased_ms;
	jw_time(out, "erased_before", at_ms);
}

/* ---- editing ---- */

struct merging {
	struct json_out out;
	struct json_object *other;
	size_t count;
	const char *problem;
};

static void on_kept(const char *key, struct json_object *value, void *context)
{
	struct merging *merging = context;
	struct json_object *written;

	if (field_has(merging->other, key, &written))
		return;
	value_write(&merging->out, key, value);
	merging->count++;
}

static void on_written(const char *key, struct json_object *value, void *context)
{
	struct merging *merging = context;

	if (*key == '\0' || strlen(key) > ATTRIBUTE_NAME_MAX)
		merging->problem = "an attribute's name must have 1 to 100 bytes";
	if (json_kind(value) == JSON_NULL)
		return;
	value_write(&merging->out, key, value);
	merging->count++;
}

int customer_attributes_merge(const char *stored, struct json_object *patch, struct buf *out,
			      struct error *err)
{
	OWNED(json_free) struct json_object *old = object_read(stored);
	struct merging merging = { .other = patch };
	size_t start = out->len;

	jw_start(&merging.out, out);
	jw_object(&merging.out, NULL);
	if (json_kind(old) == JSON_OBJECT)
		json_each_field(old, on_kept, &merging);
	json_each_field(patch, on_written, &merging);
	jw_object_end(&merging.out);
	if (merging.count > ATTRIBUTES_MAX)
		merging.problem = "a customer has at most 100 attributes";
	else if (out->len - start > ATTRIBUTES_BYTES_MAX)
		merging.problem = "a customer's attributes have at most 16384 bytes";
	if (merging.problem != NULL)
		return error_set(err, ERROR_MISUSE, "%s", merging.problem);
	return 0;
}

struct sourcing {
	struct json_out out;
	struct json_object *body;
	const struct customer_writing *writing;
};

static bool is_written(struct json_object *body, const char *field)
{
	struct json_object *value;
	struct json_object *attributes;

	if (!text_starts(field, "attributes."))
		return field_has(body, field, &value);
	return field_has(body, "attributes", &attributes) &&
	       field_has(attributes, field + strlen("attributes."), &value);
}

static void on_source(const char *field, struct json_object *entry, void *context)
{
	struct sourcing *sourcing = context;

	if (!is_written(sourcing->body, field))
		value_write(&sourcing->out, field, entry);
}

static void entry_write(struct sourcing *sourcing, const char *field)
{
	const struct customer_writing *writing = sourcing->writing;

	jw_array(&sourcing->out, field);
	jw_text(&sourcing->out, NULL, writing->source);
	jw_int(&sourcing->out, NULL, writing->at_ms);
	if (writing->merged != NULL && *writing->merged != '\0')
		jw_text(&sourcing->out, NULL, writing->merged);
	jw_array_end(&sourcing->out);
}

static void on_attribute_written(const char *key, struct json_object *value, void *context)
{
	struct sourcing *sourcing = context;
	struct buf field = { 0 };

	/* Of what is gone nobody is the source, unless it settles what merged ones say. */
	if (json_kind(value) != JSON_NULL || sourcing->writing->merged != NULL)
		entry_write(sourcing, attribute_field(&field, key));
	buf_clear(&field);
}

static void on_member(const char *key, struct json_object *value, void *context)
{
	if (text_equal(key, "attributes") && json_kind(value) == JSON_OBJECT)
		json_each_field(value, on_attribute_written, context);
	else
		entry_write(context, key);
}

void customer_sources_merge(const char *stored, struct json_object *body,
			    const struct customer_writing *writing, struct buf *out)
{
	OWNED(json_free) struct json_object *old = object_read(stored);
	struct sourcing sourcing = { .body = body, .writing = writing };

	jw_start(&sourcing.out, out);
	jw_object(&sourcing.out, NULL);
	if (json_kind(old) == JSON_OBJECT)
		json_each_field(old, on_source, &sourcing);
	json_each_field(body, on_member, &sourcing);
	jw_object_end(&sourcing.out);
}
