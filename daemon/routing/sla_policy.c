#include "routing/sla_policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

enum { ACCEPT_MS = 600 * 1000, WARN_PERCENT = 80 };

struct sla_policies {
	struct arena *arena;
	struct sla_policy *list;
	size_t count;
};

const char *const sla_metric_names[SLA_METRICS] = {
	"first_response", "next_response", "resolution", "owner_accept", "owner",
};

unsigned sla_waiting_bit(const char *word)
{
	static const struct {
		const char *word;
		unsigned bit;
	} words[] = {
		{ "customer", SLA_CUSTOMER },
		{ "department", SLA_DEPARTMENT },
		{ "third_party", SLA_THIRD_PARTY },
		{ "until", SLA_UNTIL },
	};

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (text_equal(words[i].word, word))
			return words[i].bit;
	}
	return 0;
}

struct sla_policies *sla_policies_new(void)
{
	struct sla_policies *policies = memory_new(sizeof(*policies));

	policies->arena = arena_new(0);
	return policies;
}

void sla_policies_free(struct sla_policies **policies)
{
	if (*policies == NULL)
		return;
	arena_free(&(*policies)->arena);
	free((*policies)->list);
	free(*policies);
	*policies = NULL;
}

static void action_read(struct sla_action *action, struct json_object *object, struct arena *arena)
{
	const char *escalate = json_text(object, "escalate");

	action->priority = json_int(object, "priority", 0);
	action->urgency = json_text_copy(object, "urgency", arena);
	action->accept_ms = json_int(object, "accept_ms", ACCEPT_MS);
	if (escalate != NULL && text_starts(escalate, "queue:"))
		action->queue = arena_text(arena, escalate + strlen("queue:"));
	else if (escalate != NULL && text_starts(escalate, "agent:"))
		action->agent = arena_text(arena, escalate + strlen("agent:"));
}

static void targets_read(struct sla_policy *policy, struct json_object *object)
{
	char name[64];

	for (size_t i = 0; i < SLA_METRICS; i++) {
		snprintf(name, sizeof(name), "%s_ms", sla_metric_names[i]);
		policy->target_ms[i] = json_int(object, name, 0);
	}
}

static void pauses_read(struct sla_policy *policy, struct json_object *list)
{
	if (json_kind(list) != JSON_ARRAY)
		policy->pauses = SLA_CUSTOMER;
	for (size_t i = 0; i < json_count(list); i++)
		policy->pauses |= sla_waiting_bit(json_string(json_item(list, i)));
}

void sla_policies_add(struct sla_policies *policies, const char *id, struct json_object *object,
		      const struct calendar *calendar)
{
	struct arena *arena = policies->arena;
	struct sla_policy policy = {
		.id = arena_text(arena, id),
		.queue = json_text_copy(object, "when.queue", arena),
		.type = json_text_copy(object, "when.type", arena),
		.topic = json_text_copy(object, "when.topic", arena),
		.urgency = json_text_copy(object, "when.urgency", arena),
		.channel = json_text_copy(object, "when.channel", arena),
		.tier = json_text_copy(object, "when.tier", arena),
		.calendar = calendar,
		.warn_percent = json_int(object, "warn", WARN_PERCENT),
	};

	if (!json_bool(object, "enabled", true))
		return;
	targets_read(&policy, object);
	pauses_read(&policy, json_at(object, "pause"));
	action_read(&policy.on_warn, json_at(object, "on_warn"), arena);
	action_read(&policy.on_breach, json_at(object, "on_breach"), arena);
	policies->list = memory_grow(policies->list, policies->count + 1, sizeof(*policies->list));
	policies->list[policies->count++] = policy;
}

size_t sla_policies_count(const struct sla_policies *policies)
{
	return policies->count;
}

static bool fits(const char *wanted, const char *value)
{
	return wanted == NULL || text_equal(wanted, value == NULL ? "" : value);
}

const struct sla_policy *sla_policies_match(const struct sla_policies *policies,
					    const struct sla_subject *subject)
{
	for (size_t i = 0; i < policies->count; i++) {
		const struct sla_policy *policy = &policies->list[i];

		if (fits(policy->queue, subject->queue) && fits(policy->type, subject->type) &&
		    fits(policy->topic, subject->topic) &&
		    fits(policy->urgency, subject->urgency) &&
		    fits(policy->channel, subject->channel) && fits(policy->tier, subject->tier))
			return policy;
	}
	return NULL;
}

const struct sla_policy *sla_policies_find(const struct sla_policies *policies, const char *id)
{
	for (size_t i = 0; i < policies->count; i++) {
		if (text_equal(policies->list[i].id, id))
			return &policies->list[i];
	}
	return NULL;
}
