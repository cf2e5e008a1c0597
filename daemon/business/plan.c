#include "business/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

enum { LEVEL_MIN = 1, LEVEL_MAX = 5, STEP_MS = 60 * 1000 };

struct plan {
	struct arena *arena;
	struct plan_step *steps;
	size_t count;
};

/* ---- reading ---- */

struct reading {
	struct arena *arena;
	const char *start;
	const char *at;
	size_t nodes;
	int depth;
	struct error *err;
};

static int wrong(struct reading *reading, const char *what)
{
	return error_set(
		reading->err, ERROR_MISUSE, "column %zu: %s",
		text_characters(reading->start, (size_t)(reading->at - reading->start)) + 1, what);
}

static bool takes(struct reading *reading, char sign)
{
	if (*reading->at != sign)
		return false;
	reading->at++;
	return true;
}

static int number_read(struct reading *reading, int64_t max, int64_t *ret)
{
	size_t len = strspn(reading->at, "0123456789");
	uint64_t number;

	if (len == 0 || len > 15 || !text_uint(reading->at, len, &number) || (int64_t)number > max)
		return wrong(reading, "a number in range is expected");
	reading->at += len;
	*ret = (int64_t)number;
	return 0;
}

/* A skill's name is what the configuration lets it be: anything but the signs of this language. */
static int skill_read(struct reading *reading, struct need *ret)
{
	size_t len = strcspn(reading->at, "&|>=()<!*,; \t\n");
	int64_t level = LEVEL_MIN;

	if (len == 0)
		return wrong(reading, "a skill's name is expected, such as refunds>=2");
	*ret = (struct need){ .kind = NEED_SKILL,
			      .skill = arena_copy(reading->arena, reading->at, len) };
	reading->at += len;
	if (takes(reading, '>')) {
		if (!takes(reading, '='))
			return wrong(reading, "\">=\" is the only comparison");
		if (number_read(reading, LEVEL_MAX, &level) != 0)
			return -1;
		if (level < LEVEL_MIN)
			return wrong(reading, "a level is from 1 to 5");
	}
	ret->level = (int)level;
	return 0;
}

static void child_add(struct reading *reading, struct need *parent, const struct need *child)
{
	struct need *children =
		arena_alloc(reading->arena, (parent->count + 1) * sizeof(*children));

	if (parent->count > 0)
		memcpy(children, parent->children, parent->count * sizeof(*children));
	children[parent->count++] = *child;
	parent->children = children;
}

static int need_read(struct reading *reading, enum need_kind kind, struct need *ret)
{
	struct need group = { .kind = kind };
	struct need child;
	int status;

	do {
		if (++reading->nodes > NEED_NODES_MAX)
			return wrong(reading, "the expression has too many parts");
		if (kind == NEED_ANY) {
			status = need_read(reading, NEED_ALL, &child);
		} else if (takes(reading, '(')) {
			if (++reading->depth > NEED_DEPTH_MAX)
				return wrong(reading, "the expression is nested too deep");
			status = need_read(reading, NEED_ANY, &child);
			reading->depth--;
			if (status == 0 && !takes(reading, ')'))
				status = wrong(reading, "\")\" is missing");
		} else {
			status = skill_read(reading, &child);
		}
		if (status != 0)
			return -1;
		child_add(reading, &group, &child);
	} while (takes(reading, kind == NEED_ANY ? '|' : '&'));
	*ret = group.count == 1 ? group.children[0] : group;
	return 0;
}

static int agents_read(struct reading *reading, struct plan_step *step)
{
	const char **agents = arena_alloc(reading->arena, (PLAN_AGENTS_MAX + 1) * sizeof(*agents));
	size_t count = 0;

	do {
		size_t len = strcspn(reading->at, ",; ");

		if (len == 0 || count == PLAN_AGENTS_MAX)
			return wrong(reading, "one to 50 agents are expected");
		agents[count++] = arena_copy(reading->arena, reading->at, len);
		reading->at += len;
	} while (takes(reading, ','));
	step->agents = agents;
	return 0;
}

static bool takes_word(struct reading *reading, const char *word)
{
	if (!text_starts(reading->at, word))
		return false;
	reading->at += strlen(word);
	return true;
}

/* until_ms is the step's own length here; steps_sum() makes it the time since the start. */
static int option_read(struct reading *reading, struct plan_step *step)
{
	if (takes_word(reading, "agents="))
		return agents_read(reading, step);
	if (takes_word(reading, "priority="))
		return number_read(reading, 100000, &step->priority);
	if (takes_word(reading, "for="))
		return number_read(reading, INT64_C(31) * 86400 * 1000, &step->until_ms);
	return wrong(reading, "agents=, priority= or for= is expected");
}

static int step_read(struct reading *reading, struct plan_step *step)
{
	static const char *const nobody[] = { NULL };
	const char *start = reading->at;
	struct need *need = arena_alloc(reading->arena, sizeof(*need));

	*step = (struct plan_step){ .agents = nobody, .until_ms = -1 };
	if (!takes(reading, '*')) {
		reading->nodes = 0;
		if (need_read(reading, NEED_ANY, need) != 0)
			return -1;
		step->need = need;
	}
	step->need_text = step->need == NULL ? ""
					     : arena_copy(reading->arena, start,
							  (size_t)(reading->at - start));
	while (takes(reading, ' ')) {
		if (option_read(reading, step) != 0)
			return -1;
	}
	return 0;
}

