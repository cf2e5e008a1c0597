/* The conversations of POST /v1/import: over where they come from, so they go straight into the
 * history. Ids are made from those of the source: taken again, nothing is there twice. */
#include <stdio.h>
#include <string.h>

#include "api/imports.h"
#include "base/text.h"
#include "conversation/message.h"
#include "history/history.h"
#include "parts.h"
#include "store/store.h"

enum { MESSAGES_MAX = 20000, TEXT_MAX = 262144 };

struct talk {
	struct importing *importing;
	struct json_object *row;
	const char *channel; /* import-<source> */
	const char *customer;
	struct identity_key key; /* of the customer's id there */
	char id[ID_BYTES];
	size_t count;
	bool is_new;
	int64_t first_ms, last_ms;
	struct buf messages;
	struct buf marks;
	struct json_out messages_out;
	struct json_out marks_out;
};

static void talk_end(struct talk *talk, const char *result, const char *reason)
{
	buf_clear(&talk->messages);
	buf_clear(&talk->marks);
	import_result(talk->importing, result, reason == NULL ? talk->id : NULL, reason);
}

static const char *line_of(struct talk *talk, struct json_object *row, const char *field)
{
	const char *text = json_text(row, field);

	return text == NULL
		       ? ""
		       : text_clean_line(talk->importing->call->arena, text, strlen(text), 1000);
}

/* ---- its messages ---- */

static int64_t time_of(struct json_object *row, int64_t fallback)
{
	const char *text = json_text(row, "created_at");
	int64_t ms = text == NULL ? 0 : text_parse_time(text);

	return ms > 0 ? ms : fallback;
}

static void message_id(struct talk *talk, struct json_object *message, size_t index,
		       char ret[ID_BYTES])
{
	struct identity_place place = talk->importing->order.place;
	struct arena *arena = talk->importing->call->arena;
	const char *external = line_of(talk, message, "external_id");

	place.channel = talk->channel;
	identity_message(&place,
			 *external == '\0' ? arena_format(arena, "%s %zu", talk->id, index)
					   : arena_format(arena, "%s %s", talk->id, external),
			 ret);
}

static void message_add(struct talk *talk, struct json_object *message, size_t index)
{
	struct arena *arena = talk->importing->call->arena;
	const char *text = json_text(message, "text");
	const char *author = line_of(talk, message, "author_type");
	bool is_note = text_equal(json_text(message, "kind"), "note");
	char id[ID_BYTES];
	struct buf json = { 0 };
	struct message_record record = {
		.id = id,
		.conversation = talk->id,
		.out = !text_equal(json_text(message, "direction"), "in"),
		.kind = is_note ? MESSAGE_NOTE : MESSAGE_TEXT,
		.text = text == NULL ? "" : text_clean(arena, text, strlen(text), TEXT_MAX),
		.author_type = *author == '\0' ? "agent" : author,
		.author_name = line_of(talk, message, "author_name"),
		.channel = talk->channel,
		.provider_id = line_of(talk, message, "external_id"),
		.created_ms = time_of(message, talk->last_ms),
	};

	message_id(talk, message, index, id);
	if (record.created_ms > talk->last_ms)
		talk->last_ms = record.created_ms;
	message_write(&json, &record);
	jw_object(&talk->messages_out, NULL);
	jw_text(&talk->messages_out, "conversation", talk->id);
	jw_int(&talk->messages_out, "created_ms", talk->first_ms);
	jw_int(&talk->messages_out, "index", (int64_t)index);
	jw_textn(&talk->messages_out, "json", json.data, json.len);
	jw_object_end(&talk->messages_out);
	buf_clear(&json);
	if (!record.out || is_note)
		return;
	jw_object(&talk->marks_out, NULL);
	jw_text(&talk->marks_out, "id", id);
	jw_text(&talk->marks_out, "mark", "sent");
	jw_object_end(&talk->marks_out);
}

/* ---- the conversation ---- */

static void text_if(struct json_out *out, const char *key, const char *text)
{
	if (text != NULL && *text != '\0')
		jw_text(out, key, text);
}

/* The fields of a conversation's hash, as the store would have them. */
static void hash_write(struct talk *talk, struct json_out *out)
{
	char number[32];

	jw_object(out, "hash");
	jw_text(out, "ch", talk->channel);
	jw_text(out, "u", talk->customer);
	jw_text(out, "ik", talk->key.hex);
	text_if(out, "ad", line_of(talk, talk->row, "customer"));
	text_if(out, "th", line_of(talk, talk->row, "external_id"));
	text_if(out, "sub", line_of(talk, talk->row, "subject"));
	jw_text(out, "s", "closed");
	snprintf(number, sizeof(number), "%zu", talk->count);
	jw_text(out, "n", number);
	snprintf(number, sizeof(number), "%lld", (long long)talk->first_ms);
	jw_text(out, "ct", number);
	snprintf(number, sizeof(number), "%lld", (long long)talk->last_ms);
	jw_text(out, "ut", number);
	jw_text(out, "v", "1");
	jw_object_end(out);
}

