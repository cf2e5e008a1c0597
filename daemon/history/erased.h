/* state_dir/erased: the identifiers that were erased, as keyed hashes, one a line with when. It is
 * only appended to and outlives a restore of the store from a backup, which brings back who was
 * erased since: erased_new() finds them and has them erased anew. */
#pragma once

#include "base/error.h"

struct erased;
struct parts;
struct workspace;

/* keys: hashes, parted by spaces. On the disk when it returns. 0, or -1 with err. */
int erased_note(const struct parts *parts, const char *workspace, const char *keys,
		struct error *err);

/* Looks once through the list, on the steward: where the store does not know that an identifier was
 * erased, a job erases who has it, if they are older than that. */
struct erased *erased_new(struct parts *parts, struct workspace *workspace);
void erased_free(struct erased **erased);
