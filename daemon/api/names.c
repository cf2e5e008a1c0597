#include "api/names.h"

#include <string.h>

#include "base/settings.h"
#include "base/text.h"
#include "business/business.h"
#include "channel.h"
#include "parts.h"
#include "routing/roster.h"
#include "store/store.h"
#include "workspace.h"

enum { SHOWN_MAX = 12, CHANNELS_MAX = 200 };

struct naming {
	struct api_call *call;
	const struct name_given *names;
	size_t count;
	size_t at; /* the one that is being looked up */
	route_fn *next;
	const char **known; /* NULL-terminated */
	size_t known_count;
	size_t known_room;
};

static const char *const nouns[] = { "queue", "agent", "skill", "skill", "calendar", "classifier" };
static const char *const kinds[] = { "cfg:queues", "cfg:agents",    "cfg:skills",
				     "cfg:skills", "cfg:calendars", "cfg:classifiers" };

enum name_kind name_kind_of(const struct business_reference *reference)
{
	if (text_equal(reference->kind, "queues"))
		return NAME_QUEUE;
	if (text_equal(reference->kind, "agents"))
		return NAME_AGENT;
	if (text_equal(reference->kind, "calendars"))
		return NAME_CALENDAR;
	if (text_equal(reference->kind, "classifiers"))
		return NAME_CLASSIFIER;
	return text_equal(reference->from, "agents") ? NAME_SKILL : NAME_SKILL_NEEDED;
}

static void naming_step(struct naming *naming);

static void known_add(struct naming *naming, const char *name)
{
	struct arena *arena = naming->call->arena;
	const char **larger;

	if (naming->known_count + 1 >= naming->known_room) {
		naming->known_room = naming->known_room == 0 ? 16 : 2 * naming->known_room;
		larger = arena_alloc(arena, naming->known_room * sizeof(*larger));
		for (size_t i = 0; i < naming->known_count; i++)
			larger[i] = naming->known[i];
		naming->known = larger;
	}
	naming->known[naming->known_count++] = arena_text(arena, name);
	naming->known[naming->known_count] = NULL;
}

static const char *known_list(struct arena *arena, const char *const *known)
{
	const char *list = "";
	size_t i = 0;

	for (; known[i] != NULL && i < SHOWN_MAX; i++)
		list = arena_format(arena, "%s%s%s", list, i == 0 ? "" : ", ", known[i]);
	return known[i] == NULL ? list : arena_format(arena, "%s, ...", list);
}

const char *name_hint(struct api_call *call, const char *name, const char *const *known)
{
	const char *near = settings_nearest(name, known);

	return near == NULL ? "" : arena_format(call->arena, "; did you mean \"%s\"?", near);
}

const char *channel_hint(struct api_call *call, const char *name)
{
	const char *known[CHANNELS_MAX + 1] = { NULL };
	const struct channel *channel;
	size_t count = 0;

	for (size_t i = 0; (channel = channel_at(call->parts->channels, i)) != NULL; i++)
		if (count < CHANNELS_MAX &&
		    text_equal(channel_workspace(channel), call->who.workspace))
			known[count++] = channel_name(channel);
	return name_hint(call, name, known);
}

/* False after having answered. */
static bool is_known(struct naming *naming, const struct name_given *given)
{
	struct arena *arena = naming->call->arena;
	const char *there_is;

	for (size_t i = 0; i < naming->known_count; i++)
		if (text_equal(naming->known[i], given->name))
			return true;
	if (naming->known_count == 0 && given->kind != NAME_CALENDAR &&
	    given->kind != NAME_CLASSIFIER)
		return true;
	if (naming->known_count == 0)
		there_is = "there is none at all";
	else
		there_is =
			arena_format(arena, "there %s: %s", naming->known_count == 1 ? "is" : "are",
				     known_list(arena, naming->known));
	api_unknown_name(naming->call, given->pointer,
			 arena_format(arena, "%s: there is no %s \"%s\"%s (%s)", given->where,
				      nouns[given->kind], settings_shown(arena, given->name),
				      naming->known_count == 0
					      ? ""
					      : name_hint(naming->call, given->name, naming->known),
				      there_is));
	return false;
}

