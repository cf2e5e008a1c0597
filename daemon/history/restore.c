/* Page by page: customers and what is known of them, then work items, then the conversations of
 * these one after the other, then whose the blobs of all messages are. */
#include "history/restore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "history/history.h"
#include "identity/identity.h"
#include "parts.h"
#include "routing/router.h"
#include "services/loop.h"
#include "store/blob_owner.h"
#include "store/store.h"
#include "workspace.h"

enum { PAGE = 200, MESSAGES = 100, PROBLEM_BYTES = 200 };

enum phase {
	CUSTOMERS,
	NOTES,
	SUGGESTIONS,
	MERGES,
	WORK_ITEMS,
	CONVERSATIONS,
	FILES,
	DONE,
	FAILED,
};

/* Kinds of hashes, in the order of phases. */
static const struct kind {
	const char *what; /* to the history */
	const char *script;
	const char *key;
	int page;
} kinds[] = {
	[CUSTOMERS] = { "customer", "restore_customer", "u", PAGE },
	[NOTES] = { "note", "restore_hash", "un", PAGE / 10 }, /* up to 200 in each */
	[SUGGESTIONS] = { "suggestion", "restore_hash", "sg", PAGE },
	[MERGES] = { "merge", "restore_merge", "mg", PAGE },
	[WORK_ITEMS] = { "work_item", "restore_item", "w", PAGE },
};

const char *const restore_not_kept[] = {
	"configuration (convergectl apply)",
	"tokens (convergectl token create)",
	"passwords and logins",
	"presence",
	"orders",
	"tombstones of what was erased",
	"opt-outs of people who were erased",
	"remembered ids of providers",
	"uploads that no message names",
	NULL,
};

/* A conversation of an open work item. */
struct talk {
	struct talk *next;
	char id[ID_BYTES];
	char work_item[ID_BYTES];
};

struct restore {
	struct parts *parts;
	struct workspace *workspace;
	enum phase phase;
	char after[ID_BYTES]; /* the last id of the page before */
	size_t page;          /* rows of this one */
	size_t left;          /* answers of the store under way */
	struct talk *talks;
	int64_t start;  /* position of the conversation's first message in the store */
	int64_t index;  /* of the next message */
	int64_t number; /* of the last message whose blobs were noted */
	struct restore_state state;
	char problem[PROBLEM_BYTES];
	int refs;
	bool is_dead;
};

static void go_on(struct restore *restore);

/* ---- life ---- */

static void restore_unref(void *object)
{
	struct restore *restore = object;
	struct talk *talk;

	if (--restore->refs > 0)
		return;
	while ((talk = restore->talks) != NULL) {
		restore->talks = talk->next;
		free(talk);
	}
	free(restore);
}

static bool answered(struct restore *restore)
{
	bool is_dead = restore->is_dead;

	restore_unref(restore);
	return !is_dead;
}

static const char *name_of(const struct restore *restore)
{
	return workspace_name(restore->workspace);
}

static void fail(struct restore *restore, const struct error *err)
{
	restore->phase = FAILED;
	snprintf(restore->problem, sizeof(restore->problem), "%.*s", PROBLEM_BYTES - 1, err->text);
	log_error("history", "event=not_restored workspace=%s error=%s", name_of(restore),
		  log_quote(err->text));
}

static void finish(struct restore *restore)
{
	restore->phase = DONE;
	log_info("history",
		 "event=restored workspace=%s customers=%lld merges=%lld work_items=%lld "
		 "conversations=%lld messages=%lld",
		 name_of(restore), (long long)restore->state.customers,
		 (long long)restore->state.merges, (long long)restore->state.work_items,
		 (long long)restore->state.conversations, (long long)restore->state.messages);
	if (workspace_router(restore->workspace) != NULL)
		router_resync(workspace_router(restore->workspace));
}

/* ---- into the store ---- */

static void on_put(const struct store_reply *reply, const struct error *err, void *context)
{
	struct restore *restore = context;

	if (!answered(restore))
		return;
	if (err != NULL && restore->phase != FAILED)
		fail(restore, err);
	if (err == NULL && text_equal(reply_text(reply_item(reply, 1), NULL), "restored")) {
		int64_t *const counts[] = {
			[CUSTOMERS] = &restore->state.customers,
			[NOTES] = &restore->state.notes,
			[SUGGESTIONS] = &restore->state.suggestions,
			[MERGES] = &restore->state.merges,
			[WORK_ITEMS] = &restore->state.work_items,
		};

		if (restore->phase < COUNT_OF(counts))
			(*counts[restore->phase])++;
	}
	if (--restore->left == 0)
		go_on(restore);
}

static void add_field(const char *name, struct json_object *value, void *context)
{
	const char *text = json_string(value);

	store_arg_text(context, name);
	store_arg_text(context, text == NULL ? "" : text);
}

static void put_row(struct restore *restore, struct json_object *row)
{
	const struct kind *kind = &kinds[restore->phase];
	const char *id = json_text(row, "id");
	struct store_call *call = store_script(kind->script, name_of(restore));

	store_key(call, "%s:%s", kind->key, id);
	store_arg_text(call, id);
	json_each_field(json_at(row, "hash"), add_field, call);
	restore->refs++;
	restore->left++;
	store_run(restore->parts->store, call, on_put, restore);
}

