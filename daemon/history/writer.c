/* One thing at a time: a step is under way (its answer leads to the next), or the timer runs.
 *
 *   where am I? -> (nothing there) read anew -> follow the log
 *
 * While a batch is written, what the next one touched is read from the store, and one more is
 * collected; when that is full too, the log's reader goes and comes back where it stopped. */
#include "history/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "config.h"
#include "history/batch.h"
#include "history/history.h"
#include "history/reread.h"
#include "history/words.h"
#include "parts.h"
#include "services/loop.h"
#include "store/check.h"
#include "store/log.h"
#include "store/store.h"
#include "workspace.h"

enum {
	BATCH_MAX = 1000,
	BACKOFF_FIRST_MS = 100,
	BACKOFF_LAST_MS = 10 * 1000,
	TRIES_MAX = 3, /* of an entry that kills the worker */
	PROBLEM_BYTES = 200,
};

enum doing { STARTING, REREADING, FOLLOWING };

struct writer {
	struct parts *parts;
	struct workspace *workspace;
	struct writer_counts *counts;
	struct log_reader *reader;
	struct loop_timer *timer;
	struct reread *reread;
	struct batch *collected; /* not closed yet; NULL: nothing */
	struct batch *next;      /* its rows are read from the store, or wait; NULL: none */
	struct batch *written;   /* being written; NULL: none */
	enum doing doing;
	char position[LOG_POSITION_BYTES]; /* in the database */
	char handed[LOG_POSITION_BYTES];   /* up to here the log was read */
	size_t batch_max;
	int tries; /* of a batch of one entry that kills the worker */
	int64_t backoff_ms;
	int64_t reread_keys;
	char problem[PROBLEM_BYTES];
	bool is_asking;  /* where it stands */
	bool is_writing; /* false with written: it is written once more when the timer says so */
	bool is_waiting; /* the timer leads on */
	bool is_keeping; /* the cursor in the store */
	bool is_marked;  /* the cursor in the store is `position` */
	bool wants_reread;
	int refs; /* its owner, answers under way */
	bool is_dead;
};

static void go_on(struct writer *writer);

static void writer_unref(void *object)
{
	struct writer *writer = object;

	if (--writer->refs == 0)
		free(writer);
}

/* An answer came: false where nobody wants it any more. */
static bool answer_taken(struct writer *writer)
{
	bool is_dead = writer->is_dead;

	writer_unref(writer);
	return !is_dead;
}

static const char *name_of(const struct writer *writer)
{
	return workspace_name(writer->workspace);
}

/* ---- when it does not work ---- */

static void wait_awhile(struct writer *writer, const struct error *err)
{
	writer->counts->errors++;
	if (!text_equal(writer->problem, err->text))
		log_warn("history", "event=waiting workspace=%s place=%s error=%s", name_of(writer),
			 history_place(writer->parts->history), log_quote(err->text));
	snprintf(writer->problem, sizeof(writer->problem), "%.*s", PROBLEM_BYTES - 1, err->text);
	writer->backoff_ms = writer->backoff_ms == 0 ? BACKOFF_FIRST_MS : 2 * writer->backoff_ms;
	if (writer->backoff_ms > BACKOFF_LAST_MS)
		writer->backoff_ms = BACKOFF_LAST_MS;
	writer->is_waiting = true;
	loop_timer_start(writer->timer, writer->backoff_ms);
}

static void works_again(struct writer *writer)
{
	if (writer->problem[0] != '\0')
		log_info("history", "event=works_again workspace=%s", name_of(writer));
	writer->problem[0] = '\0';
	writer->backoff_ms = 0;
}

/* Everything that was read is forgotten: the database says where it stands. */
static void start_over(struct writer *writer)
{
	log_reader_free(&writer->reader);
	batch_free(&writer->collected);
	batch_free(&writer->next);
	batch_free(&writer->written);
	writer->is_writing = false;
	reread_free(&writer->reread);
	writer->doing = STARTING;
	writer->position[0] = '\0';
	writer->handed[0] = '\0';
}

static void on_timer(void *context)
{
	struct writer *writer = context;

	writer->is_waiting = false;
	go_on(writer);
}