/* All names of the kind at hand; then the next kind. */
static void judge(struct naming *naming)
{
	enum name_kind kind = naming->names[naming->at].kind;

	for (; naming->at < naming->count && naming->names[naming->at].kind == kind; naming->at++)
		if (naming->names[naming->at].name != NULL &&
		    !is_known(naming, &naming->names[naming->at]))
			return;
	naming_step(naming);
}

static void add_skill(const char *key, struct json_object *value, void *context)
{
	(void)value;
	known_add(context, key);
}

static void on_agents(const struct store_reply *reply, const struct error *err, void *context)
{
	struct naming *naming = context;

	if (err != NULL) {
		api_fail(naming->call, err);
		return;
	}
	for (size_t i = 0; i < reply_count(reply); i++) {
		size_t len = 0;
		const char *text = reply_text(reply_item(reply, i), &len);
		struct json_object *agent = json_read(text, len, NULL);

		json_each_field(json_at(agent, "skills"), add_skill, naming);
		json_free(&agent);
	}
	judge(naming);
}

static void on_known(const struct store_reply *reply, const struct error *err, void *context)
{
	struct naming *naming = context;
	const struct name_given *given = &naming->names[naming->at];
	struct store_call *read;

	if (err != NULL) {
		api_fail(naming->call, err);
		return;
	}
	for (size_t i = 0; i < reply_count(reply); i++)
		known_add(naming, reply_text(reply_item(reply, i), NULL));
	if (given->kind != NAME_SKILL_NEEDED || naming->known_count > 0) {
		judge(naming);
		return;
	}
	read = store_command("HVALS");
	store_arg_key(read, naming->call->who.workspace, "cfg:agents");
	store_read(naming->call->parts->store, read, on_agents, naming);
}

static bool in_roster(const struct naming *naming, const struct name_given *given)
{
	struct workspace *workspace =
		workspace_get(naming->call->parts->workspaces, naming->call->who.workspace);
	const struct roster *roster = workspace_roster(workspace);

	if (roster != NULL && given->kind == NAME_QUEUE)
		return roster_queue(roster, given->name) != NULL;
	return roster != NULL && given->kind == NAME_AGENT &&
	       roster_agent(roster, given->name) != NULL;
}

/* What this instance knows may be a moment old, so only the store can say no. */
static void naming_step(struct naming *naming)
{
	struct store_call *read;

	while (naming->at < naming->count && (naming->names[naming->at].name == NULL ||
					      in_roster(naming, &naming->names[naming->at])))
		naming->at++;
	if (naming->at == naming->count) {
		naming->next(naming->call);
		return;
	}
	naming->known_count = 0;
	read = store_command("HKEYS");
	store_arg_key(read, naming->call->who.workspace, "%s",
		      kinds[naming->names[naming->at].kind]);
	store_read(naming->call->parts->store, read, on_known, naming);
}

void names_check(struct api_call *call, const struct name_given *names, size_t count,
		 route_fn *next)
{
	struct naming *naming = arena_alloc(call->arena, sizeof(*naming));

	*naming = (struct naming){ .call = call, .names = names, .count = count, .next = next };
	naming_step(naming);
}

void name_check(struct api_call *call, enum name_kind kind, const char *name, const char *where,
		route_fn *next)
{
	struct name_given *given = arena_alloc(call->arena, sizeof(*given));

	*given = (struct name_given){ kind, name, where, NULL };
	names_check(call, given, 1, next);
}

bool word_check(struct api_call *call, const char *where, const char *word,
		const char *const *known)
{
	for (const char *const *at = known; *at != NULL; at++)
		if (text_equal(*at, word))
			return true;
	api_problem(call, 400, "unknown_name", "%s: \"%s\" is not known%s (known: %s)", where,
		    settings_shown(call->arena, word), name_hint(call, word, known),
		    known_list(call->arena, known));
	return false;
}
