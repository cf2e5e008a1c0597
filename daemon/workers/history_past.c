/* What is asked of the history about what has left the store. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "workers/history.h"

enum { ROWS_MAX = 201, NAMES_MAX = 200 };

static void write_text(struct json_out *out, const char *key, const struct sql_value *value)
{
	if (value->kind == SQL_TEXT)
		jw_textn(out, key, value->text, value->len);
}

static int64_t limit_of(struct history_job *job)
{
	int64_t limit = json_int(job->body, "limit", ROWS_MAX);

	return limit < 0 || limit > ROWS_MAX ? ROWS_MAX : limit;
}

/* ---- a conversation and a page of its messages ---- */

static int take_conversation(const struct sql_value *row, size_t columns, void *context)
{
	struct json_out *out = context;

	(void)columns;
	jw_object(out, "conversation");
	jw_raw(out, "hash", row[0].text, row[0].len);
	write_text(out, "customer", &row[1]);
	jw_object_end(out);
	return 1;
}

static int write_conversation(struct history_job *job, struct json_out *out, struct error *err)
{
	const struct sql_value values[] = { sql_text(job->workspace),
					    sql_text(json_text(job->body, "conversation")) };
	const struct sql_query query = {
		.statement = "SELECT c.json, i.customer FROM conversation c LEFT JOIN identifier i"
			     " ON i.workspace = c.workspace AND i.key = c.identifier_key"
			     " WHERE c.workspace = $1 AND c.id = $2",
		.values = values,
		.count = 2,
		.on_row = take_conversation,
		.context = out,
	};

	return sql_query(job->sql, &query, err);
}

static int take_extent(const struct sql_value *row, size_t columns, void *context)
{
	struct json_out *out = context;

	(void)columns;
	jw_int(out, "count", row[0].number);
	jw_int(out, "began", row[1].kind == SQL_NUMBER ? row[1].number : 0);
	return 1;
}

/* How many messages it has before `until`, and when it began. */
static int write_extent(struct history_job *job, struct json_out *out, struct error *err)
{
	const struct sql_value values[] = { sql_text(job->workspace),
					    sql_text(json_text(job->body, "conversation")),
					    sql_number(json_int(job->body, "until", INT64_MAX)) };
	const struct sql_query query = {
		.statement = "SELECT (SELECT count(*) FROM message WHERE workspace = $1"
			     " AND conversation = $2 AND position < $3),"
			     " (SELECT min(created_ms) FROM episode WHERE workspace = $1"
			     " AND conversation = $2)",
		.values = values,
		.count = 3,
		.on_row = take_extent,
		.context = out,
	};

	return sql_query(job->sql, &query, err);
}

static int take_message(const struct sql_value *row, size_t columns, void *context)
{
	struct json_out *out = context;

	(void)columns;
	jw_object(out, NULL);
	jw_int(out, "position", row[0].number);
	write_text(out, "json", &row[1]);
	write_text(out, "mark", &row[2]);
	write_text(out, "provider_id", &row[3]);
	write_text(out, "files", &row[4]);
	jw_object_end(out);
	return 0;
}

static int write_messages(struct history_job *job, struct json_out *out, struct error *err)
{
	const struct sql_value values[] = {
		sql_text(job->workspace),
		sql_text(json_text(job->body, "conversation")),
		sql_number(json_int(job->body, "from", 0)),
		sql_number(json_int(job->body, "until", INT64_MAX)),
		sql_number(limit_of(job)),
	};
	struct sql_query query = {
		.statement = "SELECT position, json, mark, provider_id, files FROM message"
			     " WHERE workspace = $1 AND conversation = $2 AND position >= $3"
			     " AND position < $4 ORDER BY position LIMIT $5",
		.values = values,
		.count = 5,
		.on_row = take_message,
		.context = out,
	};

	if (json_bool(job->body, "descending", false))
		query.statement = "SELECT position, json, mark, provider_id, files FROM message"
				  " WHERE workspace = $1 AND conversation = $2 AND position <= $3"
				  " AND position < $4 ORDER BY position DESC LIMIT $5";
	return sql_query(job->sql, &query, err);
}

/* {conversation, from, until, limit, descending}: positions from `from` on (descending: down),
 * all of them before `until`. */
int history_op_past(struct history_job *job, struct json_out *out, struct error *err)
{
	int rc;

	if (write_conversation(job, out, err) < 0 || write_extent(job, out, err) < 0)
		return -1;
	jw_array(out, "messages");
	rc = limit_of(job) == 0 ? 0 : write_messages(job, out, err);
	jw_array_end(out);
	return rc;
}

/* One message by its id. */
static int take_one(const struct sql_value *row, size_t columns, void *context)
{
	struct json_out *out = context;

	(void)columns;
	write_text(out, "json", &row[0]);
	write_text(out, "mark", &row[1]);
	return 1;
}

