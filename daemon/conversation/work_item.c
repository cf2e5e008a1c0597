#include "conversation/work_item.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
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

/* ---- reading ---- */

struct items_run {
	struct store *store;
	work_page_fn *done;
	void *context;
	char *workspace;
	char *last;
};

static void items_end(struct items_run *run, const struct work_page *page, const struct error *err)
{
	run->done(page, err, run->context);
	free(run->workspace);
	free(run->last);
	free(run);
}

/* A row of work_read.lua: id and customer's name, then the fields. False where it is the id alone.
 */
static bool item_read(const struct store_reply *row, struct work_item *ret_item)
{
	if (reply_count(row) <= 2)
		return false;
	*ret_item = (struct work_item){
		.id = reply_text(reply_item(row, 0), NULL),
		.customer_name = reply_text(reply_item(row, 1), NULL),
		.state = reply_field_text(row, "s"),
		.waiting_for = reply_field_text(row, "wf"),
		.number = reply_field_int(row, "num"),
		.version = reply_field_int(row, "v"),
		.queue = reply_field_text(row, "q"),
		.conversation = reply_field_text(row, "c"),
		.customer = reply_field_text(row, "u"),
		.channel = reply_field_text(row, "ch"),
		.agent = reply_field_text(row, "a"),
		.offers = reply_field_text(row, "o"),
		.transfer = reply_field_text(row, "tr"),
		.consultation = reply_field_text(row, "cp"),
		.helpers = reply_field_text(row, "co"),
		.escalation_level = reply_field_int(row, "el"),
		.type = reply_field_text(row, "ty"),
		.topic = reply_field_text(row, "tp"),
		.urgency = reply_field_text(row, "ur"),
		.priority = reply_field_int(row, "pr"),
		.rule = reply_field_text(row, "ru"),
		.classifier = reply_field_text(row, "cb"),
		.confidence = reply_field_int(row, "cf"),
		.needs_human = reply_field_int(row, "nh") == 1,
		.reason = reply_field_text(row, "rs"),
		.summary = reply_field_text(row, "sum"),
		.created_ms = reply_field_int(row, "ct"),
		.state_ms = reply_field_int(row, "st"),
		.first_response_ms = reply_field_int(row, "fr"),
		.lease_ms = reply_field_int(row, "lx"),
		.sla = reply_field_text(row, "sla"),
	};
	return true;
}

static void on_items(const struct store_reply *reply, const struct error *err, void *context)
{
	struct items_run *run = context;
	struct work_item *items = memory_new(WORK_ITEMS_MAX * sizeof(*items));
	struct work_page page = { .items = items, .last = run->last };

	for (size_t i = 0; !err && i < reply_count(reply) && page.count < WORK_ITEMS_MAX; i++)
		if (item_read(reply_item(reply, i), &items[page.count]))
			page.count++;
	items_end(run, err ? NULL : &page, err);
	free(items);
}

static struct items_run *run_new(struct store *store, work_page_fn *done, void *context)
{
	struct items_run *run = memory_new(sizeof(*run));

	run->store = store;
	run->done = done;
	run->context = context;
	return run;
}

void work_items_read(struct store *store, const char *workspace, const char *const *ids,
		     size_t count, work_page_fn *done, void *context)
{
	struct store_call *call = store_script("work_read", workspace);

	for (size_t i = 0; i < count && i < WORK_ITEMS_MAX; i++)
		store_arg_text(call, ids[i]);
	store_read(store, call, on_items, run_new(store, done, context));
}

static void on_ids(const struct store_reply *reply, const struct error *err, void *context)
{
	struct items_run *run = context;
	const char *last = err ? NULL : reply_text(reply_item(reply, 0), NULL);
	struct store_call *call;

	run->last = last && *last ? memory_text(last) : NULL;
	if (err || reply_count(reply) <= 1) {
		items_end(run, err ? NULL : &(struct work_page){ .last = run->last }, err);
		return;
	}
	call = store_script("work_read", run->workspace);
	for (size_t i = 1; i < reply_count(reply); i++)
		store_arg_text(call, reply_text(reply_item(reply, i), NULL));
	store_read(run->store, call, on_items, run);
}

void work_item_list(struct store *store, const struct work_query *query, work_page_fn *done,
		    void *context)
{
	struct store_call *call = store_script("work_list", query->workspace);
	struct items_run *run = run_new(store, done, context);

	run->workspace = memory_text(query->workspace);
	store_arg_text(call, query->state);
	store_arg_text(call, query->queue);
	store_arg_text(call, query->agent);
	store_arg_int(call, (int64_t)query->limit);
	store_arg_text(call, query->ascending ? "asc" : "desc");
	store_arg_text(call, query->after);
	store_arg_text(call, query->sla);
	store_read(store, call, on_ids, run);
}
