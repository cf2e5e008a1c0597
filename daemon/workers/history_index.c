/* Documents in the order of their time: a document's number begins with it, so that the index
 * itself has the order, however many documents a word is in. */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "workers/history_search.h"

/* External content: the index keeps no second copy of the words. Triggers make it follow what is
 * changed and erased, whoever does it. What is new is put into it apart: a statement with a trigger
 * has a savepoint, and at each of those FTS5 writes out what it has gathered. */
const char history_search_sqlite[] =
	"CREATE TABLE search (doc INTEGER PRIMARY KEY, workspace TEXT NOT NULL, type TEXT NOT NULL,"
	" id TEXT NOT NULL, part BIGINT NOT NULL, at_ms BIGINT NOT NULL, words TEXT NOT NULL,"
	" UNIQUE (workspace, type, id, part));"
	"CREATE VIRTUAL TABLE search_words USING fts5 (words, content='search', "
	"content_rowid='doc',"
	" tokenize='ascii', columnsize=0, prefix='2 3');"
	"CREATE TRIGGER search_gone AFTER DELETE ON search BEGIN"
	" INSERT INTO search_words (search_words, rowid, words)"
	" VALUES ('delete', old.doc, old.words); END;"
	"CREATE TRIGGER search_changed AFTER UPDATE ON search BEGIN"
	" INSERT INTO search_words (search_words, rowid, words)"
	" VALUES ('delete', old.doc, old.words);"
	" INSERT INTO search_words (rowid, words) VALUES (new.doc, new.words); END";

/* The words of a whole batch, where FTS5 would write out each megabyte: every piece that it writes
 * is read and written again when pieces are joined. */
const char history_search_gathers[] =
	"INSERT INTO search_words (search_words, rank) VALUES ('hashsize', 33554432)";

/* The number is not unique here: finding a free one would cost a round trip for each row. */
const char history_search_postgres[] =
	"CREATE TABLE search (doc BIGINT NOT NULL, workspace TEXT NOT NULL, type TEXT NOT NULL,"
	" id TEXT NOT NULL, part BIGINT NOT NULL, at_ms BIGINT NOT NULL, words tsvector NOT NULL,"
	" PRIMARY KEY (workspace, type, id, part));"
	"CREATE INDEX search_order ON search (workspace, doc, id);"
	"CREATE INDEX search_words ON search USING gin (words) WITH (gin_pending_list_limit = 512)";

const struct tokenizer *history_search_tokenizer(void)
{
	static struct tokenizer *tokenizer;

	if (tokenizer == NULL)
		tokenizer = tokenizer_new();
	return tokenizer;
}

enum search_dialect history_search_dialect(struct sql *sql)
{
	return sql_dialect(sql) == SQL_SQLITE ? SEARCH_FTS5 : SEARCH_TSVECTOR;
}

/* ---- writing ---- */

