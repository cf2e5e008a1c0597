/* The simulated customers: people who write by the public front doors, wait for
 * an answer, and go on with their story. A door is a way in; it carries what a
 * customer says and brings back what an agent answers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"

struct event;
struct event_base;
struct http_call;
struct mac;
struct provider;
struct sim;
struct standin;
struct wire_door;

enum { CUSTOMERS_MAX = 200, STORY_LINES = 5, STANDINS_MAX = 24, CHANNEL_SETTINGS_MAX = 24 };

struct story {
	const char *kind; /* refund, logistics, vip, spam, thanks */
	const char *language;
	const char *subject;            /* for mail */
	const char *lines[STORY_LINES]; /* said in turn, each after an answer; NULL ends */
	const char *nudge;              /* said once when nobody answers; NULL: gives up */
	int weight;
};
const struct story *story_pick(struct sim *sim);
const char *story_name(struct sim *sim, const struct story *story);

struct customer;

struct door {
	const char *name;
	/* Gets one message in; ends in customer_heard(). The message's id stays the same when it is
	 * said again after a failure. */
	void (*say)(struct customer *customer, const char *text, const char *message_id);
	/* The customer leaves: drops what the door holds for it. */
	void (*leave)(struct customer *customer);
};

struct customer {
	struct sim *sim;
	const struct door *door;
	const struct story *story;
	struct standin *at; /* provider_door: whose customer */
	int64_t number;
	char id[48]; /* u-<seed>-<n>; the address at the door is made of it */
	char name[64];
	int line;           /* the next to say */
	int said;           /* messages got in */
	const char *saying; /* what is on its way */
	int tries;          /* of the message on its way */
	bool is_nudged;
	bool is_nudging; /* the nudge is on its way */
	bool is_leaving;
	struct event *timer;
	void (*on_timer)(struct customer *customer);
	/* of the doors */
	struct http_call *call;
	struct http_call *stream;
	char *token;
	struct buf line_bytes;
	struct buf event_bytes;
	char own_id[128];   /* mail: our last Message-ID */
	char their_id[300]; /* mail: the Message-ID of the last answer */
};

/* The end of one say(): heard, or to be said again later. */
void customer_heard(struct customer *customer, bool is_heard, const char *why);
/* Says what is on its way once more, at once (the door has got further). */
void customer_repeat(struct customer *customer);
/* An agent (or a machine) answered. */
void customer_answered(struct customer *customer, const char *text);
/* By its id; NULL when it has left. */
struct customer *customer_find(struct sim *sim, const char *id);
void customer_arrive(struct sim *sim);
void customer_leave(struct customer *customer);

extern const struct door webhook_door, chat_door, mail_door, provider_door;
/* 0, or -1 after having said why: the side where answers come in. */
int webhook_door_open(struct sim *sim);
int mail_door_open(struct sim *sim);
/* A channel of the settings file whose api_base is an address of this machine: a stand-in serves
 * it. */
struct provider_channel {
	const struct provider *provider;
	const char *name;
	const char *api_base; /* http://host:port */
	const char *settings[CHANNEL_SETTINGS_MAX][2];
	size_t setting_count;
};
int provider_door_open(struct sim *sim, const struct provider_channel *channel);

struct sim {
	struct event_base *base;
	struct arena *arena;
	/* from the settings file or the options; NULL: that door is shut */
	const char *http;
	const char *webhook_channel;
	const char *webhook_secret;
	const char *deliver_url;
	const char *chat_channel;
	const char *lmtp;
	const char *mail_address;
	const char *smtp; /* where answers by mail are taken, host:port */
	struct mac *webhook_key;
	struct wire_door *webhook_in;
	struct wire_door *mail_in;
	/* providers' APIs that are served here (provider.h) */
	const struct provider *standin_provider; /* of the next --listen */
	struct standin *standins[STANDINS_MAX];
	size_t standin_count;
	/* how they come */
	double per_minute;
	double speed; /* of reading, typing and waiting */
	int64_t patience_s;
	uint64_t seed;
	uint64_t random;
	int64_t count; /* stories in all; 0: for ever */
	bool is_quiet;
	struct event *arrival;
	struct customer *customers[CUSTOMERS_MAX];
	int64_t arrived;
	int64_t left;
	int64_t answered;
	int64_t messages;
	int64_t refused;
};

/* 0 <= x < 1, from the seed alone. */
double sim_random(struct sim *sim);
/* One line about what happens, unless quiet. */
void sim_say(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Fills the doors from the daemon's settings file: 0, or -1 after having said why. */
int sim_settings(struct sim *sim, const char *file);
