#include "api/explain.h"

#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "base/text.h"
#include "business/plan.h"
#include "routing/figures.h"
#include "routing/roster.h"
#include "store/store.h"

/* What stands between this item and each agent of its queue. */
struct tally {
	int serving; /* agents of the queue */
	int meeting; /* of those, who meet the step */
	int ready;   /* of those, who could take it now */
	int full;
	int away; /* not online or not routable */
	int declined;
	int asked;   /* have an offer, of this item or another one */
	int limited; /* have as much of its channel as they may */
	int busy;    /* hold what its channel may not interrupt */
};

struct stand {
	const struct explaining *what;
	const struct plan *plan;
	const struct plan_step *step; /* NULL: after the last one */
	size_t at;
	int64_t waited_ms;
	struct tally tally;
};

static int level_of(const char *skill, const void *context)
{
	const struct agent_row *row = context;

	for (size_t i = 0; i < row->skill_count; i++)
		if (text_equal(row->skills[i].name, skill))
			return row->skills[i].level;
	return 0;
}

static bool is_named(const struct plan_step *step, const char *agent)
{
	for (size_t i = 0; step->agents[i] != NULL; i++)
		if (text_equal(step->agents[i], agent))
			return true;
	return step->agents[0] == NULL;
}

/* Of who is there and would do: what is in the agent's hands? */
static const char *room_of(struct stand *stand, const struct agent_row *row,
			   const struct store_reply *live)
{
	const struct explain_item *item = stand->what->item;
	const struct channel_row *channel = roster_channel(stand->what->roster, item->channel);
	const char *offer = reply_text(reply_item(live, 4), NULL);
	const char *held = reply_text(reply_item(live, 5), NULL);
	struct tally *tally = &stand->tally;

	if (offer != NULL && *offer != '\0') {
		tally->asked++;
		return text_has_word(item->offers, ' ', offer) ? "offered" : "has_offer";
	}
	if (reply_int(reply_item(live, 3)) + channel_cost(channel, row->capacity) > row->capacity) {
		tally->full++;
		return "full";
	}
	if (limits_are_full(row->limits, row->limit_count, held, item->channel)) {
		tally->limited++;
		return "limit";
	}
	if (!channel_may_interrupt(channel, held)) {
		tally->busy++;
		return "may_not_interrupt";
	}
	tally->ready++;
	return "eligible";
}

static const char *standing_of(struct stand *stand, const struct agent_row *row,
			       const struct store_reply *live)
{
	const struct explain_item *item = stand->what->item;
	struct tally *tally = &stand->tally;

	tally->serving++;
	if (stand->step != NULL && !is_named(stand->step, row->id))
		return "not_preferred";
	if (stand->step != NULL && !need_is_met(stand->step->need, level_of, row))
		return "lacks_skill";
	tally->meeting++;
	if (!text_equal(reply_text(reply_item(live, 1), NULL), "online") ||
	    reply_int(reply_item(live, 2)) == 0) {
		tally->away++;
		return "away";
	}
	if (text_equal(item->agent, row->id))
		return "holds_it";
	if (text_has_word(item->declined, ' ', row->id)) {
		tally->declined++;
		return "declined";
	}
	return room_of(stand, row, live);
}

static void write_agents(struct json_out *out, struct stand *stand)
{
	const struct store_reply *agents = stand->what->agents;

	jw_array(out, "agents");
	for (size_t i = 0; i < reply_count(agents); i++) {
		const struct store_reply *live = reply_item(agents, i);
		const struct agent_row *row =
			roster_agent(stand->what->roster, reply_text(reply_item(live, 0), NULL));

		if (row == NULL || !agent_serves(row, stand->what->item->queue))
			continue;
		jw_object(out, NULL);
		jw_text(out, "agent", row->id);
		jw_text(out, "standing", standing_of(stand, row, live));
		jw_text(out, "status", reply_text(reply_item(live, 1), NULL));
		jw_int(out, "load", reply_int(reply_item(live, 3)));
		jw_int(out, "capacity", row->capacity);
		jw_object_end(out);
	}
	jw_array_end(out);
}

/* ---- the plan ---- */

