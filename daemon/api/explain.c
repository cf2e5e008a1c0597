#include "api/explain.h"

#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "base/text.h"
#include "parts.h"
#include "routing/roster.h"
#include "services/loop.h"
#include "store/store.h"

/* What stands between this item and each agent of its queue. */
struct tally {
	int serving; /* agents of the queue */
	int skilled; /* of those, with the skills */
	int ready;   /* of those, online and routable */
	int full;    /* skilled and ready, without room */
	int away;    /* skilled, but not online or not routable */
};

static const char *agent_standing(const struct explain_item *item, const struct agent_row *row,
				  const struct store_reply *live, struct tally *tally)
{
	if (!agent_serves(row, item->queue))
		return "other_queue";
	tally->serving++;
	if (!agent_has_skills(row, item->skills))
		return "lacks_skill";
	tally->skilled++;
	if (!text_equal(reply_text(reply_item(live, 1), NULL), "online") ||
	    reply_int(reply_item(live, 2)) == 0) {
		tally->away++;
		return "away";
	}
	if (reply_int(reply_item(live, 3)) + 1 > row->capacity) {
		tally->full++;
		return "full";
	}
	tally->ready++;
	return "eligible";
}

static void write_agents(struct json_out *out, const struct explain_item *item,
			 const struct roster *roster, const struct store_reply *agents,
			 struct tally *tally)
{
	jw_array(out, "agents");
	for (size_t i = 0; i < reply_count(agents); i++) {
		const struct store_reply *live = reply_item(agents, i);
		const struct agent_row *row =
			roster_agent(roster, reply_text(reply_item(live, 0), NULL));
		const char *standing;

		if (row == NULL)
			continue;
		standing = agent_standing(item, row, live, tally);
		if (text_equal(standing, "other_queue"))
			continue;
		jw_object(out, NULL);
		jw_text(out, "agent", row->id);
		jw_text(out, "standing", standing);
		jw_text(out, "status", reply_text(reply_item(live, 1), NULL));
		jw_int(out, "load", reply_int(reply_item(live, 3)));
		jw_int(out, "capacity", row->capacity);
		jw_object_end(out);
	}
	jw_array_end(out);
}

static void write_waiting(struct buf *en, struct buf *zh, const struct explain_item *item,
			  const struct tally *tally, int64_t waited_s)
{
	buf_format(en, "It waits in queue \"%s\" since %lld s. ", item->queue, (long long)waited_s);
	buf_format(zh, "在队列“%s”中已等待 %lld 秒。", item->queue, (long long)waited_s);
	if (tally->serving == 0) {
		buf_text(en, "No agent serves this queue.");
		buf_text(zh, "没有坐席服务该队列。");
		return;
	}
	if (item->skills != NULL && *item->skills != '\0') {
		buf_format(en, "It needs %s: %d of %d agents have it. ", item->skills,
			   tally->skilled, tally->serving);
		buf_format(zh, "需要技能 %s：%d 名坐席中有 %d 名具备。", item->skills,
			   tally->serving, tally->skilled);
	}
	buf_format(en, "Of %d, %d could take it now, %d are full, %d are away or not routable.",
		   tally->skilled, tally->ready, tally->full, tally->away);
	buf_format(zh, "其中 %d 名现在可接，%d 名已达接待上限，%d 名离开或不可派单。", tally->ready,
		   tally->full, tally->away);
}

static void write_other(struct buf *en, struct buf *zh, const struct explain_item *item)
{
	const char *agent = item->agent == NULL ? "" : item->agent;

	if (text_equal(item->state, "assigned") || text_equal(item->state, "wrapping")) {
		buf_format(en, "It is with agent \"%s\".", agent);
		buf_format(zh, "正由坐席“%s”处理。", agent);
	} else {
		buf_format(en, "It does not wait in a queue: its state is %s.", item->state);
		buf_format(zh, "它不在排队：状态为 %s。", item->state);
	}
}

/* Which rule gave what; null where none did. */
static void write_rules(struct json_out *out, const struct explain_item *item)
{
	static const char *const outputs[] = { "type", "topic", "urgency" };
	const char *names = item->given == NULL ? "" : item->given;

	if (item->rules_version > 0)
		jw_int(out, "rules_version", item->rules_version);
	jw_object(out, "given_by");
	jw_text(out, "queue", item->rule == NULL || *item->rule == '\0' ? NULL : item->rule);
	for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++) {
		size_t len = strcspn(names, "\n");

		if (len == 0)
			jw_null(out, outputs[i]);
		else
			jw_textn(out, outputs[i], names, len);
		names += len + (names[len] == '\n');
	}
	jw_object_end(out);
}

void explain_answer(struct api_call *call, const struct explain_item *item,
		    const struct roster *roster, const struct store_reply *agents)
{
	struct tally tally = { 0 };
	struct buf body = { 0 };
	struct buf en = { 0 };
	struct buf zh = { 0 };
	struct json_out out;
	int64_t waited_s = (loop_unix_ms(call->parts->loop) - item->queued_ms) / 1000;

	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_text(&out, "work_item", item->id);
	jw_text(&out, "state", item->state);
	jw_text(&out, "queue", item->queue);
	jw_text(&out, "skills", item->skills == NULL ? "" : item->skills);
	jw_text(&out, "rule", item->rule);
	write_rules(&out, item);
	write_agents(&out, item, roster, agents, &tally);
	if (text_equal(item->state, "queued") || text_equal(item->state, "offered"))
		write_waiting(&en, &zh, item, &tally, waited_s);
	else
		write_other(&en, &zh, item);
	jw_object(&out, "text");
	jw_text(&out, "en", buf_string(&en));
	jw_text(&out, "zh", buf_string(&zh));
	jw_object_end(&out);
	jw_object_end(&out);
	buf_clear(&en);
	buf_clear(&zh);
	api_answer(call, 200, &body);
}
