#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"
#include "workers/history_search.h"
#include "workers/history_write.h"

/* ---- out of a hash ---- */

static struct sql_value hash_text(struct json_object *hash, const char *field)
{
	const char *text = json_text(hash, field);

	return sql_text(text == NULL || *text == '\0' ? NULL : text);
}

/* For columns that are never NULL. */
static struct sql_value hash_word(struct json_object *hash, const char *field)
{
	const char *text = json_text(hash, field);

	return sql_text(text == NULL ? "" : text);
}

static struct sql_value hash_number(struct json_object *hash, const char *field)
{
	const char *text = json_text(hash, field);

	return sql_number(text == NULL ? 0 : strtoll(text, NULL, 10));
}

/* A hash of the store: an object, or a text that holds one. */
struct hash {
	struct json_object *fields; /* NULL until it is read */
	const char *text;           /* as the column json has it */
	struct json_object *owned;
};

static void hash_open(struct history_write *write, struct json_object *row, struct hash *ret)
{
	struct json_object *value = json_at(row, "hash");
	struct buf text = { 0 };

	*ret = (struct hash){ .text = json_string(value) };
	if (ret->text != NULL)
		return;
	ret->fields = value;
	json_append(value, &text);
	ret->text = arena_copy(write->job->arena, buf_string(&text), text.len);
	buf_clear(&text);
}

static int hash_read(struct hash *hash, struct error *err)
{
	if (hash->fields == NULL)
		hash->fields = hash->owned = json_read(hash->text, strlen(hash->text), err);
	return hash->fields == NULL ? -1 : 0;
}

/* As it is stored, in the column json. */
static struct sql_value json_value(struct history_write *write, struct json_object *value)
{
	struct buf text = { 0 };
	const char *copy;

	json_append(value, &text);
	copy = arena_copy(write->job->arena, buf_string(&text), text.len);
	buf_clear(&text);
	return sql_text(copy);
}

/* A row with its words. */
static int put_words(struct history_write *write, const char *type, struct json_object *row,
		     struct json_object *hash, struct error *err)
{
	const struct history_found found = { .type = type,
					     .id = json_text(row, "id"),
					     .at_ms = hash_number(hash, "ct").number,
					     .row = hash };

	return history_search_put(write->job, &found, err);
}

static int no_row(const char *what, struct error *err)
{
	return error_set(err, ERROR_PERMANENT, "a %s that cannot be read", what);
}

/* ---- customers ---- */

struct identifiers {
	struct history_write *write;
	const char *customer;
	struct error *err;
	int rc;
};

static const char put_identifier[] =
	"INSERT INTO identifier (workspace, key, customer, kind, scope, value, proof, proved_by,"
	" at_ms, shared, json) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
	" ON CONFLICT (workspace, key) DO UPDATE SET customer = excluded.customer,"
	" kind = excluded.kind, scope = excluded.scope, value = excluded.value,"
	" proof = excluded.proof, proved_by = excluded.proved_by, at_ms = excluded.at_ms,"
	" shared = excluded.shared, json = excluded.json";

/* [kind, scope, value, proof, by, at s, raw], and what stands after them. */
static int write_identifier(struct identifiers *run, const char *key, const char *stored,
			    struct error *err)
{
	struct history_job *job = run->write->job;
	struct json_object *record = json_read(stored, strlen(stored), err);
	const char *by = json_text(record, "4");
	int rc;

	if (record == NULL || json_count(record) < 6) {
		json_free(&record);
		return no_row("record of an identifier", err);
	}
	by = json_string(json_item(record, 4));
	const struct sql_value values[] = {
		sql_text(job->workspace),
		sql_text(key),
		sql_text(run->customer),
		sql_text(json_string(json_item(record, 0))),
		sql_text(json_string(json_item(record, 1))),
		sql_text(json_string(json_item(record, 2))),
		sql_number(json_int(record, "3", 0)),
		sql_text(by),
		sql_number(json_int(record, "5", 0) * 1000),
		sql_number(strstr(stored, "\"sh\"") != NULL),
		sql_text(stored),
	};
	rc = sql_put(job->sql, put_identifier, values, COUNT_OF(values), err);
	json_free(&record);
	return rc;
}

