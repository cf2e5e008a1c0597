#include "history/harvest.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/json.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"
#include "store/store.h"

enum {
	TEXTS_MAX = 500, /* of one LRANGE */
	MARKS_MAX = 300, /* messages of one HMGET */
};

enum table {
	CUSTOMERS,
	NOTES,
	SUGGESTIONS,
	MERGES,
	WORK_ITEMS,
	HASHES, /* those before are hashes that become rows as they are */
	CONVERSATIONS = HASHES,
	MESSAGES,
	MARKS,
	EVENTS,
	TABLES
};

static const struct {
	const char *name;
	const char *key;
	bool may_be_empty; /* that is an answer, too: the last of it is gone */
} tables[TABLES] = {
	[CUSTOMERS] = { "customers", "u", false },
	[NOTES] = { "notes", "un", true },
	[SUGGESTIONS] = { "suggestions", "sg", true },
	[MERGES] = { "merges", "mg", false },
	[WORK_ITEMS] = { "work_items", "w", false },
	[CONVERSATIONS] = { "conversations", NULL, false },
	[MESSAGES] = { "messages", NULL, false },
	[MARKS] = { "marks", NULL, false },
	[EVENTS] = { "customer_events", NULL, false },
};

/* A conversation of which something is wanted. */
struct talk {
	struct harvest *harvest;
	char id[ID_BYTES];
	int64_t from; /* messages wanted; -1: none */
	int64_t to;   /* -1: to the end */
	int64_t created_ms;
	bool is_there;
	struct buf ids; /* ID_BYTES each, of messages whose marks are wanted */
};

/* A hash that becomes a row as it is. */
struct row {
	struct harvest *harvest;
	enum table table;
	char id[ID_BYTES];
};

struct marks {
	struct harvest *harvest;
	size_t count;
	char ids[MARKS_MAX][ID_BYTES];
};

struct harvest {
	struct store *store;
	char workspace[48];
	struct map *wanted[HASHES]; /* sets of ids */
	struct map *families;       /* customers */
	struct map *events;         /* "cus_... cev_...", "cus_...": all of them */
	struct map *talks;
	struct buf tables[TABLES];
	struct buf hash; /* the one being written */
	struct json_out out[TABLES];
	struct harvest_counts counts;
	int calls; /* under way */
	bool is_marking;
	bool is_dead;
	struct error err;
	harvest_done_fn *done;
	void *context;
};

/* ---- what is wanted ---- */

struct harvest *harvest_new(struct store *store, const char *workspace)
{
	struct harvest *harvest = memory_new(sizeof(*harvest));

	harvest->store = store;
	snprintf(harvest->workspace, sizeof(harvest->workspace), "%s", workspace);
	for (int i = 0; i < HASHES; i++)
		harvest->wanted[i] = map_new();
	harvest->families = map_new();
	harvest->events = map_new();
	harvest->talks = map_new();
	for (int i = 0; i < TABLES; i++) {
		buf_format(&harvest->tables[i], ",\"%s\":", tables[i].name);
		jw_start(&harvest->out[i], &harvest->tables[i]);
		jw_array(&harvest->out[i], NULL);
	}
	return harvest;
}

static void release(struct harvest *harvest)
{
	struct talk *talk;
	size_t at = 0;
	const char *id;

	if (!harvest->is_dead || harvest->calls > 0)
		return;
	while ((talk = map_next(harvest->talks, &at, &id)) != NULL) {
		buf_clear(&talk->ids);
		free(talk);
	}
	for (int i = 0; i < HASHES; i++)
		map_free(&harvest->wanted[i]);
	map_free(&harvest->families);
	map_free(&harvest->events);
	map_free(&harvest->talks);
	for (int i = 0; i < TABLES; i++)
		buf_clear(&harvest->tables[i]);
	buf_clear(&harvest->hash);
	free(harvest);
}

void harvest_free(struct harvest **harvest)
{
	if (*harvest == NULL)
		return;
	(*harvest)->is_dead = true;
	release(*harvest);
	*harvest = NULL;
}

void harvest_customer(struct harvest *harvest, const char *id)
{
	map_put(harvest->wanted[CUSTOMERS], id, harvest);
}

void harvest_notes(struct harvest *harvest, const char *customer)
{
	map_put(harvest->wanted[NOTES], customer, harvest);
}

void harvest_suggestions(struct harvest *harvest, const char *customer)
{
	map_put(harvest->wanted[SUGGESTIONS], customer, harvest);
}

void harvest_merge(struct harvest *harvest, const char *id)
{
	map_put(harvest->wanted[MERGES], id, harvest);
}

void harvest_event(struct harvest *harvest, const char *customer, const char *id)
{
	char name[2 * ID_BYTES];

	snprintf(name, sizeof(name), "%.30s%s%.30s", customer, id == NULL ? "" : " ",
		 id == NULL ? "" : id);
	map_put(harvest->events, name, harvest);
}

