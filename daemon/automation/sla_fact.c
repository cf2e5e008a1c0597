#include "automation/sla_fact.h"

#include <string.h>

#include "automation/sla_internal.h"
#include "base/json.h"
#include "base/text.h"
#include "store/log.h"

static void read_message(struct json_object *extra, struct sla_fact *fact)
{
	const char *direction = json_text(extra, "d");
	bool is_new = json_int(extra, "nw", 0) == 1;

	fact->created = is_new;
	/* What a phone system tells after the first event is nothing that the customer said. */
	fact->customer = direction == NULL && (is_new || json_int(extra, "tel", 0) == 0);
	fact->by_us = is_new && direction != NULL;
	fact->answer =
		text_equal(direction, "out") && !is_new && json_int(extra, "machine", 0) == 0;
}

/* What became of a transfer; NULL: the entry is of none. */
static void read_transfer(const char *outcome, struct json_object *extra, struct sla_fact *fact)
{
	if (outcome == NULL || text_equal(json_text(extra, "kind"), "consult"))
		return;
	fact->handed_over = text_equal(outcome, "pending");
	fact->hand_over_ended = !fact->handed_over && !text_equal(outcome, "accepted");
}

/* Do the entry's states mean the work item's? */
static bool tells_state(const struct log_entry *entry)
{
	return entry->to != NULL && entry->to[0] != '\0' &&
	       !text_equal(entry->type, "transfer.state");
}

static bool is_about_work(const struct log_entry *entry)
{
	static const char *const types[] = { "message.created", "work_item.created",
					     "work_item.state", "offer.created",
					     "transfer.state",  NULL };

	for (const char *const *type = types; *type != NULL; type++) {
		if (text_equal(*type, entry->type))
			return entry->work_item != NULL && entry->work_item[0] != '\0';
	}
	return false;
}

bool sla_news_read(const struct log_entry *entry, struct sla_news *ret_news)
{
	struct json_object *extra = NULL;
	struct sla_fact *fact = &ret_news->fact;
	struct error err;

	if (!is_about_work(entry))
		return false;
	if (entry->extra != NULL)
		extra = json_read(entry->extra, strlen(entry->extra), &err);
	memset(ret_news, 0, sizeof(*ret_news));
	fact->time_ms = entry->time_ms;
	if (text_equal(entry->type, "message.created"))
		read_message(extra, fact);
	else if (text_equal(entry->type, "transfer.state"))
		read_transfer(entry->to, extra, fact);
	else
		read_transfer(json_text(extra, "transfer"), extra, fact);
	fact->answer = fact->answer || text_equal(json_text(extra, "call"), "answered");
	/* What a bot had of it is no time of ours: it begins when people are asked. */
	fact->created |=
		text_equal(entry->type, "work_item.created") || text_equal(entry->from, "bot");
	sla_copy(ret_news->position, sizeof(ret_news->position), entry->position);
	sla_copy(ret_news->waiting, sizeof(ret_news->waiting), json_text(extra, "for"));
	sla_copy(ret_news->agent, sizeof(ret_news->agent), entry->agent);
	if (tells_state(entry))
		sla_copy(ret_news->state, sizeof(ret_news->state), entry->to);
	json_free(&extra);
	return true;
}
