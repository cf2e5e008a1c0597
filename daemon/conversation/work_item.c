#include "conversation/work_item.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/id.h"
#include "base/memory.h"
#include "base/text.h"
#include "store/store.h"

struct read_run {
	struct store *store;
	work_item_fn *done;
	void *context;
	struct arena *arena;
	struct work_item item;
	char workspace[48];
	char id[ID_BYTES];
};

static const char *text_of(const struct store_reply *reply, const char *name, struct arena *arena)
{
	const char *text = reply_field(reply, name);

	if (!text || !*text)
		return NULL;
	return arena ? arena_text(arena, text) : text;
}

static int64_t int_of(const struct store_reply *reply, const char *name)
{
	const char *text = reply_field(reply, name);

	return text ? strtoll(text, NULL, 10) : 0;
}

bool work_item_from_reply(const struct store_reply *reply, const char *id, struct arena *arena,
			  struct work_item *ret_item)
{
	if (reply_count(reply) == 0 || !reply_field(reply, "s"))
		return false;
	*ret_item = (struct work_item){
		.id = arena ? arena_text(arena, id) : id,
		.state = text_of(reply, "s", arena),
		.waiting_for = text_of(reply, "wf", arena),
		.number = int_of(reply, "num"),
		.version = int_of(reply, "v"),
		.queue = text_of(reply, "q", arena),
		.conversation = text_of(reply, "c", arena),
		.customer = text_of(reply, "u", arena),
		.channel = text_of(reply, "ch", arena),
		.agent = text_of(reply, "a", arena),
		.last_agent = text_of(reply, "la", arena),
		.offer = text_of(reply, "o", arena),
		.transfer = text_of(reply, "tr", arena),
		.type = text_of(reply, "ty", arena),
		.topic = text_of(reply, "tp", arena),
		.urgency = text_of(reply, "ur", arena),
		.priority = int_of(reply, "pr"),
		.skills = text_of(reply, "sk", arena),
		.rule = text_of(reply, "ru", arena),
		.reason = text_of(reply, "rs", arena),
		.summary = text_of(reply, "sum", arena),
		.declined_by = text_of(reply, "dn", arena),
		.created_ms = int_of(reply, "ct"),
		.state_ms = int_of(reply, "st"),
		.waiting_ms = int_of(reply, "qt"),
		.first_response_ms = int_of(reply, "fr"),
		.lease_ms = int_of(reply, "lx"),
		.cost = int_of(reply, "cost"),
	};
	return true;
}

static void write_times(struct json_out *json, const struct work_item *item)
{
	jw_time(json, "created_at", item->created_ms);
	jw_time(json, "state_at", item->state_ms);
	if (item->waiting_ms)
		jw_time(json, "waiting_since", item->waiting_ms);
	if (item->first_response_ms)
		jw_time(json, "first_response_at", item->first_response_ms);
	if (item->lease_ms)
		jw_time(json, "lease_expires_at", item->lease_ms);
}

void work_item_write(struct json_out *json, const char *key, const struct work_item *item)
{
	jw_object(json, key);
	jw_text(json, "id", item->id);
	jw_int(json, "number", item->number);
	jw_text(json, "state", item->state);
	if (item->waiting_for)
		jw_text(json, "waiting_for", item->waiting_for);
	jw_text(json, "type", item->type);
	jw_text(json, "topic", item->topic);
	jw_text(json, "urgency", item->urgency);
	jw_int(json, "priority", item->priority);
	jw_text(json, "queue", item->queue);
	jw_text(json, "channel", item->channel);
	if (item->customer) {
		jw_object(json, "customer");
		jw_text(json, "id", item->customer);
		jw_text(json, "name", item->customer_name ? item->customer_name : "");
		jw_object_end(json);
	} else {
		jw_null(json, "customer");
	}
	jw_text(json, "conversation", item->conversation);
	jw_text(json, "agent", item->agent);
	if (item->summary)
		jw_text(json, "summary", item->summary);
	if (item->reason)
		jw_text(json, "reason", item->reason);
	if (item->skills)
		jw_text(json, "skills", item->skills);
	if (item->offer)
		jw_text(json, "offer", item->offer);
	if (item->transfer)
		jw_text(json, "transfer", item->transfer);
	write_times(json, item);
	jw_array(json, "sla");
	jw_array_end(json);
	jw_int(json, "version", item->version);
	jw_object_end(json);
}

static void read_end(struct read_run *run, const struct work_item *item, const struct error *err)
{
	run->done(item, err, run->context);
	arena_free(&run->arena);
	free(run);
}

static void on_name(const struct store_reply *reply, const struct error *err, void *context)
{
	struct read_run *run = context;

	if (err) {
		read_end(run, NULL, err);
		return;
	}
	run->item.customer_name = reply_text(reply, NULL);
	read_end(run, &run->item, NULL);
}

static void on_item(const struct store_reply *reply, const struct error *err, void *context)
{
	struct read_run *run = context;
	struct store_call *call;

	if (err || !work_item_from_reply(reply, run->id, run->arena, &run->item)) {
		read_end(run, NULL, err);
		return;
	}
	if (!run->item.customer) {
		read_end(run, &run->item, NULL);
		return;
	}
	call = store_command("HGET");
	store_arg_key(call, run->workspace, "u:%s", run->item.customer);
	store_arg_text(call, "nm");
	store_read(run->store, call, on_name, run);
}

void work_item_read(struct store *store, const char *workspace, const char *id, work_item_fn *done,
		    void *context)
{
	struct store_call *call = store_command("HGETALL");
	struct read_run *run = memory_new(sizeof(*run));

	run->store = store;
	run->done = done;
	run->context = context;
	run->arena = arena_new(0);
	snprintf(run->workspace, sizeof(run->workspace), "%s", workspace);
	snprintf(run->id, sizeof(run->id), "%s", id);
	store_arg_key(call, workspace, "w:%s", id);
	store_read(store, call, on_item, run);
}
