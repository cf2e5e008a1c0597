/* What is odd about rules that are each correct: those that can never match,
 * that come too late, or whose text conditions do not do what they seem to. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

struct json_object;

struct rule_finding {
	const char *rule; /* name */
	const char *code; /* never_matches, shadowed, gives_nothing, word_boundary, short_keyword,
			     slow_pattern */
	const char *en;   /* one sentence */
	const char *zh;
};

struct rule_findings {
	struct arena *arena; /* the caller's: all texts live in it */
	struct rule_finding *list;
	size_t count;
};

/* rules: canonical objects in order. At most 1000 findings. */
void rules_lint(struct json_object *const *rules, size_t count, struct rule_findings *ret);

/* ---- shared by rules_lint*.c ---- */
void lint_add(struct rule_findings *findings, struct json_object *rule, const char *code,
	      const char *en, const char *zh);
/* rules_lint_text.c: the conditions on text of one `when`, groups among them. */
void lint_texts(struct rule_findings *findings, struct json_object *rule, struct json_object *when);
/* rules_implied.c: whenever `when` holds, `other` holds too (false where that cannot be seen). */
bool when_implies(struct json_object *when, struct json_object *other);
