/* Documents in the order of their time, newest first: a document's number begins with its time, so
 * that the index itself has the order, however many documents a word is in. */
#include "workers/history_search.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "workers/search.h"

enum { NUMBER_BITS = 16 }; /* of a document's number below its time */

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

const char history_search_postgres[] =
	"CREATE TABLE search (doc BIGINT PRIMARY KEY, workspace TEXT NOT NULL, type TEXT NOT NULL,"
	" id TEXT NOT NULL, part BIGINT NOT NULL, at_ms BIGINT NOT NULL, words tsvector NOT NULL,"
	" UNIQUE (workspace, type, id, part));"
	"CREATE INDEX search_words ON search USING gin (words)";

static const struct tokenizer *tokenizer_of_process(void)
{
	static struct tokenizer *tokenizer;

	if (tokenizer == NULL)
		tokenizer = tokenizer_new();
	return tokenizer;
}

static enum search_dialect dialect_of(struct sql *sql)
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
	return (int64_t)((uint64_t)found->at_ms << NUMBER_BITS | (hash >> (32 - NUMBER_BITS)));
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
	return sql_put(
		sql,
		"INSERT INTO search (workspace, type, id, part, words, at_ms, doc)"
		" VALUES ($1, $2, $3, $4, $5, $6, " FREE_NUMBER(
			"$7") ")"
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
	search_words_make(tokenizer_of_process(), document, dialect_of(job->sql), &words);
	for (size_t i = 0; rc == 0 && i < words.count; i++)
		rc = put_part(job, found, i, &words.parts[i], err);
	/* A message never changes. */
	if (rc == 0 && !text_equal(found->type, "message"))
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
				  "INSERT INTO search_words (search_words) VALUES ('optimize');"
				  "PRAGMA wal_checkpoint(TRUNCATE)",
				  err);
	return sql_script(sql, "VACUUM FULL search", err);
}

int history_op_search_purge(struct history_job *job, struct json_out *out, struct error *err)
{
	(void)out;
	return history_search_purge(job->sql, err);
}

/* ---- the question ---- */

enum { LIMIT_DEFAULT = 50, LIMIT_MAX = 200, NO_BOUND = -1 };

struct question {
	struct history_job *job;
	struct buf statement;
	struct sql_value values[SQL_VALUES_MAX];
	size_t count;
	struct search_query query;
	int64_t limit;
	bool is_ascending;
};

/* The parameter's number. */
static size_t bind(struct question *question, struct sql_value value)
{
	question->values[question->count] = value;
	return ++question->count;
}

/* Text with "@" for the parameter, which may stand in it several times. */
static void add_filter(struct question *question, const char *condition, struct sql_value value)
{
	size_t number = bind(question, value);

	buf_text(&question->statement, " AND (");
	for (const char *p = condition; *p != '\0'; p++) {
		if (*p == '@')
			buf_format(&question->statement, "$%zu", number);
		else
			buf_byte(&question->statement, *p);
	}
	buf_byte(&question->statement, ')');
}

#define OF_MESSAGE                                                                                 \
	"s.type = 'message' AND EXISTS (SELECT 1 FROM message m JOIN conversation c"               \
	" ON c.workspace = m.workspace AND c.id = m.conversation"                                  \
	" WHERE m.workspace = s.workspace AND m.id = s.id AND "
#define OF_WORK                                                                                    \
	" OR s.type = 'work_item' AND EXISTS (SELECT 1 FROM work_item w"                           \
	" WHERE w.workspace = s.workspace AND w.id = s.id AND "
#define OWNER(conversation)                                                                        \
	"EXISTS (SELECT 1 FROM conversation o JOIN identifier i ON i.workspace = o.workspace"      \
	" AND i.key = o.identifier_key WHERE o.workspace = s.workspace"                            \
	" AND o.id = " conversation " AND i.customer = @)"

static const struct {
	const char *field; /* of the job */
	const char *condition;
} filters[] = {
	{ "channel", OF_MESSAGE "c.channel = @)" OF_WORK "w.channel = @)"
				" OR s.type = 'customer' AND EXISTS (SELECT 1 FROM identifier i"
				" JOIN conversation c ON c.workspace = i.workspace"
				" AND c.identifier_key = i.key WHERE i.workspace = s.workspace"
				" AND i.customer = s.id AND c.channel = @)" },
	{ "agent",
	  OF_MESSAGE "m.author_type = 'agent' AND m.author_id = @)" OF_WORK "w.agent = @)" },
	{ "queue", OF_MESSAGE "EXISTS (SELECT 1 FROM work_item w WHERE w.workspace = m.workspace"
			      " AND w.conversation = m.conversation AND w.queue = @))" OF_WORK
			      "w.queue = @)" },
	{ "customer", OF_MESSAGE OWNER("c.id") ")" OF_WORK "(w.customer = @ OR " OWNER(
			      "w.conversation") "))"
						" OR s.type = 'customer' AND (s.id = @ OR EXISTS"
						" (SELECT 1 FROM customer u WHERE u.workspace ="
						" s.workspace AND u.id = s.id"
						" AND u.merged_into = @))" },
};

