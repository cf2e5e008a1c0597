/* POST /v1/customers/{id}/export: everything that is held about a person, as one JSON document,
 * streamed part by part at the pace of who reads it. Shared by person*.c. */
#pragma once

#include "api/api.h"
#include "identity/customer.h"

struct gathering; /* of person_gather.c */
struct loop_timer;
struct map;
struct person;

typedef void person_step_fn(struct person *person);

enum person_count {
	PERSON_IDENTIFIERS,
	PERSON_NOTES,
	PERSON_ORDERS,
	PERSON_MERGES,
	PERSON_BUSINESS_EVENTS,
	PERSON_CONVERSATIONS,
	PERSON_MESSAGES,
	PERSON_ATTACHMENTS,
	PERSON_WORK_ITEMS,
	PERSON_EVENTS,
	PERSON_COUNTS,
};

/* Ids, each in a row of its own. */
struct person_ids {
	struct buf rows;
	size_t next; /* the one that is taken next */
};

struct person {
	struct parts *parts;
	struct api_call *call;      /* until the stream begins; to the end of a preview */
	struct http_stream *stream; /* NULL: not begun, or gone */
	struct loop_timer *timer;
	char workspace[48];
	const char *id;
	struct arena *arena;
	struct person_ids us;    /* the customer and those merged into it */
	struct person_ids keys;  /* hashes of its identifiers; other people's are left out */
	struct person_ids talks; /* its conversations */
	struct person_ids items; /* work items to be written */
	struct person_ids cases; /* work items of the store without a conversation */
	struct map *known;       /* ids that were taken */
	struct buf out;          /* what is written and not sent */
	size_t sent;             /* of it */
	struct json_out json;
	person_step_fn *next;
	person_step_fn *talks_done;
	const char *talk;  /* the conversation in hand; NULL: cases */
	const char *after; /* of the list in hand */
	const char *scan;  /* cursor through the store */
	int64_t from;      /* position of the next message */
	int64_t event[3];  /* the last one: generation, ms, seq */
	struct gathering *gathering;
	size_t waiting; /* answers that a step still waits for */
	int refs;
	bool is_gone; /* nobody reads it any more */
	bool is_preview;
	bool has_notes;
	bool is_failed;
	int64_t counts[PERSON_COUNTS];
};

void person_ids_add(struct person_ids *ids, const char *id);
const char *person_ids_at(const struct person_ids *ids, size_t index); /* NULL behind the last */
bool person_ids_have(const struct person_ids *ids, const char *id);
/* False where it was taken before. */
bool person_know(struct person *person, const char *id);

/* Around every question: before it is asked, and first thing in the answer, which is dropped where
 * this is false. */
void person_hold(struct person *person);
bool person_is_wanted(struct person *person);
/* What is written leaves; then next. */
void person_go_on(struct person *person, person_step_fn *next);
/* Without its end the document is no JSON, so nobody takes it for a whole one. */
void person_fail(struct person *person, const struct error *err);
void person_end(struct person *person);
/* Begins the fields of a question to the history with {customers, keys}. */
void person_ask_start(struct person *person, struct json_out *out, struct buf *fields);

/* person_gather.c: whose identifiers, conversations and cases; then done. customer is borrowed. */
void person_gather(struct person *person, const struct customer *customer, person_step_fn *done);
/* person_write.c: all parts but the customer's own record. */
void person_write(struct person *person);
void person_write_customer(struct person *person, const struct customer *customer);
/* person_talks.c: conversations with their messages and work items, and cases; then done. */
void person_write_talks(struct person *person, person_step_fn *done);
