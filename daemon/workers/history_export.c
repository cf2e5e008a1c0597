/* What the history holds of a workspace, by id, page by page. */
#include "base/memory.h"
#include "base/text.h"
#include "workers/history.h"

enum { ROWS_MAX = 201 };

static const struct list {
	const char *kind;
	const char *table;
	const char *columns; /* the id; another one; JSON, where it is whole */
	const char *second;  /* name of the other one */
} lists[] = {
	{ "customers", "customer", "id, merged_into", "merged_into" },
	{ "conversations", "conversation", "id, channel", "channel" },
	{ "work-items", "work_item", "id, conversation", "conversation" },
	{ "notes", "note", "id, customer, json", "customer" },
};

struct taking {
	struct json_out *out;
	const char *second;
};

static int take_row(const struct sql_value *row, size_t columns, void *context)
{
	const struct taking *taking = context;

	jw_object(taking->out, NULL);
	jw_textn(taking->out, "id", row[0].text, row[0].len);
	if (row[1].kind == SQL_TEXT && row[1].len > 0)
		jw_textn(taking->out, taking->second, row[1].text, row[1].len);
	if (columns > 2)
		jw_raw(taking->out, "note", row[2].text, row[2].len);
	jw_object_end(taking->out);
	return 0;
}

static const struct list *list_named(const char *kind)
{
	for (size_t i = 0; i < COUNT_OF(lists); i++)
		if (text_equal(lists[i].kind, kind))
			return &lists[i];
	return NULL;
}

/* All ids come after "", which the first page has, whichever way it goes. */
static const char *statement_of(struct history_job *job, const struct list *list, bool is_first)
{
	bool is_descending = json_bool(job->body, "descending", false);

	return arena_format(job->arena,
			    "SELECT %s FROM %s WHERE workspace = $1 AND id %s $2"
			    " ORDER BY id %s LIMIT $3",
			    list->columns, list->table, is_descending && !is_first ? "<" : ">",
			    is_descending ? "DESC" : "ASC");
}

int history_op_export(struct history_job *job, struct json_out *out, struct error *err)
{
	const char *kind = json_text(job->body, "kind");
	const char *after = json_text(job->body, "after");
	const struct list *list = list_named(kind);
	int64_t limit = json_int(job->body, "limit", ROWS_MAX);
	const struct sql_value values[] = {
		sql_text(job->workspace),
		sql_text(after == NULL ? "" : after),
		sql_number(limit < 1 || limit > ROWS_MAX ? ROWS_MAX : limit),
	};
	struct taking taking = { .out = out };
	struct sql_query query = {
		.values = values, .count = 3, .on_row = take_row, .context = &taking
	};
	int rc;

	if (list == NULL)
		return error_set(err, ERROR_MISUSE, "the history does not export %s",
				 kind == NULL ? "what has no name" : kind);
	query.statement = statement_of(job, list, after == NULL);
	taking.second = list->second;
	jw_array(out, "data");
	rc = sql_query(job->sql, &query, err);
	jw_array_end(out);
	return rc;
}
