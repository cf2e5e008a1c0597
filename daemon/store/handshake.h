/* What a new connection says first: AUTH, SELECT, the scripts, and a look at
 * whom it is talking to. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

struct address;
struct link;
struct store_reply;

enum { REPLICATION_ID_BYTES = 41 };

/* Which history of writes the peer carries on: its replication id and, in a replica that was
 * promoted, the one of the master it followed; "" where it tells none. A master takes a new id at
 * every start, and when its first replica comes. */
struct lineage {
	char id[REPLICATION_ID_BYTES];
	char before[REPLICATION_ID_BYTES];
};

void lineage_read(struct lineage *lineage, const char *info);

struct handshake {
	int waiting; /* answers to come */
	struct lineage lineage;
};

/* Queues the commands on the link. */
void handshake_start(struct handshake *handshake, struct link *link, const struct address *address);
/* One answer: -1 with err if the connection is of no use. Done when waiting is 0. */
int handshake_answer(struct handshake *handshake, const struct store_reply *reply,
		     struct error *err);