static void add_types(struct question *question)
{
	struct json_object *types = json_at(question->job->body, "types");

	if (json_count(types) == 0)
		return;
	buf_text(&question->statement, " AND s.type IN (");
	for (size_t i = 0; i < json_count(types) && i < 3; i++)
		buf_format(&question->statement, "%s$%zu", i > 0 ? ", " : "",
			   bind(question, sql_text(json_string(json_item(types, i)))));
	buf_byte(&question->statement, ')');
}

/* Times are judged by the row, and narrowed by the number, which the index has the order of. */
static void add_times(struct question *question, const char *doc)
{
	struct json_object *body = question->job->body;
	int64_t from = json_int(body, "from", NO_BOUND), to = json_int(body, "to", NO_BOUND);
	int64_t after = json_int(body, "after", NO_BOUND);
	struct buf *statement = &question->statement;

	if (from >= 0) {
		add_filter(question, "s.at_ms >= @", sql_number(from));
		buf_format(statement, " AND %s >= %lld", doc,
			   (long long)((uint64_t)from << NUMBER_BITS));
	}
	if (to >= 0)
		add_filter(question, "s.at_ms < @", sql_number(to));
	if (after >= 0)
		buf_format(statement, " AND %s %s $%zu", doc,
			   question->is_ascending ? ">=" : "<=", bind(question, sql_number(after)));
}

/* More than asked: parts of one document, and the one that says there is a next page. */
static int64_t rows_max(const struct question *question)
{
	return question->limit + 8;
}

static const char *order_of(const struct question *question)
{
	return question->is_ascending ? "ASC" : "DESC";
}

static void add_page(struct question *question)
{
	struct buf *statement = &question->statement;
	bool is_sqlite = sql_dialect(question->job->sql) == SQL_SQLITE;
	const char *doc = is_sqlite ? "f.rowid" : "s.doc";
	struct buf match = { 0 };

	search_query_write(&question->query, dialect_of(question->job->sql), &match);
	bind(question, sql_text(arena_text(question->job->arena, buf_string(&match))));
	bind(question, sql_text(question->job->workspace));
	buf_clear(&match);
	buf_text(statement,
		 is_sqlite ? "SELECT s.doc, s.type, s.id, s.at_ms FROM search_words AS f CROSS JOIN"
			     " search AS s ON s.doc = f.rowid WHERE f.search_words MATCH $1"
			   : "SELECT s.doc, s.type, s.id, s.at_ms FROM search AS s"
			     " WHERE s.words @@ CAST($1 AS tsquery)");
	buf_text(statement, " AND s.workspace = $2");
	add_types(question);
	for (size_t i = 0; i < COUNT_OF(filters); i++) {
		const char *value = json_text(question->job->body, filters[i].field);

		if (value != NULL)
			add_filter(question, filters[i].condition, sql_text(value));
	}
	add_times(question, doc);
	buf_format(statement, " ORDER BY %s %s LIMIT %lld", doc, order_of(question),
		   (long long)rows_max(question));
}

enum column {
	DOC,
	TYPE,
	ID,
	AT,
	JSON,
	CONVERSATION,
	POSITION,
	CHANNEL,
	CUSTOMER,
	COLUMNS,
};

static void add_all(struct question *question)
{
	buf_text(&question->statement,
		 "SELECT p.doc, p.type, p.id, p.at_ms, coalesce(m.json, w.json, u.json),"
		 " coalesce(m.conversation, w.conversation), m.position,"
		 " coalesce(c.channel, w.channel),"
		 " coalesce(u.merged_into, u.id, i.customer, w.customer) FROM (");
	add_page(question);
	buf_text(&question->statement,
		 ") AS p LEFT JOIN message m ON p.type = 'message' AND m.workspace = $2"
		 " AND m.id = p.id LEFT JOIN work_item w ON p.type = 'work_item'"
		 " AND w.workspace = $2 AND w.id = p.id LEFT JOIN customer u"
		 " ON p.type = 'customer' AND u.workspace = $2 AND u.id = p.id"
		 " LEFT JOIN conversation c ON c.workspace = $2"
		 " AND c.id = coalesce(m.conversation, w.conversation) LEFT JOIN identifier i"
		 " ON i.workspace = $2 AND i.key = c.identifier_key ORDER BY p.doc ");
	buf_text(&question->statement, order_of(question));
}

/* ---- its answer ---- */

struct answer {
	struct question *question;
	struct json_out *out;
	int64_t rows;
	int64_t shown;
	int64_t doc;
	char last[100]; /* "type id" of the row before, which may be of the page before */
	bool has_more;
	struct error problem;
};

static const char *word(const struct sql_value *row, enum column column)
{
	return row[column].kind == SQL_TEXT ? row[column].text : NULL;
}

static void write_message(struct json_out *out, struct json_object *json)
{
	jw_text(out, "direction", json_text(json, "direction"));
	jw_text(out, "kind", json_text(json, "kind"));
	jw_object(out, "author");
	jw_text(out, "type", json_text(json, "author.type"));
	jw_text(out, "id", json_text(json, "author.id"));
	jw_text(out, "name", json_text(json, "author.name"));
	jw_object_end(out);
}

