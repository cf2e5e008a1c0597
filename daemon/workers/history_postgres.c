/* The history in PostgreSQL (the only libpq file). What is put is sent on at once in a pipeline
 * and its answers are read together: a batch costs a few round trips, not one a row. */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"
#include "workers/history_sql.h"

enum {
	STATEMENTS_MAX = 200,
	PIPELINE_MAX = 500, /* answers that the server may hold; many more would block both sides */
	NAME_BYTES = 24,
	NUMBER_BYTES = 24,
	INT8_TYPE = 20,
	INT4_TYPE = 23,
	INT2_TYPE = 21,
};

struct db {
	PGconn *connection;
	struct map *statements; /* text to name */
	int statement_count;
	int sent; /* in the pipeline, unanswered */
	int commits;
};

static void ignore(void *context, const PGresult *notice)
{
	(void)context;
	(void)notice;
}

static enum error_kind kind_of(const char *state)
{
	static const char *const rows[] = { "22", "23", "54000" };
	static const char *const set_up[] = { "28", "3D", "42501" };

	for (size_t i = 0; state != NULL && i < COUNT_OF(rows); i++)
		if (text_starts(state, rows[i]))
			return ERROR_PERMANENT;
	for (size_t i = 0; state != NULL && i < COUNT_OF(set_up); i++)
		if (text_starts(state, set_up[i]))
			return ERROR_MISUSE;
	return ERROR_TEMPORARY;
}

/* The first line only: what follows may quote the row. */
static int failed(struct db *db, const PGresult *result, struct error *err)
{
	const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	enum error_kind kind = kind_of(PQresultErrorField(result, PG_DIAG_SQLSTATE));

	if (text == NULL)
		text = PQerrorMessage(db->connection);
	return error_set(err, kind, "PostgreSQL: %.*s", (int)strcspn(text, "\n"), text);
}

static int lost(struct db *db, struct error *err)
{
	const char *text = PQerrorMessage(db->connection);

	return error_set(err, ERROR_TEMPORARY, "PostgreSQL: %.*s", (int)strcspn(text, "\n"), text);
}

/* ---- parameters ---- */

struct parameters {
	const char *values[SQL_VALUES_MAX];
	char numbers[SQL_VALUES_MAX][NUMBER_BYTES];
};

static void fill(struct parameters *parameters, const struct sql_query *query)
{
	for (size_t i = 0; i < query->count; i++) {
		const struct sql_value *value = &query->values[i];

		parameters->values[i] = value->kind == SQL_TEXT ? value->text : NULL;
		if (value->kind != SQL_NUMBER)
			continue;
		snprintf(parameters->numbers[i], NUMBER_BYTES, "%lld", (long long)value->number);
		parameters->values[i] = parameters->numbers[i];
	}
}

/* ---- the pipeline ---- */

/* Everything that was sent is answered now; the first error, or 0. */
static int postgres_flush(void *object, struct error *err)
{
	struct db *db = object;
	PGresult *result;
	int rc = 0;
	bool is_end = false;

	if (PQpipelineStatus(db->connection) == PQ_PIPELINE_OFF)
		return 0;
	if (PQpipelineSync(db->connection) != 1)
		return lost(db, err);
	while (!is_end && PQstatus(db->connection) == CONNECTION_OK) {
		ExecStatusType status;

		result = PQgetResult(db->connection);
		if (result == NULL)
			continue;
		status = PQresultStatus(result);
		is_end = status == PGRES_PIPELINE_SYNC;
		if (status == PGRES_FATAL_ERROR && rc == 0)
			rc = failed(db, result, err);
		PQclear(result);
	}
	db->sent = 0;
	if (PQexitPipelineMode(db->connection) != 1 && rc == 0)
		rc = lost(db, err);
	return rc;
}

static void statements_clear(struct db *db)
{
	char *name;
	size_t at = 0;
	const char *text;

	while ((name = map_next(db->statements, &at, &text)) != NULL)
		free(name);
	map_free(&db->statements);
	db->statements = map_new();
}

static int make_room(struct db *db, struct error *err)
{
	if (map_count(db->statements) < STATEMENTS_MAX)
		return 0;
	if (postgres_flush(db, err) < 0)
		return -1;
	PQclear(PQexec(db->connection, "DEALLOCATE ALL"));
	statements_clear(db);
	return 0;
}

/* The name a statement is prepared under. A transaction that is rolled back keeps it. */
static const char *statement_of(struct db *db, const char *text, struct error *err)
{
	char *name = map_get(db->statements, text);
	PGresult *result;
	bool is_fine;

	if (name != NULL)
		return name;
	if (make_room(db, err) < 0 || postgres_flush(db, err) < 0)
		return NULL;
	name = memory_new(NAME_BYTES);
	snprintf(name, NAME_BYTES, "s%d", db->statement_count++);
	result = PQprepare(db->connection, name, text, 0, NULL);
	is_fine = PQresultStatus(result) == PGRES_COMMAND_OK;
	if (is_fine)
		map_put(db->statements, text, name);
	else
		failed(db, result, err);
	PQclear(result);
	if (!is_fine)
		free(name);
	return is_fine ? name : NULL;
}

