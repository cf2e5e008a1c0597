#include <criterion/criterion.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/memory.h"
#include "converge/message.h"
#include "routing/rules.h"

enum { NOW_S = 1767322800, HOUR_S = 3600 };

static struct rules *rules_with(const char *when)
{
	struct buf text = { 0 };
	struct json_object *rule;
	struct rules *rules;
	struct error err = { 0 };

	buf_format(&text, "{\"name\":\"it\",\"when\":%s,\"then\":{\"queue\":\"hit\"}}", when);
	rule = json_read(text.data, text.len, &err);
	cr_assert_not_null(rule, "%s: %s", when, err.text);
	rules = rules_new(&(struct rule_source){ .rules = &rule, .rule_count = 1 }, &err);
	cr_assert_not_null(rules, "%s: %s", when, err.text);
	json_free(&rule);
	buf_clear(&text);
	return rules;
}

static bool holds(const char *when, const struct rule_facts *facts)
{
	struct rules *rules = rules_with(when);
	struct arena *arena = arena_new(0);
	struct classification got;
	bool is_hit;

	rules_classify(rules, facts, "miss", arena, &got);
	is_hit = strcmp(got.queue, "hit") == 0;
	arena_free(&arena);
	rules_unref(&rules);
	return is_hit;
}

Test(conditions, over_the_message)
{
	static struct attachment picture[] = { { .name = "a", .type = "image/png" } };
	static struct attachment file[] = { { .name = "a", .type = "application/pdf" } };
	static const struct {
		const char *when;
		const char *text;
		struct attachment *attachments;
		bool holds;
	} rows[] = {
		{ "{}", "x", NULL, true },
		{ "{\"channel\":\"site\"}", "x", NULL, true },
		{ "{\"channel\":\"mail\"}", "x", NULL, false },
		{ "{\"channel\":[\"mail\",\"site\"]}", "x", NULL, true },
		{ "{\"channel\":[]}", "x", NULL, false },
		{ "{\"text\":\"re+fund\"}", "a REEFUND", NULL, true },
		{ "{\"text\":\"^refund$\"}", "a refund", NULL, false },
		{ "{\"text\":\"sujet\"}", "", NULL, true },
		{ "{\"keywords\":[\"refund\",\"退款\"]}", "我要退款", NULL, true },
		{ "{\"keywords\":[\"refund\",\"退款\"]}", "refunds", NULL, false },
		{ "{\"keywords\":\"sujet\"}", "", NULL, true },
		{ "{\"language\":\"zh\"}", "请问订单", NULL, true },
		{ "{\"language\":\"zh-Hant\"}", "请问订单", NULL, false },
		{ "{\"language\":[\"fr\",\"EN\"]}", "where is my order", NULL, true },
		{ "{\"language\":\"e\"}", "where is my order", NULL, false },
		{ "{\"script\":\"Han\"}", "我要退款", NULL, true },
		{ "{\"script\":[\"Latin\"]}", "我要退款", NULL, false },
		{ "{\"attachments\":true}", "x", picture, true },
		{ "{\"attachments\":true}", "x", NULL, false },
		{ "{\"attachments\":false}", "x", NULL, true },
		{ "{\"attachments\":\"false\"}", "x", picture, false },
		{ "{\"attachments\":\"image\"}", "x", picture, true },
		{ "{\"attachments\":\"image\"}", "x", file, false },
		{ "{\"attachments\":\"image/jpeg\"}", "x", picture, false },
		{ "{\"attachments\":[\"video\",\"application/PDF\"]}", "x", file, true },
		{ "{\"attachments\":\"document\"}", "x", file, true },
		{ "{\"attachments\":\"document\"}", "x", picture, false },
		{ "{\"not\":{\"text\":\"b\"}}", "a", NULL, true },
		{ "{\"not\":{\"text\":\"a\",\"channel\":\"site\"}}", "a", NULL, false },
		{ "{\"not\":{\"text\":\"a\",\"channel\":\"mail\"}}", "a", NULL, true },
		{ "{\"any\":[{\"text\":\"b\"},{\"text\":\"a\"}]}", "a", NULL, true },
		{ "{\"any\":[{\"text\":\"b\"},{\"text\":\"c\"}]}", "a", NULL, false },
		{ "{\"all\":[{\"text\":\"a\"},{\"text\":\"b\"}]}", "ab", NULL, true },
		{ "{\"all\":[{\"text\":\"a\"},{\"text\":\"b\"}]}", "a", NULL, false },
		{ "{\"any\":[{\"all\":[{\"text\":\"a\"},{\"not\":{\"text\":\"z\"}}]}]}", "a", NULL,
		  true },
		{ "{\"text\":\"a\",\"any\":[{\"text\":\"b\"}]}", "a", NULL, false },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct message message = { .text = rows[i].text,
					   .subject = "the sujet",
					   .attachments = rows[i].attachments,
					   .attachment_count = rows[i].attachments != NULL };
		struct rule_facts facts = rule_facts_of(&message, "site");

		cr_expect_eq(holds(rows[i].when, &facts), rows[i].holds, "%s over \"%s\"",
			     rows[i].when, rows[i].text);
	}
}

