/* What merges.c shows before it acts: the customers as they are, and what would move. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/handlers.h"

enum { MERGE_SIDES = 2 };

/* A customer as it was read, in the call's arena. */
struct side {
	const char *id;
	const char *name;
	const char *tier;
	const char *attributes;
	int64_t version;
	size_t identifiers;
	const char *identifiers_json; /* those that would move, parted by commas */
	const char *conversations_json;
};

struct merging {
	struct api_call *call;
	void (*next)(struct merging *merging); /* once all sides are read */
	const char *ids[MERGE_SIDES];          /* to read */
	struct side sides[MERGE_SIDES];
	size_t count;
	size_t read;
	bool is_suggested;  /* it accepts a suggestion */
	const char *only;   /* hashes of the identifiers that would move, " a b "; NULL: all */
	const char *merge;  /* mrg_ of a revert */
	const char *text;   /* the identifier as it was asked for */
	const char *hash;   /* ... found */
	const char *record; /* ... as it is stored */
};

/* Reads merging->ids, then calls merging->next; or answers that there is no such customer. */
void merge_sides_read(struct merging *merging);
/* What from loses: to is NULL where it is a customer yet to be made. */
void merge_preview(struct merging *merging, const struct side *from, const struct side *to,
		   bool has_conflicts);
/* A merge as merges_read.lua has it, as the next value of out. */
void merge_write(struct json_out *out, const struct store_reply *row);
