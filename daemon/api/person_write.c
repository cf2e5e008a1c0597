/* The parts of the document, one after the other. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/customer_view.h"
#include "api/merges.h"
#include "api/person.h"
#include "base/memory.h"
#include "base/text.h"
#include "conversation/timeline.h"
#include "history/history.h"
#include "parts.h"
#include "services/loop.h"
#include "store/store.h"

enum { ORDERS_PAGE = 100, MERGES_MAX = 1000 };

/* ---- the customer's own record ---- */

/* What a shop answered last: "<ms> <JSON list>". */
static void write_pulled(struct json_out *out, const struct customer *customer)
{
	jw_array(out, "pulled_orders");
	for (size_t i = 0; i < customer->pulled_count; i++) {
		const struct customer_kept *kept = &customer->pulled[i];
		const char *list = kept->json == NULL ? NULL : strchr(kept->json, ' ');

		if (list == NULL || json_check(list + 1, strlen(list + 1), NULL) != 0)
			continue;
		jw_object(out, NULL);
		jw_text(out, "hook", kept->id);
		jw_time(out, "fetched_at", strtoll(kept->json, NULL, 10));
		jw_raw(out, "orders", list + 1, strlen(list + 1));
		jw_object_end(out);
	}
	jw_array_end(out);
}

void person_write_customer(struct person *person, const struct customer *customer)
{
	struct json_out *out = &person->json;

	jw_object(out, NULL);
	jw_time(out, "exported_at", loop_unix_ms(person->parts->loop));
	jw_object(out, "customer");
	customer_write_held(out, customer);
	write_pulled(out, customer);
	jw_object_end(out);
}

/* ---- events ---- */

static void write_end(struct person *person)
{
	jw_array_end(&person->json);
	jw_bool(&person->json, "complete", true);
	jw_object_end(&person->json);
	buf_byte(&person->out, '\n');
	person_go_on(person, person_end);
}

static void events_ask(struct person *person);

static void on_events(struct json_object *answer, const struct error *err, void *context)
{
	static const char *const names[] = { "generation", "ms", "seq" };
	struct person *person = context;
	struct json_object *list = json_at(answer, "events");

	if (!person_is_wanted(person))
		return;
	if (err != NULL) {
		person_fail(person, err);
		return;
	}
	for (size_t i = 0; i < json_count(list); i++) {
		struct buf row = { 0 };

		json_append(json_item(list, i), &row);
		jw_raw(&person->json, NULL, row.data, row.len);
		buf_clear(&row);
		person->counts[PERSON_EVENTS]++;
	}
	for (size_t i = 0; i < COUNT_OF(names); i++)
		person->event[i] = json_int(answer, names[i], 0);
	person_go_on(person, json_bool(answer, "more", false) ? events_ask : write_end);
}

void person_ask_start(struct person *person, struct json_out *out, struct buf *fields)
{
	const char *id;

	jw_start(out, fields);
	out->need_comma = true;
	jw_array(out, "customers");
	for (size_t i = 0; (id = person_ids_at(&person->us, i)) != NULL; i++)
		jw_text(out, NULL, id);
	jw_array_end(out);
	jw_array(out, "keys");
	for (size_t i = 0; (id = person_ids_at(&person->keys, i)) != NULL; i++)
		jw_text(out, NULL, id);
	jw_array_end(out);
}

static void events_ask(struct person *person)
{
	struct buf fields = { 0 };
	struct json_out out;

	person_ask_start(person, &out, &fields);
	jw_int(&out, "generation", person->event[0]);
	jw_int(&out, "ms", person->event[1]);
	jw_int(&out, "seq", person->event[2]);
	person_hold(person);
	history_ask(person->parts->history, "person_events", person->workspace, &fields, on_events,
		    person);
	buf_clear(&fields);
}

static void events_start(struct person *person)
{
	jw_array(&person->json, "events");
	for (size_t i = 0; i < COUNT_OF(person->event); i++)
		person->event[i] = -1;
	if (history_is_kept(person->parts->history))
		events_ask(person);
	else
		write_end(person);
}

/* ---- what shops and applications told ---- */

static void told_ask(struct person *person);

static void talks_start(struct person *person);