Test(conditions, what_the_channel_says_of_the_language_stands)
{
	struct rule_facts facts = { .text = "where is my order", .language = "fr-CA" };

	cr_assert(holds("{\"language\":\"fr\"}", &facts));
	cr_assert_not(holds("{\"language\":\"en\"}", &facts));
}

Test(conditions, over_the_customer)
{
	static const struct rule_previous previous[] = {
		{ "resolved", "refund", "late", "money", (NOW_S - HOUR_S) * 1000LL },
		{ "closed", "refund", "", "support", (NOW_S - 48 * HOUR_S) * 1000LL },
		{ "assigned", "question", "", "support", (NOW_S - 2 * HOUR_S) * 1000LL },
	};
	static const struct {
		const char *when;
		bool holds;
	} rows[] = {
		{ "{\"tier\":\"gold\"}", true },
		{ "{\"tier\":[\"silver\",\"gold\"]}", true },
		{ "{\"tier\":\"silver\"}", false },
		{ "{\"attributes\":{\"country\":\"cn\"}}", true },
		{ "{\"attributes\":{\"country\":[\"hk\",\"cn\"],\"orders\":\"3\"}}", true },
		{ "{\"attributes\":{\"country\":\"cn\",\"orders\":\"4\"}}", false },
		{ "{\"attributes\":{\"vip\":\"true\"}}", true },
		{ "{\"attributes\":{\"a.b\":\"c\"}}", true },
		{ "{\"attributes\":{\"none\":\"x\"}}", false },
		{ "{\"previous\":{}}", true },
		{ "{\"previous\":{\"state\":\"resolved\",\"within_ms\":7200000}}", true },
		{ "{\"previous\":{\"state\":\"resolved\",\"within_ms\":600000}}", false },
		{ "{\"previous\":{\"state\":[\"resolved\",\"closed\"],\"type\":\"refund\","
		  "\"count\":2}}",
		  true },
		{ "{\"previous\":{\"type\":\"refund\",\"count\":3}}", false },
		{ "{\"previous\":{\"topic\":\"late\",\"queue\":\"money\"}}", true },
		{ "{\"previous\":{\"topic\":\"late\",\"queue\":\"support\"}}", false },
		{ "{\"previous\":{\"count\":4}}", false },
	};
	static const char attributes[] =
		"{\"country\":\"cn\",\"orders\":3,\"vip\":true,\"a.b\":\"c\"}";
	struct json_object *read = json_read(attributes, strlen(attributes), NULL);
	struct rule_customer customer = { "gold", read, previous, COUNT_OF(previous) };
	struct rule_facts facts = { .text = "x", .customer = &customer, .now_ms = NOW_S * 1000LL };
	struct rule_facts stranger = { .text = "x", .now_ms = NOW_S * 1000LL };

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct rules *rules = rules_with(rows[i].when);

		cr_expect(rules_need_customer(rules), "%s", rows[i].when);
		rules_unref(&rules);
		cr_expect_eq(holds(rows[i].when, &facts), rows[i].holds, "%s", rows[i].when);
		cr_expect_not(holds(rows[i].when, &stranger), "%s of a stranger", rows[i].when);
	}
	json_free(&read);
}

Test(conditions, the_customer_is_asked_for_only_where_a_rule_looks)
{
	struct rules *rules = rules_with("{\"any\":[{\"text\":\"a\"}],\"channel\":\"b\"}");

	cr_assert_not(rules_need_customer(rules));
	cr_assert_not(rules_need_customer(NULL));
	rules_unref(&rules);
	rules = rules_with("{\"any\":[{\"not\":{\"tier\":\"a\"}}]}");
	cr_assert(rules_need_customer(rules));
	rules_unref(&rules);
}