static void on_field(const char *name, struct json_object *value, void *context)
{
	struct identifiers *run = context;

	if (run->rc == 0 && text_starts(name, "i:") && json_string(value) != NULL)
		run->rc = write_identifier(run, name + 2, json_string(value), run->err);
}

struct keys {
	struct json_object *hash;
	struct arena *arena;
	const char *gone[256];
	size_t count;
};

static int take_gone(const struct sql_value *row, size_t columns, void *context)
{
	struct keys *keys = context;
	char field[80];

	(void)columns;
	snprintf(field, sizeof(field), "i:%s", row[0].text);
	if (json_text(keys->hash, field) == NULL && keys->count < COUNT_OF(keys->gone))
		keys->gone[keys->count++] = arena_text(keys->arena, row[0].text);
	return 0;
}

/* What the customer has no more, and nobody else took. */
static int drop_identifiers(struct history_write *write, const char *customer,
			    struct json_object *hash, struct error *err)
{
	struct history_job *job = write->job;
	struct keys keys = { .hash = hash, .arena = job->arena };
	const struct sql_value values[] = { sql_text(job->workspace), sql_text(customer) };
	const struct sql_query query = {
		.statement = "SELECT key FROM identifier WHERE workspace = $1 AND customer = $2",
		.values = values,
		.count = 2,
		.on_row = take_gone,
		.context = &keys,
	};
	int rc = sql_query(job->sql, &query, err);

	for (size_t i = 0; rc == 0 && i < keys.count; i++) {
		const struct sql_value one[] = { sql_text(job->workspace), sql_text(keys.gone[i]),
						 sql_text(customer) };

		rc = sql_put(job->sql,
			     "DELETE FROM identifier WHERE workspace = $1 AND key = $2"
			     " AND customer = $3",
			     one, 3, err);
	}
	return rc;
}

static bool is_anew(const struct history_write *write)
{
	return json_bool(write->job->body, "anew", false);
}

static int put_customer(struct history_write *write, struct json_object *row, struct hash *from,
			struct error *err)
{
	struct history_job *job = write->job;
	struct json_object *hash = from->fields;
	const char *id = json_text(row, "id");
	struct identifiers run = { .write = write, .customer = id, .err = err };
	const struct sql_value values[] = {
		sql_text(job->workspace), sql_text(id),          hash_text(hash, "nm"),
		hash_text(hash, "tier"),  hash_text(hash, "to"), hash_number(hash, "ct"),
		hash_number(hash, "v"),   sql_text(from->text),
	};
	bool is_known = is_anew(write) || map_get(write->customers, id) != NULL;

	if (sql_put(job->sql,
		    "INSERT INTO customer (workspace, id, name, tier, merged_into, created_ms,"
		    " version, json) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
		    " ON CONFLICT (workspace, id) DO UPDATE SET name = excluded.name,"
		    " tier = excluded.tier, merged_into = excluded.merged_into,"
		    " created_ms = excluded.created_ms, version = excluded.version,"
		    " json = excluded.json",
		    values, COUNT_OF(values), err) < 0)
		return -1;
	if (is_known && drop_identifiers(write, id, hash, err) < 0)
		return -1;
	json_each_field(hash, on_field, &run);
	return run.rc < 0 ? -1 : put_words(write, "customer", row, hash, err);
}

/* One row of these; the same where its hash is as it was. */
typedef int put_hash_fn(struct history_write *write, struct json_object *row, struct hash *hash,
			struct error *err);

static int write_hash(struct history_write *write, struct json_object *row, put_hash_fn *put,
		      const struct map *known, struct error *err)
{
	const char *id = json_text(row, "id");
	struct hash hash;
	int rc;

	hash_open(write, row, &hash);
	if (known != NULL && text_equal(map_get(known, id), hash.text))
		return 0;
	rc = hash_read(&hash, err);
	if (rc == 0)
		rc = put(write, row, &hash, err);
	json_free(&hash.owned);
	return rc;
}

int write_customer(struct history_write *write, struct json_object *row, struct error *err)
{
	return write_hash(write, row, put_customer, write->customers, err);
}

/* ---- conversations and work items ---- */

