#include "identity/customer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "store/store.h"

enum {
	CONVERSATIONS_MAX = 50,
	IDENTIFIERS_MAX = 64,
	CASES_MAX = 50,
	PARTS_MAX = 65,
	CONSENTS_MAX = 256,
	KEPT_MAX = 64,
};

struct customer_run {
	customer_fn *done;
	void *context;
	struct arena *arena;
	struct customer customer;
	struct customer_identifier identifiers[IDENTIFIERS_MAX];
	struct customer_conversation conversations[CONVERSATIONS_MAX];
	struct customer_part parts[PARTS_MAX];
	struct customer_consent consents[CONSENTS_MAX];
	const char *cases[CASES_MAX];
};

struct find_run {
	customer_found_fn *done;
	void *context;
};

static const char *text_of(struct customer_run *run, const struct store_reply *reply,
			   const char *name)
{
	const char *text = reply_field(reply, name);

	return text && *text ? arena_text(run->arena, text) : NULL;
}

static const char *item_text(struct customer_run *run, struct json_object *list, size_t index)
{
	const char *text = json_string(json_item(list, index));

	return text && *text ? arena_text(run->arena, text) : NULL;
}

static int64_t item_int(struct json_object *list, size_t index)
{
	struct buf text = { 0 };
	int64_t number;

	if (index >= json_count(list))
		return 0;
	json_append(json_item(list, index), &text);
	number = strtoll(buf_string(&text), NULL, 10);
	buf_clear(&text);
	return number;
}

/* [kind, scope, value, proof, by, at s, raw] */
static void read_identifier(struct customer_run *run, const char *hash, const char *json)
{
	struct customer_identifier *one;
	struct json_object *list = json_read(json, strlen(json), NULL);
	const char *scope;

	if (list && run->customer.identifier_count < IDENTIFIERS_MAX && item_text(run, list, 2)) {
		one = &run->identifiers[run->customer.identifier_count++];
		scope = item_text(run, list, 1);
		one->kind = item_text(run, list, 0);
		one->scope = scope ? scope : "";
		one->value = item_text(run, list, 2);
		one->trust = (int)item_int(list, 3);
		one->proved = one->trust != PROOF_CLAIMED;
		one->by = item_text(run, list, 4);
		one->at_ms = item_int(list, 5) * 1000;
		one->raw = json_count(list) > 6 ? item_text(run, list, 6) : NULL;
		if (text_equal(one->raw, one->value))
			one->raw = NULL;
		one->is_shared = text_equal(json_string(json_item(list, 7)), "sh");
		one->record = arena_text(run->arena, json);
		one->hash = arena_text(run->arena, hash);
	}
	json_free(&list);
}

static size_t split(struct customer_run *run, const char *words, const char **out, size_t max)
{
	size_t count = 0;

	while (words && *words && count < max) {
		size_t len = strcspn(words, " ");

		if (len == ID_BYTES - 2)
			out[count++] = arena_copy(run->arena, words, len);
		words += len + (words[len] == ' ');
	}
	return count;
}

static const char *copy_at(struct customer_run *run, const struct store_reply *list, size_t index)
{
	const char *text = reply_text_at(list, index);

	return text ? arena_text(run->arena, text) : NULL;
}

static void read_part(struct customer_run *run, const char *id, const struct store_reply *hash)
{
	if (run->customer.part_count == PARTS_MAX)
		return;
	run->parts[run->customer.part_count++] = (struct customer_part){
		.id = id,
		.name = text_of(run, hash, "nm"),
		.tier = text_of(run, hash, "tier"),
		.attributes = text_of(run, hash, "at"),
		.sources = text_of(run, hash, "as"),
		.tags = text_of(run, hash, "tg"),
		.ratings = reply_field_int(hash, "rn"),
		.rating_sum = reply_field_int(hash, "rs"),
		.rating_last = text_of(run, hash, "rl"),
		.erased_ms = reply_field_int(hash, "eb"),
		.hold = text_of(run, hash, "hold"),
	};
}

