#include "automation/classify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "automation/classify_private.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "services/loop.h"
#include "store/log.h"
#include "store/store.h"
#include "workspace.h"

enum { TICK_MS = 1000, RUNNING_MAX = 16, WAITING_MAX = 5000 };

const char *const classify_outcomes[CLASSIFY_OUTCOMES] = {
	"applied", "needs_human", "unwanted", "late", "failed", "refused", "dropped",
};

void classify_ref(struct classify *classify)
{
	classify->refs++;
}

static void job_free(struct classify_job *job)
{
	free(job->position);
	free(job);
}

void classify_unref(struct classify *classify)
{
	struct classify_job *job;

	if (--classify->refs > 0)
		return;
	while ((job = STAILQ_FIRST(&classify->jobs)) != NULL) {
		STAILQ_REMOVE_HEAD(&classify->jobs, link);
		job_free(job);
	}
	classifier_list_free(&classify->list);
	free(classify->cursor);
	free(classify->kept);
	free(classify->name);
	free(classify->fence);
	free(classify);
}

static void text_replace(char **held, const char *text)
{
	free(*held);
	*held = memory_text(text);
}

/* ---- how far it came ---- */

static void on_kept(const struct store_reply *reply, const struct error *err, void *context)
{
	struct classify *classify = context;

	(void)reply;
	/* It is put again by the next tick that finds it elsewhere. */
	if (err != NULL && !classify->is_dead)
		text_replace(&classify->kept, "");
	classify_unref(classify);
}

static void cursor_keep(struct classify *classify)
{
	struct store_call *call;

	if (classify->reader == NULL || classify->cursor == NULL ||
	    text_equal(classify->cursor, classify->kept))
		return;
	text_replace(&classify->kept, classify->cursor);
	call = store_script("cursor_put", classify->name);
	store_key(call, "cur:classify");
	store_arg_text(call, classify->cursor);
	store_arg_text(call, "0");
	classify_ref(classify);
	store_run(classify->parts->store, call, on_kept, classify);
}

static void on_tick(void *context)
{
	struct classify *classify = context;

	loop_timer_start(classify->tick, TICK_MS);
	cursor_keep(classify);
}

/* ---- the jobs ---- */

/* Where a new steward would go on: behind all that is done from the start on. */
static void jobs_settle(struct classify *classify)
{
	struct classify_job *job;

	while ((job = STAILQ_FIRST(&classify->jobs)) != NULL && job->is_done) {
		STAILQ_REMOVE_HEAD(&classify->jobs, link);
		text_replace(&classify->cursor, job->position);
		classify->waiting--;
		job_free(job);
	}
}

static void jobs_run(struct classify *classify);

static void job_end(struct classify_job *job, enum classify_outcome outcome)
{
	struct classify *classify = job->classify;

	job->is_done = true;
	if (classify->is_dead)
		return;
	classify->counts->of[outcome]++;
	jobs_settle(classify);
}

static void on_classified(enum classify_outcome outcome, void *context)
{
	struct classify_job *job = context;
	struct classify *classify = job->classify;

	classify->running--;
	job_end(job, outcome);
	if (!classify->is_dead)
		jobs_run(classify);
}

static void jobs_run(struct classify *classify)
{
	struct classify_job *job;

	STAILQ_FOREACH (job, &classify->jobs, link) {
		const struct classify_target target = { job->work_item, job->conversation,
							job->index };

		if (classify->running == RUNNING_MAX)
			return;
		if (job->is_started)
			continue;
		job->is_started = true;
		classify->running++;
		classify_call(classify, &target, on_classified, job);
	}
}

static void on_log_entry(const struct log_entry *entry, void *context)
{
	struct classify *classify = context;
	struct classify_job *job;

	if (!text_equal(entry->type, "message.created") || entry->work_item == NULL ||
	    entry->conversation == NULL || entry->extra == NULL ||
	    strstr(entry->extra, "\"nw\":1") == NULL)
		return;
	job = memory_new(sizeof(*job));
	job->classify = classify;
	job->position = memory_text(entry->position);
	job->index = entry->message_index;
	snprintf(job->work_item, sizeof(job->work_item), "%s", entry->work_item);
	snprintf(job->conversation, sizeof(job->conversation), "%s", entry->conversation);
	STAILQ_INSERT_TAIL(&classify->jobs, job, link);
	/* What waits is bounded: beyond it the item stays as the rules left it. */
	job->is_started = classify->waiting++ >= WAITING_MAX;
	if (job->is_started)
		job_end(job, CLASSIFY_DROPPED);
	else
		jobs_run(classify);
}

