/* What is asked of the index, newest first. */
#include "workers/history_search.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* ---- the question ---- */

enum {
	LIMIT_DEFAULT = 50,
	LIMIT_MAX = 200,
	NO_BOUND = -1,
	NEAR_ROWS = 4000, /* read in order before the index of words is asked */
};

struct question {
	struct history_job *job;
	struct buf statement;
	struct sql_value values[SQL_VALUES_MAX];
	size_t count;
	struct search_query query;
	int64_t limit;
	bool is_ascending;
	bool is_near; /* only the rows next to where the page begins */
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

/* Not EXISTS, which PostgreSQL may answer by reading the whole table once. */
#define ANY(rows) "(SELECT 1 FROM " rows " LIMIT 1) = 1"
#define OF_MESSAGE(condition)                                                                      \
	"s.type = 'message' AND " ANY(                                                             \
		"message m JOIN conversation c"                                                    \
		" ON c.workspace = m.workspace AND c.id = m.conversation"                          \
		" WHERE m.workspace = s.workspace AND m.id = s.id AND " condition)
#define OF_WORK(condition)                                                                         \
	" OR s.type = 'work_item' AND " ANY("work_item w WHERE w.workspace = s.workspace"          \
					    " AND w.id = s.id AND " condition)
#define OF_CUSTOMER(condition) " OR s.type = 'customer' AND " condition
#define OF_NOTE(condition)                                                                         \
	" OR s.type = 'note' AND " ANY("note n WHERE n.workspace = s.workspace AND n.id = s.id"    \
				       " AND " condition)
#define OWNER(conversation)                                                                        \
	ANY("conversation o JOIN identifier i ON i.workspace = o.workspace"                        \
	    " AND i.key = o.identifier_key WHERE o.workspace = s.workspace"                        \
	    " AND o.id = " conversation " AND i.customer = @")

static const struct {
	const char *field; /* of the job */
	const char *condition;
} filters[] = {
	{ "channel",
	  OF_MESSAGE("c.channel = @") OF_WORK("w.channel = @") OF_CUSTOMER(
		  ANY("identifier i JOIN conversation c ON c.workspace = i.workspace"
		      " AND c.identifier_key = i.key WHERE i.workspace = s.workspace"
		      " AND i.customer = s.id AND c.channel = @"))
		  OF_NOTE(ANY("identifier i JOIN conversation c ON c.workspace = i.workspace"
			      " AND c.identifier_key = i.key WHERE i.workspace = n.workspace"
			      " AND i.customer = n.customer AND c.channel = @")) },
	{ "agent",
	  OF_MESSAGE("m.author_type = 'agent' AND m.author_id = @") OF_WORK("w.agent = @") },
	{ "queue", OF_MESSAGE(ANY("work_item w WHERE w.workspace = m.workspace"
				  " AND w.conversation = m.conversation AND w.queue = @"))
			   OF_WORK("w.queue = @") },
	{ "customer",
	  OF_MESSAGE(OWNER("c.id")) OF_WORK("(w.customer = @ OR " OWNER("w.conversation") ")")
		  OF_CUSTOMER("(s.id = @ OR " ANY(
			  "customer u WHERE u.workspace = s.workspace AND u.id = s.id"
			  " AND u.merged_into = @") ")")
			  OF_NOTE("(n.customer = @ OR " ANY(
				  "customer u WHERE u.workspace = n.workspace"
				  " AND u.id = n.customer AND u.merged_into = @") ")") },
};

static void add_types(struct question *question)
{
	struct json_object *types = json_at(question->job->body, "types");

	if (json_count(types) == 0)
		return;
	buf_text(&question->statement, " AND s.type IN (");
	for (size_t i = 0; i < json_count(types) && i < 3; i++) {
		const char *type = json_string(json_item(types, i));

		buf_format(&question->statement, "%s$%zu", i > 0 ? ", " : "",
			   bind(question, sql_text(type)));
		if (text_equal(type, "customer"))
			buf_text(&question->statement, ", 'note'");
	}
	buf_byte(&question->statement, ')');
}

/* What people wrote for each other, about a customer or in a conversation. */
static void leave_out_notes(struct question *question)
{
	buf_text(&question->statement,
		 " AND s.type <> 'note' AND (s.type <> 'message' OR (SELECT m.kind FROM message m"
		 " WHERE m.workspace = s.workspace AND m.id = s.id) <> 'note')");
}

/* Times are judged by the row, and narrowed by the number, which the index has the order of. */
static void add_times(struct question *question, const char *doc)
{
	struct json_object *body = question->job->body;
	int64_t from = json_int(body, "from", NO_BOUND), to = json_int(body, "to", NO_BOUND);
	struct buf *statement = &question->statement;

	if (from >= 0) {
		add_filter(question, "s.at_ms >= @", sql_number(from));
		buf_format(statement, " AND %s >= %lld", doc,
			   (long long)((uint64_t)from << HISTORY_SEARCH_BITS));
	}
	if (to >= 0)
		add_filter(question, "s.at_ms < @", sql_number(to));
}

/* From the last row of the page before on, which is skipped when it comes. */
static void add_place(struct question *question, const char *doc)
{
	int64_t after = json_int(question->job->body, "after", NO_BOUND);
	const char *skip = json_text(question->job->body, "skip");
	const char *id = skip == NULL ? NULL : strchr(skip, ' ');
	char side = question->is_ascending ? '>' : '<';
	size_t number;

	if (after < 0 || id == NULL)
		return;
	number = bind(question, sql_number(after));
	buf_format(&question->statement, " AND %s %c= $%zu", doc, side, number);
	buf_format(&question->statement, " AND (%s <> $%zu OR s.id %c= $%zu)", doc, number, side,
		   bind(question, sql_text(id + 1)));
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

static void add_match(struct question *question)
{
	struct buf match = { 0 };

	search_query_write(&question->query, history_search_dialect(question->job->sql), &match);
	bind(question, sql_text(arena_text(question->job->arena, buf_string(&match))));
	bind(question, sql_text(question->job->workspace));
	buf_clear(&match);
}

static void add_filters(struct question *question)
{
	add_types(question);
	if (json_bool(question->job->body, "no_notes", false))
		leave_out_notes(question);
	for (size_t i = 0; i < COUNT_OF(filters); i++) {
		const char *value = json_text(question->job->body, filters[i].field);

		if (value != NULL)
			add_filter(question, filters[i].condition, sql_text(value));
	}
}

static void add_page_sqlite(struct question *question)
{
	buf_text(&question->statement,
		 "SELECT s.doc, s.type, s.id, s.at_ms FROM search_words AS f CROSS JOIN search AS s"
		 " ON s.doc = f.rowid WHERE f.search_words MATCH $1 AND s.workspace = $2");
	add_filters(question);
	add_times(question, "f.rowid");
	add_place(question, "f.rowid");
	buf_format(&question->statement, " ORDER BY f.rowid %s LIMIT %lld", order_of(question),
		   (long long)rows_max(question));
}

/* The planner knows too little to choose between the two: read in order until there is enough,
 * which is right for what is often said; or (the sum keeps it from that) all that the index of
 * words has, sorted. */
static void add_page_postgres(struct question *question)
{
	struct buf *statement = &question->statement;
	const char *order = order_of(question);

	buf_text(statement, "SELECT s.doc, s.type, s.id, s.at_ms FROM ");
	if (question->is_near) {
		buf_text(statement, "(SELECT s.* FROM search AS s WHERE s.workspace = $2");
		add_times(question, "s.doc");
		add_place(question, "s.doc");
		buf_format(statement, " ORDER BY s.workspace %s, s.doc %s, s.id %s LIMIT %d) AS s",
			   order, order, order, NEAR_ROWS);
	} else {
		buf_text(statement, "search AS s");
	}
	buf_text(statement, " WHERE s.words @@ CAST($1 AS tsquery) AND s.workspace = $2");
	add_filters(question);
	if (!question->is_near) {
		add_times(question, "s.doc");
		add_place(question, "s.doc");
	}
	buf_format(statement, " ORDER BY s.doc%s %s, s.id %s LIMIT %lld",
		   question->is_near ? "" : " + 0", order, order, (long long)rows_max(question));
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
	WRITTEN_ON, /* of a note: the customer's id and name */
	NAME,
	COLUMNS,
};

static void add_all(struct question *question)
{
	question->count = 0;
	buf_reset(&question->statement);
	add_match(question);
	buf_text(&question->statement,
		 "SELECT p.doc, p.type, p.id, p.at_ms, coalesce(m.json, w.json, n.json, u.json),"
		 " coalesce(m.conversation, w.conversation), m.position,"
		 " coalesce(c.channel, w.channel),"
		 " coalesce(u.merged_into, u.id, i.customer, w.customer), u.id, u.name FROM (");
	if (sql_dialect(question->job->sql) == SQL_SQLITE)
		add_page_sqlite(question);
	else
		add_page_postgres(question);
	buf_format(&question->statement,
		   ") AS p LEFT JOIN message m ON p.type = 'message' AND m.workspace = $2"
		   " AND m.id = p.id LEFT JOIN work_item w ON p.type = 'work_item'"
		   " AND w.workspace = $2 AND w.id = p.id LEFT JOIN note n"
		   " ON p.type = 'note' AND n.workspace = $2 AND n.id = p.id LEFT JOIN customer u"
		   " ON u.workspace = $2 AND u.id = CASE p.type WHEN 'customer' THEN p.id"
		   " ELSE n.customer END"
		   " LEFT JOIN conversation c ON c.workspace = $2"
		   " AND c.id = coalesce(m.conversation, w.conversation) LEFT JOIN identifier i"
		   " ON i.workspace = $2 AND i.key = c.identifier_key ORDER BY p.doc %s, p.id %s",
		   order_of(question), order_of(question));
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
	bool is_note = text_equal(type, "note");

	search_document_read(type, json, answer->question->job->arena, document);
	search_snippet(history_search_tokenizer(), document, &answer->question->query, &snippet,
		       &field);
	jw_object(out, NULL);
	/* A note is found as the customer whom it is about. */
	jw_text(out, "type", is_note ? "customer" : type);
	jw_text(out, "id", word(row, is_note ? WRITTEN_ON : ID));
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
		jw_text(out, "name", is_note ? word(row, NAME) : json_text(json, "nm"));
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

static int take_number(const struct sql_value *row, size_t columns, void *context)
{
	(void)columns;
	*(int64_t *)context = row[0].number;
	return 1;
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

/* Writes the rows to data. */
static int run(struct question *question, struct answer *answer, struct buf *data,
	       struct error *err)
{
	struct json_out out;
	struct sql_query query = { .on_row = on_hit, .context = answer };
	const char *skip = json_text(question->job->body, "skip");

	*answer = (struct answer){ .question = question, .out = &out };
	snprintf(answer->last, sizeof(answer->last), "%s", skip == NULL ? "" : skip);
	add_all(question);
	query.statement = buf_string(&question->statement);
	query.values = question->values;
	query.count = question->count;
	buf_reset(data);
	jw_start(&out, data);
	jw_array(&out, NULL);
	if (sql_query(question->job->sql, &query, err) < 0)
		return -1;
	jw_array_end(&out);
	return 0;
}

static int answer_question(struct question *question, struct json_out *out, struct error *err)
{
	struct history_job *job = question->job;
	struct buf data = { 0 };
	struct answer answer;
	int rc;

	question->is_near = sql_dialect(job->sql) == SQL_POSTGRES;
	rc = run(question, &answer, &data, err);
	if (rc == 0 && question->is_near && !answer.has_more) {
		question->is_near = false;
		rc = run(question, &answer, &data, err);
	}
	if (rc == 0)
		jw_raw(out, "data", data.data, data.len);
	if (rc == 0 && answer.has_more)
		jw_text(out, "last",
			arena_format(job->arena, "%lld %s", (long long)answer.doc, answer.last));
	buf_clear(&data);
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

	if (search_query_parse(history_search_tokenizer(), text == NULL ? "" : text, job->arena,
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
	rc = answer_question(&question, out, err);
	buf_clear(&question.statement);
	return rc;
}
