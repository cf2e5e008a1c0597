#include "media/job.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "channel.h"
#include "config.h"
#include "conversation/files.h"
#include "media/judge.h"
#include "services/blobs.h"
#include "services/loop.h"
#include "services/transfer.h"
#include "store/blob_owner.h"
#include "store/store.h"

enum { REDIRECTS = 5, TIMEOUT_MS = 60 * 1000, FIELDS_MAX = 16 };

/* Before try 2, 3, ...; then it has failed. */
static const int64_t delays_ms[] = { 2000, 10000, 60000, 600000, 3600000, 21600000 };

struct file {
	struct attachment from;
	struct file_state state;
};

struct job {
	struct parts *parts;
	struct arena *arena;
	const char *workspace;
	const char *fence;
	const char *member;
	char conversation[ID_BYTES];
	char message[ID_BYTES];
	long long index;
	const char *channel;
	struct file *files; /* those with a url */
	size_t count;
	size_t at;              /* the one under way */
	int64_t retry_after_ms; /* the longest that a provider asked for */
	bool any_stored;
	bool any_failed;
	void (*done)(const char *member, void *context);
	void *context;
};

static void job_free(void *object)
{
	struct job *job = object;
	struct arena *arena = job->arena;

	arena_free(&arena);
}

static void job_done(struct job *job)
{
	job->done(job->member, job->context);
	loop_defer_free(job->parts->loop, job, job_free);
}

/* ---- the end of a pass ---- */

static void on_left_over(const struct store_reply *reply, const struct error *err, void *context)
{
	struct job *job = context;

	(void)reply;
	if (err != NULL)
		log_warn(job->message, "stage=media event=blobs_left_over error=%s",
			 log_quote(err->text));
	job_done(job);
}

/* The message was moved, or another steward is at work: what was fetched just now is nobody's. */
static void left_overs_drop(struct job *job)
{
	const char **ids = arena_alloc(job->arena, (job->count + 1) * sizeof(*ids));
	size_t count = 0;

	for (size_t i = 0; i < job->count; i++)
		if (job->files[i].state.standing == FILE_STORED)
			ids[count++] = job->files[i].state.blob;
	if (count > 0)
		blob_expire(job->parts->store, job->workspace, ids, count, on_left_over, job);
	else
		job_done(job);
}

static void on_written(const struct store_reply *reply, const struct error *err, void *context)
{
	struct job *job = context;

	if (err != NULL)
		log_warn(job->message, "stage=media event=not_written error=%s",
			 log_quote(err->text));
	if (err == NULL && reply_is(reply, "refused"))
		left_overs_drop(job);
	else
		job_done(job);
}

/* -1: nothing is pending any more. */
static int64_t next_delay(const struct job *job)
{
	int64_t delay = -1;

	for (size_t i = 0; i < job->count; i++) {
		const struct file_state *state = &job->files[i].state;
		int attempts = state->attempts > 0 ? state->attempts : 1;

		if (state->standing == FILE_PENDING && delays_ms[attempts - 1] > delay)
			delay = delays_ms[attempts - 1];
	}
	return delay >= 0 && job->retry_after_ms > delay ? job->retry_after_ms : delay;
}

static const char *settled(const struct job *job)
{
	if (job->any_stored)
		return "stored";
	return job->any_failed ? "failed" : "";
}

static void job_write(struct job *job)
{
	struct store_call *call = store_script("media_end", job->workspace);
	struct buf files = { 0 };
	struct buf blobs = { 0 };
	int64_t delay = next_delay(job);

	for (size_t i = 0; i < job->count; i++) {
		file_state_write(&files, &job->files[i].state);
		if (job->files[i].state.standing == FILE_STORED)
			blob_pack(&blobs, job->files[i].state.blob);
	}
	store_key(call, "lease:steward");
	store_key(call, "md");
	store_key(call, "y:%s", job->conversation);
	store_arg_text(call, job->fence);
	store_arg_text(call, job->conversation);
	store_arg_text(call, job->message);
	store_arg_int(call, job->index);
	store_arg_text(call, job->channel);
	store_arg(call, buf_string(&files), files.len);
	if (delay >= 0)
		store_arg_int(call, delay);
	else
		store_arg_text(call, "");
	store_arg_text(call, settled(job));
	store_arg(call, blobs.data, blobs.len);
	store_run(job->parts->store, call, on_written, job);
	buf_clear(&files);
	buf_clear(&blobs);
}

/* ---- one file ---- */

static void next_file(struct job *job);

static void file_failed(struct job *job, bool for_good, const char *why)
{
	struct file_state *state = &job->files[job->at].state;

	state->attempts++;
	if (for_good || (size_t)state->attempts > COUNT_OF(delays_ms)) {
		state->standing = FILE_FAILED;
		job->any_failed = true;
	}
	snprintf(state->why, sizeof(state->why), "%s",
		 text_clean_line(job->arena, why, strlen(why), sizeof(state->why) - 1));
	log_info(job->message, "stage=media channel=%s result=%s attempt=%d error=%s", job->channel,
		 file_standing_name(state->standing), state->attempts, log_quote(state->why));
	job->at++;
	next_file(job);
}

static void on_put(const char *blob, const struct error *err, void *context)
{
	struct job *job = context;
	struct file_state *state = &job->files[job->at].state;

	if (err != NULL) {
		file_failed(job, false, err->text);
		return;
	}
	snprintf(state->blob, sizeof(state->blob), "%s", blob);
	state->standing = FILE_STORED;
	state->why[0] = '\0';
	job->any_stored = true;
	job->at++;
	next_file(job);
}

