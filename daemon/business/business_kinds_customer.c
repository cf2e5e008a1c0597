/* What is configured about customers: links into other systems, shops that are
 * asked for orders, and how long what is over is kept. */
#include <string.h>

#include "base/text.h"
#include "business/business_rows.h"

/* A customer's own data must not choose whom it is sent to. */
static const char *check_link_url(const char *text)
{
	const char *host = strstr(text, "://");
	const char *brace = strchr(text, '{');

	if (brace != NULL && (host == NULL || brace < host + 3 + strcspn(host + 3, "/?")))
		return "must have its placeholders behind the host";
	return business_check_web_url(text);
}

const struct business_field context_link_fields[] = {
	ID_FIELD,
	NAME_FIELD,
	FIELD("url", TEXT, NULL, .min = 8, .max = 2000, .flags = SETTING_REQUIRED,
	      .check = check_link_url,
	      .text = "Where it leads, with placeholders such as {customer.id}, "
		      "{identifier.email} and {attribute.city}."),
	{ .row = { .name = "secret",
		   .kind = SETTING_TEXT,
		   .min = 1,
		   .max = 120,
		   .flags = SETTING_REQUIRED,
		   .check = business_check_webhook_secret,
		   .text = "What links are signed with: whsec_ and base64 of 24 to 64 bytes." },
	  .is_secret = true },
	FIELD("expires", TIME, "5m", .min = 10 * SECOND, .max = DAY,
	      .text = "How long a link is good."),
	FIELD_END,
};

const struct business_field order_hook_fields[] = {
	ID_FIELD,
	NAME_FIELD,
	FIELD("url", TEXT, NULL, .min = 8, .max = 2000, .flags = SETTING_REQUIRED,
	      .check = business_check_web_url,
	      .text = "Where the shop is asked for a customer's orders, https:// (or http://)."),
	{ .row = { .name = "secret",
		   .kind = SETTING_TEXT,
		   .min = 1,
		   .max = 120,
		   .flags = SETTING_REQUIRED,
		   .check = business_check_webhook_secret,
		   .text = "What requests are signed with: whsec_ and base64 of 24 to 64 bytes." },
	  .is_secret = true },
	FIELD("timeout", TIME, "5s", .min = 100, .max = 30 * SECOND,
	      .text = "How long its answer may take; nobody waits for it."),
	FIELD("cache", TIME, "5m", .min = 10 * SECOND, .max = DAY,
	      .text = "For how long what it answered counts as fresh."),
	FIELD_END,
};

static const char *const retention_whats[] = { "conversation", "messages", "attachments", NULL };

/* Each has an address of its own, and these are taken. */
static const char *check_retention_id(const char *text)
{
	if (text_equal(text, "preview") || text_equal(text, "run"))
		return "must be another one: /v1/retention/preview and /run are addresses of their "
		       "own";
	return business_check_id(text);
}

const struct business_field retention_fields[] = {
	FIELD("id", TEXT, NULL, .min = 1, .max = 40, .flags = SETTING_REQUIRED,
	      .check = check_retention_id,
	      .text = "Its id: a-z, 0-9, \"-\", \"_\" and \".\", at most 40 characters."),
	NAME_FIELD,
	FIELD("what", CHOICE, "conversation", .choices = retention_whats,
	      .text = "What goes: the whole conversation with its work items; the texts and files "
		      "of "
		      "its messages; or the files alone."),
	FIELD("keep", TIME, NULL, .min = 1, .max = 36500 * DAY, .flags = SETTING_REQUIRED,
	      .text = "How long it is kept after the conversation's last change; only what is "
		      "closed goes."),
	FIELD("channel", TEXT, NULL, .min = 1, .max = 64,
	      .text = "Only conversations of this channel."),
	FIELD("type", TEXT, NULL, .min = 1, .max = 64,
	      .text = "Only conversations with a work item of this type."),
	FIELD("topic", TEXT, NULL, .min = 1, .max = 64,
	      .text = "Only conversations with a work item of this topic."),
	FIELD_END,
};
