#include "identity/customer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "store/store.h"

enum { CONVERSATIONS_MAX = 50, IDENTIFIERS_MAX = 64, CASES_MAX = 50 };

struct customer_run {
	struct store *store;
	customer_fn *done;
	void *context;
	struct arena *arena;
	char workspace[48];
	char id[ID_BYTES];
	bool was_redirected;
	struct customer customer;
	struct customer_identifier identifiers[IDENTIFIERS_MAX];
	struct customer_conversation conversations[CONVERSATIONS_MAX];
	const char *cases[CASES_MAX];
	size_t waiting;
	struct error err;
	bool failed;
};

struct conversation_one {
	struct customer_run *run;
	size_t place;
};

struct find_run {
	customer_found_fn *done;
	void *context;
};

static void customer_end(struct customer_run *run, const struct customer *customer,
			 const struct error *err)
{
	run->done(customer, err, run->context);
	arena_free(&run->arena);
	free(run);
}

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
		one->proved = item_int(list, 3) != PROOF_CLAIMED;
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

static void on_one_conversation(const struct store_reply *reply, const struct error *err,
				void *context)
{
	struct conversation_one *one = context;
	struct customer_run *run = one->run;
	struct customer_conversation *conversation = &run->conversations[one->place];

	if (err) {
		run->failed = true;
		run->err = *err;
	} else {
		conversation->channel = text_of(run, reply, "ch");
		conversation->subject = text_of(run, reply, "sub");
		conversation->identifier = text_of(run, reply, "ik");
		conversation->open = text_equal(reply_field(reply, "s"), "open");
		conversation->work_item = text_of(run, reply, "w");
		/* What left the store before counts, too (scripts/past_note.lua). */
		conversation->messages = reply_field_int(reply, "n") + reply_field_int(reply, "pn");
		conversation->created_ms =
			reply_field_int(reply, reply_field(reply, "pc") != NULL ? "pc" : "ct");
		conversation->updated_ms = reply_field_int(reply, "ut");
	}
	free(one);
	if (--run->waiting > 0)
		return;
	if (run->failed)
		customer_end(run, NULL, &run->err);
	else
		customer_end(run, &run->customer, NULL);
}

static void read_conversations(struct customer_run *run)
{
	run->waiting = run->customer.conversation_count;
	for (size_t i = 0; i < run->customer.conversation_count; i++) {
		struct store_call *call = store_command("HGETALL");
		struct conversation_one *one = memory_new(sizeof(*one));

		one->run = run;
		one->place = i;
		store_arg_key(call, run->workspace, "c:%s", run->conversations[i].id);
		store_read(run->store, call, on_one_conversation, one);
	}
}

static void read_fields(struct customer_run *run, const struct store_reply *reply)
{
	const char *ids[CONVERSATIONS_MAX];
	const char *name = text_of(run, reply, "nm");

	run->customer.id = run->id;
	run->customer.name = name ? name : "";
	run->customer.tier = text_of(run, reply, "tier");
	run->customer.attributes = text_of(run, reply, "at");
	run->customer.merged = text_of(run, reply, "mf");
	run->customer.created_ms = reply_field_int(reply, "ct");
	run->customer.version = reply_field_int(reply, "v");
	run->customer.identifiers = run->identifiers;
	run->customer.conversations = run->conversations;
	run->customer.cases = run->cases;
	for (size_t i = 0; i + 1 < reply_count(reply); i += 2) {
		const char *field = reply_text(reply_item(reply, i), NULL);

		if (field && text_starts(field, "i:"))
			read_identifier(run, field + 2, reply_text(reply_item(reply, i + 1), NULL));
	}
	run->customer.case_count = split(run, reply_field(reply, "wk"), run->cases, CASES_MAX);
	run->customer.conversation_count =
		split(run, reply_field(reply, "cv"), ids, CONVERSATIONS_MAX);
	for (size_t i = 0; i < run->customer.conversation_count; i++)
		run->conversations[i].id = ids[i];
}

static void read_customer(struct customer_run *run);

static void on_customer(const struct store_reply *reply, const struct error *err, void *context)
{
	struct customer_run *run = context;
	const char *redirect = err ? NULL : reply_field(reply, "to");

	if (err || reply_count(reply) == 0) {
		customer_end(run, NULL, err);
		return;
	}
	/* Redirects are one deep. */
	if (redirect && *redirect && !run->was_redirected) {
		run->was_redirected = true;
		snprintf(run->id, sizeof(run->id), "%s", redirect);
		read_customer(run);
		return;
	}
	read_fields(run, reply);
	if (run->customer.conversation_count > 0)
		read_conversations(run);
	else
		customer_end(run, &run->customer, NULL);
}

static void read_customer(struct customer_run *run)
{
	struct store_call *call = store_command("HGETALL");

	store_arg_key(call, run->workspace, "u:%s", run->id);
	store_read(run->store, call, on_customer, run);
}

void customer_read(struct store *store, const char *workspace, const char *id, customer_fn *done,
		   void *context)
{
	struct customer_run *run = memory_new(sizeof(*run));

	run->store = store;
	run->done = done;
	run->context = context;
	run->arena = arena_new(0);
	snprintf(run->workspace, sizeof(run->workspace), "%s", workspace);
	snprintf(run->id, sizeof(run->id), "%s", id);
	read_customer(run);
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
