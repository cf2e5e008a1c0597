/* Classification rules: ordered, the first match wins for each of queue (with
 * priority and plan), type, topic and urgency. Compiled from the business
 * configuration; matched before admit, so that the router needs no text.
 * docs/routing.md says what each condition means. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

struct attachment;
struct json_object;
struct message;
struct rules;

/* An earlier work item of the customer. Texts may be "". */
struct rule_previous {
	const char *state;
	const char *type;
	const char *topic;
	const char *queue;
	int64_t since_ms; /* in that state, unix */
};

/* What is stored about who wrote. */
struct rule_customer {
	const char *tier;               /* NULL: none */
	struct json_object *attributes; /* NULL: none */
	const struct rule_previous *previous;
	size_t previous_count;
};

/* What rules look at. Texts may be NULL. */
struct rule_facts {
	const char *channel;
	const char *text;
	const char *subject;
	const char *language; /* told by the channel; NULL: guessed from the text */
	const struct attachment *attachments;
	size_t attachment_count;
	const struct rule_customer *customer; /* NULL: nobody we know */
	int64_t now_ms;                       /* unix; for hours and spans of time */
};

struct classification {
	const char *queue; /* of the rule that gave it; texts live as long as the rules */
	const char *type;
	const char *topic;
	const char *urgency;
	const char *skills; /* the plan's text; "" none */
	int64_t priority;   /* minutes of head start */
	const char *rule;   /* names of the rules that gave queue, type, topic, urgency; "" none */
	const char *type_rule;
	const char *topic_rule;
	const char *urgency_rule;
	const char *classifier; /* whom to ask what it is; "" whoever is for it */
	const char *classifier_rule;
	int64_t version;     /* of the rule set; 0: not known */
	const char *bits;    /* in the arena: what each text condition said, see rules_bits() */
	const char *stopped; /* name of a rule whose pattern took too long; NULL: none */
};

/* JSON objects as in conf/business.yaml. */
struct rule_source {
	struct json_object *const *rules; /* in order */
	size_t rule_count;
	struct json_object *const *calendars; /* that rules may name */
	size_t calendar_count;
};

/* A rule that cannot be compiled is an error naming it. The caller owns the result. */
struct rules *rules_new(const struct rule_source *source, struct error *err);
struct rules *rules_ref(struct rules *rules);
void rules_unref(struct rules **rules);
void rules_set_version(struct rules *rules, int64_t version);
int64_t rules_version(const struct rules *rules);
size_t rules_count(const struct rules *rules);
/* Does any rule ask for tier, attributes or previous work? */
bool rules_need_customer(const struct rules *rules);

struct rule_facts rule_facts_of(const struct message *message, const char *channel);
/* fallback_queue stands where no rule names one. rules may be NULL. */
void rules_classify(const struct rules *rules, const struct rule_facts *facts,
		    const char *fallback_queue, struct arena *arena, struct classification *ret);

/* As rules_classify(), but with the text conditions answered by the bits that an earlier
 * classification by the same version left: one character for each condition on text, keywords,
 * language or writing in the order of the rules, '1' it held, '0' it did not, '-' it was not
 * asked (which counts as not); what is missing at the end is '-'. */
void rules_classify_by_bits(const struct rules *rules, const struct rule_facts *facts,
			    const char *fallback_queue, const char *bits,
			    struct classification *ret);

/* What became of one rule, in order, for people who try rules. */
struct rule_verdict {
	const char *name;
	bool is_matching;
	const char *failed; /* the first condition that did not hold: "text", "channel" ... */
	const char *wanted; /* what it asked for, JSON; in the arena */
	const char *found;  /* what was there, for people; in the arena; "" nothing to show */
	bool gave_queue;
	bool gave_type;
	bool gave_topic;
	bool gave_urgency;
};
/* Judges every rule, and classifies; the queue is NULL where no rule gives one. verdicts has
 * rules_count() places. */
void rules_try(const struct rules *rules, const struct rule_facts *facts, struct arena *arena,
	       struct rule_verdict *verdicts, struct classification *ret);
