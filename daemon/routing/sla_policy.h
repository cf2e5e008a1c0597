/* SLA policies of a workspace, in order: the first that matches a work item is
 * its policy. Immutable once made; calendars are the roster's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct calendar;
struct json_object;
struct sla_policies;

enum sla_metric {
	SLA_FIRST_RESPONSE,
	SLA_NEXT_RESPONSE,
	SLA_RESOLUTION,
	SLA_OWNER_ACCEPT, /* somebody takes what was handed over */
	SLA_OWNER,        /* who took it acts */
	SLA_METRICS
};
extern const char *const sla_metric_names[SLA_METRICS]; /* "first_response" ... */

/* What to do when a clock is late. */
struct sla_action {
	int64_t priority;    /* minutes to add */
	const char *urgency; /* at least; NULL: as it is */
	const char *queue;   /* escalated to; NULL */
	const char *agent;   /* either; NULL */
	int64_t accept_ms;   /* of an escalation */
};

struct sla_policy {
	const char *id;
	const char *queue, *type, *topic, *urgency, *channel, *tier; /* NULL: any */
	int64_t target_ms[SLA_METRICS];                              /* 0: no clock */
	const struct calendar *calendar;                             /* NULL: always open */
	unsigned pauses;                                             /* bits of enum sla_waiting */
	int64_t warn_percent;                                        /* 0: never */
	struct sla_action on_warn, on_breach;
};

enum sla_waiting {
	SLA_CUSTOMER = 1,
	SLA_DEPARTMENT = 2,
	SLA_THIRD_PARTY = 4,
	SLA_UNTIL = 8,
};
unsigned sla_waiting_bit(const char *word); /* 0: none of them */

/* Of a work item, as the conditions see it; NULL reads as "". */
struct sla_subject {
	const char *queue, *type, *topic, *urgency, *channel, *tier;
};

struct sla_policies *sla_policies_new(void);
void sla_policies_free(struct sla_policies **policies);
/* Behind those added before; a disabled one is left out. */
void sla_policies_add(struct sla_policies *policies, const char *id, struct json_object *object,
		      const struct calendar *calendar);
size_t sla_policies_count(const struct sla_policies *policies);
const struct sla_policy *sla_policies_match(const struct sla_policies *policies,
					    const struct sla_subject *subject); /* NULL: none */
const struct sla_policy *sla_policies_find(const struct sla_policies *policies, const char *id);
