#include "identity/import.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "identity/customer_compose.h"
#include "store/store.h"

enum { TRIES = 3, TAGS_MAX = 50, BUCKET_BYTES = 16 };

/* Places in the answer of import_read.lua. */
enum {
	READ_CUSTOMER,
	READ_NAME,
	READ_TIER,
	READ_ATTRIBUTES,
	READ_TAGS,
	READ_VERSION,
	READ_SOURCES,
	READ_OWNERS
};

struct importing {
	const struct import_order *order;
	const struct import_person *person;
	import_done_fn *done;
	void *context;
	struct identifier list[IMPORT_IDENTIFIERS_MAX + 1]; /* deciding ones first */
	size_t count;
	size_t deciding;
	char customer[ID_BYTES];
	bool is_new;
	int tries;
};

static void person_read(struct importing *importing);

static void import_end(struct importing *importing, enum import_code code, const struct error *err)
{
	const struct import_outcome outcome = { .code = code, .customer = importing->customer };

	importing->done(&outcome, err, importing->context);
}

void import_external(const struct import_order *order, const char *external_id,
		     struct identifier *ret)
{
	*ret = (struct identifier){ .kind = "external",
				    .scope = order->source,
				    .value = external_id,
				    .proof = PROOF_CHANNEL,
				    .proved_by = "import" };
}

static void key_of(const struct importing *importing, size_t index, struct identity_key *ret)
{
	struct identity_place place = importing->order->place;

	place.channel = IMPORT_PLACE;
	identity_index(&place, &importing->list[index], ret);
}

static void key_add(struct store_call *call, const struct identity_key *key)
{
	char bucket[BUCKET_BYTES];

	snprintf(bucket, sizeof(bucket), "%x", key->bucket);
	store_arg_text(call, bucket);
	store_arg(call, key->field, IDENTITY_FIELD_BYTES);
}

/* ---- what is missing here ---- */

struct merged {
	struct json_out out;
	struct json_object *here;
	size_t count;
	bool is_changed;
};

static void attribute_keep(const char *key, struct json_object *value, void *context)
{
	struct merged *merged = context;
	struct buf text = { 0 };

	json_append(value, &text);
	jw_raw(&merged->out, key, text.data, text.len);
	buf_clear(&text);
	merged->count++;
}

static void attribute_add(const char *key, struct json_object *value, void *context)
{
	struct merged *merged = context;

	if (json_string(value) == NULL || merged->count >= ATTRIBUTES_MAX ||
	    (merged->here != NULL && json_at(merged->here, key) != NULL))
		return;
	jw_text(&merged->out, key, json_string(value));
	merged->count++;
	merged->is_changed = true;
}

static const char *attributes_merge(struct importing *importing, const char *stored)
{
	struct buf text = { 0 };
	struct merged merged = { .here = json_read(stored, strlen(stored), NULL) };
	const char *result = NULL;

	jw_start(&merged.out, &text);
	jw_object(&merged.out, NULL);
	json_each_field(merged.here, attribute_keep, &merged);
	json_each_field(importing->person->attributes, attribute_add, &merged);
	jw_object_end(&merged.out);
	if (merged.is_changed)
		result = arena_copy(importing->order->arena, text.data, text.len);
	json_free(&merged.here);
	buf_clear(&text);
	return result;
}

static bool has_text(struct json_object *list, const char *text)
{
	for (size_t i = 0; i < json_count(list); i++)
		if (text_equal(json_string(json_item(list, i)), text))
			return true;
	return false;
}

