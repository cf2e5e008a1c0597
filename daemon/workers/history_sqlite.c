/* The history in a file of SQLite (the only sqlite3 file). */
#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"
#include "workers/history_sql.h"

enum {
	BUSY_MS = 10 * 1000,
	STATEMENTS_MAX = 200,
	NEAR_MAX = 256,
};

struct near {
	const char *text; /* where it lay; NULL: none */
	sqlite3_stmt *statement;
};

struct db {
	sqlite3 *handle;
	struct map *statements; /* by text */
	struct near near[NEAR_MAX];
};

static enum error_kind kind_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_CONSTRAINT:
	case SQLITE_TOOBIG:
	case SQLITE_MISMATCH:
	case SQLITE_RANGE:
		return ERROR_PERMANENT;
	case SQLITE_NOTADB:
		return ERROR_MISUSE;
	default:
		return ERROR_TEMPORARY;
	}
}

static int failed(struct db *db, struct error *err)
{
	int code = sqlite3_extended_errcode(db->handle);

	return error_set(err, kind_of(code), "SQLite: %s", sqlite3_errmsg(db->handle));
}

static void statements_clear(struct db *db)
{
	sqlite3_stmt *statement;
	size_t at = 0;
	const char *text;

	while ((statement = map_next(db->statements, &at, &text)) != NULL)
		sqlite3_finalize(statement);
	map_free(&db->statements);
	db->statements = map_new();
	memset(db->near, 0, sizeof(db->near));
}

static sqlite3_stmt *statement_known(struct db *db, const char *text, struct error *err)
{
	sqlite3_stmt *statement = map_get(db->statements, text);

	if (statement != NULL)
		return statement;
	if (map_count(db->statements) >= STATEMENTS_MAX)
		statements_clear(db);
	if (sqlite3_prepare_v3(db->handle, text, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) !=
	    SQLITE_OK) {
		failed(db, err);
		return NULL;
	}
	map_put(db->statements, text, statement);
	return statement;
}

/* Most statements are constants: the same address is nearly always the same text, which is quicker
 * to compare than to look up. */
static struct near *near_of(struct db *db, const char *text)
{
	return &db->near[((uintptr_t)text >> 4) % NEAR_MAX];
}

static sqlite3_stmt *statement_of(struct db *db, const char *text, struct error *err)
{
	struct near *near = near_of(db, text);
	sqlite3_stmt *statement;

	if (near->text == text && text_equal(sqlite3_sql(near->statement), text))
		return near->statement;
	statement = statement_known(db, text, err);
	*near = (struct near){ statement == NULL ? NULL : text, statement };
	return statement;
}

/* Parameters are counted in the order of their first appearance; their names say which they are. */
static void bind(sqlite3_stmt *statement, const struct sql_query *query)
{
	int count = sqlite3_bind_parameter_count(statement);

	for (int index = 1; index <= count; index++) {
		const char *name = sqlite3_bind_parameter_name(statement, index);
		size_t at = strtoul(name + 1, NULL, 10) - 1;
		const struct sql_value *value;

		if (at >= query->count)
			continue;
		value = &query->values[at];
		if (value->kind == SQL_TEXT)
			sqlite3_bind_text64(statement, index, value->text, value->len,
					    SQLITE_STATIC, SQLITE_UTF8);
		else if (value->kind == SQL_NUMBER)
			sqlite3_bind_int64(statement, index, value->number);
		else
			sqlite3_bind_null(statement, index);
	}
}

static size_t read_row(sqlite3_stmt *statement, struct sql_value row[SQL_VALUES_MAX])
{
	int columns = sqlite3_column_count(statement);

	for (int i = 0; i < columns && i < SQL_VALUES_MAX; i++) {
		int type = sqlite3_column_type(statement, i);

		row[i] = (struct sql_value){ .kind = SQL_NULL };
		if (type == SQLITE_INTEGER)
			row[i] = sql_number(sqlite3_column_int64(statement, i));
		if (type == SQLITE_INTEGER || type == SQLITE_NULL)
			continue;
		row[i].kind = SQL_TEXT;
		row[i].text = (const char *)sqlite3_column_text(statement, i);
		row[i].len = (size_t)sqlite3_column_bytes(statement, i);
	}
	return columns > SQL_VALUES_MAX ? SQL_VALUES_MAX : (size_t)columns;
}

