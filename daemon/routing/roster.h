/* The business configuration that routing needs, read from the store's JSON:
 * queues, agents and rules of one workspace. Immutable once made. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "routing/rules.h"

struct roster;
struct store_reply;

enum strategy {
	STRATEGY_LONGEST_IDLE,
	STRATEGY_LEAST_LOADED,
	STRATEGY_BEST_SKILL,
	STRATEGY_ROUND_ROBIN
};

struct queue_row {
	const char *id;
	const char *name;
	enum strategy strategy;
	int64_t offer_timeout_ms;
	int64_t wrap_ms;  /* 0: resolve ends the item at once */
	int64_t close_ms; /* a resolved item closes by itself after; 0: never */
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
};

/* The three replies are HGETALL of cfg:queues, cfg:agents and cfg:rules; an
 * object that cannot be read is left out and named in err (the rest stands).
 * Never NULL: with no queue at all there is the built-in "default". */
struct roster *roster_new(const struct store_reply *queues, const struct store_reply *agents,
			  const struct store_reply *rules, struct error *err);
void roster_free(struct roster **roster);

const struct queue_row *roster_queues(const struct roster *roster, size_t *ret_count);
const struct queue_row *roster_queue(const struct roster *roster,
				     const char *id); /* NULL if unknown */
const struct agent_row *roster_agents(const struct roster *roster, size_t *ret_count);
const struct agent_row *roster_agent(const struct roster *roster, const char *id);
bool agent_serves(const struct agent_row *agent, const char *queue);
/* "refunds>=2&zh>=3" over the agent's skills; "" is met by all. */
bool agent_has_skills(const struct agent_row *agent, const char *expression);
struct rules *roster_rules(const struct roster *roster);
/* Where work goes that no rule sends anywhere: the first queue by id order given. */
const char *roster_fallback(const struct roster *roster);
