#include "routing/rules_lint.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

enum { FINDINGS_MAX = 1000 };

/* What a rule can give, as bits. */
static const char *const outputs[] = { "queue", "type", "topic", "urgency", "classifier" };

static const struct {
	const char *language;
	const char *scripts; /* each between spaces */
} written[] = {
	{ "zh", " Han " },      { "ja", " Kana Han " }, { "ko", " Hangul " },
	{ "ru", " Cyrillic " }, { "uk", " Cyrillic " }, { "ar", " Arabic " },
	{ "fa", " Arabic " },   { "th", " Thai " },     { "el", " Greek " },
	{ "he", " Hebrew " },   { "en", " Latin " },    { "es", " Latin " },
	{ "fr", " Latin " },    { "de", " Latin " },    { "pt", " Latin " },
	{ "it", " Latin " },    { "nl", " Latin " },
};

void lint_add(struct rule_findings *findings, struct json_object *rule, const char *code,
	      const char *en, const char *zh)
{
	if (findings->count == FINDINGS_MAX)
		return;
	findings->list[findings->count++] = (struct rule_finding){
		.rule = arena_text(findings->arena, json_text(rule, "name")),
		.code = code,
		.en = en,
		.zh = zh,
	};
}

static unsigned given(struct json_object *rule)
{
	struct json_object *then = json_at(rule, "then");
	unsigned bits = 0;

	for (size_t i = 0; i < COUNT_OF(outputs); i++)
		if (json_has(then, outputs[i]))
			bits |= 1u << i;
	return bits;
}

static size_t texts_count(struct json_object *value)
{
	if (value == NULL)
		return 0;
	return json_kind(value) == JSON_ARRAY ? json_count(value) : 1;
}

static const char *text_at(struct json_object *value, size_t index)
{
	return json_string(json_kind(value) == JSON_ARRAY ? json_item(value, index) : value);
}

/* Could a text of this language be in that writing? Of languages we do not know, in any. */
static bool may_be_written(const char *language, const char *script)
{
	char spaced[32];

	for (size_t i = 0; language != NULL && script != NULL && i < COUNT_OF(written); i++) {
		if (strncasecmp(language, written[i].language, 2) != 0)
			continue;
		snprintf(spaced, sizeof(spaced), " %s ", script);
		return strstr(written[i].scripts, spaced) != NULL;
	}
	return true;
}

static bool has_impossible_writing(struct json_object *when)
{
	struct json_object *languages = json_at(when, "language");
	struct json_object *scripts = json_at(when, "script");

	if (languages == NULL || scripts == NULL)
		return false;
	for (size_t i = 0; i < texts_count(languages); i++)
		for (size_t j = 0; j < texts_count(scripts); j++)
			if (may_be_written(text_at(languages, i), text_at(scripts, j)))
				return false;
	return true;
}

/* Lists of which one must hold: nothing of nothing does. */
static bool has_empty_list(struct json_object *when)
{
	static const char *const lists[] = { "channel", "tier",     "language",
					     "script",  "keywords", "any" };

	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		struct json_object *list = json_at(when, lists[i]);

		if (json_kind(list) == JSON_ARRAY && json_count(list) == 0)
			return true;
	}
	return false;
}

static bool never_holds(struct json_object *when);

static bool has_hopeless_group(struct json_object *when)
{
	struct json_object *any = json_at(when, "any");
	struct json_object *all = json_at(when, "all");
	size_t hopeless = 0;

	for (size_t i = 0; i < json_count(all); i++)
		if (never_holds(json_item(all, i)))
			return true;
	for (size_t i = 0; i < json_count(any); i++)
		hopeless += never_holds(json_item(any, i));
	return any != NULL && hopeless == json_count(any);
}

static bool never_holds(struct json_object *when)
{
	struct json_object *denied = json_at(when, "not");

	if (when == NULL)
		return false;
	return has_empty_list(when) || has_impossible_writing(when) || has_hopeless_group(when) ||
	       (denied != NULL && when_implies(when, denied));
}

static void lint_alone(struct rule_findings *findings, struct json_object *rule)
{
	if (given(rule) == 0)
		lint_add(findings, rule, "gives_nothing",
			 "It gives no queue, type, topic or urgency.",
			 "该规则没有给出队列、类型、主题或紧急程度。");
	if (never_holds(json_at(rule, "when")))
		lint_add(findings, rule, "never_matches",
			 "Its conditions exclude each other: it can never match.",
			 "条件互相排斥：该规则永远不会匹配。");
	lint_texts(findings, rule, json_at(rule, "when"));
}

/* Each output that a rule gives is taken already by earlier ones that match whenever it does. */
static void lint_order(struct rule_findings *findings, struct json_object *const *rules,
		       size_t index)
{
	struct json_object *rule = rules[index];
	unsigned left = given(rule);
	const char *by = "";

	for (size_t i = 0; i < index && left != 0; i++) {
		if ((left & given(rules[i])) == 0 ||
		    !when_implies(json_at(rule, "when"), json_at(rules[i], "when")))
			continue;
		left &= ~given(rules[i]);
		by = arena_format(findings->arena, "%s%s\"%s\"", by, *by == '\0' ? "" : ", ",
				  json_text(rules[i], "name"));
	}
	if (left != 0 || given(rule) == 0)
		return;
	lint_add(findings, rule, "shadowed",
		 arena_format(findings->arena,
			      "Whatever it matches, %s before it has matched and given the same.",
			      by),
		 arena_format(findings->arena,
			      "凡是它匹配的，排在前面的 %s 都已匹配并给出相同结果。", by));
}

void rules_lint(struct json_object *const *rules, size_t count, struct rule_findings *ret)
{
	ret->list = arena_alloc(ret->arena, FINDINGS_MAX * sizeof(*ret->list));
	ret->count = 0;
	for (size_t i = 0; i < count; i++) {
		lint_alone(ret, rules[i]);
		lint_order(ret, rules, i);
	}
}