static void on_fetched(const struct transfer_answer *answer, void *context)
{
	struct job *job = context;
	struct file *file = &job->files[job->at];
	struct media_verdict verdict = { .verdict = MEDIA_KEEP };
	struct error err;

	media_judge(answer, file->from.type, &job->parts->config->limits.media_types, &verdict);
	if (answer->retry_after_ms > job->retry_after_ms)
		job->retry_after_ms = answer->retry_after_ms;
	if (verdict.verdict != MEDIA_KEEP) {
		file_failed(job, verdict.verdict == MEDIA_REFUSE, verdict.why);
		return;
	}
	file->state.size = (int64_t)answer->body_len;
	if (blobs_put(job->parts->blobs, answer->body, answer->body_len, on_put, job, &err) != 0)
		file_failed(job, false, err.text);
}

static void fetch(struct job *job, const struct media_request *request)
{
	struct transfer_field fields[FIELDS_MAX];
	struct transfer_options options = { .url = request->url,
					    .fields = fields,
					    .timeout_ms = TIMEOUT_MS,
					    .redirects = REDIRECTS,
					    .allow_private = request->allow_private };

	for (size_t i = 0; request->fields && request->fields[i] && i / 2 < FIELDS_MAX; i += 2)
		fields[options.field_count++] =
			(struct transfer_field){ request->fields[i], request->fields[i + 1] };
	options.answer_max = (size_t)job->parts->config->limits.media;
	transfer_start(job->parts->transfers, &options, NULL, on_fetched, job);
}

/* The connector asks its provider where the file is. */
struct search {
	struct media_search search;
	struct job *job;
	struct channel *channel;
};

static void on_found(struct media_search *search, const struct media_request *request)
{
	struct search *found = (struct search *)search;

	fetch(found->job, request);
	channel_drop(found->channel);
}

static void on_lost(struct media_search *search, bool gone, const char *why)
{
	struct search *lost = (struct search *)search;

	channel_drop(lost->channel);
	file_failed(lost->job, gone, why == NULL ? "the provider does not say where it is" : why);
}

static void find(struct job *job, struct channel *channel)
{
	const struct connector *connector = channel_connector(channel);
	const struct attachment *from = &job->files[job->at].from;
	struct media_request request = { .url = from->url };
	struct search *search;

	if (connector->find_media != NULL) {
		search = arena_alloc(job->arena, sizeof(*search));
		*search = (struct search){ { on_found, on_lost }, job, channel };
		channel_hold(channel);
		connector->find_media(channel, from, &search->search);
		return;
	}
	if (connector->media != NULL)
		connector->media(channel, from, job->arena, &request);
	fetch(job, &request);
}

static void next_file(struct job *job)
{
	struct channel *channel = channel_find(job->parts->channels, job->workspace, job->channel);

	while (job->at < job->count && job->files[job->at].state.standing != FILE_PENDING)
		job->at++;
	if (job->at == job->count)
		job_write(job);
	else if (channel == NULL)
		file_failed(job, false, "the channel is not configured any more");
	else
		find(job, channel);
}

/* ---- what is to be fetched ---- */

static void files_read(struct job *job, struct json_object *message)
{
	struct json_object *list = json_at(message, "attachments");
	size_t count = json_count(list);

	job->files = arena_alloc(job->arena, (count + 1) * sizeof(*job->files));
	job->channel =
		json_has(message, "channel") ? json_text_copy(message, "channel", job->arena) : "";
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_item(list, i);
		struct attachment *from = &job->files[job->count].from;

		if (!json_has(item, "url"))
			continue;
		from->url = json_text_copy(item, "url", job->arena);
		from->type = json_text_copy(item, "type", job->arena);
		from->name = json_text_copy(item, "name", job->arena);
		job->count++;
	}
}

static void on_states(const struct store_reply *reply, const struct error *err, void *context)
{
	struct job *job = context;
	const char *text = err == NULL ? reply_text(reply, NULL) : NULL;

	if (err != NULL) {
		job_done(job);
		return;
	}
	for (size_t i = 0; i < job->count; i++)
		file_state_read(text, i, &job->files[i].state);
	next_file(job);
}

static void on_message(const struct store_reply *reply, const struct error *err, void *context)
{
	struct job *job = context;
	struct json_object *message;
	struct store_call *call;
	size_t len = 0;
	const char *stored = err == NULL ? reply_text(reply, &len) : NULL;

	if (err != NULL) {
		job_done(job);
		return;
	}
	message = stored == NULL ? NULL : json_read(stored, len, NULL);
	files_read(job, message);
	json_free(&message);
	if (job->count == 0) { /* erased meanwhile */
		job_write(job);
		return;
	}
	call = store_command("HGET");
	store_arg_key(call, job->workspace, "y:%s", job->conversation);
	store_arg_text(call, arena_format(job->arena, "%s.files", job->message));
	store_read(job->parts->store, call, on_states, job);
}

void media_job_start(const struct media_start *start)
{
	struct arena *arena = arena_new(0);
	struct job *job = arena_alloc(arena, sizeof(*job));
	struct store_call *call;

	job->arena = arena;
	job->parts = start->parts;
	job->workspace = arena_text(arena, start->workspace);
	job->fence = arena_text(arena, start->fence);
	job->member = arena_text(arena, start->member);
	job->done = start->done;
	job->context = start->context;
	sscanf(job->member, "%30s %30s %lld", job->conversation, job->message, &job->index);
	call = store_command("LINDEX");
	store_arg_key(call, job->workspace, "m:%s", job->conversation);
	store_arg_int(call, job->index);
	store_read(job->parts->store, call, on_message, job);
}
