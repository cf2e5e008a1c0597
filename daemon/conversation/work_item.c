#include "conversation/work_item.h"

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

/* ---- as JSON ---- */

/* Words parted by spaces, as a list. */
static void write_words(struct json_out *json, const char *key, const char *words)
{
	size_t len;

	jw_array(json, key);
	for (words = words ? words : ""; *words; words += len + (words[len] == ' ')) {
		len = strcspn(words, " ");
		jw_textn(json, NULL, words, len);
	}
	jw_array_end(json);
}

static void write_customer(struct json_out *json, const struct work_item *item)
{
	if (!item->customer) {
		jw_null(json, "customer");
		return;
	}
	jw_object(json, "customer");
	jw_text(json, "id", item->customer);
	jw_text(json, "name", item->customer_name ? item->customer_name : "");
	jw_object_end(json);
}

static void write_classifier(struct json_out *json, const struct work_item *item)
{
	if (!item->classifier)
		return;
	jw_object(json, "classifier");
	jw_text(json, "id", item->classifier);
	jw_int(json, "confidence", item->confidence);
	jw_bool(json, "needs_human", item->needs_human);
	jw_object_end(json);
}

static bool has_ended(const struct work_item *item)
{
	return text_equal("closed", item->state) || text_equal("cancelled", item->state);
}

static void write_standing(struct json_out *json, const struct work_item *item)
{
	if (text_equal("waiting", item->state))
		jw_text(json, "waiting_for", item->waiting_for ? item->waiting_for : "");
	write_words(json, "offers", item->offers);
	jw_text(json, "transfer", item->transfer);
	jw_text(json, "consultation", item->consultation);
	write_words(json, "helpers", item->helpers);
	if (item->escalation_level > 0)
		jw_int(json, "escalation_level", item->escalation_level);
	jw_time(json, "since", item->state_ms);
	jw_time(json, "first_response_at", item->first_response_ms);
	jw_time(json, "last_inbound_at", has_ended(item) ? 0 : item->last_inbound_ms);
	if (item->lease_ms)
		jw_time(json, "lease_expires_at", item->lease_ms);
	jw_text(json, "rule", item->rule);
	write_classifier(json, item);
	jw_text(json, "reason", item->reason);
	jw_text(json, "summary", item->summary);
}

void work_item_write(struct json_out *json, const char *key, const struct work_item *item)
{
	jw_object(json, key);
	jw_text(json, "id", item->id);
	jw_int(json, "number", item->number);
	jw_text(json, "state", item->state);
	jw_text(json, "type", item->type ? item->type : "");
	jw_text(json, "topic", item->topic ? item->topic : "");
	jw_text(json, "urgency", item->urgency ? item->urgency : "normal");
	jw_int(json, "priority", item->priority);
	jw_text(json, "queue", item->queue ? item->queue : "");
	jw_text(json, "channel", item->channel);
	write_customer(json, item);
	jw_text(json, "conversation", item->conversation);
	jw_text(json, "agent", item->agent);
	jw_time(json, "created_at", item->created_ms);
	jw_raw(json, "sla", item->sla ? item->sla : "[]", item->sla ? strlen(item->sla) : 2);
	write_standing(json, item);
	jw_int(json, "version", item->version);
	jw_object_end(json);
}

/* ---- reading: from a hash in the store or in the history ---- */

struct hash {
	const struct store_reply *row; /* NULL: */
	struct json_object *json;
	struct arena *arena;
};

static const char *hash_text(const struct hash *hash, const char *field)
{
	const char *text = hash->row != NULL ? reply_field_text(hash->row, field)
					     : json_text(hash->json, field);

	return text == NULL || *text == '\0' ? NULL : arena_text(hash->arena, text);
}

static int64_t hash_int(const struct hash *hash, const char *field)
{
	const char *text =
		hash->row != NULL ? reply_field(hash->row, field) : json_text(hash->json, field);

	return text == NULL ? 0 : strtoll(text, NULL, 10);
}

