#include "conversation/change.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "conversation/message.h"
#include "identity/identity.h"
#include "store/store.h"

enum { SEARCH_PAGE = 200, SEARCHED = 10000 };

/* One message of a step. */
struct item {
	int64_t from;
	int64_t to;     /* -1: at the end */
	const char *id; /* NULL: whatever stands there */
	const char *provider_id;
};

struct run {
	struct store *store;
	struct mac *mac;
	struct arena *arena;
	struct change_request request; /* texts in the arena */
	char change[ID_BYTES];
	char from[ID_BYTES];
	char to[ID_BYTES];
	char channel[64];
	int64_t total;    /* messages of from; of an undo: messages that went */
	int64_t next;     /* index; of an undo: place among those that went */
	int64_t searched; /* messages from the end */
	struct item items[CHANGE_STEP];
	size_t count;
	const char *last_inbound;
	int64_t last_inbound_ms;
	bool is_begun;
	bool is_replay;
	change_done_fn *done;
	void *context;
};

static void run_end(struct run *run, const struct change_result *result, const struct error *err)
{
	struct arena *arena = run->arena;

	run->done(result, err, run->context);
	arena_free(&arena);
}

static void run_fail(struct run *run, const struct error *err)
{
	run_end(run, &(struct change_result){ .code = CHANGE_FAILED }, err);
}

static void run_refuse(struct run *run, const char *refusal, const char *detail)
{
	run_end(run,
		&(struct change_result){
			.code = CHANGE_REFUSED, .refusal = refusal, .detail = detail },
		NULL);
}

/* ---- the end ---- */

static void step_begin(struct run *run);

/* From where to where, of a change that is known already. */
static void change_take(struct run *run, const struct change *change)
{
	bool is_undo = run->request.kind == CHANGE_UNDO;

	memcpy(run->from, is_undo ? change->to : change->from, sizeof(run->from));
	memcpy(run->to, is_undo ? change->from : change->to, sizeof(run->to));
	run->total = change->messages;
	run->next = text_equal(change->state, "undoing") ? change->next : 0;
}

/* A repetition goes on where the first one was cut off. */
static bool is_cut_off(const struct run *run, const struct change *change)
{
	return run->is_replay && !run->is_begun &&
	       text_equal(change->state, run->request.kind == CHANGE_UNDO ? "undoing" : "running");
}

static void on_change(const struct change *changes, size_t count, const struct error *err,
		      void *context)
{
	struct run *run = context;
	struct change_result result = { CHANGE_OK, run->is_replay, NULL, NULL, changes };

	if (err != NULL) {
		run_fail(run, err);
	} else if (count == 0) {
		run_refuse(run, "not_found", NULL);
	} else if (is_cut_off(run, changes)) {
		change_take(run, changes);
		run->next = changes->next;
		run->is_begun = true;
		step_begin(run);
	} else {
		run_end(run, &result, NULL);
	}
}

static void change_end(struct run *run)
{
	change_find(run->store, run->request.workspace, run->change, on_change, run);
}

static bool is_last(const struct run *run)
{
	return run->request.kind == CHANGE_MOVE || run->next >= run->total;
}

/* ---- a step ---- */

static void on_step(const struct store_reply *reply, const struct error *err, void *context)
{
	struct run *run = context;

	if (err != NULL) {
		run_fail(run, err);
	} else if (reply_is(reply, "conflict")) {
		run_end(run, &(struct change_result){ .code = CHANGE_CONFLICT }, NULL);
	} else if (reply_is(reply, "replay") && run->request.key != NULL && !run->is_begun) {
		snprintf(run->change, sizeof(run->change), "%s",
			 reply_text(reply_item(reply, 2), NULL));
		run->is_replay = true;
		change_end(run);
	} else if (reply_is(reply, "refused")) {
		run_refuse(run, reply_text_at(reply, 1), reply_text_at(reply, 2));
	} else {
		run->is_begun = true;
		if (is_last(run))
			change_end(run);
		else
			step_begin(run);
	}
}

/* What stays in a message's place. */
static void left_write(const struct run *run, const struct item *item, struct buf *out)
{
	char id[ID_BYTES];
	struct buf extra = { 0 };
	struct message_record record = {
		.id = id,
		.conversation = run->from,
		.out = true,
		.kind = MESSAGE_NOTE,
		.author_type = "system",
		.channel = run->channel,
		.created_ms = run->request.now_ms,
	};

	id_new("msg_", id);
	buf_format(&extra, "{\"moved\":{\"message\":\"%s\",\"to\":\"%s\",\"change\":\"%s\"}}",
		   item->id, run->to, run->change);
	record.extra = buf_string(&extra);
	message_write(out, &record);
	buf_clear(&extra);
}