static int steps_sum(struct reading *reading, struct plan *plan)
{
	int64_t until_ms = 0;
	int64_t priority = 0;

	for (size_t i = 0; i < plan->count; i++) {
		struct plan_step *step = &plan->steps[i];

		priority += step->priority;
		step->priority = priority;
		if (step->until_ms < 0 && i + 1 < plan->count)
			return wrong(reading, "every step but the last needs for=");
		until_ms += step->until_ms;
		step->until_ms = step->until_ms < 0 ? INT64_MAX : until_ms;
	}
	return 0;
}

static int steps_read(struct reading *reading, struct plan *plan)
{
	plan->steps = arena_alloc(plan->arena, PLAN_STEPS_MAX * sizeof(*plan->steps));
	do {
		if (plan->count == PLAN_STEPS_MAX)
			return wrong(reading, "a plan has at most 10 steps");
		if (plan->count > 0 && !takes(reading, ' '))
			return wrong(reading, "a space is expected after \";\"");
		if (step_read(reading, &plan->steps[plan->count]) != 0)
			return -1;
		plan->count++;
	} while (takes(reading, ';'));
	if (*reading->at != '\0')
		return wrong(reading, "this sign does not belong here");
	return steps_sum(reading, plan);
}

struct plan *plan_parse(const char *text, struct error *err)
{
	struct plan *plan = memory_new(sizeof(*plan));
	struct reading reading = { .err = err };

	plan->arena = arena_new(1024);
	reading.arena = plan->arena;
	reading.start = *text == '\0' ? "*" : text;
	reading.at = reading.start;
	if (strlen(text) > PLAN_TEXT_MAX)
		wrong(&reading, "a plan has at most 4000 bytes");
	else if (steps_read(&reading, plan) == 0)
		return plan;
	plan_free(&plan);
	return NULL;
}

void plan_free(struct plan **plan)
{
	if (*plan == NULL)
		return;
	arena_free(&(*plan)->arena);
	free(*plan);
	*plan = NULL;
}

size_t plan_count(const struct plan *plan)
{
	return plan->count;
}

const struct plan_step *plan_step(const struct plan *plan, size_t index)
{
	return index < plan->count ? &plan->steps[index] : NULL;
}

size_t plan_at(const struct plan *plan, int64_t waited_ms)
{
	size_t index = 0;

	while (index < plan->count && waited_ms >= plan->steps[index].until_ms)
		index++;
	return index;
}

/* Recursion is bounded by NEED_DEPTH_MAX. */
bool need_is_met(const struct need *need, need_level_fn *level, const void *context)
{
	bool any = need != NULL && need->kind == NEED_ANY;

	if (need == NULL)
		return true;
	if (need->kind == NEED_SKILL)
		return level(need->skill, context) >= need->level;
	for (size_t i = 0; i < need->count; i++)
		if (need_is_met(&need->children[i], level, context) == any)
			return any;
	return !any;
}

/* ---- writing ---- */

static void skill_write(const char *name, struct json_object *level, void *context)
{
	struct buf *out = context;

	if (out->len > 0)
		buf_byte(out, '&');
	buf_format(out, "%s>=%lld", name, (long long)json_int(level, "", 1));
}

/* skills, a map, and need, a text, of one object: both must hold. */
static void need_write(struct json_object *object, struct buf *out)
{
	const char *need = json_text(object, "need");

	if (json_kind(json_at(object, "skills")) == JSON_OBJECT)
		json_each_field(json_at(object, "skills"), skill_write, out);
	if (need == NULL)
		return;
	if (out->len > 0)
		buf_byte(out, '&');
	buf_format(out, strchr(need, '|') == NULL ? "%s" : "(%s)", need);
}

static void options_write(struct json_object *step, bool is_last, struct buf *out)
{
	struct json_object *agents = json_at(step, "agents");

	for (size_t i = 0; i < json_count(agents); i++)
		buf_format(out, "%s%s", i == 0 ? " agents=" : ",",
			   json_string(json_item(agents, i)));
	if (json_int(step, "priority", 0) > 0)
		buf_format(out, " priority=%lld", (long long)json_int(step, "priority", 0));
	if (!is_last || json_has(step, "for_ms"))
		buf_format(out, " for=%lld", (long long)json_int(step, "for_ms", STEP_MS));
}

void plan_from_json(struct json_object *then, struct buf *out)
{
	struct json_object *steps = json_at(then, "steps");
	struct buf base = { 0 };

	need_write(then, &base);
	if (json_count(steps) == 0)
		buf_add(out, base.data, base.len);
	for (size_t i = 0; i < json_count(steps); i++) {
		struct buf need = { 0 };

		buf_add(&need, base.data, base.len);
		need_write(json_item(steps, i), &need);
		buf_format(out, "%s%s", i == 0 ? "" : "; ",
			   need.len == 0 ? "*" : buf_string(&need));
		options_write(json_item(steps, i), i + 1 == json_count(steps), out);
		buf_clear(&need);
	}
	buf_clear(&base);
}
