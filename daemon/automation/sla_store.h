/* The clocks in the store: sla_read.lua and sla_put.lua. */
#pragma once

#include "automation/sla_clock.h"

struct store;

/* A work item with its clocks as the store has them. Borrowed texts. */
struct sla_item {
	struct sla_record record;
	const char *kept;  /* the record's text */
	const char *state; /* of the item now; "" where there is none */
	const char *waiting, *agent;
	struct sla_fact facts; /* subject, has_conversation, created_ms, first_response_ms */
};
typedef void sla_read_fn(const struct sla_item *item, const struct error *err, void *context);
void sla_item_read(struct store *store, const char *workspace, const char *work_item,
		   sla_read_fn *done, void *context);

struct sla_put {
	const char *workspace, *fence, *work_item;
	const char *kept; /* the text it was made from */
	const struct sla_record *record;
	const struct sla_changes *changes;
	int64_t time_ms;      /* time alone has passed up to it; 0: the log says all */
	const char *position; /* up to which the log was read */
};
/* refusal: NULL, "changed" (read it again), "early" and "behind" (the log is not read that far:
 * later), "fence", "not_found". */
typedef void sla_put_fn(const char *refusal, const struct error *err, void *context);
void sla_item_put(struct store *store, const struct sla_put *put, sla_put_fn *done, void *context);

/* Nothing to keep: no policy and no clock. */
bool sla_record_is_empty(const struct sla_record *record);