/* ---- the cursor in the store, which holds the log back ---- */

static void cursor_keep(struct writer *writer);

static void on_kept(const struct store_reply *reply, const struct error *err, void *context)
{
	struct writer *writer = context;

	(void)reply;
	if (!answer_taken(writer))
		return;
	writer->is_keeping = false;
	/* Kept with the next batch where this failed: it only lags behind the truth. */
	if (err == NULL && !writer->is_marked)
		cursor_keep(writer);
}

static void cursor_keep(struct writer *writer)
{
	struct store_call *call;

	writer->is_marked = !writer->is_keeping;
	if (writer->is_keeping)
		return;
	call = store_script("cursor_put", name_of(writer));
	store_key(call, "cur:history");
	store_arg_text(call, writer->position);
	store_arg_int(call, 0);
	writer->is_keeping = true;
	writer->refs++;
	store_run(writer->parts->store, call, on_kept, writer);
}

/* ---- a batch ---- */

static void batch_done(struct writer *writer, struct json_object *answer)
{
	struct json_object *skipped = json_at(answer, "skipped");

	for (size_t i = 0; i < json_count(skipped); i++) {
		struct json_object *row = json_item(skipped, i);

		log_error("history", "event=row_skipped workspace=%s kind=%s id=%s error=%s",
			  name_of(writer), json_text(row, "kind"),
			  json_text(row, "id") == NULL ? "-" : json_text(row, "id"),
			  log_quote(json_text(row, "error")));
		writer->counts->skipped++;
	}
	writer->counts->entries += (int64_t)writer->written->count;
	memcpy(writer->position, writer->written->position, sizeof(writer->position));
	batch_free(&writer->written);
	writer->batch_max = writer->batch_max > BATCH_MAX / 2 ? BATCH_MAX : 2 * writer->batch_max;
	writer->tries = 0;
	works_again(writer);
	cursor_keep(writer);
	go_on(writer);
}

/* What kills the worker, or what it takes for wrong, must be found: smaller batches, and at last
 * the one entry is left out. */
static void batch_poisoned(struct writer *writer, const struct error *err)
{
	struct batch *batch = writer->written;

	if (batch->count > 1) {
		writer->batch_max = batch->count / 2;
		start_over(writer);
	} else if (++writer->tries >= TRIES_MAX) {
		log_error("history", "event=entry_skipped workspace=%s position=%s error=%s",
			  name_of(writer), batch->position, log_quote(err->text));
		writer->counts->skipped++;
		buf_clear(&batch->fields); /* only the cursor is written */
		buf_text(&batch->fields, ",\"events\":[]");
	}
	wait_awhile(writer, err);
}

static void on_written(struct json_object *answer, const struct error *err, void *context)
{
	struct writer *writer = context;

	if (!answer_taken(writer) || !writer->is_writing)
		return;
	writer->is_writing = false;
	if (err == NULL) {
		batch_done(writer, answer);
	} else if (strstr(err->text, "poison job") != NULL) {
		batch_poisoned(writer, err);
	} else {
		if (strstr(err->text, "moved the cursor") != NULL)
			start_over(writer);
		wait_awhile(writer, err);
	}
}

static void batch_write(struct writer *writer)
{
	struct batch *batch = writer->written;
	struct buf fields = { 0 };

	buf_format(&fields, ",\"after\":\"%s\",\"position\":\"%s\",\"at\":%lld", writer->position,
		   batch->position, (long long)loop_unix_ms(writer->parts->loop));
	buf_add(&fields, batch->fields.data, batch->fields.len);
	writer->refs++;
	writer->is_writing = true;
	history_tell(writer->parts->history, "write", name_of(writer), &fields, on_written, writer);
	buf_clear(&fields);
}

