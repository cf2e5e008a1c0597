#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "automation/sla_clock.h"
#include "automation/sla_fact.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "business/calendar.h"
#include "store/log.h"

#define MINUTE INT64_C(60000)
/* Monday, 2026-11-23, 09:00 in Shanghai; beats are minutes from it. */
#define START INT64_C(1795395600000)

/* What happens, and when; words of one beat are parted by spaces:
 *   new, by_us, customer, reply, bot, handed, back, look, =<state>, :<waiting for>, @<agent>,
 *   queue=, type=, urgency=, tier= (the item's from then on), none (no policy any more) */
struct beat {
	int64_t minute;
	const char *what;
};

struct scene {
	const char *name;
	const char *policies[4];
	struct beat beats[12];
	const char *events; /* "metric event@minute ..." */
};

struct stage {
	struct sla_policies *policies, *none, *used;
	struct calendar *calendar;
	struct sla_record record;
	char texts[4][40]; /* queue, type, urgency, tier */
	bool has_begun;
	int64_t priority;
	struct buf events;
};

static struct calendar *office(void)
{
	static const char json[] =
		"{\"time_zone\":\"Asia/Shanghai\",\"hours\":[{\"days\":[\"mon-fri\"],\"from\":"
		"\"09:00\",\"to\":\"18:00\"}]}";
	struct error err;
	struct json_object *object = json_read(json, strlen(json), &err);
	struct calendar *calendar = calendar_new(object, &err);

	json_free(&object);
	return calendar;
}

static void add_policy(struct stage *stage, const char *json)
{
	struct error err = { 0 };
	struct json_object *object = json_read(json, strlen(json), &err);

	cr_assert_not_null(object, "%s: %s", json, err.text);
	sla_policies_add(stage->policies, json_text(object, "id"), object,
			 json_has(object, "calendar") ? stage->calendar : NULL);
	json_free(&object);
}

static void take_word(struct stage *stage, const char *word, struct sla_fact *fact, char *kept)
{
	static const char *const fields[] = { "queue=", "type=", "urgency=", "tier=" };

	fact->created |= text_equal(word, "new");
	fact->by_us |= text_equal(word, "by_us");
	fact->customer |= text_equal(word, "customer");
	fact->answer |= text_equal(word, "reply");
	fact->handed_over |= text_equal(word, "handed");
	fact->hand_over_ended |= text_equal(word, "back");
	fact->escalated |= text_equal(word, "asked");
	if (text_equal(word, "look"))
		fact->position = NULL;
	if (text_equal(word, "none"))
		stage->used = stage->none;
	if (word[0] == '=')
		fact->state = strcpy(kept, word + 1);
	if (word[0] == ':')
		fact->waiting = strcpy(kept + 20, word + 1);
	if (word[0] == '@')
		fact->agent = strcpy(kept + 40, word + 1);
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		if (text_starts(word, fields[i]))
			snprintf(stage->texts[i], sizeof(stage->texts[i]), "%s",
				 word + strlen(fields[i]));
	}
}

static void play_beat(struct stage *stage, const struct beat *beat)
{
	struct sla_changes changes = { .count = 0 };
	struct sla_fact fact = { .time_ms = START + beat->minute * MINUTE,
				 .position = "1-2-3",
				 .has_conversation = true,
				 .created_ms = START };
	char copy[200], kept[60], *rest = copy, *word;
	struct buf text = { 0 };
	struct error err;

	snprintf(copy, sizeof(copy), "%s", beat->what);
	while ((word = strsep(&rest, " ")) != NULL)
		take_word(stage, word, &fact, kept);
	fact.subject = (struct sla_subject){ .queue = stage->texts[0],
					     .type = stage->texts[1],
					     .urgency = stage->texts[2],
					     .tier = stage->texts[3] };
	sla_step(&stage->record, stage->used, &fact, &changes);
	stage->priority += changes.priority;
	if (changes.has_urgency)
		snprintf(stage->texts[2], sizeof(stage->texts[2]), "%s", changes.urgency);
	for (size_t i = 0; i < changes.count; i++)
		buf_format(&stage->events, "%s%s %s@%lld", stage->events.len > 0 ? " " : "",
			   sla_metric_names[changes.list[i].metric], changes.list[i].event,
			   (long long)((changes.list[i].at_ms - START) / MINUTE));
	/* What is kept comes back as it was. */
	sla_record_write(&stage->record, &text);
	memset(&stage->record, 0xff, sizeof(stage->record));
	cr_assert_eq(sla_record_read(buf_string(&text), &stage->record, &err), 0, "%s: %s",
		     err.text, buf_string(&text));
	buf_clear(&text);
}

