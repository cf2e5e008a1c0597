#include "history/history.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "services/frame.h"
#include "services/loop.h"
#include "services/worker.h"

enum {
	WRITE_QUEUE = 100,
	WRITE_DEADLINE_MS = 120 * 1000,
	READ_QUEUE = 1000,
	READ_PROCESSES = 2,
	READ_DEADLINE_MS = 20 * 1000,
};

struct history {
	struct loop *loop;
	struct worker_pool *writer;
	struct worker_pool *readers;
	struct buf head; /* of every job, after its first byte */
	char *place;
	char id[HISTORY_ID_BYTES];
	bool is_up;
	char problem[200];
};

/* The first byte of a job. */
enum { READS = 'r', WRITES = 'w' };

struct ask {
	struct history *history;
	char mode;
	history_done_fn *done;
	void *context;
};

/* ---- life ---- */

static char *place_of(const char *url)
{
	const char *rest = strstr(url, "://");
	const char *host = rest == NULL ? NULL : strrchr(rest, '@');
	char *place = memory_text(url);

	if (text_starts(url, "sqlite:"))
		return place;
	if (host != NULL)
		snprintf(place, strlen(url) + 1, "%.*s%s", (int)(rest + 3 - url), url, host + 1);
	place[strcspn(place, "?")] = '\0';
	return place;
}

static char *default_url(const char *state_dir)
{
	struct buf url = { 0 };

	buf_format(&url, "sqlite:%s/history.db", state_dir);
	return url.data;
}

static void pools_open(struct history *history, const struct history_options *options,
		       const char *folder)
{
	struct worker_options pool = { .name = "history",
				       .processes = 1,
				       .queue_max = WRITE_QUEUE,
				       .deadline_ms = WRITE_DEADLINE_MS,
				       .state_dir = folder,
				       .executable = options->executable };

	history->writer = worker_pool_new(history->loop, &pool);
	pool.processes = READ_PROCESSES;
	pool.queue_max = READ_QUEUE;
	pool.deadline_ms = READ_DEADLINE_MS;
	history->readers = worker_pool_new(history->loop, &pool);
}

struct history *history_new(struct loop *loop, const struct history_options *options)
{
	struct history *history = memory_new(sizeof(*history));
	char *url =
		options->url == NULL ? default_url(options->state_dir) : memory_text(options->url);
	char *folder = NULL;

	history->loop = loop;
	history->place = place_of(url);
	buf_add(&history->head, url, strlen(url) + 1);
	if (options->password != NULL)
		buf_text(&history->head, options->password);
	buf_byte(&history->head, '\0');
	if (text_starts(url, "sqlite:"))
		folder = memory_text(url + strlen("sqlite:"));
	if (!text_equal(url, "none"))
		pools_open(history, options, folder == NULL ? NULL : dirname(folder));
	free(folder);
	explicit_bzero(url, strlen(url));
	free(url);
	return history;
}

void history_free(struct history **history)
{
	struct history *held = *history;

	if (held == NULL)
		return;
	worker_pool_free(&held->writer);
	worker_pool_free(&held->readers);
	explicit_bzero(held->head.data, held->head.len);
	buf_clear(&held->head);
	free(held->place);
	free(held);
	*history = NULL;
}

bool history_is_kept(const struct history *history)
{
	return history->writer != NULL;
}

const char *history_id(const struct history *history)
{
	return history->id[0] == '\0' ? NULL : history->id;
}

const char *history_identity(const struct history *history, bool accept_other,
			     char room[HISTORY_ID_BYTES + 1])
{
	if (history->id[0] == '\0')
		return NULL;
	snprintf(room, HISTORY_ID_BYTES + 1, "%s%s", accept_other ? "!" : "", history->id);
	return room;
}

const char *history_place(const struct history *history)
{
	return history->place;
}

/* ---- jobs ---- */

static void note(struct history *history, const struct error *err)
{
	history->is_up = err == NULL || err->kind == ERROR_PERMANENT;
	snprintf(history->problem, sizeof(history->problem), "%.*s",
		 (int)sizeof(history->problem) - 1, err == NULL ? "" : err->text);
}

static void ask_end(struct ask *ask, struct json_object *answer, const struct error *err)
{
	note(ask->history, err);
	ask->done(answer, err, ask->context);
	free(ask);
}

static void on_answer(const void *bytes, size_t len, const struct error *err, void *context)
{
	struct ask *ask = context;
	struct json_object *answer = NULL;
	struct error problem;
	const char *id;

	if (err == NULL) {
		answer = json_read(bytes, len, &problem);
		err = answer == NULL ? &problem : NULL;
	}
	id = json_text(answer, "id");
	if (id != NULL)
		snprintf(ask->history->id, sizeof(ask->history->id), "%s", id);
	ask_end(ask, answer, err);
	json_free(&answer);
}

static void on_refused(void *context)
{
	struct ask *ask = context;
	struct error err;

	if (ask->history->writer == NULL)
		error_set(&err, ERROR_PERMANENT, "this installation keeps no history");
	else
		error_set(&err, ERROR_TEMPORARY, "the history is overloaded");
	ask_end(ask, NULL, &err);
}

static void submit(struct ask *ask, const struct buf *json)
{
	struct history *history = ask->history;
	struct worker_pool *pool = ask->mode == WRITES ? history->writer : history->readers;
	const struct frame_piece pieces[] = {
		{ &ask->mode, 1 },
		{ history->head.data, history->head.len },
		{ json->data, json->len },
	};
	struct error err;

	if (pool == NULL ||
	    worker_submit_pieces(pool, 0, pieces, COUNT_OF(pieces), on_answer, ask, &err) < 0)
		loop_soon(history->loop, on_refused, ask);
}

static void start(struct ask *ask, const char *op, const char *workspace, const struct buf *fields)
{
	struct buf json = { 0 };
	struct json_out out;

	jw_start(&out, &json);
	jw_object(&out, NULL);
	jw_text(&out, "op", op);
	jw_text(&out, "workspace", workspace);
	if (fields != NULL)
		buf_add(&json, buf_string(fields), fields->len);
	buf_byte(&json, '}');
	submit(ask, &json);
	buf_clear(&json);
}

static struct ask *ask_new(struct history *history, char mode, history_done_fn *done, void *context)
{
	struct ask *ask = memory_new(sizeof(*ask));

	ask->history = history;
	ask->mode = mode;
	ask->done = done;
	ask->context = context;
	return ask;
}

void history_ask(struct history *history, const char *op, const char *workspace,
		 const struct buf *fields, history_done_fn *done, void *context)
{
	start(ask_new(history, READS, done, context), op, workspace, fields);
}

void history_tell(struct history *history, const char *op, const char *workspace,
		  const struct buf *fields, history_done_fn *done, void *context)
{
	start(ask_new(history, WRITES, done, context), op, workspace, fields);
}

struct history_stats history_stats(const struct history *history)
{
	struct history_stats stats = { 0 };
	struct worker_stats pool = { 0 };

	if (history->writer != NULL)
		pool = worker_stats(history->writer);
	stats.done = pool.done;
	stats.failed = pool.failed;
	stats.is_up = history->is_up;
	snprintf(stats.problem, sizeof(stats.problem), "%s", history->problem);
	return stats;
}