void harvest_family(struct harvest *harvest, const char *customer)
{
	harvest_customer(harvest, customer);
	map_put(harvest->families, customer, harvest);
}

void harvest_work_item(struct harvest *harvest, const char *id)
{
	map_put(harvest->wanted[WORK_ITEMS], id, harvest);
}

static struct talk *talk_of(struct harvest *harvest, const char *id)
{
	struct talk *talk = map_get(harvest->talks, id);

	if (talk != NULL)
		return talk;
	talk = memory_new(sizeof(*talk));
	talk->harvest = harvest;
	snprintf(talk->id, sizeof(talk->id), "%s", id);
	talk->from = -1;
	map_put(harvest->talks, id, talk);
	return talk;
}

void harvest_conversation(struct harvest *harvest, const char *id)
{
	talk_of(harvest, id);
}

void harvest_message(struct harvest *harvest, const char *conversation, int64_t index)
{
	struct talk *talk = talk_of(harvest, conversation);

	if (talk->from == 0 && talk->to < 0)
		return; /* all of them are */
	if (talk->from < 0 || index < talk->from)
		talk->from = index;
	if (index > talk->to)
		talk->to = index;
}

void harvest_all_messages(struct harvest *harvest, const char *conversation)
{
	struct talk *talk = talk_of(harvest, conversation);

	talk->from = 0;
	talk->to = -1;
}

static void want_mark(struct talk *talk, const char *message)
{
	char id[ID_BYTES] = "";

	snprintf(id, sizeof(id), "%s", message);
	buf_add(&talk->ids, id, sizeof(id));
}

void harvest_mark(struct harvest *harvest, const char *conversation, const char *message)
{
	struct talk *talk = talk_of(harvest, conversation);

	/* The steps of one delivery stand side by side. */
	if (talk->ids.len == 0 || !text_equal(talk->ids.data + talk->ids.len - ID_BYTES, message))
		want_mark(talk, message);
}

struct harvest_counts harvest_counts(const struct harvest *harvest)
{
	return harvest->counts;
}

/* ---- answers ---- */

static void go_on(struct harvest *harvest);

/* An answer was taken; the last one of a step leads to the next. A key that cannot be read at all
 * is as one that is not there: it must not hold up the others for ever. */
static void answered(struct harvest *harvest, const struct error *err)
{
	harvest->calls--;
	if (err != NULL && err->kind == ERROR_TEMPORARY)
		harvest->err = *err;
	if (harvest->is_dead)
		release(harvest);
	else if (harvest->calls == 0)
		go_on(harvest);
}

static bool is_wanted(const struct harvest *harvest, const struct error *err)
{
	return err == NULL && !harvest->is_dead;
}

static struct json_out *row_begin(struct harvest *harvest, enum table table, const char *id)
{
	struct json_out *out = &harvest->out[table];

	jw_object(out, NULL);
	jw_text(out, "id", id);
	return out;
}

/* The hash is a text that holds an object: most are as the history has them already, and then
 * nobody has to read them. */
static void write_hash(struct harvest *harvest, enum table table, const char *id,
		       const struct store_reply *reply)
{
	struct json_out *out = row_begin(harvest, table, id);
	struct json_out hash;

	buf_reset(&harvest->hash);
	jw_start(&hash, &harvest->hash);
	jw_object(&hash, NULL);
	for (size_t i = 0; i + 1 < reply_count(reply); i += 2) {
		size_t len = 0;
		const char *value = reply_text(reply_item(reply, i + 1), &len);

		jw_textn(&hash, reply_text(reply_item(reply, i), NULL), value, len);
	}
	jw_object_end(&hash);
	jw_textn(out, "hash", harvest->hash.data, harvest->hash.len);
	jw_object_end(out);
}

static void hash_read(struct harvest *harvest, enum table table, const char *id);

static void family_read(struct harvest *harvest, const struct store_reply *reply)
{
	const char *at = reply_field(reply, "mf");
	char id[ID_BYTES];

	for (; at != NULL && *at != '\0'; at += strspn(at, " ")) {
		size_t len = strcspn(at, " ");

		snprintf(id, sizeof(id), "%.*s", (int)len, at);
		at += len;
		if (map_get(harvest->wanted[CUSTOMERS], id) != NULL)
			continue;
		harvest_customer(harvest, id);
		hash_read(harvest, CUSTOMERS, id);
	}
}

