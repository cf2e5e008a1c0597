/* What the files of the wechat connector share. */
#pragma once

#include "converge/connector.h"
#include "envelope_aes.h"
#include "weixin_api.h"

#define WECHAT_PROVIDER "https://api.weixin.qq.com"

struct wechat_settings {
	char *app_id;
	char *app_secret;
	char *token;
	char *encoding_aes_key;
	char *api_base;
	int64_t reply_window_ms;
	int64_t reply_count;
	int64_t click_window_ms;
	int64_t click_count;
};

struct wechat_state {
	struct envelope_seal seal;
	struct weixin api;
};

/* One per process, given by open(). */
const struct host *wechat_host(void);
/* Makes the channel's calls ready. */
void wechat_api_open(struct channel *channel);

void wechat_send(struct channel *channel, const struct outbound *message,
		 struct delivery *delivery);
void wechat_test(struct channel *channel, void (*done)(bool ok, const char *phrase, void *context),
		 void *context);