static int put_conversation(struct history_write *write, struct json_object *row, struct hash *from,
			    struct error *err)
{
	struct history_job *job = write->job;
	struct json_object *hash = from->fields;
	const struct sql_value values[] = {
		sql_text(job->workspace), sql_text(json_text(row, "id")), hash_word(hash, "ch"),
		hash_word(hash, "ik"),    hash_text(hash, "ad"),          hash_text(hash, "nm"),
		hash_text(hash, "th"),    hash_text(hash, "sub"),         hash_word(hash, "s"),
		hash_number(hash, "n"),   hash_number(hash, "ct"),        hash_number(hash, "ut"),
		sql_text(from->text),
	};

	return sql_put(job->sql,
		       "INSERT INTO conversation (workspace, id, channel, identifier_key, address,"
		       " name, thread, subject, state, messages, created_ms, updated_ms, evicted,"
		       " json) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, $13)"
		       " ON CONFLICT (workspace, id) DO UPDATE SET channel = excluded.channel,"
		       " identifier_key = excluded.identifier_key, address = excluded.address,"
		       " name = excluded.name, thread = excluded.thread,"
		       " subject = excluded.subject, state = excluded.state,"
		       " messages = excluded.messages, created_ms = excluded.created_ms,"
		       " updated_ms = excluded.updated_ms, evicted = 0, json = excluded.json",
		       values, COUNT_OF(values), err);
}

int write_conversation(struct history_write *write, struct json_object *row, struct error *err)
{
	return write_hash(write, row, put_conversation, NULL, err);
}

static int put_work_item(struct history_write *write, struct json_object *row, struct hash *from,
			 struct error *err)
{
	struct history_job *job = write->job;
	struct json_object *hash = from->fields;
	const struct sql_value values[] = {
		sql_text(job->workspace),
		sql_text(json_text(row, "id")),
		hash_number(hash, "num"),
		hash_word(hash, "s"),
		hash_text(hash, "q"),
		hash_text(hash, json_has(hash, "a") && *json_text(hash, "a") != '\0' ? "a" : "la"),
		hash_text(hash, "u"),
		hash_text(hash, "c"),
		hash_text(hash, "ch"),
		hash_text(hash, "ty"),
		hash_text(hash, "tp"),
		hash_text(hash, "ur"),
		hash_number(hash, "ct"),
		hash_number(hash, "st"),
		sql_text(from->text),
	};

	if (sql_put(job->sql,
		    "INSERT INTO work_item (workspace, id, number, state, queue, agent, customer,"
		    " conversation, channel, type, topic, urgency, created_ms, updated_ms, json)"
		    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
		    " ON CONFLICT (workspace, id) DO UPDATE SET number = excluded.number,"
		    " state = excluded.state, queue = excluded.queue, agent = excluded.agent,"
		    " customer = excluded.customer, conversation = excluded.conversation,"
		    " channel = excluded.channel, type = excluded.type, topic = excluded.topic,"
		    " urgency = excluded.urgency, created_ms = excluded.created_ms,"
		    " updated_ms = excluded.updated_ms, json = excluded.json",
		    values, COUNT_OF(values), err) < 0)
		return -1;
	return put_words(write, "work_item", row, hash, err);
}

int write_work_item(struct history_write *write, struct json_object *row, struct error *err)
{
	return write_hash(write, row, put_work_item, write->work_items, err);
}

/* ---- messages ---- */

static int take_places(const struct sql_value *row, size_t columns, void *context)
{
	struct history_write *write = context;

	(void)columns;
	write->base = row[0].kind == SQL_NUMBER ? row[0].number : -1;
	write->newest = row[1].kind == SQL_NUMBER ? row[1].number : -1;
	return 1;
}

static int put_episode(struct history_write *write, struct error *err)
{
	const struct sql_value values[] = {
		sql_text(write->job->workspace),
		sql_text(write->conversation),
		sql_number(write->episode),
		sql_number(write->base),
	};

	return sql_put(write->job->sql,
		       "INSERT INTO episode (workspace, conversation, created_ms, base)"
		       " VALUES ($1, $2, $3, $4) ON CONFLICT (workspace, conversation, created_ms)"
		       " DO UPDATE SET base = excluded.base",
		       values, 4, err);
}

/* A conversation that left the store and came back counts its messages from 0 again. Its base is
 * made from when it came, so that whoever reads the store knows a message's position without
 * asking. */