static const char *step_state(const struct stand *stand, size_t index)
{
	return index < stand->at ? "expired" : index == stand->at ? "active" : "inactive";
}

static void write_step(struct json_out *out, const struct stand *stand, size_t index)
{
	const struct plan_step *step = plan_step(stand->plan, index);
	const struct plan_step *before = index == 0 ? NULL : plan_step(stand->plan, index - 1);
	int64_t queued_ms = stand->what->item->queued_ms;

	jw_object(out, NULL);
	jw_int(out, "step", (int64_t)index + 1);
	jw_text(out, "state", step_state(stand, index));
	jw_text(out, "need", step->need_text);
	jw_array(out, "agents");
	for (size_t i = 0; step->agents[i] != NULL; i++)
		jw_text(out, NULL, step->agents[i]);
	jw_array_end(out);
	jw_int(out, "priority", stand->what->item->priority + step->priority);
	jw_time(out, "from", queued_ms + (before == NULL ? 0 : before->until_ms));
	if (step->until_ms == INT64_MAX)
		jw_null(out, "until");
	else
		jw_time(out, "until", queued_ms + step->until_ms);
	jw_object_end(out);
}

static void write_plan(struct json_out *out, const struct stand *stand)
{
	jw_array(out, "plan");
	for (size_t i = 0; i < plan_count(stand->plan); i++)
		write_step(out, stand, i);
	jw_array_end(out);
}

/* ---- words ---- */

static void say_step(struct words *words, const struct stand *stand)
{
	size_t count = plan_count(stand->plan);
	const char *need = stand->step == NULL ? "" : stand->step->need_text;
	struct spoken left;

	if (count > 1 && stand->step != NULL) {
		buf_format(&words->en, "Step %zu of %zu. ", stand->at + 1, count);
		buf_format(&words->zh, "第 %zu 步，共 %zu 步。", stand->at + 1, count);
	} else if (stand->step == NULL) {
		buf_text(&words->en,
			 "All steps of its plan have passed: any agent of the queue will do. ");
		buf_text(&words->zh, "路由步骤已全部到期：队列内任一坐席均可。");
	}
	if (*need != '\0') {
		buf_format(&words->en, "It needs %s: %d of %d agents meet that. ", need,
			   stand->tally.meeting, stand->tally.serving);
		buf_format(&words->zh, "需要技能 %s：%d 名坐席中有 %d 名符合。", need,
			   stand->tally.serving, stand->tally.meeting);
	}
	if (stand->step == NULL || stand->step->until_ms == INT64_MAX)
		return;
	left = spoken_duration((stand->step->until_ms - stand->waited_ms + 999) / 1000);
	if (stand->at + 1 < count) {
		buf_format(&words->en, "Step %zu starts in %s. ", stand->at + 2, left.en);
		buf_format(&words->zh, "%s后进入第 %zu 步。", left.zh, stand->at + 2);
	} else {
		buf_format(&words->en, "In %s any agent of the queue will do. ", left.en);
		buf_format(&words->zh, "%s后队列内任一坐席均可。", left.zh);
	}
}

struct spoken spoken_duration(int64_t seconds)
{
	long long minutes = (long long)seconds / 60, hours = minutes / 60;
	struct spoken spoken;

	if (seconds < 120) {
		snprintf(spoken.en, sizeof(spoken.en), "%lld s", (long long)seconds);
		snprintf(spoken.zh, sizeof(spoken.zh), "%lld 秒", (long long)seconds);
	} else if (hours == 0) {
		snprintf(spoken.en, sizeof(spoken.en), "%lld min", minutes);
		snprintf(spoken.zh, sizeof(spoken.zh), "%lld 分钟", minutes);
	} else if (hours < 48) {
		snprintf(spoken.en, sizeof(spoken.en), "%lld h %lld min", hours, minutes % 60);
		snprintf(spoken.zh, sizeof(spoken.zh), "%lld 小时 %lld 分", hours, minutes % 60);
	} else {
		snprintf(spoken.en, sizeof(spoken.en), "%lld d %lld h", hours / 24, hours % 24);
		snprintf(spoken.zh, sizeof(spoken.zh), "%lld 天 %lld 小时", hours / 24, hours % 24);
	}
	return spoken;
}