static void on_written(struct json_object *answer, const struct error *err, void *context)
{
	struct talk *talk = context;
	struct json_object *skipped = json_at(answer, "skipped");

	if (err != NULL)
		import_failed(talk->importing, err);
	else if (json_count(skipped) > 0)
		talk_end(talk, "refused", json_text(json_item(skipped, 0), "error"));
	else
		talk_end(talk, talk->is_new ? "created" : "updated", NULL);
}

static void talk_write(struct talk *talk)
{
	struct json_object *list = json_at(talk->row, "messages");
	struct buf fields = { 0 };
	struct json_out out;

	jw_start(&talk->messages_out, &talk->messages);
	jw_start(&talk->marks_out, &talk->marks);
	talk->last_ms = talk->first_ms;
	for (size_t i = 0; i < talk->count; i++)
		message_add(talk, json_item(list, i), i);
	jw_start(&out, &fields);
	out.need_comma = true;
	jw_array(&out, "conversations");
	jw_object(&out, NULL);
	jw_text(&out, "id", talk->id);
	hash_write(talk, &out);
	jw_object_end(&out);
	jw_array_end(&out);
	jw_array(&out, "messages");
	jw_raw(&out, NULL, buf_string(&talk->messages), talk->messages.len);
	jw_array_end(&out);
	jw_array(&out, "marks");
	jw_raw(&out, NULL, buf_string(&talk->marks), talk->marks.len);
	jw_array_end(&out);
	history_tell(talk->importing->call->parts->history, "write",
		     talk->importing->call->who.workspace, &fields, on_written, talk);
	buf_clear(&fields);
}

static void on_asked(struct json_object *answer, const struct error *err, void *context)
{
	struct talk *talk = context;
	int64_t there = json_int(answer, "conversation.count", -1);

	if (err != NULL) {
		import_failed(talk->importing, err);
		return;
	}
	talk->is_new = there < 0;
	if (there >= (int64_t)talk->count)
		talk_end(talk, "unchanged", NULL);
	else if (talk->importing->order.is_dry)
		talk_end(talk, talk->is_new ? "created" : "updated", NULL);
	else
		talk_write(talk);
}

static void talk_ask(struct talk *talk)
{
	struct buf fields = { 0 };
	struct json_out out;

	jw_start(&out, &fields);
	out.need_comma = true;
	jw_text(&out, "conversation", talk->id);
	/* Behind what was told before, and where the database may have to be made first. */
	history_tell(talk->importing->call->parts->history, "conversation",
		     talk->importing->call->who.workspace, &fields, on_asked, talk);
	buf_clear(&fields);
}

static void on_owner(const char *customer, const struct error *err, void *context)
{
	struct talk *talk = context;

	if (err != NULL) {
		import_failed(talk->importing, err);
	} else if (customer == NULL && !talk->importing->order.is_dry) {
		talk_end(talk, "refused", "its customer has not been imported");
	} else {
		talk->customer =
			arena_text(talk->importing->call->arena, customer == NULL ? "" : customer);
		talk_ask(talk);
	}
}

/* NULL, or why the row cannot be taken. */
static const char *talk_check(struct talk *talk)
{
	if (!history_is_kept(talk->importing->call->parts->history))
		return "the setting history is none: there is nowhere to keep closed conversations";
	if (*line_of(talk, talk->row, "external_id") == '\0')
		return "external_id is missing: the id it has where it comes from";
	if (*line_of(talk, talk->row, "customer") == '\0')
		return "customer is missing: the id that its customer has where it comes from";
	if (talk->count == 0)
		return "it holds no message";
	if (talk->count > MESSAGES_MAX)
		return "more than 20000 messages";
	if (talk->first_ms <= 0)
		return "created_at is missing, or no time such as 2026-01-31T09:00:00Z";
	return NULL;
}

void import_talk(struct importing *importing, struct json_object *row)
{
	struct api_call *call = importing->call;
	struct talk *talk = arena_alloc(call->arena, sizeof(*talk));
	struct json_object *list = json_at(row, "messages");
	struct identity_place place = importing->order.place;
	struct identifier owner;
	const char *why;

	talk->importing = importing;
	talk->row = row;
	talk->channel = arena_format(call->arena, "import-%s", importing->order.source);
	talk->count = json_count(list);
	talk->first_ms = time_of(row, time_of(json_item(list, 0), 0));
	why = talk_check(talk);
	if (why != NULL) {
		talk_end(talk, "refused", why);
		return;
	}
	import_external(&importing->order, line_of(talk, row, "customer"), &owner);
	place.channel = talk->channel;
	identity_index(&place, &owner, &talk->key);
	identity_conversation_of(&place, &talk->key, line_of(talk, row, "external_id"), talk->id);
	customer_find(call->parts->store, &place, &owner, on_owner, talk);
}
