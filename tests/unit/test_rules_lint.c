#include <criterion/criterion.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/memory.h"
#include "routing/rules_lint.h"

enum { RULES_MAX = 8 };

/* "name:code name:code" of a JSON list of rules. */
static const char *findings_of(const char *list, struct arena *arena)
{
	struct error err = { 0 };
	struct json_object *read = json_read(list, strlen(list), &err);
	struct json_object *rules[RULES_MAX];
	struct rule_findings findings = { .arena = arena };
	const char *text = "";

	cr_assert_not_null(read, "%s: %s", list, err.text);
	for (size_t i = 0; i < json_count(read); i++)
		rules[i] = json_item(read, i);
	rules_lint(rules, json_count(read), &findings);
	for (size_t i = 0; i < findings.count; i++) {
		cr_assert(*findings.list[i].en != '\0' && *findings.list[i].zh != '\0');
		text = arena_format(arena, "%s%s%s:%s", text, i == 0 ? "" : " ",
				    findings.list[i].rule, findings.list[i].code);
	}
	json_free(&read);
	return text;
}

#define WHEN(name, when, then) "{\"name\":\"" name "\",\"when\":" when ",\"then\":" then "}"
#define QUEUE "{\"queue\":\"q\"}"

static const struct {
	const char *rules;
	const char *findings;
} rows[] = {
	{ "[]", "" },
	{ "[" WHEN("a", "{\"text\":\"x\"}", QUEUE) "]", "" },
	{ "[" WHEN("a", "{}", "{\"priority\":5}") "]", "a:gives_nothing" },
	/* that can never match */
	{ "[" WHEN("a", "{\"language\":\"zh\",\"script\":\"Latin\"}", QUEUE) "]",
	  "a:never_matches" },
	{ "[" WHEN("a", "{\"language\":[\"zh\",\"en\"],\"script\":\"Latin\"}", QUEUE) "]", "" },
	{ "[" WHEN("a", "{\"channel\":[]}", QUEUE) "]", "a:never_matches" },
	{ "[" WHEN("a", "{\"any\":[]}", QUEUE) "]", "a:never_matches" },
	{ "[" WHEN("a", "{\"not\":{}}", QUEUE) "]", "a:never_matches" },
	{ "[" WHEN("a", "{\"tier\":\"gold\",\"not\":{\"tier\":[\"gold\",\"vip\"]}}", QUEUE) "]",
	  "a:never_matches" },
	{ "[" WHEN("a", "{\"tier\":\"gold\",\"not\":{\"tier\":\"vip\"}}", QUEUE) "]", "" },
	{ "[" WHEN("a", "{\"any\":[{\"channel\":[]},{\"not\":{}}]}", QUEUE) "]",
	  "a:never_matches" },
	{ "[" WHEN("a", "{\"any\":[{\"channel\":[]},{\"tier\":\"x\"}]}", QUEUE) "]", "" },
	{ "[" WHEN("a", "{\"all\":[{\"channel\":[]}]}", QUEUE) "]", "a:never_matches" },
	/* that come too late */
	{ "[" WHEN("a", "{}", QUEUE) "," WHEN("b", "{\"text\":\"x\"}", QUEUE) "]", "b:shadowed" },
	{ "[" WHEN("a", "{\"text\":\"x\"}", QUEUE) "," WHEN("b", "{}", QUEUE) "]", "" },
	{ "[" WHEN("a", "{\"text\":\"x\"}", QUEUE) "," WHEN("b", "{\"text\":\"x\"}", QUEUE) "]",
	  "b:shadowed" },
	{ "[" WHEN("a", "{\"channel\":[\"m\",\"n\"]}",
		   QUEUE) "," WHEN("b", "{\"channel\":\"m\",\"tier\":\"t\"}", QUEUE) "]",
	  "b:shadowed" },
	{ "[" WHEN("a", "{\"channel\":\"m\"}", QUEUE) "," WHEN("b", "{\"channel\":[\"m\",\"n\"]}",
							       QUEUE) "]",
	  "" },
	{ "[" WHEN("a", "{\"keywords\":[\"x\",\"yy\"]}",
		   QUEUE) "," WHEN("b", "{\"keywords\":[\"yy\"]}", QUEUE) "]",
	  "a:short_keyword b:shadowed" },
	{ "[" WHEN("a", "{\"attributes\":{\"c\":[\"1\",\"2\"]}}",
		   QUEUE) "," WHEN("b", "{\"attributes\":{\"c\":\"1\",\"d\":\"3\"}}", QUEUE) "]",
	  "b:shadowed" },
	{ "[" WHEN("a", "{}", QUEUE) "," WHEN("b", "{}", "{\"queue\":\"p\",\"type\":\"t\"}") "]",
	  "" },
	{ "[" WHEN("a", "{}", QUEUE) "," WHEN("b", "{}", "{\"type\":\"t\"}") "," WHEN(
		  "c", "{\"text\":\"x\"}", "{\"queue\":\"p\",\"type\":\"u\"}") "]",
	  "c:shadowed" },
	/* texts */
	{ "[" WHEN("a", "{\"text\":\"\\\\b退款\\\\b\"}", QUEUE) "]", "a:word_boundary" },
	{ "[" WHEN("a", "{\"text\":\"\\\\b(退款|refund)\\\\b\"}", QUEUE) "]", "a:word_boundary" },
	{ "[" WHEN("a", "{\"text\":\"退款|\\\\brefund\\\\b\"}", QUEUE) "]", "" },
	{ "[" WHEN("a", "{\"text\":\"(a+)+$\"}", QUEUE) "]", "a:slow_pattern" },
	{ "[" WHEN("a", "{\"text\":\"^(z|zz)+$\"}", QUEUE) "]", "a:slow_pattern" },
	{ "[" WHEN("a", "{\"any\":[{\"not\":{\"text\":\"([a-z]+)*[0-9]\"}}]}", QUEUE) "]",
	  "a:slow_pattern" },
	{ "[" WHEN("a", "{\"text\":\"order [0-9]+\"}", QUEUE) "]", "" },
	{ "[" WHEN("a", "{\"keywords\":\"a\"}", QUEUE) "]", "a:short_keyword" },
	{ "[" WHEN("a", "{\"keywords\":[\"ab\",\"退\",\"!\"]}", QUEUE) "]", "" },
};

Test(rules_lint, finds_what_the_table_says)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(0);

		cr_expect_str_eq(findings_of(rows[i].rules, arena), rows[i].findings, "%s: %s",
				 rows[i].rules, findings_of(rows[i].rules, arena));
		arena_free(&arena);
	}
}
