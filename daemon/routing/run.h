/* What the files of this folder share: a call in flight and the reading of its answer. */
#pragma once

#include "routing/work.h"

struct store_call;
struct store_reply;

struct work_run;
struct work_run *work_run_new(work_done_fn *done, void *context);
/* A store_done_fn: reads the answer all work scripts share. Frees the run. */
void work_run_answered(const struct store_reply *reply, const struct error *err, void *context);
void work_run_end(struct work_run *run, const struct work_result *result, const struct error *err);

/* The script with KEYS w:<wrk> and ARGV key, request, wrk, agent, version. */
struct store_call *work_script(const char *script, const struct work_call *call);
/* The ends of a transfer and of a consultation, which timers need as well. */
struct store_call *work_transfer_ending(const struct work_call *call, const char *transfer,
					const char *outcome, const struct work_room *room);
struct store_call *work_consult_ending(const struct work_call *call, const char *consult,
				       const char *outcome);

/* ARGV key, request, wrk, agent, version. */
void work_add_call(struct store_call *store_call, const struct work_call *call);
