/* What the store lost, page by page. */
#include "base/memory.h"
#include "base/text.h"
#include "workers/history.h"

enum { ROWS_MAX = 200 };

static void write_text(struct json_out *out, const char *key, const struct sql_value *value)
{
	if (value->kind == SQL_TEXT)
		jw_textn(out, key, value->text, value->len);
}

static int64_t limit_of(const struct history_job *job)
{
	int64_t limit = json_int(job->body, "limit", ROWS_MAX);

	return limit < 1 || limit > ROWS_MAX ? ROWS_MAX : limit;
}

/* ---- files ---- */

static int take_files(const struct sql_value *row, size_t columns, void *context)
{
	struct json_out *out = context;

	(void)columns;
	jw_object(out, NULL);
	jw_int(out, "number", row[0].number);
	write_text(out, "json", &row[1]);
	write_text(out, "files", &row[2]);
	jw_object_end(out);
	return 0;
}

/* {after, limit}: messages that name blobs, by number. */
int history_op_restore_files(struct history_job *job, struct json_out *out, struct error *err)
{
	const struct sql_value values[] = { sql_text(job->workspace),
					    sql_number(json_int(job->body, "after", 0)),
					    sql_number(limit_of(job)) };
	const struct sql_query query = {
		.statement = "SELECT number, json, files FROM message WHERE workspace = $1"
			     " AND number > $2 AND (json LIKE '%\"attachments\":[{%'"
			     " OR json LIKE '%\"raw\":\"%') ORDER BY number LIMIT $3",
		.values = values,
		.count = 3,
		.on_row = take_files,
		.context = out,
	};
	int rc;

	jw_array(out, "rows");
	rc = sql_query(job->sql, &query, err);
	jw_array_end(out);
	return rc;
}

/* ---- hashes ---- */

/* Each row is a hash: {id, hash}. */
static int take_hash(const struct sql_value *row, size_t columns, void *context)
{
	struct json_out *out = context;

	(void)columns;
	jw_object(out, NULL);
	write_text(out, "id", &row[0]);
	jw_raw(out, "hash", row[1].text, row[1].len);
	jw_object_end(out);
	return 0;
}

/* A row is a field of a hash; those of one hash follow each other. */
struct gathering {
	struct json_out *out;
	struct arena *arena;
	const char *id; /* of the open one; NULL: none */
};

static int take_field(const struct sql_value *row, size_t columns, void *context)
{
	struct gathering *gathering = context;
	struct json_out *out = gathering->out;

	(void)columns;
	if (!text_equal(gathering->id, row[0].text)) {
		if (gathering->id != NULL) {
			jw_object_end(out);
			jw_object_end(out);
		}
		gathering->id = arena_text(gathering->arena, row[0].text);
		jw_object(out, NULL);
		write_text(out, "id", &row[0]);
		jw_object(out, "hash");
	}
	write_text(out, row[1].text, &row[2]);
	return 0;
}

static const struct kind {
	const char *name;
	const char *statement;
	bool gathers;
} kinds[] = {
	{ "customer",
	  "SELECT id, json FROM customer WHERE workspace = $1 AND id > $2 ORDER BY id LIMIT $3",
	  false },
	{ "merge",
	  "SELECT id, json FROM customer_merge WHERE workspace = $1 AND id > $2"
	  " ORDER BY id LIMIT $3",
	  false },
	{ "work_item",
	  "SELECT id, json FROM work_item WHERE workspace = $1 AND id > $2"
	  " AND state NOT IN ('closed', 'cancelled') ORDER BY id LIMIT $3",
	  false },
	{ "note",
	  "SELECT customer, id, json FROM note WHERE workspace = $1 AND customer IN"
	  " (SELECT DISTINCT customer FROM note WHERE workspace = $1 AND customer > $2"
	  " ORDER BY customer LIMIT $3) ORDER BY customer, id",
	  true },
	{ "suggestion",
	  "SELECT customer, other, json FROM suggestion WHERE workspace = $1 AND customer IN"
	  " (SELECT DISTINCT customer FROM suggestion WHERE workspace = $1 AND customer > $2"
	  " ORDER BY customer LIMIT $3) ORDER BY customer, other",
	  true },
};

static const struct kind *kind_named(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (text_equal(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

int history_op_restore(struct history_job *job, struct json_out *out, struct error *err)
{
	const struct kind *kind = kind_named(json_text(job->body, "what"));
	const char *after = json_text(job->body, "after");
	const struct sql_value values[] = { sql_text(job->workspace),
					    sql_text(after == NULL ? "" : after),
					    sql_number(limit_of(job)) };
	struct gathering gathering = { .out = out, .arena = job->arena };
	struct sql_query query = { .values = values, .count = 3 };
	int rc;

	if (kind == NULL)
		return error_set(err, ERROR_MISUSE, "the history restores nothing of that kind");
	query.statement = kind->statement;
	query.on_row = kind->gathers ? take_field : take_hash;
	query.context = kind->gathers ? (void *)&gathering : (void *)out;
	jw_array(out, "rows");
	rc = sql_query(job->sql, &query, err);
	if (gathering.id != NULL) {
		jw_object_end(out);
		jw_object_end(out);
	}
	jw_array_end(out);
	return rc;
}
