/* Route plans: whom a work item is for, and whom it may go to when that takes
 * too long. Pure.
 *
 *   plan = step *( "; " step )
 *   step = need *( " " option )
 *   need = "*" / expression          no need, or "refunds>=2&(zh>=3|en>=4)": & binds stronger than
 * | option = "agents=alice,bob"      only these, who must meet the need as well / "priority=10"
 * minutes added to the item's own from this step on / "for=30000"             ms until the next
 * step; the last step may be without: for ever
 *
 * "" is a plan of one step without a need. After a last step that ends any agent of the queue will
 * do. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

struct json_object;
struct plan;

enum {
	PLAN_STEPS_MAX = 10,
	PLAN_AGENTS_MAX = 50,
	PLAN_TEXT_MAX = 4000,
	NEED_NODES_MAX = 64,
	NEED_DEPTH_MAX = 16
};

enum need_kind { NEED_SKILL, NEED_ALL, NEED_ANY };
/* A tree: all or any of the children, or one skill at a level. */
struct need {
	enum need_kind kind;
	const char *skill;
	int level; /* 1-5 */
	const struct need *children;
	size_t count;
};

struct plan_step {
	const struct need *need;   /* NULL: none */
	const char *need_text;     /* "" none */
	const char *const *agents; /* NULL-terminated; empty: not asked */
	int64_t priority;          /* minutes, with those of the steps before */
	int64_t until_ms;          /* since it began to wait; INT64_MAX: for ever */
};

/* NULL with err, which names the column (in characters). */
struct plan *plan_parse(const char *text, struct error *err);
void plan_free(struct plan **plan);
size_t plan_count(const struct plan *plan);
const struct plan_step *plan_step(const struct plan *plan, size_t index);
/* Where an item stands that has waited so long: a step's index, or plan_count() after the last. */
size_t plan_at(const struct plan *plan, int64_t waited_ms);

/* Level of a skill that an agent has; 0: none. */
typedef int need_level_fn(const char *skill, const void *context);
bool need_is_met(const struct need *need, need_level_fn *level, const void *context);

/* The plan's text of a rule's canonical `then` (skills, need, steps), appended to out. */
void plan_from_json(struct json_object *then, struct buf *out);
