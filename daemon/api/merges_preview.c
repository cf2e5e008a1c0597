#include "api/merges.h"

#include <string.h>

#include "base/text.h"
#include "identity/customer.h"
#include "parts.h"

/* ---- reading the sides ---- */

static bool would_move(const struct merging *merging, const char *hash)
{
	return merging->only == NULL || (hash != NULL && strstr(merging->only, hash) != NULL);
}

static void identifier_note(struct merging *merging, const struct customer_identifier *identifier)
{
	struct arena *arena = merging->call->arena;
	const struct identifier named = { .kind = identifier->kind,
					  .scope = identifier->scope,
					  .value = identifier->value };

	if (merging->text == NULL || merging->hash != NULL ||
	    !text_equal_nocase(identity_text(arena, &named), merging->text))
		return;
	merging->hash = arena_text(arena, identifier->hash);
	merging->record = arena_text(arena, identifier->record);
	merging->only = merging->hash;
}

static const char *identifiers_of(struct merging *merging, const struct customer *customer)
{
	struct buf text = { 0 };
	struct json_out out;
	const char *copy;

	jw_start(&out, &text);
	for (size_t i = 0; i < customer->identifier_count; i++) {
		const struct customer_identifier *one = &customer->identifiers[i];

		if (!would_move(merging, one->hash))
			continue;
		jw_object(&out, NULL);
		jw_text(&out, "kind", one->kind);
		jw_text(&out, "scope", one->scope);
		jw_text(&out, "value", one->value);
		jw_text(&out, "proof", one->proved ? "proved" : "claimed");
		jw_bool(&out, "shared", one->is_shared);
		jw_object_end(&out);
	}
	copy = arena_text(merging->call->arena, buf_string(&text));
	buf_clear(&text);
	return copy;
}

static const char *conversations_of(struct merging *merging, const struct customer *customer)
{
	struct buf text = { 0 };
	struct json_out out;
	const char *copy;

	jw_start(&out, &text);
	for (size_t i = 0; i < customer->conversation_count; i++) {
		const struct customer_conversation *one = &customer->conversations[i];

		if (!would_move(merging, one->identifier))
			continue;
		jw_object(&out, NULL);
		jw_text(&out, "id", one->id);
		jw_text(&out, "channel", one->channel);
		jw_text(&out, "subject", one->subject);
		jw_int(&out, "messages", one->messages);
		jw_object_end(&out);
	}
	copy = arena_text(merging->call->arena, buf_string(&text));
	buf_clear(&text);
	return copy;
}

static void on_side(const struct customer *customer, const struct error *err, void *context)
{
	struct merging *merging = context;
	struct api_call *call = merging->call;
	struct side *side = &merging->sides[merging->read];

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (customer == NULL) {
		api_problem(call, 404, "no_such_customer", "there is no customer \"%s\"",
			    merging->ids[merging->read]);
		return;
	}
	for (size_t i = 0; i < customer->identifier_count; i++)
		identifier_note(merging, &customer->identifiers[i]);
	*side = (struct side){
		.id = arena_text(call->arena, customer->id),
		.name = arena_text(call->arena, customer->name),
		.tier = arena_text(call->arena, customer->tier),
		.attributes = arena_text(call->arena, customer->attributes),
		.version = customer->version,
		.identifiers = customer->identifier_count,
		.identifiers_json = identifiers_of(merging, customer),
		.conversations_json = conversations_of(merging, customer),
	};
	merging->read++;
	merge_sides_read(merging);
}

void merge_sides_read(struct merging *merging)
{
	if (merging->read == merging->count)
		merging->next(merging);
	else
		customer_read(merging->call->parts->store, merging->call->who.workspace,
			      merging->ids[merging->read], on_side, merging);
}

/* ---- previews ---- */

static void conflict_write(struct json_out *out, const char *field, const char *into,
			   const char *from)
{
	if (into == NULL || from == NULL || *into == '\0' || *from == '\0' ||
	    text_equal(into, from))
		return;
	jw_object(out, NULL);
	jw_text(out, "field", field);
	jw_text(out, "into", into);
	jw_text(out, "from", from);
	jw_object_end(out);
}

struct attribute_conflicts {
	struct json_out *out;
	struct json_object *into;
	struct arena *arena;
};

static const char *shown(struct arena *arena, struct json_object *value)
{
	struct buf text = { 0 };
	const char *copy;

	if (json_kind(value) == JSON_TEXT)
		return json_string(value);
	if (json_kind(value) == JSON_NULL)
		return NULL;
	json_append(value, &text);
	copy = arena_text(arena, buf_string(&text));
	buf_clear(&text);
	return copy;
}

static void attribute_conflict(const char *key, struct json_object *value, void *context)
{
	struct attribute_conflicts *conflicts = context;

	conflict_write(conflicts->out, arena_format(conflicts->arena, "attributes.%s", key),
		       shown(conflicts->arena, json_at(conflicts->into, key)),
		       shown(conflicts->arena, value));
}

static void conflicts_write(struct json_out *out, struct arena *arena, const struct side *into,
			    const struct side *from)
{
	struct json_object *mine =
		into->attributes == NULL
			? NULL
			: json_read(into->attributes, strlen(into->attributes), NULL);
	struct json_object *theirs =
		from->attributes == NULL
			? NULL
			: json_read(from->attributes, strlen(from->attributes), NULL);
	struct attribute_conflicts conflicts = { out, mine, arena };

	jw_array(out, "conflicts");
	conflict_write(out, "name", into->name, from->name);
	conflict_write(out, "tier", into->tier, from->tier);
	json_each_field(theirs, attribute_conflict, &conflicts);
	jw_array_end(out);
	json_free(&mine);
	json_free(&theirs);
}

static void side_write(struct json_out *out, const char *key, const struct side *side)
{
	jw_object(out, key);
	jw_text(out, "id", side->id);
	jw_text(out, "name", side->name);
	jw_int(out, "version", side->version);
	jw_object_end(out);
}

void merge_preview(struct merging *merging, const struct side *from, const struct side *to,
		   bool has_conflicts)
{
	struct buf body = { 0 };
	struct json_out out;

	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_bool(&out, "preview", true);
	side_write(&out, "from", from);
	if (to != NULL)
		side_write(&out, "into", to);
	else
		jw_null(&out, "into");
	jw_array(&out, "identifiers");
	jw_raw(&out, NULL, from->identifiers_json, strlen(from->identifiers_json));
	jw_array_end(&out);
	jw_array(&out, "conversations");
	jw_raw(&out, NULL, from->conversations_json, strlen(from->conversations_json));
	jw_array_end(&out);
	if (has_conflicts)
		conflicts_write(&out, merging->call->arena, to, from);
	jw_object(&out, "versions");
	jw_int(&out, "from", from->version);
	if (to != NULL)
		jw_int(&out, "into", to->version);
	jw_object_end(&out);
	jw_object_end(&out);
	api_answer(merging->call, 200, &body);
}