static struct stage *stage_new(const struct scene *scene)
{
	struct stage *stage = memory_new(sizeof(*stage));

	stage->calendar = office();
	stage->policies = sla_policies_new();
	stage->none = sla_policies_new();
	stage->used = stage->policies;
	snprintf(stage->texts[0], sizeof(stage->texts[0]), "support");
	for (size_t i = 0; i < COUNT_OF(scene->policies) && scene->policies[i] != NULL; i++)
		add_policy(stage, scene->policies[i]);
	for (size_t i = 0; i < COUNT_OF(scene->beats) && scene->beats[i].what != NULL; i++)
		play_beat(stage, &scene->beats[i]);
	return stage;
}

static void stage_free(struct stage **stage)
{
	sla_policies_free(&(*stage)->policies);
	sla_policies_free(&(*stage)->none);
	calendar_free(&(*stage)->calendar);
	buf_clear(&(*stage)->events);
	free(*stage);
	*stage = NULL;
}

#define FIRST "{\"id\":\"p\",\"first_response_ms\":3600000,\"warn\":0}"
#define NEXT "{\"id\":\"p\",\"first_response_ms\":3600000,\"next_response_ms\":600000,\"warn\":0}"
#define RESOLUTION(pause) "{\"id\":\"p\",\"resolution_ms\":7200000,\"warn\":0,\"pause\":" pause "}"
#define OWNER "{\"id\":\"p\",\"owner_accept_ms\":600000,\"owner_ms\":1800000,\"warn\":0}"
#define COMPLAINT                                                                                  \
	"{\"id\":\"complaint\",\"when\":{\"type\":\"complaint\"},\"first_response_ms\":86400000,"  \
	"\"resolution_ms\":604800000,\"pause\":[],\"warn\":0}"

