#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "events/expand.h"

static void check(struct log_entry entry, const char *const *want)
{
	struct public_event events[EXPANDED_MAX];
	size_t count;
	size_t at = 0;

	entry.position = "1-1700000000000-3";
	entry.time_ms = 1700000000000;
	count = event_expand(&entry, events);
	for (; want[at] != NULL; at++)
		if (at < count)
			cr_expect_str_eq(events[at].type, want[at], "%s", entry.type);
	cr_expect_eq(count, at, "%s: %zu events", entry.type, count);
	for (size_t i = 0; i < count; i++) {
		struct json_object *data = json_read(events[i].data.data, events[i].data.len, NULL);
		char id[60];

		snprintf(id, sizeof(id), "evt_1-1700000000000-3-%zu", i);
		cr_expect_not_null(data);
		cr_expect_str_eq(json_text(data, "id"), id);
		cr_expect_str_eq(json_text(data, "type"), events[i].type);
		cr_expect_str_eq(json_text(data, "time"), "2023-11-14T22:13:20.000Z");
		json_free(&data);
		buf_clear(&events[i].data);
	}
}

#define WANT(...) ((const char *const[]){ __VA_ARGS__, NULL })

Test(expand, one_entry_stands_for_the_events_it_caused)
{
	check((struct log_entry){ .type = "message.created" }, WANT("message.created"));
	check((struct log_entry){ .type = "message.created", .extra = "{\"nc\":1,\"nw\":1}" },
	      WANT("conversation.opened", "message.created", "work_item.created"));
	check((struct log_entry){ .type = "message.created",
				  .extra = "{\"nw\":1}",
				  .to = "queued" },
	      WANT("message.created", "work_item.created"));
	check((struct log_entry){ .type = "message.created", .from = "resolved", .to = "queued" },
	      WANT("message.created", "work_item.state"));
	check((struct log_entry){ .type = "message.created", .to = "" }, WANT("message.created"));
	check((struct log_entry){ .type = "offer.created" },
	      WANT("offer.created", "work_item.state"));
	check((struct log_entry){ .type = "work_item.created" }, WANT("work_item.created"));
	check((struct log_entry){ .type = "work_item.state" }, WANT("work_item.state"));
	check((struct log_entry){ .type = "work_item.state", .extra = "{\"offer\":\"declined\"}" },
	      WANT("offer.ended", "work_item.state"));
	check((struct log_entry){ .type = "offer.created", .from = "offered", .to = "offered" },
	      WANT("offer.created"));
	check(
		(struct log_entry){
			.type = "work_item.state",
			.from = "offered",
			.to = "assigned",
			.extra = "{\"offer\":\"accepted\",\"rescinded\":{\"off_2\":\"bob\","
				 "\"off_3\":\"carol\"},\"transfer\":\"accepted\",\"trf\":\"trf_"
				 "1\"}" },
		WANT("offer.ended", "offer.ended", "offer.ended", "transfer.state",
		     "work_item.state"));
	check((struct log_entry){ .type = "work_item.state",
				  .to = "closed",
				  .extra = "{\"cc\":1}" },
	      WANT("conversation.closed", "work_item.state"));
	for (size_t i = 0; i < 8; i++) {
		static const char *const same[] = { "message.delivery",    "conversation.changed",
						    "conversation.closed", "customer.updated",
						    "customer.merged",     "transfer.state",
						    "sla.state",           "agent.presence" };
		check((struct log_entry){ .type = same[i] }, WANT(same[i]));
	}
	/* What is not for the outside. */
	check((struct log_entry){ .type = "config.changed", .extra = "rules:x" }, WANT(NULL));
	check((struct log_entry){ .type = "timer.moved" }, WANT(NULL));
	check((struct log_entry){ .type = "message" }, WANT(NULL));
	check((struct log_entry){ .type = "" }, WANT(NULL));
}

static struct json_object *first(const struct log_entry *entry)
{
	struct public_event events[EXPANDED_MAX];
	size_t count = event_expand(entry, events);
	struct json_object *data;

	cr_assert_gt(count, 0);
	data = json_read(events[count - 1].data.data, events[count - 1].data.len, NULL);
	for (size_t i = 0; i < count; i++)
		buf_clear(&events[i].data);
	return data;
}

Test(expand, data_has_what_applies_and_nothing_else)
{
	struct log_entry entry = { .position = "1-2-3",
				   .type = "work_item.state",
				   .work_item = "wrk_1",
				   .customer = "",
				   .agent = "alice",
				   .queue = "\"售后\"",
				   .from = "offered",
				   .to = "assigned" };
	struct json_object *data = first(&entry);

	cr_assert_str_eq(json_text(data, "work_item"), "wrk_1");
	cr_assert_str_eq(json_text(data, "agent"), "alice");
	cr_assert_str_eq(json_text(data, "queue"), "\"售后\"");
	cr_assert_str_eq(json_text(data, "from"), "offered");
	cr_assert_str_eq(json_text(data, "to"), "assigned");
	cr_assert_not(json_has(data, "customer"));
	cr_assert_not(json_has(data, "message"));
	json_free(&data);
	entry.type = "work_item.created";
	data = first(&entry);
	cr_assert_not(json_has(data, "to"), "a creation has no state before and after");
	json_free(&data);
}

Test(expand, a_note_says_whom_it_names)
{
	struct log_entry entry = { .position = "1-2-3",
				   .type = "message.created",
				   .message = "msg_1",
				   .extra = "{\"d\":\"note\",\"named\":[\"bob\",\"李雷\"]}" };
	struct json_object *data = first(&entry);

	cr_assert_eq(json_count(json_at(data, "mentions")), 2);
	cr_assert_str_eq(json_text(data, "mentions.1"), "李雷");
	json_free(&data);
	entry.extra = "{\"d\":\"note\"}";
	data = first(&entry);
	cr_assert_not(json_has(data, "mentions"));
	json_free(&data);
}
