/* POST /v1/import: what its two files share. Rows are taken one after the other; the next one
 * begins when import_result() or import_failed() was called for the one before. */
#pragma once

#include "api/handlers.h"
#include "identity/address.h"
#include "identity/customer.h"
#include "identity/import.h"

struct importing {
	struct api_call *call;
	struct import_order order;
	bool is_trusted;
	struct json_object *customers;
	struct json_object *conversations;
	size_t next; /* customers first, then conversations */
	struct import_person person;
	struct identifier identifiers[IMPORT_IDENTIFIERS_MAX];
	/* Numbers that do not say their country, "" for all others; read one after the other. */
	char phones[IMPORT_IDENTIFIERS_MAX][ADDRESS_PHONE_BYTES];
	size_t phone;       /* the next one to look at */
	const char *region; /* two upper-case letters; NULL */
	struct buf body;
	struct json_out out;
	bool is_turning; /* rows are being begun */
	bool is_waiting; /* ... and the one begun last has not ended */
};

/* How the row ended; id and reason may be NULL. */
void import_result(struct importing *importing, const char *result, const char *id,
		   const char *reason);
/* Store or history are away: the whole call fails. */
void import_failed(struct importing *importing, const struct error *err);

/* One conversation. */
void import_talk(struct importing *importing, struct json_object *row);
