/* Texts with {names} in them, which stand for what a message has: a request to a gateway is such
 * a text. A brace that no known kind of name follows is itself (JSON is full of them). */
#pragma once

#include "converge/connector.h"

/* How a value is written where it stands. */
enum sms_escape {
	SMS_ESCAPE_JSON, /* inside of a JSON string */
	SMS_ESCAPE_FORM, /* of a form, a query or a path: RFC 3986 */
	SMS_ESCAPE_XML,
	SMS_ESCAPE_TEXT, /* as it is, without control characters: a header's value */
};

/* The first {name} that is not among the values, in the arena; NULL: all are known. */
const char *sms_template_unknown(const struct host *host, struct arena *arena, const char *template,
				 const struct host_pair *values);
/* values end with a nameless one. */
const char *sms_template_fill(const struct host *host, struct arena *arena, const char *template,
			      enum sms_escape escape, const struct host_pair *values);
