/* The history's database, SQLite or PostgreSQL, as the history worker sees it.
 * Statements are one text for both: parameters are $1, $2 ..., in any order and
 * as often as wanted. They are prepared once and kept by their text.
 *
 * Errors: ERROR_PERMANENT is about the row itself (it breaks a rule of the
 * table, or cannot be stored as text), ERROR_MISUSE about the set-up,
 * ERROR_TEMPORARY about everything else: the database may come back. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum sql_dialect { SQL_SQLITE, SQL_POSTGRES };
enum { SQL_VALUES_MAX = 67 }; /* parameters of a statement, and columns of a row */

struct sql_value {
	enum { SQL_NULL, SQL_NUMBER, SQL_TEXT } kind;
	int64_t number;
	const char *text; /* NUL after len */
	size_t len;
};

/* NULL is SQL's NULL. Borrowed. */
struct sql_value sql_text(const char *text);
struct sql_value sql_number(int64_t number);

/* One row; valid inside the call only. Not 0: no more rows are wanted. */
typedef int sql_row_fn(const struct sql_value *row, size_t columns, void *context);

struct sql_query {
	const char *statement;
	const struct sql_value *values;
	size_t count;
	sql_row_fn *on_row; /* NULL: its rows are of no interest */
	void *context;
};

/* What a database can do; one for each dialect. */
struct sql_driver {
	enum sql_dialect dialect;
	int (*script)(void *db, const char *text, struct error *err);
	int (*query)(void *db, const struct sql_query *query, struct error *err);
	int (*put)(void *db, const struct sql_query *query, struct error *err);
	int (*flush)(void *db, struct error *err);
	/* NULL: there is nothing to do. The path is the caller's to free. */
	int (*settle)(void *db, char **ret_path, struct error *err);
	bool (*is_alive)(void *db);
	void (*close)(void *db);
};

struct sql {
	const struct sql_driver *driver;
	void *db;
};

struct sql_place {
	const char *url;      /* sqlite:/path or postgresql://... */
	const char *password; /* NULL: in the URL, or none */
	bool writes;
};

/* Does not look at the schema. 0, or -1 with err. */
int sql_open(struct sql *sql, const struct sql_place *place, struct error *err);
void sql_close(struct sql *sql);
bool sql_is_open(const struct sql *sql); /* false too where the connection was lost */
enum sql_dialect sql_dialect(const struct sql *sql);

/* Statements without parameters, parted by ";". */
int sql_script(struct sql *sql, const char *text, struct error *err);
int sql_query(struct sql *sql, const struct sql_query *query, struct error *err);
/* A write whose rows nobody wants. Its error may come with a later put or with sql_commit(). */
int sql_put(struct sql *sql, const char *statement, const struct sql_value *values, size_t count,
	    struct error *err);

/* What is gone from the rows is in no file any more, as far as the database does not see to it
 * itself. The connection may be closed by it: the next job opens another. */
int sql_scrub(struct sql *sql, struct error *err);

/* A transaction that writes. Another one may run first; then this waits for it. */
int sql_begin(struct sql *sql, struct error *err);
int sql_commit(struct sql *sql, struct error *err); /* after an error it is rolled back */
void sql_rollback(struct sql *sql);

/* The drivers: the database in *ret_db, or -1 with err. */
extern const struct sql_driver sql_sqlite;
extern const struct sql_driver sql_postgres;
int sql_sqlite_open(const struct sql_place *place, void **ret_db, struct error *err);
int sql_postgres_open(const struct sql_place *place, void **ret_db, struct error *err);
