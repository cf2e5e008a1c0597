/* What the rows of a hand-over say about its messages. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"
#include "history/evict_internal.h"
#include "identity/identity.h"
#include "parts.h"

struct scan {
	struct evictor *evictor;
	struct map *ones;  /* by conversation */
	struct map *marks; /* by message: their rows */
	struct json_out out;
};

/* ---- references ---- */

static void reference_add(struct scan *scan, struct evict_one *one, struct json_object *message,
			  int64_t index, const char *provider_id)
{
	const struct identity_place place = { .mac = scan->evictor->parts->key,
					      .workspace = evict_workspace(scan->evictor),
					      .channel = json_text(message, "channel") };
	struct evict_reference *reference = &one->references[one->reference_count];
	struct identity_key key;

	if (provider_id == NULL || *provider_id == '\0' || place.channel == NULL ||
	    one->reference_count >= (size_t)(2 * one->messages + 2))
		return;
	one->reference_count++;
	identity_reference(&place, provider_id, &key);
	reference->bucket = key.bucket;
	memcpy(reference->field, key.field, sizeof(reference->field));
	jw_object(&scan->out, NULL);
	jw_text(&scan->out, "id", key.hex);
	jw_text(&scan->out, "conversation", one->id);
	jw_text(&scan->out, "message", json_text(message, "id"));
	jw_int(&scan->out, "index", index);
	jw_object_end(&scan->out);
}

/* ---- what may hold it ---- */

static void holder_add(struct evict_one *one, const char **list, size_t *count, const char *text)
{
	if (*count == EVICT_HOLDERS)
		one->has_too_many = true;
	else
		list[(*count)++] = text;
}

static void media_look(struct scan *scan, struct evict_one *one, struct json_object *message,
		       int64_t index)
{
	struct json_object *list = json_at(message, "attachments");

	for (size_t i = 0; i < json_count(list); i++) {
		struct json_object *attachment = json_item(list, i);

		if (!json_has(attachment, "url") || json_has(attachment, "id"))
			continue;
		holder_add(one, one->media, &one->media_count,
			   arena_format(scan->evictor->arena, "%s %s %lld", one->id,
					json_text(message, "id"), (long long)index));
		return;
	}
}

static void mark_look(struct scan *scan, struct evict_one *one, const char *id, const char *mark)
{
	static const char *const words[] = { "failed", "expired", "uncertain" };

	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (text_starts(mark, words[i]))
			holder_add(one, one->dead, &one->dead_count,
				   arena_text(scan->evictor->arena, id));
}

static bool is_settled(const char *files)
{
	return files != NULL && strstr(files, "pending") == NULL;
}

static void message_look(struct scan *scan, struct json_object *row)
{
	struct evict_one *one = map_get(scan->ones, json_text(row, "conversation"));
	const char *text = json_text(row, "json");
	struct json_object *message;
	struct json_object *mark;
	const char *id;

	message = one == NULL || text == NULL ? NULL : json_read(text, strlen(text), NULL);
	id = json_text(message, "id");
	if (id != NULL) {
		int64_t index = json_int(row, "index", 0);

		mark = map_get(scan->marks, id);
		reference_add(scan, one, message, index, json_text(message, "provider_id"));
		reference_add(scan, one, message, index, json_text(mark, "provider_id"));
		if (!is_settled(json_text(mark, "files")))
			media_look(scan, one, message, index);
		if (json_text(mark, "mark") != NULL)
			mark_look(scan, one, id, json_text(mark, "mark"));
	}
	json_free(&message);
}

void evict_rows_read(struct evictor *evictor, struct buf *rows)
{
	struct scan scan = { .evictor = evictor, .ones = map_new(), .marks = map_new() };
	struct json_object *object;
	struct json_object *list;
	struct buf references = { 0 };

	/* Fields of a job: each after a comma. */
	rows->data[0] = '{';
	buf_byte(rows, '}');
	object = json_read(rows->data, rows->len, NULL);
	rows->data[0] = ',';
	rows->len--;
	jw_start(&scan.out, &references);
	jw_array(&scan.out, NULL);
	for (size_t i = 0; i < evictor->count; i++)
		if (!evictor->ones[i].is_item)
			map_put(scan.ones, evictor->ones[i].id, &evictor->ones[i]);
	list = json_at(object, "marks");
	for (size_t i = 0; i < json_count(list); i++)
		if (json_text(json_item(list, i), "id") != NULL)
			map_put(scan.marks, json_text(json_item(list, i), "id"),
				json_item(list, i));
	list = json_at(object, "messages");
	for (size_t i = 0; i < json_count(list); i++)
		message_look(&scan, json_item(list, i));
	jw_array_end(&scan.out);
	buf_text(rows, ",\"references\":");
	buf_add(rows, references.data, references.len);
	buf_clear(&references);
	json_free(&object);
	map_free(&scan.ones);
	map_free(&scan.marks);
}