static void on_log_reset(const char *position, void *context)
{
	struct classify *classify = context;

	text_replace(&classify->cursor, position);
}

static void on_log_batch(const char *position, void *context)
{
	struct classify *classify = context;

	if (STAILQ_EMPTY(&classify->jobs))
		text_replace(&classify->cursor, position);
	/* The first place counts at once: what comes after it is asked about, whoever dies. */
	if (classify->kept == NULL)
		cursor_keep(classify);
}

/* ---- the configuration ---- */

static void reader_start(struct classify *classify)
{
	const struct log_reader_options options = { .workspace = classify->name,
						    .after = classify->cursor };

	classify->reader = log_reader_new(classify->parts->loop, classify->parts->store, &options,
					  on_log_entry, on_log_reset, on_log_batch, classify);
}

/* With no classifier there is nothing to read, and nothing to catch up with later. */
static void reader_follow(struct classify *classify)
{
	if (classify->list->count > 0 && classify->reader == NULL) {
		reader_start(classify);
	} else if (classify->list->count == 0 && classify->reader != NULL) {
		log_reader_free(&classify->reader);
		free(classify->cursor);
		classify->cursor = NULL;
	}
}

static void on_list(const struct store_reply *reply, const struct error *err, void *context)
{
	struct classify *classify = context;
	struct error problem = { 0 };

	if (!classify->is_dead && err == NULL) {
		classifier_list_free(&classify->list);
		classify->list = classifier_list_new(reply, &problem);
		if (problem.kind != ERROR_NONE)
			log_warn("classify", "workspace=%s event=config_problem error=%s",
				 classify->name, log_quote(problem.text));
		reader_follow(classify);
	}
	classify_unref(classify);
}

static void list_read(struct classify *classify)
{
	struct store_call *call = store_command("HGETALL");

	store_arg_key(call, classify->name, "cfg:classifiers");
	classify_ref(classify);
	store_read(classify->parts->store, call, on_list, classify);
}

static void on_cursor(const struct store_reply *reply, const struct error *err, void *context)
{
	struct classify *classify = context;
	const char *cursor = err == NULL ? reply_text(reply, NULL) : NULL;

	if (!classify->is_dead) {
		if (cursor != NULL)
			text_replace(&classify->cursor, cursor);
		list_read(classify);
	}
	classify_unref(classify);
}

void classify_entry(struct classify *classify, const struct log_entry *entry)
{
	bool is_ours = entry->object != NULL && (text_starts(entry->object, "classifiers:") ||
						 text_equal(entry->object, "apply"));

	if (is_ours && text_equal(entry->type, "config.changed"))
		list_read(classify);
}

struct classify *classify_new(struct parts *parts, struct workspace *workspace, const char *fence,
			      struct classify_counts *counts)
{
	struct classify *classify = memory_new(sizeof(*classify));
	struct store_call *call = store_command("GET");

	classify->parts = parts;
	classify->workspace = workspace;
	classify->counts = counts;
	classify->name = memory_text(workspace_name(workspace));
	classify->fence = memory_text(fence);
	classify->refs = 2; /* the workspace's, and the read under way */
	STAILQ_INIT(&classify->jobs);
	classify->tick = loop_timer_new(parts->loop, on_tick, classify);
	loop_timer_start(classify->tick, TICK_MS);
	store_arg_key(call, classify->name, "cur:classify");
	store_read(parts->store, call, on_cursor, classify);
	return classify;
}

static void classify_release(void *object)
{
	classify_unref(object);
}

void classify_free(struct classify **classify)
{
	struct classify *held = *classify;

	*classify = NULL;
	if (held == NULL)
		return;
	held->is_dead = true;
	loop_timer_free(&held->tick);
	log_reader_free(&held->reader);
	loop_defer_free(held->parts->loop, held, classify_release);
}
