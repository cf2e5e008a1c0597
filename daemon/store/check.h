/* What must hold before an instance uses a store and a workspace in it. */
#pragma once

#include "base/error.h"
#include "store/store.h"

enum { STORE_FORMAT = 4 }; /* of {ws}:meta; each change comes with a migration */

/* What {ws}:meta remembers it belongs to; NULL is not compared, "!" in front takes the place of
 * another one. */
struct store_identity {
	const char *installation;
	const char *history;
	const char *blobs;
	int64_t grace_ms; /* how long nothing may be heard of an agent who has work; 0: as it is */
};

typedef void store_ready_fn(const struct error *err, void *context);

/* Makes or checks {ws}:meta, migrating an older format step by step. A newer
 * format and another installation, history or blob store are refused. Texts
 * are copied. */
void store_boot(struct store *store, const char *workspace, const struct store_identity *identity,
		store_ready_fn *done, void *context);

/* One step from format `from` to from + 1. It may run again after a crash in
 * its midst, so it must be harmless when repeated; the format number is raised
 * by the caller once it is done. */
struct store_migration {
	int from;
	void (*run)(struct store *store, const char *workspace, store_ready_fn *done,
		    void *context);
};

/* As store_boot, with a table and a target of one's own (tests). */
struct store_boot_plan {
	const struct store_migration *migrations; /* borrowed; ended by a NULL run */
	int format;
};

void store_boot_with(struct store *store, const char *workspace,
		     const struct store_identity *identity, const struct store_boot_plan *plan,
		     store_ready_fn *done, void *context);
