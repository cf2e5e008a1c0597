/* A batch: rows of all kinds and the cursor in one transaction. Every row may be written again and
 * ends the same. A row that breaks a rule of its table is left out and said, so that it does not
 * keep the others waiting; whatever else goes wrong rolls all of it back. */
#include "workers/history_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

typedef int write_row_fn(struct history_write *write, struct json_object *row, struct error *err);

static const struct {
	const char *name; /* in the job */
	write_row_fn *row;
} kinds[] = {
	{ "customers", write_customer },
	{ "notes", write_notes },
	{ "suggestions", write_suggestions },
	{ "merges", write_merge },
	{ "customer_events", write_customer_event },
	{ "conversations", write_conversation },
	{ "messages", write_message },
	{ "marks", write_mark },
	{ "work_items", write_work_item },
	{ "events", write_event },
	{ "references", write_reference },
};

static int take_text(const struct sql_value *row, size_t columns, void *context)
{
	(void)columns;
	snprintf(context, HISTORY_POSITION_BYTES, "%s", row[0].kind == SQL_TEXT ? row[0].text : "");
	return 1;
}

int history_op_cursor(struct history_job *job, struct json_out *out, struct error *err)
{
	char position[HISTORY_POSITION_BYTES] = "";
	const struct sql_value values[] = { sql_text(job->workspace) };
	const struct sql_query query = {
		.statement = "SELECT position FROM cursor WHERE workspace = $1",
		.values = values,
		.count = 1,
		.on_row = take_text,
		.context = position,
	};

	if (sql_query(job->sql, &query, err) < 0)
		return -1;
	jw_text(out, "position", position[0] == '\0' ? NULL : position);
	return 0;
}

/* ---- the cursor ---- */

/* Only from where this writer believes it stands: two of them never write side by side. */
static int move_cursor(struct history_job *job, struct error *err)
{
	const char *after = json_text(job->body, "after");
	char position[HISTORY_POSITION_BYTES] = "";
	const struct sql_value values[] = {
		sql_text(job->workspace),
		sql_text(json_text(job->body, "position")),
		sql_number(json_int(job->body, "at", 0)),
		sql_text(after == NULL ? "" : after),
	};
	struct sql_query query = {
		.statement = "UPDATE cursor SET position = $2, at_ms = $3"
			     " WHERE workspace = $1 AND position = $4 RETURNING position",
		.values = values,
		.count = 4,
		.on_row = take_text,
		.context = position,
	};

	if (json_bool(job->body, "reset", false)) {
		query.statement = "INSERT INTO cursor (workspace, position, at_ms)"
				  " VALUES ($1, $2, $3) ON CONFLICT (workspace) DO UPDATE"
				  " SET position = excluded.position, at_ms = excluded.at_ms"
				  " RETURNING position";
		query.count = 3;
	}
	if (sql_query(job->sql, &query, err) < 0)
		return -1;
	if (position[0] == '\0')
		return error_set(err, ERROR_TEMPORARY,
				 "another instance moved the cursor of the history");
	return 0;
}

/* ---- the rows ---- */

static int write_fast(struct history_write *write, struct error *err)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct json_object *rows = json_at(write->job->body, kinds[i].name);

		for (size_t j = 0; j < json_count(rows); j++)
			if (kinds[i].row(write, json_item(rows, j), err) < 0)
				return -1;
	}
	return 0;
}

static void say_skipped(struct history_write *write, const char *kind, struct json_object *row,
			const struct error *problem)
{
	const char *id = json_text(row, "id");

	jw_object(write->skipped, NULL);
	jw_text(write->skipped, "kind", kind);
	jw_text(write->skipped, "id", id);
	jw_text(write->skipped, "error", problem->text);
	jw_object_end(write->skipped);
}

static int write_apart(struct history_write *write, size_t kind, struct json_object *row,
		       struct error *err)
{
	struct sql *sql = write->job->sql;

	if (sql_script(sql, "SAVEPOINT one", err) < 0)
		return -1;
	if (kinds[kind].row(write, row, err) == 0 && sql_script(sql, "RELEASE one", err) == 0)
		return 0;
	if (err->kind != ERROR_PERMANENT)
		return -1;
	say_skipped(write, kinds[kind].name, row, err);
	write->conversation[0] = '\0';
	return sql_script(sql, "ROLLBACK TO one", err);
}

static int write_careful(struct history_write *write, struct error *err)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct json_object *rows = json_at(write->job->body, kinds[i].name);

		for (size_t j = 0; j < json_count(rows); j++)
			if (write_apart(write, i, json_item(rows, j), err) < 0)
				return -1;
	}
	return 0;
}

static int write_once(struct history_write *write,
		      int (*rows)(struct history_write *write, struct error *err),
		      struct error *err)
{
	struct history_job *job = write->job;

	write->conversation[0] = '\0';
	if (sql_begin(job->sql, err) < 0)
		return -1;
	if (history_known_read(write, err) == 0 && rows(write, err) == 0 &&
	    (json_text(job->body, "position") == NULL || move_cursor(job, err) == 0))
		return sql_commit(job->sql, err);
	sql_rollback(job->sql);
	return -1;
}

int history_op_write(struct history_job *job, struct json_out *out, struct error *err)
{
	struct history_write write = { .job = job, .skipped = out };
	int rc = write_once(&write, write_fast, err);

	jw_array(out, "skipped");
	if (rc < 0 && err->kind == ERROR_PERMANENT)
		rc = write_once(&write, write_careful, err);
	jw_array_end(out);
	history_known_clear(&write);
	return rc;
}
