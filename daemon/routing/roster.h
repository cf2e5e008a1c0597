/* The business configuration that routing needs, read from the store's JSON:
 * queues, agents and rules of one workspace. Immutable once made. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "routing/roster_channel.h"
#include "routing/rules.h"

struct calendar;
struct roster;
struct sla_policies;
struct store_reply;

enum strategy {
	STRATEGY_LONGEST_IDLE,
	STRATEGY_LEAST_LOADED,
	STRATEGY_BEST_SKILL,
	STRATEGY_ROUND_ROBIN
};

/* Where work goes when a queue cannot cope: all that is set must hold. */
struct overflow_row {
	int64_t length;           /* waiting; 0: not asked */
	int64_t wait_ms;          /* of the item; 0: not asked */
	int64_t expected_wait_ms; /* 0: not asked */
	bool nobody;              /* none is online and routable */
	bool closed;              /* the queue's calendar is */
	const char *queue;
};

/* Who is asked when nobody takes an item. */
struct escalation_row {
	int64_t after_ms; /* since it came into the queue */
	const char *queue;
	const char *agent; /* either */
	int64_t accept_ms;
	const char *urgency; /* NULL: as it is */
	int64_t priority;    /* minutes to add */
};

/* Whose work comes in by which queue. */
struct department_row {
	const char *id;
	const char *queue;
	int64_t accept_ms;
	const char *fallback; /* a queue; NULL: back */
};

struct queue_row {
	const char *id;
	const char *name;
	enum strategy strategy;
	int64_t offer_timeout_ms;
	int64_t wrap_ms;      /* 0: resolve ends the item at once */
	const char *calendar; /* when it is open; NULL: always */
	int64_t close_ms;     /* a resolved item closes by itself after; 0: never */
	int64_t sticky_ms; /* how long work waits for its last agent, who is busy; 0: not at all */
	int64_t age_percent;      /* of the time waited that counts for the order */
	int64_t age_cap_ms;       /* and how much of it at most; 0: all */
	int64_t service_level_ms; /* accepted within it is in time */
	int64_t wrap_extension_ms;
	int64_t wrap_extensions; /* how often at most */
	int64_t parallel_offers;
	int64_t missed_max; /* 0: never */
	bool may_exceed_on_transfer;
	bool may_exceed_on_claim;
	const struct overflow_row *overflow; /* in order */
	size_t overflow_count;
	const struct escalation_row *escalation; /* level 1 first */
	size_t escalation_count;
	bool is_paused;
};

struct skill {
	const char *name;
	int level; /* 1-5 */
};

struct agent_row {
	const char *id;
	const char *name;
	const char *const *queues; /* NULL-terminated; empty: every queue */
	const struct skill *skills;
	size_t skill_count;
	int64_t capacity;
	const struct limit_row *limits;
	size_t limit_count;
	/* Under which phone systems know the agent; NULL-terminated. */
	const char *const *lines;
};

/* The kinds of the business configuration that a roster is made of, in this order (business.h). */
enum roster_kind {
	ROSTER_QUEUES,
	ROSTER_AGENTS,
	ROSTER_RULES,
	ROSTER_DEPARTMENTS,
	ROSTER_CALENDARS,
	ROSTER_SLA_POLICIES,
	ROSTER_CHANNEL_COSTS,
	ROSTER_KINDS
};
extern const char *const roster_kinds[ROSTER_KINDS];

/* kinds: the answer of roster_read, an HGETALL of cfg:<kind> for each of roster_kinds and the
 * version of the rules; an object that cannot be read is left out and named in err (the rest
 * stands). Never NULL: with no queue at all there is the built-in "default". calls: the channels
 * that carry calls, NULL-terminated; NULL: none. */
struct roster *roster_new(const struct store_reply *kinds, const char *const *calls,
			  struct error *err);
void roster_free(struct roster **roster);

const struct queue_row *roster_queues(const struct roster *roster, size_t *ret_count);
const struct queue_row *roster_queue(const struct roster *roster,
				     const char *id); /* NULL if unknown */
const struct department_row *roster_department(const struct roster *roster,
					       const char *id); /* NULL if unknown */
const struct agent_row *roster_agents(const struct roster *roster, size_t *ret_count);
const struct agent_row *roster_agent(const struct roster *roster, const char *id);
/* By an id or one of an agent's lines; NULL where the name is NULL or nobody's. */
const struct agent_row *roster_agent_of(const struct roster *roster, const char *name);
/* Channels of which something is said: costs, or an agent's limit. */
const struct channel_row *roster_channels(const struct roster *roster, size_t *ret_count);
/* Of any channel; never NULL. */
const struct channel_row *roster_channel(const struct roster *roster, const char *id);
/* Its place among roster_channels(); SIZE_MAX: nothing is said of it. */
size_t roster_channel_number(const struct roster *roster, const char *id);
bool agent_serves(const struct agent_row *agent, const char *queue);
/* NULL where the id is NULL or unknown, which reads as always open (business/calendar.h). */
const struct calendar *roster_calendar(const struct roster *roster, const char *id);
const struct sla_policies *roster_sla_policies(const struct roster *roster);
/* Another one where policies or calendars are others; 0 without any. */
uint64_t roster_sla_digest(const struct roster *roster);
struct rules *roster_rules(const struct roster *roster);
/* Where work goes that no rule sends anywhere: the first queue by id order given. */
const char *roster_fallback(const struct roster *roster);
