#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "business/calendar.h"
#include "converge/message.h"
#include "routing/language.h"
#include "routing/rules_private.h"

enum { KEYWORD_TEXT_MAX = 16 * 1024 };

typedef bool condition_fn(struct trial *trial, const struct condition *condition);

static bool is_in(const char *const *texts, const char *text)
{
	for (; texts != NULL && text != NULL && *texts != NULL; texts++)
		if (text_equal(*texts, text))
			return true;
	return false;
}

/* ---- facts ---- */

static const char *trial_sample(const struct trial *trial)
{
	const struct rule_facts *facts = trial->facts;

	if (facts->text != NULL && *facts->text != '\0')
		return facts->text;
	return facts->subject == NULL ? "" : facts->subject;
}

static const char *trial_language(struct trial *trial)
{
	const char *sample = trial_sample(trial);

	if (trial->facts->language != NULL && *trial->facts->language != '\0')
		return trial->facts->language;
	if (trial->language == NULL)
		trial->language = language_guess(sample, strlen(sample));
	return trial->language;
}

static const char *trial_script(struct trial *trial)
{
	const char *sample = trial_sample(trial);

	if (trial->script == NULL)
		trial->script = language_script(sample, strlen(sample));
	return trial->script;
}

static void scan(struct trial *trial, const char *text)
{
	size_t len;
	const char *folded;

	if (text == NULL || *text == '\0')
		return;
	folded = text_fold(trial->arena, text, text_prefix(text, strlen(text), KEYWORD_TEXT_MAX),
			   &len);
	keywords_scan(trial->rules->keywords, folded, len, trial->hits);
}

static const bool *trial_hits(struct trial *trial)
{
	if (trial->hits == NULL) {
		trial->hits = arena_alloc(trial->arena, trial->rules->keyword_lists + 1);
		scan(trial, trial->facts->text);
		scan(trial, trial->facts->subject);
	}
	return trial->hits;
}

/* ---- conditions ---- */

static bool holds_channel(struct trial *trial, const struct condition *condition)
{
	return is_in(condition->texts, trial->facts->channel);
}

/* "image" is image/png too, "application/pdf" only that; "document" is what none of the rest is. */
static bool is_of_kind(const char *type, const char *kind)
{
	size_t len = strlen(kind);

	type = type == NULL ? "" : type;
	if (strchr(kind, '/') != NULL)
		return text_equal_nocase(type, kind);
	if (text_equal(kind, "document"))
		return !text_starts(type, "image/") && !text_starts(type, "audio/") &&
		       !text_starts(type, "video/");
	return strncmp(type, kind, len) == 0 && type[len] == '/';
}

static bool holds_attachments(struct trial *trial, const struct condition *condition)
{
	const struct rule_facts *facts = trial->facts;

	if (condition->texts == NULL)
		return (facts->attachment_count > 0) == condition->wanted;
	for (size_t i = 0; i < facts->attachment_count; i++)
		for (size_t j = 0; condition->texts[j] != NULL; j++)
			if (is_of_kind(facts->attachments[i].type, condition->texts[j]))
				return true;
	return false;
}

static bool holds_hours(struct trial *trial, const struct condition *condition)
{
	return calendar_is_open(condition->calendar, trial->facts->now_ms) == condition->wanted;
}

static bool holds_tier(struct trial *trial, const struct condition *condition)
{
	const struct rule_customer *customer = trial->facts->customer;

	return customer != NULL && is_in(condition->texts, customer->tier);
}

struct attribute_search {
	const char *name;
	struct json_object *value;
};

static void attribute_match(const char *key, struct json_object *value, void *context)
{
	struct attribute_search *search = context;

	if (strcmp(key, search->name) == 0)
		search->value = value;
}

static const char *attribute_of(struct trial *trial, const char *name)
{
	const struct rule_customer *customer = trial->facts->customer;
	struct attribute_search search = { .name = name };
	struct buf text = { 0 };
	const char *copy;

	if (customer == NULL || json_kind(customer->attributes) != JSON_OBJECT)
		return NULL;
	json_each_field(customer->attributes, attribute_match, &search);
	if (search.value == NULL || json_kind(search.value) == JSON_TEXT)
		return json_string(search.value);
	json_append(search.value, &text);
	copy = arena_text(trial->arena, buf_string(&text));
	buf_clear(&text);
	return copy;
}

static bool holds_attribute(struct trial *trial, const struct condition *condition)
{
	return is_in(condition->texts, attribute_of(trial, condition->name));
}

