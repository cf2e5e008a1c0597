/* What the files of the slack connector share. */
#pragma once

#include "converge/connector.h"
#include "provider_call.h"

#define SLACK_PROVIDER "https://slack.com"

struct slack_settings {
	char *signing_secret;
	char *bot_token;
	char *api_base;
};

/* One per process, given by open(). */
const struct host *slack_host(void);
bool slack_is_private(const struct channel *channel);
const char *slack_bearer(const struct channel *channel, struct arena *arena);

void slack_send(struct channel *channel, const struct outbound *message, struct delivery *delivery);
void slack_find_name(struct channel *channel, const char *who,
		     void (*done)(const char *name, void *context), void *context);
void slack_test(struct channel *channel, void (*done)(bool ok, const char *phrase, void *context),
		void *context);
