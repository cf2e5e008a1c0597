#include "api/expand.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

static void text_if(struct json_out *out, const char *key, const char *text)
{
	if (text != NULL && *text != '\0')
		jw_text(out, key, text);
}

static void event_add(struct public_event *events, size_t *count, const struct log_entry *entry,
		      const char *type)
{
	struct public_event *event = &events[*count];
	struct json_out out;
	char id[96];
	bool states = text_equal(type, "work_item.state") || text_equal(type, "message.delivery") ||
		      text_equal(type, "offer.ended") || text_equal(type, "agent.presence") ||
		      text_equal(type, "transfer.state") || text_equal(type, "sla.state");

	*event = (struct public_event){ .type = type, .queue = entry->queue };
	snprintf(id, sizeof(id), "evt_%s-%zu", entry->position, *count);
	jw_start(&out, &event->data);
	jw_object(&out, NULL);
	jw_text(&out, "id", id);
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

size_t event_expand(const struct log_entry *entry, struct public_event events[EXPANDED_MAX])
{
	static const char *const plain[] = { "message.delivery",    "conversation.opened",
					     "conversation.closed", "customer.updated",
					     "customer.merged",     "transfer.state",
					     "sla.state",           "agent.presence" };
	size_t count = 0;

	if (text_equal(entry->type, "message.created")) {
		expand_message(entry, events, &count);
	} else if (text_equal(entry->type, "offer.created")) {
		event_add(events, &count, entry, "offer.created");
		event_add(events, &count, entry, "work_item.state");
	} else if (text_equal(entry->type, "work_item.created")) {
		event_add(events, &count, entry, "work_item.created");
	} else if (text_equal(entry->type, "work_item.state")) {
		if (has_flag(entry, "\"offer\":"))
			event_add(events, &count, entry, "offer.ended");
		event_add(events, &count, entry, "work_item.state");
	}
	for (size_t i = 0; count == 0 && i < COUNT_OF(plain); i++)
		if (text_equal(entry->type, plain[i]))
			event_add(events, &count, entry, plain[i]);
	return count;
}
