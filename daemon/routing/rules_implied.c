#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "routing/rules_lint.h"

/* A search for one member; names may hold dots, so it is no path. */
struct search {
	const char *key;
	struct json_object *found;
};

struct implying {
	struct json_object *when;
	bool holds;
};

static void match_member(const char *key, struct json_object *value, void *context)
{
	struct search *search = context;

	if (strcmp(key, search->key) == 0)
		search->found = value;
}

static struct json_object *member(struct json_object *object, const char *key)
{
	struct search search = { .key = key };

	if (json_kind(object) == JSON_OBJECT)
		json_each_field(object, match_member, &search);
	return search.found;
}

static bool is_same(struct json_object *a, struct json_object *b)
{
	struct buf left = { 0 };
	struct buf right = { 0 };
	bool same;

	if (a == NULL || b == NULL)
		return false;
	json_append(a, &left);
	json_append(b, &right);
	same = text_equal(buf_string(&left), buf_string(&right));
	buf_clear(&left);
	buf_clear(&right);
	return same;
}

static size_t texts_count(struct json_object *value)
{
	return json_kind(value) == JSON_ARRAY ? json_count(value) : 1;
}

static const char *text_at(struct json_object *value, size_t index)
{
	return json_string(json_kind(value) == JSON_ARRAY ? json_item(value, index) : value);
}

static bool has_text(struct json_object *value, const char *text)
{
	for (size_t i = 0; i < texts_count(value); i++)
		if (text != NULL && text_equal(text_at(value, i), text))
			return true;
	return false;
}

/* One of the narrower texts is one of the wider. */
static bool is_within(struct json_object *narrow, struct json_object *wide)
{
	for (size_t i = 0; i < texts_count(narrow); i++)
		if (!has_text(wide, text_at(narrow, i)))
			return false;
	return narrow != NULL && texts_count(narrow) > 0;
}

static void check_attribute(const char *name, struct json_object *wide, void *context)
{
	struct implying *implying = context;
	struct json_object *narrow = member(member(implying->when, "attributes"), name);

	implying->holds = implying->holds && narrow != NULL && is_within(narrow, wide);
}

static bool is_list(const char *key)
{
	static const char *const lists[] = { "channel", "tier", "language", "script", "keywords" };

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (strcmp(lists[i], key) == 0)
			return true;
	return false;
}

static void check_condition(const char *key, struct json_object *wide, void *context)
{
	struct implying *implying = context;
	struct json_object *narrow = member(implying->when, key);

	if (!implying->holds)
		return;
	if (strcmp(key, "attributes") == 0)
		json_each_field(wide, check_attribute, implying);
	else if (is_list(key))
		implying->holds = narrow != NULL && is_within(narrow, wide);
	else
		implying->holds = is_same(narrow, wide);
}

bool when_implies(struct json_object *when, struct json_object *other)
{
	struct implying implying = { when, true };

	if (json_kind(other) == JSON_OBJECT)
		json_each_field(other, check_condition, &implying);
	return implying.holds;
}
