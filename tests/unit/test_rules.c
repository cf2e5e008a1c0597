#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/memory.h"
#include "converge/message.h"
#include "routing/rules.h"

enum { RULES_MAX = 8 };

/* A NULL ends the list. */
static struct rules *rules_of(const char *const *texts, struct error *err)
{
	struct json_object *list[RULES_MAX] = { 0 };
	size_t count = 0;
	struct rules *rules;

	*err = (struct error){ 0 };
	for (; texts[count] != NULL; count++) {
		list[count] = json_read(texts[count], strlen(texts[count]), err);
		cr_assert_not_null(list[count], "%s: %s", texts[count], err->text);
	}
	rules = rules_new(&(struct rule_source){ .rules = list, .rule_count = count }, err);
	while (count > 0)
		json_free(&list[--count]);
	return rules;
}

#define RULES(...) rules_of((const char *const[]){ __VA_ARGS__, NULL }, &err)

static void judge(const struct rules *rules, const struct message *message, const char *channel,
		  struct classification *got)
{
	struct rule_facts facts = rule_facts_of(message, channel);
	struct arena *arena = arena_new(0);

	rules_classify(rules, &facts, "fallback", arena, got);
	arena_free(&arena);
}

static struct classification classify(const struct rules *rules, const char *text)
{
	struct message message = { .text = text };
	struct classification got;

	judge(rules, &message, "site", &got);
	return got;
}

Test(rules, the_first_match_wins_for_each_output)
{
	struct error err;
	struct rules *rules = RULES(
		"{\"name\":\"refunds\",\"when\":{\"text\":\"refund\"},\"then\":{\"queue\":"
		"\"money\","
		"\"urgency\":\"high\",\"priority\":60,\"skills\":{\"refunds\":2,\"zh\":3}}}",
		"{\"name\":\"angry\",\"when\":{\"text\":\"!!\"},\"then\":{\"urgency\":\"urgent\","
		"\"topic\":\"anger\"}}",
		"{\"name\":\"rest\",\"then\":{\"queue\":\"support\",\"type\":\"question\","
		"\"topic\":\"other\",\"priority\":5}}");
	struct classification got = classify(rules, "a refund!!");

	cr_assert_str_eq(got.queue, "money");
	cr_assert_str_eq(got.rule, "refunds");
	cr_assert_eq(got.priority, 60);
	cr_assert_str_eq(got.skills, "refunds>=2&zh>=3");
	cr_assert_str_eq(got.urgency, "high");
	cr_assert_str_eq(got.topic, "anger");
	cr_assert_str_eq(got.type, "question");
	got = classify(rules, "hello!!");
	cr_assert_str_eq(got.queue, "support");
	cr_assert_str_eq(got.rule, "rest");
	cr_assert_eq(got.priority, 5);
	cr_assert_str_eq(got.skills, "");
	cr_assert_str_eq(got.urgency, "urgent");
	rules_unref(&rules);
}

Test(rules, without_a_match_the_fallback_stands)
{
	struct error err;
	struct rules *rules = RULES(
		"{\"name\":\"a\",\"when\":{\"channel\":\"mail\"},\"then\":{\"queue\":\"mail\"}}");
	struct message message = { .text = "x" };
	struct classification got = classify(rules, "x");

	cr_assert_str_eq(got.queue, "fallback");
	cr_assert_str_eq(got.rule, "");
	cr_assert_str_eq(got.type, "");
	cr_assert_str_eq(got.urgency, "normal");
	cr_assert_str_eq(got.skills, "");
	judge(rules, &message, "mail", &got);
	cr_assert_str_eq(got.queue, "mail");
	judge(NULL, &message, "mail", &got);
	cr_assert_str_eq(got.queue, "fallback");
	rules_unref(&rules);
}