static void note_talk(struct restore *restore, struct json_object *row)
{
	const char *id = json_text(row, "hash.c");
	struct talk *talk;

	if (id == NULL || !id_is(id, "cnv_"))
		return;
	talk = memory_new(sizeof(*talk));
	snprintf(talk->id, sizeof(talk->id), "%s", id);
	snprintf(talk->work_item, sizeof(talk->work_item), "%s", json_text(row, "id"));
	talk->next = restore->talks;
	restore->talks = talk;
}

static void on_page(struct json_object *answer, const struct error *err, void *context)
{
	struct restore *restore = context;
	struct json_object *rows = json_at(answer, "rows");

	if (!answered(restore))
		return;
	if (err != NULL) {
		fail(restore, err);
		return;
	}
	restore->page = json_count(rows);
	for (size_t i = 0; i < restore->page; i++) {
		struct json_object *row = json_item(rows, i);

		put_row(restore, row);
		if (restore->phase == WORK_ITEMS)
			note_talk(restore, row);
		snprintf(restore->after, sizeof(restore->after), "%s", json_text(row, "id"));
	}
	if (restore->page == 0)
		go_on(restore);
}

static void page_read(struct restore *restore)
{
	struct buf fields = { 0 };

	buf_format(&fields, ",\"after\":\"%s\",\"limit\":%d,\"what\":\"%s\"", restore->after,
		   kinds[restore->phase].page, kinds[restore->phase].what);
	restore->refs++;
	history_ask(restore->parts->history, "restore", name_of(restore), &fields, on_page,
		    restore);
	buf_clear(&fields);
}

/* ---- a conversation ---- */

static void talk_end(struct restore *restore)
{
	struct talk *talk = restore->talks;

	restore->talks = talk->next;
	free(talk);
	go_on(restore);
}

static void messages_read(struct restore *restore);

static void on_pushed(const struct store_reply *reply, const struct error *err, void *context)
{
	struct restore *restore = context;

	if (!answered(restore))
		return;
	if (err != NULL) {
		fail(restore, err);
		return;
	}
	restore->state.messages += reply_int(reply_item(reply, 1)) - restore->index;
	restore->index = reply_int(reply_item(reply, 1));
	messages_read(restore);
}

static void add_reference(struct restore *restore, struct store_call *call,
			  struct json_object *message, const char *provider_id)
{
	const struct identity_place place = { .mac = restore->parts->key,
					      .workspace = name_of(restore),
					      .channel = json_text(message, "channel") };
	struct identity_key key;
	char bucket[16];

	if (provider_id == NULL || place.channel == NULL) {
		store_arg_text(call, "");
		store_arg_text(call, "");
		return;
	}
	identity_reference(&place, provider_id, &key);
	snprintf(bucket, sizeof(bucket), "%x", key.bucket);
	store_arg_text(call, bucket);
	store_arg(call, key.field, sizeof(key.field));
}

static bool wants_files(struct json_object *message, const char *files)
{
	struct json_object *list = json_at(message, "attachments");

	if (files != NULL && strstr(files, "pending") == NULL)
		return false;
	for (size_t i = 0; i < json_count(list); i++)
		if (json_has(json_item(list, i), "url") && !json_has(json_item(list, i), "id"))
			return true;
	return false;
}

static void add_message(struct restore *restore, struct store_call *call, struct json_object *row)
{
	const char *text = json_text(row, "json");
	struct json_object *message = json_read(text, strlen(text), NULL);
	const char *provider_id = json_text(row, "provider_id");

	store_arg_text(call, json_text(message, "id"));
	store_arg_text(call, text);
	store_arg_text(call, json_text(row, "mark"));
	store_arg_text(call, provider_id);
	store_arg_text(call, json_text(row, "files"));
	add_reference(restore, call, message,
		      provider_id != NULL ? provider_id : json_text(message, "provider_id"));
	store_arg_text(call, wants_files(message, json_text(row, "files")) ? "1" : "");
	json_free(&message);
}

static void on_messages(struct json_object *answer, const struct error *err, void *context)
{
	struct restore *restore = context;
	struct json_object *rows = json_at(answer, "messages");
	const char *id = restore->talks->id;
	struct store_call *call;

	if (!answered(restore))
		return;
	if (err != NULL) {
		fail(restore, err);
		return;
	}
	if (json_count(rows) == 0) {
		talk_end(restore);
		return;
	}
	call = store_script("restore_messages", name_of(restore));
	store_key(call, "c:%s", id);
	store_key(call, "m:%s", id);
	store_key(call, "y:%s", id);
	store_arg_text(call, id);
	store_arg_int(call, restore->index);
	for (size_t i = 0; i < json_count(rows); i++)
		add_message(restore, call, json_item(rows, i));
	restore->refs++;
	store_run(restore->parts->store, call, on_pushed, restore);
}