/* "<purpose>:<channel or *>", behind it "#" and the identifier's hash where it is its alone; the
 * customer's own word wins over that of one merged into it. */
static void read_consent(struct customer_run *run, const char *field, const char *json)
{
	const char *colon = strchr(field, ':');
	struct customer_consent one;

	if (!colon || run->customer.consent_count == CONSENTS_MAX)
		return;
	one.purpose = arena_copy(run->arena, field, (size_t)(colon - field));
	one.field = arena_text(run->arena, field);
	one.channel = text_equal(colon + 1, "*")
			      ? NULL
			      : arena_copy(run->arena, colon + 1, strcspn(colon + 1, "#"));
	one.json = arena_text(run->arena, json);
	for (size_t i = 0; i < run->customer.consent_count; i++)
		if (text_equal(run->consents[i].field, one.field))
			return;
	run->consents[run->customer.consent_count++] = one;
}

static void read_listed(struct customer_run *run, const struct store_reply *hash)
{
	for (size_t i = 0; i + 1 < reply_count(hash); i += 2) {
		const char *field = reply_text(reply_item(hash, i), NULL);
		const char *value = reply_text(reply_item(hash, i + 1), NULL);

		if (text_starts(field, "i:"))
			read_identifier(run, field + 2, value);
		else if (text_starts(field, "k:"))
			read_consent(run, field + 2, value);
	}
	run->customer.case_count +=
		split(run, reply_field(hash, "wk"), run->cases + run->customer.case_count,
		      CASES_MAX - run->customer.case_count);
}

static int64_t time_at(const struct store_reply *row, size_t index)
{
	const char *text = reply_text_at(row, index);
	int64_t ms = text ? text_parse_time(text) : 0;

	return ms < 0 ? 0 : ms;
}

static void read_conversations(struct customer_run *run, const struct store_reply *list)
{
	for (size_t i = 0; i < reply_count(list) && i < CONVERSATIONS_MAX; i++) {
		const struct store_reply *row = reply_item(list, i);
		const char *newest = copy_at(run, row, 10);

		run->conversations[run->customer.conversation_count++] =
			(struct customer_conversation){
				.id = copy_at(run, row, 0),
				.channel = copy_at(run, row, 1),
				.subject = copy_at(run, row, 2),
				.open = text_equal(reply_text_at(row, 3), "open"),
				.work_item = copy_at(run, row, 4),
				.last_work_item = copy_at(run, row, 5),
				.identifier = copy_at(run, row, 6),
				.messages = reply_int_at(row, 7),
				.updated_ms = reply_int_at(row, 8),
				.created_ms = reply_int_at(row, 9),
				.newest = newest ? newest : "",
				.newest_ms = time_at(row, 11),
			};
	}
}

/* {total, {id, JSON}...} */
static size_t read_rows(struct customer_run *run, const struct store_reply *list,
			const struct customer_kept **ret_rows)
{
	struct customer_kept *rows = arena_alloc(run->arena, (KEPT_MAX + 1) * sizeof(*rows));
	size_t count = 0;

	for (size_t i = 1; i < reply_count(list) && count < KEPT_MAX; i++) {
		rows[count].id = copy_at(run, reply_item(list, i), 0);
		rows[count].json = copy_at(run, reply_item(list, i), 1);
		count += rows[count].id && rows[count].json;
	}
	*ret_rows = rows;
	return count;
}

static size_t read_pairs(struct customer_run *run, const struct store_reply *list,
			 const struct customer_kept **ret_rows)
{
	struct customer_kept *rows = arena_alloc(run->arena, (KEPT_MAX + 1) * sizeof(*rows));
	size_t count = 0;

	for (size_t i = 0; i + 1 < reply_count(list) && count < KEPT_MAX; i += 2)
		rows[count++] =
			(struct customer_kept){ copy_at(run, list, i), copy_at(run, list, i + 1) };
	*ret_rows = rows;
	return count;
}