Test(conditions, a_group_of_too_many_is_refused_by_name)
{
	struct buf text = { 0 };
	struct json_object *rule;
	struct error err = { 0 };

	buf_text(&text, "{\"name\":\"big\",\"when\":{\"any\":[{}");
	for (int i = 0; i < 64; i++)
		buf_text(&text, ",{}");
	buf_text(&text, "]},\"then\":{}}");
	rule = json_read(text.data, text.len, &err);
	cr_assert_null(rules_new(&(struct rule_source){ .rules = &rule, .rule_count = 1 }, &err));
	cr_assert_not_null(strstr(err.text, "\"big\""), "%s", err.text);
	json_free(&rule);
	buf_clear(&text);
}

/* Patterns that go back over a text again and again. */
Test(conditions, a_pattern_that_takes_too_long_is_stopped_and_does_not_match)
{
	static const struct {
		const char *pattern;
		char filler;
	} rows[] = {
		{ "(a+)+$", 'a' },
		{ "(a|aa)+$", 'a' },
		{ "(a*)*[bc]", 'a' },
		{ "(.*)*[xz]$", 'y' },
		{ "(x+x+)+[yz]", 'x' },
		{ "^(([a-z])+.)+[A-Z]([a-z])+$", 'q' },
		{ "(a?){40}a{40}[bc]", 'a' },
	};
	char text[6000];

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buf when = { 0 };
		struct rules *rules;
		struct arena *arena = arena_new(0);
		struct rule_facts facts = { .text = text };
		struct classification got;

		memset(text, rows[i].filler, sizeof(text) - 2);
		strcpy(text + sizeof(text) - 2, "!");
		buf_format(&when, "{\"text\":\"%s\"}", rows[i].pattern);
		rules = rules_with(when.data);
		rules_classify(rules, &facts, "miss", arena, &got);
		cr_expect_str_eq(got.queue, "miss", "%s", rows[i].pattern);
		cr_expect_str_eq(got.stopped, "it", "%s", rows[i].pattern);
		rules_unref(&rules);
		arena_free(&arena);
		buf_clear(&when);
	}
}

Test(conditions, the_bits_of_the_text_replay_without_it)
{
	static const char *const texts[] = {
		"{\"name\":\"1\",\"when\":{\"text\":\"refund\"},\"then\":{\"type\":\"refund\"}}",
		"{\"name\":\"2\",\"when\":{\"channel\":\"site\",\"keywords\":\"bad\"},"
		"\"then\":{\"urgency\":\"high\"}}",
		"{\"name\":\"3\",\"when\":{\"language\":\"en\"},\"then\":{\"queue\":\"english\"}}",
		"{\"name\":\"4\",\"when\":{\"text\":\"x\"},\"then\":{\"topic\":\"x\"}}",
		"{\"name\":\"5\",\"then\":{\"queue\":\"rest\",\"type\":\"t\",\"topic\":\"t\","
		"\"urgency\":\"low\"}}",
		"{\"name\":\"6\",\"when\":{\"text\":\"never asked\"},\"then\":{\"queue\":\"n\"}}",
	};
	struct json_object *list[COUNT_OF(texts)];
	struct error err = { 0 };
	struct rules *rules;
	struct arena *arena = arena_new(0);
	struct rule_facts facts = { .text = "a refund for the order", .channel = "site" };
	struct classification got, again;

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		list[i] = json_read(texts[i], strlen(texts[i]), &err);
	rules = rules_new(&(struct rule_source){ .rules = list, .rule_count = COUNT_OF(texts) },
			  &err);
	rules_set_version(rules, 7);
	rules_classify(rules, &facts, "f", arena, &got);
	cr_assert_str_eq(got.bits, "1010");
	cr_assert_eq(got.version, 7);
	cr_assert_str_eq(got.type_rule, "1");
	cr_assert_str_eq(got.rule, "3");
	cr_assert_str_eq(got.topic_rule, "5");
	cr_assert_str_eq(got.urgency_rule, "5");
	facts.text = NULL;
	rules_classify_by_bits(rules, &facts, "f", got.bits, &again);
	cr_assert_str_eq(again.queue, "english");
	cr_assert_str_eq(again.type_rule, "1");
	cr_assert_str_eq(again.urgency, "low");
	rules_classify_by_bits(rules, &facts, "f", "0101-1 and what is no bit", &again);
	cr_assert_str_eq(again.queue, "rest");
	cr_assert_str_eq(again.urgency, "high");
	cr_assert_str_eq(again.topic, "x");
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		json_free(&list[i]);
	rules_unref(&rules);
	arena_free(&arena);
}