static struct work_item item_read(const struct hash *hash, const char *id, const char *name)
{
	return (struct work_item){
		.id = arena_text(hash->arena, id),
		.customer_name =
			name == NULL || *name == '\0' ? NULL : arena_text(hash->arena, name),
		.state = hash_text(hash, "s"),
		.waiting_for = hash_text(hash, "wf"),
		.number = hash_int(hash, "num"),
		.version = hash_int(hash, "v"),
		.queue = hash_text(hash, "q"),
		.conversation = hash_text(hash, "c"),
		.customer = hash_text(hash, "u"),
		.channel = hash_text(hash, "ch"),
		.agent = hash_text(hash, "a"),
		.offers = hash_text(hash, "o"),
		.transfer = hash_text(hash, "tr"),
		.consultation = hash_text(hash, "cp"),
		.helpers = hash_text(hash, "co"),
		.escalation_level = hash_int(hash, "el"),
		.type = hash_text(hash, "ty"),
		.topic = hash_text(hash, "tp"),
		.urgency = hash_text(hash, "ur"),
		.priority = hash_int(hash, "pr"),
		.rule = hash_text(hash, "ru"),
		.classifier = hash_text(hash, "cb"),
		.confidence = hash_int(hash, "cf"),
		.needs_human = hash_int(hash, "nh") == 1,
		.reason = hash_text(hash, "rs"),
		.summary = hash_text(hash, "sum"),
		.created_ms = hash_int(hash, "ct"),
		.state_ms = hash_int(hash, "st"),
		.first_response_ms = hash_int(hash, "fr"),
		.last_inbound_ms = hash_int(hash, "lt"),
		.lease_ms = hash_int(hash, "lx"),
		.sla = hash_text(hash, "sla"),
		.attention = hash_text(hash, "sl"),
	};
}

/* ---- reading: who asks ---- */

/* Items are taken from the store first, in the order of ids; what is not there stays a gap until
 * the history was asked. */
struct items_run {
	const struct parts *parts;
	work_page_fn *done;
	void *context;
	struct arena *arena;
	const char *workspace;
	const char *last;
	const char **ids;
	size_t id_count;
	struct work_item *items; /* id NULL: a gap */
	/* Lists of what has ended only: */
	struct work_query query;
	struct work_item *past;
	size_t past_count;
	const char *past_last; /* of the history's page, filtered out or not */
	bool is_ended;
	bool has_more_past;
};

static struct items_run *run_new(const struct parts *parts, const char *workspace,
				 work_page_fn *done, void *context)
{
	struct items_run *run = memory_new(sizeof(*run));

	run->parts = parts;
	run->done = done;
	run->context = context;
	run->arena = arena_new(0);
	run->workspace = arena_text(run->arena, workspace);
	run->items = arena_alloc(run->arena, 2 * WORK_ITEMS_MAX * sizeof(*run->items));
	run->ids = arena_alloc(run->arena, WORK_ITEMS_MAX * sizeof(*run->ids));
	return run;
}

static void items_fail(struct items_run *run, const struct error *err)
{
	run->done(NULL, err, run->context);
	arena_free(&run->arena);
	free(run);
}

static void items_end(struct items_run *run)
{
	struct work_page page = { .items = run->items, .last = run->last };

	for (size_t i = 0; i < run->id_count; i++)
		if (run->items[i].id != NULL)
			run->items[page.count++] = run->items[i];
	run->done(&page, NULL, run->context);
	arena_free(&run->arena);
	free(run);
}

/* ---- by id ---- */

static void take_past(struct items_run *run, struct json_object *row)
{
	const struct hash hash = { NULL, json_at(row, "hash"), run->arena };
	const char *id = json_text(row, "id");

	for (size_t i = 0; i < run->id_count; i++)
		if (run->items[i].id == NULL && text_equal(run->ids[i], id))
			run->items[i] = item_read(&hash, id, json_text(row, "name"));
}

static void on_past_items(struct json_object *answer, const struct error *err, void *context)
{
	struct items_run *run = context;
	struct json_object *rows = json_at(answer, "items");

	if (err != NULL) {
		items_fail(run, err);
		return;
	}
	for (size_t i = 0; i < json_count(rows); i++)
		take_past(run, json_item(rows, i));
	items_end(run);
}

