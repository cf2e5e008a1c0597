#include "routing/roster.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"
#include "business/calendar.h"
#include "routing/objects.h"
#include "routing/roster_queue.h"
#include "routing/sla_policy.h"
#include "store/store.h"

enum { ACCEPT_MS = 3600 * 1000, CAPACITY = 10, SKILLS_MAX = 200, QUEUES_MAX = 200 };

const char *const roster_kinds[ROSTER_KINDS] = { "queues",       "agents",    "rules",
						 "departments",  "calendars", "sla-policies",
						 "channel-costs" };

struct roster {
	struct arena *arena;
	struct queue_row *queues;
	size_t queue_count;
	struct agent_row *agents;
	size_t agent_count;
	struct department_row *departments;
	size_t department_count;
	struct rules *rules;
	struct channel_row *channels;
	size_t channel_count;
	struct map *channels_by_id;
	struct map *queues_by_id;
	struct map *agents_by_id;
	struct map *calendars; /* id to struct calendar */
	struct sla_policies *sla_policies;
	uint64_t sla_digest;
};

static void queues_read(struct roster *roster, const struct store_reply *reply, struct error *err)
{
	struct ordered *list;
	size_t count = objects_read(reply, roster->arena, &list, err);

	roster->queues = arena_alloc(roster->arena, (count + 1) * sizeof(*roster->queues));
	for (size_t i = 0; i < count; i++)
		queue_row_read(&roster->queues[i], list[i].id, list[i].object, roster->arena);
	roster->queue_count = count;
	objects_free(list, count);
	if (count == 0) {
		queue_row_read(&roster->queues[0], "default", NULL, roster->arena);
		roster->queue_count = 1;
	}
	roster->queues_by_id = map_new();
	for (size_t i = 0; i < roster->queue_count; i++)
		map_put(roster->queues_by_id, roster->queues[i].id, &roster->queues[i]);
}

static void departments_read(struct roster *roster, const struct store_reply *reply,
			     struct error *err)
{
	struct ordered *list;
	size_t count = objects_read(reply, roster->arena, &list, err);

	roster->departments =
		arena_alloc(roster->arena, (count + 1) * sizeof(*roster->departments));
	for (size_t i = 0; i < count; i++) {
		struct department_row *row = &roster->departments[i];

		row->id = list[i].id;
		row->queue = json_text_copy(list[i].object, "queue", roster->arena);
		row->accept_ms = json_int(list[i].object, "accept_ms", ACCEPT_MS);
		row->fallback = json_text_copy(list[i].object, "fallback", roster->arena);
	}
	roster->department_count = count;
	objects_free(list, count);
}

struct skill_list {
	struct arena *arena;
	struct skill *skills;
	size_t count;
};

static void add_skill(const char *name, struct json_object *level, void *context)
{
	struct skill_list *list = context;

	if (list->count == SKILLS_MAX)
		return;
	list->skills[list->count].name = arena_text(list->arena, name);
	list->skills[list->count++].level = (int)json_int(level, "", 1);
}

static void skills_read(struct agent_row *row, struct json_object *skills, struct arena *arena)
{
	struct skill_list list = { .arena = arena };

	if (json_kind(skills) != JSON_OBJECT)
		return;
	list.skills = arena_alloc(arena, SKILLS_MAX * sizeof(*list.skills));
	json_each_field(skills, add_skill, &list);
	row->skills = list.skills;
	row->skill_count = list.count;
}

static const char *const *texts_read(struct json_object *array, struct arena *arena)
{
	size_t count = json_count(array);
	const char **texts;
	size_t used = 0;

	if (count > QUEUES_MAX)
		count = QUEUES_MAX;
	texts = arena_alloc(arena, (count + 1) * sizeof(*texts));
	for (size_t i = 0; i < count; i++)
		if (json_string(json_item(array, i)) != NULL)
			texts[used++] = arena_text(arena, json_string(json_item(array, i)));
	return texts;
}

static void agents_read(struct roster *roster, const struct store_reply *reply, struct error *err)
{
	struct ordered *list;
	size_t count = objects_read(reply, roster->arena, &list, err);

	roster->agents = arena_alloc(roster->arena, (count + 1) * sizeof(*roster->agents));
	for (size_t i = 0; i < count; i++) {
		struct agent_row *row = &roster->agents[i];
		struct json_object *object = list[i].object;

		row->id = list[i].id;
		row->name = json_text_copy(object, "name", roster->arena);
		row->queues = texts_read(json_at(object, "queues"), roster->arena);
		row->capacity = json_int(object, "capacity", CAPACITY);
		skills_read(row, json_at(object, "skills"), roster->arena);
		row->lines = texts_read(json_at(object, "lines"), roster->arena);
		row->limits =
			limits_read(json_at(object, "limits"), roster->arena, &row->limit_count);
	}
	roster->agent_count = count;
	roster->agents_by_id = map_new();
	for (size_t i = 0; i < count; i++)
		map_put(roster->agents_by_id, roster->agents[i].id, &roster->agents[i]);
	objects_free(list, count);
}

