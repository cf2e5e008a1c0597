#include "events/expand.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

enum { ENDS_RESERVED = 3 }; /* a transfer, the conversation, the item */

const char *const event_types[] = { "message.created",
				    "message.delivery",
				    "message.attachment",
				    "conversation.opened",
				    "conversation.closed",
				    "conversation.changed",
				    "work_item.created",
				    "work_item.state",
				    "offer.created",
				    "offer.ended",
				    "customer.updated",
				    "customer.merged",
				    "customer.event",
				    "transfer.state",
				    "sla.state",
				    "agent.presence",
				    "typing",
				    "viewing",
				    NULL };

static void text_if(struct json_out *out, const char *key, const char *text)
{
	if (text != NULL && *text != '\0')
		jw_text(out, key, text);
}

/* What happened to which clock, and when: a breach is told later than it was. */
static void clock_add(struct json_out *out, const struct log_entry *entry)
{
	struct error err;
	struct json_object *extra =
		entry->extra == NULL ? NULL : json_read(entry->extra, strlen(entry->extra), &err);

	text_if(out, "policy", entry->object);
	text_if(out, "metric", json_text(extra, "metric"));
	text_if(out, "event", json_text(extra, "event"));
	text_if(out, "paused_for", json_text(extra, "for"));
	if (extra != NULL) {
		jw_int(out, "number", json_int(extra, "number", 0));
		jw_time(out, "at", json_int(extra, "at", 0));
		jw_time(out, "due_at", json_int(extra, "due", 0));
	}
	json_free(&extra);
}

/* Whom a note names: they are told at once, what it says is fetched. */
static void named_add(struct json_out *out, const struct log_entry *entry)
{
	struct error err;
	struct json_object *extra =
		entry->extra == NULL ? NULL : json_read(entry->extra, strlen(entry->extra), &err);
	struct json_object *named = json_at(extra, "named");

	if (json_count(named) > 0)
		jw_array(out, "mentions");
	for (size_t i = 0; i < json_count(named); i++)
		jw_text(out, NULL, json_string(json_item(named, i)));
	if (json_count(named) > 0)
		jw_array_end(out);
	json_free(&extra);
}

static void event_add(struct public_event *events, size_t *count, const struct log_entry *entry,
		      const char *type)
{
	struct public_event *event = &events[*count];
	struct json_out out;
	bool states = text_equal(type, "work_item.state") || text_equal(type, "message.delivery") ||
		      text_equal(type, "message.attachment") || text_equal(type, "offer.ended") ||
		      text_equal(type, "agent.presence") || text_equal(type, "transfer.state") ||
		      text_equal(type, "sla.state") || text_equal(type, "conversation.changed");

	*event = (struct public_event){ .type = type, .queue = entry->queue };
	snprintf(event->id, sizeof(event->id), "evt_%s-%zu", entry->position, *count);
	jw_start(&out, &event->data);
	jw_object(&out, NULL);
	jw_text(&out, "id", event->id);
	jw_text(&out, "type", type);
	jw_time(&out, "time", entry->time_ms);
	text_if(&out, "work_item", entry->work_item);
	text_if(&out, "conversation", entry->conversation);
	text_if(&out, "customer", entry->customer);
	text_if(&out, "message", entry->message);
	text_if(&out, "agent", entry->agent);
	text_if(&out, "queue", entry->queue);
	text_if(&out, "object", entry->object);
	if (states) {
		text_if(&out, "from", entry->from);
		text_if(&out, "to", entry->to);
	}
	if (text_equal(type, "sla.state"))
		clock_add(&out, entry);
	if (text_equal(type, "message.created"))
		named_add(&out, entry);
	jw_object_end(&out);
	(*count)++;
}

static bool has_flag(const struct log_entry *entry, const char *flag)
{
	return entry->extra != NULL && strstr(entry->extra, flag) != NULL;
}

static void expand_message(const struct log_entry *entry, struct public_event *events,
			   size_t *count)
{
	if (has_flag(entry, "\"nc\":1"))
		event_add(events, count, entry, "conversation.opened");
	event_add(events, count, entry, "message.created");
	if (has_flag(entry, "\"nw\":1"))
		event_add(events, count, entry, "work_item.created");
	else if (entry->to != NULL && *entry->to != '\0')
		event_add(events, count, entry, "work_item.state");
}

struct ending {
	const struct log_entry *entry;
	struct public_event *events;
	size_t *count;
	const char *outcome;
};

/* An offer that ended with another's: "off_...": "agent". */
static void add_ended_offer(const char *offer, struct json_object *agent, void *context)
{
	const struct ending *ending = context;
	struct log_entry one = *ending->entry;

	if (*ending->count >= EXPANDED_MAX - ENDS_RESERVED)
		return;
	one.object = offer;
	one.agent = json_string(agent);
	one.from = "pending";
	one.to = ending->outcome;
	event_add(ending->events, ending->count, &one, "offer.ended");
}

/* What an entry about a work item says of others: offers taken back, a transfer that moved. */
static void expand_ends(const struct log_entry *entry, struct public_event *events, size_t *count)
{
	static const char *const outcomes[] = { "rescinded", "cancelled" };
	struct ending ending = { entry, events, count, NULL };
	struct log_entry transfer = *entry;
	struct error err;
	struct json_object *extra =
		entry->extra == NULL ? NULL : json_read(entry->extra, strlen(entry->extra), &err);

	for (size_t i = 0; i < COUNT_OF(outcomes); i++) {
		ending.outcome = outcomes[i];
		if (json_kind(json_at(extra, outcomes[i])) == JSON_OBJECT)
			json_each_field(json_at(extra, outcomes[i]), add_ended_offer, &ending);
	}
	transfer.object = json_text(extra, "trf");
	transfer.to = json_text(extra, "transfer");
	transfer.from = text_equal(transfer.to, "pending") ? "" : "pending";
	if (transfer.object != NULL)
		event_add(events, count, &transfer, "transfer.state");
	json_free(&extra);
}

static void expand_work(const struct log_entry *entry, struct public_event *events, size_t *count)
{
	bool stays = text_equal(entry->from, "offered") && text_equal(entry->to, "offered");

	if (text_equal(entry->type, "offer.created"))
		event_add(events, count, entry, "offer.created");
	else if (has_flag(entry, "\"offer\":"))
		event_add(events, count, entry, "offer.ended");
	expand_ends(entry, events, count);
	if (has_flag(entry, "\"cc\":1"))
		event_add(events, count, entry, "conversation.closed");
	if (!stays || *count == 0)
		event_add(events, count, entry, "work_item.state");
}

size_t event_expand(const struct log_entry *entry, struct public_event events[EXPANDED_MAX])
{
	static const char *const plain[] = { "message.delivery",     "message.attachment",
					     "conversation.opened",  "conversation.closed",
					     "conversation.changed", "customer.updated",
					     "customer.merged",      "customer.event",
					     "transfer.state",       "sla.state",
					     "agent.presence" };
	size_t count = 0;

	if (text_equal(entry->type, "message.created"))
		expand_message(entry, events, &count);
	else if (text_equal(entry->type, "work_item.created"))
		event_add(events, &count, entry, "work_item.created");
	else if (text_equal(entry->type, "offer.created") ||
		 text_equal(entry->type, "work_item.state"))
		expand_work(entry, events, &count);
	for (size_t i = 0; count == 0 && i < COUNT_OF(plain); i++)
		if (text_equal(entry->type, plain[i]))
			event_add(events, &count, entry, plain[i]);
	return count;
}
