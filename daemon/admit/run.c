#include "admit/run.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "store/store.h"

struct admit_run *admit_run_new(struct admit *admit, const char *workspace, admit_done_fn *done,
				void *context)
{
	struct admit_run *run = memory_new(sizeof(*run));

	run->admit = admit;
	run->done = done;
	run->context = context;
	snprintf(run->workspace, sizeof(run->workspace), "%s", workspace);
	return run;
}

void admit_run_end(struct admit_run *run, const struct admit_result *result,
		   const struct error *err)
{
	run->done(result, err, run->context);
	free(run);
}

void admit_run_fail(struct admit_run *run, const struct error *err)
{
	const struct admit_result result = { .code = ADMIT_FAILED };

	admit_run_end(run, &result, err);
}
