/* What there is to configure: every field with its type, range and help. */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "business/business_rows.h"
#include "business/plan.h"

/* Each rule has an address of its own, /v1/rules/<name>, and these are taken. */
static const char *check_rule_name(const char *text)
{
	static const char *const taken[] = { "versions", "test", "lint" };

	for (size_t i = 0; i < COUNT_OF(taken); i++)
		if (text_equal(taken[i], text))
			return "must be another name: /v1/rules/versions, /test and /lint are "
			       "addresses of their own";
	return business_check_line(text);
}

static const char *check_keyword(const char *text)
{
	return text[strspn(text, " ")] == '\0' ? "must have more than spaces"
					       : business_check_line(text);
}

static const char *check_language(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t first = strspn(text, letters);

	if (first >= 2 && first <= 3 && (text[first] == '\0' || text[first] == '-'))
		return NULL;
	return "is no language: write en, zh or zh-Hant";
}

static const char *check_attachment(const char *text)
{
	static const char *const words[] = {
		"true", "false", "image", "audio", "video", "document"
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (text_equal(words[i], text))
			return NULL;
	return strchr(text, '/') != NULL ? NULL
					 : "must be true, false, image, audio, video, document "
					   "or a media type";
}

static const char *const strategies[] = { "longest_idle", "least_loaded", "best_skill",
					  "round_robin", NULL };
static const char *const urgencies[] = { "low", "normal", "high", "urgent", NULL };
static const char *const states[] = { "new",      "queued",   "offered", "assigned",  "waiting",
				      "wrapping", "resolved", "closed",  "cancelled", NULL };
static const char *const scripts[] = { "Latin", "Greek", "Cyrillic", "Armenian", "Hebrew", "Arabic",
				       "Indic", "Thai",  "Hangul",   "Kana",     "Han",    NULL };
static const char *const roles[] = { "agent", "supervisor", "admin", NULL };

static const char *check_target(const char *text)
{
	const char *colon = strchr(text, ':');

	if (colon == NULL || colon[1] == '\0' ||
	    (strncmp(text, "queue:", 6) != 0 && strncmp(text, "agent:", 6) != 0))
		return "must be queue:<id> or agent:<id>";
	return business_check_id(colon + 1);
}

static const struct business_field overflow_when_fields[] = {
	FIELD("length", COUNT, NULL, .min = 1, .max = 1000000,
	      .text = "So many work items or more wait."),
	FIELD("wait", TIME, NULL, .min = SECOND, .max = 30 * DAY,
	      .text = "The work item waits at least as long."),
	FIELD("expected_wait", TIME, NULL, .min = SECOND, .max = 30 * DAY,
	      .text = "The expected wait is at least as long."),
	FIELD("nobody", BOOL, NULL,
	      .text = "No agent of the queue is online and may be offered work."),
	FIELD("closed", BOOL, NULL, .text = "The queue's calendar is closed."),
	FIELD_END,
};

static const struct business_field overflow_fields[] = {
	{ .row = { .name = "when",
		   .kind = SETTING_GROUP,
		   .flags = SETTING_REQUIRED,
		   .text = "All that is named here must be true." },
	  .form = FIELD_OBJECT,
	  .fields = overflow_when_fields },
	NAMING_FIELD("queues", "to", TEXT, .min = 1, .max = 40, .flags = SETTING_REQUIRED,
		     .check = business_check_id, .text = "The queue that the work item moves to."),
	FIELD_END,
};

static const struct business_field escalation_fields[] = {
	FIELD("after", TIME, NULL, .min = SECOND, .max = 30 * DAY, .flags = SETTING_REQUIRED,
	      .text = "How long it has waited in the queue."),
	NAMING_FIELD("", "to", TEXT, .min = 1, .max = 60, .flags = SETTING_REQUIRED,
		     .check = check_target, .text = "Who is asked: queue:<id> or agent:<id>."),
	FIELD("accept", TIME, "10m", .min = SECOND, .max = 7 * DAY,
	      .text = "How long they have; then the next level is asked."),
	FIELD("urgency", CHOICE, NULL, .choices = urgencies,
	      .text = "The work item's urgency from then on."),
	FIELD("priority", COUNT, "0", .max = 100000,
	      .text = "Minutes of head start that the work item gains."),
	FIELD_END,
};

static const struct business_field department_fields[] = {
	ID_FIELD,
	NAME_FIELD,
	NAMING_FIELD("queues", "queue", TEXT, .min = 1, .max = 40, .flags = SETTING_REQUIRED,
		     .check = business_check_id, .text = "Where its work comes in."),
	FIELD("accept", TIME, "1h", .min = SECOND, .max = 30 * DAY,
	      .text = "How long it has to take over what is handed to it."),
	NAMING_FIELD(
		"queues", "fallback", TEXT, .min = 1, .max = 40, .check = business_check_id,
		.text = "The queue for what it does not take; none: back to who handed it over."),
	FIELD_END,
};

static const struct business_field queue_fields[] = {
	ID_FIELD,
	NAME_FIELD,
	FIELD("description", TEXT, NULL, .max = 2000, .text = "What it is for."),
	FIELD("strategy", CHOICE, "longest_idle", .choices = strategies,
	      .text = "Who of the eligible agents gets the next work item."),
	FIELD("offer_timeout", TIME, "30s", .min = 5 * SECOND, .max = HOUR,
	      .text = "How long an offer waits for its agent."),
	FIELD("wrap_up", TIME, "0", .max = 8 * HOUR,
	      .text = "How long an agent may finish up after resolving; 0: not at all."),
	FIELD("sticky", TIME, "0", .max = 30 * DAY,
	      .text = "How long work waits for the agent who had it before and is busy now."),
	FIELD("age_percent", COUNT, "100", .max = 10000,
	      .text = "How much of the time waited counts for the order, beside the priority."),
	FIELD("age_cap", TIME, "0", .max = 366 * DAY,
	      .text = "How much time waited counts at most; 0: all of it."),
	FIELD("service_level", TIME, "20s", .min = SECOND, .max = 30 * DAY,
	      .text = "Work accepted within this time counts as in time in the queue's figures."),
	FIELD("target_waiting", COUNT, "2", .min = 1, .max = 1000,
	      .text = "How many may wait for each agent online before the wallboard says so."),
	FIELD("target_wait", TIME, "1m", .min = SECOND, .max = 30 * DAY,
	      .text = "How long the first may wait before the wallboard says so."),
	FIELD("target_level", COUNT, "80", .max = 100,
	      .text = "The service level, in percent, below which the wallboard says so."),
	FIELD("outcomes", LIST, NULL, .max = 30,
	      .text = "How work ended, as the wrap-up form offers it; none: solved, answered, "
		      "refunded, handed, silent, spam."),
	FIELD("wrap_up_extension", TIME, "1m", .min = SECOND, .max = 8 * HOUR,
	      .text = "How much longer an agent gets who asks for it."),
	FIELD("wrap_up_extensions", COUNT, "3", .max = 100,
	      .text = "How often an agent may ask for more time to finish up."),
	FIELD("parallel_offers", COUNT, "1", .min = 1, .max = 10,
	      .text = "How many agents are offered one work item at the same time."),
	FIELD("missed_offers", COUNT, "3", .max = 100,
	      .text = "After so many missed in a row an agent gets no more; 0: never."),
	FIELD("exceed_on_transfer", BOOL, "true",
	      .text = "An agent may accept a transfer beyond the capacity."),
	FIELD("exceed_on_claim", BOOL, "false",
	      .text = "An agent may claim work beyond the capacity."),
	{ .row = { .name = "overflow",
		   .kind = SETTING_LIST,
		   .max = 20,
		   .text = "Where work goes when this queue cannot cope; the first that fits." },
	  .form = FIELD_OBJECTS,
	  .fields = overflow_fields },
	{ .row = { .name = "escalation",
		   .kind = SETTING_LIST,
		   .max = 10,
		   .text = "Who is asked when nobody takes the work; level after level." },
	  .form = FIELD_OBJECTS,
	  .fields = escalation_fields },
	FIELD("close_after", TIME, "0", .max = 366 * DAY,
	      .text = "How long after resolving a work item closes; 0: the daemon's rule."),
	FIELD("paused", BOOL, "false", .text = "Holds no new offers out."),
	NAMING_FIELD("calendars", "calendar", TEXT, .min = 1, .max = 40, .check = business_check_id,
		     .text = "When it is open, for overflow of what is closed; none: always."),
	FIELD_END,
};

static const struct business_field limit_fields[] = {
	FIELD("channel", TEXT, NULL, .min = 1, .max = 40, .flags = SETTING_REQUIRED,
	      .check = business_check_id, .text = "The channel."),
	FIELD("at_once", COUNT, NULL, .max = 1000, .flags = SETTING_REQUIRED,
	      .text = "How many of its work items the agent attends to at once; 0: none."),
	FIELD_END,
};

static const struct business_field channel_fields[] = {
	FIELD("id", TEXT, NULL, .min = 1, .max = 40, .flags = SETTING_REQUIRED,
	      .check = business_check_id, .text = "The channel."),
	FIELD("cost", COUNT, NULL, .min = 1, .max = 1000,
	      .text = "How much of an agent's capacity a work item of it takes; none given: 1, "
		      "of a channel of phone calls all."),
	FIELD("waiting_cost", COUNT, "0", .max = 1000,
	      .text = "How much it takes while it waits for somebody else."),
	FIELD("interrupts", LIST, NULL, .max = 100,
	      .text = "Beside work of which other channels it may be offered; none given: all; []: "
		      "of none."),
	FIELD_END,
};

static const struct business_field agent_fields[] = {
	ID_FIELD,
	NAME_FIELD,
	FIELD("email", TEXT, NULL, .min = 3, .max = 320, .check = business_check_line,
	      .text = "The agent's e-mail address; who signs in through a provider is known by "
		      "it."),
	FIELD("oidc_subject", TEXT, NULL, .min = 1, .max = 255, .check = business_check_line,
	      .text = "Whom the provider means by the agent (sub), where it is not to be told by "
		      "the e-mail address."),
	FIELD("role", CHOICE, "agent", .choices = roles, .text = "agent, supervisor or admin."),
	NAMING_FIELD("queues", "queues", LIST, .max = 200,
		     .text = "The queues that the agent serves; none: every queue."),
	{ .row = { .name = "skills",
		   .kind = SETTING_GROUP,
		   .text = "Skills with a level from 1 to 5, such as { refunds: 3, zh: 5 }." },
	  .form = FIELD_LEVELS },
	FIELD("capacity", COUNT, "10", .max = 100000,
	      .text = "How much work the agent holds at once."),
	FIELD("lines", LIST, NULL, .max = 20,
	      .text = "Names under which phone systems know the agent: an extension, a number, a "
		      "SIP address, a queue member such as PJSIP/101."),
	{ .row = { .name = "limits",
		   .kind = SETTING_LIST,
		   .max = 100,
		   .text = "Of which channels the agent attends to how much at once." },
	  .form = FIELD_OBJECTS,
	  .fields = limit_fields },
	FIELD_END,
};

static const struct business_field skill_fields[] = {
	ID_FIELD,
	NAME_FIELD,
	FIELD("description", TEXT, NULL, .max = 2000, .text = "What it means."),
	FIELD_END,
};

#define TEXTS_FIELD(field_name, how_many, ...)                                                     \
	{                                                                                          \
		.row = { .name = (field_name),                                                     \
			 .kind = SETTING_TEXT,                                                     \
			 .max = (how_many),                                                        \
			 __VA_ARGS__ },                                                            \
		.form = FIELD_TEXTS                                                                \
	}

static const struct business_field previous_fields[] = {
	TEXTS_FIELD("type", 100, .check = business_check_line, .text = "The earlier item's type."),
	TEXTS_FIELD("topic", 100, .check = business_check_line,
		    .text = "The earlier item's topic."),
	{ .row = { .name = "queue",
		   .kind = SETTING_TEXT,
		   .max = 100,
		   .check = business_check_id,
		   .text = "The queue that it is or was in." },
	  .form = FIELD_TEXTS,
	  .names = "queues" },
	TEXTS_FIELD("state", 20, .choices = states, .text = "The state that it is in."),
	FIELD("within", TIME, NULL, .min = MINUTE, .max = 366 * DAY,
	      .text = "It came into that state at most this long ago."),
	FIELD("count", COUNT, NULL, .min = 1, .max = 50, .text = "At least so many; default 1."),
	FIELD_END,
};

static const struct business_field when_hours_fields[] = {
	{ .row = { .name = "calendar",
		   .kind = SETTING_TEXT,
		   .min = 1,
		   .max = 40,
		   .flags = SETTING_REQUIRED,
		   .check = business_check_id,
		   .text = "The calendar that says when it is open." },
	  .names = "calendars" },
	FIELD("open", BOOL, "true", .text = "It is open, or with false it is closed."),
	FIELD_END,
};

/* Groups hold conditions again, groups among them. */
static const struct business_field when_fields[] = {
	{ .row = { .name = "text",
		   .kind = SETTING_TEXT,
		   .min = 1,
		   .max = 4000,
		   .text = "A regular expression that the message's text or subject matches." },
	  .form = FIELD_PATTERN },
	TEXTS_FIELD("keywords", 2000, .check = check_keyword,
		    .text = "Words of which one is in the text or subject."),
	TEXTS_FIELD("channel", 100, .check = business_check_id,
		    .text = "The channel that it came in on."),
	TEXTS_FIELD("language", 50, .check = check_language,
		    .text = "The language it is in, such as en, zh or zh-Hant."),
	TEXTS_FIELD("script", 20, .choices = scripts,
		    .text = "The writing it is in, such as Han or Latin."),
	TEXTS_FIELD("attachments", 20, .check = check_attachment,
		    .text = "true, false, image, audio, video, document or a media type."),
	{ .row = { .name = "hours",
		   .kind = SETTING_GROUP,
		   .text = "Whether a calendar is open when the message comes." },
	  .form = FIELD_OBJECT,
	  .fields = when_hours_fields },
	TEXTS_FIELD("tier", 50, .check = business_check_line, .text = "The customer's tier."),
	{ .row = { .name = "attributes",
		   .kind = SETTING_GROUP,
		   .max = 30,
		   .check = business_check_line,
		   .text = "Attributes of the customer, such as { country: [cn, hk] }." },
	  .form = FIELD_WORDS },
	{ .row = { .name = "previous",
		   .kind = SETTING_GROUP,
		   .text = "An earlier work item of the customer." },
	  .form = FIELD_OBJECT,
	  .fields = previous_fields },
	{ .row = { .name = "all",
		   .kind = SETTING_GROUP,
		   .max = 50,
		   .text = "Groups of conditions that all hold." },
	  .form = FIELD_OBJECTS,
	  .fields = when_fields },
	{ .row = { .name = "any",
		   .kind = SETTING_GROUP,
		   .max = 50,
		   .text = "Groups of conditions of which one holds." },
	  .form = FIELD_OBJECTS,
	  .fields = when_fields },
	{ .row = { .name = "not",
		   .kind = SETTING_GROUP,
		   .text = "A group of conditions that does not hold." },
	  .form = FIELD_OBJECT,
	  .fields = when_fields },
	FIELD_END,
};

static const struct business_field step_fields[] = {
	{ .row = { .name = "skills",
		   .kind = SETTING_GROUP,
		   .text = "Skills that the agent must have while this step lasts." },
	  .form = FIELD_LEVELS },
	{ .row = { .name = "need",
		   .kind = SETTING_TEXT,
		   .min = 1,
		   .max = 1000,
		   .text = "The same as an expression, such as refunds>=2&(zh>=3|en>=4)." },
	  .form = FIELD_NEED },
	NAMING_FIELD("agents", "agents", LIST, .max = 50,
		     .text = "Only these agents are asked while this step lasts."),
	FIELD("priority", COUNT, NULL, .max = 100000,
	      .text = "Minutes of head start that are added from this step on."),
	FIELD("for", TIME, NULL, .min = SECOND, .max = 31 * DAY,
	      .text = "How long the step lasts; none: a minute, the last one for ever."),
	FIELD_END,
};

static const struct business_field then_fields[] = {
	NAMING_FIELD("queues", "queue", TEXT, .min = 1, .max = 40, .check = business_check_id,
		     .text = "The queue that the work item goes to."),
	FIELD("type", TEXT, NULL, .min = 1, .max = 40, .check = business_check_line,
	      .text = "The work item's type."),
	FIELD("topic", TEXT, NULL, .min = 1, .max = 100, .check = business_check_line,
	      .text = "The work item's topic."),
	FIELD("urgency", CHOICE, NULL, .choices = urgencies,
	      .text = "low, normal, high or urgent."),
	NAMING_FIELD("classifiers", "classifier", TEXT, .min = 1, .max = 40,
		     .check = business_check_id,
		     .text = "The classifier that is asked about it; none: the first that is for "
			     "its queue and channel."),
	FIELD("priority", COUNT, NULL, .max = 100000,
	      .text = "A head start in the queue, in minutes."),
	{ .row = { .name = "skills",
		   .kind = SETTING_GROUP,
		   .text = "Skills that its agent must have, such as { refunds: 2 }." },
	  .form = FIELD_LEVELS },
	{ .row = { .name = "need",
		   .kind = SETTING_TEXT,
		   .min = 1,
		   .max = 1000,
		   .text = "The same as an expression, such as refunds>=2&(zh>=3|en>=4)." },
	  .form = FIELD_NEED },
	{ .row = { .name = "steps",
		   .kind = SETTING_LIST,
		   .max = PLAN_STEPS_MAX,
		   .text = "Whom it is for at first, and whom it may go to after a while." },
	  .form = FIELD_OBJECTS,
	  .fields = step_fields },
	FIELD_END,
};

static const struct business_field rule_fields[] = {
	FIELD("name", TEXT, NULL, .min = 1, .max = 80, .flags = SETTING_REQUIRED,
	      .check = check_rule_name, .text = "The rule's name, unique; explanations quote it."),
	{ .row = { .name = "when",
		   .kind = SETTING_GROUP,
		   .text = "What must be true of the message; nothing: always." },
	  .form = FIELD_OBJECT,
	  .fields = when_fields },
	{ .row = { .name = "then",
		   .kind = SETTING_GROUP,
		   .flags = SETTING_REQUIRED,
		   .text = "What the work item gets." },
	  .form = FIELD_OBJECT,
	  .fields = then_fields },
	FIELD_END,
};

static const struct business_field canned_fields[] = {
	ID_FIELD,
	FIELD("title", TEXT, NULL, .min = 1, .max = 200, .check = business_check_line,
	      .text = "The title that agents see."),
	FIELD("text", TEXT, NULL, .min = 1, .max = 20000, .flags = SETTING_REQUIRED,
	      .text = "The text that is put into the reply."),
	FIELD("shortcut", TEXT, NULL, .min = 1, .max = 40, .check = business_check_id,
	      .text = "What an agent types to get it."),
	FIELD("language", TEXT, NULL, .min = 2, .max = 16, .check = business_check_line,
	      .text = "The language it is in, such as zh or en."),
	NAMING_FIELD("queues", "queues", LIST, .max = 200,
		     .text = "The queues it is for; none: all."),
	FIELD_END,
};

#define SLOT_FIELDS                                                                                \
	FIELD("from", TEXT, NULL, .min = 5, .max = 5, .flags = SETTING_REQUIRED,                   \
	      .text = "When it starts, such as \"09:00\"."),                                       \
		FIELD("to", TEXT, NULL, .min = 5, .max = 5, .flags = SETTING_REQUIRED,             \
		      .text = "When it ends, at most \"24:00\".")

static const struct business_field hours_fields[] = {
	FIELD("days", LIST, NULL, .max = 7,
	      .text = "mon, tue, wed, thu, fri, sat, sun or ranges such as mon-fri; none: all."),
	SLOT_FIELDS,
	FIELD_END,
};

static const struct business_field slot_fields[] = {
	SLOT_FIELDS,
	FIELD_END,
};

static const struct business_field holiday_fields[] = {
	FIELD("date", TEXT, NULL, .min = 10, .max = 10, .flags = SETTING_REQUIRED,
	      .text = "The day, such as 2026-10-01."),
	FIELD("to", TEXT, NULL, .min = 10, .max = 10,
	      .text = "The last day, where it is more than one."),
	NAME_FIELD,
	FIELD_END,
};

static const struct business_field workday_fields[] = {
	FIELD("date", TEXT, NULL, .min = 10, .max = 10, .flags = SETTING_REQUIRED,
	      .text = "The day that is worked although its weekday is not, or differs."),
	FIELD("like", TEXT, NULL, .min = 3, .max = 3,
	      .text = "The weekday whose hours it has; none: mon."),
	{ .row = { .name = "hours",
		   .kind = SETTING_LIST,
		   .max = 24,
		   .text = "Its own hours, such as [ { from: \"09:00\", to: \"12:00\" } ]." },
	  .form = FIELD_OBJECTS,
	  .fields = slot_fields },
	NAME_FIELD,
	FIELD_END,
};

static const struct business_field calendar_fields[] = {
	ID_FIELD,
	NAME_FIELD,
	FIELD("time_zone", TEXT, "UTC", .min = 1, .max = 64, .check = business_check_line,
	      .text = "A name such as Asia/Shanghai, or an offset such as \"+08:00\"."),
	{ .row = { .name = "hours",
		   .kind = SETTING_LIST,
		   .max = 200,
		   .text = "When it is open, several slots a day; without: all day, every day." },
	  .form = FIELD_OBJECTS,
	  .fields = hours_fields },
	{ .row = { .name = "holidays",
		   .kind = SETTING_LIST,
		   .max = 1000,
		   .text = "Days on which it is closed." },
	  .form = FIELD_OBJECTS,
	  .fields = holiday_fields },
	{ .row = { .name = "workdays",
		   .kind = SETTING_LIST,
		   .max = 1000,
		   .text = "Adjusted workdays (调休); they win over all else." },
	  .form = FIELD_OBJECTS,
	  .fields = workday_fields },
	FIELD("ical", TEXT, NULL, .max = 500000,
	      .text = "An iCalendar text of holidays; 休 and 班 in summaries are understood."),
	FIELD_END,
};

static const struct business_field sla_when_fields[] = {
	NAMING_FIELD("queues", "queue", TEXT, .min = 1, .max = 40, .check = business_check_id,
		     .text = "The queue that the work item is in."),
	FIELD("type", TEXT, NULL, .min = 1, .max = 40, .check = business_check_line,
	      .text = "The work item's type."),
	FIELD("topic", TEXT, NULL, .min = 1, .max = 100, .check = business_check_line,
	      .text = "The work item's topic."),
	FIELD("urgency", CHOICE, NULL, .choices = urgencies,
	      .text = "The work item's urgency, before any clock raised it."),
	FIELD("channel", TEXT, NULL, .min = 1, .max = 40, .check = business_check_id,
	      .text = "The channel that it came in on."),
	FIELD("tier", TEXT, NULL, .min = 1, .max = 40, .check = business_check_line,
	      .text = "The customer's tier."),
	FIELD_END,
};

static const struct business_field sla_action_fields[] = {
	FIELD("priority", COUNT, "0", .max = 100000,
	      .text = "Minutes of head start that the work item gains."),
	FIELD("urgency", CHOICE, NULL, .choices = urgencies,
	      .text = "The urgency that the work item has at least from then on."),
	NAMING_FIELD("", "escalate", TEXT, .min = 1, .max = 60, .check = check_target,
		     .text = "Who is asked to take it over: queue:<id> or agent:<id>."),
	FIELD("accept", TIME, "10m", .min = SECOND, .max = 7 * DAY, .text = "How long they have."),
	FIELD_END,
};

static const struct business_field sla_policy_fields[] = {
	ID_FIELD,
	NAME_FIELD,
	FIELD("enabled", BOOL, "true", .text = "Off: no work item has this policy."),
	{ .row = { .name = "when",
		   .kind = SETTING_GROUP,
		   .text = "What must be true of the work item; nothing: always." },
	  .form = FIELD_OBJECT,
	  .fields = sla_when_fields },
	FIELD("first_response", TIME, NULL, .min = SECOND, .max = 366 * DAY,
	      .text = "From its start to the first answer of an agent."),
	FIELD("next_response", TIME, NULL, .min = SECOND, .max = 366 * DAY,
	      .text = "From a later message of the customer to an agent's answer."),
	FIELD("resolution", TIME, NULL, .min = SECOND, .max = 366 * DAY,
	      .text = "From its start until it is resolved."),
	FIELD("owner_accept", TIME, NULL, .min = SECOND, .max = 366 * DAY,
	      .text = "From when it is handed to a queue or agent until somebody takes it."),
	FIELD("owner", TIME, NULL, .min = SECOND, .max = 366 * DAY,
	      .text = "From when an agent has it until that agent answers or moves it on."),
	NAMING_FIELD("calendars", "calendar", TEXT, .min = 1, .max = 40, .check = business_check_id,
		     .text = "The calendar whose open time counts; none: all time does."),
	FIELD("pause", LIST, NULL, .max = 4,
	      .text = "Waiting for whom stops the clocks: customer, department, third_party, "
		      "until; none given: customer; []: nobody."),
	FIELD("warn", COUNT, "80", .max = 99,
	      .text = "At how many percent of a target a warning is given; 0: never."),
	{ .row = { .name = "on_warn",
		   .kind = SETTING_GROUP,
		   .text = "What is done when a warning is given." },
	  .form = FIELD_OBJECT,
	  .fields = sla_action_fields },
	{ .row = { .name = "on_breach",
		   .kind = SETTING_GROUP,
		   .text = "What is done when a target is missed." },
	  .form = FIELD_OBJECT,
	  .fields = sla_action_fields },
	FIELD_END,
};

static const struct business_field classifier_fields[] = {
	ID_FIELD,
	NAME_FIELD,
	FIELD("url", TEXT, NULL, .min = 8, .max = 2000, .flags = SETTING_REQUIRED,
	      .check = business_check_web_url,
	      .text = "Where a new work item is posted to, https:// (or http://)."),
	{ .row = { .name = "secret",
		   .kind = SETTING_TEXT,
		   .min = 1,
		   .max = 120,
		   .flags = SETTING_REQUIRED,
		   .check = business_check_webhook_secret,
		   .text = "What requests are signed with: whsec_ and base64 of 24 to 64 bytes." },
	  .is_secret = true },
	FIELD("deadline", TIME, "5s", .min = 100, .max = MINUTE,
	      .text = "How long its answer may take."),
	FIELD("min_confidence", COUNT, "60", .max = 100,
	      .text = "Percent; below it nothing is changed and a person is asked for."),
	NAMING_FIELD("queues", "queues", LIST, .max = 200,
		     .text = "Only work items of these queues; none: of all."),
	FIELD("channels", LIST, NULL, .max = 200,
	      .text = "Only messages of these channels; none: of all."),
	FIELD("only_by_rule", BOOL, "false", .text = "Asked only where a rule names it."),
	FIELD_END,
};

const struct business_kind business_kinds[] = {
	{ "queues", "queues", queue_fields },
	{ "departments", "departments", department_fields },
	{ "skills", "skills", skill_fields },
	{ "agents", "agents", agent_fields },
	{ "rules", "rules", rule_fields },
	{ "classifiers", "classifiers", classifier_fields },
	{ "canned_replies", "canned-replies", canned_fields },
	{ "calendars", "calendars", calendar_fields },
	{ "sla_policies", "sla-policies", sla_policy_fields },
	{ "channel_costs", "channel-costs", channel_fields },
	{ "context_links", "context-links", context_link_fields },
	{ "order_hooks", "order-hooks", order_hook_fields },
	{ "retention", "retention", retention_fields },
	{ "webhooks", "webhooks", webhook_fields },
	{ NULL, NULL, NULL },
};

const struct business_kind *business_kind(const char *name)
{
	for (const struct business_kind *kind = business_kinds; kind->key != NULL; kind++) {
		if (text_equal(kind->key, name) || text_equal(kind->store, name))
			return kind;
	}
	return NULL;
}