static int sqlite_query(void *object, const struct sql_query *query, struct error *err)
{
	struct db *db = object;
	sqlite3_stmt *statement = statement_of(db, query->statement, err);
	struct sql_value row[SQL_VALUES_MAX];
	bool is_wanted = true;
	int code, rc = 0;

	if (statement == NULL)
		return -1;
	bind(statement, query);
	while ((code = sqlite3_step(statement)) == SQLITE_ROW && is_wanted) {
		size_t columns = query->on_row == NULL ? 0 : read_row(statement, row);

		if (query->on_row != NULL)
			is_wanted = query->on_row(row, columns, query->context) == 0;
	}
	if (code != SQLITE_DONE && code != SQLITE_ROW)
		rc = failed(db, err);
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return rc;
}

static int sqlite_script(void *object, const char *text, struct error *err)
{
	struct db *db = object;

	return sqlite3_exec(db->handle, text, NULL, NULL, NULL) == SQLITE_OK ? 0 : failed(db, err);
}

static int sqlite_flush(void *object, struct error *err)
{
	(void)object;
	(void)err;
	return 0;
}

/* busy, pages of the log, pages taken over */
static int take_busy(const struct sql_value *row, size_t columns, void *context)
{
	(void)columns;
	*(bool *)context = row[0].number != 0;
	return 1;
}

/* All of it is in the file, and the write-ahead log is empty. */
static int sqlite_settle(void *object, char **ret_path, struct error *err)
{
	struct db *db = object;
	bool is_busy = true;
	const struct sql_query query = { .statement = "PRAGMA wal_checkpoint(TRUNCATE)",
					 .on_row = take_busy,
					 .context = &is_busy };

	if (sqlite_query(db, &query, err) < 0)
		return -1;
	if (is_busy)
		return error_set(err, ERROR_TEMPORARY, "the history is being read");
	*ret_path = memory_text(sqlite3_db_filename(db->handle, "main"));
	return 0;
}

static bool sqlite_is_alive(void *object)
{
	return object != NULL;
}

static void sqlite_close(void *object)
{
	struct db *db = object;

	statements_clear(db);
	map_free(&db->statements);
	sqlite3_close(db->handle);
	free(db);
}

/* The log may be trimmed after a commit, so a commit is on the disk: synchronous is FULL. */
static int set_up(struct db *db, bool writes, struct error *err)
{
	sqlite3_busy_timeout(db->handle, BUSY_MS);
	if (sqlite_script(db,
			  "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-65536;"
			  "PRAGMA mmap_size=268435456",
			  err) < 0)
		return -1;
	if (!writes)
		return sqlite_script(db, "PRAGMA query_only=1", err);
	return sqlite_script(db,
			     "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
			     " PRAGMA secure_delete=1;" /* what is written over is gone, always */
			     "PRAGMA journal_size_limit=67108864;"
			     "PRAGMA wal_autocheckpoint=4000",
			     err);
}

int sql_sqlite_open(const struct sql_place *place, void **ret_db, struct error *err)
{
	struct db *db = memory_new(sizeof(*db));
	const char *path = place->url + strlen("sqlite:");
	int flags = SQLITE_OPEN_READWRITE | (place->writes ? SQLITE_OPEN_CREATE : 0);
	int code = sqlite3_open_v2(path, &db->handle, flags, NULL);

	db->statements = map_new();
	if (code == SQLITE_OK && set_up(db, place->writes, err) == 0) {
		*ret_db = db;
		return 0;
	}
	if (code != SQLITE_OK)
		error_set(err, kind_of(code), "SQLite: %s",
			  db->handle == NULL ? "no memory" : sqlite3_errmsg(db->handle));
	sqlite_close(db);
	return -1;
}

const struct sql_driver sql_sqlite = {
	.dialect = SQL_SQLITE,
	.script = sqlite_script,
	.query = sqlite_query,
	.put = sqlite_query,
	.flush = sqlite_flush,
	.settle = sqlite_settle,
	.is_alive = sqlite_is_alive,
	.close = sqlite_close,
};
