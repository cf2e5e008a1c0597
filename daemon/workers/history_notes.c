/* Notes about a customer: all of them in one row of the job, so that what is missing was deleted.
 */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "workers/history_search.h"
#include "workers/history_write.h"

enum { NOTES_MAX = 1000 };

struct notes {
	struct history_write *write;
	const char *customer;
	struct json_object *now; /* id to JSON */
	const char *gone[NOTES_MAX];
	size_t count;
	struct error *err;
	int rc;
};

static int take_gone(const struct sql_value *row, size_t columns, void *context)
{
	struct notes *notes = context;

	(void)columns;
	if (!json_has(notes->now, row[0].text) && notes->count < NOTES_MAX)
		notes->gone[notes->count++] = arena_text(notes->write->job->arena, row[0].text);
	return 0;
}

static int drop_gone(struct notes *notes, struct error *err)
{
	struct history_job *job = notes->write->job;
	const struct sql_value values[] = { sql_text(job->workspace), sql_text(notes->customer) };
	const struct sql_query query = {
		.statement = "SELECT id FROM note WHERE workspace = $1 AND customer = $2",
		.values = values,
		.count = 2,
		.on_row = take_gone,
		.context = notes,
	};
	int rc = sql_query(job->sql, &query, err);

	for (size_t i = 0; rc == 0 && i < notes->count; i++) {
		const struct sql_value one[] = { sql_text(job->workspace),
						 sql_text(notes->gone[i]) };

		rc = sql_put(job->sql, "DELETE FROM note WHERE workspace = $1 AND id = $2", one, 2,
			     err);
		if (rc == 0)
			rc = history_search_drop(job, "note", notes->gone[i], err);
	}
	return rc;
}

static int put_note(struct notes *notes, const char *id, const char *json, struct error *err)
{
	struct history_job *job = notes->write->job;
	OWNED(json_free) struct json_object *note = json_read(json, strlen(json), err);
	const char *at = json_text(note, "created_at");
	const struct history_found found = {
		.type = "note",
		.id = id,
		.at_ms = at == NULL ? 0 : text_parse_time(at),
		.row = note,
	};
	const struct sql_value values[] = { sql_text(job->workspace), sql_text(id),
					    sql_text(notes->customer), sql_number(found.at_ms),
					    sql_text(json) };

	if (at == NULL)
		return error_set(err, ERROR_PERMANENT, "a note that cannot be read");
	if (sql_put(job->sql,
		    "INSERT INTO note (workspace, id, customer, created_ms, json)"
		    " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (workspace, id) DO NOTHING",
		    values, COUNT_OF(values), err) < 0)
		return -1;
	return history_search_put(job, &found, err);
}

static void on_note(const char *id, struct json_object *value, void *context)
{
	struct notes *notes = context;

	if (notes->rc == 0 && json_string(value) != NULL)
		notes->rc = put_note(notes, id, json_string(value), notes->err);
}

int write_notes(struct history_write *write, struct json_object *row, struct error *err)
{
	const char *text = json_text(row, "hash");
	struct notes notes = {
		.write = write,
		.customer = json_text(row, "id"),
		.now = text == NULL ? NULL : json_read(text, strlen(text), err),
		.err = err,
	};

	if (notes.now == NULL || notes.customer == NULL)
		return error_set(err, ERROR_PERMANENT, "notes that cannot be read");
	notes.rc = drop_gone(&notes, err);
	json_each_field(notes.now, on_note, &notes);
	json_free(&notes.now);
	return notes.rc;
}