static void write_work_item(struct json_out *out, struct json_object *hash)
{
	const char *number = json_text(hash, "num");
	uint64_t value = 0;

	if (number != NULL && text_uint(number, strlen(number), &value))
		jw_int(out, "number", (int64_t)value);
	jw_text(out, "state", json_text(hash, "s"));
	jw_text(out, "queue", json_text(hash, "q"));
	jw_text(out, "agent", json_text(hash, "a"));
	jw_text(out, "topic", json_text(hash, "tp"));
}

static void write_hit(struct answer *answer, const struct sql_value *row, struct json_object *json)
{
	struct search_document *document =
		arena_alloc(answer->question->job->arena, sizeof(*document));
	struct json_out *out = answer->out;
	struct buf snippet = { 0 };
	const char *type = word(row, TYPE), *field;

	search_document_read(type, json, answer->question->job->arena, document);
	search_snippet(tokenizer_of_process(), document, &answer->question->query, &snippet,
		       &field);
	jw_object(out, NULL);
	jw_text(out, "type", type);
	jw_text(out, "id", word(row, ID));
	jw_text(out, "conversation", word(row, CONVERSATION));
	jw_text(out, "customer", word(row, CUSTOMER));
	jw_text(out, "channel", word(row, CHANNEL));
	jw_time(out, "at", row[AT].number);
	jw_text(out, "field", field);
	jw_text(out, "snippet", buf_string(&snippet));
	if (text_equal(type, "message"))
		write_message(out, json);
	else if (text_equal(type, "work_item"))
		write_work_item(out, json);
	else
		jw_text(out, "name", json_text(json, "nm"));
	jw_object_end(out);
	buf_clear(&snippet);
}

static int on_hit(const struct sql_value *row, size_t columns, void *context)
{
	struct answer *answer = context;
	char name[sizeof(answer->last)];
	struct json_object *json;

	answer->has_more = ++answer->rows == rows_max(answer->question);
	snprintf(name, sizeof(name), "%s %s", row[TYPE].text, row[ID].text);
	if (text_equal(name, answer->last)) {
		answer->doc = row[DOC].number;
		return 0;
	}
	if (answer->shown == answer->question->limit) {
		answer->has_more = true;
		return 1;
	}
	answer->doc = row[DOC].number;
	snprintf(answer->last, sizeof(answer->last), "%s", name);
	json = row[JSON].kind != SQL_TEXT
		       ? NULL
		       : json_read(row[JSON].text, row[JSON].len, &answer->problem);
	if (columns < COLUMNS || json == NULL)
		return 0;
	write_hit(answer, row, json);
	json_free(&json);
	answer->shown++;
	return 0;
}

/* Up to when the history is written. */
static int read_as_of(struct history_job *job, int64_t *ret_ms, struct error *err)
{
	const struct sql_value values[] = { sql_text(job->workspace) };
	const struct sql_query query = { .statement =
						 "SELECT at_ms FROM cursor WHERE workspace = $1",
					 .values = values,
					 .count = 1,
					 .on_row = take_number,
					 .context = ret_ms };

	*ret_ms = 0;
	return sql_query(job->sql, &query, err);
}

static int run(struct question *question, struct json_out *out, struct error *err)
{
	struct history_job *job = question->job;
	const char *skip = json_text(job->body, "skip");
	struct answer answer = { .question = question, .out = out };
	const struct sql_query query = { .statement = buf_string(&question->statement),
					 .values = question->values,
					 .count = question->count,
					 .on_row = on_hit,
					 .context = &answer };
	int rc;

	snprintf(answer.last, sizeof(answer.last), "%s", skip == NULL ? "" : skip);
	jw_array(out, "data");
	rc = sql_query(job->sql, &query, err);
	jw_array_end(out);
	if (rc == 0 && answer.has_more)
		jw_text(out, "last",
			arena_format(job->arena, "%lld %s", (long long)answer.doc, answer.last));
	return rc;
}

int history_op_search(struct history_job *job, struct json_out *out, struct error *err)
{
	const char *text = json_text(job->body, "q");
	struct question question = { .job = job };
	struct error problem;
	size_t position;
	int64_t as_of;
	int rc;

	if (search_query_parse(tokenizer_of_process(), text == NULL ? "" : text, job->arena,
			       &question.query, &position, &problem) < 0) {
		jw_text(out, "problem", problem.text);
		jw_int(out, "position", (int64_t)position);
		return 0;
	}
	question.is_ascending = json_bool(job->body, "ascending", false);
	question.limit = json_int(job->body, "limit", LIMIT_DEFAULT);
	if (question.limit < 1 || question.limit > LIMIT_MAX)
		question.limit = LIMIT_DEFAULT;
	/* Before what is found, so that it is not newer than that. */
	if (read_as_of(job, &as_of, err) < 0)
		return -1;
	jw_time(out, "as_of", as_of);
	add_all(&question);
	rc = run(&question, out, err);
	buf_clear(&question.statement);
	return rc;
}
