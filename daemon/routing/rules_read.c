#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "business/calendar.h"
#include "business/plan.h"
#include "routing/rules_private.h"

enum { TEXTS_MAX = 2000, CHILDREN_MAX = 64 };

struct reading {
	struct rules *rules;
	struct rule *rule;
	struct error *err;
	bool failed;
};

typedef void condition_read_fn(struct reading *reading, struct condition *condition,
			       struct json_object *value);

static void when_read(struct reading *reading, struct condition *group, struct json_object *when);

/* A text or a list of texts. */
static const char *const *texts_of(struct arena *arena, struct json_object *value)
{
	size_t count = json_kind(value) == JSON_ARRAY ? json_count(value) : 1;
	const char **texts;
	size_t used = 0;

	if (value == NULL || count > TEXTS_MAX)
		return NULL;
	texts = arena_alloc(arena, (count + 1) * sizeof(*texts));
	for (size_t i = 0; i < count; i++) {
		struct json_object *one =
			json_kind(value) == JSON_ARRAY ? json_item(value, i) : value;

		if (json_string(one) != NULL)
			texts[used++] = arena_text(arena, json_string(one));
	}
	return texts;
}

static void read_texts(struct reading *reading, struct condition *condition,
		       struct json_object *value)
{
	condition->texts = texts_of(reading->rules->arena, value);
}

static void read_person(struct reading *reading, struct condition *condition,
			struct json_object *value)
{
	reading->rules->needs_customer = true;
	read_texts(reading, condition, value);
}

static void read_predicate(struct reading *reading, struct condition *condition,
			   struct json_object *value)
{
	condition->predicate = reading->rules->predicates++;
	read_texts(reading, condition, value);
}

static void read_keywords(struct reading *reading, struct condition *condition,
			  struct json_object *value)
{
	struct rules *rules = reading->rules;

	read_predicate(reading, condition, value);
	condition->list = rules->keyword_lists++;
	for (size_t i = 0; condition->texts != NULL && condition->texts[i] != NULL; i++)
		keywords_add(rules->keywords, condition->texts[i], condition->list);
}

static void read_pattern(struct reading *reading, struct condition *condition,
			 struct json_object *value)
{
	const char *text = json_string(value);

	condition->predicate = reading->rules->predicates++;
	if (text == NULL || reading->failed)
		return;
	condition->pattern = pattern_new(text, reading->err);
	if (condition->pattern != NULL)
		return;
	reading->failed = true;
	error_wrap(reading->err, "rule \"%s\"", reading->rule->name);
}

/* true: there is one; false: there is none; a text or a list: one of that kind. */
static void read_attachments(struct reading *reading, struct condition *condition,
			     struct json_object *value)
{
	const char *text = json_string(value);

	condition->wanted = !text_equal(text, "false");
	if (json_kind(value) == JSON_BOOL)
		condition->wanted = json_bool(value, "", true);
	else if (!text_equal(text, "true") && !text_equal(text, "false"))
		read_texts(reading, condition, value);
}

static struct json_object *calendar_object(const struct rule_source *source, const char *id)
{
	for (size_t i = 0; i < source->calendar_count; i++)
		if (text_equal(json_text(source->calendars[i], "id"), id))
			return source->calendars[i];
	return NULL;
}

/* Made once, however many rules name it. */
static const struct calendar *calendar_get(struct reading *reading, const char *id)
{
	struct rules *rules = reading->rules;
	struct json_object *object = calendar_object(rules->source, id);
	struct calendar *calendar;

	for (size_t i = 0; i < rules->calendar_count; i++)
		if (text_equal(rules->calendars[i].id, id))
			return rules->calendars[i].calendar;
	if (object == NULL) {
		error_set(reading->err, ERROR_MISUSE, "there is no calendar \"%s\"",
			  id == NULL ? "" : id);
		return NULL;
	}
	calendar = calendar_new(object, reading->err);
	if (calendar != NULL)
		rules->calendars[rules->calendar_count++] =
			(struct rule_calendar){ arena_text(rules->arena, id), calendar };
	return calendar;
}

static void read_hours(struct reading *reading, struct condition *condition,
		       struct json_object *value)
{
	condition->wanted = json_bool(value, "open", true);
	condition->calendar = calendar_get(reading, json_text(value, "calendar"));
	if (condition->calendar != NULL)
		return;
	reading->failed = true;
	error_wrap(reading->err, "rule \"%s\": hours", reading->rule->name);
}

static void read_previous(struct reading *reading, struct condition *condition,
			  struct json_object *value)
{
	struct arena *arena = reading->rules->arena;
	struct previous_wanted *previous = arena_alloc(arena, sizeof(*previous));

	reading->rules->needs_customer = true;
	previous->types = texts_of(arena, json_at(value, "type"));
	previous->topics = texts_of(arena, json_at(value, "topic"));
	previous->queues = texts_of(arena, json_at(value, "queue"));
	previous->states = texts_of(arena, json_at(value, "state"));
	previous->within_ms = json_int(value, "within_ms", 0);
	previous->count = json_int(value, "count", 1);
	condition->previous = previous;
}