static const char *tags_merge(struct importing *importing, const char *stored)
{
	struct json_object *here = json_read(stored, strlen(stored), NULL);
	struct json_object *tags = importing->person->tags;
	struct buf text = { 0 };
	struct json_out out;
	const char *result = NULL;
	size_t count = json_count(here);
	bool is_changed = false;

	jw_start(&out, &text);
	jw_array(&out, NULL);
	for (size_t i = 0; i < count; i++)
		jw_text(&out, NULL, json_string(json_item(here, i)));
	for (size_t i = 0; i < json_count(tags) && count < TAGS_MAX; i++) {
		const char *tag = json_string(json_item(tags, i));

		if (tag == NULL || *tag == '\0' || has_text(here, tag))
			continue;
		jw_text(&out, NULL, tag);
		is_changed = true;
		count++;
	}
	jw_array_end(&out);
	if (is_changed)
		result = arena_copy(importing->order->arena, text.data, text.len);
	json_free(&here);
	buf_clear(&text);
	return result;
}

/* ---- writing ---- */

static void on_put(const struct store_reply *reply, const struct error *err, void *context)
{
	struct importing *importing = context;

	if (err != NULL) {
		import_end(importing, IMPORT_FAILED, err);
	} else if (reply_is(reply, "ok")) {
		import_end(importing, importing->is_new ? IMPORT_CREATED : IMPORT_UPDATED, NULL);
	} else if (++importing->tries < TRIES) {
		person_read(importing); /* somebody else was faster */
	} else {
		struct error busy;

		error_set(&busy, ERROR_TEMPORARY, "the customer is changed all the time");
		import_end(importing, IMPORT_FAILED, &busy);
	}
}

struct field_change {
	const char *name;
	const char *value;
};

static void put(struct importing *importing, const struct store_reply *read,
		const struct field_change *changes, size_t count)
{
	const struct import_person *person = importing->person;
	struct store_call *call = store_script("import_put", importing->order->place.workspace);
	struct buf record = { 0 };

	store_key(call, "u:%s", importing->customer);
	store_arg_text(call, importing->customer);
	store_arg_int(call, reply_int_at(read, READ_VERSION));
	store_arg_int(call, person->created_ms > 0 ? person->created_ms : importing->order->now_ms);
	store_arg_text(call, person->name);
	store_arg_int(call, (int64_t)(2 * count));
	for (size_t i = 0; i < count; i++) {
		store_arg_text(call, changes[i].name);
		store_arg_text(call, changes[i].value);
	}
	for (size_t i = 0; i < importing->count; i++) {
		struct identity_key key;

		key_of(importing, i, &key);
		key_add(call, &key);
		store_arg_text(call, arena_format(importing->order->arena, "i:%s", key.hex));
		buf_reset(&record);
		identity_record(&importing->list[i], importing->order->now_ms, &record);
		store_arg(call, record.data, record.len);
	}
	buf_clear(&record);
	store_run(importing->order->store, call, on_put, importing);
}

struct added {
	struct json_out out;
	struct json_object *here;
};

static void attribute_note(const char *key, struct json_object *value, void *context)
{
	struct added *added = context;

	if (json_string(value) != NULL && json_at(added->here, key) == NULL)
		jw_bool(&added->out, key, true);
}

/* Who wrote the fields that change: the import. */
static const char *sources_merge(struct importing *importing, const struct store_reply *read,
				 const struct field_change *changes, size_t count)
{
	static const char *const names[][2] = { { "nm", "name" },
						{ "tier", "tier" },
						{ "tg", "tags" } };
	const struct customer_writing writing = { "import", importing->order->now_ms, NULL };
	const char *stored = reply_text_at(read, READ_ATTRIBUTES);
	struct buf text = { 0 };
	struct added added = { .here = json_read(stored == NULL ? "{}" : stored,
						 stored == NULL ? 2 : strlen(stored), NULL) };
	struct json_object *body;
	const char *result;

	jw_start(&added.out, &text);
	jw_object(&added.out, NULL);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < COUNT_OF(names); j++)
			if (text_equal(changes[i].name, names[j][0]))
				jw_bool(&added.out, names[j][1], true);
	jw_object(&added.out, "attributes");
	json_each_field(importing->person->attributes, attribute_note, &added);
	jw_object_end(&added.out);
	jw_object_end(&added.out);
	body = json_read(text.data, text.len, NULL);
	buf_reset(&text);
	customer_sources_merge(reply_text_at(read, READ_SOURCES), body, &writing, &text);
	result = arena_copy(importing->order->arena, text.data, text.len);
	json_free(&body);
	json_free(&added.here);
	buf_clear(&text);
	return result;
}

