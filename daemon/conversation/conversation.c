#include "conversation/conversation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "conversation/past.h"
#include "parts.h"
#include "store/store.h"

struct read_run {
	const struct parts *parts;
	conversation_fn *done;
	void *context;
	char workspace[48];
	char id[ID_BYTES];
	struct arena *arena;
	struct conversation conversation;
};

static void read_end(struct read_run *run, const struct conversation *conversation,
		     const struct error *err)
{
	run->done(conversation, err, run->context);
	arena_free(&run->arena);
	free(run);
}

static void ask_past(const struct parts *parts, const char *workspace, const char *id,
		     int64_t until, past_fn *done, void *context);

/* ---- what is in the store ---- */

static const char *kept_text(struct read_run *run, const struct store_reply *reply,
			     const char *field)
{
	return arena_text(run->arena, reply_field_text(reply, field));
}

static void read_hot(struct read_run *run, const struct store_reply *reply)
{
	run->conversation = (struct conversation){
		.id = run->id,
		.channel = kept_text(run, reply, "ch"),
		.customer = kept_text(run, reply, "u"),
		.address = kept_text(run, reply, "ad"),
		.name = kept_text(run, reply, "nm"),
		.thread = kept_text(run, reply, "th"),
		.subject = kept_text(run, reply, "sub"),
		.work_item = kept_text(run, reply, "w"),
		.open = text_equal(reply_field_text(reply, "s"), "open"),
		.is_notice = text_equal(reply_field_text(reply, "one"), "1"),
		.messages = reply_field_int(reply, "n") + reply_field_int(reply, "pn"),
		.created_ms = reply_field_int(reply, "ct"),
		.updated_ms = reply_field_int(reply, "ut"),
		.version = reply_field_int(reply, "v"),
		.last_inbound = kept_text(run, reply, "li"),
		.last_inbound_ms = reply_field_int(reply, "lt"),
		.window = kept_text(run, reply, "wd"),
		.page_attributes = kept_text(run, reply, "pa"),
	};
	if (reply_field_int(reply, "pc") > 0)
		run->conversation.created_ms = reply_field_int(reply, "pc");
}

/* It was in the store before, perhaps: what is here is shown in any case. */
static void on_before(struct json_object *answer, const struct error *err, void *context)
{
	struct read_run *run = context;
	struct past_extent extent = { .workspace = run->workspace,
				      .conversation = run->id,
				      .created_ms = run->conversation.created_ms,
				      .messages = json_int(answer, "count", 0),
				      .began_ms = json_int(answer, "began", 0) };

	if (err == NULL) {
		if (extent.messages == 0 || extent.began_ms == 0)
			extent.began_ms = extent.created_ms;
		run->conversation.messages += extent.messages;
		run->conversation.created_ms = extent.began_ms;
		past_note(run->parts, &extent);
	}
	read_end(run, &run->conversation, NULL);
}

/* ---- what has left it ---- */

static int64_t hash_number(struct json_object *hash, const char *field)
{
	const char *text = json_text(hash, field);

	return text == NULL ? 0 : strtoll(text, NULL, 10);
}

/* row has count and began beside the hash. */
static struct conversation read_past(const char *id, struct json_object *hash, const char *owner,
				     struct json_object *row)
{
	return (struct conversation){
		.id = id,
		.is_past = true,
		.channel = json_text(hash, "ch"),
		.customer = owner == NULL ? json_text(hash, "u") : owner,
		.address = json_text(hash, "ad"),
		.name = json_text(hash, "nm"),
		.thread = json_text(hash, "th"),
		.subject = json_text(hash, "sub"),
		.open = text_equal(json_text(hash, "s"), "open"),
		.is_notice = text_equal(json_text(hash, "one"), "1"),
		.messages = json_int(row, "count", 0),
		.created_ms = json_int(row, "began", 0),
		.updated_ms = hash_number(hash, "ut"),
		.version = hash_number(hash, "v"),
		.last_inbound = json_text(hash, "li"),
		.last_inbound_ms = hash_number(hash, "lt"),
		.window = json_text(hash, "wd"),
		.page_attributes = json_text(hash, "pa"),
		.newest = json_text(row, "newest"),
		.newest_ms = json_int(row, "newest_ms", 0),
	};
}

static void on_past(struct json_object *answer, const struct error *err, void *context)
{
	struct read_run *run = context;

	if (err != NULL || json_at(answer, "conversation") == NULL) {
		read_end(run, NULL, err);
		return;
	}
	run->conversation = read_past(run->id, json_at(answer, "conversation.hash"),
				      json_text(answer, "conversation.customer"), answer);
	read_end(run, &run->conversation, NULL);
}

static void ask_past(const struct parts *parts, const char *workspace, const char *id,
		     int64_t until, past_fn *done, void *context)
{
	struct buf fields = { 0 };
	const struct past_question question = { "past", workspace, &fields };

	buf_format(&fields, ",\"conversation\":\"%s\",\"limit\":0,\"until\":%lld", id,
		   (long long)until);
	past_ask(parts, &question, done, context);
	buf_clear(&fields);
}

static void on_conversation(const struct store_reply *reply, const struct error *err, void *context)
{
	struct read_run *run = context;
	int64_t created_ms;

	if (err != NULL) {
		read_end(run, NULL, err);
		return;
	}
	if (reply_count(reply) == 0) {
		if (past_is_kept(run->parts) && id_is(run->id, "cnv_"))
			ask_past(run->parts, run->workspace, run->id, INT64_MAX, on_past, run);
		else
			read_end(run, NULL, NULL);
		return;
	}
	read_hot(run, reply);
	created_ms = reply_field_int(reply, "ct");
	if (!past_is_kept(run->parts) || reply_field(reply, "pn") != NULL)
		read_end(run, &run->conversation, NULL);
	else
		ask_past(run->parts, run->workspace, run->id, past_position(created_ms, 0),
			 on_before, run);
}