static const struct scene scenes[] = {
	{ "an answer in time",
	  { FIRST },
	  { { 0, "new customer =queued" }, { 5, "=assigned @alice" }, { 10, "reply" } },
	  "first_response activate@0 first_response fulfil@10" },
	{ "no answer: stamped with the deadline, once",
	  { FIRST },
	  { { 0, "new customer =queued" }, { 200, "look" }, { 201, "look" }, { 300, "reply" } },
	  "first_response activate@0 first_response breach@60 first_response fulfil@300" },
	{ "the deadline's own minute is still met",
	  { FIRST },
	  { { 0, "new customer =queued" }, { 60, "reply" }, { 61, "look" } },
	  "first_response activate@0 first_response fulfil@60" },
	{ "a late entry shows the breach by itself",
	  { FIRST },
	  { { 0, "new customer =queued" }, { 90, "reply" } },
	  "first_response activate@0 first_response breach@60 first_response fulfil@90" },
	{ "a warning, then the breach",
	  { "{\"id\":\"p\",\"first_response_ms\":3600000,\"warn\":80}" },
	  { { 0, "new customer =queued" }, { 48, "look" }, { 60, "look" } },
	  "first_response activate@0 first_response warn@48 first_response breach@60" },
	{ "a bot neither meets nor starts the human clock",
	  { NEXT },
	  { { 0, "new customer =bot" },
	    { 5, "bot" },
	    { 30, "new =queued" },
	    { 40, "bot" },
	    { 91, "look" } },
	  "first_response activate@30 first_response breach@90" },
	{ "a next response never overrides the first",
	  { NEXT },
	  { { 0, "new customer =queued" }, { 1, "customer" }, { 30, "look" }, { 50, "reply" } },
	  "first_response activate@0 first_response fulfil@50" },
	{ "a next response counts from the first unanswered message",
	  { NEXT },
	  { { 0, "new customer =queued" },
	    { 5, "reply" },
	    { 20, "customer" },
	    { 25, "customer" },
	    { 31, "look" },
	    { 40, "reply" },
	    { 50, "customer" },
	    { 55, "reply" } },
	  "first_response activate@0 first_response fulfil@5 next_response activate@20 "
	  "next_response breach@30 next_response fulfil@40 next_response activate@50 "
	  "next_response fulfil@55" },
	{ "a conversation of ours has no first response",
	  { NEXT },
	  { { 0, "new by_us =assigned @alice" }, { 90, "customer" }, { 95, "reply" } },
	  "next_response activate@90 next_response fulfil@95" },
	{ "waiting for the customer pauses",
	  { RESOLUTION("[\"customer\"]") },
	  { { 0, "new customer =queued" },
	    { 10, "=assigned @alice" },
	    { 60, "=waiting :customer" },
	    { 500, "look" },
	    { 600, "customer =assigned @alice" },
	    { 661, "look" } },
	  "resolution activate@0 resolution pause@60 resolution resume@600 "
	  "resolution breach@660" },
	{ "waiting for a department pauses where the policy says so",
	  { RESOLUTION("[\"department\",\"third_party\"]") },
	  { { 0, "new customer =queued" },
	    { 60, "=waiting :third_party" },
	    { 100, "=assigned @alice" },
	    { 110, "=waiting :department" },
	    { 900, "look" } },
	  "resolution activate@0 resolution pause@60 resolution resume@100 "
	  "resolution pause@110" },
	{ "waiting until a time pauses where the policy says so",
	  { RESOLUTION("[\"until\"]") },
	  { { 0, "new customer =queued" }, { 60, "=waiting :until" }, { 900, "look" } },
	  "resolution activate@0 resolution pause@60" },
	{ "waiting for somebody else does not pause",
	  { RESOLUTION("[\"customer\"]") },
	  { { 0, "new customer =queued" }, { 60, "=waiting :third_party" }, { 121, "look" } },
	  "resolution activate@0 resolution breach@120" },
	{ "nothing pauses where nobody is named",
	  { RESOLUTION("[]") },
	  { { 0, "new customer =queued" }, { 60, "=waiting :customer" }, { 121, "look" } },
	  "resolution activate@0 resolution breach@120" },
	{ "resolution goes on where it stopped when reopened",
	  { RESOLUTION("[]") },
	  { { 0, "new customer =queued" },
	    { 100, "=resolved" },
	    { 1000, "customer =queued" },
	    { 1021, "look" } },
	  "resolution activate@0 resolution fulfil@100 resolution resume@1000 "
	  "resolution breach@1020" },
	{ "what nobody answered is dropped when resolved, and again asked for when reopened",
	  { FIRST },
	  { { 0, "new customer =queued" },
	    { 10, "=resolved" },
	    { 100, "look" },
	    { 200, "customer =queued" },
	    { 261, "look" } },
	  "first_response activate@0 first_response cancel@10 first_response activate@200 "
	  "first_response breach@260" },
	{ "office hours: half an hour on Monday evening, the rest on Tuesday",
	  { "{\"id\":\"p\",\"first_response_ms\":3600000,\"warn\":0,\"calendar\":\"c\"}" },
	  { { 510, "new customer =queued" }, { 1469, "look" }, { 1470, "look" } },
	  "first_response activate@510 first_response breach@1470" },
	{ "pauses and office hours together",
	  { "{\"id\":\"p\",\"resolution_ms\":7200000,\"warn\":0,\"calendar\":\"c\"}" },
	  { { 480, "new customer =queued" },
	    { 510, "=waiting :customer" },
	    { 1470, "customer =assigned @alice" },
	    { 1560, "look" } },
	  "resolution activate@480 resolution pause@510 resolution resume@1470 "
	  "resolution breach@1560" },
	{ "each hand-over has its own time to be taken and to act",
	  { OWNER },
	  { { 0, "new customer =queued" },
	    { 5, "=assigned @alice" },
	    { 10, "reply" },
	    { 20, "handed =queued" },
	    { 31, "look" },
	    { 35, "=assigned @bob" },
	    { 66, "look" } },
	  "owner_accept activate@0 owner_accept fulfil@5 owner activate@5 owner fulfil@10 "
	  "owner_accept activate@20 owner_accept breach@30 owner_accept fulfil@35 "
	  "owner activate@35 owner breach@65" },
	{ "a transfer to an agent that is not taken",
	  { OWNER },
	  { { 0, "new customer =assigned @alice" },
	    { 5, "handed" },
	    { 9, "back" },
	    { 20, "=waiting :customer" } },
	  "owner activate@0 owner_accept activate@5 owner_accept cancel@9 owner fulfil@20" },
	{ "given back without acting",
	  { OWNER },
	  { { 0, "new customer =assigned @alice" }, { 5, "=queued" } },
	  "owner activate@0 owner_accept activate@5 owner cancel@5" },
	{ "the first policy that matches",
	  { COMPLAINT, FIRST },
	  { { 0, "new customer =queued type=complaint" }, { 61, "look" } },
	  "first_response activate@0 resolution activate@0" },
	{ "another queue: its policy, and the old one's clocks are dropped",
	  { "{\"id\":\"vip\",\"when\":{\"queue\":\"vip\"},\"first_response_ms\":1800000,"
	    "\"warn\":0}",
	    NEXT },
	  { { 0, "new customer =queued" }, { 20, "=queued queue=vip" }, { 31, "look" } },
	  "first_response activate@0 first_response cancel@20 first_response activate@20 "
	  "first_response breach@30" },
	{ "another type: what the new policy does not ask for is dropped",
	  { COMPLAINT, OWNER },
	  { { 0, "new customer =queued" }, { 5, "=queued type=complaint" } },
	  "owner_accept activate@0 owner_accept cancel@5 first_response activate@5 "
	  "resolution activate@5" },
	{ "a tier of the customer",
	  { "{\"id\":\"gold\",\"when\":{\"tier\":\"gold\"},\"first_response_ms\":60000,"
	    "\"warn\":0}" },
	  { { 0, "new customer =queued tier=gold" }, { 2, "look" } },
	  "first_response activate@0 first_response breach@1" },
	{ "no policy, no clock",
	  { COMPLAINT },
	  { { 0, "new customer =queued" }, { 61, "look" }, { 70, "reply" } },
	  "" },
	{ "a disabled policy is none",
	  { "{\"id\":\"p\",\"enabled\":false,\"first_response_ms\":60000}" },
	  { { 0, "new customer =queued" }, { 61, "look" } },
	  "" },
	{ "a policy that comes late counts what was waited",
	  { "{\"id\":\"p\",\"when\":{\"type\":\"x\"},\"first_response_ms\":3600000,\"warn\":0}" },
	  { { 0, "new customer =queued" }, { 50, "look type=x" }, { 61, "look" } },
	  "first_response activate@50 first_response breach@60" },
	{ "closed for good",
	  { OWNER, COMPLAINT },
	  { { 0, "new customer =queued" }, { 5, "=cancelled" }, { 100, "look" } },
	  "owner_accept activate@0 owner_accept cancel@5" },
};

