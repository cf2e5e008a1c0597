#include "delivery/window.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "business/calendar.h"

static struct window_answer refused(const char *code, const char *why, bool template_possible)
{
	return (struct window_answer){ .code = code,
				       .why = why,
				       .template_possible = template_possible };
}

/* A conversation that began before windows were kept has only its newest message's time. */
static void read_kept(const struct window_facts *facts, struct window_answer *answer)
{
	int64_t left = -1;
	int got = facts->kept == NULL
			  ? 0
			  : sscanf(facts->kept, "%" SCNd64 " %" SCNd64, &answer->until_ms, &left);

	answer->left = got == 2 ? left : -1;
	if (got >= 1)
		return;
	answer->left = facts->rules.count > 0 ? facts->rules.count : -1;
	answer->until_ms =
		facts->last_inbound_ms > 0 ? facts->last_inbound_ms + facts->rules.open_ms : 0;
}

static struct window_answer channel_judge(const struct window_facts *facts)
{
	const struct window_rules *rules = &facts->rules;
	bool has_template = rules->template_only || rules->after == AFTER_TEMPLATE;
	struct window_answer answer = { .may = true,
					.left = -1,
					.template_possible = has_template };

	if (facts->is_template && has_template)
		return answer;
	if (rules->template_only)
		return refused("template_only", "this channel sends approved templates only", true);
	if (rules->open_ms == 0)
		return answer;
	read_kept(facts, &answer);
	if (answer.until_ms > facts->now_ms && answer.left != 0)
		return answer;
	if (rules->after == AFTER_FREE) {
		answer.until_ms = 0;
		answer.left = -1;
		return answer;
	}
	if (answer.until_ms > facts->now_ms)
		return refused(
			"window_used_up",
			"as many messages as the channel allows were sent since the customer "
			"last wrote",
			has_template);
	return refused("window_closed",
		       "the reply window of this channel has closed: the customer must write first",
		       has_template);
}

static struct window_answer later(const char *code, const char *why, int64_t from_ms)
{
	struct window_answer answer = refused(code, why, false);

	answer.from_ms = from_ms;
	return answer;
}

struct window_answer window_judge(const struct window_facts *facts)
{
	struct window_answer answer;

	if (facts->opted_out_ms > 0)
		return refused("opted_out",
			       "the customer has opted out of messages on this channel", false);
	answer = channel_judge(facts);
	if (answer.may && facts->capped_ms > 0)
		answer = later("recipient_cap",
			       "as many messages as the channel's configuration allows were sent "
			       "to this address",
			       facts->now_ms + facts->capped_ms);
	else if (answer.may && facts->is_automatic && facts->quiet_until_ms > 0)
		answer = later("quiet_hours", "automatic messages wait until the calendar opens",
			       facts->quiet_until_ms);
	answer.is_quiet = facts->quiet_until_ms > 0;
	return answer;
}

int64_t window_quiet_until(const struct calendar *calendar, int64_t now_ms)
{
	return calendar_is_open(calendar, now_ms) ? 0 : calendar_next_change(calendar, now_ms);
}
