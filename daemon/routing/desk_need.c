#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "routing/desk_private.h"

/* ---- who has which skills ---- */

static void skill_note(struct desk *desk, const struct skill *skill, size_t agent)
{
	struct skill_row *row = map_get(desk->skills, skill->name);

	if (row == NULL) {
		row = memory_new(sizeof(*row));
		map_put(desk->skills, skill->name, row);
	}
	for (int level = 1; level <= LEVELS && level <= skill->level; level++)
		bits_set(&row->at_least[level - 1], agent);
}

void skills_free(struct desk *desk)
{
	struct skill_row *row;
	size_t at = 0;

	while ((row = map_next(desk->skills, &at, NULL)) != NULL) {
		for (int level = 0; level < LEVELS; level++)
			bits_free(&row->at_least[level]);
		free(row);
	}
	map_free(&desk->skills);
}

/* ---- needs ---- */

/* Who meets it, by number; the caller frees. */
static struct bits need_bits(const struct desk *desk, const struct need *need)
{
	struct bits bits = { 0 };

	if (need->kind == NEED_SKILL) {
		const struct skill_row *row = map_get(desk->skills, need->skill);

		if (row != NULL)
			bits_join(&bits, &row->at_least[need->level - 1], false);
		return bits;
	}
	for (size_t i = 0; i < need->count; i++) {
		struct bits child = need_bits(desk, &need->children[i]);

		bits_join(&bits, &child, i > 0 && need->kind == NEED_ALL);
		bits_free(&child);
	}
	return bits;
}

static bool is_named(const struct plan_step *step, const char *agent)
{
	for (size_t i = 0; step->agents[i] != NULL; i++)
		if (strcmp(step->agents[i], agent) == 0)
			return true;
	return step->agents[0] == NULL;
}

/* A tool's token has no skills: it takes everything. */
static void need_learn(struct desk *desk, struct need_row *need)
{
	const struct plan_step *step = need->step;
	bool is_asked = step != NULL && step->need != NULL;
	struct bits bits = { 0 };

	if (is_asked)
		bits = need_bits(desk, step->need);
	for (size_t i = 0; i < desk->agent_count; i++) {
		struct desk_agent *agent = desk->agent_list[i];

		bits_put(&agent->meets, need->number,
			 agent->row == NULL || ((!is_asked || bits_has(&bits, i)) &&
						(step == NULL || is_named(step, agent->id))));
	}
	bits_free(&bits);
}

void needs_know_agent(struct desk *desk, struct desk_agent *agent)
{
	for (size_t i = 0; i < desk->need_count; i++)
		bits_set(&agent->meets, i);
}

void skills_learn(struct desk *desk)
{
	skills_free(desk);
	desk->skills = map_new();
	for (size_t i = 0; i < desk->agent_count; i++) {
		const struct agent_row *row = desk->agent_list[i]->row;

		for (size_t j = 0; row != NULL && j < row->skill_count; j++)
			skill_note(desk, &row->skills[j], i);
	}
	for (size_t i = 0; i < desk->need_count; i++)
		need_learn(desk, desk->need_list[i]);
}

static struct need_row *need_make(struct desk *desk, const struct plan_step *step)
{
	struct buf key = { 0 };
	struct need_row *need;

	if (step != NULL)
		buf_text(&key, step->need_text);
	for (size_t i = 0; step != NULL && step->agents[i] != NULL; i++)
		buf_format(&key, " %s", step->agents[i]);
	need = map_get(desk->needs, buf_string(&key));
	if (need == NULL) {
		need = memory_new(sizeof(*need));
		need->step = step;
		need->number = desk->need_count;
		desk->need_list = memory_grow(desk->need_list, desk->need_count + 1,
					      sizeof(struct need_row *));
		desk->need_list[desk->need_count++] = need;
		map_put(desk->needs, buf_string(&key), need);
		need_learn(desk, need);
		rolls_know_need(desk, need);
	}
	buf_clear(&key);
	return need;
}

/* ---- plans ---- */

/* A plan that cannot be read asks for nothing: the work is served rather than left. */
struct plan_row *plan_of(struct desk *desk, const char *text)
{
	struct plan_row *row = map_get(desk->plans, text);
	struct error err;
	size_t count;

	if (row != NULL)
		return row;
	row = memory_new(sizeof(*row));
	row->plan = plan_parse(text, &err);
	if (row->plan == NULL)
		row->plan = plan_parse("", &err);
	count = plan_count(row->plan);
	row->needs = memory_new((count + 1) * sizeof(struct need_row *));
	for (size_t i = 0; i <= count; i++)
		row->needs[i] = need_make(desk, plan_step(row->plan, i));
	map_put(desk->plans, text, row);
	return row;
}

void plans_free(struct desk *desk)
{
	struct plan_row *row;
	size_t at = 0;

	while ((row = map_next(desk->plans, &at, NULL)) != NULL) {
		plan_free(&row->plan);
		free(row->needs);
		free(row);
	}
	for (size_t i = 0; i < desk->need_count; i++) {
		bits_free(&desk->need_list[i]->slots[ROLL_WISH]);
		bits_free(&desk->need_list[i]->slots[ROLL_FREE]);
		free(desk->need_list[i]->heap);
		free(desk->need_list[i]);
	}
	for (size_t i = 0; i < desk->agent_count; i++)
		bits_clear(&desk->agent_list[i]->meets);
	free(desk->need_list);
	desk->need_list = NULL;
	desk->need_count = 0;
	map_free(&desk->plans);
	map_free(&desk->needs);
}
