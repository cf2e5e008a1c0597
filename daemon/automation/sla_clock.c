#include "automation/sla_clock.h"

#include <stdio.h>
#include <string.h>

#include "automation/sla_internal.h"
#include "base/memory.h"
#include "base/text.h"
#include "business/calendar.h"

/* One fact being taken in. */
struct step {
	struct sla_record *record;
	const struct sla_fact *fact;
	const struct sla_policy *policy; /* NULL: none */
	struct sla_changes *changes;
};

void sla_copy(char *to, size_t room, const char *text)
{
	snprintf(to, room, "%s", text == NULL ? "" : text);
}

static bool is_one_of(const char *state, const char *const *states)
{
	for (; *states != NULL; states++) {
		if (text_equal(*states, state))
			return true;
	}
	return false;
}

static bool is_live(const char *state)
{
	static const char *const states[] = { "queued", "offered", "assigned", "waiting", NULL };

	return is_one_of(state, states);
}

static bool is_waiting_for_agent(const char *state)
{
	return text_equal(state, "queued") || text_equal(state, "offered");
}

static bool is_done(const char *state)
{
	static const char *const states[] = { "wrapping", "resolved", "closed", NULL };

	return is_one_of(state, states);
}

static bool is_running(const struct sla_clock *clock)
{
	return clock->state == SLA_ACTIVE || clock->state == SLA_PAUSED;
}

const char *sla_shown_state(const struct sla_clock *clock)
{
	if (clock->state == SLA_IDLE || clock->state == SLA_CANCELLED)
		return NULL;
	if (clock->breached_ms != 0)
		return "breached";
	if (clock->state == SLA_FULFILLED)
		return "fulfilled";
	if (clock->state == SLA_PAUSED)
		return "paused";
	return clock->warned_ms != 0 ? "warned" : "active";
}

/* ---- one clock ---- */

static const char *state_after(const char *event, const struct sla_clock *clock)
{
	static const struct {
		const char *event, *state;
	} states[] = {
		{ "activate", "active" },  { "pause", "paused" },    { "warn", "warned" },
		{ "fulfil", "fulfilled" }, { "breach", "breached" }, { "cancel", "cancelled" },
	};

	for (size_t i = 0; i < COUNT_OF(states); i++) {
		if (strcmp(states[i].event, event) == 0)
			return states[i].state;
	}
	return sla_shown_state(clock);
}

static void note(const struct step *step, enum sla_metric metric, const char *event,
		 const char *from, int64_t at_ms)
{
	const struct sla_clock *clock = &step->record->clocks[metric];
	struct sla_change *change;

	if (step->changes->count == SLA_CHANGES_MAX)
		return;
	change = &step->changes->list[step->changes->count++];
	*change = (struct sla_change){
		.metric = metric,
		.event = event,
		.from = from,
		.to = state_after(event, clock),
		.number = clock->number,
		.at_ms = at_ms,
		.due_ms = clock->due_ms,
	};
	sla_copy(change->policy, sizeof(change->policy), clock->policy);
	if (text_equal(event, "pause"))
		change->waiting = step->record->waiting;
}

/* What is left from where it counts; the deadlines follow from the policy as it is now. */
static void set_dues(const struct step *step, enum sla_metric metric)
{
	struct sla_clock *clock = &step->record->clocks[metric];
	const struct sla_policy *policy = step->policy;
	int64_t target_ms = policy->target_ms[metric];
	int64_t left_ms = target_ms - clock->used_ms;
	int64_t warn_ms = target_ms / 100 * policy->warn_percent - clock->used_ms;

	clock->due_ms = calendar_add(policy->calendar, clock->since_ms, left_ms > 0 ? left_ms : 0);
	clock->warn_due_ms = 0;
	if (policy->warn_percent > 0)
		clock->warn_due_ms =
			calendar_add(policy->calendar, clock->since_ms, warn_ms > 0 ? warn_ms : 0);
}

static void count_used(const struct step *step, struct sla_clock *clock, int64_t until_ms)
{
	if (clock->state != SLA_ACTIVE || until_ms <= clock->since_ms)
		return;
	clock->used_ms += calendar_between(step->policy == NULL ? NULL : step->policy->calendar,
					   clock->since_ms, until_ms);
	clock->since_ms = until_ms;
}

static void clock_activate(const struct step *step, enum sla_metric metric, int64_t used_ms)
{
	struct sla_clock *clock = &step->record->clocks[metric];
	int64_t now_ms = step->fact->time_ms;

	if (step->policy->target_ms[metric] == 0)
		return;
	*clock = (struct sla_clock){
		.state = SLA_ACTIVE,
		.number = clock->number + 1,
		.started_ms = now_ms,
		.used_ms = used_ms,
		.since_ms = now_ms,
	};
	sla_copy(clock->policy, sizeof(clock->policy), step->policy->id);
	set_dues(step, metric);
	note(step, metric, "activate", "", now_ms);
}