int history_op_past_message(struct history_job *job, struct json_out *out, struct error *err)
{
	const struct sql_value values[] = { sql_text(job->workspace),
					    sql_text(json_text(job->body, "message")) };
	const struct sql_query query = {
		.statement = "SELECT json, mark FROM message WHERE workspace = $1 AND id = $2",
		.values = values,
		.count = 2,
		.on_row = take_one,
		.context = out,
	};

	return sql_query(job->sql, &query, err);
}

/* ---- conversations of somebody ---- */

static int take_of(const struct sql_value *row, size_t columns, void *context)
{
	struct json_out *out = context;

	(void)columns;
	jw_object(out, NULL);
	write_text(out, "id", &row[0]);
	jw_raw(out, "hash", row[1].text, row[1].len);
	jw_int(out, "count", row[2].number);
	jw_int(out, "began", row[3].kind == SQL_NUMBER ? row[3].number : 0);
	write_text(out, "newest", &row[4]);
	jw_int(out, "newest_ms", row[5].kind == SQL_NUMBER ? row[5].number : 0);
	jw_object_end(out);
	return 0;
}

enum { KEYS_MAX = SQL_VALUES_MAX - 2 };

/* {identifiers, limit}: the newest of these identifiers (hashes), those that are still in the store
 * too. The caller knows whose identifiers they are; what stands here of it may be older. */
int history_op_past_of(struct history_job *job, struct json_out *out, struct error *err)
{
	struct json_object *keys = json_at(job->body, "identifiers");
	struct sql_value values[SQL_VALUES_MAX] = { sql_text(job->workspace),
						    sql_number(limit_of(job)) };
	struct buf statement = { 0 };
	struct sql_query query = {
		.values = values,
		.count = SQL_VALUES_MAX,
		.on_row = take_of,
		.context = out,
	};
	int rc;

	buf_text(&statement,
		 "SELECT c.id, c.json, (SELECT count(*) FROM message m"
		 " WHERE m.workspace = c.workspace AND m.conversation = c.id),"
		 " (SELECT min(e.created_ms) FROM episode e"
		 " WHERE e.workspace = c.workspace AND e.conversation = c.id),"
		 " (SELECT n.json FROM message n WHERE n.workspace = c.workspace"
		 " AND n.conversation = c.id ORDER BY n.position DESC LIMIT 1),"
		 " (SELECT n.created_ms FROM message n WHERE n.workspace = c.workspace"
		 " AND n.conversation = c.id ORDER BY n.position DESC LIMIT 1)"
		 " FROM conversation c WHERE c.workspace = $1 AND c.identifier_key IN (");
	for (size_t i = 0; i < KEYS_MAX; i++) {
		buf_format(&statement, "%s$%zu", i == 0 ? "" : ", ", i + 3);
		values[i + 2] =
			sql_text(i < json_count(keys) ? json_string(json_item(keys, i)) : NULL);
	}
	buf_text(&statement, ") ORDER BY c.updated_ms DESC, c.id DESC LIMIT $2");
	query.statement = buf_string(&statement);
	jw_array(out, "conversations");
	rc = sql_query(job->sql, &query, err);
	jw_array_end(out);
	buf_clear(&statement);
	return rc;
}

/* ---- work items ---- */

static int take_item(const struct sql_value *row, size_t columns, void *context)
{
	struct json_out *out = context;

	(void)columns;
	jw_object(out, NULL);
	write_text(out, "id", &row[0]);
	jw_raw(out, "hash", row[1].text, row[1].len);
	write_text(out, "name", &row[2]);
	jw_object_end(out);
	return 0;
}

/* {items: [id...]}: those that are known. */
int history_op_past_items(struct history_job *job, struct json_out *out, struct error *err)
{
	struct json_object *ids = json_at(job->body, "items");
	int rc = 0;

	jw_array(out, "items");
	for (size_t i = 0; rc == 0 && i < json_count(ids) && i < NAMES_MAX; i++) {
		const struct sql_value values[] = { sql_text(job->workspace),
						    sql_text(json_string(json_item(ids, i))) };
		const struct sql_query query = {
			.statement = "SELECT w.id, w.json, u.name FROM work_item w"
				     " LEFT JOIN customer u ON u.workspace = w.workspace"
				     " AND u.id = w.customer WHERE w.workspace = $1 AND w.id = $2",
			.values = values,
			.count = 2,
			.on_row = take_item,
			.context = out,
		};

		rc = sql_query(job->sql, &query, err);
	}
	jw_array_end(out);
	return rc;
}

#define LIST_START                                                                                 \
	"SELECT w.id, w.json, u.name FROM work_item w LEFT JOIN customer u"                        \
	" ON u.workspace = w.workspace AND u.id = w.customer"                                      \
	" WHERE w.workspace = $1 AND w.state = $2"                                                 \
	" AND ($3 = '' OR w.queue = $3) AND ($4 = '' OR w.agent = $4)"