static void on_hash(const struct store_reply *reply, const struct error *err, void *context)
{
	struct row *row = context;
	struct harvest *harvest = row->harvest;

	if (is_wanted(harvest, err) &&
	    (reply_count(reply) > 0 || tables[row->table].may_be_empty)) {
		write_hash(harvest, row->table, row->id, reply);
		if (row->table == CUSTOMERS && map_get(harvest->families, row->id) != NULL)
			family_read(harvest, reply);
		if (row->table == CUSTOMERS)
			harvest->counts.customers++;
		else if (row->table == WORK_ITEMS)
			harvest->counts.work_items++;
	}
	free(row);
	answered(harvest, err);
}

static void on_talk(const struct store_reply *reply, const struct error *err, void *context)
{
	struct talk *talk = context;
	struct harvest *harvest = talk->harvest;

	if (is_wanted(harvest, err) && reply_count(reply) > 0) {
		talk->is_there = true;
		talk->created_ms = reply_field_int(reply, "ct");
		write_hash(harvest, CONVERSATIONS, talk->id, reply);
		harvest->counts.conversations++;
	}
	answered(harvest, err);
}

/* The id stands right after the author, whose texts cannot hold an unescaped quote. */
static void mark_of_text(struct talk *talk, const char *text)
{
	const char *at = strstr(text, "},\"id\":\"");
	char id[ID_BYTES];

	if (at == NULL)
		return;
	snprintf(id, sizeof(id), "%.30s", at + strlen("},\"id\":\""));
	want_mark(talk, id);
}

static void texts_read(struct talk *talk);

static void on_texts(const struct store_reply *reply, const struct error *err, void *context)
{
	struct talk *talk = context;
	struct harvest *harvest = talk->harvest;
	struct json_out *out = &harvest->out[MESSAGES];
	size_t count = err == NULL ? reply_count(reply) : 0;

	if (!is_wanted(harvest, err) || !talk->is_there)
		count = 0;
	for (size_t i = 0; i < count; i++) {
		size_t len = 0;
		const char *text = reply_text(reply_item(reply, i), &len);

		jw_object(out, NULL);
		jw_text(out, "conversation", talk->id);
		jw_int(out, "created_ms", talk->created_ms);
		jw_int(out, "index", talk->from + (int64_t)i);
		jw_textn(out, "json", text, len);
		jw_object_end(out);
		mark_of_text(talk, text);
	}
	harvest->counts.messages += (int64_t)count;
	talk->from += (int64_t)count;
	if (count == TEXTS_MAX && (talk->to < 0 || talk->from <= talk->to))
		texts_read(talk);
	answered(harvest, err);
}

static void jw_known(struct json_out *out, const char *key, const char *text)
{
	if (text != NULL)
		jw_text(out, key, text);
}

static void on_marks(const struct store_reply *reply, const struct error *err, void *context)
{
	struct marks *marks = context;
	struct harvest *harvest = marks->harvest;

	for (size_t i = 0; is_wanted(harvest, err) && i < marks->count; i++) {
		const char *mark = reply_text(reply_item(reply, 3 * i), NULL);
		const char *provider_id = reply_text(reply_item(reply, 3 * i + 1), NULL);
		const char *files = reply_text(reply_item(reply, 3 * i + 2), NULL);
		struct json_out *out;

		if (mark == NULL && provider_id == NULL && files == NULL)
			continue;
		out = row_begin(harvest, MARKS, marks->ids[i]);
		jw_known(out, "mark", mark);
		jw_known(out, "provider_id", provider_id);
		jw_known(out, "files", files);
		jw_object_end(out);
	}
	free(marks);
	answered(harvest, err);
}

struct event_row {
	struct harvest *harvest;
	char customer[ID_BYTES];
	char id[ID_BYTES]; /* "": all of them, with their ids */
};

static void write_event(const struct event_row *row, const char *id,
			const struct store_reply *value)
{
	size_t len = 0;
	const char *text = reply_text(value, &len);
	struct json_out *out;

	if (text == NULL)
		return;
	out = row_begin(row->harvest, EVENTS, id);
	jw_text(out, "customer", row->customer);
	jw_textn(out, "event", text, len);
	jw_object_end(out);
}

static void on_event(const struct store_reply *reply, const struct error *err, void *context)
{
	struct event_row *row = context;
	struct harvest *harvest = row->harvest;

	if (is_wanted(harvest, err) && row->id[0] != '\0')
		write_event(row, row->id, reply);
	else if (is_wanted(harvest, err))
		for (size_t i = 0; i + 1 < reply_count(reply); i += 2)
			write_event(row, reply_text(reply_item(reply, i), NULL),
				    reply_item(reply, i + 1));
	free(row);
	answered(harvest, err);
}

/* ---- questions ---- */

static void event_read(struct harvest *harvest, const char *name)
{
	struct event_row *row = memory_new(sizeof(*row));
	struct store_call *call;

	row->harvest = harvest;
	sscanf(name, "%31s %31s", row->customer, row->id);
	call = store_command(row->id[0] == '\0' ? "HGETALL" : "HGET");
	store_arg_key(call, harvest->workspace, "ue:%s", row->customer);
	if (row->id[0] != '\0')
		store_arg_text(call, row->id);
	harvest->calls++;
	store_read(harvest->store, call, on_event, row);
}