/* Drops the rules that do not compile, each named in err. */
static size_t rules_good(const struct rule_source *all, struct json_object **objects,
			 struct error *err)
{
	size_t good = 0;

	for (size_t i = 0; i < all->rule_count; i++) {
		struct rule_source one = *all;
		struct rules *alone;

		one.rules = &objects[i];
		one.rule_count = 1;
		alone = rules_new(&one, err);
		if (alone != NULL)
			objects[good++] = objects[i];
		rules_unref(&alone);
	}
	return good;
}

static void rules_read(struct roster *roster, const struct store_reply *kinds, struct error *err)
{
	struct ordered *list;
	struct ordered *calendars;
	size_t count = objects_read(reply_item(kinds, ROSTER_RULES), roster->arena, &list, err);
	size_t calendar_count =
		objects_read(reply_item(kinds, ROSTER_CALENDARS), roster->arena, &calendars, err);
	struct json_object **objects = objects_of(list, count, roster->arena);
	struct rule_source source = {
		.rules = objects,
		.rule_count = count,
		.calendars = objects_of(calendars, calendar_count, roster->arena),
		.calendar_count = calendar_count,
	};

	roster->rules = rules_new(&source, err);
	if (roster->rules == NULL) {
		source.rule_count = rules_good(&source, objects, err);
		roster->rules = rules_new(&source, err);
	}
	if (roster->rules != NULL)
		rules_set_version(roster->rules, reply_int(reply_item(kinds, ROSTER_KINDS)));
	objects_free(list, count);
	objects_free(calendars, calendar_count);
}

static void calendars_read(struct roster *roster, const struct store_reply *reply,
			   struct error *err)
{
	struct ordered *list;
	size_t count = objects_read(reply, roster->arena, &list, err);

	roster->calendars = map_new();
	for (size_t i = 0; i < count; i++) {
		struct calendar *calendar = calendar_new(list[i].object, err);

		if (calendar != NULL)
			map_put(roster->calendars, list[i].id, calendar);
		else
			error_wrap(err, "stored calendar \"%s\"", list[i].id);
	}
	objects_free(list, count);
}

static void sla_policies_read(struct roster *roster, const struct store_reply *reply,
			      struct error *err)
{
	struct ordered *list;
	size_t count = objects_read(reply, roster->arena, &list, err);

	roster->sla_policies = sla_policies_new();
	for (size_t i = 0; i < count; i++)
		sla_policies_add(roster->sla_policies, list[i].id, list[i].object,
				 roster_calendar(roster, json_text(list[i].object, "calendar")));
	objects_free(list, count);
}

/* Of all names and values in whatever order (FNV-1a). */
static uint64_t digest_of(const struct store_reply *reply)
{
	uint64_t sum = 0;

	for (size_t i = 0; i + 1 < reply_count(reply); i += 2) {
		uint64_t digest = UINT64_C(14695981039346656037);

		for (size_t k = i; k < i + 2; k++) {
			size_t len = 0;
			const char *text = reply_text(reply_item(reply, k), &len);

			for (size_t at = 0; at < len; at++)
				digest = (digest ^ (unsigned char)text[at]) *
					 UINT64_C(1099511628211);
		}
		sum += digest;
	}
	return sum;
}

static void channel_add(struct roster *roster, const char *id, struct json_object *object,
			const char *const *calls)
{
	struct channel_row *row = &roster->channels[roster->channel_count];

	if (map_get(roster->channels_by_id, id) != NULL)
		return;
	channel_row_read(row, id, object, roster->arena);
	for (; calls != NULL && *calls != NULL; calls++)
		row->has_calls = row->has_calls || text_equal(*calls, id);
	if (row->cost == 0)
		row->cost = row->has_calls ? CHANNEL_COST_WHOLE : 1;
	map_put(roster->channels_by_id, row->id, row);
	roster->channel_count++;
}

/* After the agents, whose limits name channels too. */
static void channels_read(struct roster *roster, const struct store_reply *reply,
			  const char *const *calls, struct error *err)
{
	struct ordered *list;
	size_t count = objects_read(reply, roster->arena, &list, err);
	size_t most = count;

	for (size_t i = 0; i < roster->agent_count; i++)
		most += roster->agents[i].limit_count;
	for (size_t i = 0; calls != NULL && calls[i] != NULL; i++)
		most++;
	roster->channels = arena_alloc(roster->arena, (most + 1) * sizeof(*roster->channels));
	roster->channels_by_id = map_new();
	for (size_t i = 0; i < count; i++)
		channel_add(roster, list[i].id, list[i].object, calls);
	for (size_t i = 0; i < roster->agent_count; i++)
		for (size_t j = 0; j < roster->agents[i].limit_count; j++)
			channel_add(roster, roster->agents[i].limits[j].channel, NULL, calls);
	for (size_t i = 0; calls != NULL && calls[i] != NULL; i++)
		channel_add(roster, calls[i], NULL, calls);
	objects_free(list, count);
}

