/* What Twilio's connectors share: its signature (twilio.com/docs/usage/security) and its calls. */
#pragma once

#include "converge/connector.h"

#define TWILIO_PROVIDER "https://api.twilio.com"

struct twilio_account {
	const char *sid; /* AC... */
	const char *token;
	const char *api_base;
};

/* Is x-twilio-signature of this request made with one of the tokens? Signed is the public address
 * with path and query as received, and of a form its sorted names and values; of another body its
 * SHA-256, which the query then carries. tokens ends with NULL; absent and empty ones never fit. */
bool twilio_signature_fits(const struct host *host, const struct inbound *in, struct arena *arena,
			   const char *const *tokens);

/* The value of a form's field, "" where it is absent. */
const char *twilio_value(const struct host_pair *pairs, long count, const char *name);

bool twilio_sid_is_good(const char *sid);
/* Basic authorization as this account. */
const char *twilio_authorization(const struct host *host, const struct twilio_account *account,
				 struct arena *arena);
/* Is api_base not Twilio's own? */
bool twilio_is_private(const struct twilio_account *account);
/* The slot media() for what Twilio keeps. */
void twilio_media(const struct host *host, const struct twilio_account *account,
		  const struct attachment *attachment, struct arena *arena,
		  struct media_request *ret);
/* The slot test(): is the account there? */
void twilio_try(const struct host *host, struct channel *channel,
		const struct twilio_account *account,
		void (*done)(bool ok, const char *phrase, void *context), void *context);
