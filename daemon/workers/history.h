/* Jobs of the history worker: 'w' (it writes) or 'r', the place as a URL, NUL,
 * its password, NUL, and a JSON object with "op"; the answer is one too. Shared
 * by workers/history*.c; the daemon's side is history/history.h. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "workers/history_sql.h"

struct history_job {
	struct sql *sql;
	struct json_object *body;
	const char *workspace; /* "" where the job names none */
	struct arena *arena;   /* lives as long as the job */
};

/* Writes the fields of the answer's object, which is open already. */
typedef int history_op_fn(struct history_job *job, struct json_out *out, struct error *err);

/* history_schema.c: brings the schema up to what this build knows; or (reading) checks it. A newer
 * one is refused. */
int history_schema_migrate(struct sql *sql, struct error *err);
int history_schema_check(struct sql *sql, struct error *err);
/* The database's own id, made with it. */
int history_schema_id(struct sql *sql, char ret_id[40], struct error *err);

/* history_write.c */
history_op_fn history_op_cursor; /* {workspace} -> {position} or null */
history_op_fn history_op_write;

/* history_erase.c: {workspace, customers[], keys[], purge}; {workspace, key, after} -> messages[]
 */
history_op_fn history_op_erase;
history_op_fn history_op_erase_read;
/* Rows and words of a conversation, inside a transaction. */
int history_erase_conversation(struct history_job *job, const char *id, struct error *err);

/* history_retain.c: what is over so long that a rule takes something of it */
history_op_fn history_op_retain_select;
history_op_fn history_op_retain_count;
history_op_fn history_op_retain_read;
history_op_fn history_op_retain;

/* history_past.c: what has left the store */
history_op_fn history_op_past;
history_op_fn history_op_past_message;
history_op_fn history_op_past_of;
history_op_fn history_op_past_items;
history_op_fn history_op_past_list;
history_op_fn history_op_past_references;
history_op_fn history_op_receipt;

/* history_restore.c: {workspace, what: customer, note, suggestion, merge, work_item, after, limit}
 * -> rows[] of {id, hash} by id, of work items those that have not ended; limit counts hashes */
history_op_fn history_op_restore;
history_op_fn history_op_restore_files; /* {workspace, after, limit} -> rows[] by number */

/* history_timeline.c */
history_op_fn history_op_past_timeline;

/* history_export.c: {workspace, kind, after, limit, descending} -> data[] by id */
history_op_fn history_op_export;

/* history_person.c: what is known of one person, page by page */
history_op_fn history_op_person_talks;
history_op_fn history_op_person_items;
history_op_fn history_op_person_events;

/* history_read.c */
history_op_fn history_op_status; /* {workspace} -> {position, rows {table: count}} */
history_op_fn history_op_conversation;
history_op_fn history_op_messages;