Test(rules, patterns_know_chinese_and_letter_case)
{
	struct error err;
	struct rules *rules = RULES(
		"{\"name\":\"zh\",\"when\":{\"text\":\"退款|退[货貨]\"},\"then\":{\"queue\":\"zh\"}"
		"}",
		"{\"name\":\"any\",\"when\":{\"text\":\"^.$\"},\"then\":{\"queue\":\"one\"}}",
		"{\"name\":\"case\",\"when\":{\"text\":\"ÄRGER\"},\"then\":{\"queue\":\"de\"}}",
		"{\"name\":\"word\",\"when\":{\"text\":\"\\\\bvip\\\\b\"},\"then\":{\"queue\":"
		"\"vip\"}}");

	cr_assert_str_eq(classify(rules, "我要退款，谢谢").queue, "zh");
	cr_assert_str_eq(classify(rules, "可以退貨吗").queue, "zh");
	cr_assert_str_eq(classify(rules, "退").queue, "one", "one character, not three bytes");
	cr_assert_str_eq(classify(rules, "so ein ärger").queue, "de");
	cr_assert_str_eq(classify(rules, "a VIP here").queue, "vip");
	cr_assert_str_eq(classify(rules, "vips").queue, "fallback");
	rules_unref(&rules);
}

Test(rules, the_subject_counts_too)
{
	struct error err;
	struct rules *rules = RULES(
		"{\"name\":\"a\",\"when\":{\"text\":\"refund\"},\"then\":{\"queue\":\"money\"}}");
	struct message message = { .subject = "Refund" };
	struct classification got;

	judge(rules, &message, "site", &got);
	cr_assert_str_eq(got.queue, "money");
	message = (struct message){ 0 };
	judge(rules, &message, "site", &got);
	cr_assert_str_eq(got.queue, "fallback");
	rules_unref(&rules);
}

Test(rules, a_bad_pattern_is_an_error_that_names_the_rule)
{
	struct error err;

	cr_assert_null(RULES("{\"name\":\"fine\",\"then\":{\"queue\":\"a\"}}",
			     "{\"name\":\"broken\",\"when\":{\"text\":\"(a\"},\"then\":{}}"));
	cr_assert_eq(err.kind, ERROR_MISUSE);
	cr_assert_not_null(strstr(err.text, "rule \"broken\": pattern at character 2"), "%s",
			   err.text);
	cr_assert_null(RULES("{\"name\":\"c\",\"when\":{\"text\":\"a\\\\C\"},\"then\":{}}"),
		       "half a character cannot be matched");
}

Test(rules, a_costly_pattern_ends_without_a_match)
{
	struct error err;
	struct rules *rules = RULES(
		"{\"name\":\"slow\",\"when\":{\"text\":\"(a+)+$\"},\"then\":{\"queue\":\"slow\"}}",
		"{\"name\":\"next\",\"then\":{\"queue\":\"next\"}}");
	char text[101];

	memset(text, 'a', 100);
	text[99] = 'b';
	text[100] = '\0';
	cr_assert_str_eq(classify(rules, text).queue, "next");
	rules_unref(&rules);
}

Test(rules, only_the_start_of_a_long_text_is_looked_at)
{
	struct error err;
	struct rules *rules =
		RULES("{\"name\":\"a\",\"when\":{\"text\":\"needle\"},\"then\":{\"queue\":\"a\"}}");
	struct buf text = { 0 };

	/* Characters of three bytes: the cut falls into one. */
	while (text.len < 16 * 1024)
		buf_text(&text, "字");
	buf_text(&text, "needle");
	cr_assert_str_eq(classify(rules, buf_string(&text)).queue, "fallback");
	buf_clear(&text);
	rules_unref(&rules);
}

Test(rules, live_as_long_as_somebody_holds_them)
{
	struct error err;
	struct rules *rules = RULES("{\"name\":\"a\",\"then\":{\"queue\":\"a\"}}");
	struct rules *held = rules_ref(rules);

	rules_unref(&rules);
	cr_assert_null(rules);
	cr_assert_str_eq(classify(held, "x").queue, "a");
	rules_unref(&held);
	rules_unref(&held);
}
