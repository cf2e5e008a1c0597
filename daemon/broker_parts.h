/* What the files of the broker share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "parts.h"
#include "services/state_dir.h"

struct embedded;
struct http_server;
struct lmtp_server;
struct problems;

struct broker {
	struct parts parts;
	struct state_dir *state_dir;
	struct embedded *embedded;
	struct http_server *http;
	struct http_server *admin;
	struct lmtp_server *lmtp;
	char instance[INSTANCE_BYTES];
	char forerunners[FORERUNNERS_BYTES]; /* who used state_dir before; dead */
	int exit_status;
	bool history_answered; /* at start; history_error says what */
	struct error history_error;
	int drains; /* listeners and channels still draining */
	bool is_demo;
	struct config **retired; /* replaced by reloads; freed with the broker */
	size_t retired_count;
};

/* broker_start.c: everything up, in order; 0, or a sysexits status after having logged why. */
int broker_start(struct broker *broker);
/* The reverse; parts may be missing. */
void broker_stop(struct broker *broker);
/* Opens the channels of the configuration; each failure is logged and counted. */
int broker_open_channels(struct broker *broker);

void broker_retire(struct broker *broker, struct config *config);

/* broker_reload.c */
void broker_reload(struct broker *broker, const char *file);

/* broker_demo.c: an empty store gets queues, rules, agents and logins. */
void broker_demo(struct broker *broker, bool simulator);
/* Writes a configuration for the demo where none was named; its path, or NULL after having said
 * why. */
const char *broker_demo_config(void);
/* Ends the simulated customers. */
void broker_demo_stop(void);