static void item_pack(const struct run *run, const struct item *item, struct buf *out)
{
	const struct identity_place place = { .mac = run->mac,
					      .workspace = run->request.workspace,
					      .channel = run->channel };
	struct identity_key key;

	buf_format(out, "%lld", (long long)item->from);
	buf_byte(out, '\0');
	if (item->to >= 0)
		buf_format(out, "%lld", (long long)item->to);
	buf_byte(out, '\0');
	buf_add(out, item->id, strlen(item->id) + 1);
	left_write(run, item, out);
	buf_byte(out, '\0');
	if (item->provider_id == NULL) {
		buf_byte(out, '\0');
		return;
	}
	identity_reference(&place, item->provider_id, &key);
	buf_format(out, "%x", key.bucket);
	buf_byte(out, '\0');
	buf_add(out, key.field, IDENTITY_FIELD_BYTES);
}

static void step_run(struct run *run, store_done_fn *done)
{
	static const char *const kinds[] = { "split", "move", "merge", "undo" };
	struct store_call *call = store_script("thread_move", run->request.workspace);
	struct buf items = { 0 };

	store_key(call, "c:%s", run->from);
	store_key(call, "m:%s", run->from);
	store_key(call, "c:%s", run->to);
	store_key(call, "m:%s", run->to);
	store_key(call, "mv:%s", run->change);
	store_arg_once(call, run->is_begun ? NULL : run->request.key,
		       run->is_begun ? NULL : run->request.request);
	store_arg_text(call, run->from);
	store_arg_text(call, run->to);
	store_arg_text(call, run->change);
	store_arg_text(call, kinds[run->request.kind]);
	store_arg_text(call, run->request.by);
	if (is_last(run))
		store_arg_text(call, "");
	else
		store_arg_int(call, run->next);
	store_arg_text(call, run->request.subject);
	store_arg_text(call, run->last_inbound);
	store_arg_int(call, run->last_inbound_ms);
	for (size_t i = 0; i < run->count; i++)
		item_pack(run, &run->items[i], &items);
	store_arg_text(call, run->request.opens ? "1" : "");
	store_arg(call, buf_string(&items), items.len);
	store_run(run->store, call, done, run);
	buf_clear(&items);
}

/* ---- what a step moves ---- */

/* False where another message stands there than the one that is meant. */
static bool item_fill(struct run *run, struct item *item, const char *text, const char *name)
{
	struct json_object *message = text == NULL ? NULL : json_read(text, strlen(text), NULL);
	const char *id = json_text(message, "id");
	const char *provider_id = json_text(message, "provider_id");
	bool is_left = json_at(message, "extra.moved") != NULL;
	bool is_meant = id != NULL && !is_left && (item->id == NULL || text_equal(item->id, id));

	if (is_meant) {
		item->id = arena_text(run->arena, id);
		provider_id = provider_id == NULL ? name : provider_id;
		item->provider_id =
			provider_id == NULL ? NULL : arena_text(run->arena, provider_id);
	}
	if (is_meant && text_equal(json_text(message, "direction"), "in")) {
		run->last_inbound = item->provider_id;
		run->last_inbound_ms = text_parse_time(json_text(message, "created_at"));
	}
	json_free(&message);
	return is_meant;
}

static void on_texts(const struct store_reply *reply, const struct error *err, void *context)
{
	struct run *run = context;
	size_t asked = run->count;

	if (err != NULL || !reply_is(reply, "ok")) {
		if (err != NULL)
			run_fail(run, err);
		else
			run_refuse(run, "not_found", run->from);
		return;
	}
	snprintf(run->channel, sizeof(run->channel), "%s", reply_text_at(reply, 1));
	if (run->request.kind != CHANGE_UNDO)
		run->total = reply_int(reply_item(reply, 2));
	run->count = 0;
	for (size_t i = 0; i < asked; i++) {
		struct item item = run->items[i];

		if (item_fill(run, &item, reply_text_at(reply, 3 + 2 * i),
			      reply_text_at(reply, 4 + 2 * i)))
			run->items[run->count++] = item;
	}
	if (run->request.kind == CHANGE_UNDO && run->count < asked)
		run_refuse(run, "changed", run->items[run->count].id);
	else if (run->count > 0)
		step_run(run, on_step);
	else if (!is_last(run))
		step_begin(run);
	else if (run->is_begun)
		change_end(run);
	else
		run_refuse(run, "no_message", run->request.message);
}

static void texts_read(struct run *run)
{
	struct store_call *call = store_script("thread_read", run->request.workspace);

	store_key(call, "c:%s", run->from);
	store_key(call, "m:%s", run->from);
	store_arg_text(call, run->from);
	for (size_t i = 0; i < run->count; i++)
		store_arg_int(call, run->items[i].from);
	store_read(run->store, call, on_texts, run);
}

