#include "routing/rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "business/calendar.h"
#include "converge/message.h"
#include "routing/rules_private.h"

struct rules *rules_new(const struct rule_source *source, struct error *err)
{
	struct rules *rules = memory_new(sizeof(*rules));

	rules->refs = 1;
	rules->arena = arena_new(0);
	rules->keywords = keywords_new();
	rules->source = source;
	rules->list = arena_alloc(rules->arena, (source->rule_count + 1) * sizeof(*rules->list));
	rules->calendars =
		arena_alloc(rules->arena, (source->calendar_count + 1) * sizeof(*rules->calendars));
	for (size_t i = 0; i < source->rule_count; i++) {
		rules->count++;
		if (rule_read(rules, &rules->list[i], source->rules[i], err) != 0) {
			rules_unref(&rules);
			return NULL;
		}
	}
	rules->source = NULL;
	keywords_build(rules->keywords);
	return rules;
}

struct rules *rules_ref(struct rules *rules)
{
	rules->refs++;
	return rules;
}

void rules_unref(struct rules **rules)
{
	struct rules *held = *rules;

	*rules = NULL;
	if (held == NULL || --held->refs > 0)
		return;
	for (size_t i = 0; i < held->count; i++)
		rule_clear(&held->list[i]);
	for (size_t i = 0; i < held->calendar_count; i++)
		calendar_free(&held->calendars[i].calendar);
	keywords_free(&held->keywords);
	arena_free(&held->arena);
	free(held);
}

void rules_set_version(struct rules *rules, int64_t version)
{
	rules->version = version;
}

int64_t rules_version(const struct rules *rules)
{
	return rules == NULL ? 0 : rules->version;
}

size_t rules_count(const struct rules *rules)
{
	return rules == NULL ? 0 : rules->count;
}

bool rules_need_customer(const struct rules *rules)
{
	return rules != NULL && rules->needs_customer;
}

struct rule_facts rule_facts_of(const struct message *message, const char *channel)
{
	return (struct rule_facts){
		.channel = channel,
		.text = message->text,
		.subject = message->subject,
		.language = message->language,
		.attachments = message->attachments,
		.attachment_count = message->attachment_count,
	};
}

/* The first rule that gives an output keeps it. */
static bool give(const char *offered, const char **held, const char **by, const char *name)
{
	if (offered == NULL || *held != NULL)
		return false;
	*held = offered;
	*by = name;
	return true;
}

static void rule_give(const struct rule *rule, struct classification *found,
		      struct rule_verdict *verdict)
{
	verdict->gave_queue = give(rule->queue, &found->queue, &found->rule, rule->name);
	if (verdict->gave_queue) {
		found->priority = rule->priority;
		found->skills = rule->skills;
	}
	verdict->gave_type = give(rule->type, &found->type, &found->type_rule, rule->name);
	verdict->gave_topic = give(rule->topic, &found->topic, &found->topic_rule, rule->name);
	verdict->gave_urgency =
		give(rule->urgency, &found->urgency, &found->urgency_rule, rule->name);
	give(rule->classifier, &found->classifier, &found->classifier_rule, rule->name);
}

static bool is_complete(const struct rules *rules, const struct classification *found)
{
	return (found->classifier != NULL || !rules->names_classifiers) && found->queue != NULL &&
	       found->type != NULL && found->topic != NULL && found->urgency != NULL;
}

static void or_text(const char **held, const char *fallback)
{
	if (*held == NULL)
		*held = fallback;
}

static void finish(struct classification *found, const char *fallback_queue)
{
	or_text(&found->queue, fallback_queue);
	or_text(&found->type, "");
	or_text(&found->topic, "");
	or_text(&found->urgency, "normal");
	or_text(&found->classifier, "");
}

static struct classification nothing(void)
{
	return (struct classification){
		.skills = "",
		.rule = "",
		.type_rule = "",
		.topic_rule = "",
		.urgency_rule = "",
		.classifier_rule = "",
		.bits = "",
	};
}

static void trial_start(struct trial *trial, const struct rules *rules,
			const struct rule_facts *facts, struct arena *arena)
{
	size_t predicates = (size_t)rules->predicates;

	*trial = (struct trial){ .rules = rules, .facts = facts, .arena = arena };
	trial->bits = arena_alloc(arena, predicates + 1);
	memset(trial->bits, '-', predicates);
}

static void trial_run(struct trial *trial, struct classification *found)
{
	const struct rules *rules = trial->rules;

	for (size_t i = 0; i < rules->count && !is_complete(rules, found); i++) {
		struct rule_verdict verdict;

		trial->rule = &rules->list[i];
		if (condition_holds(trial, &rules->list[i].when))
			rule_give(&rules->list[i], found, &verdict);
	}
}

static void trial_end(struct trial *trial, struct classification *found)
{
	size_t len = (size_t)trial->rules->predicates;

	while (len > 0 && trial->bits[len - 1] == '-')
		len--;
	trial->bits[len] = '\0';
	found->bits = trial->bits;
	found->stopped = trial->stopped;
	found->version = trial->rules->version;
}

void rules_classify(const struct rules *rules, const struct rule_facts *facts,
		    const char *fallback_queue, struct arena *arena, struct classification *ret)
{
	struct classification found = nothing();
	struct trial trial;

	if (rules != NULL) {
		trial_start(&trial, rules, facts, arena);
		trial_run(&trial, &found);
		trial_end(&trial, &found);
	}
	finish(&found, fallback_queue);
	*ret = found;
}

void rules_classify_by_bits(const struct rules *rules, const struct rule_facts *facts,
			    const char *fallback_queue, const char *bits,
			    struct classification *ret)
{
	struct arena *arena = arena_new(0);
	struct classification found = nothing();
	struct trial trial;
	size_t len = strlen(bits);

	trial_start(&trial, rules, facts, arena);
	trial.is_given = true;
	if (len > (size_t)rules->predicates)
		len = (size_t)rules->predicates;
	memcpy(trial.bits, bits, len);
	trial_run(&trial, &found);
	found.version = rules->version;
	finish(&found, fallback_queue);
	*ret = found;
	arena_free(&arena);
}

static void verdict_explain(struct trial *trial, const struct rule *rule,
			    struct rule_verdict *verdict)
{
	const struct condition *failing = condition_failing(trial, &rule->when);

	verdict->failed = failing->name != NULL
				  ? arena_format(trial->arena, "attributes.%s", failing->name)
				  : condition_word(failing->kind);
	verdict->wanted = failing->json;
	verdict->found = condition_found(trial, failing);
}

void rules_try(const struct rules *rules, const struct rule_facts *facts, struct arena *arena,
	       struct rule_verdict *verdicts, struct classification *ret)
{
	struct classification found = nothing();
	struct trial trial;

	if (rules != NULL)
		trial_start(&trial, rules, facts, arena);
	for (size_t i = 0; i < rules_count(rules); i++) {
		const struct rule *rule = &rules->list[i];
		struct rule_verdict *verdict = &verdicts[i];

		trial.rule = rule;
		*verdict = (struct rule_verdict){ .name = rule->name };
		verdict->is_matching = condition_holds(&trial, &rule->when);
		if (verdict->is_matching)
			rule_give(rule, &found, verdict);
		else
			verdict_explain(&trial, rule, verdict);
	}
	if (rules != NULL)
		trial_end(&trial, &found);
	finish(&found, NULL);
	*ret = found;
}
