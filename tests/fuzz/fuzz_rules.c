/* Any bytes as a list of rules and a text: read or refused; what is read classifies, replays by its
 * bits to the same, and is linted. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "fuzz/fuzz.h"
#include "routing/rules.h"
#include "routing/rules_lint.h"

enum { RULES_MAX = 20 };

static void replay(const struct rules *rules, struct rule_facts *facts,
		   const struct classification *got)
{
	struct classification again;

	facts->text = NULL;
	rules_classify_by_bits(rules, facts, "f", got->bits, &again);
	MUST(text_equal(got->queue, again.queue) && text_equal(got->type, again.type));
	MUST(text_equal(got->topic, again.topic) && text_equal(got->urgency, again.urgency));
}

static void judge(struct json_object *const *list, size_t count, const char *text)
{
	struct rule_source source = { .rules = list, .rule_count = count };
	struct error err = { 0 };
	struct arena *arena = arena_new(0);
	struct rule_findings findings = { .arena = arena };
	struct rules *rules = rules_new(&source, &err);
	struct rule_facts facts = { .text = text, .channel = "shop" };
	struct classification got;

	MUST(rules != NULL || err.text[0] != '\0');
	if (rules != NULL) {
		rules_classify(rules, &facts, "f", arena, &got);
		MUST(got.queue != NULL && got.urgency != NULL);
		replay(rules, &facts, &got);
	}
	rules_lint(list, count, &findings);
	rules_unref(&rules);
	arena_free(&arena);
}

/* The rules, a NUL, the text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len = size == 0 ? 0 : strnlen((const char *)data, size);
	struct arena *arena = arena_new(0);
	struct json_object *read = json_read((const char *)data, len, NULL);
	struct json_object *list[RULES_MAX];
	size_t count = 0;
	const char *text =
		len < size ? text_clean(arena, (const char *)data + len + 1, size - len - 1, 4096)
			   : "";

	for (; count < RULES_MAX && count < json_count(read); count++)
		list[count] = json_item(read, count);
	judge(list, count, text);
	json_free(&read);
	arena_free(&arena);
	return 0;
}
