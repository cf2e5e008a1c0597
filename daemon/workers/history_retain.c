/* Retention: which conversations are over so long that a rule takes something of them, and taking
 * it. A rule has {what, channel, type, topic, before_ms}; of the rules for one thing the first that
 * fits a conversation decides. */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "workers/history_search.h"

enum { PAGE = 50, MESSAGES_PAGE = 100 };

/* ---- which ---- */

static void write_quoted(struct buf *out, const char *text)
{
	buf_byte(out, '\'');
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			buf_byte(out, '\'');
		buf_byte(out, *text);
	}
	buf_byte(out, '\'');
}

static void write_equal(struct buf *out, const char *column, const char *text)
{
	if (text == NULL)
		return;
	buf_format(out, " AND %s = ", column);
	write_quoted(out, text);
}

/* Does the rule fit the conversation c? Of its work items any one counts. */
static void write_fits(struct buf *out, struct json_object *rule)
{
	buf_text(out, "(1 = 1");
	write_equal(out, "c.channel", json_text(rule, "channel"));
	if (json_text(rule, "type") != NULL || json_text(rule, "topic") != NULL) {
		buf_text(out, " AND EXISTS (SELECT 1 FROM work_item w WHERE w.workspace ="
			      " c.workspace AND w.conversation = c.id");
		write_equal(out, "w.type", json_text(rule, "type"));
		write_equal(out, "w.topic", json_text(rule, "topic"));
		buf_byte(out, ')');
	}
	buf_byte(out, ')');
}

/* Since when nothing was left of it, as updated_ms was then. */
static const char *gone_column(const char *what)
{
	if (text_equal(what, "messages"))
		return "texts_gone";
	return text_equal(what, "attachments") ? "files_gone" : "0";
}

/* What is due by the rule at that place of the list, below " FROM conversation c". */
static void write_due(struct buf *out, struct json_object *rules, size_t at)
{
	struct json_object *rule = json_item(rules, at);
	const char *what = json_text(rule, "what");

	buf_format(out,
		   " FROM conversation c WHERE c.workspace = $1 AND c.id > $2"
		   " AND c.state = 'closed' AND c.updated_ms < %lld AND %s < c.updated_ms AND ",
		   (long long)json_int(rule, "before_ms", 0), gone_column(what));
	write_fits(out, rule);
	for (size_t i = 0; i < at; i++) {
		if (!text_equal(json_text(json_item(rules, i), "what"), what))
			continue;
		buf_text(out, " AND NOT ");
		write_fits(out, json_item(rules, i));
	}
}

static int take_due(const struct sql_value *row, size_t columns, void *context)
{
	struct json_out *out = context;

	(void)columns;
	jw_object(out, NULL);
	jw_textn(out, "id", row[0].text, row[0].len);
	jw_textn(out, "key", row[1].text, row[1].len);
	jw_object_end(out);
	return 0;
}

/* {rules, rule: its place, after} -> due: conversations and their identifiers' keys, by id */
int history_op_retain_select(struct history_job *job, struct json_out *out, struct error *err)
{
	const char *after = json_text(job->body, "after");
	const struct sql_value values[] = { sql_text(job->workspace),
					    sql_text(after == NULL ? "" : after),
					    sql_number(PAGE) };
	struct buf statement = { 0 };
	struct sql_query query = {
		.values = values, .count = 3, .on_row = take_due, .context = out
	};
	int rc;

	buf_text(&statement, "SELECT c.id, c.identifier_key");
	write_due(&statement, json_at(job->body, "rules"), (size_t)json_int(job->body, "rule", 0));
	buf_text(&statement, " ORDER BY c.id LIMIT $3");
	query.statement = buf_string(&statement);
	jw_array(out, "due");
	rc = sql_query(job->sql, &query, err);
	jw_array_end(out);
	buf_clear(&statement);
	return rc;
}

static int take_count(const struct sql_value *row, size_t columns, void *context)
{
	struct json_out *out = context;

	(void)columns;
	jw_object(out, NULL);
	jw_int(out, "conversations", row[0].number);
	jw_time(out, "oldest", row[1].kind == SQL_NUMBER ? row[1].number : 0);
	jw_object_end(out);
	return 0;
}