Test(sla_clock, follows_the_scenes)
{
	for (size_t i = 0; i < COUNT_OF(scenes); i++) {
		struct stage *stage = stage_new(&scenes[i]);

		cr_expect_str_eq(buf_string(&stage->events), scenes[i].events,
				 "%s:\n  have %s\n  want %s", scenes[i].name,
				 buf_string(&stage->events), scenes[i].events);
		stage_free(&stage);
	}
}

#define RAISING                                                                                    \
	"{\"id\":\"p\",\"first_response_ms\":3600000,\"warn\":50,\"on_warn\":{\"priority\":30,"    \
	"\"urgency\":\"high\"},\"on_breach\":{\"priority\":60,\"escalate\":\"queue:second\","      \
	"\"accept_ms\":5000}}"

Test(sla_clock, raises_when_late_and_lowers_when_disabled)
{
	static const struct scene scene = {
		"raising", { RAISING }, { { 0, "new customer =queued" }, { 61, "look" } }, ""
	};
	struct stage *stage = stage_new(&scene);
	const struct beat asked = { 62, "look asked" }, disabled = { 70, "look none" };

	cr_expect_eq(stage->priority, 90);
	cr_expect_str_eq(stage->texts[2], "high");
	cr_expect_str_eq(stage->record.escalate, "queue:second");
	cr_expect_eq(stage->record.escalate_accept_ms, 5000);
	cr_expect_eq(stage->record.escalate_ms, START + 60 * MINUTE);
	cr_expect_str_eq(sla_attention(&stage->record), "breached");
	play_beat(stage, &asked);
	cr_expect_str_eq(stage->record.escalate, "");
	play_beat(stage, &disabled);
	cr_expect_eq(stage->priority, 0);
	cr_expect_str_eq(stage->texts[2], "");
	cr_expect_str_eq(sla_attention(&stage->record), "");
	cr_expect_eq(sla_next_due(&stage->record), 0);
	stage_free(&stage);
}