static void past_items_read(struct items_run *run)
{
	struct buf fields = { 0 };
	const struct past_question question = { "past_items", run->workspace, &fields };
	struct json_out out;
	size_t gaps = 0;

	buf_text(&fields, ",\"items\":");
	jw_start(&out, &fields);
	jw_array(&out, NULL);
	for (size_t i = 0; i < run->id_count; i++) {
		if (run->items[i].id != NULL || !id_is(run->ids[i], "wrk_"))
			continue;
		jw_text(&out, NULL, run->ids[i]);
		gaps++;
	}
	jw_array_end(&out);
	if (gaps > 0 && past_is_kept(run->parts))
		past_ask(run->parts, &question, on_past_items, run);
	else
		items_end(run);
	buf_clear(&fields);
}

static void list_merge(struct items_run *run);

/* A row of work_read.lua: id and customer's name, then the fields; the id alone where there is
 * none. */
static void on_items(const struct store_reply *reply, const struct error *err, void *context)
{
	struct items_run *run = context;

	if (err != NULL) {
		items_fail(run, err);
		return;
	}
	for (size_t i = 0; i < reply_count(reply) && i < run->id_count; i++) {
		const struct store_reply *row = reply_item(reply, i);
		const struct hash hash = { row, NULL, run->arena };

		if (reply_count(row) > 2)
			run->items[i] =
				item_read(&hash, run->ids[i], reply_text(reply_item(row, 1), NULL));
	}
	if (run->is_ended)
		list_merge(run);
	else
		past_items_read(run);
}

static void items_read(struct items_run *run)
{
	struct store_call *call = store_script("work_read", run->workspace);

	for (size_t i = 0; i < run->id_count; i++)
		store_arg_text(call, run->ids[i]);
	store_read(run->parts->store, call, on_items, run);
}

void work_items_read(const struct parts *parts, const struct work_ids *ids, work_page_fn *done,
		     void *context)
{
	struct items_run *run = run_new(parts, ids->workspace, done, context);

	for (size_t i = 0; i < ids->count && i < WORK_ITEMS_MAX; i++)
		run->ids[run->id_count++] = arena_text(run->arena, ids->ids[i]);
	items_read(run);
}

/* ---- lists ---- */

static bool comes_first(const struct items_run *run, const struct work_item *a,
			const struct work_item *b)
{
	bool is_older = a->created_ms < b->created_ms ||
			(a->created_ms == b->created_ms && strcmp(a->id, b->id) < 0);

	return is_older == run->query.ascending;
}

/* Is it behind the place up to which the store was looked through? */
static bool is_behind(const struct items_run *run, const struct work_item *item)
{
	struct work_item bound = { 0 };
	char *rest;

	if (run->last == NULL || text_equal(strchr(run->last, ' ') + 1, item->id))
		return false;
	bound.created_ms = strtoll(run->last, &rest, 10);
	bound.id = *rest == ' ' ? rest + 1 : rest;
	return comes_first(run, &bound, item);
}

static const char *place_of(struct items_run *run, const struct work_item *item)
{
	return arena_format(run->arena, "%lld %s", (long long)item->created_ms, item->id);
}

static void list_add(struct work_item *merged, size_t *count, const struct work_item *item)
{
	if (*count == 0 || !text_equal(merged[*count - 1].id, item->id))
		merged[(*count)++] = *item;
}

/* Both are in order; what stands in both was handed over and has not left yet. */
static void list_merge(struct items_run *run)
{
	struct work_item *merged =
		arena_alloc(run->arena, (run->query.limit + 1) * sizeof(*merged));
	size_t hot = 0, past = 0, count = 0;
	bool is_cut = false;

	while (hot < run->id_count || past < run->past_count) {
		const struct work_item *item = &run->items[hot];

		/* What the history would say next may come before this one. */
		if (past == run->past_count && run->has_more_past)
			break;

		if (hot < run->id_count && item->id == NULL) {
			hot++; /* it left this moment: the history has it */
			continue;
		}
		if (hot == run->id_count ||
		    (past < run->past_count && !comes_first(run, item, &run->past[past])))
			item = &run->past[past];
		is_cut = is_behind(run, item) || count > run->query.limit;
		if (is_cut)
			break;
		list_add(merged, &count, item);
		if (item == &run->items[hot])
			hot++;
		else
			past++;
	}
	if (count > run->query.limit) {
		count = run->query.limit;
		run->last = place_of(run, &merged[count - 1]);
	} else if (run->has_more_past && !is_cut) {
		run->last = run->past_last;
	}
	memcpy(run->items, merged, count * sizeof(*merged));
	run->id_count = count;
	items_end(run);
}

