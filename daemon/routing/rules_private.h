/* How rules are kept (rules*.c only). */
#pragma once

#include "routing/keywords.h"
#include "routing/pattern.h"
#include "routing/rules.h"

struct calendar;

enum { NO_PREDICATE = -1 };

/* In the order in which the conditions of one `when` are asked: the cheap ones first. */
enum condition_kind {
	CONDITION_CHANNEL,
	CONDITION_ATTACHMENTS,
	CONDITION_HOURS,
	CONDITION_TIER,
	CONDITION_ATTRIBUTE,
	CONDITION_PREVIOUS,
	CONDITION_SCRIPT,
	CONDITION_LANGUAGE,
	CONDITION_KEYWORDS,
	CONDITION_TEXT,
	CONDITION_ALL,
	CONDITION_ANY,
	CONDITION_NOT,
};

struct previous_wanted {
	const char *const *types; /* lists end with NULL; NULL: any */
	const char *const *topics;
	const char *const *queues;
	const char *const *states;
	int64_t within_ms; /* 0: whenever */
	int64_t count;     /* at least */
};

struct condition {
	enum condition_kind kind;
	int predicate;            /* its place among the conditions on text, or NO_PREDICATE */
	const char *const *texts; /* what is accepted; ends with NULL */
	const char *name;         /* of an attribute */
	const char *json;         /* as it was written */
	struct pattern *pattern;
	size_t list;                     /* of keywords */
	bool wanted;                     /* attachments: any, or none; hours: open, or closed */
	const struct calendar *calendar; /* of the rules */
	const struct previous_wanted *previous;
	struct condition *children;
	size_t child_count;
};

struct rule {
	const char *name;
	struct condition when; /* CONDITION_ALL */
	const char *queue;
	const char *type;
	const char *topic;
	const char *urgency;
	const char *classifier;
	const char *skills;
	int64_t priority;
};

struct rule_calendar {
	const char *id;
	struct calendar *calendar;
};

struct rules {
	int refs;
	const struct rule_source *source; /* while they are made */
	struct rule_calendar *calendars;  /* those that are named */
	size_t calendar_count;
	struct arena *arena;
	struct rule *list;
	size_t count;
	int64_t version;
	struct keywords *keywords;
	size_t keyword_lists;
	int predicates;
	bool needs_customer;
	bool names_classifiers;
};

/* rules_read.c */
int rule_read(struct rules *rules, struct rule *rule, struct json_object *object,
	      struct error *err);
void rule_clear(struct rule *rule);
const char *condition_word(enum condition_kind kind); /* "text", "channel" ... */

/* rules_match.c: one message against the conditions. */
struct trial {
	const struct rules *rules;
	const struct rule_facts *facts;
	struct arena *arena;
	bool *hits; /* by keyword list; NULL: not looked yet */
	const char *language;
	const char *script;
	char *bits;              /* predicates places of '0', '1', '-' */
	bool is_given;           /* the bits are all that is known of the text */
	const char *stopped;     /* name of the rule */
	const struct rule *rule; /* under trial */
};
bool condition_holds(struct trial *trial, const struct condition *condition);
/* The first condition of a failing group that did not hold, down to a leaf where there is one. */
const struct condition *condition_failing(struct trial *trial, const struct condition *condition);
/* What the message has where the condition looks; "" where that is not for showing. */
const char *condition_found(struct trial *trial, const struct condition *condition);
