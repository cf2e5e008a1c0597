#define PCRE2_CODE_UNIT_WIDTH 8
#include "routing/rules.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "converge/message.h"

/* A pattern comes from an administrator, the text from anybody: the limits keep
 * a costly pair from holding the loop. */
enum { MATCH_LIMIT = 20000, DEPTH_LIMIT = 250, HEAP_LIMIT_KB = 256, TEXT_MAX = 16 * 1024 };

struct rule {
	const char *name;
	pcre2_code *text; /* NULL: any */
	const char *channel;
	const char *queue;
	const char *type;
	const char *topic;
	const char *urgency;
	const char *skills;
	int64_t priority;
};

struct rules {
	int refs;
	struct arena *arena;
	struct rule *list;
	size_t count;
	pcre2_match_context *match;
};

struct skill_text {
	struct buf *out;
};

static void add_skill(const char *name, struct json_object *level, void *context)
{
	struct skill_text *text = context;

	if (text->out->len > 0)
		buf_byte(text->out, '&');
	buf_format(text->out, "%s>=%lld", name, (long long)json_int(level, "", 1));
}

static const char *skills_text(struct json_object *skills, struct arena *arena)
{
	struct buf out = { 0 };
	struct skill_text text = { &out };
	const char *copy;

	if (json_kind(skills) == JSON_OBJECT)
		json_each_field(skills, add_skill, &text);
	copy = arena_text(arena, buf_string(&out));
	buf_clear(&out);
	return copy;
}

static int rule_compile(struct rule *rule, const char *pattern, struct error *err)
{
	int code;
	PCRE2_SIZE at;
	PCRE2_UCHAR why[120];

	if (pattern == NULL)
		return 0;
	rule->text = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
				   PCRE2_UTF | PCRE2_UCP | PCRE2_CASELESS | PCRE2_NEVER_BACKSLASH_C,
				   &code, &at, NULL);
	if (rule->text != NULL)
		return 0;
	pcre2_get_error_message(code, why, sizeof(why));
	return error_set(err, ERROR_MISUSE, "rule \"%s\": pattern at character %zu: %s", rule->name,
			 (size_t)at, (const char *)why);
}

static int rule_read(struct rules *rules, struct rule *rule, struct json_object *object,
		     struct error *err)
{
	struct arena *arena = rules->arena;

	rule->name = json_text_copy(object, "name", arena);
	if (rule->name == NULL)
		rule->name = "";
	rule->channel = json_text_copy(object, "when.channel", arena);
	rule->queue = json_text_copy(object, "then.queue", arena);
	rule->type = json_text_copy(object, "then.type", arena);
	rule->topic = json_text_copy(object, "then.topic", arena);
	rule->urgency = json_text_copy(object, "then.urgency", arena);
	rule->priority = json_int(object, "then.priority", 0);
	rule->skills = skills_text(json_at(object, "then.skills"), arena);
	return rule_compile(rule, json_text(object, "when.text"), err);
}

struct rules *rules_new(struct json_object *const *list, size_t count, struct error *err)
{
	struct rules *rules = memory_new(sizeof(*rules));

	rules->refs = 1;
	rules->arena = arena_new(0);
	rules->list = arena_alloc(rules->arena, (count + 1) * sizeof(*rules->list));
	rules->match = pcre2_match_context_create(NULL);
	pcre2_set_match_limit(rules->match, MATCH_LIMIT);
	pcre2_set_depth_limit(rules->match, DEPTH_LIMIT);
	pcre2_set_heap_limit(rules->match, HEAP_LIMIT_KB);
	for (size_t i = 0; i < count; i++) {
		if (rule_read(rules, &rules->list[i], list[i], err) != 0) {
			rules_unref(&rules);
			return NULL;
		}
		rules->count++;
	}
	return rules;
}

struct rules *rules_ref(struct rules *rules)
{
	rules->refs++;
	return rules;
}

void rules_unref(struct rules **rules)
{
	struct rules *held = *rules;

	*rules = NULL;
	if (held == NULL || --held->refs > 0)
		return;
	for (size_t i = 0; i <= held->count && held->list != NULL; i++)
		pcre2_code_free(held->list[i].text);
	pcre2_match_context_free(held->match);
	arena_free(&held->arena);
	free(held);
}

static bool text_matches(const struct rules *rules, const struct rule *rule, const char *text)
{
	pcre2_match_data *data;
	int found;

	if (rule->text == NULL)
		return true;
	if (text == NULL || *text == '\0')
		return false;
	data = pcre2_match_data_create(1, NULL);
	found = pcre2_match(rule->text, (PCRE2_SPTR)text, text_prefix(text, strlen(text), TEXT_MAX),
			    0, PCRE2_NO_UTF_CHECK, data, rules->match);
	pcre2_match_data_free(data);
	return found >= 0;
}

static bool rule_matches(const struct rules *rules, const struct rule *rule,
			 const struct message *message, const char *channel)
{
	if (rule->channel != NULL && !text_equal(rule->channel, channel))
		return false;
	if (rule->text == NULL)
		return true;
	return text_matches(rules, rule, message->text) ||
	       text_matches(rules, rule, message->subject);
}

static const char *first(const char *held, const char *offered)
{
	return held != NULL ? held : offered;
}

void rules_classify(const struct rules *rules, const struct message *message, const char *channel,
		    const char *fallback_queue, struct classification *ret)
{
	struct classification found = { .skills = "", .rule = "" };

	for (size_t i = 0; rules != NULL && i < rules->count; i++) {
		const struct rule *rule = &rules->list[i];

		if (!rule_matches(rules, rule, message, channel))
			continue;
		if (found.queue == NULL && rule->queue != NULL) {
			found.queue = rule->queue;
			found.rule = rule->name;
			found.priority = rule->priority;
			found.skills = rule->skills;
		}
		found.type = first(found.type, rule->type);
		found.topic = first(found.topic, rule->topic);
		found.urgency = first(found.urgency, rule->urgency);
	}
	found.queue = first(found.queue, fallback_queue);
	found.type = first(found.type, "");
	found.topic = first(found.topic, "");
	found.urgency = first(found.urgency, "normal");
	*ret = found;
}
