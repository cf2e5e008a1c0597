/* What is configured about events: endpoints elsewhere that are told of them. */
#include "base/text.h"
#include "business/business_rows.h"

const char *const webhook_types[] = {
	"message.created",
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
	NULL,
};

static const char *check_time(const char *text)
{
	return text_parse_time(text) >= 0 ? NULL : "must be a time such as 2026-10-01T08:00:00Z";
}

const struct business_field webhook_fields[] = {
	ID_FIELD,
	NAME_FIELD,
	FIELD("url", TEXT, NULL, .min = 8, .max = 2000, .flags = SETTING_REQUIRED,
	      .check = business_check_web_url,
	      .text = "Where events are posted to, https:// (http:// only with "
		      "limits.private_webhooks)."),
	FIELD("types", LIST, NULL, .max = 16, .choices = webhook_types,
	      .text = "The types of events it is told of; none: all."),
	NAMING_FIELD("queues", "queues", LIST, .max = 200,
		     .text = "Only events of these queues; none: all, and those of no queue."),
	FIELD("enabled", BOOL, "true",
	      .text = "Off: it is told of nothing that happens meanwhile."),
	{ .row = { .name = "secret",
		   .kind = SETTING_TEXT,
		   .min = 1,
		   .max = 120,
		   .check = business_check_webhook_secret,
		   .text = "What requests are signed with: whsec_ and base64 of 24 to 64 bytes; "
			   "none or \"new\": one is made and shown once." },
	  .is_secret = true,
	  .is_rolled = true },
	{ .row = { .name = "secret_previous",
		   .kind = SETTING_TEXT,
		   .min = 1,
		   .max = 120,
		   .check = business_check_webhook_secret,
		   .text = "The secret before it, which signs as well until previous_until." },
	  .is_secret = true },
	FIELD("previous_until", TEXT, NULL, .min = 10, .max = 40, .check = check_time,
	      .text = "Until when; a day after the secret changed where nothing is given."),
	FIELD("timeout", TIME, "15s", .min = SECOND, .max = 30 * SECOND,
	      .text = "How long its answer may take."),
	FIELD("max_waiting", COUNT, "10000", .min = 1000, .max = 50000,
	      .text = "How many events may wait for it; beyond that the oldest are given up."),
	FIELD("disable_after", TIME, "5d", .min = SECOND, .max = 90 * DAY,
	      .text = "After failing for so long without a success it is switched off."),
	FIELD_END,
};
