/* One-time codes: who wrote in a conversation proves an address by answering
 * what was sent there (scripts/code_open.lua, code_verify.lua). A code is
 * nowhere stored: it follows from its message's id and the installation's key,
 * and only the outbox puts it into the text that leaves. done comes exactly
 * once, never before the call has returned; results are borrowed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "identity/identity.h"

struct store;

enum { CODE_DIGITS = 6, CODE_LIFE_MS = 10 * 60 * 1000, CODE_ANSWER_MAX = 64 };

/* Where the digits stand in the stored text. */
#define CODE_PLACE "••••••"

enum code_result_code {
	CODE_OK,
	CODE_WRONG,    /* verify: another attempt may be made while left > 0 */
	CODE_NONE,     /* verify: none was asked for, it is too old, or used up */
	CODE_FULL,     /* verify: the customer has as many identifiers as one may have */
	CODE_LIMIT,    /* open: too many of them; wait_ms until one is free */
	CODE_NOWHERE,  /* open: there is no such conversation */
	CODE_CONFLICT, /* the idempotency key was used with another request */
	CODE_FAILED,   /* err: try again later */
};
struct code_result {
	enum code_result_code code;
	bool replayed;
	int64_t expires_ms; /* open */
	int64_t wait_ms;
	int64_t left;
	const char
		*customer;  /* verify: whose address it is now, or who is to be merged with other */
	const char *other;  /* who proved it before; NULL */
	const char *record; /* JSON as identity_record() writes it */
};
typedef void code_done_fn(const struct code_result *result, const struct error *err, void *context);

struct code_request {
	struct identity_place place; /* channel: the one that carries the code */
	const char *conversation;    /* whose customer is to be proved */
	const struct identifier *identifier;
	bool idempotent;     /* that channel's sends are */
	const char *key;     /* as in conversation.h */
	const char *request; /* likewise */
	int64_t now_ms;
};
void code_open(struct store *store, const struct code_request *request, code_done_fn *done,
	       void *context);

struct code_answer {
	struct identity_place place; /* channel: the conversation's */
	const char *conversation;
	const char *digits; /* as typed: spaces and full-width digits are read */
};
void code_verify(struct store *store, const struct code_answer *answer, code_done_fn *done,
		 void *context);

/* The stored text with the digits in their places, for the outbox alone. */
char *code_text(const struct identity_place *place, const char *message_id, const char *text,
		struct arena *arena);
