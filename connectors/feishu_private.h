/* Shared by the files of the feishu connector. */
#pragma once

#include "access_token.h"
#include "converge/connector.h"
#include "provider_call.h"

#define FEISHU_PROVIDER "https://open.feishu.cn"

struct feishu_settings {
	char *app_id;
	char *app_secret;
	char *encrypt_key;
	char *verification_token;
	char *api_base;
};

struct feishu_state {
	struct access_token token;
};

const struct host *feishu_host(void);

/* The token's life is the channel's. */
void feishu_start(struct channel *channel);
void feishu_stop(struct channel *channel);

/* Slots of the connector. */
void feishu_send(struct channel *channel, const struct outbound *message,
		 struct delivery *delivery);
void feishu_find_media(struct channel *channel, const struct attachment *attachment,
		       struct media_search *media);
void feishu_test(struct channel *channel, void (*done)(bool ok, const char *phrase, void *context),
		 void *context);