/* {state, queue, agent, after_ms, after_id, ascending, limit}: by creation, then id. */
int history_op_past_list(struct history_job *job, struct json_out *out, struct error *err)
{
	bool is_ascending = json_bool(job->body, "ascending", false);
	const char *queue = json_text(job->body, "queue");
	const char *agent = json_text(job->body, "agent");
	const char *after = json_text(job->body, "after_id");
	const struct sql_value values[] = {
		sql_text(job->workspace),
		sql_text(json_text(job->body, "state")),
		sql_text(queue == NULL ? "" : queue),
		sql_text(agent == NULL ? "" : agent),
		sql_number(json_int(job->body, "after_ms", is_ascending ? -1 : INT64_MAX)),
		sql_text(after == NULL ? "" : after),
		sql_number(limit_of(job)),
	};
	const struct sql_query query = {
		.statement = is_ascending ? LIST_START
				     " AND (w.created_ms > $5 OR (w.created_ms = $5 AND w.id > $6))"
				     " ORDER BY w.created_ms, w.id LIMIT $7"
					  : LIST_START
				     " AND (w.created_ms < $5 OR (w.created_ms = $5 AND w.id < $6))"
				     " ORDER BY w.created_ms DESC, w.id DESC LIMIT $7",
		.values = values,
		.count = COUNT_OF(values),
		.on_row = take_item,
		.context = out,
	};
	int rc;

	jw_array(out, "items");
	rc = sql_query(job->sql, &query, err);
	jw_array_end(out);
	return rc;
}

/* ---- references ---- */

static int take_reference(const struct sql_value *row, size_t columns, void *context)
{
	struct json_out *out = context;

	(void)columns;
	jw_object(out, NULL);
	write_text(out, "field", &row[0]);
	write_text(out, "conversation", &row[1]);
	write_text(out, "message", &row[2]);
	jw_int(out, "index", row[3].number);
	jw_object_end(out);
	return 0;
}

/* {fields: [hex...]}: keyed hashes of what providers call messages. */
int history_op_past_references(struct history_job *job, struct json_out *out, struct error *err)
{
	struct json_object *fields = json_at(job->body, "fields");
	int rc = 0;

	jw_array(out, "references");
	for (size_t i = 0; rc == 0 && i < json_count(fields) && i < NAMES_MAX; i++) {
		const struct sql_value values[] = { sql_text(job->workspace),
						    sql_text(json_string(json_item(fields, i))) };
		const struct sql_query query = {
			.statement = "SELECT field, conversation, message, number FROM reference"
				     " WHERE workspace = $1 AND field = $2",
			.values = values,
			.count = 2,
			.on_row = take_reference,
			.context = out,
		};

		rc = sql_query(job->sql, &query, err);
	}
	jw_array_end(out);
	return rc;
}

/* ---- late receipts ---- */

enum { STATE_BYTES = 24 };

static int take_state(const struct sql_value *row, size_t columns, void *context)
{
	const char *mark = row[0].kind == SQL_TEXT ? row[0].text : "";

	(void)columns;
	snprintf(context, STATE_BYTES, "%.*s", (int)strcspn(mark, " "), mark);
	return 1;
}

/* As prelude/outbox.lua ranks marks. */
static int rank(const char *state)
{
	static const char *const ranks[][5] = {
		{ "queued", "sending", "uncertain", "expired", NULL },
		{ "sent", "failed", NULL },
		{ "delivered", NULL },
		{ "read", NULL },
	};

	for (size_t i = 0; i < COUNT_OF(ranks); i++)
		for (size_t j = 0; ranks[i][j] != NULL; j++)
			if (text_equal(ranks[i][j], state))
				return (int)i + 1;
	return 0;
}

static bool moves_on(const char *from, const char *to)
{
	if (text_equal(to, "failed"))
		return rank(from) == 1 ? !text_equal(from, "expired") : text_equal(from, "sent");
	return rank(to) > rank(from) && rank(to) >= 2;
}

/* {message, state, mark}: where it moves on, answers from and to. */
int history_op_receipt(struct history_job *job, struct json_out *out, struct error *err)
{
	const char *to = json_text(job->body, "state");
	char from[STATE_BYTES] = "";
	const struct sql_value values[] = { sql_text(job->workspace),
					    sql_text(json_text(job->body, "message")),
					    sql_text(json_text(job->body, "mark")) };
	const struct sql_query query = {
		.statement = "SELECT mark FROM message WHERE workspace = $1 AND id = $2",
		.values = values,
		.count = 2,
		.on_row = take_state,
		.context = from,
	};
	const struct sql_query put = {
		.statement = "UPDATE message SET mark = $3 WHERE workspace = $1 AND id = $2",
		.values = values,
		.count = 3,
	};

	if (sql_query(job->sql, &query, err) < 0)
		return -1;
	if (from[0] == '\0' || !moves_on(from, to))
		return 0;
	if (sql_query(job->sql, &put, err) < 0)
		return -1;
	jw_text(out, "from", from);
	jw_text(out, "to", to);
	return 0;
}