struct roster *roster_new(const struct store_reply *kinds, const char *const *calls,
			  struct error *err)
{
	struct roster *roster = memory_new(sizeof(*roster));

	roster->arena = arena_new(16 * 1024);
	queues_read(roster, reply_item(kinds, ROSTER_QUEUES), err);
	agents_read(roster, reply_item(kinds, ROSTER_AGENTS), err);
	channels_read(roster, reply_item(kinds, ROSTER_CHANNEL_COSTS), calls, err);
	rules_read(roster, kinds, err);
	departments_read(roster, reply_item(kinds, ROSTER_DEPARTMENTS), err);
	calendars_read(roster, reply_item(kinds, ROSTER_CALENDARS), err);
	sla_policies_read(roster, reply_item(kinds, ROSTER_SLA_POLICIES), err);
	roster->sla_digest = digest_of(reply_item(kinds, ROSTER_SLA_POLICIES)) +
			     3 * digest_of(reply_item(kinds, ROSTER_CALENDARS));
	return roster;
}

static void calendars_free(struct map **calendars)
{
	struct calendar *calendar;
	size_t at = 0;
	const char *id;

	while ((calendar = map_next(*calendars, &at, &id)) != NULL)
		calendar_free(&calendar);
	map_free(calendars);
}

void roster_free(struct roster **roster)
{
	if (*roster == NULL)
		return;
	rules_unref(&(*roster)->rules);
	sla_policies_free(&(*roster)->sla_policies);
	calendars_free(&(*roster)->calendars);
	map_free(&(*roster)->channels_by_id);
	map_free(&(*roster)->queues_by_id);
	map_free(&(*roster)->agents_by_id);
	arena_free(&(*roster)->arena);
	free(*roster);
	*roster = NULL;
}

const struct queue_row *roster_queues(const struct roster *roster, size_t *ret_count)
{
	*ret_count = roster->queue_count;
	return roster->queues;
}

const struct queue_row *roster_queue(const struct roster *roster, const char *id)
{
	return id == NULL ? NULL : map_get(roster->queues_by_id, id);
}

const struct department_row *roster_department(const struct roster *roster, const char *id)
{
	for (size_t i = 0; i < roster->department_count; i++)
		if (text_equal(roster->departments[i].id, id))
			return &roster->departments[i];
	return NULL;
}

const struct agent_row *roster_agents(const struct roster *roster, size_t *ret_count)
{
	*ret_count = roster->agent_count;
	return roster->agents;
}

const struct agent_row *roster_agent(const struct roster *roster, const char *id)
{
	return id == NULL ? NULL : map_get(roster->agents_by_id, id);
}

const struct agent_row *roster_agent_of(const struct roster *roster, const char *name)
{
	const struct agent_row *row = roster_agent(roster, name);

	for (size_t i = 0; row == NULL && name != NULL && i < roster->agent_count; i++)
		for (const char *const *line = roster->agents[i].lines; *line != NULL; line++)
			if (text_equal(*line, name))
				row = &roster->agents[i];
	return row;
}

const struct channel_row *roster_channels(const struct roster *roster, size_t *ret_count)
{
	*ret_count = roster->channel_count;
	return roster->channels;
}

const struct channel_row *roster_channel(const struct roster *roster, const char *id)
{
	static const struct channel_row plain = { .id = "", .cost = 1 };
	const struct channel_row *row = id == NULL ? NULL : map_get(roster->channels_by_id, id);

	return row == NULL ? &plain : row;
}

size_t roster_channel_number(const struct roster *roster, const char *id)
{
	const struct channel_row *row = id == NULL ? NULL : map_get(roster->channels_by_id, id);

	return row == NULL ? SIZE_MAX : (size_t)(row - roster->channels);
}

bool agent_serves(const struct agent_row *agent, const char *queue)
{
	if (agent->queues == NULL || agent->queues[0] == NULL || text_equal(queue, "default"))
		return true;
	for (size_t i = 0; agent->queues[i] != NULL; i++)
		if (text_equal(agent->queues[i], queue))
			return true;
	return false;
}

const struct calendar *roster_calendar(const struct roster *roster, const char *id)
{
	return id == NULL ? NULL : map_get(roster->calendars, id);
}

uint64_t roster_sla_digest(const struct roster *roster)
{
	return roster->sla_digest;
}

const struct sla_policies *roster_sla_policies(const struct roster *roster)
{
	return roster->sla_policies;
}

struct rules *roster_rules(const struct roster *roster)
{
	return roster->rules;
}

const char *roster_fallback(const struct roster *roster)
{
	return roster->queues[0].id;
}
