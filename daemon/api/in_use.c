#include "api/in_use.h"

#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/text.h"
#include "business/business.h"
#include "parts.h"
#include "store/store.h"

enum { SHOWN_MAX = 5 };

struct checking {
	struct api_call *call;
	route_fn *next;
	struct map *gone;     /* "queues/support" -> struct removal */
	struct map *replaced; /* "rules/refunds": brought along by the request */
	struct buf users;
	size_t user_count;
	const struct removal *used; /* the one that users are of; the first is enough */
};

static const char *key_of(struct checking *checking, const char *kind, const char *id)
{
	const struct business_kind *known = business_kind(kind);

	return arena_format(checking->call->arena, "%s/%s", known == NULL ? kind : known->store,
			    id);
}

static void note_user(struct checking *checking, const struct business_reference *reference,
		      const char *id, const struct removal *removal)
{
	if (checking->used != NULL && checking->used != removal)
		return;
	checking->used = removal;
	if (checking->user_count++ < SHOWN_MAX)
		buf_format(&checking->users, "%s\"%s\" of %s (%s)",
			   checking->user_count == 1 ? "" : ", ", id, reference->from,
			   reference->field);
}

static void object_look(struct checking *checking, const char *kind, const char *id,
			struct json_object *object)
{
	size_t count;
	const struct business_reference *references =
		business_references(kind, object, checking->call->arena, &count);

	for (size_t i = 0; i < count; i++) {
		const struct removal *removal = map_get(
			checking->gone, key_of(checking, references[i].kind, references[i].name));

		if (removal != NULL)
			note_user(checking, &references[i], id, removal);
	}
}

static void stored_look(struct checking *checking, const char *kind,
			const struct store_reply *fields)
{
	for (size_t i = 0; i + 1 < reply_count(fields); i += 2) {
		const char *id = reply_text(reply_item(fields, i), NULL);
		const char *json = reply_text(reply_item(fields, i + 1), NULL);
		const char *key = key_of(checking, kind, id);
		struct json_object *object;

		if (map_get(checking->gone, key) != NULL ||
		    map_get(checking->replaced, key) != NULL)
			continue;
		object = json_read(json, strlen(json), NULL);
		object_look(checking, kind, id, object);
		json_free(&object);
	}
}

static void checking_clear(struct checking *checking)
{
	map_free(&checking->gone);
	map_free(&checking->replaced);
	buf_clear(&checking->users);
}

static void answer(struct checking *checking)
{
	struct api_call *call = checking->call;
	const struct removal *used = checking->used;
	char more[48] = "";

	if (used == NULL) {
		checking_clear(checking);
		checking->next(call);
		return;
	}
	if (checking->user_count > SHOWN_MAX)
		snprintf(more, sizeof(more), " and %zu more", checking->user_count - SHOWN_MAX);
	api_problem(call, 409, "in_use",
		    "\"%s\" of %s is named by %s%s: change that first, or in the same request",
		    used->id, used->kind, buf_string(&checking->users), more);
	checking_clear(checking);
}

static void on_configuration(const struct store_reply *reply, const struct error *err,
			     void *context)
{
	struct checking *checking = context;

	if (err != NULL) {
		checking_clear(checking);
		api_fail(checking->call, err);
		return;
	}
	for (size_t i = 0; business_kinds[i].key != NULL; i++)
		stored_look(checking, business_kinds[i].store, reply_item(reply, i));
	answer(checking);
}

static void puts_look(struct checking *checking)
{
	struct json_object *list = json_at(checking->call->body, "put");

	for (size_t i = 0; i < json_count(list); i++) {
		struct json_object *item = json_item(list, i);
		const char *kind = json_text(item, "kind");
		const char *id = json_text(item, "object.id");

		if (kind == NULL || id == NULL)
			continue;
		map_put(checking->replaced, key_of(checking, kind, id), checking);
		object_look(checking, kind, id, json_at(item, "object"));
	}
}

void in_use_check(struct api_call *call, const struct removal *removals, size_t count,
		  route_fn *next)
{
	struct checking *checking;
	struct store_call *read;

	if (count == 0) {
		next(call);
		return;
	}
	checking = arena_alloc(call->arena, sizeof(*checking));
	*checking = (struct checking){
		.call = call, .next = next, .gone = map_new(), .replaced = map_new()
	};
	for (size_t i = 0; i < count; i++)
		map_put(checking->gone, key_of(checking, removals[i].kind, removals[i].id),
			(void *)(uintptr_t)&removals[i]);
	puts_look(checking);
	read = store_script("roster_read", call->who.workspace);
	for (const struct business_kind *kind = business_kinds; kind->key != NULL; kind++)
		store_key(read, "cfg:%s", kind->store);
	store_read(call->parts->store, read, on_configuration, checking);
}
