/* The history worker: a database, opened when the first job names it and again after it was lost.
 */
#include "workers/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/text.h"
#include "services/worker_spawn.h"
#include "workers/history_search.h"
#include "workers/sandbox.h"
#include "workers/worker.h"

enum { DESCRIPTORS = 256 };

/* Of this process. */
struct base {
	struct sql sql;
	char *url;
};

static struct base *base_of_process(void)
{
	static struct base base;

	return &base;
}

static int op_open(struct history_job *job, struct json_out *out, struct error *err)
{
	char id[40];

	if (history_schema_id(job->sql, id, err) < 0)
		return -1;
	jw_text(out, "id", id);
	return 0;
}

static const struct {
	const char *name;
	history_op_fn *run;
	bool writes;
} ops[] = {
	{ "open", op_open, true },
	{ "cursor", history_op_cursor, true },
	{ "write", history_op_write, true },
	{ "status", history_op_status, false },
	{ "conversation", history_op_conversation, false },
	{ "messages", history_op_messages, false },
	{ "past", history_op_past, false },
	{ "past_message", history_op_past_message, false },
	{ "past_of", history_op_past_of, false },
	{ "past_timeline", history_op_past_timeline, false },
	{ "past_items", history_op_past_items, false },
	{ "past_list", history_op_past_list, false },
	{ "past_references", history_op_past_references, false },
	{ "receipt", history_op_receipt, true },
	{ "restore", history_op_restore, false },
	{ "restore_files", history_op_restore_files, false },
	{ "search", history_op_search, false },
	{ "words", history_op_words, true },
	{ "export", history_op_export, false },
	{ "person_talks", history_op_person_talks, false },
	{ "person_items", history_op_person_items, false },
	{ "person_events", history_op_person_events, false },
	{ "search_purge", history_op_search_purge, true },
	{ "erase", history_op_erase, true },
	{ "erase_read", history_op_erase_read, false },
	{ "retain_select", history_op_retain_select, false },
	{ "retain_count", history_op_retain_count, false },
	{ "retain_read", history_op_retain_read, false },
	{ "retain", history_op_retain, true },
};

/* A database of files is confined to their folder; a remote one needs the network. */
int history_start(struct error *err)
{
	struct stat stat;

	umask(077);
	if (sandbox_limits(0, DESCRIPTORS, err) < 0)
		return -1;
	if (fstat(WORKER_STATE_FD, &stat) == 0 && S_ISDIR(stat.st_mode))
		return sandbox_files(WORKER_STATE_FD, err);
	return sandbox_network(err);
}

static int open_base(struct base *base, const struct sql_place *place, struct error *err)
{
	int rc;

	if (base->url != NULL && text_equal(base->url, place->url) && sql_is_open(&base->sql))
		return 0;
	sql_close(&base->sql);
	free(base->url);
	base->url = NULL;
	if (sql_open(&base->sql, place, err) < 0)
		return -1;
	rc = place->writes ? history_schema_migrate(&base->sql, err)
			   : history_schema_check(&base->sql, err);
	if (rc < 0)
		sql_close(&base->sql);
	else
		base->url = memory_text(place->url);
	return rc;
}

static int run(struct history_job *job, bool writes, struct json_out *out, struct error *err)
{
	const char *name = json_text(job->body, "op");

	for (size_t i = 0; i < COUNT_OF(ops); i++)
		if (text_equal(ops[i].name, name) && (writes || !ops[i].writes))
			return ops[i].run(job, out, err);
	return error_set(err, ERROR_MISUSE, "the history has no operation %s",
			 name == NULL ? "without a name" : name);
}

static int answer_job(const struct sql_place *place, const char *json, size_t len,
		      struct buf *answer, struct error *err)
{
	struct base *base = base_of_process();
	struct history_job job = { .sql = &base->sql, .workspace = "" };
	struct json_out out;
	int rc;

	if (open_base(base, place, err) < 0)
		return -1;
	job.body = json_read(json, len, err);
	if (job.body == NULL)
		return -1;
	if (json_text(job.body, "workspace") != NULL)
		job.workspace = json_text(job.body, "workspace");
	job.arena = arena_new(0);
	jw_start(&out, answer);
	jw_object(&out, NULL);
	rc = run(&job, place->writes, &out, err);
	jw_object_end(&out);
	arena_free(&job.arena);
	json_free(&job.body);
	return rc;
}

int history_handle(const char *job, size_t len, struct buf *answer, struct error *err)
{
	const char *end = job + len;
	struct sql_place place = { .url = job + 1 };
	const char *password = len < 2 ? NULL : memchr(job + 1, '\0', len - 1);
	const char *json = NULL;

	if (password != NULL)
		json = memchr(password + 1, '\0', (size_t)(end - password - 1));
	if (json == NULL)
		return error_set(err, ERROR_MISUSE, "a history job that is cut short");
	place.writes = job[0] == 'w';
	place.password = password[1] == '\0' ? NULL : password + 1;
	return answer_job(&place, json + 1, (size_t)(end - json - 1), answer, err);
}
