/* What Twilio's connectors share: its signature (twilio.com/docs/usage/security) and its calls. */
#pragma once

#include "converge/connector.h"

/* Is x-twilio-signature of this request made with one of the tokens? Signed is the public address
 * with path and query as received, and of a form its sorted names and values; of another body its
 * SHA-256, which the query then carries. tokens ends with NULL; absent and empty ones never fit. */
bool twilio_signature_fits(const struct host *host, const struct inbound *in, struct arena *arena,
			   const char *const *tokens);

/* The value of a form's field, "" where it is absent. */
const char *twilio_value(const struct host_pair *pairs, long count, const char *name);
