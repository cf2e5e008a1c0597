/* Replies as a tree in one region: redis.c builds them, store.h reads them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "store/store.h"

struct store_reply {
	enum store_reply_kind kind;
	bool is_error; /* an error reply of Redis; kind is REPLY_TEXT */
	size_t len;    /* bytes of the text, or count of items */
	union {
		const char *text;
		int64_t number;
		const struct store_reply **items;
	} as;
};

/* A region that is emptied as a whole and keeps its first block. */
struct reply_region {
	struct reply_block *blocks; /* the newest first */
	size_t used;                /* of the newest */
};

void *reply_alloc(struct reply_region *region, size_t size); /* 16-aligned, not zeroed */
void region_reset(struct reply_region *region);
void region_clear(struct reply_region *region);

/* A deep copy in one block; free() it. */
struct store_reply *reply_copy(const struct store_reply *reply);
