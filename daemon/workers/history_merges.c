/* Merges and splits of customers, suggestions that two are one, and business events. */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"
#include "workers/history_write.h"

int write_merge(struct history_write *write, struct json_object *row, struct error *err)
{
	struct history_job *job = write->job;
	const char *text = json_text(row, "hash");
	OWNED(json_free)
	struct json_object *hash = text == NULL ? NULL : json_read(text, strlen(text), err);
	const char *at = json_text(hash, "at");
	const struct sql_value values[] = {
		sql_text(job->workspace),
		sql_text(json_text(row, "id")),
		sql_text(json_text(hash, "into")),
		sql_text(json_text(hash, "from")),
		sql_number(at == NULL ? 0 : strtoll(at, NULL, 10)),
		sql_text(text),
	};

	if (hash == NULL || json_text(hash, "into") == NULL || json_text(hash, "from") == NULL)
		return error_set(err, ERROR_PERMANENT, "a merge that cannot be read");
	return sql_put(job->sql,
		       "INSERT INTO customer_merge (workspace, id, customer, other, at_ms, json)"
		       " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (workspace, id) DO UPDATE SET"
		       " json = excluded.json",
		       values, COUNT_OF(values), err);
}

/* {id, customer, event: when it happened (ms), a space, JSON} */
int write_customer_event(struct history_write *write, struct json_object *row, struct error *err)
{
	struct history_job *job = write->job;
	const char *event = json_text(row, "event");
	char *json = NULL;
	int64_t at_ms = event == NULL ? 0 : strtoll(event, &json, 10);
	const struct sql_value values[] = {
		sql_text(job->workspace),
		sql_text(json_text(row, "id")),
		sql_text(json_text(row, "customer")),
		sql_number(at_ms),
		sql_text(json == NULL || *json == '\0' ? NULL : json + 1),
	};

	if (values[4].kind != SQL_TEXT)
		return error_set(err, ERROR_PERMANENT, "a business event that cannot be read");
	return sql_put(job->sql,
		       "INSERT INTO customer_event (workspace, id, customer, at_ms, json)"
		       " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (workspace, id) DO NOTHING",
		       values, COUNT_OF(values), err);
}

/* ---- suggestions of a customer: all of them in one row of the job ---- */

struct suggestions {
	struct history_write *write;
	const char *customer;
	struct json_object *now; /* the other customer to JSON */
	struct map *before;      /* the same, as the database has it */
	const char *gone[64];
	size_t count;
	struct error *err;
	int rc;
};

static int take_before(const struct sql_value *row, size_t columns, void *context)
{
	struct suggestions *all = context;
	struct arena *arena = all->write->job->arena;

	(void)columns;
	map_put(all->before, row[0].text, arena_copy(arena, row[1].text, row[1].len));
	if (!json_has(all->now, row[0].text) && all->count < COUNT_OF(all->gone))
		all->gone[all->count++] = arena_text(arena, row[0].text);
	return 0;
}

static int drop_gone(struct suggestions *all, struct error *err)
{
	struct history_job *job = all->write->job;
	const struct sql_value values[] = { sql_text(job->workspace), sql_text(all->customer) };
	const struct sql_query query = {
		.statement = "SELECT other, json FROM suggestion WHERE workspace = $1"
			     " AND customer = $2",
		.values = values,
		.count = 2,
		.on_row = take_before,
		.context = all,
	};
	int rc = sql_query(job->sql, &query, err);

	for (size_t i = 0; rc == 0 && i < all->count; i++) {
		const struct sql_value one[] = { sql_text(job->workspace), sql_text(all->customer),
						 sql_text(all->gone[i]) };

		rc = sql_put(job->sql,
			     "DELETE FROM suggestion WHERE workspace = $1 AND customer = $2"
			     " AND other = $3",
			     one, 3, err);
	}
	return rc;
}

static void on_suggestion(const char *other, struct json_object *value, void *context)
{
	struct suggestions *all = context;
	struct history_job *job = all->write->job;
	const struct sql_value values[] = { sql_text(job->workspace), sql_text(all->customer),
					    sql_text(other), sql_text(json_string(value)) };

	if (all->rc < 0 || json_string(value) == NULL ||
	    text_equal(map_get(all->before, other), json_string(value)))
		return;
	all->rc = sql_put(job->sql,
			  "INSERT INTO suggestion (workspace, customer, other, json)"
			  " VALUES ($1, $2, $3, $4) ON CONFLICT (workspace, customer, other)"
			  " DO UPDATE SET json = excluded.json",
			  values, COUNT_OF(values), all->err);
}

int write_suggestions(struct history_write *write, struct json_object *row, struct error *err)
{
	const char *text = json_text(row, "hash");
	struct suggestions all = {
		.write = write,
		.customer = json_text(row, "id"),
		.now = text == NULL ? NULL : json_read(text, strlen(text), err),
		.err = err,
	};

	if (all.now == NULL || all.customer == NULL)
		return error_set(err, ERROR_PERMANENT, "suggestions that cannot be read");
	all.before = map_new();
	all.rc = drop_gone(&all, err);
	json_each_field(all.now, on_suggestion, &all);
	map_free(&all.before);
	json_free(&all.now);
	return all.rc;
}
