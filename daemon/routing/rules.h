/* Classification rules: ordered, first match wins for each of queue, type,
 * topic and urgency. Compiled from the business configuration; matched over
 * the text before admit, so that the router needs no text. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

struct json_object;
struct message;
struct rules;

struct classification {
	const char *queue; /* of the rule that gave it; texts live as long as the rules */
	const char *type;
	const char *topic;
	const char *urgency;
	const char *skills; /* "refunds>=2&zh>=3"; "" none */
	int64_t priority;   /* minutes of head start */
	const char *rule;   /* name of the rule that gave the queue; "" none */
};

/* list: the rules in order, each a JSON object as in conf/business.yaml. A rule
 * that cannot be compiled is an error naming it. The caller owns the result. */
struct rules *rules_new(struct json_object *const *list, size_t count, struct error *err);
struct rules *rules_ref(struct rules *rules);
void rules_unref(struct rules **rules);

/* fallback_queue stands where no rule names one. */
void rules_classify(const struct rules *rules, const struct message *message, const char *channel,
		    const char *fallback_queue, struct classification *ret);