/* The same for all parts of a document, so that they stand together. */
static int64_t number_near(const struct history_found *found)
{
	uint32_t hash = 2166136261u;

	for (const char *p = found->id; *p != '\0'; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619u;
	return (int64_t)((uint64_t)found->at_ms << HISTORY_SEARCH_BITS |
			 (hash >> (32 - HISTORY_SEARCH_BITS)));
}

/* The first free number from near on; the far look is for many documents of one millisecond. */
#define FREE_WITHIN(near, room)                                                                    \
	"(SELECT min(d) FROM (SELECT CAST(" near " AS BIGINT) AS d UNION ALL SELECT doc + 1"       \
	" FROM search WHERE doc >= " near " AND doc < " near " + " room ") AS close"               \
	" WHERE NOT EXISTS (SELECT 1 FROM search AS taken WHERE taken.doc = close.d))"
#define FREE_NUMBER(near) "coalesce(" FREE_WITHIN(near, "64") ", " FREE_WITHIN(near, "1048576") ")"

struct part {
	int64_t doc; /* 0: new */
	bool is_same;
	const char *words;
};

static int take_part(const struct sql_value *row, size_t columns, void *context)
{
	struct part *part = context;

	(void)columns;
	part->doc = row[0].number;
	part->is_same = text_equal(row[1].text, part->words);
	return 1;
}

static int read_part(struct sql *sql, const struct sql_value key[4], struct part *ret,
		     struct error *err)
{
	const struct sql_query query = {
		.statement = "SELECT doc, words FROM search WHERE workspace = $1 AND type = $2"
			     " AND id = $3 AND part = $4",
		.values = key,
		.count = 4,
		.on_row = take_part,
		.context = ret,
	};

	return sql_query(sql, &query, err);
}

static int take_number(const struct sql_value *row, size_t columns, void *context)
{
	(void)columns;
	*(int64_t *)context = row[0].number;
	return 1;
}

/* Statements with RETURNING have a savepoint too. */
static int put_sqlite(struct sql *sql, struct sql_value *values, size_t count, struct error *err)
{
	struct part part = { .words = values[4].text };
	int64_t doc = 0;
	const struct sql_query number = { .statement = "SELECT " FREE_NUMBER("$1"),
					  .values = &values[6],
					  .count = 1,
					  .on_row = take_number,
					  .context = &doc };

	if (read_part(sql, values, &part, err) < 0)
		return -1;
	if (part.is_same)
		return 0;
	if (part.doc != 0)
		return sql_put(sql,
			       "UPDATE search SET words = $5 WHERE workspace = $1 AND type = $2"
			       " AND id = $3 AND part = $4",
			       values, 5, err);
	if (sql_query(sql, &number, err) < 0)
		return -1;
	values[6] = sql_number(doc);
	if (sql_put(sql,
		    "INSERT INTO search (workspace, type, id, part, words, at_ms, doc)"
		    " VALUES ($1, $2, $3, $4, $5, $6, $7)",
		    values, count, err) < 0)
		return -1;
	return sql_put(sql, "INSERT INTO search_words (rowid, words) VALUES ($7, $5)", values,
		       count, err);
}

static int put_postgres(struct sql *sql, const struct sql_value *values, size_t count,
			struct error *err)
{
	return sql_put(sql,
		       "INSERT INTO search (workspace, type, id, part, words, at_ms, doc)"
		       " VALUES ($1, $2, $3, $4, $5, $6, $7)"
		       " ON CONFLICT (workspace, type, id, part) DO UPDATE"
		       " SET words = excluded.words WHERE search.words <> excluded.words",
		       values, count, err);
}

static int put_part(struct history_job *job, const struct history_found *found, size_t part,
		    const struct buf *words, struct error *err)
{
	struct sql_value values[] = {
		sql_text(job->workspace),
		sql_text(found->type),
		sql_text(found->id),
		sql_number((int64_t)part),
		sql_text(buf_string(words)),
		sql_number(found->at_ms),
		sql_number(number_near(found)),
	};

	if (sql_dialect(job->sql) == SQL_SQLITE)
		return put_sqlite(job->sql, values, COUNT_OF(values), err);
	return put_postgres(job->sql, values, COUNT_OF(values), err);
}

static int drop_parts(struct history_job *job, const struct history_found *found, size_t from,
		      struct error *err)
{
	const struct sql_value values[] = { sql_text(job->workspace), sql_text(found->type),
					    sql_text(found->id), sql_number((int64_t)from) };

	return sql_put(job->sql,
		       "DELETE FROM search WHERE workspace = $1 AND type = $2 AND id = $3"
		       " AND part >= $4",
		       values, COUNT_OF(values), err);
}

int history_search_put(struct history_job *job, const struct history_found *found,
		       struct error *err)
{
	struct search_document *document = arena_alloc(job->arena, sizeof(*document));
	struct search_words words;
	int rc = 0;

	search_document_read(found->type, found->row, job->arena, document);
	search_words_make(history_search_tokenizer(), document, history_search_dialect(job->sql),
			  &words);
	for (size_t i = 0; rc == 0 && i < words.count; i++)
		rc = put_part(job, found, i, &words.parts[i], err);
	/* A message never changes, only what is taken for its words. */
	if (rc == 0 && (found->may_shrink || !text_equal(found->type, "message")))
		rc = drop_parts(job, found, words.count, err);
	search_words_clear(&words);
	return rc;
}

int history_search_drop(struct history_job *job, const char *type, const char *id,
			struct error *err)
{
	const struct history_found found = { .type = type, .id = id };

	return drop_parts(job, &found, 0, err);
}

int history_search_purge(struct sql *sql, struct error *err)
{
	if (sql_dialect(sql) == SQL_SQLITE)
		return sql_script(sql,
				  "PRAGMA secure_delete=1;"
				  "INSERT INTO search_words (search_words) VALUES ('optimize')",
				  err) < 0
			       ? -1
			       : sql_scrub(sql, err);
	return sql_script(sql, "VACUUM FULL search", err);
}

int history_op_search_purge(struct history_job *job, struct json_out *out, struct error *err)
{
	(void)out;
	return history_search_purge(job->sql, err);
}