static void hash_read(struct harvest *harvest, enum table table, const char *id)
{
	struct store_call *call = store_command("HGETALL");
	struct row *row = memory_new(sizeof(*row));

	row->harvest = harvest;
	row->table = table;
	snprintf(row->id, sizeof(row->id), "%s", id);
	store_arg_key(call, harvest->workspace, "%s:%s", tables[table].key, id);
	harvest->calls++;
	store_read(harvest->store, call, on_hash, row);
}

static void texts_read(struct talk *talk)
{
	struct store_call *call = store_command("LRANGE");
	int64_t last = talk->from + TEXTS_MAX - 1;

	store_arg_key(call, talk->harvest->workspace, "m:%s", talk->id);
	store_arg_int(call, talk->from);
	store_arg_int(call, talk->to >= 0 && talk->to < last ? talk->to : last);
	talk->harvest->calls++;
	store_read(talk->harvest->store, call, on_texts, talk);
}

/* The conversation comes first: its answer says which episode the messages are of. */
static void talk_read(struct talk *talk)
{
	struct store_call *call = store_command("HGETALL");

	store_arg_key(call, talk->harvest->workspace, "c:%s", talk->id);
	talk->harvest->calls++;
	store_read(talk->harvest->store, call, on_talk, talk);
	if (talk->from >= 0)
		texts_read(talk);
}

static void marks_read(struct talk *talk, size_t first, size_t count)
{
	struct store_call *call = store_command("HMGET");
	struct marks *marks = memory_new(sizeof(*marks));
	char name[ID_BYTES + sizeof(".files")];

	marks->harvest = talk->harvest;
	marks->count = count;
	memcpy(marks->ids, talk->ids.data + first * ID_BYTES, count * ID_BYTES);
	store_arg_key(call, talk->harvest->workspace, "y:%s", talk->id);
	for (size_t i = 0; i < count; i++) {
		store_arg_text(call, marks->ids[i]);
		snprintf(name, sizeof(name), "%s.id", marks->ids[i]);
		store_arg_text(call, name);
		snprintf(name, sizeof(name), "%s.files", marks->ids[i]);
		store_arg_text(call, name);
	}
	talk->harvest->calls++;
	store_read(talk->harvest->store, call, on_marks, marks);
}

static void talk_read_marks(struct talk *talk)
{
	size_t count = talk->ids.len / ID_BYTES;

	for (size_t first = 0; talk->is_there && first < count; first += MARKS_MAX)
		marks_read(talk, first, count - first < MARKS_MAX ? count - first : MARKS_MAX);
}

static void finish(struct harvest *harvest)
{
	struct buf rows = { 0 };

	for (int i = 0; i < TABLES; i++) {
		jw_array_end(&harvest->out[i]);
		buf_add(&rows, harvest->tables[i].data, harvest->tables[i].len);
		buf_clear(&harvest->tables[i]);
	}
	harvest->done(harvest->err.kind == ERROR_NONE ? &rows : NULL,
		      harvest->err.kind == ERROR_NONE ? NULL : &harvest->err, harvest->context);
	buf_clear(&rows);
}

static void go_on(struct harvest *harvest)
{
	struct talk *talk;
	size_t at = 0;
	const char *id;

	if (!harvest->is_marking && harvest->err.kind == ERROR_NONE) {
		harvest->is_marking = true;
		while ((talk = map_next(harvest->talks, &at, &id)) != NULL)
			talk_read_marks(talk);
	}
	if (harvest->calls == 0)
		finish(harvest);
}

/* Nothing but events: there is no answer to wait for. */
static void on_nothing(const struct store_reply *reply, const struct error *err, void *context)
{
	(void)reply;
	answered(context, err);
}

static void ask_nothing(struct harvest *harvest)
{
	harvest->calls++;
	store_read(harvest->store, store_command("PING"), on_nothing, harvest);
}

void harvest_run(struct harvest *harvest, harvest_done_fn *done, void *context)
{
	struct talk *talk;
	size_t at = 0;
	const char *id;

	harvest->done = done;
	harvest->context = context;
	ask_nothing(harvest);
	for (enum table table = 0; table < HASHES; table++) {
		at = 0;
		while (map_next(harvest->wanted[table], &at, &id) != NULL)
			hash_read(harvest, table, id);
	}
	at = 0;
	while (map_next(harvest->events, &at, &id) != NULL)
		event_read(harvest, id);
	at = 0;
	while ((talk = map_next(harvest->talks, &at, &id)) != NULL)
		talk_read(talk);
}
