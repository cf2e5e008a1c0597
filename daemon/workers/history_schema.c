/* The tables, as numbered steps. A step that was released is never changed; the next one is added
 * below it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/memory.h"
#include "base/text.h"
#include "workers/history.h"
#include "workers/history_facts.h"
#include "workers/history_search.h"

struct step {
	const char *both; /* "@number" stands for a key that the database counts up */
	const char *sqlite;
	const char *postgres;
};

static const struct step steps[] = {
	{ .both = "CREATE TABLE cursor (workspace TEXT NOT NULL PRIMARY KEY, position TEXT NOT "
		  "NULL,"
		  " at_ms BIGINT NOT NULL);"

		  "CREATE TABLE customer (number @number, workspace TEXT NOT NULL, id TEXT NOT "
		  "NULL,"
		  " name TEXT, tier TEXT, merged_into TEXT, created_ms BIGINT NOT NULL,"
		  " version BIGINT NOT NULL, json TEXT NOT NULL, UNIQUE (workspace, id));"

		  "CREATE TABLE identifier (workspace TEXT NOT NULL, key TEXT NOT NULL,"
		  " customer TEXT NOT NULL, kind TEXT NOT NULL, scope TEXT NOT NULL,"
		  " value TEXT NOT NULL, proof BIGINT NOT NULL, proved_by TEXT, at_ms BIGINT NOT "
		  "NULL,"
		  " shared BIGINT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (workspace, key));"
		  "CREATE INDEX identifier_customer ON identifier (workspace, customer);"

		  "CREATE TABLE conversation (workspace TEXT NOT NULL, id TEXT NOT NULL,"
		  " channel TEXT NOT NULL, identifier_key TEXT NOT NULL, address TEXT, name TEXT,"
		  " thread TEXT, subject TEXT, state TEXT NOT NULL, messages BIGINT NOT NULL,"
		  " created_ms BIGINT NOT NULL, updated_ms BIGINT NOT NULL, evicted BIGINT NOT "
		  "NULL,"
		  " json TEXT NOT NULL, PRIMARY KEY (workspace, id));"
		  "CREATE INDEX conversation_identifier ON conversation"
		  " (workspace, identifier_key, updated_ms);"

		  "CREATE TABLE episode (workspace TEXT NOT NULL, conversation TEXT NOT NULL,"
		  " created_ms BIGINT NOT NULL, base BIGINT NOT NULL,"
		  " PRIMARY KEY (workspace, conversation, created_ms));"

		  "CREATE TABLE message (number @number, workspace TEXT NOT NULL,"
		  " conversation TEXT NOT NULL, position BIGINT NOT NULL, id TEXT NOT NULL,"
		  " direction TEXT NOT NULL, kind TEXT NOT NULL, author_type TEXT, author_id TEXT,"
		  " created_ms BIGINT NOT NULL, mark TEXT, provider_id TEXT, files TEXT,"
		  " json TEXT NOT NULL, UNIQUE (workspace, conversation, position),"
		  " UNIQUE (workspace, id));"

		  "CREATE TABLE work_item (workspace TEXT NOT NULL, id TEXT NOT NULL,"
		  " number BIGINT NOT NULL, state TEXT NOT NULL, queue TEXT, agent TEXT,"
		  " customer TEXT, conversation TEXT, channel TEXT, type TEXT, topic TEXT,"
		  " urgency TEXT, created_ms BIGINT NOT NULL, updated_ms BIGINT NOT NULL,"
		  " json TEXT NOT NULL, PRIMARY KEY (workspace, id));"
		  "CREATE INDEX work_item_state ON work_item (workspace, state, created_ms, id);"
		  "CREATE INDEX work_item_queue ON work_item (workspace, queue, created_ms, id);"
		  "CREATE INDEX work_item_agent ON work_item (workspace, agent, created_ms, id);"
		  "CREATE INDEX work_item_customer ON work_item (workspace, customer, created_ms);"
		  "CREATE INDEX work_item_conversation ON work_item (workspace, conversation);"

		  "CREATE TABLE event (workspace TEXT NOT NULL, generation BIGINT NOT NULL,"
		  " ms BIGINT NOT NULL, seq BIGINT NOT NULL, type TEXT NOT NULL, work_item TEXT,"
		  " conversation TEXT, customer TEXT, message TEXT, agent TEXT, queue TEXT,"
		  " json TEXT NOT NULL, PRIMARY KEY (workspace, generation, ms, seq));"
		  "CREATE INDEX event_work_item ON event (workspace, work_item);"
		  "CREATE INDEX event_conversation ON event (workspace, conversation)" },
	{ .sqlite = history_search_sqlite, .postgres = history_search_postgres },
	{ .both = "CREATE TABLE reference (workspace TEXT NOT NULL, field TEXT NOT NULL,"
		  " conversation TEXT NOT NULL, message TEXT NOT NULL, number BIGINT NOT NULL,"
		  " PRIMARY KEY (workspace, field));"
		  "CREATE INDEX reference_conversation ON reference (workspace, conversation)" },
	/* What people wrote and are called never becomes a sample of the planner's, which no
	 * erasure would reach. */
	{ .sqlite = "SELECT 1",
	  .postgres = "ALTER TABLE message ALTER json SET STATISTICS 0;"
		      "ALTER TABLE conversation ALTER address SET STATISTICS 0,"
		      " ALTER name SET STATISTICS 0, ALTER thread SET STATISTICS 0,"
		      " ALTER subject SET STATISTICS 0, ALTER json SET STATISTICS 0;"
		      "ALTER TABLE customer ALTER name SET STATISTICS 0,"
		      " ALTER json SET STATISTICS 0;"
		      "ALTER TABLE identifier ALTER value SET STATISTICS 0,"
		      " ALTER json SET STATISTICS 0;"
		      "ALTER TABLE work_item ALTER json SET STATISTICS 0;"
		      "ALTER TABLE search ALTER words SET STATISTICS 0" },
	/* Nothing reads events by these, and each entry paid for both. */
	{ .both = "DROP INDEX event_work_item; DROP INDEX event_conversation",
	  .sqlite = history_search_gathers },
	{ .both = "CREATE TABLE note (number @number, workspace TEXT NOT NULL, id TEXT NOT NULL,"
		  " customer TEXT NOT NULL, created_ms BIGINT NOT NULL, json TEXT NOT NULL,"
		  " UNIQUE (workspace, id));"
		  "CREATE INDEX note_customer ON note (workspace, customer)",
	  .postgres = "ALTER TABLE note ALTER json SET STATISTICS 0" },
	{ .both = "CREATE TABLE customer_merge (workspace TEXT NOT NULL, id TEXT NOT NULL,"
		  " customer TEXT NOT NULL, other TEXT NOT NULL, at_ms BIGINT NOT NULL,"
		  " json TEXT NOT NULL, PRIMARY KEY (workspace, id));"
		  "CREATE INDEX customer_merge_customer ON customer_merge (workspace, customer);"
		  "CREATE INDEX customer_merge_other ON customer_merge (workspace, other);"
		  "CREATE TABLE suggestion (workspace TEXT NOT NULL, customer TEXT NOT NULL,"
		  " other TEXT NOT NULL, json TEXT NOT NULL,"
		  " PRIMARY KEY (workspace, customer, other));"
		  "CREATE INDEX suggestion_other ON suggestion (workspace, other)",
	  .postgres = "ALTER TABLE customer_merge ALTER json SET STATISTICS 0;"
		      "ALTER TABLE suggestion ALTER json SET STATISTICS 0" },
	{ .both = "CREATE TABLE customer_event (workspace TEXT NOT NULL, id TEXT NOT NULL,"
		  " customer TEXT NOT NULL, at_ms BIGINT NOT NULL, json TEXT NOT NULL,"
		  " PRIMARY KEY (workspace, id));"
		  "CREATE INDEX customer_event_customer ON customer_event"
		  " (workspace, customer, at_ms, id)",
	  .postgres = "ALTER TABLE customer_event ALTER json SET STATISTICS 0" },
	/* updated_ms as it was when retention took all files, and all texts, of a conversation. */
	{ .both = "ALTER TABLE conversation ADD COLUMN files_gone BIGINT NOT NULL DEFAULT 0;"
		  "ALTER TABLE conversation ADD COLUMN texts_gone BIGINT NOT NULL DEFAULT 0" },
};

