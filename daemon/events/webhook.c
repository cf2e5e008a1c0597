#include "events/webhook.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "routing/objects.h"
#include "store/store.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

enum {
	TIMEOUT_MS = 15000,
	MAX_WAITING = 10000,
	HOLD_FROM = 3, /* failures in a row */
	HOLD_FIRST_MS = 1000,
	HOLD_LAST_MS = 60 * 1000,
	JITTER_PERCENT = 20, /* of a delay, half of it to either side */
};

/* As the Standard Webhooks specification proposes: ten attempts in three days. */
static const int64_t retry_ms[] = { 5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR,
				    10 * HOUR,  14 * HOUR,  20 * HOUR,   24 * HOUR };

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

static void webhook_read(struct webhook *row, struct json_object *object, struct arena *arena)
{
	const char *until = json_text(object, "previous_until");

	row->url = json_text_copy(object, "url", arena);
	row->secret = json_text_copy(object, "secret", arena);
	row->secret_previous = json_text_copy(object, "secret_previous", arena);
	row->previous_until_ms = until == NULL ? INT64_MAX : text_parse_time(until);
	row->types = texts_read(json_at(object, "types"), arena);
	row->queues = texts_read(json_at(object, "queues"), arena);
	row->timeout_ms = json_int(object, "timeout_ms", TIMEOUT_MS);
	row->max_waiting = json_int(object, "max_waiting", MAX_WAITING);
	row->disable_after_ms = json_int(object, "disable_after_ms", 120 * HOUR);
	row->version = json_int(object, "version", 0);
	row->is_enabled = json_bool(object, "enabled", true);
}

struct webhook_list *webhook_list_new(const struct store_reply *reply, struct error *err)
{
	struct webhook_list *list = memory_new(sizeof(*list));
	struct ordered *objects;

	list->arena = arena_new(0);
	list->count = objects_read(reply, list->arena, &objects, err);
	list->rows = arena_alloc(list->arena, (list->count + 1) * sizeof(*list->rows));
	for (size_t i = 0; i < list->count; i++) {
		list->rows[i].id = objects[i].id;
		webhook_read(&list->rows[i], objects[i].object, list->arena);
	}
	objects_free(objects, list->count);
	return list;
}

void webhook_list_free(struct webhook_list **list)
{
	if (*list == NULL)
		return;
	arena_free(&(*list)->arena);
	free(*list);
	*list = NULL;
}

const struct webhook *webhook_named(const struct webhook_list *list, const char *id)
{
	for (size_t i = 0; list != NULL && i < list->count; i++)
		if (text_equal(list->rows[i].id, id))
			return &list->rows[i];
	return NULL;
}

static bool has(const char *const *texts, const char *text)
{
	if (*texts == NULL)
		return true;
	for (; *texts != NULL; texts++)
		if (text_equal(*texts, text))
			return true;
	return false;
}

bool webhook_wants(const struct webhook *webhook, const char *type, const char *queue)
{
	return webhook->is_enabled && has(webhook->types, type) && has(webhook->queues, queue);
}

int webhook_sign(const struct webhook *webhook, const char *event, int64_t now_ms,
		 const struct buf *body, char out[WEBHOOK_SIGNATURE_BYTES])
{
	size_t len;

	if (sign_webhook(webhook->secret, event, now_ms / SECOND, body, out) != 0)
		return -1;
	len = strlen(out);
	if (webhook->secret_previous == NULL || now_ms >= webhook->previous_until_ms ||
	    sign_webhook(webhook->secret_previous, event, now_ms / SECOND, body, out + len + 1) !=
		    0)
		return 0;
	out[len] = ' ';
	return 0;
}

int64_t webhook_retry_ms(int64_t attempts, uint32_t random)
{
	int64_t delay;

	if (attempts < 1 || attempts > (int64_t)COUNT_OF(retry_ms))
		return -1;
	delay = retry_ms[attempts - 1];
	return delay - delay * JITTER_PERCENT / 200 +
	       (int64_t)(random % 1000) * delay * JITTER_PERCENT / (100 * 1000);
}

int64_t webhook_hold_ms(int64_t failures)
{
	int64_t hold = HOLD_FIRST_MS;

	if (failures < HOLD_FROM)
		return 0;
	for (int64_t i = HOLD_FROM; i < failures && hold < HOLD_LAST_MS; i++)
		hold *= 2;
	return hold < HOLD_LAST_MS ? hold : HOLD_LAST_MS;
}
