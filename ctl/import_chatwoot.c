/* import chatwoot: its account API v1, or a folder with the same answers saved: contacts*.json,
 * conversations*.json, messages-<conversation>.json, canned_responses.json. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "import.h"

static const char *const payload_keys[] = { "payload", "data.payload", NULL };

enum { PAGES_MAX = 1000 };

static const char *time_of(struct arena *arena, struct json_object *object, const char *field)
{
	struct json_object *value = json_at(object, field);
	int64_t seconds = json_int(object, field, 0);
	char text[32];

	if (json_kind(value) == JSON_TEXT)
		return json_string(value);
	if (seconds <= 0)
		return NULL;
	text_format_time(seconds * 1000, text);
	return arena_text(arena, text);
}

/* ---- people ---- */

struct attributes {
	struct json_out *out;
	struct arena *arena;
};

static void attribute_write(const char *key, struct json_object *value, void *context)
{
	struct attributes *attributes = context;
	const char *text = import_scalar(attributes->arena, value);

	if (text != NULL && *text != '\0')
		jw_text(attributes->out, key, text);
}

static void labels_write(struct json_out *out, struct json_object *labels)
{
	jw_array(out, "tags");
	for (size_t i = 0; i < json_count(labels); i++)
		if (json_string(json_item(labels, i)) != NULL)
			jw_text(out, NULL, json_string(json_item(labels, i)));
	jw_array_end(out);
}

/* The list of contacts leaves labels out; saved files may have them put in. */
static struct json_object *labels_fetch(struct import_run *run, const char *id)
{
	struct error err = { 0 };
	struct json_object *answer;

	if (!import_source_is_api(import_from(run)))
		return NULL;
	answer = import_get(import_from(run),
			    arena_format(import_arena(run), "/contacts/%s/labels", id), &err);
	if (answer == NULL)
		import_fail(run, EX_UNAVAILABLE, &err);
	return answer;
}

static void contact_import(struct import_run *run, struct json_object *contact, const char *at)
{
	struct arena *arena = import_arena(run);
	const char *id = import_scalar(arena, json_at(contact, "id"));
	struct json_object *fetched = NULL;
	struct json_object *labels = json_at(contact, "labels");
	struct json_out *out;
	struct attributes attributes;

	if (id == NULL) {
		import_refuse(run, at, "a contact without an id");
		return;
	}
	if (labels == NULL) {
		fetched = labels_fetch(run, id);
		labels = json_at(fetched, "payload");
	}
	out = import_begin(run, "customers", at);
	attributes = (struct attributes){ out, arena };
	jw_text(out, "external_id", id);
	jw_text(out, "name", json_text(contact, "name"));
	jw_text(out, "created_at", time_of(arena, contact, "created_at"));
	labels_write(out, labels);
	jw_object(out, "attributes");
	json_each_field(json_at(contact, "custom_attributes"), attribute_write, &attributes);
	json_each_field(json_at(contact, "additional_attributes"), attribute_write, &attributes);
	jw_object_end(out);
	jw_array(out, "identifiers");
	import_identifier(out, "email", json_text(contact, "email"));
	import_identifier(out, "phone", json_text(contact, "phone_number"));
	jw_array_end(out);
	import_end(run);
	json_free(&fetched);
}

/* ---- talks ---- */

enum message_type { MESSAGE_INCOMING, MESSAGE_OUTGOING, MESSAGE_ACTIVITY, MESSAGE_TEMPLATE };

struct message {
	int64_t id;
	char *json;
};

/* Messages of the conversation that is read, as records. */
struct messages {
	struct import_run *run;
	struct message *list;
	size_t count;
	int64_t oldest;
};