static void messages_read(struct restore *restore)
{
	struct buf fields = { 0 };

	buf_format(&fields, ",\"conversation\":\"%s\",\"from\":%lld,\"limit\":%d",
		   restore->talks->id, (long long)(restore->start + restore->index), MESSAGES);
	restore->refs++;
	history_ask(restore->parts->history, "past", name_of(restore), &fields, on_messages,
		    restore);
	buf_clear(&fields);
}

static void on_talk_put(const struct store_reply *reply, const struct error *err, void *context)
{
	struct restore *restore = context;

	if (!answered(restore))
		return;
	if (err != NULL)
		fail(restore, err);
	else if (!text_equal(reply_text(reply_item(reply, 1), NULL), "restored"))
		talk_end(restore);
	else {
		restore->state.conversations++;
		restore->index = 0;
		messages_read(restore);
	}
}

static void on_talk(struct json_object *answer, const struct error *err, void *context)
{
	struct restore *restore = context;
	struct json_object *hash = json_at(answer, "conversation.hash");
	const char *owner = json_text(answer, "conversation.customer");
	const char *created = json_text(hash, "ct");
	struct store_call *call;

	if (!answered(restore))
		return;
	if (err != NULL) {
		fail(restore, err);
		return;
	}
	if (hash == NULL || created == NULL) {
		talk_end(restore);
		return;
	}
	restore->start = strtoll(created, NULL, 10) * LIMIT_PLACES_PER_MS;
	call = store_script("restore_conversation", name_of(restore));
	store_key(call, "c:%s", restore->talks->id);
	store_arg_text(call, restore->talks->id);
	store_arg_text(call, owner != NULL ? owner : json_text(hash, "u"));
	store_arg_text(call, restore->talks->work_item);
	json_each_field(hash, add_field, call);
	restore->refs++;
	store_run(restore->parts->store, call, on_talk_put, restore);
}

static void talk_read(struct restore *restore)
{
	struct buf fields = { 0 };

	buf_format(&fields, ",\"conversation\":\"%s\",\"limit\":0", restore->talks->id);
	restore->refs++;
	history_ask(restore->parts->history, "past", name_of(restore), &fields, on_talk, restore);
	buf_clear(&fields);
}

/* ---- whose the blobs are ---- */

static void files_read(struct restore *restore);

static void on_noted(const struct store_reply *reply, const struct error *err, void *context)
{
	struct restore *restore = context;

	(void)reply;
	if (!answered(restore))
		return;
	if (err != NULL)
		fail(restore, err);
	else
		files_read(restore);
}

static void on_files(struct json_object *answer, const struct error *err, void *context)
{
	struct restore *restore = context;
	struct json_object *rows = json_at(answer, "rows");
	struct buf packed = { 0 };

	if (!answered(restore))
		return;
	for (size_t i = 0; i < json_count(rows); i++) {
		struct json_object *row = json_item(rows, i);

		blob_find_named(json_text(row, "json"), json_text(row, "files"), &packed);
		restore->number = json_int(row, "number", 0);
	}
	if (err != NULL) {
		fail(restore, err);
	} else if (json_count(rows) == 0) {
		finish(restore);
	} else {
		restore->refs++;
		blob_keep(restore->parts->store,
			  &(struct blob_keeping){ .workspace = name_of(restore),
						  .key = "",
						  .request = "",
						  .packed = &packed,
						  .is_named = true },
			  on_noted, restore);
	}
	buf_clear(&packed);
}

static void files_read(struct restore *restore)
{
	struct buf fields = { 0 };

	buf_format(&fields, ",\"after\":%lld,\"limit\":%d", (long long)restore->number, PAGE);
	restore->refs++;
	history_ask(restore->parts->history, "restore_files", name_of(restore), &fields, on_files,
		    restore);
	buf_clear(&fields);
}

/* ---- step by step ---- */

static void go_on(struct restore *restore)
{
	if (restore->phase == FAILED)
		return;
	if (restore->phase < CONVERSATIONS && restore->page < (size_t)kinds[restore->phase].page) {
		restore->phase++;
		restore->after[0] = '\0';
	}
	if (restore->phase < CONVERSATIONS)
		page_read(restore);
	else if (restore->talks != NULL)
		talk_read(restore);
	else {
		restore->phase = FILES;
		files_read(restore);
	}
}

struct restore *restore_new(struct parts *parts, struct workspace *workspace)
{
	struct restore *restore = memory_new(sizeof(*restore));

	restore->parts = parts;
	restore->workspace = workspace;
	restore->refs = 1;
	log_info("history", "event=restoring workspace=%s", name_of(restore));
	page_read(restore);
	return restore;
}

void restore_free(struct restore **restore)
{
	struct restore *held = *restore;

	*restore = NULL;
	if (held == NULL)
		return;
	held->is_dead = true;
	loop_defer_free(held->parts->loop, held, restore_unref);
}

struct restore_state restore_state(const struct restore *restore)
{
	static const char *const words[] = { "customers", "notes",      "suggestions",
					     "merges",    "work items", "conversations",
					     "files",     "done",       "failed" };
	struct restore_state state = { .doing = "" };

	if (restore == NULL)
		return state;
	state = restore->state;
	state.doing = words[restore->phase];
	state.problem = restore->problem;
	return state;
}