static int postgres_put(void *object, const struct sql_query *query, struct error *err)
{
	struct db *db = object;
	struct parameters parameters;
	const char *name;

	if (db->sent >= PIPELINE_MAX && postgres_flush(db, err) < 0)
		return -1;
	name = statement_of(db, query->statement, err);
	if (name == NULL)
		return -1;
	fill(&parameters, query);
	if (PQpipelineStatus(db->connection) == PQ_PIPELINE_OFF &&
	    PQenterPipelineMode(db->connection) != 1)
		return lost(db, err);
	if (PQsendQueryPrepared(db->connection, name, (int)query->count, parameters.values, NULL,
				NULL, 0) != 1)
		return lost(db, err);
	db->sent++;
	return 0;
}

/* ---- reading ---- */

static void read_value(const PGresult *result, int row, int column, struct sql_value *ret)
{
	Oid type = PQftype(result, column);

	*ret = (struct sql_value){ .kind = SQL_NULL };
	if (PQgetisnull(result, row, column))
		return;
	ret->text = PQgetvalue(result, row, column);
	ret->len = (size_t)PQgetlength(result, row, column);
	ret->kind = SQL_TEXT;
	if (type == INT8_TYPE || type == INT4_TYPE || type == INT2_TYPE)
		*ret = sql_number(strtoll(ret->text, NULL, 10));
}

static void hand_out(const PGresult *result, const struct sql_query *query)
{
	struct sql_value row[SQL_VALUES_MAX];
	int columns = PQnfields(result);

	if (columns > SQL_VALUES_MAX)
		columns = SQL_VALUES_MAX;
	for (int i = 0; i < PQntuples(result); i++) {
		for (int j = 0; j < columns; j++)
			read_value(result, i, j, &row[j]);
		if (query->on_row(row, (size_t)columns, query->context) != 0)
			return;
	}
}

static int postgres_query(void *object, const struct sql_query *query, struct error *err)
{
	struct db *db = object;
	struct parameters parameters;
	const char *name = NULL;
	PGresult *result;
	int rc = 0;

	if (postgres_flush(db, err) == 0)
		name = statement_of(db, query->statement, err);
	if (name == NULL)
		return -1;
	fill(&parameters, query);
	result = PQexecPrepared(db->connection, name, (int)query->count, parameters.values, NULL,
				NULL, 0);
	if (PQresultStatus(result) == PGRES_TUPLES_OK) {
		if (query->on_row != NULL)
			hand_out(result, query);
	} else if (PQresultStatus(result) != PGRES_COMMAND_OK) {
		rc = failed(db, result, err);
	}
	PQclear(result);
	return rc;
}

/* A statement that was prepared for an empty table takes any index; the server's own look at the
 * tables may be minutes away. */
static void learn(struct db *db)
{
	db->commits++;
	if (db->commits == 1 || db->commits == 10 || db->commits == 100 || db->commits == 1000)
		PQclear(PQexec(db->connection, "ANALYZE"));
}

static int postgres_script(void *object, const char *text, struct error *err)
{
	struct db *db = object;
	PGresult *result;
	int rc = 0;

	if (postgres_flush(db, err) < 0)
		return -1;
	result = PQexec(db->connection, text);
	if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
		rc = failed(db, result, err);
	/* COMMIT of a transaction that failed is answered by ROLLBACK, and that is no error. */
	else if (text_equal(text, "COMMIT") && !text_equal(PQcmdStatus(result), "COMMIT"))
		rc = error_set(err, ERROR_TEMPORARY, "PostgreSQL: the transaction was rolled back");
	else if (text_equal(text, "COMMIT"))
		learn(db);
	PQclear(result);
	return rc;
}

/* ---- life ---- */

static bool postgres_is_alive(void *object)
{
	const struct db *db = object;

	return PQstatus(db->connection) == CONNECTION_OK;
}

static void postgres_close(void *object)
{
	struct db *db = object;

	statements_clear(db);
	map_free(&db->statements);
	PQfinish(db->connection);
	free(db);
}

/* The URL may say all of it otherwise; only the encoding is ours. */
static PGconn *connect(const struct sql_place *place)
{
	const char *names[] = { "connect_timeout",
				"tcp_user_timeout",
				"application_name",
				"dbname",
				"client_encoding",
				place->password ? "password" : NULL,
				NULL };
	const char *values[] = { "10",   "20000",         "converged", place->url,
				 "UTF8", place->password, NULL };

	return PQconnectdbParams(names, values, 1);
}

int sql_postgres_open(const struct sql_place *place, void **ret_db, struct error *err)
{
	struct db *db = memory_new(sizeof(*db));

	db->statements = map_new();
	db->connection = connect(place);
	PQsetNoticeReceiver(db->connection, ignore, NULL);
	if (PQstatus(db->connection) != CONNECTION_OK) {
		lost(db, err);
		postgres_close(db);
		return -1;
	}
	/* What is prepared before the tables have rows is planned for tables without: writing would
	 * read them whole for ever, and a question be planned without knowing its words. */
	if (postgres_script(db,
			    place->writes ? "SET synchronous_commit TO on;"
					    "SET enable_seqscan TO off"
					  : "SET default_transaction_read_only TO on;"
					    "SET plan_cache_mode TO force_custom_plan",
			    err) < 0) {
		postgres_close(db);
		return -1;
	}
	*ret_db = db;
	return 0;
}

const struct sql_driver sql_postgres = {
	.dialect = SQL_POSTGRES,
	.script = postgres_script,
	.query = postgres_query,
	.put = postgres_put,
	.flush = postgres_flush,
	.is_alive = postgres_is_alive,
	.close = postgres_close,
};