static struct condition *condition_add(struct reading *reading, struct condition *group,
				       enum condition_kind kind, struct json_object *value)
{
	struct condition *condition;
	struct buf json = { 0 };

	if (group->child_count == CHILDREN_MAX) {
		reading->failed = true;
		error_set(reading->err, ERROR_MISUSE,
			  "rule \"%s\": a group has more than %d conditions", reading->rule->name,
			  CHILDREN_MAX);
		return NULL;
	}
	condition = &group->children[group->child_count++];
	json_append(value, &json);
	*condition = (struct condition){ .kind = kind, .predicate = NO_PREDICATE };
	condition->json = arena_text(reading->rules->arena, buf_string(&json));
	buf_clear(&json);
	return condition;
}

static void group_open(struct reading *reading, struct condition *group)
{
	group->children =
		arena_alloc(reading->rules->arena, CHILDREN_MAX * sizeof(*group->children));
}

/* A list of groups, each with conditions that must all hold. */
static void read_group(struct reading *reading, struct condition *condition,
		       struct json_object *value)
{
	group_open(reading, condition);
	for (size_t i = 0; i < json_count(value) && !reading->failed; i++) {
		struct condition *child =
			condition_add(reading, condition, CONDITION_ALL, json_item(value, i));

		if (child != NULL)
			when_read(reading, child, json_item(value, i));
	}
}

static void read_not(struct reading *reading, struct condition *condition,
		     struct json_object *value)
{
	struct condition *child;

	group_open(reading, condition);
	child = condition_add(reading, condition, CONDITION_ALL, value);
	when_read(reading, child, value);
}

/* In the order of enum condition_kind. */
static const struct {
	const char *key;
	const char *word;
	condition_read_fn *read;
} kinds[] = {
	{ "channel", "channel", read_texts },
	{ "attachments", "attachments", read_attachments },
	{ "hours", "hours", read_hours },
	{ "tier", "tier", read_person },
	{ "attributes", "attributes", read_person },
	{ "previous", "previous", read_previous },
	{ "script", "script", read_predicate },
	{ "language", "language", read_predicate },
	{ "keywords", "keywords", read_keywords },
	{ "text", "text", read_pattern },
	{ "all", "all", read_group },
	{ "any", "any", read_group },
	{ "not", "not", read_not },
};

const char *condition_word(enum condition_kind kind)
{
	return kinds[kind].word;
}

struct attributes {
	struct reading *reading;
	struct condition *group;
};

/* Each attribute is a condition of its own. */
static void attribute_read(const char *name, struct json_object *value, void *context)
{
	struct attributes *attributes = context;
	struct reading *reading = attributes->reading;
	struct condition *condition =
		condition_add(reading, attributes->group, CONDITION_ATTRIBUTE, value);

	if (condition == NULL)
		return;
	condition->name = arena_text(reading->rules->arena, name);
	read_person(reading, condition, value);
}

static void when_read(struct reading *reading, struct condition *group, struct json_object *when)
{
	struct attributes attributes = { reading, group };

	group_open(reading, group);
	for (size_t i = 0; i < COUNT_OF(kinds) && !reading->failed; i++) {
		struct json_object *value = json_at(when, kinds[i].key);
		struct condition *condition;

		if (value == NULL)
			continue;
		if (i == CONDITION_ATTRIBUTE) {
			json_each_field(value, attribute_read, &attributes);
			continue;
		}
		condition = condition_add(reading, group, (enum condition_kind)i, value);
		if (condition != NULL)
			kinds[i].read(reading, condition, value);
	}
}

/* ---- then ---- */

static const char *plan_text(struct json_object *then, struct arena *arena)
{
	struct buf out = { 0 };
	const char *copy;

	plan_from_json(then, &out);
	copy = arena_text(arena, buf_string(&out));
	buf_clear(&out);
	return copy;
}

int rule_read(struct rules *rules, struct rule *rule, struct json_object *object, struct error *err)
{
	struct arena *arena = rules->arena;
	struct reading reading = { rules, rule, err, false };

	rule->name = json_text_copy(object, "name", arena);
	if (rule->name == NULL)
		rule->name = "";
	rule->queue = json_text_copy(object, "then.queue", arena);
	rule->type = json_text_copy(object, "then.type", arena);
	rule->topic = json_text_copy(object, "then.topic", arena);
	rule->urgency = json_text_copy(object, "then.urgency", arena);
	rule->classifier = json_text_copy(object, "then.classifier", arena);
	rules->names_classifiers |= rule->classifier != NULL;
	rule->priority = json_int(object, "then.priority", 0);
	rule->skills = plan_text(json_at(object, "then"), arena);
	rule->when = (struct condition){ .kind = CONDITION_ALL, .predicate = NO_PREDICATE };
	when_read(&reading, &rule->when, json_at(object, "when"));
	return reading.failed ? -1 : 0;
}

static void condition_clear(struct condition *condition)
{
	pattern_free(&condition->pattern);
	for (size_t i = 0; i < condition->child_count; i++)
		condition_clear(&condition->children[i]);
}

void rule_clear(struct rule *rule)
{
	condition_clear(&rule->when);
}