/* ---- reading ---- */

static bool lacks_identifier(const struct importing *importing, const struct store_reply *reply)
{
	for (size_t i = 0; i < importing->count; i++)
		if (reply_text_at(reply, READ_OWNERS + i) == NULL)
			return true;
	return false;
}

static void on_read(const struct store_reply *reply, const struct error *err, void *context)
{
	struct importing *importing = context;
	const struct import_person *person = importing->person;
	struct field_change changes[5];
	size_t count = 0;
	const char *owner;
	const char *text;

	if (err != NULL) {
		import_end(importing, IMPORT_FAILED, err);
		return;
	}
	owner = reply_text_at(reply, READ_CUSTOMER);
	importing->is_new = owner == NULL;
	if (owner != NULL)
		snprintf(importing->customer, sizeof(importing->customer), "%s", owner);
	else if (importing->customer[0] == '\0')
		id_new("cus_", importing->customer);
	if (owner != NULL && reply_text_at(reply, READ_NAME) == NULL && *person->name != '\0')
		changes[count++] = (struct field_change){ "nm", person->name };
	if (reply_text_at(reply, READ_TIER) == NULL && *person->tier != '\0')
		changes[count++] = (struct field_change){ "tier", person->tier };
	text = reply_text_at(reply, READ_ATTRIBUTES);
	text = attributes_merge(importing, text == NULL ? "{}" : text);
	if (text != NULL)
		changes[count++] = (struct field_change){ "at", text };
	text = reply_text_at(reply, READ_TAGS);
	text = tags_merge(importing, text == NULL ? "[]" : text);
	if (text != NULL)
		changes[count++] = (struct field_change){ "tg", text };
	if (count > 0) {
		text = sources_merge(importing, reply, changes, count);
		changes[count++] = (struct field_change){ "as", text };
	}
	if (!importing->is_new && count == 0 && !lacks_identifier(importing, reply))
		import_end(importing, IMPORT_UNCHANGED, NULL);
	else if (importing->order->is_dry)
		import_end(importing, importing->is_new ? IMPORT_CREATED : IMPORT_UPDATED, NULL);
	else
		put(importing, reply, changes, count);
}

static void person_read(struct importing *importing)
{
	struct store_call *call = store_script("import_read", importing->order->place.workspace);

	for (size_t i = 0; i < importing->count; i++) {
		struct identity_key key;

		if (i == importing->deciding) {
			store_arg_text(call, "");
			store_arg_text(call, "");
		}
		key_of(importing, i, &key);
		key_add(call, &key);
	}
	store_read(importing->order->store, call, on_read, importing);
}

void customer_import(const struct import_order *order, const struct import_person *person,
		     import_done_fn *done, void *context)
{
	struct importing *importing = arena_alloc(order->arena, sizeof(*importing));

	importing->order = order;
	importing->person = person;
	importing->done = done;
	importing->context = context;
	import_external(order, person->external_id, &importing->list[importing->count++]);
	for (size_t i = 0; i < person->count && i < IMPORT_IDENTIFIERS_MAX; i++)
		if (identity_is_proved(&person->identifiers[i]))
			importing->list[importing->count++] = person->identifiers[i];
	importing->deciding = importing->count;
	for (size_t i = 0; i < person->count && i < IMPORT_IDENTIFIERS_MAX; i++)
		if (!identity_is_proved(&person->identifiers[i]))
			importing->list[importing->count++] = person->identifiers[i];
	person_read(importing);
}