Test(conditions, a_trial_names_the_first_that_failed_in_each_rule)
{
	static const char *const texts[] = {
		"{\"name\":\"1\",\"when\":{\"text\":\"a\",\"channel\":\"mail\"},\"then\":{}}",
		"{\"name\":\"2\",\"when\":{\"text\":\"z\",\"channel\":\"site\"},\"then\":{}}",
		"{\"name\":\"3\",\"when\":{\"attributes\":{\"country\":\"cn\"}},\"then\":{}}",
		"{\"name\":\"4\",\"when\":{\"all\":[{\"language\":\"fr\"}]},\"then\":{}}",
		"{\"name\":\"5\",\"when\":{\"any\":[{\"text\":\"q\"}]},\"then\":{}}",
		"{\"name\":\"6\",\"then\":{\"queue\":\"q\",\"type\":\"t\"}}",
		"{\"name\":\"7\",\"then\":{\"queue\":\"q2\",\"topic\":\"p\"}}",
	};
	static const char *const failed[] = { "channel",  "text", "attributes.country",
					      "language", "any",  NULL,
					      NULL };
	struct json_object *list[COUNT_OF(texts)];
	struct rule_verdict verdicts[COUNT_OF(texts)];
	struct error err = { 0 };
	struct rules *rules;
	struct arena *arena = arena_new(0);
	struct rule_facts facts = { .text = "a word of the order", .channel = "site" };
	struct classification got;

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		list[i] = json_read(texts[i], strlen(texts[i]), &err);
	rules = rules_new(&(struct rule_source){ .rules = list, .rule_count = COUNT_OF(texts) },
			  &err);
	rules_try(rules, &facts, arena, verdicts, &got);
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		cr_expect_eq(verdicts[i].is_matching, failed[i] == NULL);
		if (failed[i] != NULL)
			cr_expect_str_eq(verdicts[i].failed, failed[i]);
		json_free(&list[i]);
	}
	cr_expect_str_eq(verdicts[0].wanted, "\"mail\"");
	cr_expect_str_eq(verdicts[0].found, "site");
	cr_expect(verdicts[5].gave_queue && verdicts[5].gave_type && !verdicts[5].gave_topic);
	cr_expect(!verdicts[6].gave_queue && verdicts[6].gave_topic);
	cr_expect_str_eq(got.rule, "6");
	rules_unref(&rules);
	arena_free(&arena);
}

Test(conditions, hours_are_those_of_a_calendar)
{
	static const char calendar_text[] =
		"{\"id\":\"office\",\"time_zone\":\"Asia/Shanghai\",\"hours\":[{\"days\":[\"mon\","
		"\"fri\"],\"from\":\"09:00\",\"to\":\"12:00\"}]}";
	static const char *const whens[] = {
		"{\"name\":\"1\",\"when\":{\"hours\":{\"calendar\":\"office\",\"open\":true}},"
		"\"then\":{\"queue\":\"open\"}}",
		"{\"name\":\"2\",\"when\":{\"hours\":{\"calendar\":\"office\",\"open\":false}},"
		"\"then\":{\"queue\":\"closed\"}}",
	};
	static const struct {
		int64_t at_s;
		const char *queue;
	} rows[] = {
		{ 1767315599, "closed" }, /* Friday 2026-01-02 08:59:59 in Shanghai */
		{ 1767315600, "open" },   /* 09:00 */
		{ 1767326399, "open" },   /* 11:59:59 */
		{ 1767326400, "closed" }, /* 12:00 */
		{ 1767402000, "closed" }, /* Saturday 09:00 */
	};
	struct error err = { 0 };
	struct json_object *calendar = json_read(calendar_text, strlen(calendar_text), &err);
	struct json_object *list[2];
	struct rule_source source = { list, 2, &calendar, 1 };
	struct rules *rules;

	for (size_t i = 0; i < 2; i++)
		list[i] = json_read(whens[i], strlen(whens[i]), &err);
	rules = rules_new(&source, &err);
	cr_assert_not_null(rules, "%s", err.text);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct rule_facts facts = { .text = "x", .now_ms = rows[i].at_s * 1000 };
		struct arena *arena = arena_new(0);
		struct classification got;

		rules_classify(rules, &facts, "f", arena, &got);
		cr_expect_str_eq(got.queue, rows[i].queue, "%lld", (long long)rows[i].at_s);
		arena_free(&arena);
	}
	rules_unref(&rules);
	source.calendar_count = 0;
	cr_assert_null(rules_new(&source, &err));
	cr_assert_str_eq(err.text, "rule \"1\": hours: there is no calendar \"office\"");
	json_free(&calendar);
	json_free(&list[0]);
	json_free(&list[1]);
}
