/* What the files of this folder share. */
#pragma once

#include "admit/admit.h"
#include "admit/remember.h"
#include "base/buf.h"

struct store_reply;

struct admit {
	struct store *store;
	struct mac *mac;
	struct remember_cache *remembered;
	bool keeps_late;    /* receipts for what may have left the store */
	struct buf scratch; /* where arguments are put together, one at a time */
};

/* One call in flight. */
struct admit_run {
	struct admit *admit;
	admit_done_fn *done;
	void *context;
	bool steady_id;
	char workspace[48];
	struct remember_place place;
};

struct admit_run *admit_run_new(struct admit *admit, const char *workspace, admit_done_fn *done,
				void *context);
/* These tell the caller and free the run. */
void admit_run_end(struct admit_run *run, const struct admit_result *result,
		   const struct error *err);
void admit_run_fail(struct admit_run *run, const struct error *err);
