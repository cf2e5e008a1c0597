/* Rules tried and judged: POST /v1/rules/test and /lint; both change nothing. */
#include <string.h>

#include "api/handlers.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "business/business.h"
#include "converge/message.h"
#include "parts.h"
#include "routing/objects.h"
#include "routing/rules.h"
#include "routing/rules_lint.h"
#include "services/loop.h"
#include "store/store.h"

enum { ATTACHMENTS_MAX = 50, PREVIOUS_MAX = 50 };

/* The rules at hand: those of the body, else the stored ones. */
struct rule_set {
	struct json_object **rules;
	size_t count;
	bool is_given;
	int64_t version; /* of the stored ones */
};

static void rule_set_clear(struct rule_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		json_free(&set->rules[i]);
}

/* One rule of the body, judged as if it were stored. NULL with err. */
static struct json_object *rule_given(struct json_object *given, struct error *err)
{
	struct buf canonical = { 0 };
	struct json_object *rule = NULL;

	if (business_check("rules", given, &canonical, err) == 0)
		rule = json_read(canonical.data, canonical.len, err);
	buf_clear(&canonical);
	return rule;
}

/* False after having answered. */
static bool rules_given(struct api_call *call, struct rule_set *set)
{
	struct json_object *list = json_at(call->body, "rules");
	size_t count = json_count(list);
	struct error err;

	set->is_given = true;
	set->rules = arena_alloc(call->arena, (count + 1) * sizeof(*set->rules));
	for (size_t i = 0; i < count; i++) {
		set->rules[i] = rule_given(json_item(list, i), &err);
		if (set->rules[i] == NULL) {
			rule_set_clear(set);
			api_invalid(call, arena_format(call->arena, "#/body/rules/%zu", i), "%s",
				    err.text);
			return false;
		}
		set->count++;
	}
	return true;
}

static bool rules_take(struct api_call *call, const struct store_reply *reply, struct rule_set *set)
{
	struct ordered *list;
	struct error err = { 0 };

	*set = (struct rule_set){ .version = reply_int(reply_item(reply, 2)) };
	if (json_has(call->body, "rules"))
		return rules_given(call, set);
	set->count = objects_read(reply_item(reply, 0), call->arena, &list, &err);
	set->rules = objects_of(list, set->count, call->arena);
	return true;
}

static void rules_ask(struct api_call *call, store_done_fn *done)
{
	struct store_call *read = store_script("roster_read", call->who.workspace);

	store_key(read, "cfg:rules");
	store_key(read, "cfg:calendars");
	store_read(call->parts->store, read, done, call);
}

/* ---- lint ---- */

static void on_lint(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct rule_findings findings = { .arena = call->arena };
	struct rule_set set;
	struct buf body = { 0 };
	struct json_out out;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (!rules_take(call, reply, &set))
		return;
	rules_lint(set.rules, set.count, &findings);
	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_int(&out, "rules", (int64_t)set.count);
	jw_array(&out, "findings");
	for (size_t i = 0; i < findings.count; i++) {
		jw_object(&out, NULL);
		jw_text(&out, "rule", findings.list[i].rule);
		jw_text(&out, "code", findings.list[i].code);
		jw_object(&out, "text");
		jw_text(&out, "en", findings.list[i].en);
		jw_text(&out, "zh", findings.list[i].zh);
		jw_object_end(&out);
		jw_object_end(&out);
	}
	jw_array_end(&out);
	jw_object_end(&out);
	rule_set_clear(&set);
	api_answer(call, 200, &body);
}

void handle_rules_lint(struct api_call *call)
{
	rules_ask(call, on_lint);
}

/* ---- test ---- */

static void attachments_take(struct api_call *call, struct rule_facts *facts)
{
	struct json_object *list = json_at(call->body, "attachments");
	size_t count = json_count(list);
	struct attachment *attachments =
		arena_alloc(call->arena, (count + 1) * sizeof(*attachments));

	for (size_t i = 0; i < count && i < ATTACHMENTS_MAX; i++)
		attachments[facts->attachment_count++].type = json_string(json_item(list, i));
	facts->attachments = attachments;
}

static const char *text_or_empty(struct json_object *object, const char *key)
{
	const char *text = json_text(object, key);

	return text == NULL ? "" : text;
}

static void previous_take(struct api_call *call, struct rule_customer *customer, int64_t now_ms)
{
	struct json_object *list = json_at(call->body, "previous");
	size_t count = json_count(list) < PREVIOUS_MAX ? json_count(list) : PREVIOUS_MAX;
	struct rule_previous *previous = arena_alloc(call->arena, (count + 1) * sizeof(*previous));

	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_item(list, i);
		const char *since = json_text(item, "since");

		previous[i] = (struct rule_previous){
			.state = text_or_empty(item, "state"),
			.type = text_or_empty(item, "type"),
			.topic = text_or_empty(item, "topic"),
			.queue = text_or_empty(item, "queue"),
			.since_ms = since == NULL ? now_ms : text_parse_time(since),
		};
	}
	customer->previous = previous;
	customer->previous_count = count;
}

