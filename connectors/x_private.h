/* What the files of the x connector share. */
#pragma once

#include "converge/connector.h"
#include "provider_call.h"

#define X_PROVIDER "https://api.x.com"

struct x_settings {
	char *app_key;
	char *app_secret;
	char *access_token;
	char *access_token_secret;
	char *api_base;
};

/* One per process, given by open(). */
const struct host *x_host(void);
bool x_is_private(const struct channel *channel);
/* The Authorization header of one request: OAuth 1.0a (RFC 5849) where there is an
 * access_token_secret, else the access token as Bearer. url has no query. */
const char *x_authorization(const struct channel *channel, struct arena *arena, const char *method,
			    const char *url);

void x_send(struct channel *channel, const struct outbound *message, struct delivery *delivery);
void x_test(struct channel *channel, void (*done)(bool ok, const char *phrase, void *context),
	    void *context);