static const char first_table[] =
	"CREATE TABLE IF NOT EXISTS history (name TEXT PRIMARY KEY, value TEXT NOT NULL)";

static int refuse_newer(long version, struct error *err)
{
	return error_set(err, ERROR_MISUSE,
			 "the history has schema %ld, this build knows %zu: run the newer build",
			 version, COUNT_OF(steps));
}

static int run_text(struct sql *sql, const char *text, struct error *err)
{
	const char *number = sql_dialect(sql) == SQL_SQLITE
				     ? "INTEGER PRIMARY KEY"
				     : "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY";
	struct buf script = { 0 };
	const char *at;
	int rc;

	if (text == NULL)
		return 0;
	while ((at = strstr(text, "@number")) != NULL) {
		buf_add(&script, text, (size_t)(at - text));
		buf_text(&script, number);
		text = at + strlen("@number");
	}
	buf_text(&script, text);
	rc = sql_script(sql, buf_string(&script), err);
	buf_clear(&script);
	return rc;
}

static int run_step(struct sql *sql, size_t number, struct error *err)
{
	const struct step *step = &steps[number - 1];
	char text[24];

	if (run_text(sql, step->both, err) < 0 ||
	    run_text(sql, sql_dialect(sql) == SQL_SQLITE ? step->sqlite : step->postgres, err) < 0)
		return error_wrap(err, "schema %zu", number);
	snprintf(text, sizeof(text), "%zu", number);
	return history_fact_put(sql, "schema", text, err);
}