Test(sla_clock, raising_the_urgency_does_not_choose_another_policy)
{
	static const struct scene scene = {
		"raising",
		{ "{\"id\":\"urgent\",\"when\":{\"urgency\":\"high\"},\"first_response_ms\":1000}",
		  RAISING },
		{ { 0, "new customer =queued urgency=normal" }, { 31, "look" }, { 40, "look" } },
		""
	};
	struct stage *stage = stage_new(&scene);

	cr_expect_str_eq(stage->texts[2], "high");
	cr_expect_str_eq(stage->record.policy, "p");
	cr_expect_str_eq(sla_attention(&stage->record), "warned");
	cr_expect_eq(sla_next_due(&stage->record), START + 60 * MINUTE);
	stage_free(&stage);
}

static const struct {
	struct log_entry entry;
	bool is_news, created, by_us, customer, answer, handed_over, ended;
	const char *state;
} entries[] = {
	{ .entry = { .type = "message.created",
		     .work_item = "w",
		     .to = "queued",
		     .extra = "{\"nc\":1,\"nw\":1}" },
	  .is_news = true,
	  .created = true,
	  .customer = true,
	  .state = "queued" },
	{ .entry = { .type = "message.created",
		     .work_item = "w",
		     .extra = "{\"d\":\"out\",\"fr\":1}" },
	  .is_news = true,
	  .answer = true,
	  .state = "" },
	{ .entry = { .type = "message.created",
		     .work_item = "w",
		     .extra = "{\"d\":\"out\",\"machine\":1}" },
	  .is_news = true,
	  .state = "" },
	{ .entry = { .type = "message.created", .work_item = "w", .extra = "{\"d\":\"note\"}" },
	  .is_news = true,
	  .state = "" },
	{ .entry = { .type = "message.created",
		     .work_item = "w",
		     .to = "assigned",
		     .extra = "{\"d\":\"out\",\"nc\":1,\"nw\":1}" },
	  .is_news = true,
	  .created = true,
	  .by_us = true,
	  .state = "assigned" },
	{ .entry = { .type = "message.created" }, .state = "" },
	{ .entry = { .type = "work_item.state",
		     .work_item = "w",
		     .to = "waiting",
		     .extra = "{\"for\":\"customer\"}" },
	  .is_news = true,
	  .state = "waiting" },
	{ .entry = { .type = "work_item.state",
		     .work_item = "w",
		     .to = "queued",
		     .extra = "{\"transfer\":\"pending\",\"trf\":\"t\"}" },
	  .is_news = true,
	  .handed_over = true,
	  .state = "queued" },
	{ .entry = { .type = "transfer.state", .work_item = "w", .to = "pending" },
	  .is_news = true,
	  .handed_over = true,
	  .state = "" },
	{ .entry = { .type = "transfer.state", .work_item = "w", .to = "declined" },
	  .is_news = true,
	  .ended = true,
	  .state = "" },
	{ .entry = { .type = "transfer.state",
		     .work_item = "w",
		     .to = "pending",
		     .extra = "{\"kind\":\"consult\"}" },
	  .is_news = true,
	  .state = "" },
	{ .entry = { .type = "sla.state", .work_item = "w", .to = "active" }, .state = "" },
};

Test(sla_fact, reads_the_log)
{
	for (size_t i = 0; i < COUNT_OF(entries); i++) {
		struct log_entry entry = entries[i].entry;
		struct sla_news news = { 0 };

		entry.position = "1-2-3";
		cr_expect_eq(sla_news_read(&entry, &news), entries[i].is_news, "entry %zu", i);
		cr_expect_eq(news.fact.created, entries[i].created, "entry %zu", i);
		cr_expect_eq(news.fact.by_us, entries[i].by_us, "entry %zu", i);
		cr_expect_eq(news.fact.customer, entries[i].customer, "entry %zu", i);
		cr_expect_eq(news.fact.answer, entries[i].answer, "entry %zu", i);
		cr_expect_eq(news.fact.handed_over, entries[i].handed_over, "entry %zu", i);
		cr_expect_eq(news.fact.hand_over_ended, entries[i].ended, "entry %zu", i);
		cr_expect_str_eq(news.state, entries[i].state, "entry %zu", i);
	}
}
