/* What is known of one person, by id, page by page: for who asks what is held about them. The
 * caller knows whose identifiers and customers these are. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "workers/history.h"

enum {
	PAGE = 200,
	EVENTS_SCANNED = 5000, /* a page; events have no index by person */
	CUSTOMERS_MAX = 65,    /* one and those merged into it */
	KEYS_MAX = 64,
};

static int take_id(const struct sql_value *row, size_t columns, void *context)
{
	struct json_out *out = context;

	(void)columns;
	jw_textn(out, NULL, row[0].text, row[0].len);
	return 0;
}

/* " IN ('a', 'b')": ids and hashes are ours, and are nothing else. */
static int write_list(struct buf *out, struct json_object *list, size_t max, struct error *err)
{
	size_t count = json_count(list) < max ? json_count(list) : max;

	buf_text(out, " IN (''");
	for (size_t i = 0; i < count; i++) {
		const char *id = json_string(json_item(list, i));

		if (id == NULL || strspn(id, "0123456789abcdefghijklmnopqrstuvwxyz_"
					     "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(id))
			return error_set(err, ERROR_MISUSE, "not an id in a list of ids");
		buf_format(out, ", '%s'", id);
	}
	buf_byte(out, ')');
	return 0;
}

static int write_ids(struct history_job *job, const char *statement, struct json_out *out,
		     struct error *err)
{
	const char *after = json_text(job->body, "after");
	const char *conversation = json_text(job->body, "conversation");
	const struct sql_value values[] = { sql_text(job->workspace),
					    sql_text(after == NULL ? "" : after), sql_number(PAGE),
					    sql_text(conversation == NULL ? "" : conversation) };
	const struct sql_query query = {
		.statement = statement,
		.values = values,
		.count = COUNT_OF(values),
		.on_row = take_id,
		.context = out,
	};
	int rc;

	jw_array(out, "ids");
	rc = sql_query(job->sql, &query, err);
	jw_array_end(out);
	return rc;
}

/* {keys, after}: conversations of these identifiers, by id. */
int history_op_person_talks(struct history_job *job, struct json_out *out, struct error *err)
{
	struct buf statement = { 0 };
	int rc;

	buf_text(&statement, "SELECT id FROM conversation WHERE workspace = $1 AND id > $2"
			     " AND $4 = '' AND identifier_key");
	rc = write_list(&statement, json_at(job->body, "keys"), KEYS_MAX, err);
	buf_text(&statement, " ORDER BY id LIMIT $3");
	if (rc == 0)
		rc = write_ids(job, buf_string(&statement), out, err);
	buf_clear(&statement);
	return rc;
}

/* {conversation, after}: its work items; {customers, after}: those without a conversation. */
int history_op_person_items(struct history_job *job, struct json_out *out, struct error *err)
{
	struct buf statement = { 0 };
	int rc = 0;

	buf_text(&statement, "SELECT id FROM work_item WHERE workspace = $1 AND id > $2 AND ");
	if (json_text(job->body, "conversation") != NULL) {
		buf_text(&statement, "conversation = $4");
	} else {
		buf_text(&statement, "coalesce(conversation, '') = $4 AND customer");
		rc = write_list(&statement, json_at(job->body, "customers"), CUSTOMERS_MAX, err);
	}
	buf_text(&statement, " ORDER BY id LIMIT $3");
	if (rc == 0)
		rc = write_ids(job, buf_string(&statement), out, err);
	buf_clear(&statement);
	return rc;
}

/* ---- events ---- */

struct events {
	struct json_out *out;
	int64_t generation, ms, seq; /* of the last one that was looked at */
	size_t seen;
};

static int take_event(const struct sql_value *row, size_t columns, void *context)
{
	static const char *const names[] = { "type",    "work_item", "conversation",
					     "message", "agent",     "queue" };
	struct events *events = context;
	struct json_out *out = events->out;

	(void)columns;
	events->seen++;
	events->generation = row[0].number;
	events->ms = row[1].number;
	events->seq = row[2].number;
	if (row[3].number == 0)
		return 0;
	jw_object(out, NULL);
	jw_time(out, "at", row[1].number);
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (row[4 + i].kind == SQL_TEXT && row[4 + i].len > 0)
			jw_textn(out, names[i], row[4 + i].text, row[4 + i].len);
	jw_object_end(out);
	return 0;
}

static int write_statement(struct history_job *job, struct buf *out, struct error *err)
{
	struct json_object *customers = json_at(job->body, "customers");
	struct json_object *keys = json_at(job->body, "keys");

	buf_text(out, "SELECT e.generation, e.ms, e.seq, CASE WHEN e.customer");
	if (write_list(out, customers, CUSTOMERS_MAX, err) < 0)
		return -1;
	buf_text(out, " OR e.conversation IN (SELECT id FROM conversation WHERE workspace = $1"
		      " AND identifier_key");
	if (write_list(out, keys, KEYS_MAX, err) < 0)
		return -1;
	buf_text(out, ") OR e.work_item IN (SELECT id FROM work_item WHERE workspace = $1"
		      " AND coalesce(conversation, '') = '' AND customer");
	if (write_list(out, customers, CUSTOMERS_MAX, err) < 0)
		return -1;
	buf_text(out, ") THEN 1 ELSE 0 END, e.type, e.work_item, e.conversation, e.message,"
		      " e.agent, e.queue FROM event e WHERE e.workspace = $1"
		      " AND (e.generation, e.ms, e.seq) > ($2, $3, $4)"
		      " ORDER BY e.generation, e.ms, e.seq LIMIT $5");
	return 0;
}

/* {customers, keys, generation, ms, seq}: what happened after that one, of so many as are looked at
 * at a time; answers events, and more with the three of the last one looked at. */
int history_op_person_events(struct history_job *job, struct json_out *out, struct error *err)
{
	const struct sql_value values[] = {
		sql_text(job->workspace),
		sql_number(json_int(job->body, "generation", -1)),
		sql_number(json_int(job->body, "ms", -1)),
		sql_number(json_int(job->body, "seq", -1)),
		sql_number(EVENTS_SCANNED),
	};
	struct events events = { .out = out };
	struct sql_query query = {
		.values = values,
		.count = COUNT_OF(values),
		.on_row = take_event,
		.context = &events,
	};
	struct buf statement = { 0 };
	int rc = write_statement(job, &statement, err);

	query.statement = buf_string(&statement);
	jw_array(out, "events");
	if (rc == 0)
		rc = sql_query(job->sql, &query, err);
	jw_array_end(out);
	jw_bool(out, "more", events.seen == EVENTS_SCANNED);
	jw_int(out, "generation", events.generation);
	jw_int(out, "ms", events.ms);
	jw_int(out, "seq", events.seq);
	buf_clear(&statement);
	return rc;
}
