#include "automation/classifier.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "routing/objects.h"
#include "store/store.h"

enum { TYPE_MAX = 40, TOPIC_MAX = 100, QUEUE_MAX = 40, DEADLINE_MS = 5000 };

/* ---- configuration ---- */

static const char *const *texts_read(struct json_object *array, struct arena *arena)
{
	size_t count = json_count(array);
	const char **texts = arena_alloc(arena, (count + 1) * sizeof(*texts));
	size_t used = 0;

	for (size_t i = 0; i < count; i++)
		if (json_string(json_item(array, i)) != NULL)
			texts[used++] = arena_text(arena, json_string(json_item(array, i)));
	return texts;
}

struct classifier_list *classifier_list_new(const struct store_reply *reply, struct error *err)
{
	struct classifier_list *list = memory_new(sizeof(*list));
	struct ordered *objects;

	list->arena = arena_new(0);
	list->count = objects_read(reply, list->arena, &objects, err);
	list->rows = arena_alloc(list->arena, (list->count + 1) * sizeof(*list->rows));
	for (size_t i = 0; i < list->count; i++) {
		struct json_object *object = objects[i].object;
		struct classifier *row = &list->rows[i];

		row->id = objects[i].id;
		row->url = json_text_copy(object, "url", list->arena);
		row->secret = json_text_copy(object, "secret", list->arena);
		row->deadline_ms = json_int(object, "deadline_ms", DEADLINE_MS);
		row->min_confidence = json_int(object, "min_confidence", 0);
		row->only_by_rule = json_bool(object, "only_by_rule", false);
		row->queues = texts_read(json_at(object, "queues"), list->arena);
		row->channels = texts_read(json_at(object, "channels"), list->arena);
	}
	objects_free(objects, list->count);
	return list;
}

void classifier_list_free(struct classifier_list **list)
{
	if (*list == NULL)
		return;
	arena_free(&(*list)->arena);
	free(*list);
	*list = NULL;
}

static bool wants(const char *const *texts, const char *text)
{
	if (*texts == NULL)
		return true;
	for (; *texts != NULL; texts++)
		if (text_equal(*texts, text))
			return true;
	return false;
}

const struct classifier *classifier_find(const struct classifier_list *list, const char *queue,
					 const char *channel)
{
	for (size_t i = 0; list != NULL && i < list->count; i++)
		if (!list->rows[i].only_by_rule && wants(list->rows[i].queues, queue) &&
		    wants(list->rows[i].channels, channel))
			return &list->rows[i];
	return NULL;
}

const struct classifier *classifier_named(const struct classifier_list *list, const char *id)
{
	for (size_t i = 0; list != NULL && i < list->count; i++)
		if (text_equal(list->rows[i].id, id))
			return &list->rows[i];
	return NULL;
}

/* ---- the question ---- */

void classifier_body(const struct classifier_question *question, struct buf *out)
{
	struct json_out json;

	jw_start(&json, out);
	jw_object(&json, NULL);
	jw_text(&json, "type", "work_item.classify");
	jw_time(&json, "timestamp", question->now_ms);
	jw_object(&json, "data");
	jw_text(&json, "work_item", question->work_item);
	jw_text(&json, "conversation", question->conversation);
	jw_text(&json, "channel", question->channel);
	jw_text(&json, "queue", question->queue);
	jw_text(&json, "type", question->type);
	jw_text(&json, "topic", question->topic);
	jw_text(&json, "urgency", question->urgency);
	jw_raw(&json, "message", question->message, strlen(question->message));
	jw_object_end(&json);
	jw_object_end(&json);
}

/* ---- the answer ---- */

static int text_read(struct json_object *answer, const char *key, size_t max, const char **ret,
		     struct error *err)
{
	const char *text = json_text(answer, key);

	if (!json_has(answer, key))
		return 0;
	if (text == NULL || strlen(text) > max)
		return error_set(err, ERROR_PERMANENT, "its \"%s\" is no text of at most %zu bytes",
				 key, max);
	for (const char *at = text; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return error_set(err, ERROR_PERMANENT, "its \"%s\" is not one line", key);
	*ret = text;
	return 0;
}

static int urgency_check(const char *urgency, struct error *err)
{
	static const char *const known[] = { "", "low", "normal", "high", "urgent" };

	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (text_equal(known[i], urgency))
			return 0;
	return error_set(err, ERROR_PERMANENT,
			 "its \"urgency\" is none of low, normal, high, urgent");
}

/* 0 to 1, as classifiers give it; ours is in percent. */
static int confidence_read(struct json_object *answer, int64_t *ret, struct error *err)
{
	struct buf text = { 0 };
	double number = -1;

	if (json_kind(json_at(answer, "confidence")) == JSON_NUMBER) {
		json_append(json_at(answer, "confidence"), &text);
		number = strtod(buf_string(&text), NULL);
		buf_clear(&text);
	}
	if (!(number >= 0 && number <= 1))
		return error_set(err, ERROR_PERMANENT, "its \"confidence\" is not between 0 and 1");
	*ret = (int64_t)floor(number * 100);
	return 0;
}

static int answer_read(struct json_object *answer, struct classifier_answer *ret, struct error *err)
{
	if (json_kind(answer) != JSON_OBJECT)
		return error_set(err, ERROR_PERMANENT, "it is no object");
	if (json_has(answer, "needs_human") &&
	    json_kind(json_at(answer, "needs_human")) != JSON_BOOL)
		return error_set(err, ERROR_PERMANENT, "its \"needs_human\" is not true or false");
	ret->needs_human = json_bool(answer, "needs_human", false);
	if (text_read(answer, "type", TYPE_MAX, &ret->type, err) != 0 ||
	    text_read(answer, "topic", TOPIC_MAX, &ret->topic, err) != 0 ||
	    text_read(answer, "urgency", TYPE_MAX, &ret->urgency, err) != 0 ||
	    text_read(answer, "queue", QUEUE_MAX, &ret->queue, err) != 0)
		return -1;
	if (urgency_check(ret->urgency, err) != 0)
		return -1;
	return confidence_read(answer, &ret->confidence, err);
}

int classifier_read(const char *json, size_t len, struct arena *arena,
		    struct classifier_answer *ret, struct error *err)
{
	struct json_object *answer = json_read(json, len, err);
	int status;

	if (answer == NULL)
		return -1;
	*ret = (struct classifier_answer){ .type = "", .topic = "", .urgency = "", .queue = "" };
	status = answer_read(answer, ret, err);
	ret->type = arena_text(arena, ret->type);
	ret->topic = arena_text(arena, ret->topic);
	ret->urgency = arena_text(arena, ret->urgency);
	ret->queue = arena_text(arena, ret->queue);
	json_free(&answer);
	return status;
}
