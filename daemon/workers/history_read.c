/* What is asked of the history by id. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "workers/history.h"

enum { MESSAGES_MAX = 200 };

static void write_text(struct json_out *out, const char *key, const struct sql_value *value)
{
	jw_textn(out, key, value->kind == SQL_TEXT ? value->text : NULL, value->len);
}

/* ---- a conversation ---- */

static int take_conversation(const struct sql_value *row, size_t columns, void *context)
{
	struct json_out *out = context;

	(void)columns;
	jw_object(out, "conversation");
	jw_raw(out, "hash", row[0].text, row[0].len);
	jw_bool(out, "evicted", row[1].number != 0);
	jw_int(out, "count", row[2].number);
	if (row[3].kind == SQL_TEXT)
		write_text(out, "customer", &row[3]);
	jw_object_end(out);
	return 1;
}

int history_op_conversation(struct history_job *job, struct json_out *out, struct error *err)
{
	const struct sql_value values[] = { sql_text(job->workspace),
					    sql_text(json_text(job->body, "conversation")) };
	const struct sql_query query = {
		.statement = "SELECT c.json, c.evicted, (SELECT count(*)"
			     " FROM message m WHERE m.workspace = c.workspace"
			     " AND m.conversation = c.id), i.customer FROM conversation c"
			     " LEFT JOIN identifier i ON i.workspace = c.workspace"
			     " AND i.key = c.identifier_key WHERE c.workspace = $1 AND c.id = $2",
		.values = values,
		.count = 2,
		.on_row = take_conversation,
		.context = out,
	};

	return sql_query(job->sql, &query, err);
}

/* ---- its messages ---- */

static int take_message(const struct sql_value *row, size_t columns, void *context)
{
	struct json_out *out = context;

	(void)columns;
	jw_object(out, NULL);
	jw_int(out, "position", row[0].number);
	write_text(out, "json", &row[1]);
	if (row[2].kind == SQL_TEXT)
		write_text(out, "mark", &row[2]);
	if (row[3].kind == SQL_TEXT)
		write_text(out, "provider_id", &row[3]);
	if (row[4].kind == SQL_TEXT)
		write_text(out, "files", &row[4]);
	jw_object_end(out);
	return 0;
}

int history_op_messages(struct history_job *job, struct json_out *out, struct error *err)
{
	int64_t limit = json_int(job->body, "limit", MESSAGES_MAX);
	bool is_descending = json_bool(job->body, "descending", false);
	const struct sql_value values[] = {
		sql_text(job->workspace),
		sql_text(json_text(job->body, "conversation")),
		sql_number(json_int(job->body, "from", is_descending ? INT64_MAX : 0)),
		sql_number(limit < 1 || limit > MESSAGES_MAX ? MESSAGES_MAX : limit),
	};
	struct sql_query query = {
		.statement = "SELECT position, json, mark, provider_id, files FROM message"
			     " WHERE workspace = $1 AND conversation = $2 AND position >= $3"
			     " ORDER BY position LIMIT $4",
		.values = values,
		.count = 4,
		.on_row = take_message,
		.context = out,
	};
	int rc;

	if (is_descending)
		query.statement = "SELECT position, json, mark, provider_id, files FROM message"
				  " WHERE workspace = $1 AND conversation = $2 AND position <= $3"
				  " ORDER BY position DESC LIMIT $4";
	jw_array(out, "messages");
	rc = sql_query(job->sql, &query, err);
	jw_array_end(out);
	return rc;
}

/* ---- all of it ---- */

static int take_number(const struct sql_value *row, size_t columns, void *context)
{
	(void)columns;
	*(int64_t *)context = row[0].number;
	return 1;
}

int history_op_status(struct history_job *job, struct json_out *out, struct error *err)
{
	static const struct {
		const char *table;
		const char *statement;
	} tables[] = {
		{ "customer", "SELECT count(*) FROM customer WHERE workspace = $1" },
		{ "identifier", "SELECT count(*) FROM identifier WHERE workspace = $1" },
		{ "conversation", "SELECT count(*) FROM conversation WHERE workspace = $1" },
		{ "message", "SELECT count(*) FROM message WHERE workspace = $1" },
		{ "note", "SELECT count(*) FROM note WHERE workspace = $1" },
		{ "merge", "SELECT count(*) FROM customer_merge WHERE workspace = $1" },
		{ "customer_event", "SELECT count(*) FROM customer_event WHERE workspace = $1" },
		{ "suggestion", "SELECT count(*) FROM suggestion WHERE workspace = $1" },
		{ "work_item", "SELECT count(*) FROM work_item WHERE workspace = $1" },
		{ "event", "SELECT count(*) FROM event WHERE workspace = $1" },
	};
	const struct sql_value values[] = { sql_text(job->workspace) };

	if (history_op_cursor(job, out, err) < 0)
		return -1;
	jw_object(out, "rows");
	for (size_t i = 0; i < COUNT_OF(tables); i++) {
		int64_t count = 0;
		const struct sql_query query = { .statement = tables[i].statement,
						 .values = values,
						 .count = 1,
						 .on_row = take_number,
						 .context = &count };

		if (sql_query(job->sql, &query, err) < 0)
			return -1;
		jw_int(out, tables[i].table, count);
	}
	jw_object_end(out);
	return 0;
}