static int find_episode(struct history_write *write, const char *conversation, int64_t created_ms,
			struct error *err)
{
	const struct sql_value values[] = { sql_text(write->job->workspace), sql_text(conversation),
					    sql_number(created_ms) };
	const struct sql_query query = {
		.statement = "SELECT (SELECT base FROM episode WHERE workspace = $1"
			     " AND conversation = $2 AND created_ms = $3),"
			     " (SELECT max(position) FROM message WHERE workspace = $1"
			     " AND conversation = $2)",
		.values = values,
		.count = 3,
		.on_row = take_places,
		.context = write,
	};

	if (text_equal(write->conversation, conversation) && write->episode == created_ms)
		return 0;
	history_known_leave(write);
	write->conversation[0] = '\0';
	if (!history_known_place(write, conversation, created_ms) &&
	    sql_query(write->job->sql, &query, err) < 0)
		return -1;
	snprintf(write->conversation, sizeof(write->conversation), "%s", conversation);
	write->episode = created_ms;
	if (write->base >= 0)
		return 0;
	write->base = created_ms * LIMIT_PLACES_PER_MS;
	return put_episode(write, err);
}

/* What stands in a message's place. */
struct standing {
	char id[ID_BYTES];    /* "": nothing */
	char moved[ID_BYTES]; /* it is the note that this message left behind; "": it is none */
};

/* A message that went to another conversation leaves a note of the system in its place. */
static const char *moved_message(struct json_object *message)
{
	const char *id = json_text(message, "extra.moved.message");

	return id == NULL ? "" : id;
}

static int take_standing(const struct sql_value *row, size_t columns, void *context)
{
	struct standing *standing = context;
	struct error ignored;
	struct json_object *message = json_read(row[1].text, row[1].len, &ignored);

	(void)columns;
	snprintf(standing->id, sizeof(standing->id), "%s", row[0].text);
	snprintf(standing->moved, sizeof(standing->moved), "%s", moved_message(message));
	json_free(&message);
	return 1;
}

/* Out of the way, until it is written where it is now. */
static int park(struct history_write *write, const char *id, struct error *err)
{
	const struct sql_value values[] = { sql_text(write->job->workspace), sql_text(id) };

	return sql_put(write->job->sql,
		       "UPDATE message SET position = -number WHERE workspace = $1 AND id = $2",
		       values, 2, err);
}

static int drop_note(struct history_write *write, const char *id, struct error *err)
{
	const struct sql_value values[] = { sql_text(write->job->workspace), sql_text(id) };

	if (sql_put(write->job->sql, "DELETE FROM message WHERE workspace = $1 AND id = $2", values,
		    2, err) < 0)
		return -1;
	return history_search_drop(write->job, "message", id, err);
}

/* 1 where this very message is there already. Another one may have been moved away, or come back
 * in place of its note. Else the store lost it after it was written here (a failover): it stays,
 * and those from here on go behind it. */
static int check_place(struct history_write *write, struct json_object *message, int64_t index,
		       struct error *err)
{
	const char *id = json_text(message, "id");
	struct standing standing = { "", "" };
	const struct sql_value values[] = { sql_text(write->job->workspace),
					    sql_text(write->conversation),
					    sql_number(write->base + index) };
	const struct sql_query query = {
		.statement = "SELECT id, json FROM message WHERE workspace = $1"
			     " AND conversation = $2 AND position = $3",
		.values = values,
		.count = 3,
		.on_row = take_standing,
		.context = &standing,
	};

	if (write->newest < write->base + index)
		return 0;
	if (sql_query(write->job->sql, &query, err) < 0)
		return -1;
	if (text_equal(standing.id, id))
		return 1;
	if (standing.id[0] == '\0')
		return 0;
	if (text_equal(moved_message(message), standing.id))
		return park(write, standing.id, err);
	/* Back in its place, or gone again meanwhile. */
	if (standing.moved[0] != '\0' &&
	    (text_equal(standing.moved, id) || text_equal(standing.moved, moved_message(message))))
		return drop_note(write, standing.id, err);
	write->base = write->newest + 1 - index;
	return put_episode(write, err);
}

