#include "identity/suggestions.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/memory.h"
#include "base/text.h"
#include "store/store.h"

struct reading {
	customer_suggestions_fn *done;
	void *context;
	struct arena *arena;
	char *customer;
};

static const char *text_at(struct arena *arena, const struct store_reply *list, size_t index)
{
	const char *text = reply_text(reply_item(list, index), NULL);

	return arena_text(arena, text == NULL ? "" : text);
}

/* {"channel":..., "identifier": [kind, scope, value, proof, by, at s, raw]} */
static void evidence_write(struct json_out *out, struct json_object *one)
{
	static const char *const proofs[] = { "claimed", "channel", "person" };
	struct json_object *record = json_at(one, "identifier");
	int64_t proof = json_int(record, "3", PROOF_CLAIMED);

	jw_object(out, NULL);
	jw_text(out, "channel", json_text(one, "channel"));
	jw_text(out, "kind", json_text(record, "0"));
	jw_text(out, "scope", json_text(record, "1"));
	jw_text(out, "value", json_text(record, "2"));
	jw_text(out, "proof", proofs[proof >= PROOF_CLAIMED && proof <= PROOF_PERSON ? proof : 0]);
	jw_text(out, "by", json_text(record, "4"));
	jw_time(out, "at", json_int(record, "5", 0) * 1000);
	jw_object_end(out);
}

static const char *evidence_of(struct arena *arena, struct json_object *list)
{
	struct buf text = { 0 };
	struct json_out out;
	const char *copy;

	jw_start(&out, &text);
	jw_array(&out, NULL);
	for (size_t i = 0; i < json_count(list); i++)
		evidence_write(&out, json_item(list, i));
	jw_array_end(&out);
	copy = arena_text(arena, buf_string(&text));
	buf_clear(&text);
	return copy;
}

/* {other, JSON, name, version, merged into} */
static bool read_one(struct reading *reading, const struct store_reply *row, struct suggestion *ret)
{
	struct arena *arena = reading->arena;
	const char *text = text_at(arena, row, 1);
	const char *into = text_at(arena, row, 4);
	OWNED(json_free) struct json_object *json = json_read(text, strlen(text), NULL);

	if (json == NULL || text_equal(into, reading->customer))
		return false;
	*ret = (struct suggestion){
		.other = *into != '\0' ? into : text_at(arena, row, 0),
		.name = text_at(arena, row, 2),
		.version = strtoll(text_at(arena, row, 3), NULL, 10),
		.state = json_text_copy(json, "state", arena),
		.score = json_int(json, "score", 0),
		.at_ms = json_int(json, "at", 0),
		.by = json_text_copy(json, "by", arena),
		.evidence = evidence_of(arena, json_at(json, "evidence")),
	};
	return ret->state != NULL;
}

static int stronger(const void *left, const void *right)
{
	const struct suggestion *a = left;
	const struct suggestion *b = right;
	bool a_open = text_equal(a->state, "open");
	bool b_open = text_equal(b->state, "open");

	if (a_open != b_open)
		return a_open ? -1 : 1;
	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	return strcmp(b->other, a->other);
}

static void on_read(const struct store_reply *reply, const struct error *err, void *context)
{
	struct reading *reading = context;
	size_t rows = err == NULL ? reply_count(reply) : 0;
	struct suggestion *list = arena_alloc(reading->arena, (rows + 1) * sizeof(*list));
	size_t count = 0;

	for (size_t i = 0; i < rows; i++)
		count += read_one(reading, reply_item(reply, i), &list[count]);
	qsort(list, count, sizeof(*list), stronger);
	reading->done(list, count, err, reading->context);
	arena_free(&reading->arena);
	free(reading->customer);
	free(reading);
}

void customer_suggestions_read(struct store *store, const char *workspace, const char *customer,
			       customer_suggestions_fn *done, void *context)
{
	struct store_call *call = store_script("suggestions_read", workspace);
	struct reading *reading = memory_new(sizeof(*reading));

	reading->done = done;
	reading->context = context;
	reading->arena = arena_new(0);
	reading->customer = memory_text(customer);
	store_key(call, "sg:%s", customer);
	store_read(store, call, on_read, reading);
}

void customer_suggestions_write(struct json_out *out, const char *key,
				const struct suggestion *suggestions, size_t count)
{
	jw_array(out, key);
	for (size_t i = 0; i < count; i++) {
		const struct suggestion *one = &suggestions[i];

		jw_object(out, NULL);
		jw_text(out, "customer", one->other);
		jw_text(out, "name", one->name);
		jw_int(out, "version", one->version);
		jw_text(out, "state", one->state);
		jw_int(out, "score", one->score);
		jw_time(out, "at", one->at_ms);
		jw_text(out, "by", one->by);
		jw_raw(out, "evidence", one->evidence, strlen(one->evidence));
		jw_object_end(out);
	}
	jw_array_end(out);
}

void suggestion_stored_write(struct json_out *out, const char *key, const char *text)
{
	OWNED(json_free) struct json_object *json = json_read(text, strlen(text), NULL);
	struct json_object *list = json_at(json, "evidence");

	jw_object(out, key);
	jw_int(out, "score", json_int(json, "score", 0));
	jw_time(out, "at", json_int(json, "at", 0));
	jw_array(out, "evidence");
	for (size_t i = 0; i < json_count(list); i++)
		evidence_write(out, json_item(list, i));
	jw_array_end(out);
	jw_object_end(out);
}

void suggestion_evidence(struct buf *out, const struct identifier *identifier, const char *channel,
			 int64_t at_ms)
{
	struct buf record = { 0 };
	struct json_out json;

	identity_record(identifier, at_ms, &record);
	jw_start(&json, out);
	jw_object(&json, NULL);
	jw_text(&json, "channel", channel);
	jw_raw(&json, "identifier", record.data, record.len);
	jw_object_end(&json);
	buf_clear(&record);
}