static void on_harvest(const struct buf *rows, const struct error *err, void *context)
{
	struct writer *writer = context;
	struct batch *batch = writer->next;

	if (err != NULL) {
		struct error copy = *err; /* it goes with the harvest */

		/* Perhaps more than the store's queue takes at once. */
		writer->batch_max = (writer->batch_max + 1) / 2;
		start_over(writer);
		wait_awhile(writer, &copy);
		return;
	}
	buf_add(&batch->fields, rows->data, rows->len);
	buf_text(&batch->fields, ",\"events\":[");
	buf_add(&batch->fields, buf_string(&batch->events), batch->events.len);
	buf_byte(&batch->fields, ']');
	batch->is_ready = true;
	go_on(writer);
}

/* ---- the log ---- */

static void reader_open(struct writer *writer);

static void on_entry(const struct log_entry *entry, void *context)
{
	struct writer *writer = context;

	if (writer->collected == NULL)
		writer->collected = batch_new(writer->parts->store, name_of(writer));
	batch_add(writer->collected, entry);
	snprintf(writer->handed, sizeof(writer->handed), "%s", entry->position);
	/* No more than can be held: the rest is read when this was taken over. */
	if (writer->collected->count >= writer->batch_max)
		log_reader_free(&writer->reader);
	if (writer->collected->count >= writer->batch_max)
		go_on(writer);
}

static void reread_start(struct writer *writer);

static void on_reset(const char *position, void *context)
{
	struct writer *writer = context;

	(void)position;
	log_warn(
		"history",
		"event=log_lost workspace=%s consequence=\"everything that is in the store is read "
		"anew, what left it stays as it was written\"",
		name_of(writer));
	start_over(writer);
	writer->wants_reread = true;
	if (!writer->is_waiting)
		wait_awhile(writer, &(struct error){ .text = "the log was lost" });
}

static void on_batch(const char *position, void *context)
{
	struct writer *writer = context;

	(void)position;
	go_on(writer);
}

static void reader_open(struct writer *writer)
{
	const struct log_reader_options options = {
		.workspace = name_of(writer),
		.after = writer->handed[0] == '\0' ? writer->position : writer->handed,
		.batch = BATCH_MAX,
	};

	writer->reader = log_reader_new(writer->parts->loop, writer->parts->store, &options,
					on_entry, on_reset, on_batch, writer);
}

/* ---- everything anew ---- */

static void on_reread(const char *position, const struct error *err, void *context)
{
	struct writer *writer = context;

	writer->reread_keys = reread_keys(writer->reread);
	if (err != NULL) {
		struct error copy = *err;

		start_over(writer);
		writer->wants_reread = true;
		wait_awhile(writer, &copy);
		return;
	}
	log_info("history", "event=reread workspace=%s keys=%lld", name_of(writer),
		 (long long)writer->reread_keys);
	snprintf(writer->position, sizeof(writer->position), "%s", position);
	reread_free(&writer->reread);
	writer->doing = FOLLOWING;
	works_again(writer);
	cursor_keep(writer);
	go_on(writer);
}

static void reread_start(struct writer *writer)
{
	writer->doing = REREADING;
	writer->wants_reread = false;
	writer->counts->rereads++;
	log_info("history", "event=rereading workspace=%s place=%s", name_of(writer),
		 history_place(writer->parts->history));
	writer->reread = reread_new(writer->parts, name_of(writer), on_reread, writer);
}

/* ---- where am I? ---- */

static void on_position(struct json_object *answer, const struct error *err, void *context)
{
	struct writer *writer = context;
	const char *position;

	if (!answer_taken(writer))
		return;
	writer->is_asking = false;
	if (err != NULL) {
		wait_awhile(writer, err);
		return;
	}
	works_again(writer);
	words_renew(writer->parts->history);
	position = json_text(answer, "position");
	if (position == NULL || writer->wants_reread) {
		reread_start(writer);
		return;
	}
	snprintf(writer->position, sizeof(writer->position), "%s", position);
	writer->doing = FOLLOWING;
	cursor_keep(writer);
	go_on(writer);
}

/* The database must be the one that this workspace was written to before. */
static void on_fits(const struct error *err, void *context)
{
	struct writer *writer = context;

	if (!answer_taken(writer))
		return;
	if (err != NULL) {
		writer->is_asking = false;
		wait_awhile(writer, err);
		return;
	}
	writer->refs++;
	history_tell(writer->parts->history, "cursor", name_of(writer), NULL, on_position, writer);
}

