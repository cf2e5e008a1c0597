/* What a new connection says first: AUTH, SELECT, the scripts, and a look at
 * whom it is talking to. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

struct address;
struct link;
struct store_reply;

struct handshake {
	int waiting; /* answers to come */
};

/* Queues the commands on the link. */
void handshake_start(struct handshake *handshake, struct link *link, const struct address *address);
/* One answer: -1 with err if the connection is of no use. Done when waiting is 0. */
int handshake_answer(struct handshake *handshake, const struct store_reply *reply,
		     struct error *err);