/* {rules} -> due: for each rule how many conversations, and when the oldest was over */
int history_op_retain_count(struct history_job *job, struct json_out *out, struct error *err)
{
	const struct sql_value values[] = { sql_text(job->workspace), sql_text("") };
	struct json_object *rules = json_at(job->body, "rules");
	int rc = 0;

	jw_array(out, "due");
	for (size_t i = 0; rc == 0 && i < json_count(rules); i++) {
		struct buf statement = { 0 };
		struct sql_query query = {
			.values = values, .count = 2, .on_row = take_count, .context = out
		};

		buf_text(&statement, "SELECT count(*), min(c.updated_ms)");
		write_due(&statement, rules, i);
		query.statement = buf_string(&statement);
		rc = sql_query(job->sql, &query, err);
		buf_clear(&statement);
	}
	jw_array_end(out);
	return rc;
}

/* ---- what their messages name ---- */

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

/* {conversation, after: a number} -> messages */
int history_op_retain_read(struct history_job *job, struct json_out *out, struct error *err)
{
	const struct sql_value values[] = { sql_text(job->workspace),
					    sql_text(json_text(job->body, "conversation")),
					    sql_number(json_int(job->body, "after", 0)),
					    sql_number(MESSAGES_PAGE) };
	const struct sql_query query = {
		.statement = "SELECT number, json, files FROM message WHERE workspace = $1"
			     " AND conversation = $2 AND number > $3 ORDER BY number LIMIT $4",
		.values = values,
		.count = 4,
		.on_row = take_message,
		.context = out,
	};
	int rc;

	jw_array(out, "messages");
	rc = sql_query(job->sql, &query, err);
	jw_array_end(out);
	return rc;
}

/* ---- taking it ---- */

struct message {
	int64_t number;
	const char *id;
	struct json_object *json;
};

struct stripping {
	struct history_job *job;
	struct json_out out;
	bool is_text; /* texts go too, not only files */
	struct message messages[MESSAGES_PAGE];
	size_t count;
};

static void write_member(struct json_out *out, const char *name, struct json_object *value)
{
	struct buf text = { 0 };

	json_append(value, &text);
	jw_raw(out, name, text.data, text.len);
	buf_clear(&text);
}

/* What a file was called and how big it was stays, where texts stay. */
static void write_files(struct json_out *out, struct json_object *files)
{
	jw_array(out, "attachments");
	for (size_t i = 0; i < json_count(files); i++) {
		struct json_object *file = json_item(files, i);

		jw_object(out, NULL);
		jw_text(out, "name", json_text(file, "name"));
		jw_text(out, "type", json_text(file, "type"));
		jw_text(out, "state", "failed");
		jw_text(out, "error", "its time was over");
		if (json_has(file, "size"))
			jw_int(out, "size", json_int(file, "size", 0));
		jw_object_end(out);
	}
	jw_array_end(out);
}

static void write_author(struct json_out *out, struct json_object *author)
{
	jw_object(out, "author");
	jw_text(out, "type", json_text(author, "type"));
	if (json_text(author, "id") != NULL)
		jw_text(out, "id", json_text(author, "id"));
	jw_text(out, "name", "");
	jw_object_end(out);
}

/* The stored form is kept (conversation/message.c): it begins with the author and ends with when it
 * was made. */
static void strip_member(const char *name, struct json_object *value, void *context)
{
	struct stripping *stripping = context;
	struct json_out *out = &stripping->out;

	if (text_equal(name, "raw"))
		return;
	if (text_equal(name, "attachments") && !stripping->is_text) {
		write_files(out, value);
	} else if (!stripping->is_text) {
		write_member(out, name, value);
	} else if (text_equal(name, "attachments")) {
		jw_array(out, name);
		jw_array_end(out);
	} else if (text_equal(name, "author")) {
		write_author(out, value);
	} else if (text_equal(name, "text")) {
		jw_text(out, name, "");
	} else if (text_equal(name, "html")) {
		jw_null(out, name);
		jw_bool(out, "removed", true);
	} else if (!text_equal(name, "subject") && !text_equal(name, "extra") &&
		   !text_equal(name, "removed")) {
		write_member(out, name, value);
	}
}

static int take_stored(const struct sql_value *row, size_t columns, void *context)
{
	struct stripping *stripping = context;

	(void)columns;
	stripping->messages[stripping->count++] = (struct message){
		.number = row[0].number,
		.id = arena_text(stripping->job->arena, row[1].text),
		.json = json_read(row[2].text, row[2].len, NULL),
	};
	return stripping->count == MESSAGES_PAGE;
}