static void on_told(const struct timeline_page *page, const struct error *err, void *context)
{
	struct person *person = context;
	const char *last = NULL;

	if (!person_is_wanted(person))
		return;
	if (err != NULL) {
		person_fail(person, err);
		return;
	}
	for (size_t i = 0; i < page->count; i++) {
		const struct timeline_entry *entry = &page->entries[i];

		if (entry->json != NULL)
			jw_raw(&person->json, NULL, entry->json, strlen(entry->json));
		person->counts[PERSON_BUSINESS_EVENTS]++;
		last = entry->key;
	}
	person->after = page->has_more ? arena_text(person->arena, last) : NULL;
	if (person->after == NULL)
		jw_array_end(&person->json);
	person_go_on(person, person->after == NULL ? talks_start : told_ask);
}

static void told_ask(struct person *person)
{
	const struct timeline_query query = {
		.workspace = person->workspace,
		.customer = person->id,
		.after = person->after,
		.limit = TIMELINE_MAX,
		.has_notes = true,
		.only_events = true,
	};

	person_hold(person);
	timeline_read(person->parts, &query, on_told, person);
}

static void told_start(struct person *person)
{
	jw_array(&person->json, "business_events");
	person->after = NULL;
	told_ask(person);
}

static void talks_start(struct person *person)
{
	person_write_talks(person, events_start);
}

/* ---- merges ---- */

static void on_merges(const struct store_reply *reply, const struct error *err, void *context)
{
	struct person *person = context;

	if (!person_is_wanted(person))
		return;
	if (err != NULL) {
		person_fail(person, err);
		return;
	}
	jw_array(&person->json, "merges");
	for (size_t i = 0; i < reply_count(reply); i++)
		merge_write(&person->json, reply_item(reply, i));
	jw_array_end(&person->json);
	person->counts[PERSON_MERGES] = (int64_t)reply_count(reply);
	person_go_on(person, told_start);
}

static void merges_ask(struct person *person)
{
	struct store_call *read = store_script("merges_read", person->workspace);

	store_key(read, "u:%s", person->id);
	store_arg_text(read, person->id);
	store_arg_int(read, MERGES_MAX);
	person_hold(person);
	store_read(person->parts->store, read, on_merges, person);
}

/* ---- orders ---- */

static void orders_ask(struct person *person);

static void on_orders(const struct store_reply *reply, const struct error *err, void *context)
{
	struct person *person = context;

	if (!person_is_wanted(person))
		return;
	if (err != NULL || !reply_is(reply, "ok")) {
		person_fail(person, err);
		return;
	}
	for (size_t i = 2; i + 1 < reply_count(reply); i += 2) {
		const char *json = reply_text_at(reply, i + 1);

		if (json == NULL)
			continue;
		jw_raw(&person->json, NULL, json, strlen(json));
		person->counts[PERSON_ORDERS]++;
	}
	person->after = arena_text(person->arena, reply_text_at(reply, 1));
	if (person->after == NULL)
		jw_array_end(&person->json);
	person_go_on(person, person->after == NULL ? merges_ask : orders_ask);
}

static void orders_ask(struct person *person)
{
	struct store_call *read = store_script("orders_read", person->workspace);

	store_key(read, "u:%s", person->id);
	store_arg_text(read, person->id);
	store_arg_text(read, "asc");
	store_arg_int(read, ORDERS_PAGE);
	store_arg_text(read, person->after);
	person_hold(person);
	store_read(person->parts->store, read, on_orders, person);
}

static void orders_start(struct person *person)
{
	jw_array(&person->json, "orders");
	person->after = NULL;
	orders_ask(person);
}

/* ---- notes ---- */

static void notes_ask(struct person *person);

static void on_notes(const struct store_reply *reply, const struct error *err, void *context)
{
	struct person *person = context;

	if (!person_is_wanted(person))
		return;
	if (err != NULL) {
		person_fail(person, err);
		return;
	}
	for (size_t i = 1; i < reply_count(reply); i += 2) {
		const char *json = reply_text_at(reply, i);

		if (json == NULL)
			continue;
		jw_raw(&person->json, NULL, json, strlen(json));
		person->counts[PERSON_NOTES]++;
	}
	person_go_on(person, notes_ask);
}

static void notes_ask(struct person *person)
{
	const char *id = person->has_notes ? person_ids_at(&person->us, person->us.next++) : NULL;
	struct store_call *read;

	if (id == NULL) {
		jw_array_end(&person->json);
		orders_start(person);
		return;
	}
	read = store_command("HGETALL");
	store_arg_key(read, person->workspace, "un:%s", id);
	person_hold(person);
	store_read(person->parts->store, read, on_notes, person);
}

void person_write(struct person *person)
{
	jw_array(&person->json, "notes");
	notes_ask(person);
}
