/* What the files of the wecom connector share. */
#pragma once

#include "converge/connector.h"
#include "envelope_aes.h"
#include "weixin_api.h"

#define WECOM_PROVIDER "https://qyapi.weixin.qq.com"

enum { WECOM_ACCOUNTS_MAX = 64, WECOM_ID_BYTES = 65, WECOM_TOKEN_BYTES = 129 };

struct wecom_settings {
	char *corp_id;
	char *app_secret;
	char *token;
	char *encoding_aes_key;
	char *api_base;
	int64_t poll_ms;
	int64_t reply_window_ms;
	int64_t reply_count;
};

/* One customer-service account, a stream of messages of its own. */
struct wecom_account {
	char id[WECOM_ID_BYTES]; /* open_kfid */
	char cursor[WECOM_ID_BYTES];
	char token[WECOM_TOKEN_BYTES]; /* of the newest signal; "" : none, or used up */
	bool is_wanted;
};

struct wecom_state {
	struct envelope_seal seal;
	struct weixin api;
	struct wecom_account accounts[WECOM_ACCOUNTS_MAX];
	size_t account_count;
	bool is_mine; /* the lease is held */
	bool is_pulling;
	bool is_rung;     /* while pulling: pull again */
	bool has_cursors; /* read since the lease was won */
	bool has_list;
};

/* One per process, given by open(). */
const struct host *wecom_host(void);
/* Makes the channel's calls ready. */
void wecom_api_open(struct channel *channel);

/* The account by its id, added where it is new; NULL: there is no room, or the id is none. */
struct wecom_account *wecom_account(struct wecom_state *state, const char *id);

/* One item of msg_list, as wecom_poll() gives it to the pipeline: {"item":{...},"nickname":"",
 * "unionid":""}. */
int wecom_read_item(const struct channel *channel, const struct inbound *in, struct arena *arena,
		    struct parsed *ret, const char **ret_error);

void wecom_poll(struct channel *channel, bool lost);
void wecom_send(struct channel *channel, const struct outbound *message, struct delivery *delivery);
const char *wecom_sent_as(const struct channel *channel, const struct outbound *message,
			  struct arena *arena);
void wecom_test(struct channel *channel, void (*done)(bool ok, const char *phrase, void *context),
		void *context);