static struct rule_facts facts_take(struct api_call *call)
{
	struct rule_customer *customer = arena_alloc(call->arena, sizeof(*customer));
	const char *time = json_text(call->body, "time");
	const char *text = text_or_empty(call->body, "text");
	struct rule_facts facts = {
		.channel = json_text(call->body, "channel"),
		.subject = json_text(call->body, "subject"),
		.language = json_text(call->body, "language"),
		.text = text_clean(call->arena, text, strlen(text), LIMIT_TEXT_BYTES),
		.customer = customer,
		.now_ms = time == NULL ? loop_unix_ms(call->parts->loop) : text_parse_time(time),
	};

	attachments_take(call, &facts);
	customer->tier = json_text(call->body, "tier");
	customer->attributes = json_at(call->body, "attributes");
	previous_take(call, customer, facts.now_ms);
	return facts;
}

static void write_gave(struct json_out *out, const struct rule_verdict *verdict)
{
	jw_array(out, "gave");
	if (verdict->gave_queue)
		jw_text(out, NULL, "queue");
	if (verdict->gave_type)
		jw_text(out, NULL, "type");
	if (verdict->gave_topic)
		jw_text(out, NULL, "topic");
	if (verdict->gave_urgency)
		jw_text(out, NULL, "urgency");
	jw_array_end(out);
}

static void write_words(struct json_out *out, struct arena *arena,
			const struct rule_verdict *verdict)
{
	const char *en = "It matches.";
	const char *zh = "匹配。";

	if (!verdict->is_matching && *verdict->found != '\0') {
		en = arena_format(arena, "%s does not hold: it asks for %s, here is \"%s\".",
				  verdict->failed, verdict->wanted, verdict->found);
		zh = arena_format(arena, "条件 %s 不成立：要求 %s，实际为“%s”。", verdict->failed,
				  verdict->wanted, verdict->found);
	} else if (!verdict->is_matching) {
		en = arena_format(arena, "%s does not hold: it asks for %s.", verdict->failed,
				  verdict->wanted);
		zh = arena_format(arena, "条件 %s 不成立：要求 %s。", verdict->failed,
				  verdict->wanted);
	}
	jw_object(out, "text");
	jw_text(out, "en", en);
	jw_text(out, "zh", zh);
	jw_object_end(out);
}

static void write_verdict(struct json_out *out, struct arena *arena,
			  const struct rule_verdict *verdict)
{
	jw_object(out, NULL);
	jw_text(out, "name", verdict->name);
	jw_bool(out, "fired", verdict->is_matching);
	write_gave(out, verdict);
	if (!verdict->is_matching) {
		jw_object(out, "failed");
		jw_text(out, "condition", verdict->failed);
		jw_raw(out, "wanted", verdict->wanted, strlen(verdict->wanted));
		jw_text(out, "found", *verdict->found == '\0' ? NULL : verdict->found);
		jw_object_end(out);
	}
	write_words(out, arena, verdict);
	jw_object_end(out);
}

static void write_by(struct json_out *out, const char *output, const char *rule)
{
	jw_text(out, output, *rule == '\0' ? NULL : rule);
}

static void write_outcome(struct json_out *out, const struct classification *got)
{
	jw_text(out, "queue", got->queue);
	jw_text(out, "type", got->type);
	jw_text(out, "topic", got->topic);
	jw_text(out, "urgency", got->urgency);
	jw_text(out, "classifier", *got->classifier == '\0' ? NULL : got->classifier);
	jw_int(out, "priority", got->priority);
	jw_text(out, "plan", got->skills);
	jw_object(out, "given_by");
	write_by(out, "queue", got->rule);
	write_by(out, "type", got->type_rule);
	write_by(out, "topic", got->topic_rule);
	write_by(out, "urgency", got->urgency_rule);
	write_by(out, "classifier", got->classifier_rule);
	jw_object_end(out);
	jw_text(out, "stopped", got->stopped);
}

static void answer_trial(struct api_call *call, const struct rules *rules,
			 const struct rule_set *set)
{
	struct rule_facts facts = facts_take(call);
	struct rule_verdict *verdicts =
		arena_alloc(call->arena, (set->count + 1) * sizeof(*verdicts));
	struct classification got;
	struct buf body = { 0 };
	struct json_out out;

	rules_try(rules, &facts, call->arena, verdicts, &got);
	jw_start(&out, &body);
	jw_object(&out, NULL);
	if (set->is_given)
		jw_null(&out, "version");
	else
		jw_int(&out, "version", set->version);
	write_outcome(&out, &got);
	jw_array(&out, "rules");
	for (size_t i = 0; i < set->count; i++)
		write_verdict(&out, call->arena, &verdicts[i]);
	jw_array_end(&out);
	jw_object_end(&out);
	api_answer(call, 200, &body);
}

static void on_test(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct ordered *calendars;
	struct error wrong = { 0 };
	struct rule_set set;
	struct rule_source source = { 0 };
	struct rules *rules;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (!rules_take(call, reply, &set))
		return;
	source.rules = set.rules;
	source.rule_count = set.count;
	source.calendar_count = objects_read(reply_item(reply, 1), call->arena, &calendars, &wrong);
	source.calendars = objects_of(calendars, source.calendar_count, call->arena);
	rules = rules_new(&source, &wrong);
	if (rules == NULL)
		api_problem(call, 400, "bad_rules", "%s", wrong.text);
	else
		answer_trial(call, rules, &set);
	rules_unref(&rules);
	rule_set_clear(&set);
	objects_free(calendars, source.calendar_count);
}

void handle_rules_test(struct api_call *call)
{
	rules_ask(call, on_test);
}
