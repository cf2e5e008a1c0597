/* What is configured about customers: links into other systems, and shops that are
 * asked for orders. */
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
