/* Everything of a workspace that is in the store, written into the history
 * anew; then the cursor, to where the log stood before it began. */
#pragma once

#include <stdint.h>

#include "base/error.h"

struct parts;
struct reread;

/* position: where to follow the log from; NULL with err. Once, never before the return; the reread
 * is freed by the caller, there or later. */
typedef void reread_done_fn(const char *position, const struct error *err, void *context);

struct reread *reread_new(struct parts *parts, const char *workspace, reread_done_fn *done,
			  void *context);
void reread_free(struct reread **reread);         /* done does not come any more */
int64_t reread_keys(const struct reread *reread); /* looked at so far */
