/* Shared by the files of the dingtalk connector. */
#pragma once

#include "access_token.h"
#include "converge/connector.h"
#include "envelope_aes.h"
#include "provider_call.h"

#define DINGTALK_PROVIDER "https://api.dingtalk.com"
#define DINGTALK_OLD "https://oapi.dingtalk.com"

struct dingtalk_settings {
	char *app_key;
	char *app_secret;
	char *robot_code;
	char *token;
	char *encoding_aes_key;
	char *api_base;
};

struct dingtalk_state {
	struct access_token token;
	struct envelope_seal seal; /* of the event push, where it is set */
};

const struct host *dingtalk_host(void);
bool dingtalk_is_private(const struct channel *channel);
/* The older API has an address of its own; a simulator has all in one. */
const char *dingtalk_old_base(const struct channel *channel);

/* The token's life is the channel's. */
void dingtalk_start(struct channel *channel);
void dingtalk_stop(struct channel *channel);

/* Slots of the connector. */
void dingtalk_send(struct channel *channel, const struct outbound *message,
		   struct delivery *delivery);
void dingtalk_find_media(struct channel *channel, const struct attachment *attachment,
			 struct media_search *media);
void dingtalk_test(struct channel *channel,
		   void (*done)(bool ok, const char *phrase, void *context), void *context);