/* The rarer reasons, where there are any. */
static void say_hands(struct words *words, const struct tally *tally, const char *channel)
{
	if (tally->asked > 0) {
		buf_format(&words->en, "%d have an offer to answer. ", tally->asked);
		buf_format(&words->zh, "%d 名有待答的派单。", tally->asked);
	}
	if (tally->limited > 0) {
		buf_format(&words->en, "%d have as much of channel \"%s\" as they may. ",
			   tally->limited, channel);
		buf_format(&words->zh, "%d 名在渠道“%s”上已达上限。", tally->limited, channel);
	}
	if (tally->busy > 0) {
		buf_format(&words->en,
			   "%d have work in hand that channel \"%s\" may not interrupt. ",
			   tally->busy, channel);
		buf_format(&words->zh, "%d 名手上的工作不可被渠道“%s”打断。", tally->busy, channel);
	}
}

static void say_agents(struct words *words, const struct tally *tally)
{
	if (tally->serving == 0) {
		buf_text(&words->en, "No agent serves this queue. ");
		buf_text(&words->zh, "没有坐席服务该队列。");
		return;
	}
	buf_format(&words->en,
		   "Of %d agents, %d could take it now, %d are full, %d are away or not routable, "
		   "%d have declined or missed it. ",
		   tally->meeting, tally->ready, tally->full, tally->away, tally->declined);
	buf_format(&words->zh,
		   "其中 %d 名坐席：%d 名现在可接，%d 名已达接待上限，%d 名离开或不可派单，%d "
		   "名已拒接或未应答。",
		   tally->meeting, tally->ready, tally->full, tally->away, tally->declined);
}

/* Who had it before is waited for while the queue's sticky time lasts. */
static void say_kept(struct words *words, const struct stand *stand, const struct queue_row *queue)
{
	const struct explain_item *item = stand->what->item;
	int64_t left_ms = queue == NULL ? 0 : queue->sticky_ms - stand->waited_ms;
	struct spoken left;

	if (*item->last_agent == '\0' || left_ms <= 0)
		return;
	left = spoken_duration((left_ms + 999) / 1000);
	buf_format(&words->en, "It is kept for its last agent \"%s\" for %s more. ",
		   item->last_agent, left.en);
	buf_format(&words->zh, "为上次的坐席“%s”保留，还剩 %s。", item->last_agent, left.zh);
}

static void say_waiting(struct words *words, const struct stand *stand)
{
	const struct explain_item *item = stand->what->item;
	const struct queue_row *queue = roster_queue(stand->what->roster, item->queue);
	struct spoken waited = spoken_duration(stand->waited_ms / 1000);

	buf_format(&words->en, "It waits in queue \"%s\" for %s, as number %lld of %lld. ",
		   item->queue, waited.en, (long long)item->place, (long long)item->waiting);
	buf_format(&words->zh, "在队列“%s”中已等待 %s，排第 %lld 位，共 %lld 件。", item->queue,
		   waited.zh, (long long)item->place, (long long)item->waiting);
	if (queue != NULL && queue->is_paused) {
		buf_text(&words->en, "The queue is paused. ");
		buf_text(&words->zh, "该队列已暂停派单。");
	}
	say_step(words, stand);
	say_agents(words, &stand->tally);
	say_hands(words, &stand->tally, item->channel);
	say_kept(words, stand, queue);
	if (*item->agent != '\0') {
		buf_format(&words->en, "Agent \"%s\" keeps it until somebody takes it. ",
			   item->agent);
		buf_format(&words->zh, "在有人接手之前仍由坐席“%s”负责。", item->agent);
	}
}

static void say_other(struct words *words, const struct explain_item *item)
{
	if (text_equal(item->state, "assigned") || text_equal(item->state, "wrapping")) {
		buf_format(&words->en, "It is with agent \"%s\". ", item->agent);
		buf_format(&words->zh, "正由坐席“%s”处理。", item->agent);
	} else if (text_equal(item->state, "waiting")) {
		buf_format(&words->en, "Agent \"%s\" waits: %s. ", item->agent, item->waiting_for);
		buf_format(&words->zh, "坐席“%s”正在等待：%s。", item->agent, item->waiting_for);
	} else {
		buf_format(&words->en, "It does not wait in a queue: its state is %s. ",
			   item->state);
		buf_format(&words->zh, "它不在排队：状态为 %s。", item->state);
	}
}