static bool is_previous(const struct previous_wanted *wanted, const struct rule_previous *item,
			int64_t now_ms)
{
	return (wanted->types == NULL || is_in(wanted->types, item->type)) &&
	       (wanted->topics == NULL || is_in(wanted->topics, item->topic)) &&
	       (wanted->queues == NULL || is_in(wanted->queues, item->queue)) &&
	       (wanted->states == NULL || is_in(wanted->states, item->state)) &&
	       (wanted->within_ms == 0 || item->since_ms > now_ms - wanted->within_ms);
}

static bool holds_previous(struct trial *trial, const struct condition *condition)
{
	const struct rule_customer *customer = trial->facts->customer;
	int64_t found = 0;

	for (size_t i = 0; customer != NULL && i < customer->previous_count; i++)
		found += is_previous(condition->previous, &customer->previous[i],
				     trial->facts->now_ms);
	return found >= condition->previous->count;
}

static bool holds_script(struct trial *trial, const struct condition *condition)
{
	return is_in(condition->texts, trial_script(trial));
}

/* "zh" accepts zh-Hans and zh-Hant; "zh-Hant" only that. */
static bool holds_language(struct trial *trial, const struct condition *condition)
{
	const char *language = trial_language(trial);

	for (size_t i = 0; condition->texts != NULL && condition->texts[i] != NULL; i++) {
		const char *wanted = condition->texts[i];
		size_t len = strlen(wanted);

		if (strncasecmp(language, wanted, len) == 0 &&
		    (language[len] == '\0' || language[len] == '-'))
			return true;
	}
	return false;
}

static bool holds_keywords(struct trial *trial, const struct condition *condition)
{
	return trial_hits(trial)[condition->list];
}

static bool text_holds(struct trial *trial, const struct condition *condition, const char *text)
{
	enum pattern_result result = pattern_match(condition->pattern, text);

	if (result == PATTERN_STOPPED && trial->stopped == NULL)
		trial->stopped = trial->rule->name;
	return result == PATTERN_YES;
}

static bool holds_text(struct trial *trial, const struct condition *condition)
{
	return condition->pattern != NULL && (text_holds(trial, condition, trial->facts->text) ||
					      text_holds(trial, condition, trial->facts->subject));
}

static bool holds_all(struct trial *trial, const struct condition *condition)
{
	for (size_t i = 0; i < condition->child_count; i++)
		if (!condition_holds(trial, &condition->children[i]))
			return false;
	return true;
}

static bool holds_any(struct trial *trial, const struct condition *condition)
{
	for (size_t i = 0; i < condition->child_count; i++)
		if (condition_holds(trial, &condition->children[i]))
			return true;
	return false;
}

static bool holds_not(struct trial *trial, const struct condition *condition)
{
	return !holds_all(trial, condition);
}

static condition_fn *const kinds[] = {
	[CONDITION_CHANNEL] = holds_channel,
	[CONDITION_ATTACHMENTS] = holds_attachments,
	[CONDITION_HOURS] = holds_hours,
	[CONDITION_TIER] = holds_tier,
	[CONDITION_ATTRIBUTE] = holds_attribute,
	[CONDITION_PREVIOUS] = holds_previous,
	[CONDITION_SCRIPT] = holds_script,
	[CONDITION_LANGUAGE] = holds_language,
	[CONDITION_KEYWORDS] = holds_keywords,
	[CONDITION_TEXT] = holds_text,
	[CONDITION_ALL] = holds_all,
	[CONDITION_ANY] = holds_any,
	[CONDITION_NOT] = holds_not,
};

bool condition_holds(struct trial *trial, const struct condition *condition)
{
	bool held;

	if (condition->predicate == NO_PREDICATE)
		return kinds[condition->kind](trial, condition);
	if (trial->bits[condition->predicate] != '-' || trial->is_given)
		return trial->bits[condition->predicate] == '1';
	held = kinds[condition->kind](trial, condition);
	trial->bits[condition->predicate] = held ? '1' : '0';
	return held;
}

const struct condition *condition_failing(struct trial *trial, const struct condition *condition)
{
	if (condition->kind != CONDITION_ALL)
		return condition;
	for (size_t i = 0; i < condition->child_count; i++)
		if (!condition_holds(trial, &condition->children[i]))
			return condition_failing(trial, &condition->children[i]);
	return condition;
}

const char *condition_found(struct trial *trial, const struct condition *condition)
{
	const struct rule_customer *customer = trial->facts->customer;
	const char *found = NULL;

	if (condition->kind == CONDITION_CHANNEL)
		found = trial->facts->channel;
	else if (condition->kind == CONDITION_LANGUAGE)
		found = trial_language(trial);
	else if (condition->kind == CONDITION_SCRIPT)
		found = trial_script(trial);
	else if (condition->kind == CONDITION_TIER)
		found = customer == NULL ? NULL : customer->tier;
	else if (condition->kind == CONDITION_ATTRIBUTE)
		found = attribute_of(trial, condition->name);
	return found == NULL ? "" : found;
}