static int strip_one(struct stripping *stripping, const struct message *message, struct error *err)
{
	struct buf text = { 0 };
	int rc = 0;

	jw_start(&stripping->out, &text);
	jw_object(&stripping->out, NULL);
	json_each_field(message->json, strip_member, stripping);
	jw_object_end(&stripping->out);
	const struct sql_value values[] = { sql_text(stripping->job->workspace),
					    sql_text(message->id), sql_text(buf_string(&text)) };

	if (stripping->is_text)
		rc = history_search_drop(stripping->job, "message", message->id, err);
	if (rc == 0)
		rc = sql_put(stripping->job->sql,
			     "UPDATE message SET json = $3, files = NULL WHERE workspace = $1"
			     " AND id = $2",
			     values, 3, err);
	buf_clear(&text);
	return rc;
}

static int strip_page(struct stripping *stripping, const char *conversation, int64_t *after,
		      struct error *err)
{
	const struct sql_value values[] = { sql_text(stripping->job->workspace),
					    sql_text(conversation), sql_number(*after),
					    sql_number(MESSAGES_PAGE) };
	const struct sql_query query = {
		.statement = "SELECT number, id, json FROM message WHERE workspace = $1"
			     " AND conversation = $2 AND number > $3 ORDER BY number LIMIT $4",
		.values = values,
		.count = 4,
		.on_row = take_stored,
		.context = stripping,
	};
	int rc = sql_query(stripping->job->sql, &query, err);

	for (size_t i = 0; i < stripping->count; i++) {
		struct message *message = &stripping->messages[i];

		if (rc == 0 && message->json != NULL)
			rc = strip_one(stripping, message, err);
		json_free(&message->json);
		*after = message->number;
	}
	return rc;
}

static void copy_hash(const char *name, struct json_object *value, void *context)
{
	if (!text_equal(name, "sub"))
		write_member(context, name, value);
}

static int take_hash(const struct sql_value *row, size_t columns, void *context)
{
	struct json_object *hash = json_read(row[0].text, row[0].len, NULL);
	struct json_out out;

	(void)columns;
	jw_start(&out, context);
	jw_object(&out, NULL);
	json_each_field(hash, copy_hash, &out);
	jw_object_end(&out);
	json_free(&hash);
	return 1;
}

/* What a conversation is about is a text, too. */
static int strip_subject(struct history_job *job, const char *conversation, struct error *err)
{
	struct buf hash = { 0 };
	const struct sql_value known[] = { sql_text(job->workspace), sql_text(conversation) };
	const struct sql_query query = {
		.statement = "SELECT json FROM conversation WHERE workspace = $1 AND id = $2",
		.values = known,
		.count = 2,
		.on_row = take_hash,
		.context = &hash,
	};
	int rc = sql_query(job->sql, &query, err);

	if (rc == 0 && hash.len > 0) {
		const struct sql_value values[] = { known[0], known[1],
						    sql_text(buf_string(&hash)) };

		rc = sql_put(job->sql,
			     "UPDATE conversation SET json = $3, subject = NULL"
			     " WHERE workspace = $1 AND id = $2",
			     values, 3, err);
	}
	buf_clear(&hash);
	return rc;
}

static int strip(struct history_job *job, const char *conversation, bool is_text, struct error *err)
{
	const struct sql_value values[] = { sql_text(job->workspace), sql_text(conversation) };
	struct stripping *stripping = arena_alloc(job->arena, sizeof(*stripping));
	int64_t after = 0;

	*stripping = (struct stripping){ .job = job, .is_text = is_text };
	do {
		stripping->count = 0;
		if (strip_page(stripping, conversation, &after, err) < 0)
			return -1;
	} while (stripping->count == MESSAGES_PAGE);
	if (is_text && strip_subject(job, conversation, err) < 0)
		return -1;
	return sql_put(job->sql,
		       is_text ? "UPDATE conversation SET texts_gone = updated_ms, files_gone ="
				 " updated_ms WHERE workspace = $1 AND id = $2"
			       : "UPDATE conversation SET files_gone = updated_ms"
				 " WHERE workspace = $1 AND id = $2",
		       values, 2, err);
}

/* {conversation, what} */
int history_op_retain(struct history_job *job, struct json_out *out, struct error *err)
{
	const char *conversation = json_text(job->body, "conversation");
	const char *what = json_text(job->body, "what");
	int rc;

	(void)out;
	if (sql_dialect(job->sql) == SQL_SQLITE &&
	    sql_script(job->sql, "PRAGMA secure_delete=1", err) < 0)
		return -1;
	if (sql_begin(job->sql, err) < 0)
		return -1;
	if (text_equal(what, "conversation"))
		rc = history_erase_conversation(job, conversation, err);
	else
		rc = strip(job, conversation, text_equal(what, "messages"), err);
	if (rc == 0)
		return sql_commit(job->sql, err);
	sql_rollback(job->sql);
	return -1;
}