static int by_id(const void *a, const void *b)
{
	const struct message *x = a;
	const struct message *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* Files are not fetched: what they were stays in the text as an address. */
static void text_write(struct json_out *out, struct json_object *message)
{
	struct json_object *files = json_at(message, "attachments");
	const char *text = json_text(message, "content");
	struct buf whole = { 0 };

	buf_text(&whole, text == NULL ? "" : text);
	for (size_t i = 0; i < json_count(files); i++)
		if (json_text(json_item(files, i), "data_url") != NULL)
			buf_format(&whole, "%s%s", whole.len > 0 ? "\n" : "",
				   json_text(json_item(files, i), "data_url"));
	jw_text(out, "text", buf_string(&whole));
	buf_clear(&whole);
}

static char *message_record(struct import_run *run, struct json_object *message, int64_t type)
{
	static const char *const authors[] = { "customer", "agent", "system", "bot" };
	struct buf record = { 0 };
	struct json_out out;

	jw_start(&out, &record);
	jw_object(&out, NULL);
	jw_text(&out, "external_id", import_scalar(import_arena(run), json_at(message, "id")));
	jw_text(&out, "direction", type == MESSAGE_INCOMING ? "in" : "out");
	jw_text(&out, "kind", json_bool(message, "private", false) ? "note" : "text");
	text_write(&out, message);
	jw_text(&out, "author_type", authors[type]);
	jw_text(&out, "author_name", json_text(message, "sender.name"));
	jw_text(&out, "created_at", time_of(import_arena(run), message, "created_at"));
	jw_object_end(&out);
	return record.data;
}

/* What the product itself notes ("assigned to ...") is no message. */
static void message_take(struct messages *messages, struct json_object *message)
{
	int64_t type = json_int(message, "message_type", MESSAGE_ACTIVITY);
	int64_t id = json_int(message, "id", 0);

	if (id > 0 && (messages->oldest == 0 || id < messages->oldest))
		messages->oldest = id;
	if (id <= 0 || type < 0 || type > MESSAGE_TEMPLATE || type == MESSAGE_ACTIVITY)
		return;
	messages->list = memory_grow(messages->list, messages->count + 1, sizeof(*messages->list));
	messages->list[messages->count++] =
		(struct message){ id, message_record(messages->run, message, type) };
}

/* The API gives the 20 newest before an id. */
static int messages_fetch(struct messages *messages, const char *id, struct error *err)
{
	struct import_run *run = messages->run;
	int64_t before;
	int pages = 0;

	do {
		struct buf target = { 0 };
		struct json_object *page;

		before = messages->oldest;
		buf_format(&target, "/conversations/%s/messages", id);
		if (before > 0)
			buf_format(&target, "?before=%lld", (long long)before);
		page = import_get(import_from(run), buf_string(&target), err);
		buf_clear(&target);
		if (page == NULL)
			return -1;
		for (size_t i = 0; i < json_count(json_at(page, "payload")); i++)
			message_take(messages, json_item(json_at(page, "payload"), i));
		json_free(&page);
	} while (messages->oldest != before && ++pages < PAGES_MAX);
	return 0;
}

static int messages_read(struct messages *messages, const char *id, struct error *err)
{
	struct json_object *saved;
	char name[128];
	struct json_object *list;

	if (import_source_is_api(import_from(messages->run)))
		return messages_fetch(messages, id, err);
	snprintf(name, sizeof(name), "messages-%s.json", id);
	saved = import_saved(import_from(messages->run), name, err);
	if (saved == NULL)
		return -1;
	list = json_kind(saved) == JSON_ARRAY ? saved : json_at(saved, "payload");
	for (size_t i = 0; i < json_count(list); i++)
		message_take(messages, json_item(list, i));
	json_free(&saved);
	return 0;
}

static void messages_write(struct messages *messages, struct json_out *out)
{
	if (messages->count > 1)
		qsort(messages->list, messages->count, sizeof(*messages->list), by_id);
	jw_array(out, "messages");
	for (size_t i = 0; i < messages->count; i++)
		if (i == 0 || messages->list[i].id != messages->list[i - 1].id)
			jw_raw(out, NULL, messages->list[i].json, strlen(messages->list[i].json));
	jw_array_end(out);
}

static void messages_clear(struct messages *messages)
{
	for (size_t i = 0; i < messages->count; i++)
		free(messages->list[i].json);
	free(messages->list);
}

static void conversation_write(struct import_run *run, struct json_object *conversation,
			       struct messages *messages, const char *at)
{
	struct arena *arena = import_arena(run);
	struct json_out *out = import_begin(run, "conversations", at);

	arena = import_arena(run);
	jw_text(out, "external_id", import_scalar(arena, json_at(conversation, "id")));
	jw_text(out, "customer", import_scalar(arena, json_at(conversation, "meta.sender.id")));
	jw_text(out, "subject", json_text(conversation, "additional_attributes.mail_subject"));
	jw_text(out, "origin", json_text(conversation, "meta.channel"));
	jw_text(out, "created_at", time_of(arena, conversation, "created_at"));
	labels_write(out, json_at(conversation, "labels"));
	messages_write(messages, out);
	import_end(run);
}

/* Only what is over: open talks go on where they are. */
static void conversation_import(struct import_run *run, struct json_object *conversation,
				const char *at)
{
	const char *id = import_scalar(import_arena(run), json_at(conversation, "id"));
	struct messages messages = { .run = run };
	struct error err = { 0 };

	if (!text_equal(json_text(conversation, "status"), "resolved"))
		return;
	if (id == NULL || json_at(conversation, "meta.sender.id") == NULL)
		import_refuse(run, at, "a conversation without an id or a sender");
	else if (messages_read(&messages, id, &err) == 0)
		conversation_write(run, conversation, &messages, at);
	else if (import_source_is_api(import_from(run)))
		import_fail(run, EX_UNAVAILABLE, &err);
	else
		import_refuse(run, at, err.text);
	messages_clear(&messages);
}

static void canned_take(struct import_run *run, struct json_object *canned, const char *at)
{
	const char *code = json_text(canned, "short_code");
	const char *text = json_text(canned, "content");

	(void)at;
	import_canned(run, code == NULL ? "" : code, code == NULL ? "" : code,
		      text == NULL ? "" : text);
}

/* ---- everything, people first ---- */

static int pages_each(struct import_run *run, const char *pattern, const char *what,
		      import_object_fn *fn, struct error *err)
{
	size_t got = 1;

	for (int number = 1; got > 0 && !import_is_over(run); number++) {
		char target[256];
		char at[128];
		struct json_object *page;
		struct json_object *list;

		snprintf(target, sizeof(target), "%s%spage=%d", pattern,
			 strchr(pattern, '?') == NULL ? "?" : "&", number);
		page = import_get(import_from(run), target, err);
		if (page == NULL)
			return -1;
		list = json_at(page, "payload") != NULL ? json_at(page, "payload")
							: json_at(page, "data.payload");
		got = json_count(list);
		snprintf(at, sizeof(at), "%s, page %d", what, number);
		import_list_each(run, page, payload_keys, at, fn);
		json_free(&page);
	}
	return 0;
}

static int all_of_api(struct import_run *run, struct error *err)
{
	struct json_object *canned;

	if (pages_each(run, "/contacts", "contacts", contact_import, err) < 0 ||
	    pages_each(run, "/conversations?status=resolved", "conversations", conversation_import,
		       err) < 0)
		return -1;
	canned = import_get(import_from(run), "/canned_responses", err);
	if (canned == NULL)
		return -1;
	import_list_each(run, canned, payload_keys, "canned responses", canned_take);
	json_free(&canned);
	return 0;
}

static int all_of_folder(struct import_run *run, struct error *err)
{
	int people = import_folder_each(run, "contacts", payload_keys, contact_import, err);
	int talks = people < 0 ? -1
			       : import_folder_each(run, "conversations", payload_keys,
						    conversation_import, err);
	int canned = talks < 0 ? -1
			       : import_folder_each(run, "canned_responses", payload_keys,
						    canned_take, err);

	if (canned < 0)
		return -1;
	if (people + talks + canned == 0)
		return error_set(err, ERROR_MISUSE,
				 "the folder holds neither contacts*.json, conversations*.json nor "
				 "canned_responses.json");
	return 0;
}

int import_chatwoot(struct import_run *run)
{
	bool is_api = import_source_is_api(import_from(run));
	struct error err = { 0 };
	int result = is_api ? all_of_api(run, &err) : all_of_folder(run, &err);

	if (result < 0)
		import_fail(run, is_api ? EX_UNAVAILABLE : EX_DATAERR, &err);
	return result;
}