void conversation_read(const struct parts *parts, const char *workspace, const char *id,
		       conversation_fn *done, void *context)
{
	struct store_call *call = store_command("HGETALL");
	struct read_run *run = memory_new(sizeof(*run));

	run->parts = parts;
	run->done = done;
	run->context = context;
	run->arena = arena_new(0);
	snprintf(run->workspace, sizeof(run->workspace), "%s", workspace);
	snprintf(run->id, sizeof(run->id), "%s", id);
	store_arg_key(call, workspace, "c:%s", id);
	store_read(parts->store, call, on_conversation, run);
}

/* ---- those of a customer ---- */

enum { PAST_MAX = 50 };

struct list_run {
	const struct parts *parts;
	conversations_fn *done;
	void *context;
	char workspace[48];
};

static void on_list(struct json_object *answer, const struct error *err, void *context)
{
	struct list_run *run = context;
	struct json_object *rows = json_at(answer, "conversations");
	struct conversation list[PAST_MAX];
	size_t count = 0;

	for (; count < json_count(rows) && count < PAST_MAX; count++) {
		struct json_object *row = json_item(rows, count);

		list[count] = read_past(json_text(row, "id"), json_at(row, "hash"), NULL, row);
	}
	run->done(list, count, err, run->context);
	free(run);
}

/* Whose an identifier is, the store knows first: the history comes behind. */
static void on_fields(const struct store_reply *reply, const struct error *err, void *context)
{
	struct list_run *run = context;
	struct buf fields = { 0 };
	const struct past_question question = { "past_of", run->workspace, &fields };
	size_t count = 0;

	buf_format(&fields, ",\"limit\":%d,\"identifiers\":[", PAST_MAX);
	for (size_t i = 0; err == NULL && i < reply_count(reply); i++) {
		const char *field = reply_text_at(reply, i);

		if (field != NULL && text_starts(field, "i:"))
			buf_format(&fields, "%s\"%s\"", count++ == 0 ? "" : ",", field + 2);
	}
	buf_byte(&fields, ']');
	if (count > 0 && past_is_kept(run->parts))
		past_ask(run->parts, &question, on_list, run);
	else
		on_list(NULL, err, run);
	buf_clear(&fields);
}

void conversations_past(const struct parts *parts, const char *workspace, const char *customer,
			conversations_fn *done, void *context)
{
	struct list_run *run = memory_new(sizeof(*run));
	struct store_call *call = store_command("HKEYS");

	run->parts = parts;
	run->done = done;
	run->context = context;
	snprintf(run->workspace, sizeof(run->workspace), "%s", workspace);
	store_arg_key(call, workspace, "u:%s", customer);
	store_read(parts->store, call, on_fields, run);
}

/* ---- back into the store ---- */

struct revive_run {
	const struct parts *parts;
	conversation_revived_fn *done;
	void *context;
	char workspace[48];
	char id[ID_BYTES];
};

static void revive_end(struct revive_run *run, const struct error *err)
{
	run->done(err, run->context);
	free(run);
}

static void on_revived(const struct store_reply *reply, const struct error *err, void *context)
{
	struct error refused;

	if (err == NULL && !reply_is(reply, "ok")) {
		error_set(&refused, ERROR_PERMANENT, "its customer is not known any more");
		err = &refused;
	}
	revive_end(context, err);
}

static struct store_call *revive_call(const struct revive_run *run, struct json_object *answer)
{
	static const char *const fields[] = { "ch", "ik", "ad", "nm", "th", "sub", "s",  "lw",
					      "li", "lt", "ih", "ut", "v",  "one", "wd", "rc" };
	struct json_object *hash = json_at(answer, "conversation.hash");
	const char *owner = json_text(answer, "conversation.customer");
	struct store_call *call = store_script("revive", run->workspace);

	store_key(call, "c:%s", run->id);
	store_arg_text(call, run->id);
	store_arg_text(call, owner == NULL ? json_text(hash, "u") : owner);
	store_arg_int(call, json_int(answer, "count", 0));
	store_arg_int(call, json_int(answer, "began", 0));
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		const char *value = json_text(hash, fields[i]);

		if (value == NULL || *value == '\0')
			continue;
		store_arg_text(call, fields[i]);
		store_arg_text(call, value);
	}
	return call;
}

static void on_kept(struct json_object *answer, const struct error *err, void *context)
{
	struct revive_run *run = context;
	struct error unknown;

	if (err == NULL && json_at(answer, "conversation") == NULL) {
		error_set(&unknown, ERROR_PERMANENT, "there is no such conversation");
		err = &unknown;
	}
	if (err != NULL)
		revive_end(run, err);
	else
		store_run(run->parts->store, revive_call(run, answer), on_revived, run);
}

void conversation_revive(const struct parts *parts, const char *workspace, const char *id,
			 conversation_revived_fn *done, void *context)
{
	struct revive_run *run = memory_new(sizeof(*run));

	run->parts = parts;
	run->done = done;
	run->context = context;
	snprintf(run->workspace, sizeof(run->workspace), "%s", workspace);
	snprintf(run->id, sizeof(run->id), "%s", id);
	ask_past(parts, workspace, id, INT64_MAX, on_kept, run);
}
