/* What the fields of one object mean together. */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "business/business_field.h"
#include "business/calendar.h"

static int calendar_check(struct json_object *object, struct error *err)
{
	struct calendar *calendar = calendar_new(object, err);
	int status = calendar == NULL ? -1 : 0;

	calendar_free(&calendar);
	return status;
}

static int sla_policy_check(struct json_object *object, struct error *err)
{
	static const char *const words[] = { "customer", "department", "third_party", "until",
					     NULL };
	static const char *const targets[] = { "first_response_ms", "next_response_ms",
					       "resolution_ms", "owner_accept_ms", "owner_ms" };
	struct json_object *pause = json_at(object, "pause");
	size_t count = 0;

	for (size_t i = 0; i < json_count(pause); i++) {
		const char *word = json_string(json_item(pause, i));
		size_t known = 0;

		while (words[known] != NULL && !text_equal(words[known], word))
			known++;
		if (words[known] == NULL)
			return error_set(err, ERROR_MISUSE,
					 "\"pause\" cannot have \"%.40s\" (known: customer, "
					 "department, third_party, until)",
					 word == NULL ? "" : word);
	}
	for (size_t i = 0; i < COUNT_OF(targets); i++)
		count += json_has(object, targets[i]);
	if (count == 0)
		return error_set(err, ERROR_MISUSE,
				 "it has no target (give at least one of first_response, "
				 "next_response, resolution, owner_accept, owner)");
	return 0;
}

static int channel_check(struct json_object *object, struct error *err)
{
	if (json_int(object, "waiting_cost", 0) > json_int(object, "cost", 1))
		return error_set(err, ERROR_MISUSE,
				 "\"waiting_cost\" cannot be more than \"cost\"");
	return 0;
}

static int webhook_check(struct json_object *object, struct error *err)
{
	struct json_object *types = json_at(object, "types");

	for (size_t i = 0; i < json_count(types); i++) {
		const char *type = json_string(json_item(types, i));
		const char *near = type == NULL ? NULL : settings_nearest(type, webhook_types);
		size_t known = 0;

		while (webhook_types[known] != NULL && !text_equal(webhook_types[known], type))
			known++;
		if (webhook_types[known] != NULL)
			continue;
		return error_set(err, ERROR_MISUSE, "\"types\" cannot have \"%.40s\"%s%s%s",
				 type == NULL ? "" : type, near == NULL ? "" : " (did you mean \"",
				 near == NULL ? "" : near, near == NULL ? "" : "\"?)");
	}
	return 0;
}

static const struct {
	const char *kind;
	int (*check)(struct json_object *object, struct error *err);
} checks[] = {
	{ "calendars", calendar_check },
	{ "sla_policies", sla_policy_check },
	{ "channel_costs", channel_check },
	{ "webhooks", webhook_check },
};

int business_kind_check(const struct business_kind *kind, struct json_object *object,
			struct error *err)
{
	for (size_t i = 0; i < COUNT_OF(checks); i++) {
		if (strcmp(checks[i].kind, kind->key) == 0)
			return checks[i].check(object, err);
	}
	return 0;
}