static void clock_pause(const struct step *step, enum sla_metric metric)
{
	struct sla_clock *clock = &step->record->clocks[metric];
	const char *from = sla_shown_state(clock);

	count_used(step, clock, step->fact->time_ms);
	clock->state = SLA_PAUSED;
	clock->due_ms = 0;
	clock->warn_due_ms = 0;
	note(step, metric, "pause", from, step->fact->time_ms);
}

static void clock_resume(const struct step *step, enum sla_metric metric)
{
	struct sla_clock *clock = &step->record->clocks[metric];
	const char *from = sla_shown_state(clock);

	clock->state = SLA_ACTIVE;
	clock->ended_ms = 0;
	clock->since_ms = step->fact->time_ms;
	sla_copy(clock->policy, sizeof(clock->policy), step->policy->id);
	set_dues(step, metric);
	note(step, metric, "resume", from, step->fact->time_ms);
}

static void clock_end(const struct step *step, enum sla_metric metric, bool fulfilled)
{
	struct sla_clock *clock = &step->record->clocks[metric];
	const char *from = sla_shown_state(clock);

	if (!is_running(clock))
		return;
	count_used(step, clock, step->fact->time_ms);
	clock->state = fulfilled ? SLA_FULFILLED : SLA_CANCELLED;
	clock->ended_ms = step->fact->time_ms;
	clock->warn_due_ms = 0;
	note(step, metric, fulfilled ? "fulfil" : "cancel", from, step->fact->time_ms);
}

/* ---- being late ---- */

static int urgency_rank(const char *urgency)
{
	static const char *const ranks[] = { "low", "normal", "high", "urgent" };

	for (size_t i = 0; i < COUNT_OF(ranks); i++) {
		if (text_equal(ranks[i], urgency))
			return (int)i;
	}
	return 1;
}

static const char *urgency_now(const struct step *step)
{
	if (step->changes->has_urgency)
		return step->changes->urgency;
	return step->fact->subject.urgency == NULL ? "" : step->fact->subject.urgency;
}

static void urgency_set(const struct step *step, const char *urgency)
{
	sla_copy(step->changes->urgency, sizeof(step->changes->urgency), urgency);
	step->changes->has_urgency = true;
}

static void act(const struct step *step, const struct sla_action *action, int64_t at_ms)
{
	struct sla_record *record = step->record;

	step->changes->priority += action->priority;
	record->priority += action->priority;
	if (action->urgency != NULL &&
	    urgency_rank(action->urgency) > urgency_rank(urgency_now(step))) {
		if (record->raised[0] == '\0')
			sla_copy(record->urgency, sizeof(record->urgency), urgency_now(step));
		sla_copy(record->raised, sizeof(record->raised), action->urgency);
		urgency_set(step, action->urgency);
	}
	if (action->queue == NULL && action->agent == NULL)
		return;
	snprintf(record->escalate, sizeof(record->escalate), "%s:%s",
		 action->queue != NULL ? "queue" : "agent",
		 action->queue != NULL ? action->queue : action->agent);
	record->escalate_accept_ms = action->accept_ms;
	record->escalate_ms = at_ms;
}

static void unact(const struct step *step)
{
	struct sla_record *record = step->record;

	step->changes->priority -= record->priority;
	record->priority = 0;
	if (record->raised[0] != '\0' && text_equal(record->raised, urgency_now(step)))
		urgency_set(step, record->urgency);
	record->urgency[0] = record->raised[0] = record->escalate[0] = '\0';
}

static void clock_advance(const struct step *step, enum sla_metric metric, int64_t until_ms)
{
	struct sla_clock *clock = &step->record->clocks[metric];
	const char *from = sla_shown_state(clock);

	if (clock->state != SLA_ACTIVE)
		return;
	set_dues(step, metric);
	if (clock->warn_due_ms != 0 && clock->warn_due_ms <= until_ms && clock->warned_ms == 0 &&
	    clock->breached_ms == 0 && clock->warn_due_ms < clock->due_ms) {
		clock->warned_ms = clock->warn_due_ms;
		note(step, metric, "warn", from, clock->warned_ms);
		act(step, &step->policy->on_warn, clock->warned_ms);
		from = "warned";
	}
	if (clock->due_ms <= until_ms && clock->breached_ms == 0) {
		clock->breached_ms = clock->due_ms;
		note(step, metric, "breach", from, clock->breached_ms);
		act(step, &step->policy->on_breach, clock->breached_ms);
	}
}

