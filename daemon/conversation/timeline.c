#include "conversation/timeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "conversation/past.h"
#include "parts.h"
#include "store/store.h"

enum { FIRST_ENTRY = 4 }; /* of the script's answer */

/* Of its fourth: what the history need not be asked for, and by what. */
enum here { CUSTOMERS, IDENTIFIERS, CONVERSATIONS, WORK_ITEMS };

struct run {
	const struct parts *parts;
	struct timeline_query query;
	timeline_fn *done;
	void *context;
	struct arena *arena;
	struct timeline_page page;
	struct timeline_entry *entries;
	size_t room;
};

static void run_end(struct run *run, const struct error *err)
{
	run->done(err == NULL ? &run->page : NULL, err, run->context);
	arena_free(&run->arena);
	free(run->entries);
	free(run);
}

static struct timeline_entry *add_entry(struct run *run, enum timeline_kind kind, const char *key)
{
	struct timeline_entry *entry;

	if (run->page.count == run->room) {
		run->room = run->room == 0 ? TIMELINE_MAX : 2 * run->room;
		run->entries = memory_grow(run->entries, run->room, sizeof(*run->entries));
	}
	entry = &run->entries[run->page.count++];
	*entry = (struct timeline_entry){
		.kind = kind,
		.key = arena_text(run->arena, key),
		.at_ms = strtoll(key, NULL, 10),
	};
	return entry;
}

/* ---- the page ---- */

static int newest_first(const void *a, const void *b)
{
	const struct timeline_entry *left = a, *right = b;

	return strcmp(right->key, left->key);
}

/* Each source gave its newest: what stands below the page is asked for again. */
static void give(struct run *run, const struct error *err)
{
	if (run->page.count > 0)
		qsort(run->entries, run->page.count, sizeof(*run->entries), newest_first);
	if (run->page.count > run->query.limit) {
		run->page.count = run->query.limit;
		run->page.has_more = true;
	}
	run->page.entries = run->entries;
	run_end(run, run->page.count == 0 ? err : NULL);
}

/* ---- out of the history ---- */

/* NULL where there is nothing, as in a reply of the store. */
static const char *copy(struct run *run, struct json_object *row, const char *path)
{
	const char *text = json_text(row, path);

	return text == NULL || *text == '\0' ? NULL : arena_text(run->arena, text);
}

static void take_message(struct run *run, struct json_object *row)
{
	struct timeline_entry *entry = add_entry(run, TIMELINE_MESSAGE, json_text(row, "key"));

	entry->conversation = copy(run, row, "conversation");
	entry->channel = copy(run, row, "channel");
	entry->json = copy(run, row, "json");
	entry->mark = copy(run, row, "mark");
	entry->provider_id = copy(run, row, "provider_id");
	entry->files = copy(run, row, "files");
}

static void take_item(struct run *run, struct json_object *row)
{
	struct timeline_entry *entry = add_entry(run, TIMELINE_WORK_ITEM, json_text(row, "key"));
	const char *number = json_text(row, "hash.num");
	bool is_state = json_bool(row, "is_state", false);

	entry->conversation = copy(run, row, "hash.c");
	entry->id = copy(run, row, "id");
	entry->number = number == NULL ? 0 : strtoll(number, NULL, 10);
	entry->state = is_state ? copy(run, row, "hash.s") : "new";
	entry->queue = copy(run, row, "hash.q");
	entry->agent = is_state ? copy(run, row, "hash.a") : NULL;
}

static void take_event(struct run *run, struct json_object *row)
{
	add_entry(run, TIMELINE_EVENT, json_text(row, "key"))->json = copy(run, row, "json");
}

static void on_past(struct json_object *answer, const struct error *err, void *context)
{
	struct json_object *messages = json_at(answer, "messages");
	struct json_object *items = json_at(answer, "items");
	struct json_object *events = json_at(answer, "events");
	struct run *run = context;

	for (size_t i = 0; i < json_count(messages); i++)
		take_message(run, json_item(messages, i));
	for (size_t i = 0; i < json_count(items); i++)
		take_item(run, json_item(items, i));
	for (size_t i = 0; i < json_count(events); i++)
		take_event(run, json_item(events, i));
	if (err != NULL)
		run->page.has_more = true;
	give(run, err);
}

