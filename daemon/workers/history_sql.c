#include "workers/history_sql.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "workers/history_scrub.h"

struct sql_value sql_text(const char *text)
{
	return (struct sql_value){ .kind = text == NULL ? SQL_NULL : SQL_TEXT,
				   .text = text,
				   .len = text == NULL ? 0 : strlen(text) };
}

struct sql_value sql_number(int64_t number)
{
	return (struct sql_value){ .kind = SQL_NUMBER, .number = number };
}

int sql_open(struct sql *sql, const struct sql_place *place, struct error *err)
{
	sql->db = NULL;
	if (text_starts(place->url, "sqlite:")) {
		sql->driver = &sql_sqlite;
		return sql_sqlite_open(place, &sql->db, err);
	}
	sql->driver = &sql_postgres;
	return sql_postgres_open(place, &sql->db, err);
}

void sql_close(struct sql *sql)
{
	if (sql->db != NULL)
		sql->driver->close(sql->db);
	sql->db = NULL;
}

bool sql_is_open(const struct sql *sql)
{
	return sql->db != NULL && sql->driver->is_alive(sql->db);
}

enum sql_dialect sql_dialect(const struct sql *sql)
{
	return sql->driver->dialect;
}

int sql_script(struct sql *sql, const char *text, struct error *err)
{
	return sql->driver->script(sql->db, text, err);
}

int sql_query(struct sql *sql, const struct sql_query *query, struct error *err)
{
	return sql->driver->query(sql->db, query, err);
}

int sql_put(struct sql *sql, const char *statement, const struct sql_value *values, size_t count,
	    struct error *err)
{
	const struct sql_query query = { .statement = statement, .values = values, .count = count };

	return sql->driver->put(sql->db, &query, err);
}

/* Closed first: a file's locks go with whichever descriptor of it is closed. */
int sql_scrub(struct sql *sql, struct error *err)
{
	char *path = NULL;
	int rc;

	if (sql->driver->settle == NULL)
		return 0;
	if (sql->driver->settle(sql->db, &path, err) < 0)
		return -1;
	sql_close(sql);
	rc = sqlite_file_scrub(path, err);
	free(path);
	return rc;
}

int sql_begin(struct sql *sql, struct error *err)
{
	return sql_script(sql, sql_dialect(sql) == SQL_SQLITE ? "BEGIN IMMEDIATE" : "BEGIN", err);
}

int sql_commit(struct sql *sql, struct error *err)
{
	if (sql->driver->flush(sql->db, err) == 0 && sql_script(sql, "COMMIT", err) == 0)
		return 0;
	sql_rollback(sql);
	return -1;
}

void sql_rollback(struct sql *sql)
{
	struct error ignored;

	(void)sql->driver->flush(sql->db, &ignored);
	(void)sql_script(sql, "ROLLBACK", &ignored);
}