static bool is_asked_for(const struct items_run *run, const struct work_item *item)
{
	return run->query.sla == NULL || text_equal(run->query.sla, item->attention);
}

static void on_past_list(struct json_object *answer, const struct error *err, void *context)
{
	struct items_run *run = context;
	struct json_object *rows = json_at(answer, "items");

	if (err != NULL) {
		items_fail(run, err);
		return;
	}
	run->past = arena_alloc(run->arena, (json_count(rows) + 1) * sizeof(*run->past));
	for (size_t i = 0; i < json_count(rows); i++) {
		struct json_object *row = json_item(rows, i);
		const struct hash hash = { NULL, json_at(row, "hash"), run->arena };
		struct work_item item =
			item_read(&hash, json_text(row, "id"), json_text(row, "name"));

		run->past_last = place_of(run, &item);
		if (is_asked_for(run, &item))
			run->past[run->past_count++] = item;
	}
	run->has_more_past = json_count(rows) > run->query.limit;
	items_read(run);
}

static void past_list_read(struct items_run *run)
{
	struct buf fields = { 0 };
	const struct past_question question = { "past_list", run->workspace, &fields };
	const char *after = run->query.after;
	const char *space = after == NULL ? NULL : strchr(after, ' ');
	struct json_out out;

	jw_start(&out, &fields);
	out.need_comma = true;
	jw_text(&out, "state", run->query.state);
	jw_text(&out, "queue", run->query.queue == NULL ? "" : run->query.queue);
	jw_text(&out, "agent", run->query.agent == NULL ? "" : run->query.agent);
	jw_bool(&out, "ascending", run->query.ascending);
	jw_int(&out, "limit", (int64_t)run->query.limit + 1);
	if (space != NULL) {
		jw_int(&out, "after_ms", strtoll(after, NULL, 10));
		jw_text(&out, "after_id", space + 1);
	}
	past_ask(run->parts, &question, on_past_list, run);
	buf_clear(&fields);
}

static void on_ids(const struct store_reply *reply, const struct error *err, void *context)
{
	struct items_run *run = context;
	const char *last = err ? NULL : reply_text(reply_item(reply, 0), NULL);

	if (err != NULL) {
		items_fail(run, err);
		return;
	}
	run->last = last && *last ? arena_text(run->arena, last) : NULL;
	for (size_t i = 1; i < reply_count(reply) && run->id_count < WORK_ITEMS_MAX; i++)
		run->ids[run->id_count++] =
			arena_text(run->arena, reply_text(reply_item(reply, i), NULL));
	if (run->is_ended)
		past_list_read(run);
	else if (run->id_count > 0)
		items_read(run);
	else
		items_end(run);
}

static void query_keep(struct items_run *run, const struct work_query *query)
{
	run->query = *query;
	run->query.state = arena_text(run->arena, query->state);
	run->query.queue = arena_text(run->arena, query->queue);
	run->query.agent = arena_text(run->arena, query->agent);
	run->query.sla = arena_text(run->arena, query->sla);
	run->query.after = arena_text(run->arena, query->after);
	run->is_ended = past_is_kept(run->parts) && (text_equal(query->state, "closed") ||
						     text_equal(query->state, "cancelled"));
}

void work_item_list(const struct parts *parts, const struct work_query *query, work_page_fn *done,
		    void *context)
{
	struct store_call *call = store_script("work_list", query->workspace);
	struct items_run *run = run_new(parts, query->workspace, done, context);

	query_keep(run, query);
	store_arg_text(call, query->state);
	store_arg_text(call, query->queue);
	store_arg_text(call, query->agent);
	store_arg_int(call, (int64_t)query->limit);
	store_arg_text(call, query->ascending ? "asc" : "desc");
	store_arg_text(call, query->after);
	store_arg_text(call, query->sla);
	store_read(parts->store, call, on_ids, run);
}