static void say_transfer(struct words *words, const struct explaining *what)
{
	struct spoken left = spoken_duration((what->item->transfer_ms - what->now_ms + 999) / 1000);

	if (what->item->transfer_ms == 0)
		return;
	buf_format(&words->en, "A transfer is pending for %s more. ", left.en);
	buf_format(&words->zh, "有一个待接受的转交，还剩 %s。", left.zh);
}

static void write_words(struct json_out *out, struct words *words)
{
	/* Every sentence leaves a space behind it. */
	jw_object(out, "text");
	jw_textn(out, "en", buf_string(&words->en), words->en.len == 0 ? 0 : words->en.len - 1);
	jw_text(out, "zh", buf_string(&words->zh));
	jw_object_end(out);
	buf_clear(&words->en);
	buf_clear(&words->zh);
}

/* ---- the rest ---- */

/* Which rule gave what; null where none did. */
static void write_rules(struct json_out *out, const struct explain_item *item)
{
	static const char *const outputs[] = { "type", "topic", "urgency" };
	const char *names = item->given;

	if (item->rules_version > 0)
		jw_int(out, "rules_version", item->rules_version);
	jw_object(out, "given_by");
	jw_text(out, "queue", *item->rule == '\0' ? NULL : item->rule);
	for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++) {
		size_t len = strcspn(names, "\n");

		if (len == 0)
			jw_null(out, outputs[i]);
		else
			jw_textn(out, outputs[i], names, len);
		names += len + (names[len] == '\n');
	}
	/* The rule that chose whom to ask, where one did. */
	if (*names != '\0')
		jw_textn(out, "classifier", names, strcspn(names, "\n"));
	jw_object_end(out);
}

static void write_place(struct json_out *out, const struct stand *stand)
{
	const struct explain_item *item = stand->what->item;
	struct queue_figures figures;
	int64_t wait_ms;

	jw_int(out, "place", item->place);
	jw_int(out, "waiting", item->waiting);
	jw_int(out, "waited_s", stand->waited_ms / 1000);
	figures_queue(stand->what->figures, item->queue, stand->what->now_ms, &figures);
	wait_ms = figures_expected_wait(&figures, item->place, stand->tally.ready);
	if (wait_ms < 0)
		jw_null(out, "expected_wait_s");
	else
		jw_int(out, "expected_wait_s", wait_ms / 1000);
}

static void write_item(struct json_out *out, struct stand *stand)
{
	const struct explain_item *item = stand->what->item;
	bool waits = text_equal(item->state, "queued") || text_equal(item->state, "offered");
	struct words words = { { 0 }, { 0 } };

	jw_object(out, NULL);
	jw_text(out, "work_item", item->id);
	jw_text(out, "state", item->state);
	jw_text(out, "queue", item->queue);
	jw_text(out, "skills", stand->step == NULL ? "" : stand->step->need_text);
	jw_text(out, "rule", item->rule);
	write_rules(out, item);
	write_plan(out, stand);
	write_agents(out, stand);
	if (waits)
		write_place(out, stand);
	if (waits)
		say_waiting(&words, stand);
	else
		say_other(&words, item);
	say_transfer(&words, stand->what);
	explain_clocks(out, &words, stand->what);
	write_words(out, &words);
	jw_object_end(out);
}

void explain_answer(struct api_call *call, const struct explaining *what)
{
	struct error err;
	struct plan *plan = plan_parse(what->item->plan, &err);
	struct stand stand = { .what = what };
	struct buf body = { 0 };
	struct json_out out;

	if (plan == NULL)
		plan = plan_parse("", &err);
	stand.plan = plan;
	stand.waited_ms = what->now_ms - what->item->queued_ms;
	stand.at = plan_at(plan, stand.waited_ms);
	stand.step = plan_step(plan, stand.at);
	jw_start(&out, &body);
	write_item(&out, &stand);
	plan_free(&plan);
	api_answer(call, 200, &body);
}
