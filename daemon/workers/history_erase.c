/* Destroys what is kept of customers: rows, words and the pages they stood on. Done again it finds
 * nothing and ends the same. Events stay: they hold ids and times, nothing of a person. */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "workers/history_search.h"

enum { PAGE = 500 };

/* Ids of one column, copied. */
struct ids {
	struct arena *arena;
	const char *list[PAGE];
	size_t count;
};

static int take_id(const struct sql_value *row, size_t columns, void *context)
{
	struct ids *ids = context;

	(void)columns;
	ids->list[ids->count++] = arena_text(ids->arena, row[0].text);
	return ids->count == PAGE;
}

static int ids_read(struct history_job *job, const char *statement, const char *of, struct ids *ids,
		    struct error *err)
{
	const struct sql_value values[] = { sql_text(job->workspace), sql_text(of) };
	const struct sql_query query = {
		.statement = statement,
		.values = values,
		.count = 2,
		.on_row = take_id,
		.context = ids,
	};

	*ids = (struct ids){ .arena = job->arena };
	return sql_query(job->sql, &query, err);
}

static int delete_of(struct history_job *job, const char *statement, const char *of,
		     struct error *err)
{
	const struct sql_value values[] = { sql_text(job->workspace), sql_text(of) };

	return sql_put(job->sql, statement, values, 2, err);
}

/* Rows of a kind that have words, a page at a time. */
static int erase_found(struct history_job *job, const char *type, const char *select,
		       const char *delete_one, const char *of, struct error *err)
{
	struct ids ids;

	do {
		if (ids_read(job, select, of, &ids, err) < 0)
			return -1;
		for (size_t i = 0; i < ids.count; i++)
			if (history_search_drop(job, type, ids.list[i], err) < 0 ||
			    delete_of(job, delete_one, ids.list[i], err) < 0)
				return -1;
	} while (ids.count == PAGE);
	return 0;
}

static const char delete_item[] = "DELETE FROM work_item WHERE workspace = $1 AND id = $2";

int history_erase_conversation(struct history_job *job, const char *id, struct error *err)
{
	if (erase_found(job, "message",
			"SELECT id FROM message WHERE workspace = $1 AND conversation = $2 LIMIT "
			"500",
			"DELETE FROM message WHERE workspace = $1 AND id = $2", id, err) < 0 ||
	    erase_found(job, "work_item",
			"SELECT id FROM work_item WHERE workspace = $1 AND conversation = $2"
			" LIMIT 500",
			delete_item, id, err) < 0)
		return -1;
	if (delete_of(job, "DELETE FROM reference WHERE workspace = $1 AND conversation = $2", id,
		      err) < 0 ||
	    delete_of(job, "DELETE FROM episode WHERE workspace = $1 AND conversation = $2", id,
		      err) < 0)
		return -1;
	return delete_of(job, "DELETE FROM conversation WHERE workspace = $1 AND id = $2", id, err);
}

static int erase_key(struct history_job *job, const char *key, struct error *err)
{
	struct ids ids;

	do {
		if (ids_read(job,
			     "SELECT id FROM conversation WHERE workspace = $1"
			     " AND identifier_key = $2 LIMIT 500",
			     key, &ids, err) < 0)
			return -1;
		for (size_t i = 0; i < ids.count; i++)
			if (history_erase_conversation(job, ids.list[i], err) < 0)
				return -1;
	} while (ids.count == PAGE);
	return delete_of(job, "DELETE FROM identifier WHERE workspace = $1 AND key = $2", key, err);
}