static void on_gone(const struct store_reply *reply, const struct error *err, void *context)
{
	struct run *run = context;

	if (err != NULL) {
		run_fail(run, err);
		return;
	}
	for (size_t i = 0; i < reply_count(reply) && i < CHANGE_STEP; i++) {
		char id[ID_BYTES] = "";
		long long to = 0, from = 0;

		sscanf(reply_text(reply_item(reply, i), NULL), "%lld %lld %31s", &to, &from, id);
		run->items[run->count++] =
			(struct item){ from, to, arena_text(run->arena, id), NULL };
	}
	run->next += (int64_t)run->count;
	if (run->count == 0)
		change_end(run);
	else
		texts_read(run);
}

static void step_begin(struct run *run)
{
	int64_t most = run->request.kind == CHANGE_MOVE ? 1 : CHANGE_STEP;
	struct store_call *call;

	run->count = 0;
	if (run->request.kind == CHANGE_UNDO) {
		call = store_command("LRANGE");
		store_arg_key(call, run->request.workspace, "mvl:%s", run->change);
		store_arg_int(call, run->next);
		store_arg_int(call, run->next + CHANGE_STEP - 1);
		store_read(run->store, call, on_gone, run);
		return;
	}
	for (int64_t i = 0; i < most; i++)
		run->items[run->count++] = (struct item){ run->next + i, -1, NULL, NULL };
	run->next += most;
	texts_read(run);
}

/* ---- the start ---- */

static void search(struct run *run);

static void on_searched(const struct store_reply *reply, const struct error *err, void *context)
{
	struct run *run = context;
	char member[ID_BYTES + 16];
	int64_t total;

	if (err != NULL) {
		run_fail(run, err);
		return;
	}
	if (!reply_is(reply, "ok")) {
		run_refuse(run, "not_found", run->from);
		return;
	}
	total = reply_int(reply_item(reply, 2));
	snprintf(member, sizeof(member), "},\"id\":\"%s\"", run->request.message);
	for (int64_t i = 0; i < SEARCH_PAGE; i++) {
		const char *text = reply_text_at(reply, 3 + 2 * (size_t)i);

		if (text == NULL || strstr(text, member) == NULL)
			continue;
		run->next = total - run->searched - 1 - i;
		step_begin(run);
		return;
	}
	run->searched += SEARCH_PAGE;
	if (run->searched < total && run->searched < SEARCHED)
		search(run);
	else
		run_refuse(run, "no_message", run->request.message);
}

static void search(struct run *run)
{
	struct store_call *call = store_script("thread_read", run->request.workspace);

	store_key(call, "c:%s", run->from);
	store_key(call, "m:%s", run->from);
	store_arg_text(call, run->from);
	for (int64_t i = 0; i < SEARCH_PAGE; i++)
		store_arg_int(call, -1 - run->searched - i);
	store_read(run->store, call, on_searched, run);
}

static void on_undo(const struct change *changes, size_t count, const struct error *err,
		    void *context)
{
	struct run *run = context;

	if (err != NULL) {
		run_fail(run, err);
	} else if (count == 0) {
		run_refuse(run, "not_found", run->change);
	} else if (text_equal(changes->state, "undone")) {
		run_refuse(run, "state", changes->state);
	} else {
		change_take(run, changes);
		step_begin(run);
	}
}

static void begin(struct run *run)
{
	if (run->request.kind == CHANGE_UNDO)
		change_find(run->store, run->request.workspace, run->change, on_undo, run);
	else if (run->request.kind == CHANGE_MERGE)
		step_begin(run);
	else
		search(run);
}

static void on_asked(const struct store_reply *reply, const struct error *err, void *context)
{
	struct run *run = context;

	if (err == NULL && reply_is(reply, "refused"))
		begin(run);
	else
		on_step(reply, err, context);
}

static void id_copy(char out[ID_BYTES], const char *id)
{
	snprintf(out, ID_BYTES, "%s", id == NULL ? "" : id);
}

void change_run(struct store *store, struct mac *mac, const struct change_request *request,
		change_done_fn *done, void *context)
{
	struct arena *arena = arena_new(0);
	struct run *run = arena_alloc(arena, sizeof(*run));

	run->store = store;
	run->mac = mac;
	run->arena = arena;
	run->request = *request;
	run->done = done;
	run->context = context;
	run->request.workspace = arena_text(arena, request->workspace);
	run->request.key = request->key == NULL ? NULL : arena_text(arena, request->key);
	run->request.request =
		request->request == NULL ? NULL : arena_text(arena, request->request);
	run->request.message = arena_text(arena, request->message ? request->message : "");
	run->request.subject = arena_text(arena, request->subject ? request->subject : "");
	run->request.by = arena_text(arena, request->by);
	id_copy(run->from, request->from);
	id_copy(run->to, request->to);
	id_copy(run->change, request->change);
	if (request->kind != CHANGE_UNDO)
		id_new("mv_", run->change);
	if (request->kind == CHANGE_SPLIT)
		id_new("cnv_", run->to);
	if (run->request.key == NULL)
		begin(run);
	else
		step_run(run, on_asked); /* of nothing: only a repetition gets an answer */
}
