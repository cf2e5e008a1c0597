/* Customers who come from another product. Each carries the id it has there
 * (`external:<source>:<id>`, proved), so a second import finds it again and adds
 * only what is missing: nothing that somebody wrote here is overwritten. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/id.h"
#include "identity/identity.h"

struct arena;
struct json_object;
struct store;

/* Claims of an import are known under this name instead of a channel's. No channel can have it. */
#define IMPORT_PLACE "!import"

enum { IMPORT_IDENTIFIERS_MAX = 16 };

struct import_person {
	const char *external_id;
	const char *name; /* "" unknown */
	const char *tier; /* "" */
	int64_t created_ms;
	struct json_object *attributes;       /* texts; NULL */
	struct json_object *tags;             /* list of texts; NULL */
	const struct identifier *identifiers; /* normalised; proved ones may find their owner */
	size_t count;
};

struct import_order {
	struct store *store;
	struct arena *arena; /* lives until done */
	struct identity_place place;
	const char *source;
	bool is_dry;
	int64_t now_ms;
};

enum import_code { IMPORT_CREATED, IMPORT_UPDATED, IMPORT_UNCHANGED, IMPORT_FAILED };
struct import_outcome {
	enum import_code code;
	const char *customer; /* "" in a dry run of a new one */
};

typedef void import_done_fn(const struct import_outcome *outcome, const struct error *err,
			    void *context);
/* done comes exactly once, never before this returns. order and person are borrowed until then. */
void customer_import(const struct import_order *order, const struct import_person *person,
		     import_done_fn *done, void *context);

/* The identifier that the source's own id is. */
void import_external(const struct import_order *order, const char *external_id,
		     struct identifier *ret);