static void on_opened(struct json_object *answer, const struct error *err, void *context)
{
	struct writer *writer = context;
	struct store_identity identity = { 0 };
	char room[HISTORY_ID_BYTES + 1];

	(void)answer;
	if (!answer_taken(writer))
		return;
	if (err != NULL) {
		writer->is_asking = false;
		wait_awhile(writer, err);
		return;
	}
	identity.history = history_identity(writer->parts->history,
					    writer->parts->config->history.accept_other, room);
	identity.grace_ms = writer->parts->config->limits.disconnect_grace_ms;
	writer->refs++;
	store_boot(writer->parts->store, name_of(writer), &identity, on_fits, writer);
}

static void ask_position(struct writer *writer)
{
	writer->is_asking = true;
	writer->refs++;
	history_tell(writer->parts->history, "open", name_of(writer), NULL, on_opened, writer);
}

/* ---- life ---- */

/* Small batches cost more, so the next one is closed early only where there is enough. */
static bool next_is_due(const struct writer *writer)
{
	return writer->next == NULL && writer->collected != NULL &&
	       (writer->written == NULL || writer->collected->count >= writer->batch_max / 2);
}

static void follow(struct writer *writer)
{
	if (writer->wants_reread && !writer->is_writing) {
		start_over(writer);
		ask_position(writer);
		return;
	}
	if (writer->written == NULL && writer->next != NULL && writer->next->is_ready) {
		writer->written = writer->next;
		writer->next = NULL;
	}
	if (writer->written != NULL && !writer->is_writing)
		batch_write(writer);
	if (next_is_due(writer)) {
		writer->next = writer->collected;
		writer->collected = NULL;
		harvest_run(writer->next->harvest, on_harvest, writer);
	}
	if (writer->reader == NULL && writer->collected == NULL)
		reader_open(writer);
}

/* What comes next; harmless where everything is under way. */
static void go_on(struct writer *writer)
{
	if (writer->is_asking || writer->is_waiting)
		return;
	if (writer->doing == STARTING)
		ask_position(writer);
	else if (writer->doing == FOLLOWING)
		follow(writer);
}

struct writer *writer_new(struct parts *parts, struct workspace *workspace,
			  struct writer_counts *counts)
{
	struct writer *writer = memory_new(sizeof(*writer));

	writer->parts = parts;
	writer->workspace = workspace;
	writer->counts = counts;
	writer->batch_max = BATCH_MAX;
	writer->refs = 1;
	writer->timer = loop_timer_new(parts->loop, on_timer, writer);
	go_on(writer);
	return writer;
}

void writer_free(struct writer **writer)
{
	struct writer *held = *writer;

	*writer = NULL;
	if (held == NULL)
		return;
	held->is_dead = true;
	start_over(held);
	loop_timer_free(&held->timer);
	loop_defer_free(held->parts->loop, held, writer_unref);
}

void writer_reread(struct writer *writer)
{
	writer->wants_reread = true;
	if (writer->doing == FOLLOWING)
		go_on(writer);
}

static int64_t lag_of(const struct writer *writer)
{
	const struct batch *oldest = writer->written;

	if (oldest == NULL)
		oldest = writer->next != NULL ? writer->next : writer->collected;
	return oldest == NULL || oldest->count == 0
		       ? 0
		       : loop_unix_ms(writer->parts->loop) - oldest->first_ms;
}

struct writer_state writer_state(const struct writer *writer)
{
	static const char *const words[] = { "starting", "reading anew", "following" };
	const struct batch *const held[] = { writer->written, writer->next, writer->collected };
	struct writer_state state = {
		.doing = writer->is_waiting ? "waiting" : words[writer->doing],
		.position = writer->position,
		.problem = writer->problem,
		.lag_ms = lag_of(writer),
		.reread_keys =
			writer->reread != NULL ? reread_keys(writer->reread) : writer->reread_keys,
	};

	for (size_t i = 0; i < COUNT_OF(held); i++)
		state.held += held[i] == NULL ? 0 : (int64_t)held[i]->count;
	return state;
}
