/* Conversations of the document: each with its messages, wherever they are, and its work. */
#include <string.h>

#include "api/person.h"
#include "base/memory.h"
#include "base/text.h"
#include "config.h"
#include "conversation/conversation.h"
#include "conversation/work_item.h"
#include "history/history.h"
#include "parts.h"
#include "services/file_link.h"
#include "services/loop.h"
#include "store/blob_owner.h"
#include "store/store.h"

enum { MESSAGES_PAGE = 20, ITEMS_PAGE = 200, ITEMS_AT_ONCE = 50, LINK_S = 7 * 86400 };

static void talk_next(struct person *person);

/* ---- work items: of the conversation in hand, or those that have none ---- */

static void item_add(struct person *person, const char *id)
{
	if (id != NULL && person_know(person, id))
		person_ids_add(&person->items, id);
}

static void items_write(struct person *person);

static void items_end(struct person *person)
{
	jw_array_end(&person->json);
	buf_reset(&person->items.rows);
	person->items.next = 0;
	if (person->talk == NULL) {
		person_go_on(person, person->talks_done);
		return;
	}
	jw_object_end(&person->json);
	person_go_on(person, talk_next);
}

static void on_items(const struct work_page *page, const struct error *err, void *context)
{
	struct person *person = context;

	if (!person_is_wanted(person))
		return;
	if (err != NULL) {
		person_fail(person, err);
		return;
	}
	for (size_t i = 0; i < page->count; i++)
		work_item_write(&person->json, NULL, &page->items[i]);
	person->counts[PERSON_WORK_ITEMS] += (int64_t)page->count;
	person_go_on(person, items_write);
}

static void items_write(struct person *person)
{
	const char *ids[ITEMS_AT_ONCE];
	size_t count = 0;

	while (count < ITEMS_AT_ONCE &&
	       (ids[count] = person_ids_at(&person->items, person->items.next)) != NULL) {
		person->items.next++;
		count++;
	}
	if (count == 0) {
		items_end(person);
		return;
	}
	person_hold(person);
	work_items_read(person->parts, &(struct work_ids){ person->workspace, ids, count },
			on_items, person);
}

static void items_ask(struct person *person);

static void on_past_items(struct json_object *answer, const struct error *err, void *context)
{
	struct person *person = context;
	struct json_object *ids = json_at(answer, "ids");
	size_t count = json_count(ids);

	if (!person_is_wanted(person))
		return;
	if (err != NULL) {
		person_fail(person, err);
		return;
	}
	for (size_t i = 0; i < count; i++)
		item_add(person, json_string(json_item(ids, i)));
	if (count < ITEMS_PAGE) {
		items_write(person);
		return;
	}
	person->after = arena_text(person->arena, json_string(json_item(ids, count - 1)));
	items_ask(person);
}

static void items_ask(struct person *person)
{
	struct buf fields = { 0 };
	struct json_out out;

	if (!history_is_kept(person->parts->history)) {
		items_write(person);
		return;
	}
	person_ask_start(person, &out, &fields);
	if (person->talk != NULL)
		jw_text(&out, "conversation", person->talk);
	if (person->after != NULL)
		jw_text(&out, "after", person->after);
	person_hold(person);
	history_ask(person->parts->history, "person_items", person->workspace, &fields,
		    on_past_items, person);
	buf_clear(&fields);
}

/* w, lw */
static void on_talk_items(const struct store_reply *reply, const struct error *err, void *context)
{
	struct person *person = context;

	if (!person_is_wanted(person))
		return;
	if (err != NULL) {
		person_fail(person, err);
		return;
	}
	item_add(person, reply_text_at(reply, 0));
	item_add(person, reply_text_at(reply, 1));
	items_ask(person);
}

static void talk_items(struct person *person)
{
	struct store_call *read = store_command("HMGET");

	jw_array_end(&person->json);
	jw_array(&person->json, "work_items");
	person->after = NULL;
	store_arg_key(read, person->workspace, "c:%s", person->talk);
	store_arg_text(read, "w");
	store_arg_text(read, "lw");
	person_hold(person);
	store_read(person->parts->store, read, on_talk_items, person);
}

static void cases_start(struct person *person)
{
	const char *id;

	jw_array_end(&person->json);
	jw_array(&person->json, "cases");
	person->after = NULL;
	for (size_t i = 0; (id = person_ids_at(&person->cases, i)) != NULL; i++)
		item_add(person, id);
	items_ask(person);
}

/* ---- messages ---- */