static size_t read_texts(struct customer_run *run, const struct store_reply *list,
			 const char *const **ret_texts)
{
	const char **texts = arena_alloc(run->arena, (KEPT_MAX + 1) * sizeof(*texts));
	size_t count = 0;

	for (size_t i = 0; i < reply_count(list) && count < KEPT_MAX; i++)
		if ((texts[count] = copy_at(run, list, i)) != NULL)
			count++;
	*ret_texts = texts;
	return count;
}

/* An answer of customer_view.lua. */
static void read_view(struct customer_run *run, const struct store_reply *reply)
{
	struct customer *customer = &run->customer;
	const struct store_reply *own = reply_item(reply, 2);
	const struct store_reply *merged = reply_item(reply, 3);

	customer->id = copy_at(run, reply, 1);
	customer->created_ms = reply_field_int(own, "ct");
	customer->version = reply_field_int(own, "v");
	customer->name = text_of(run, own, "nm");
	customer->name = customer->name ? customer->name : "";
	customer->tier = text_of(run, own, "tier");
	customer->attributes = text_of(run, own, "at");
	customer->merged = text_of(run, own, "mf");
	customer->identifiers = run->identifiers;
	customer->conversations = run->conversations;
	customer->parts = run->parts;
	customer->consents = run->consents;
	customer->cases = run->cases;
	read_part(run, customer->id, own);
	read_listed(run, own);
	for (size_t i = 0; i < reply_count(merged); i++) {
		const struct store_reply *row = reply_item(merged, i);

		read_part(run, copy_at(run, row, 0), reply_item(row, 1));
		read_listed(run, reply_item(row, 1));
	}
	read_conversations(run, reply_item(reply, 4));
	customer->notes_total = reply_int_at(reply_item(reply, 5), 0);
	customer->note_count = read_rows(run, reply_item(reply, 5), &customer->notes);
	customer->orders_total = reply_int_at(reply_item(reply, 6), 0);
	customer->order_count = read_rows(run, reply_item(reply, 6), &customer->orders);
	customer->pulled_count = read_pairs(run, reply_item(reply, 7), &customer->pulled);
	customer->link_count = read_texts(run, reply_item(reply, 8), &customer->links);
	customer->hook_count = read_texts(run, reply_item(reply, 9), &customer->hooks);
}

static void on_view(const struct store_reply *reply, const struct error *err, void *context)
{
	struct customer_run *run = context;
	bool is_there = !err && reply_is(reply, "ok");

	if (is_there)
		read_view(run, reply);
	run->done(is_there ? &run->customer : NULL, err, run->context);
	arena_free(&run->arena);
	free(run);
}

void customer_read(struct store *store, const char *workspace, const char *id, customer_fn *done,
		   void *context)
{
	struct store_call *call = store_script("customer_view", workspace);
	struct customer_run *run = memory_new(sizeof(*run));

	run->done = done;
	run->context = context;
	run->arena = arena_new(0);
	store_key(call, "u:%s", id);
	store_read(store, call, on_view, run);
}

static void on_found(const struct store_reply *reply, const struct error *err, void *context)
{
	struct find_run *run = context;

	run->done(err ? NULL : reply_text(reply, NULL), err, run->context);
	free(run);
}

void customer_find(struct store *store, const struct identity_place *place,
		   const struct identifier *identifier, customer_found_fn *done, void *context)
{
	struct store_call *call = store_command("HGET");
	struct find_run *run = memory_new(sizeof(*run));
	struct identity_key key;

	run->done = done;
	run->context = context;
	identity_index(place, identifier, &key);
	store_arg_key(call, place->workspace, "i:%x", key.bucket);
	store_arg(call, key.field, IDENTITY_FIELD_BYTES);
	store_read(store, call, on_found, run);
}