static int give_id(struct sql *sql, struct error *err)
{
	unsigned char random[8];
	char id[40] = "hst-";

	crypto_random(random, sizeof(random));
	text_hex(random, sizeof(random), id + strlen(id));
	return history_fact_put(sql, "id", id, err);
}

/* Which tokenizer writes into this database from the first row on. */
static int note_words(struct sql *sql, struct error *err)
{
	char version[24];

	snprintf(version, sizeof(version), "%d", TOKENS_VERSION);
	return history_fact_put(sql, "words", version, err);
}

/* Inside the transaction, which keeps other instances waiting. */
static int migrate(struct sql *sql, struct error *err)
{
	char text[HISTORY_FACT_BYTES];
	long version;

	if (sql_dialect(sql) == SQL_POSTGRES &&
	    sql_script(sql, "SELECT pg_advisory_xact_lock(7162534401)", err) < 0)
		return -1;
	if (sql_script(sql, first_table, err) < 0 ||
	    history_fact_read(sql, "schema", text, err) < 0)
		return -1;
	version = strtol(text, NULL, 10);
	if (version > (long)COUNT_OF(steps))
		return refuse_newer(version, err);
	if (version == 0 && (give_id(sql, err) < 0 || note_words(sql, err) < 0))
		return -1;
	for (size_t number = (size_t)version + 1; number <= COUNT_OF(steps); number++)
		if (run_step(sql, number, err) < 0)
			return -1;
	return 0;
}

int history_schema_migrate(struct sql *sql, struct error *err)
{
	if (sql_begin(sql, err) < 0)
		return -1;
	if (migrate(sql, err) == 0)
		return sql_commit(sql, err);
	sql_rollback(sql);
	return -1;
}

int history_schema_check(struct sql *sql, struct error *err)
{
	char text[HISTORY_FACT_BYTES];
	long version;

	if (history_fact_read(sql, "schema", text, err) < 0)
		return -1;
	version = strtol(text, NULL, 10);
	if (version > (long)COUNT_OF(steps))
		return refuse_newer(version, err);
	if (version < (long)COUNT_OF(steps))
		return error_set(err, ERROR_TEMPORARY, "the history is not set up yet");
	return 0;
}

int history_schema_id(struct sql *sql, char ret_id[40], struct error *err)
{
	char text[HISTORY_FACT_BYTES];
	int rc = history_fact_read(sql, "id", text, err);

	snprintf(ret_id, 40, "%.39s", text);
	return rc;
}
