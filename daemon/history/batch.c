#include "history/batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "store/log.h"

struct batch *batch_new(struct store *store, const char *workspace)
{
	struct batch *batch = memory_new(sizeof(*batch));

	batch->harvest = harvest_new(store, workspace);
	return batch;
}

void batch_free(struct batch **batch)
{
	if (*batch == NULL)
		return;
	harvest_free(&(*batch)->harvest);
	buf_clear(&(*batch)->events);
	buf_clear(&(*batch)->fields);
	free(*batch);
	*batch = NULL;
}

static void add_text(struct json_out *out, const char *key, const char *text)
{
	if (text != NULL)
		jw_text(out, key, text);
}

/* The fields of the entry that have no column, named as in the log. */
static void write_more(struct json_out *out, const struct log_entry *entry)
{
	jw_object(out, "more");
	if (entry->message_index >= 0)
		jw_int(out, "n", entry->message_index);
	add_text(out, "ch", entry->channel);
	add_text(out, "f", entry->from);
	add_text(out, "o", entry->to);
	add_text(out, "x", entry->object);
	if (entry->version != 0)
		jw_int(out, "v", entry->version);
	add_text(out, "e", entry->extra);
	jw_object_end(out);
}

static void add_event(struct batch *batch, const struct log_entry *entry)
{
	struct json_out out;

	if (batch->count > 0)
		buf_byte(&batch->events, ',');
	jw_start(&out, &batch->events);
	jw_object(&out, NULL);
	jw_text(&out, "id", entry->position);
	jw_text(&out, "type", entry->type);
	add_text(&out, "work_item", entry->work_item);
	add_text(&out, "conversation", entry->conversation);
	add_text(&out, "customer", entry->customer);
	add_text(&out, "message", entry->message);
	add_text(&out, "agent", entry->agent);
	add_text(&out, "queue", entry->queue);
	write_more(&out, entry);
	jw_object_end(&out);
}

/* Their redirects, and those of whoever was merged into one of them, are others now. */
static void add_merge(struct batch *batch, const struct log_entry *entry)
{
	static const char name[] = "\"merge\":\"";
	const char *const customers[] = { entry->customer, entry->object };
	const char *at = entry->extra == NULL ? NULL : strstr(entry->extra, name);
	char id[ID_BYTES];

	for (size_t i = 0; i < COUNT_OF(customers); i++) {
		if (customers[i] == NULL || !id_is(customers[i], "cus_"))
			continue;
		harvest_family(batch->harvest, customers[i]);
		harvest_suggestions(batch->harvest, customers[i]);
	}
	if (at == NULL)
		return;
	snprintf(id, sizeof(id), "%.30s", at + strlen(name));
	if (id_is(id, "mrg_"))
		harvest_merge(batch->harvest, id);
}

/* Who was merged, and as what; both conversations between which messages went. */
static void add_others(struct batch *batch, const struct log_entry *entry)
{
	if (text_equal(entry->type, "customer.merged"))
		add_merge(batch, entry);
	if (!text_equal(entry->type, "conversation.changed"))
		return;
	if (entry->from != NULL)
		harvest_all_messages(batch->harvest, entry->from);
	if (entry->to != NULL)
		harvest_all_messages(batch->harvest, entry->to);
}

void batch_add(struct batch *batch, const struct log_entry *entry)
{
	struct harvest *harvest = batch->harvest;

	add_event(batch, entry);
	if (entry->customer != NULL)
		harvest_customer(harvest, entry->customer);
	/* It names whose notes changed. */
	if (text_equal(entry->type, "customer.updated") && entry->object != NULL)
		harvest_notes(harvest, entry->object);
	if (text_equal(entry->type, "customer.event") && entry->customer != NULL &&
	    entry->object != NULL)
		harvest_event(harvest, entry->customer, entry->object);
	if (text_equal(entry->type, "customer.updated") && entry->customer != NULL &&
	    entry->extra != NULL && strstr(entry->extra, "\"suggestions\"") != NULL)
		harvest_suggestions(harvest, entry->customer);
	if (entry->work_item != NULL)
		harvest_work_item(harvest, entry->work_item);
	if (entry->conversation != NULL)
		harvest_conversation(harvest, entry->conversation);
	if (entry->conversation != NULL && entry->message != NULL) {
		if (text_equal(entry->type, "message.created") && entry->message_index >= 0)
			harvest_message(harvest, entry->conversation, entry->message_index);
		else
			harvest_mark(harvest, entry->conversation, entry->message);
	}
	add_others(batch, entry);
	if (batch->count++ == 0)
		batch->first_ms = entry->time_ms;
	snprintf(batch->position, sizeof(batch->position), "%s", entry->position);
}
