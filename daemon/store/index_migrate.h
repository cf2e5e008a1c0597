/* Format 3 to 4: the bucket of an index field follows from the field itself
 * (identity/identity.h), so that a script finds it from an identifier's hash. */
#pragma once

#include "store/check.h"

void index_migrate(struct store *store, const char *workspace, store_ready_fn *done, void *context);