static int erase_customer(struct history_job *job, const char *id, struct error *err)
{
	if (erase_found(job, "work_item",
			"SELECT id FROM work_item WHERE workspace = $1 AND customer = $2"
			" LIMIT 500",
			delete_item, id, err) < 0 ||
	    erase_found(job, "note",
			"SELECT id FROM note WHERE workspace = $1 AND customer = $2 LIMIT 500",
			"DELETE FROM note WHERE workspace = $1 AND id = $2", id, err) < 0 ||
	    history_search_drop(job, "customer", id, err) < 0)
		return -1;
	if (delete_of(job, "DELETE FROM customer_event WHERE workspace = $1 AND customer = $2", id,
		      err) < 0 ||
	    delete_of(job,
		      "DELETE FROM suggestion WHERE workspace = $1"
		      " AND (customer = $2 OR other = $2)",
		      id, err) < 0 ||
	    delete_of(job,
		      "DELETE FROM customer_merge WHERE workspace = $1"
		      " AND (customer = $2 OR other = $2)",
		      id, err) < 0 ||
	    delete_of(job, "DELETE FROM identifier WHERE workspace = $1 AND customer = $2", id,
		      err) < 0)
		return -1;
	return delete_of(job, "DELETE FROM customer WHERE workspace = $1 AND id = $2", id, err);
}

static int erase_all(struct history_job *job, struct error *err)
{
	struct json_object *keys = json_at(job->body, "keys");
	struct json_object *customers = json_at(job->body, "customers");

	for (size_t i = 0; i < json_count(keys); i++)
		if (erase_key(job, json_string(json_item(keys, i)), err) < 0)
			return -1;
	for (size_t i = 0; i < json_count(customers); i++)
		if (erase_customer(job, json_string(json_item(customers, i)), err) < 0)
			return -1;
	return 0;
}

/* Deleted rows are overwritten; with PostgreSQL the tables are written anew. */
static int purge(struct history_job *job, struct error *err)
{
	if (sql_dialect(job->sql) == SQL_POSTGRES &&
	    (sql_script(job->sql, "VACUUM FULL message", err) < 0 ||
	     sql_script(job->sql, "VACUUM FULL conversation", err) < 0 ||
	     sql_script(job->sql, "VACUUM FULL work_item", err) < 0 ||
	     sql_script(job->sql, "VACUUM FULL identifier", err) < 0 ||
	     sql_script(job->sql, "VACUUM FULL note", err) < 0 ||
	     sql_script(job->sql, "VACUUM FULL suggestion", err) < 0 ||
	     sql_script(job->sql, "VACUUM FULL customer_event", err) < 0 ||
	     sql_script(job->sql, "VACUUM FULL customer_merge", err) < 0 ||
	     sql_script(job->sql, "VACUUM FULL customer", err) < 0))
		return -1;
	return history_search_purge(job->sql, err);
}

int history_op_erase(struct history_job *job, struct json_out *out, struct error *err)
{
	(void)out;
	if (sql_dialect(job->sql) == SQL_SQLITE &&
	    sql_script(job->sql, "PRAGMA secure_delete=1", err) < 0)
		return -1;
	if (sql_begin(job->sql, err) < 0)
		return -1;
	if (erase_all(job, err) < 0) {
		sql_rollback(job->sql);
		return -1;
	}
	if (sql_commit(job->sql, err) < 0)
		return -1;
	return json_bool(job->body, "purge", false) ? purge(job, err) : 0;
}

/* ---- the blobs that its messages name ---- */

static int take_message(const struct sql_value *row, size_t columns, void *context)
{
	struct json_out *out = context;

	(void)columns;
	jw_object(out, NULL);
	jw_int(out, "number", row[0].number);
	jw_textn(out, "json", row[1].text, row[1].len);
	if (row[2].kind == SQL_TEXT)
		jw_textn(out, "files", row[2].text, row[2].len);
	jw_object_end(out);
	return 0;
}

int history_op_erase_read(struct history_job *job, struct json_out *out, struct error *err)
{
	const struct sql_value values[] = {
		sql_text(job->workspace),
		sql_text(json_text(job->body, "key")),
		sql_number(json_int(job->body, "after", 0)),
	};
	const struct sql_query query = {
		.statement = "SELECT m.number, m.json, m.files FROM message m JOIN conversation c"
			     " ON c.workspace = m.workspace AND c.id = m.conversation"
			     " WHERE c.workspace = $1 AND c.identifier_key = $2 AND m.number > $3"
			     " ORDER BY m.number LIMIT 100",
		.values = values,
		.count = 3,
		.on_row = take_message,
		.context = out,
	};
	int rc;

	jw_array(out, "messages");
	rc = sql_query(job->sql, &query, err);
	jw_array_end(out);
	return rc;
}
