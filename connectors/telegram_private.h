/* What the files of the telegram connector share. */
#pragma once

#include "converge/connector.h"
#include "provider_call.h"

#define TELEGRAM_PROVIDER "https://api.telegram.org"

struct telegram_settings {
	char *bot_token;
	char *secret_token;
	char *api_base;
};

struct telegram_state {
	bool is_mine; /* the lease is held */
	bool is_asking;
	int64_t offset; /* 0: from the oldest that is not confirmed */
};

/* One method of the Bot API. */
struct telegram_call {
	const char *method;
	const char *type; /* NULL: JSON */
	const char *body;
	size_t len; /* with type */
	int64_t timeout_ms;
	size_t answer_max;
};

/* One per process, given by open(). */
const struct host *telegram_host(void);
void telegram_call(struct channel *channel, const struct telegram_call *call,
		   provider_answered *done, void *context);
/* What a refusal asks us to wait, else the fallback. */
int64_t telegram_retry_ms(struct json_object *answer, int64_t fallback_ms);
bool telegram_is_webhook(const struct channel *channel);
/* JSON of a number at a path, "0" where there is none. */
const char *telegram_number(struct json_object *value, struct arena *arena, const char *path);

void telegram_poll(struct channel *channel, bool lost);
void telegram_send(struct channel *channel, const struct outbound *message,
		   struct delivery *delivery);
void telegram_find_media(struct channel *channel, const struct attachment *attachment,
			 struct media_search *search);
void telegram_test(struct channel *channel,
		   void (*done)(bool ok, const char *phrase, void *context), void *context);