static void advance(const struct step *step, int64_t until_ms)
{
	for (size_t i = 0; i < SLA_METRICS && step->policy != NULL; i++)
		clock_advance(step, (enum sla_metric)i, until_ms);
}

/* ---- which policy ---- */

/* Time that was used stays used; what the old policy raised goes back. */
static void policy_switch(struct step *step, const struct sla_policy *policy)
{
	struct sla_record *record = step->record;

	for (size_t i = 0; i < SLA_METRICS; i++) {
		struct sla_clock *clock = &record->clocks[i];
		bool stays = policy != NULL && policy->target_ms[i] > 0;
		const char *from = sla_shown_state(clock);

		if (!is_running(clock))
			continue;
		count_used(step, clock, step->fact->time_ms);
		note(step, (enum sla_metric)i, "cancel", from, step->fact->time_ms);
		clock->state = stays ? SLA_PAUSED : SLA_IDLE;
		clock->warned_ms = clock->breached_ms = clock->due_ms = clock->warn_due_ms = 0;
	}
	unact(step);
	step->policy = policy;
	sla_copy(record->policy, sizeof(record->policy), policy == NULL ? "" : policy->id);
	for (size_t i = 0; i < SLA_METRICS && policy != NULL; i++) {
		struct sla_clock *clock = &record->clocks[i];

		if (!is_running(clock))
			continue;
		clock->state = SLA_ACTIVE;
		clock->number++;
		clock->since_ms = step->fact->time_ms;
		sla_copy(clock->policy, sizeof(clock->policy), policy->id);
		set_dues(step, (enum sla_metric)i);
		note(step, (enum sla_metric)i, "activate", "", step->fact->time_ms);
	}
}

static void policy_choose(struct step *step, const struct sla_policies *policies)
{
	struct sla_subject subject = step->fact->subject;
	const struct sla_policy *policy;

	/* What a clock raised must not choose another policy. */
	if (step->record->raised[0] != '\0' && text_equal(step->record->raised, subject.urgency))
		subject.urgency = step->record->urgency;
	if (subject.urgency == NULL || subject.urgency[0] == '\0')
		subject.urgency = "normal";
	policy = sla_policies_match(policies, &subject);
	if (policy == NULL || !text_equal(policy->id, step->record->policy))
		policy_switch(step, policy);
}

/* ---- what starts and ends ---- */

static int64_t used_since_creation(const struct step *step)
{
	const struct sla_fact *fact = step->fact;

	return fact->created || fact->created_ms >= fact->time_ms
		       ? 0
		       : calendar_between(step->policy->calendar, fact->created_ms, fact->time_ms);
}

static void answers(const struct step *step)
{
	struct sla_record *record = step->record;
	const struct sla_fact *fact = step->fact;
	struct sla_clock *first = &record->clocks[SLA_FIRST_RESPONSE];
	bool live = is_live(record->state) && fact->has_conversation;

	if (live && !record->responded && first->state == SLA_IDLE)
		clock_activate(step, SLA_FIRST_RESPONSE, used_since_creation(step));
	else if (live && !record->responded && first->state == SLA_CANCELLED && fact->customer)
		clock_activate(step, SLA_FIRST_RESPONSE, 0);
	if (fact->answer) {
		clock_end(step, SLA_FIRST_RESPONSE, true);
		clock_end(step, SLA_NEXT_RESPONSE, true);
		clock_end(step, SLA_OWNER, true);
		record->responded = true;
	} else if (live && fact->customer && record->responded &&
		   !is_running(&record->clocks[SLA_NEXT_RESPONSE])) {
		clock_activate(step, SLA_NEXT_RESPONSE, 0);
	}
}

static void ends(const struct step *step)
{
	bool fulfilled = is_done(step->record->state);

	clock_end(step, SLA_FIRST_RESPONSE, false);
	clock_end(step, SLA_NEXT_RESPONSE, false);
	clock_end(step, SLA_OWNER_ACCEPT, false);
	clock_end(step, SLA_RESOLUTION, fulfilled);
	clock_end(step, SLA_OWNER, fulfilled);
}

