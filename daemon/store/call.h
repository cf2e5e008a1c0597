/* One command on its way: RESP bytes built in one buffer, ready to be sent
 * again as they are. */
#pragma once

#include "store/store.h"

enum {
	CALL_HEAD = 112, /* room before the arguments for what is known last: counts */
	CALL_OWN = 704,
	CALL_WORKSPACE = 64,
};

struct store_call {
	struct store_call *next;
	store_done_fn *done;
	void *context;
	int64_t deadline_ms;      /* of the loop's clock */
	int64_t sent_us;          /* set on the first of a batch only */
	const char *name;         /* script or verb, for errors */
	const char *sha;          /* NULL: a plain command */
	struct store_reply *held; /* answered, but not yet by enough replicas */
	bool is_wait;             /* the lane's own WAIT */
	bool is_ended_keys;
	int args;
	int keys;
	char *bytes;  /* own or on the heap; arguments start at CALL_HEAD */
	size_t start; /* of the whole command, once sealed */
	size_t len;   /* used, from bytes */
	size_t room;
	size_t prefix_len;
	char prefix[CALL_WORKSPACE + 4]; /* "{ws}:" */
	char own[CALL_OWN];
};

/* Writes the counts in front; afterwards the command is bytes + start, len - start. */
void call_seal(struct store_call *call);
void call_free(struct store_call *call);

struct call_list {
	struct store_call *first;
	struct store_call *last;
	int count;
};

void call_list_push(struct call_list *list, struct store_call *call);
struct store_call *call_list_pop(struct call_list *list); /* NULL when empty */
/* Everything of `from` goes before what `list` holds. */
void call_list_prepend(struct call_list *list, struct call_list *from);