static void write_link(struct person *person, struct json_out *out, const char *blob)
{
	const struct config *config = person->parts->config;
	const char *base = config->files_url != NULL ? config->files_url : config->public_url;
	int64_t until_s = loop_unix_ms(person->parts->loop) / 1000 + LINK_S;
	struct buf link = { 0 };

	if (base != NULL)
		buf_text(&link, base);
	while (link.len > 0 && link.data[link.len - 1] == '/')
		link.len--;
	file_link_write(person->parts->key, blob, until_s, &link);
	jw_text(out, "link", buf_string(&link));
	jw_time(out, "link_expires_at", until_s * 1000);
	buf_clear(&link);
}

static void copy_member(const char *name, struct json_object *value, void *context)
{
	struct json_out *out = context;
	struct buf json = { 0 };

	json_append(value, &json);
	jw_raw(out, name, json.data, json.len);
	buf_clear(&json);
}

static void write_files(struct person *person, struct json_object *files)
{
	struct json_out *out = &person->json;

	jw_array(out, "attachments");
	for (size_t i = 0; i < json_count(files); i++) {
		struct json_object *file = json_item(files, i);
		const char *blob = json_text(file, "id");

		jw_object(out, NULL);
		json_each_field(file, copy_member, out);
		if (blob != NULL && blob_is_id(blob))
			write_link(person, out, blob);
		jw_object_end(out);
		person->counts[PERSON_ATTACHMENTS]++;
	}
	jw_array_end(out);
}

static void message_member(const char *name, struct json_object *value, void *context)
{
	struct person *person = context;

	if (text_equal(name, "attachments"))
		write_files(person, value);
	else
		copy_member(name, value, &person->json);
}

static void messages_ask(struct person *person);

static void on_messages(const struct message_page *page, const struct error *err, void *context)
{
	struct person *person = context;
	struct json_object *list;

	if (!person_is_wanted(person))
		return;
	if (err != NULL) {
		person_fail(person, err);
		return;
	}
	list = message_page_list(page);
	for (size_t i = 0; i < json_count(list); i++) {
		jw_object(&person->json, NULL);
		json_each_field(json_item(list, i), message_member, person);
		jw_object_end(&person->json);
		person->counts[PERSON_MESSAGES]++;
	}
	json_free(&list);
	person->from = page == NULL ? 0 : page->next;
	person_go_on(person, page != NULL && page->more ? messages_ask : talk_items);
}

static void messages_ask(struct person *person)
{
	const struct message_query query = {
		.workspace = person->workspace,
		.conversation = person->talk,
		.from = person->from,
		.limit = MESSAGES_PAGE,
		.without_notes = !person->has_notes,
	};

	person_hold(person);
	conversation_messages(person->parts, &query, on_messages, person);
}

/* ---- conversations ---- */

static void on_talk(const struct conversation *conversation, const struct error *err, void *context)
{
	struct person *person = context;
	struct json_out *out = &person->json;

	if (!person_is_wanted(person))
		return;
	if (err != NULL) {
		person_fail(person, err);
		return;
	}
	if (conversation == NULL) { /* it went meanwhile */
		person_go_on(person, talk_next);
		return;
	}
	jw_object(out, NULL);
	jw_text(out, "id", conversation->id);
	jw_text(out, "channel", conversation->channel);
	jw_text(out, "state", conversation->open ? "open" : "closed");
	jw_text(out, "address", conversation->address);
	jw_text(out, "name", conversation->name);
	jw_text(out, "subject", conversation->subject);
	jw_text(out, "thread", conversation->thread);
	if (conversation->page_attributes != NULL)
		jw_raw(out, "page_attributes", conversation->page_attributes,
		       strlen(conversation->page_attributes));
	jw_time(out, "created_at", conversation->created_ms);
	jw_time(out, "updated_at", conversation->updated_ms);
	jw_array(out, "messages");
	person->counts[PERSON_CONVERSATIONS]++;
	person->from = 0;
	person_go_on(person, messages_ask);
}

static void talk_next(struct person *person)
{
	person->talk = person_ids_at(&person->talks, person->talks.next);
	if (person->talk == NULL) {
		cases_start(person);
		return;
	}
	person->talks.next++;
	person_hold(person);
	conversation_read(person->parts, person->workspace, person->talk, on_talk, person);
}

void person_write_talks(struct person *person, person_step_fn *done)
{
	jw_array(&person->json, "conversations");
	person->talks_done = done;
	talk_next(person);
}