static void owners(const struct step *step, const char *before)
{
	struct sla_record *record = step->record;
	const struct sla_fact *fact = step->fact;
	bool changes_hands = is_waiting_for_agent(before) || is_waiting_for_agent(record->state);

	if (fact->handed_over)
		clock_end(step, SLA_OWNER_ACCEPT, false);
	if (fact->handed_over || (fact->state != NULL && is_waiting_for_agent(record->state) &&
				  !is_running(&record->clocks[SLA_OWNER_ACCEPT])))
		clock_activate(step, SLA_OWNER_ACCEPT, 0);
	if (fact->hand_over_ended && !is_waiting_for_agent(record->state))
		clock_end(step, SLA_OWNER_ACCEPT, false);
	if (fact->state == NULL)
		return;
	if (text_equal(record->state, "waiting"))
		clock_end(step, SLA_OWNER, true);
	if (is_waiting_for_agent(record->state)) {
		clock_end(step, SLA_OWNER, false);
		record->owner[0] = '\0';
	} else if (text_equal(record->state, "assigned") &&
		   (changes_hands || !text_equal(record->owner, fact->agent))) {
		clock_end(step, SLA_OWNER_ACCEPT, !fact->hand_over_ended);
		clock_end(step, SLA_OWNER, false);
		sla_copy(record->owner, sizeof(record->owner), fact->agent);
		if (!fact->by_us)
			clock_activate(step, SLA_OWNER, 0);
	}
}

static void resolutions(const struct step *step)
{
	struct sla_clock *clock = &step->record->clocks[SLA_RESOLUTION];

	if (clock->state == SLA_IDLE)
		clock_activate(step, SLA_RESOLUTION, used_since_creation(step));
	else if (clock->state == SLA_FULFILLED && step->policy->target_ms[SLA_RESOLUTION] > 0)
		clock_resume(step, SLA_RESOLUTION);
}

static void pauses(const struct step *step)
{
	const struct sla_record *record = step->record;
	bool paused = text_equal(record->state, "waiting") &&
		      (step->policy->pauses & sla_waiting_bit(record->waiting)) != 0;

	for (size_t i = 0; i < SLA_METRICS; i++) {
		if (paused && record->clocks[i].state == SLA_ACTIVE)
			clock_pause(step, (enum sla_metric)i);
		else if (!paused && record->clocks[i].state == SLA_PAUSED)
			clock_resume(step, (enum sla_metric)i);
	}
}

static void take_state(const struct step *step)
{
	struct sla_record *record = step->record;
	const struct sla_fact *fact = step->fact;

	if (record->state[0] == '\0')
		record->responded =
			fact->by_us || (!fact->created && fact->first_response_ms != 0 &&
					fact->first_response_ms < fact->time_ms);
	if (fact->position != NULL)
		sla_copy(record->position, sizeof(record->position), fact->position);
	if (fact->state == NULL)
		return;
	sla_copy(record->state, sizeof(record->state), fact->state);
	sla_copy(record->waiting, sizeof(record->waiting),
		 text_equal(fact->state, "waiting") ? fact->waiting : "");
}

void sla_step(struct sla_record *record, const struct sla_policies *policies,
	      const struct sla_fact *fact, struct sla_changes *changes)
{
	struct step step = { record, fact, sla_policies_find(policies, record->policy), changes };
	char before[sizeof(record->state)];

	memcpy(before, record->state, sizeof(before));
	if (fact->escalated)
		record->escalate[0] = '\0';
	advance(&step, fact->position == NULL ? fact->time_ms : fact->time_ms - 1);
	take_state(&step);
	if (is_live(record->state) || record->policy[0] != '\0')
		policy_choose(&step, policies);
	if (step.policy == NULL) {
		record->responded |= fact->answer;
		return;
	}
	answers(&step);
	if (is_live(record->state)) {
		resolutions(&step);
		owners(&step, before);
		pauses(&step);
	} else if (is_done(record->state) || text_equal(record->state, "cancelled")) {
		ends(&step);
	}
	advance(&step, fact->time_ms);
}

int64_t sla_next_due(const struct sla_record *record)
{
	int64_t next_ms = 0;

	for (size_t i = 0; i < SLA_METRICS; i++) {
		const struct sla_clock *clock = &record->clocks[i];
		int64_t due_ms = 0;

		if (clock->state == SLA_ACTIVE && clock->breached_ms == 0)
			due_ms = clock->warned_ms == 0 && clock->warn_due_ms != 0
					 ? clock->warn_due_ms
					 : clock->due_ms;
		if (due_ms != 0 && due_ms != INT64_MAX && (next_ms == 0 || due_ms < next_ms))
			next_ms = due_ms;
	}
	return next_ms;
}

const char *sla_attention(const struct sla_record *record)
{
	const char *attention = "";

	for (size_t i = 0; i < SLA_METRICS; i++) {
		const char *state = sla_shown_state(&record->clocks[i]);

		if (text_equal(state, "breached"))
			return "breached";
		if (text_equal(state, "warned"))
			attention = "warned";
	}
	return attention;
}