/* Words parted by spaces, as an array. */
static void write_words(struct json_out *out, const char *key, const char *words)
{
	jw_array(out, key);
	for (size_t len; words != NULL && *words != '\0'; words += len + (words[len] == ' ')) {
		len = strcspn(words, " ");
		if (len > 0)
			jw_textn(out, NULL, words, len);
	}
	jw_array_end(out);
}

/* "cnv ct cnv ct": from which position on they are in the store. */
static void write_here(struct json_out *out, const char *words)
{
	char id[ID_BYTES];
	long long created_ms;
	int used = 0;

	jw_object(out, "here");
	while (words != NULL && sscanf(words, " %31s %lld%n", id, &created_ms, &used) == 2) {
		jw_int(out, id, past_position(created_ms, 0));
		words += used;
	}
	jw_object_end(out);
}

static void past_read(struct run *run, const struct store_reply *here)
{
	struct buf fields = { 0 };
	const struct past_question question = { "past_timeline", run->query.workspace, &fields };
	struct json_out out;

	jw_start(&out, &fields);
	out.need_comma = true;
	write_words(&out, "customers", reply_text_at(here, CUSTOMERS));
	write_words(&out, "identifiers", reply_text_at(here, IDENTIFIERS));
	write_here(&out, reply_text_at(here, CONVERSATIONS));
	write_words(&out, "held", reply_text_at(here, WORK_ITEMS));
	if (run->query.after != NULL)
		jw_text(&out, "before", run->query.after);
	jw_int(&out, "limit", (int64_t)run->query.limit);
	jw_bool(&out, "notes", run->query.has_notes);
	jw_bool(&out, "only_events", run->query.only_events);
	past_ask(run->parts, &question, on_past, run);
	buf_clear(&fields);
}

/* ---- out of the store ---- */

static void take_row(struct run *run, const struct store_reply *row)
{
	const char *type = reply_text_at(row, 0), *key = reply_text_at(row, 1);
	struct timeline_entry *entry;
	const char *texts[10] = { NULL };

	for (size_t i = 2; i < reply_count(row) && i < COUNT_OF(texts); i++)
		texts[i] = arena_text(run->arena, reply_text_at(row, i));
	if (text_equal(type, "message")) {
		entry = add_entry(run, TIMELINE_MESSAGE, key);
		entry->conversation = texts[2];
		entry->channel = texts[3];
		entry->json = texts[4];
		entry->mark = texts[5];
		entry->provider_id = texts[6];
		entry->files = texts[7];
	} else if (text_equal(type, "note")) {
		entry = add_entry(run, TIMELINE_NOTE, key);
		entry->json = texts[2];
	} else if (text_equal(type, "event")) {
		entry = add_entry(run, TIMELINE_EVENT, key);
		entry->json = texts[2];
	} else {
		entry = add_entry(run, TIMELINE_WORK_ITEM, key);
		entry->id = texts[2];
		entry->number = reply_int_at(row, 3);
		entry->state = texts[4];
		entry->queue = texts[5];
		entry->agent = texts[6];
		entry->conversation = texts[7];
	}
}

static void on_here(const struct store_reply *reply, const struct error *err, void *context)
{
	struct run *run = context;

	if (err != NULL || !reply_is(reply, "ok")) {
		run_end(run, err);
		return;
	}
	run->page.customer = arena_text(run->arena, reply_text_at(reply, 1));
	run->page.has_more = reply_text_at(reply, 2) != NULL;
	for (size_t i = FIRST_ENTRY; i < reply_count(reply); i++)
		take_row(run, reply_item(reply, i));
	if (past_is_kept(run->parts))
		past_read(run, reply_item(reply, 3));
	else
		give(run, NULL);
}

void timeline_read(const struct parts *parts, const struct timeline_query *query, timeline_fn *done,
		   void *context)
{
	struct store_call *call = store_script("timeline_read", query->workspace);
	struct run *run = memory_new(sizeof(*run));

	run->parts = parts;
	run->done = done;
	run->context = context;
	run->arena = arena_new(0);
	run->query = *query;
	run->query.workspace = arena_text(run->arena, query->workspace);
	run->query.after = arena_text(run->arena, query->after);
	store_key(call, "u:%s", query->customer);
	store_arg_int(call, (int64_t)query->limit);
	store_arg_text(call, query->after);
	store_arg_text(call, query->only_events ? "events" : query->has_notes ? "" : "1");
	store_read(parts->store, call, on_here, run);
}