static int put_message(struct history_write *write, struct json_object *row,
		       struct json_object *message, struct error *err)
{
	struct history_job *job = write->job;
	const char *id = json_text(message, "id");
	int64_t position = write->base + json_int(row, "index", 0);
	const struct history_found found = {
		.type = "message",
		.id = id,
		.at_ms = text_parse_time(json_text(message, "created_at")),
		.row = message,
	};
	const struct sql_value values[] = {
		sql_text(job->workspace),
		sql_text(write->conversation),
		sql_number(position),
		sql_text(id),
		sql_text(json_text(message, "direction")),
		sql_text(json_text(message, "kind")),
		sql_text(json_text(message, "author.type")),
		sql_text(json_text(message, "author.id")),
		sql_number(found.at_ms),
		sql_text(json_text(row, "json")),
	};

	if (sql_put(job->sql,
		    "INSERT INTO message (workspace, conversation, position, id, direction, kind,"
		    " author_type, author_id, created_ms, json)"
		    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
		    " ON CONFLICT (workspace, id) DO UPDATE SET"
		    " conversation = excluded.conversation, position = excluded.position,"
		    " json = excluded.json WHERE message.conversation <> excluded.conversation"
		    " OR message.position < 0",
		    values, COUNT_OF(values), err) < 0)
		return -1;
	if (position > write->newest)
		write->newest = position;
	return history_search_put(job, &found, err);
}

int write_message(struct history_write *write, struct json_object *row, struct error *err)
{
	const char *text = json_text(row, "json");
	struct json_object *message = NULL;
	const char *id;
	int rc;

	if (text != NULL)
		message = json_read(text, strlen(text), err);
	id = json_text(message, "id");
	if (id == NULL || json_text(message, "created_at") == NULL) {
		json_free(&message);
		return no_row("message", err);
	}
	rc = find_episode(write, json_text(row, "conversation"), json_int(row, "created_ms", 0),
			  err);
	if (rc == 0)
		rc = check_place(write, message, json_int(row, "index", 0), err);
	if (rc == 0)
		rc = put_message(write, row, message, err);
	json_free(&message);
	return rc < 0 ? -1 : 0;
}

int write_mark(struct history_write *write, struct json_object *row, struct error *err)
{
	const struct sql_value values[] = {
		sql_text(write->job->workspace),   sql_text(json_text(row, "id")),
		sql_text(json_text(row, "mark")),  sql_text(json_text(row, "provider_id")),
		sql_text(json_text(row, "files")),
	};

	return sql_put(write->job->sql,
		       "UPDATE message SET mark = $3, provider_id = $4, files = $5"
		       " WHERE workspace = $1 AND id = $2",
		       values, COUNT_OF(values), err);
}

/* ---- what the store took for a message of a provider's id ---- */

int write_reference(struct history_write *write, struct json_object *row, struct error *err)
{
	const struct sql_value values[] = {
		sql_text(write->job->workspace),          sql_text(json_text(row, "id")),
		sql_text(json_text(row, "conversation")), sql_text(json_text(row, "message")),
		sql_number(json_int(row, "index", 0)),
	};

	return sql_put(write->job->sql,
		       "INSERT INTO reference (workspace, field, conversation, message, number)"
		       " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (workspace, field) DO NOTHING",
		       values, COUNT_OF(values), err);
}

/* ---- events ---- */

int write_event(struct history_write *write, struct json_object *row, struct error *err)
{
	const char *position = json_text(row, "id");
	unsigned long long generation, ms, seq;

	if (position == NULL || sscanf(position, "%llu-%llu-%llu", &generation, &ms, &seq) != 3)
		return no_row("position", err);
	const struct sql_value values[] = {
		sql_text(write->job->workspace),
		sql_number((int64_t)generation),
		sql_number((int64_t)ms),
		sql_number((int64_t)seq),
		sql_text(json_text(row, "type")),
		sql_text(json_text(row, "work_item")),
		sql_text(json_text(row, "conversation")),
		sql_text(json_text(row, "customer")),
		sql_text(json_text(row, "message")),
		sql_text(json_text(row, "agent")),
		sql_text(json_text(row, "queue")),
		json_value(write, json_at(row, "more")),
	};

	return sql_put(write->job->sql,
		       "INSERT INTO event (workspace, generation, ms, seq, type, work_item,"
		       " conversation, customer, message, agent, queue, json)"
		       " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
		       " ON CONFLICT (workspace, generation, ms, seq) DO NOTHING",
		       values, COUNT_OF(values), err);
}
